"""F8 to F12: toxicity grades, dosimetry, questionnaires, cosmesis, toxicity monitoring. The data are the rows."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import quantiles

from exports import charts
from exports.analysis import drawings, proportions, summaries
from exports.analysis.figures_efficacy import PARTICIPANTS, names_of
from exports.analysis.records import Record
from exports.analysis.registry import Body, Text, both, cell, label_of, output
from exports.analysis.tables_measures import changes, scales
from exports.analysis.tables_safety import DLT, STOPPING, evaluable, stopping_boundary
from exports.analysis.trial import Trial

GRADE_NAMES = tuple(both(f"Grade {grade}", f"{grade}级") for grade in range(6))
GRADE_COLOURS = ("#e3e8ed", *charts.GRADES)
VISIT = both("Visit", "访视")


def _stacked(
    key: str, title: Text, rows: Sequence[tuple[Text, Sequence[int]]], parts: Sequence[Text], colours: Sequence[str]
) -> Callable[[str], str]:
    def draw(language: str) -> str:
        bars = [(label.of(language), [float(v) for v in values]) for label, values in rows]
        words = title.of(language)
        names = [part.of(language) for part in parts]
        return charts.stacked(key, bars, names, colours, words, words, PARTICIPANTS.of(language))

    return draw


def _by_visit(trial: Trial, records: Iterable[Record]) -> list[tuple[Text, list[int], list[list[str]]]]:
    """By visit: participants by their highest grade, and the keys of each grade."""
    by_visit: dict[tuple[int, str], dict[str, tuple[int, str]]] = defaultdict(dict)
    for each in records:
        if str(each["grade"]).isdigit():
            at, grade = (each.visitnum or 0, each.visit), int(each["grade"])
            before = by_visit[at].get(each.subject)
            if before is None or grade > before[0]:
                by_visit[at][each.subject] = (grade, each.key)
    found = []
    for (_, visit), worst in sorted(by_visit.items()):
        counts = [0] * 6
        keys: list[list[str]] = [[] for _ in range(6)]
        for grade, key in worst.values():
            counts[grade] += 1
            keys[grade].append(key)
        found.append((summaries.visit_text(trial, visit), counts, keys))
    return found


def _grade_body(trial: Trial, key: str, title: Text, records: Iterable[Record]) -> Body:
    found = _by_visit(trial, records)
    rows = [[cell(v), *(cell(n, k) for n, k in zip(counts, keys, strict=True))] for v, counts, keys in found]
    draw = _stacked(key, title, [(v, counts) for v, counts, _ in found], GRADE_NAMES, GRADE_COLOURS)
    return Body((VISIT, *GRADE_NAMES), rows, draw=draw)


@output("F8.1", "Highest grade of any term by week and visit", "各周及访视任一术语最高级别", "SAF")
def grades(trial: Trial) -> Body:
    """Weekly and follow-up assessments, the highest grade of each participant."""
    members = {each.subject for each in trial.of("SAF")}
    records = [each for name in ("weekly", "late") for each in trial.records.all(name) if each.subject in members]
    title = both("Highest grade by week and visit", "各周及访视最高级别")
    return _grade_body(trial, "f8-1", title, records)


@output("F8.2", "Radiation dermatitis by week", "各周放射性皮炎分级", "SAF")
def dermatitis(trial: Trial) -> Body:
    """Grades of dermatitis at the weekly assessments."""
    members, code = {each.subject for each in trial.of("SAF")}, trial.declaration.toxicity.get("dermatitis")
    records = [e for e in trial.records.all("weekly") if e.subject in members and e["term"] == code]
    return _grade_body(trial, "f8-2", both("Radiation dermatitis by week", "各周放射性皮炎分级"), records)


@output("F9", "Dosimetry: medians and quartiles", "剂量学：中位数与四分位数", "SAF")
def dosimetry(trial: Trial) -> Body:
    """Every metric in Gy(RBE) of targets and organs."""
    members = {each.subject for each in trial.of("SAF")}
    found: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for record in trial.records.all("dosimetry"):
        value = record.number("value")
        if record.subject in members and value is not None:
            found[(str(record["roi"]), str(record["metric"]))].append((value, record.key))
    rows, ranges = [], []
    for (roi, metric), values in found.items():
        low, middle, high = _quartiles([value for value, _ in values])
        name, measure = label_of(trial, "dosimetry", "roi", roi), label_of(trial, "dosimetry", "metric", metric)
        label = Text(f"{name.en} {measure.en}", f"{name.zh}{measure.zh}")
        keys = [key for _, key in values]
        numbers = (len(values), f"{low:.2f}", f"{middle:.2f}", f"{high:.2f}")
        rows.append([cell(label, keys), *(cell(number, keys) for number in numbers)])
        ranges.append((label, low, middle, high))

    def draw(language: str) -> str:
        title, x = both("Dosimetry: medians and quartiles", "剂量学：中位数与四分位数"), both("Value", "数值")
        bars = [(label.of(language), low, middle, high) for label, low, middle, high in ranges]
        return drawings.ranges("f9", bars, names_of(language, title, title, x, both("")))

    columns = (both("Metric", "指标"), both("n", "例数"), both("Lower quartile", "下四分位数"))
    return Body((*columns, both("Median", "中位数"), both("Upper quartile", "上四分位数")), rows, draw=draw)


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


@output("F10", "Questionnaires: mean change from baseline with 95% limits", "量表：较基线平均变化及95%可信限", "PRO")
def questionnaires(trial: Trial) -> Body:
    """Each scale at each visit."""
    rows, ranges = [], []
    for concept in ("questionnaire", "module"):
        for scale in scales(trial, concept):
            variable = trial.records.variable(concept, scale)
            name = Text(variable.en, variable.zh) if variable else both(scale)
            for (_, visit), values in sorted(changes(trial, concept, scale).items()):
                moved = [after - before for before, after, _ in values]
                middle = sum(moved) / len(moved)
                low, high = proportions.mean_limits(moved) or (middle, middle)
                when = summaries.visit_text(trial, visit)
                keys = [key for _, _, pair in values for key in pair]
                numbers = (len(moved), f"{middle:.1f}", f"{low:.1f}", f"{high:.1f}")
                rows.append([cell(name, keys), cell(when, keys), *(cell(each, keys) for each in numbers)])
                ranges.append((Text(f"{name.en}, {when.en}", f"{name.zh}，{when.zh}"), low, middle, high))

    def draw(language: str) -> str:
        title = both("Mean change from baseline", "较基线平均变化")
        bars = [(label.of(language), low, middle, high) for label, low, middle, high in ranges]
        return drawings.ranges("f10", bars, names_of(language, title, title, both("Points", "分"), both("")), zero=True)

    columns = (both("Scale", "量表"), VISIT, both("n", "例数"), both("Mean change", "平均变化"))
    return Body((*columns, both("Lower", "下限"), both("Upper", "上限")), rows, draw=draw)


@output("F11", "Cosmesis by visit", "各访视美容评分", "COS")
def cosmesis(trial: Trial) -> Body:
    """The physician's rating; without one every rater's."""
    members = {each.subject for each in trial.of("COS")}
    records = [e for e in trial.records.all("cosmesis") if e.subject in members and e.codes.get("score")]
    records = [each for each in records if each["rater"] == "physician"] or records
    labels = trial.records.labels("cosmesis", "score")
    parts = [Text(*words) for words in labels.values()]
    rows, bars = [], []
    for number, visit in summaries.visits(records):
        here = [each for each in records if (each.visitnum or 0) == number]
        keys = [[each.key for each in here if each.codes["score"] == code] for code in labels]
        when = summaries.visit_text(trial, visit)
        rows.append([cell(when), *(cell(len(each), each) for each in keys)])
        bars.append((when, [len(each) for each in keys]))
    draw = _stacked("f11", both("Cosmesis by visit", "各访视美容评分"), bars, parts, charts.PALETTE)
    return Body((VISIT, *parts), rows, draw=draw)


@output("F12", "Toxicity monitoring against the stopping boundary", "毒性监测与停止界限", "SAF", (*DLT, *STOPPING))
def monitoring(trial: Trial) -> Body:
    """Dose-limiting events so far among evaluable participants, in the order of the first fraction."""
    people, boundary = evaluable(trial), stopping_boundary(trial)
    limits = [boundary.limit(k) for k in range(1, boundary.size + 1)]
    rows, counts = [], list[int]()
    for place, person in enumerate(people, start=1):
        events = trial.safety.limiting(person)
        counts.append((counts[-1] if counts else 0) + bool(events))
        keys = [key for event in events for key in event.keys] or [person.key]
        values = (place, person.label, counts[-1], boundary.limit(place))
        rows.append([cell(value, keys) for value in values])

    def draw(language: str) -> str:
        title = both("Toxicity monitoring", "毒性监测")
        text = both(f"{len(people)} evaluable, {counts[-1] if counts else 0} events", f"可评价{len(people)}例")
        x, y = both("Evaluable participants", "可评价例数"), both("Events", "事件数")
        words = [each.of(language) for each in (both("Events", "事件数"), both("Boundary", "停止界限"))]
        return drawings.monitoring("f12", counts, limits, names_of(language, title, text, x, y), words)

    columns = (both("No.", "序号"), both("Participant", "受试者"), both("Events so far", "累计事件"))
    return Body((*columns, both("Stop from", "停止界限")), rows, draw=draw)
