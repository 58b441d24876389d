"""T4, T5: response, complete response, time-to-event endpoints, failures, surgery, deaths."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from exports.analysis import recist, summaries
from exports.analysis.people import Assessment, Person, plus
from exports.analysis.proportions import exact_test
from exports.analysis.registry import (
    AALEN,
    CLOPPER,
    EISENHAUER,
    KAPLAN,
    Body,
    Text,
    both,
    cell,
    label_of,
    output,
    people_cell,
)
from exports.analysis.responses import best_until, first_stop
from exports.analysis.summaries import CATEGORY, N_PERCENT, RATE_COLUMNS
from exports.analysis.trial import Trial

RECIST = ("recist", "response_by", "response_confirmation_days", "stable_days", "equivocal_months")
PROGRESSION = ("progression_weeks", "progression_latest_weeks")
ORDER = recist.ORDER
SENSITIVE = both("The last endpoints are sensitivity analyses.", "最后几个终点为敏感性分析。")
MISSING = both("Missing counts as no response.", "缺失视为未缓解。")


def _window(trial: Trial, months: int) -> int:
    return trial.declaration.windows.get(months, 0)


def complete_by(trial: Trial, person: Person, months: int) -> tuple[str, ...]:
    """E1, E3: the keys of a complete response by EOT + months + window, before local failure or surgery; else none."""
    if person.end is None or person.history is None:
        return ()
    limit = min(plus(person.end, months, _window(trial, months)), trial.cut_off)
    stops = [each.day for each in person.history.primary_progression]
    stops += [each.day for each in person.history.failures if each.what == "local"]
    stops += [each.day for each in person.history.operations if each.kinds & {"lumpectomy", "mastectomy"}]
    stop = min(stops, default=None)
    for each in person.history.complete_responses:
        if each.day <= limit and (stop is None or each.day < stop):
            return each.keys
    return ()


def responded_by(trial: Trial, person: Person, months: int) -> bool:
    """E2: best overall response CR or PR up to EOT + months + window."""
    if person.end is None or person.first_fraction is None:
        return False
    until = min(plus(person.end, months, _window(trial, months)), trial.cut_off)
    return best_until(person, until, trial.parameters) in (recist.CR, recist.PR)


@output("T4.1", "Response at 3, 6, 12, 18 and 24 months", "3、6、12、18、24个月疗效", "RES", (*RECIST, *PROGRESSION))
def response(trial: Trial) -> Body:
    """The overall response of the time point nearest to each month, inside the window of that month."""
    people, rows = trial.of("RES"), []
    for months in trial.declaration.windows:
        found: dict[str, list[Person]] = defaultdict(list)
        keys = []
        for person in people:
            each = _at(trial, person, months)
            found[each.response.overall if each else "–"].append(person)
            keys += list(each.keys) if each else []
        cells = [people_cell(found[code], len(people), keys) for code in (*ORDER, "–")]
        rows.append([cell(both(f"{months} months", f"{months}个月")), *cells])
    columns = [both("Time", "时间"), *(both(code) for code in ORDER), both("No assessment", "无评价")]
    return Body(columns, rows, (EISENHAUER,))


def _at(trial: Trial, person: Person, months: int) -> Assessment | None:
    if person.end is None:
        return None
    day, days = plus(person.end, months), _window(trial, months)
    inside = [a for a in person.assessments if abs((a.response.day - day).days) <= days]
    return min(inside, key=lambda a: abs((a.response.day - day).days), default=None)


@output("T4.2", "Best overall response", "最佳总体疗效", "RES", (*RECIST, *PROGRESSION))
def best(trial: Trial) -> Body:
    """Best response and objective response rate, in the response set and in the full analysis set."""
    rows = []
    for name in ("RES", "FAS"):
        people = trial.of(name)
        keys = [key for each in people for a in each.assessments for key in a.keys]
        for code in ORDER:
            members = [each for each in people if each.best == code]
            rows.append([cell(name), cell(code), *summaries.rate_cells(members, people, keys)])
        members = [each for each in people if each.best in (recist.CR, recist.PR)]
        rows.append([cell(name), cell(both("CR or PR", "CR或PR")), *summaries.rate_cells(members, people, keys)])
        for months in (6, 12):
            members = [each for each in people if responded_by(trial, each, months)]
            text = both(f"CR or PR by {months} months", f"{months}个月内CR或PR")
            rows.append([cell(name), cell(text), *summaries.rate_cells(members, people, keys)])
    return Body((both("Set", "分析集"), both("Response", "疗效"), *RATE_COLUMNS), rows, (EISENHAUER, CLOPPER, MISSING))


@output(
    "T4.3", "Clinical complete response by 6, 12 and 24 months", "6、12、24个月内临床完全缓解", "FAS", ("null_rate",)
)
def complete(trial: Trial) -> Body:
    """E1 and E3 with exact limits; everybody of the full analysis set counts."""
    people, rows = trial.of("FAS"), []
    for months in (6, 12, 24):
        found = {each.subject: complete_by(trial, each, months) for each in people}
        members = [each for each in people if found[each.subject]]
        keys = [key for each in found.values() for key in each]
        immature = [p for p in people if p.end is None or plus(p.end, months, _window(trial, months)) > trial.cut_off]
        time = both(f"By {months} months", f"{months}个月内")
        test = cell(_against_null(trial, len(members), len(people)))
        rows.append([cell(time), *summaries.rate_cells(members, people, keys), test, people_cell(immature)])
        everybody = both(f"{time.en}, all enrolled", f"{time.zh}，全部入组者")
        rows.append([cell(everybody), *summaries.rate_cells(members, trial.of("ENR"), keys), cell(None), cell(None)])
    immature_name = both("Follow-up not yet that long", "随访尚未达到")
    columns = (both("Time", "时间"), *RATE_COLUMNS, both("p (one-sided)", "p值（单侧）"), immature_name)
    return Body(columns, rows, (CLOPPER, both("Missing counts as not complete.", "缺失视为未完全缓解。")))


def _against_null(trial: Trial, events: int, of: int) -> str | None:
    """The exact p-value against the null rate; none as long as the study has no hypothesis."""
    rate = trial.value("null_rate")
    return f"{exact_test(events, of, float(rate)):.4f}" if isinstance(rate, int | float) and of else None


@output("T4.4", "Complete and objective response by subgroup", "亚组的完全缓解与客观缓解", "FAS", RECIST)
def subgroups(trial: Trial) -> Body:
    """Complete response by 12 months and best response CR or PR, by descriptor, therapy before RT, and machine."""
    people, rows = trial.of("FAS"), []
    for name, label, members in _subgroups(trial, people):
        complete = [each for each in members if complete_by(trial, each, 12)]
        objective = [each for each in members if each.best in (recist.CR, recist.PR)]
        cells = [*summaries.rate_cells(complete, members), *summaries.rate_cells(objective, members)]
        rows.append([cell(name), cell(label), *cells])
    ccr = [Text(f"cCR by 12 months: {c.en}", f"12个月内cCR：{c.zh}") for c in RATE_COLUMNS]
    orr = [Text(f"CR or PR: {c.en}", f"CR或PR：{c.zh}") for c in RATE_COLUMNS]
    return Body((both("Subgroup", "亚组"), CATEGORY, *ccr, *orr), rows, (CLOPPER, EISENHAUER))


def _subgroups(trial: Trial, people: Sequence[Person]) -> list[tuple[Text, Text, list[Person]]]:
    found: list[tuple[Text, Text, list[Person]]] = []
    for each in trial.declaration.subject:
        if each.subgroup:
            variable = trial.records.variable(each.source, each.item)
            name = Text(variable.en, variable.zh) if variable else both(each.name)
            for label, members in summaries.by_code(
                trial, people, each.source, each.item, summaries.code_of(each.name)
            ):
                found.append((name, label, members))
    therapy = [p for p in people if _before(trial, p)]
    rest = [p for p in people if p not in therapy]
    name = both("Systemic therapy before RT", "放疗前全身治疗")
    found += [(name, both("Yes", "是"), therapy), (name, both("No", "否"), rest)]
    groups: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        groups[person.machine_group].append(person)
    found += [(both("Machine", "设备"), both(group), members) for group, members in sorted(groups.items())]
    return found


def _before(trial: Trial, person: Person) -> bool:
    first = person.first_fraction or date.max
    days = [each.day("start") for each in trial.records.of("therapy", person.subject)]
    return any(day is not None and day < first for day in days)


@output(
    "T5.1",
    "Control and survival at 1, 2, 3, 5 and 10 years",
    "1、2、3、5、10年控制率与生存率",
    "FAS",
    ("origin", *PROGRESSION),
)
def control(trial: Trial) -> Body:
    """E5 to E8, E11, E12, then the sensitivity analyses."""
    rows = summaries.landmarks(trial, ("LC", "LRC", "PFS", "DMFS", "OS", "BCSS"))
    rows += summaries.landmarks(trial, ("LCKM", "PFSTHER", "PFSGAP", "PFSNEWC", "BCSSUNK"))
    return Body(summaries.LANDMARK_COLUMNS, rows, (KAPLAN, AALEN, SENSITIVE))


@output("T5.2", "Pattern of first failure", "首次失败模式", "FAS", ("simultaneous_days",))
def first_failure(trial: Trial) -> Body:
    """Kinds of failure within the simultaneous days of the first."""
    people = trial.of("FAS")
    found: dict[tuple[str, ...], list[Person]] = defaultdict(list)
    keys: dict[tuple[str, ...], list[str]] = defaultdict(list)
    span = int(str(trial.value("simultaneous_days")))
    for person in people:
        failures = person.history.failures if person.history else ()
        if failures:
            first = min(each.day for each in failures)
            here = [each for each in failures if (each.day - first).days <= span]
            pattern = tuple(sorted({each.what for each in here}))
            found[pattern].append(person)
            keys[pattern] += [key for each in here for key in each.keys]
    rows = [[cell(_pattern(p)), people_cell(found[p], len(people), keys[p])] for p in sorted(found)]
    rows.append([cell(both("No failure", "无失败")), people_cell([p for p in people if not _fails(p)], len(people))])
    return Body((both("First failure", "首次失败"), N_PERCENT), rows)


_FAILURES = {
    "local": both("Local", "局部"),
    "regional": both("Regional", "区域"),
    "distant": both("Distant", "远处"),
    "contralateral": both("Contralateral breast", "对侧乳腺"),
    "second primary": both("Second primary", "第二原发"),
}


def _pattern(kinds: Sequence[str]) -> Text:
    words = [_FAILURES.get(kind, both(kind)) for kind in kinds]
    return Text(" + ".join(w.en for w in words), "＋".join(w.zh for w in words))


def _fails(person: Person) -> bool:
    return bool(person.history and person.history.failures)


@output("T5.3", "Failures by region of dose", "按剂量区域的失败")
def dose_regions(trial: Trial) -> Body:
    """Local and regional failures by their relation to the dose."""
    people = trial.of("FAS")
    found = defaultdict(list)
    for person in people:
        for record in trial.records.of("failure", person.subject):
            if record["type"] in ("local", "regional"):
                found[(record["type"], record.codes["dose_region"])].append((person, record))
    rows = []
    for (kind, region), pairs in found.items():
        members = list({person.subject: person for person, _ in pairs}.values())
        counts = people_cell(members, len(people), [each.key for _, each in pairs])
        rows.append([cell(_FAILURES[kind]), cell(label_of(trial, "failure", "dose_region", region)), counts])
    return Body((both("Failure", "失败"), both("Relation to the dose", "与剂量关系"), N_PERCENT), rows)


@output("T5.4", "Surgery-free survival and breast preservation", "免手术与保乳", "FAS", ("origin",))
def preservation(trial: Trial) -> Body:
    """E9 and E10, new cancers (E19) and time to complete response (E4)."""
    rows = summaries.landmarks(trial, ("SFBP", "BP", "NEWC", "CCR"))
    rows += summaries.landmarks(trial, ("SFBPAJ", "BPKM"))
    return Body(summaries.LANDMARK_COLUMNS, rows, (KAPLAN, AALEN, SENSITIVE))


@output("T5.5", "Salvage surgery and its pathology", "挽救性手术及病理")
def surgery(trial: Trial) -> Body:
    """Operations by type, reason and residual tumour."""
    people = trial.of("FAS")
    found = defaultdict(list)
    for person in people:
        for record in trial.records.of("operation", person.subject):
            kinds = tuple(str(record.codes["kinds"] or "").split(";"))
            found[(kinds, record.codes["reason"], record.codes["residual"])].append((person, record))
    rows = []
    for (kinds, reason, residual), pairs in found.items():
        members = list({person.subject: person for person, _ in pairs}.values())
        words = [label_of(trial, "operation", "kinds", kind) for kind in kinds]
        types = Text("; ".join(w.en for w in words), "；".join(w.zh for w in words))
        why, left = label_of(trial, "operation", "reason", reason), label_of(trial, "operation", "residual", residual)
        counts = people_cell(members, len(people), [each.key for _, each in pairs])
        rows.append([cell(types), cell(why), cell(left), counts])
    columns = (both("Type", "类型"), both("Reason", "原因"), both("Residual tumour", "残留肿瘤"), N_PERCENT)
    return Body(columns, rows)


@output("T5.6", "Deaths by cause", "死亡原因")
def deaths(trial: Trial) -> Body:
    """Everybody dead by primary cause."""
    people = [p for p in trial.of("FAS") if p.history and p.history.death]
    found = summaries.by_code(trial, people, "death", "cause", lambda person: _cause(trial, person))
    size = len(trial.of("FAS"))
    rows = [[cell(both("All deaths", "全部死亡")), people_cell(people, size)]]
    for label, members in found:
        keys = [key for p in members if p.history and p.history.death for key in p.history.death.keys]
        rows.append([cell(label), people_cell(members, size, keys)])
    return Body((both("Cause", "原因"), N_PERCENT), rows)


def _cause(trial: Trial, person: Person) -> str | None:
    return next((each.codes["cause"] for each in trial.records.of("death", person.subject)), None)


def change_until_stop(person: Person) -> list[recist.Response]:
    """The responses that count for the best change: up to progression, surgery or new therapy."""
    stop = first_stop(person)
    return [each.response for each in person.assessments if stop is None or each.response.day <= stop]
