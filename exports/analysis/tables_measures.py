"""T7, T8: laboratory shifts, vital signs, heart, performance, cosmesis, lymphoedema, questionnaires."""

from collections import defaultdict
from collections.abc import Sequence

from exports.analysis import proportions, summaries
from exports.analysis.people import Person
from exports.analysis.records import Record
from exports.analysis.registry import AALEN, CLOPPER, Body, Cell, Text, both, cell, label_of, output, people_cell
from exports.analysis.summaries import N_PERCENT
from exports.analysis.trial import AJ, Trial

BASELINE, WORST = both("Baseline", "基线"), both("Worst after", "之后最差")
NUMBER_COLUMNS = (
    both("n", "例数"),
    both("Mean (SD)", "均值（标准差）"),
    both("Median", "中位数"),
    both("Range", "范围"),
)
VISIT, MEASURE = both("Visit", "访视"), both("Measure", "指标")


def split(trial: Trial, person: Person, concept: str) -> tuple[list[Record], list[Record]]:
    """The records of a participant up to and after the first fraction."""
    before: list[Record] = []
    after: list[Record] = []
    for record in trial.records.of(concept, person.subject):
        day = record.day()
        if day and person.first_fraction:
            (before if day <= person.first_fraction else after).append(record)
    return before, after


def _shift(trial: Trial, people: Sequence[Person], concept: str, word: str, row: str | None = None) -> list[list[Cell]]:
    """Participants by baseline and worst later value of a graded item."""
    found: dict[tuple[str, str], list[tuple[Person, tuple[str, str]]]] = defaultdict(list)
    for person in people:
        halves = []
        for records in split(trial, person, concept):
            mine = [e for e in records if (row is None or e.row == row) and str(e.codes.get(word) or "").isdigit()]
            halves.append(mine)
        if halves[0] and halves[1]:
            last, worst = halves[0][-1], max(halves[1], key=lambda e: int(e.codes[word]))
            found[(last.codes[word], worst.codes[word])].append((person, (last.key, worst.key)))
    size = sum(len(each) for each in found.values())
    rows = []
    for (before, after), pairs in sorted(found.items()):
        keys = [key for _, both_keys in pairs for key in both_keys]
        rows.append([cell(before), cell(after), people_cell([p for p, _ in pairs], size, keys)])
    return rows


@output("T7.1", "Laboratory: shift of CTCAE grade", "实验室检查：CTCAE分级变化", "SAF")
def laboratory(trial: Trial) -> Body:
    """From the last grade before the first fraction to the worst after it, by test."""
    table = trial.tables.get(trial.declaration.sources["laboratory"].table)
    names: dict[str, Text] = {}
    if table and "ROW_EN" in table.columns:
        c = table.columns
        names = {r: Text(en or r, zh or r) for r, en, zh in zip(c["ROW"], c["ROW_EN"], c["ROW_ZH"], strict=True) if r}
    tests = dict.fromkeys(
        each.row for each in trial.records.all("laboratory") if each["grade"] is not None and each.row
    )
    rows = []
    for test in tests:
        for row in _shift(trial, trial.of("SAF"), "laboratory", "grade", test):
            rows.append([cell(names.get(test or "", both(str(test)))), *row])
    return Body((both("Test", "检验项目"), BASELINE, WORST, N_PERCENT), rows)


def _by_visit(trial: Trial, concept: str, words: Sequence[str], population: str) -> list[list[Cell]]:
    rows = []
    members = {each.subject for each in trial.of(population)}
    records = [each for each in trial.records.all(concept) if each.subject in members]
    for word in words:
        variable = trial.records.variable(concept, word)
        name = Text(variable.en, variable.zh) if variable else both(word)
        for number, visit in summaries.visits(records):
            here = [each for each in records if (each.visitnum or 0) == number]
            values = [(v, each.key) for each in here if (v := each.number(word)) is not None]
            if values:
                cells = [each[2] for each in summaries.numbers(name, values)]
                rows.append([cell(name), cell(summaries.visit_text(trial, visit)), *cells])
    return rows


@output("T7.2", "Vital signs by visit", "各访视生命体征", "SAF")
def vitals(trial: Trial) -> Body:
    """Means by visit."""
    words = ("systolic", "diastolic", "pulse", "temperature", "oxygen", "weight", "bmi")
    return Body((MEASURE, VISIT, *NUMBER_COLUMNS), _by_visit(trial, "vitals", words, "SAF"))


@output("T7.3", "ECG and left ventricular ejection fraction", "心电图与左室射血分数", "SAF")
def heart(trial: Trial) -> Body:
    """Means by visit."""
    return Body((MEASURE, VISIT, *NUMBER_COLUMNS), _by_visit(trial, "heart", ("lvef", "qtcf", "gls"), "SAF"))


@output("T7.4", "ECOG performance status: shift", "ECOG体能状态变化", "SAF")
def performance(trial: Trial) -> Body:
    """From baseline to the worst later."""
    return Body((BASELINE, WORST, N_PERCENT), _shift(trial, trial.of("SAF"), "performance", "ecog"))


@output("T8.1", "Cosmesis by visit and rater; agreement", "按访视与评估者的美容评分及一致性", "COS")
def cosmesis(trial: Trial) -> Body:
    """Good or excellent with exact limits; weighted kappa of physician and patient."""
    members = {each.subject: each for each in trial.of("COS")}
    records = [each for each in trial.records.all("cosmesis") if each.subject in members and each["score"]]
    rows = []
    for number, visit in summaries.visits(records):
        here = [each for each in records if (each.visitnum or 0) == number]
        when = summaries.visit_text(trial, visit)
        for rater in dict.fromkeys(each.codes["rater"] for each in here):
            mine = [each for each in here if each.codes["rater"] == rater]
            good = [each for each in mine if str(each.codes["score"]) in ("1", "2")]
            rate = proportions.Rate(len(good), len(mine))
            limits, keys = rate.limits or (0.0, 1.0), [each.key for each in mine]
            shown = f"{100 * limits[0]:.1f}% – {100 * limits[1]:.1f}%"
            label = label_of(trial, "cosmesis", "rater", rater)
            number_cell = cell(f"{rate.events}/{rate.of} ({100 * (rate.share or 0):.1f}%)", keys, rate.share)
            rows.append([cell(when), cell(label), number_cell, cell(shown, keys)])
        rows.append([cell(when), cell(both("Physician and patient", "医师与患者")), *_agreement(here)])
    columns = (VISIT, both("Rater", "评估者"), both("Good or excellent, or kappa", "良好以上例数或kappa"))
    note = both("Kappa weighted by squared distance: Cohen 1968.", "平方距离加权kappa：Cohen（1968）。")
    return Body((*columns, both("95% limits", "95%可信限")), rows, (CLOPPER, note))


def _agreement(records: Sequence[Record]) -> list[Cell]:
    scores: dict[str, dict[str, tuple[int, str]]] = defaultdict(dict)
    for each in records:
        if each["rater"] in ("physician", "patient"):
            scores[each.subject][each["rater"]] = (int(each.codes["score"]), each.key)
    pairs = [(s["physician"], s["patient"]) for s in scores.values() if len(s) == 2]
    found = proportions.kappa([(one[0], other[0]) for one, other in pairs], 4)
    keys = [key for pair in pairs for _, key in pair]
    return [cell(None if found is None else f"κ = {found:.2f} (n = {len(pairs)})", keys, found), cell(None)]


@output(
    "T8.2",
    "Lymphoedema: volume change and stage",
    "淋巴水肿：体积变化与分期",
    "SAF",
    ("lymphoedema", "lymphoedema_months"),
)
def lymphoedema(trial: Trial) -> Body:
    """Relative volume change by visit, ISL stage, and cumulative incidence (E16)."""
    rows = _by_visit(trial, "arm", ("change",), "SAF")
    members = {each.subject: each for each in trial.of("SAF")}
    records = [each for each in trial.records.all("arm") if each.subject in members and each.codes["stage"] is not None]
    for number, visit in summaries.visits(records):
        here = [each for each in records if (each.visitnum or 0) == number]
        for stage in sorted({each.codes["stage"] for each in here}):
            mine = [each for each in here if each.codes["stage"] == stage]
            label = label_of(trial, "arm", "stage", stage)
            name = Text(f"ISL stage {label.en}", f"ISL分期{label.zh}")
            counts = people_cell([members[e.subject] for e in mine], len(here), [e.key for e in mine])
            rows.append([cell(name), cell(summaries.visit_text(trial, visit)), counts, *(cell(None) for _ in range(3))])
    name = both("Lymphoedema, cumulative incidence", "淋巴水肿累积发生率")
    for row in summaries.landmark_rows(trial.lymphoedema(), name, AJ, [12 * year for year in summaries.YEARS]):
        rows.append([row[0], row[1], row[3], row[4], row[5], cell(None)])
    return Body((MEASURE, VISIT, *NUMBER_COLUMNS), rows, (AALEN,))


def scales(trial: Trial, concept: str) -> list[str]:
    """The scales of a questionnaire: all its items but the date and the mode."""
    return [word for word in trial.declaration.sources[concept].items if word not in ("date", "mode")]


def changes(
    trial: Trial, concept: str, scale: str
) -> dict[tuple[int, str], list[tuple[float, float, tuple[str, str]]]]:
    """By visit: baseline, later value, and their keys. Answers of a proxy do not count."""
    found: dict[tuple[int, str], list[tuple[float, float, tuple[str, str]]]] = defaultdict(list)
    for person in trial.of("PRO"):
        before, after = split(trial, person, concept)
        known = [each for each in before if each["mode"] != "proxy" and each.number(scale) is not None]
        if not known:
            continue
        base = known[-1]
        for each in after:
            value = each.number(scale)
            if value is not None and each["mode"] != "proxy":
                keys = (base.key, each.key)
                found[(each.visitnum or 0, each.visit)].append((base.number(scale) or 0.0, value, keys))
    return found


def _questionnaire(trial: Trial, concept: str) -> Body:
    rows, least = [], float(str(trial.value("relevant_change")))
    for scale in scales(trial, concept):
        variable = trial.records.variable(concept, scale)
        name = Text(variable.en, variable.zh) if variable else both(scale)
        for (_, visit), values in sorted(changes(trial, concept, scale).items()):
            moved = [after - before for before, after, _ in values]
            keys = [key for _, _, pair in values for key in pair]
            limits = proportions.mean_limits(moved)
            shown = f"{sum(moved) / len(moved):.1f}"
            shown += f" ({limits[0]:.1f} – {limits[1]:.1f})" if limits else ""
            large = f"{sum(m >= least for m in moved)} / {sum(m <= -least for m in moved)}"
            mean = f"{sum(after for _, after, _ in values) / len(values):.1f}"
            cells = [cell(len(values), keys), cell(mean, keys), cell(shown, keys), cell(large, keys)]
            rows.append([cell(name), cell(summaries.visit_text(trial, visit)), *cells])
    note = both(
        "Change from baseline with Student's t limits. Up and down: participants whose score rose or fell by a relevant "
        "amount; whether up is better depends on the scale. The mixed model for repeated measures is not part of this "
        "program: the frames are exported for it.",
        "较基线变化及t分布可信限。升/降：评分升高或降低达到有意义幅度的例数；升高是否为好取决于量表。"
        "重复测量混合模型不在本程序内，可用导出的分析数据计算。",
    )
    change, relevant = (
        both("Mean change (95% limits)", "平均变化（95%可信限）"),
        both("Relevant: up / down", "有意义：升/降"),
    )
    columns = (both("Scale", "量表"), VISIT, both("n", "例数"), both("Mean", "均值"), change, relevant)
    return Body(columns, rows, (note,))


@output("T8.3", "QLQ-C30: scores and change from baseline", "QLQ-C30：评分及较基线变化", "PRO", ("relevant_change",))
def general(trial: Trial) -> Body:
    """The scales of the general questionnaire."""
    return _questionnaire(trial, "questionnaire")


@output(
    "T8.4",
    "Breast module: scores and change from baseline",
    "乳腺癌模块：评分及较基线变化",
    "PRO",
    ("relevant_change",),
)
def module(trial: Trial) -> Body:
    """The scales of the module."""
    return _questionnaire(trial, "module")
