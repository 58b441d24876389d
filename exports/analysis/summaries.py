"""Rows that many tables share: numbers of participants by category, summaries of numbers, estimates at time points."""

from collections.abc import Callable, Iterable, Sequence
from statistics import mean, median, stdev
from typing import Any

from exports.analysis.competing import median_limits
from exports.analysis.events import Outcome
from exports.analysis.people import Person
from exports.analysis.proportions import Rate
from exports.analysis.records import Record
from exports.analysis.registry import Body, Cell, Text, both, cell, label_of, people_cell
from exports.analysis.trial import AJ, ENDPOINTS, KM, SENSITIVITY, Trial, incidence_of, survival_of

N_PERCENT = both("n (%)", "例数（%）")
VARIABLE, CATEGORY = both("Variable", "变量"), both("Category", "类别")
YEARS = (1, 2, 3, 5, 10)
Row = list[Cell]


def counted(trial: Trial, people: Sequence[Person], labels: Iterable[tuple[Text, Sequence[Person]]]) -> list[Row]:
    """One row per category with number and percent."""
    return [[cell(label), people_cell(members, len(people))] for label, members in labels]


def by_code(
    trial: Trial, people: Sequence[Person], concept: str, word: str, code_of: Callable[[Person], Any]
) -> list[tuple[Text, list[Person]]]:
    """The participants of each code of a code list that occurs, in its order; last those without an answer."""
    groups: dict[Any, list[Person]] = {}
    for person in people:
        groups.setdefault(code_of(person), []).append(person)
    listed = [code for code in trial.records.labels(concept, word) if code in groups]
    codes = [*listed, *sorted(str(code) for code in groups if code is not None and code not in listed)]
    found = [(label_of(trial, concept, word, code), groups[code]) for code in codes if code in groups]
    if None in groups:
        found.append((both("Missing", "缺失"), groups[None]))
    return found


def numbers(name: Text, values: Sequence[tuple[float, str]], digits: int = 1) -> list[Row]:
    """n, mean (SD), median, and range of numbers that carry their keys."""
    plain, keys = [value for value, _ in values], [key for _, key in values]
    shown = [str(len(plain))]
    spread = f"{stdev(plain):.{digits}f}" if len(plain) > 1 else "–"
    shown.append(f"{mean(plain):.{digits}f} ({spread})" if plain else "–")
    shown.append(f"{median(plain):.{digits}f}" if plain else "–")
    shown.append(f"{min(plain):.{digits}f} – {max(plain):.{digits}f}" if plain else "–")
    names = (both("n", "例数"), both("Mean (SD)", "均值（标准差）"), both("Median", "中位数"), both("Range", "范围"))
    return [[cell(name), cell(what), cell(text, keys)] for what, text in zip(names, shown, strict=True)]


def described(trial: Trial, group: str) -> Body:
    """The descriptors of a group: numbers summarised, codes counted."""
    people, rows = trial.of("FAS"), []
    for each in trial.declaration.subject:
        if each.group != group:
            continue
        variable = trial.records.variable(each.source, each.item)
        name = Text(variable.en, variable.zh) if variable else both(each.name)
        if variable and variable.type in ("integer", "number"):
            values = [(float(v.value), v.keys[0]) for p in people if (v := p.described[each.name]).value is not None]
            rows += numbers(name, values)
            continue
        for label, members in by_code(trial, people, each.source, each.item, code_of(each.name)):
            keys = [key for member in members for key in member.described[each.name].keys]
            rows.append([cell(name), cell(label), people_cell(members, len(people), keys)])
    return Body((VARIABLE, CATEGORY, both("n (%) or value", "例数（%）或数值")), rows)


def code_of(name: str) -> Callable[[Person], Any]:
    """Of a participant, the code of a descriptor."""
    return lambda person: person.described[name].code


def rate_cells(members: Sequence[Person], of: Sequence[Person], keys: Iterable[str] = ()) -> list[Cell]:
    """`n/N`, percent and exact limits."""
    rate = Rate(len(members), len(of))
    limits = rate.limits
    traced = [*(each.key for each in of), *keys]
    return [
        cell(f"{rate.events}/{rate.of}", traced, float(rate.events)),
        cell(None if rate.share is None else f"{100 * rate.share:.1f}%", traced, rate.share),
        cell(None if limits is None else f"{100 * limits[0]:.1f}% – {100 * limits[1]:.1f}%", traced),
    ]


RATE_COLUMNS = (both("n/N", "n/N"), both("Percent", "百分比"), both("95% limits", "95%可信限"))


def landmark_rows(outcomes: list[tuple[Person, Outcome]], name: Text, method: str, months: Sequence[int]) -> list[Row]:
    """The estimate of an endpoint at time points; Kaplan-Meier also the median."""
    keys = [key for person, outcome in outcomes for key in (*outcome.keys, person.key)]
    rows = []
    if method == KM:
        curve = survival_of(outcomes)
        for month in months:
            step = curve.at(month)
            if step is not None:
                happened = sum(s.events for s in curve.steps if s.month <= month)
                rows.append(_landmark(name, month, step.at_risk, happened, step.survival, step.low, step.high, keys))
        low, high = median_limits(curve)
        shown = [f"{value:.1f}" if value is not None else "NR" for value in (curve.median, low, high)]
        cells = [cell(name), cell(both("Median, months", "中位数（月）")), cell(curve.participants, keys)]
        rows.append([*cells, cell(curve.events, keys), cell(shown[0], keys), cell(f"{shown[1]} – {shown[2]}", keys)])
        return rows
    incidence = incidence_of(outcomes)
    for month in months:
        found = incidence.at(month)
        if found is not None:
            happened = sum(s.events for s in incidence.steps if s.month <= month)
            rows.append(_landmark(name, month, found.at_risk, happened, found.incidence, found.low, found.high, keys))
    return rows


def _landmark(
    name: Text, month: int, at_risk: int, events: int, value: float, low: float | None, high: float | None, keys: Any
) -> Row:
    limits = None if low is None or high is None else f"{low:.3f} – {high:.3f}"
    when = both(f"{month} months", f"{month}个月")
    cells = [cell(name), cell(when), cell(at_risk, keys), cell(events, keys)]
    return [*cells, cell(f"{value:.3f}", keys, value), cell(limits, keys)]


LANDMARK_COLUMNS = (
    both("Endpoint", "终点"),
    both("At", "时间"),
    both("At risk", "风险人数"),
    both("Events", "事件数"),
    both("Estimate", "估计值"),
    both("95% limits", "95%可信限"),
)


def landmarks(trial: Trial, codes: Sequence[str], years: Sequence[int] = YEARS) -> list[Row]:
    """Endpoints at years from the origin."""
    rows = []
    for code in codes:
        each = (ENDPOINTS | SENSITIVITY)[code]
        kind = both(" (cumulative incidence)", "（累积发生率）") if each.method == AJ else both("")
        name = Text(each.en + kind.en, each.zh + kind.zh)
        rows += landmark_rows(trial.outcomes(code), name, each.method, [12 * year for year in years])
    return rows


def visits(records: Iterable[Record]) -> list[tuple[int, str]]:
    """The visits of records by number, with their names."""
    return sorted({(each.visitnum or 0, each.visit) for each in records})


def visit_text(trial: Trial, name: str) -> Text:
    """A visit's name in both languages."""
    events = trial.tables.get("EVENTS")
    if events is None:
        return both(name)
    names = dict(zip(events.columns["VISIT"], events.columns["VISIT_ZH"], strict=True))
    return Text(name, names.get(name) or name)


def listing(trial: Trial, concept: str, words: Sequence[str], people: Sequence[Person]) -> Body:
    """All records of a concept as collected, codes with their labels; each cell is its record."""
    columns = [both("Participant", "受试者"), both("Visit", "访视")]
    for word in words:
        variable = trial.records.variable(concept, word)
        columns.append(Text(variable.en, variable.zh) if variable else both(word))
    rows = []
    for person in people:
        for record in trial.records.of(concept, person.subject):
            cells = [cell(person.label, (record.key,)), cell(visit_text(trial, record.visit), (record.key,))]
            for word in words:
                code = record.codes.get(word)
                shown: Any = code
                labels = trial.records.labels(concept, word)
                if code is not None and labels:
                    parts = [labels.get(each, (each, each)) for each in str(code).split(";")]
                    shown = Text("; ".join(part[0] for part in parts), "；".join(part[1] for part in parts))
                cells.append(cell(shown, (record.key,)))
            rows.append(cells)
    return Body(columns, rows)
