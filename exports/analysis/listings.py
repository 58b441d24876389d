"""L1 to L16: records as collected, participant by participant; every cell is one stored record."""

from typing import Any

from exports.analysis import summaries
from exports.analysis.registry import Body, Text, both, cell, label_of, output, reason
from exports.analysis.tables_safety import term_text
from exports.analysis.trial import Trial

PARTICIPANT = both("Participant", "受试者")


def _register(id: str, en: str, zh: str, concept: str, words: tuple[str, ...], population: str = "ENR") -> None:
    """A listing of one concept."""

    @output(id, en, zh, population)
    def listing(trial: Trial) -> Body:
        return summaries.listing(trial, concept, words, trial.of(population))


_register(
    "L1",
    "Consent and versions",
    "知情同意及版本",
    "consent",
    ("type", "date", "version", "version_date", "signer"),
    "SCR",
)


@output("L2", "Eligibility failures", "入排标准不符", "SCR")
def eligibility(trial: Trial) -> Body:
    """Criteria answered against eligibility: an inclusion criterion with No, an exclusion criterion with Yes."""
    words = [w for w in trial.declaration.sources["eligibility"].items if w != "date"]
    rows = []
    for person in trial.people:
        for record in trial.records.of("eligibility", person.subject):
            for word in words:
                if record.codes.get(word) == ("N" if word.startswith("in") else "Y"):
                    variable = trial.records.variable("eligibility", word)
                    name = Text(variable.en, variable.zh) if variable else both(word)
                    label = label_of(trial, "eligibility", word, record.codes[word])
                    rows.append([cell(each, (record.key,)) for each in (person.label, record["date"], name, label)])
    return Body((PARTICIPANT, both("Date", "日期"), both("Criterion", "标准"), both("Answer", "回答")), rows)


@output("L3", "Order of enrolment", "入组顺序", "ENR")
def enrolment_order(trial: Trial) -> Body:
    """By enrolment date, with the first fraction: the order of evaluable participants of a staged design."""
    people = sorted(trial.of("ENR"), key=lambda p: (p.enrolled_on or trial.cut_off, p.subject))
    treated = sorted((p for p in people if p.first_fraction), key=lambda p: (p.first_fraction, p.subject))
    places = {person.subject: place for place, person in enumerate(treated, start=1)}
    rows = []
    for place, person in enumerate(people, start=1):
        values: list[Any] = [place, person.label, person.site, person.enrolled_on, person.first_fraction]
        rows.append([cell(each, (person.key,)) for each in (*values, places.get(person.subject))])
    columns = (both("No.", "序号"), PARTICIPANT, both("Centre", "中心"), both("Enrolled", "入组日期"))
    return Body((*columns, both("First fraction", "首次照射"), both("No. by first fraction", "按首次照射序号")), rows)


_register(
    "L4", "Protocol deviations", "方案偏离", "deviation", ("date", "category", "severity", "evaluability", "term")
)
_register("L5.1", "Pathology", "病理", "tumour", ("side", "quadrant", "biopsied", "histology", "grade"))
_register(
    "L5.2", "Biomarkers", "生物标志物", "markers", ("date", "er_percent", "pr_percent", "her2", "ki67", "subtype")
)
_register("L6", "Staging", "分期", "stage", ("date", "side", "size", "ct", "cn", "cm", "stage", "prognostic"))
_register(
    "L7",
    "Fractions with cumulative dose",
    "分次记录及累积剂量",
    "fraction",
    ("sequence", "date", "machine", "status", "dose", "breast_sum", "primary_sum", "reason"),
)
_register("L8", "Interruptions", "中断", "interruption", ("start", "end", "days", "reason", "compensation"))


@output("L9", "Lesions and response", "病灶测量与疗效", "FAS", ("recist", "response_by"))
def lesions(trial: Trial) -> Body:
    """Sums and responses by time point, each with the lesion records behind it."""
    rows = []
    for person in trial.of("FAS"):
        for each in person.assessments:
            found, keys = each.response, each.keys
            values: list[Any] = [
                person.label,
                summaries.visit_text(trial, each.visit),
                found.day,
                found.sum,
                found.nadir,
            ]
            change = None if found.change is None else f"{found.change:.1f}"
            values += [change, found.target, found.non_target, "Y" if found.new else "N", found.overall]
            waits = both("equivocal", "可疑") if found in person.equivocal else None
            rows.append([cell(value, keys) for value in (*values, waits)])
    columns = [PARTICIPANT, both("Visit", "访视"), both("Date", "日期"), both("Sum, mm", "总和（mm）")]
    columns += [both("Nadir, mm", "最低点（mm）"), both("Change, %", "变化（%）"), both("Target", "靶病灶")]
    columns += [
        both("Non-target", "非靶病灶"),
        both("New", "新病灶"),
        both("Overall", "总体"),
        both("Progression", "进展"),
    ]
    return Body(columns, rows)


_register(
    "L10",
    "Recurrence",
    "复发",
    "failure",
    ("date", "type", "side", "location", "dose_region", "confirmation"),
)
_register("L11", "Surgery", "手术", "operation", ("date", "side", "kinds", "reason", "residual", "stage", "margin"))


@output("L12", "Adverse events and grade history", "不良事件及分级变化", "SCR")
def adverse(trial: Trial) -> Body:
    """Each event with its steps."""
    rows = []
    for person in trial.people:
        for event in trial.safety.events(person):
            steps = "; ".join(f"{day.isoformat()}: {'–' if grade is None else grade}" for day, grade in event.history)
            imputed = f" ({event.imputed})" if event.imputed else ""
            values: list[Any] = [
                person.label,
                term_text(trial, event.term),
                f"{event.start}{imputed}",
                event.end,
                steps,
            ]
            yes = both("yes", "是") if event.serious else both("no", "否")
            rows.append(
                [
                    cell(value, event.keys)
                    for value in (*values, reason(trial, event.relation), yes, reason(trial, event.action))
                ]
            )
    columns = [PARTICIPANT, both("Term", "术语"), both("Start (imputed part)", "开始（填补部分）"), both("End", "结束")]
    columns += [both("Grades", "分级"), both("Relation", "相关性"), both("Serious", "严重"), both("Action", "措施")]
    return Body(columns, rows)


_register(
    "L13",
    "Serious adverse events with reporting times",
    "严重不良事件及报告时间",
    "serious",
    ("type", "aware", "reported", "expected", "suspected", "cause"),
    "SCR",
)


@output("L14.1", "Laboratory results of grade 3 or more", "3级及以上实验室结果", "SAF")
def laboratory(trial: Trial) -> Body:
    """Graded results."""
    rows = []
    for person in trial.of("SAF"):
        for record in trial.records.of("laboratory", person.subject):
            if str(record["grade"]) in ("3", "4", "5"):
                visit = summaries.visit_text(trial, record.visit)
                values = (person.label, visit, record.day(), record.row, record["value"], record["grade"])
                rows.append([cell(value, (record.key,)) for value in values])
    columns = (PARTICIPANT, both("Visit", "访视"), both("Date", "日期"), both("Test", "检验项目"))
    return Body((*columns, both("Value", "数值"), both("Grade", "级别")), rows)


_register("L14.2", "Deaths", "死亡", "death", ("date", "cause", "cancer"))
_register("L15", "Withdrawn or lost", "退出或失访", "end", ("reason", "date", "scope"), "SCR")


QUERY = ("QUERY", "FORM", "FORM_REPEAT", "PATHS", "CHECK", "STATUS", "ASSIGNEE", "RAISED")
OPEN = ("open", "answered", "reopened")


@output("L16", "Open queries at the cut-off", "截止时未关闭质疑", "SCR")
def queries(trial: Trial) -> Body:
    """Queries that wait for an answer or for closing."""
    table = trial.tables.get("QUERIES")
    variables = [v for v in table.variables if v.name in QUERY] if table else []
    columns = [PARTICIPANT, both("Visit", "访视"), *(Text(v.en, v.zh) for v in variables)]
    members = {each.subject: each for each in trial.people}
    rows = []
    for place in range(table.rows if table else 0):
        assert table is not None
        values = {name: column[place] for name, column in table.columns.items()}
        person = members.get(values["SCRNO"])
        if person is None or values["STATUS"] not in OPEN:
            continue
        key = f"{person.subject}/{values['EVENT']}.{values['REPEAT']}/QUERIES.{values['QUERY']}"
        shown: list[Any] = [person.label, summaries.visit_text(trial, values["VISIT"])]
        for variable in variables:
            labels = {code.code: Text(code.en, code.zh) for code in variable.codes}
            shown.append(labels.get(values[variable.name], values[variable.name]))
        rows.append([cell(each, (key,)) for each in shown])
    return Body(columns, rows)
