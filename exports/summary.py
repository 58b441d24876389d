"""First safety and efficacy summary: each section has its definitions with sources, a chart, and its numbers
as a table.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from exports import charts, figures
from exports.figures import Person
from exports.registers import STATUSES
from exports.shape import Table
from exports.survival import Curve
from exports.wording import words

LANDMARKS = (6, 12, 24, 36, 60, 120)  # months at which survival is tabulated
MOST_TERMS = 25  # bars in the chart; the table beside it has every term


@dataclass(frozen=True)
class Definition:
    """One row of the study's analysis table: what a key means, in both languages, and where it comes from."""

    key: str
    kind: str
    expression: str
    en: str
    zh: str
    source: str

    @property
    def column(self) -> tuple[str, str]:
        """Form and item of a definition that names a column."""
        form, _, item = self.expression.partition(".")
        return form, item


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    key: str
    title: str
    definitions: list[tuple[str, str]]
    chart: str
    columns: list[str]
    rows: list[list[str]]


class Summary:
    """Makes the sections in one language from participants and tidy tables."""

    def __init__(
        self,
        people: Sequence[Person],
        tables: Mapping[str, Table],
        definitions: Mapping[str, Definition],
        cut_off: date,
        language: str,
    ) -> None:
        self.people, self.tables, self.definitions, self.cut_off = people, tables, definitions, cut_off
        self.place = 1 if language.startswith("zh") else 0
        self.w = words(language)

    def sections(self) -> list[Section]:
        """All sections that the study's analysis table allows."""
        made = [self.enrolment(), self.disposition(), self.adverse_events(), self.dose(), self.response()]
        return [*made, self.overall_survival(), self.progression_free_survival()]

    def enrolment(self) -> Section:
        """Cumulative enrolment against the planned number, by month."""
        days = figures.enrolment(self.people)
        caps = [number for person in self.people if (number := person.number("enrolment_cap"))]
        cap = int(caps[0]) if caps else None
        text = self.w["enrolment_text"].format(n=len(days), cap=cap or "–")
        label = self.w["planned"].format(n=cap)
        chart = charts.enrolment(days, cap, self.w["enrolment"], text, self.w["date"], self.w["participants"], label)
        by_month = Counter(day.strftime("%Y-%m") for day in days)
        rows, total = [], 0
        for month in sorted(by_month):
            total += by_month[month]
            rows.append([month, str(by_month[month]), str(total)])
        columns = [self.w["month"], self.w["enrolled_in_month"], self.w["enrolled_so_far"]]
        return self._section("enrolment", ["enrolled_on", "enrolment_cap"], chart, columns, rows)

    def disposition(self) -> Section:
        """The way from screening to where everybody is now."""
        found = figures.disposition(self.people)
        flow = [(key, getattr(found, key)) for key in ("screened", "failed", "enrolled", "treated")]
        rows = [(self.w[key], number) for key, number in flow]
        for status, both in STATUSES.items():
            if status in found.statuses:
                rows.append((self.w["now"].format(status=both[self.place]), found.statuses[status]))
        bars = [(label, (number,)) for label, number in rows]
        names, title = [self.w["participants"]], self.w["disposition"]
        text = "; ".join(f"{label} {number}" for label, number in rows)
        chart = charts.stacked("disposition", bars, names, charts.PALETTE, title, text, self.w["participants"])
        columns = [self.w["what"], self.w["participants"]]
        return self._section("disposition", ["tte_origin"], chart, columns, [[a, str(b)] for a, b in rows])

    def adverse_events(self) -> Section:
        """Participants by term and highest grade."""
        form, term = self.definitions["adverse_event"].column
        grades_from, grade = self.definitions["adverse_event_grade"].column
        start = self.definitions["adverse_event_start"].column[1]
        table = self.tables[form]
        grades = figures.highest_grades(table, self.tables[grades_from], grade)
        counts = figures.adverse_events(self.people, table, term, grades, start)
        treated = sum(person.treated for person in self.people)
        labels = self._labels(table, term)
        names = [*(self.w["grade"].format(n=n) for n in figures.GRADES), self.w["ungraded"]]
        bars = [(labels.get(row.code, row.code), row.by_grade) for row in counts[:MOST_TERMS]]
        colours = (*charts.GRADES, "#ffffff")
        text = self.w["ae_text"].format(n=len(counts), treated=treated)
        chart = charts.stacked("ae", bars, names, colours, self.w["adverse_events"], text, self.w["participants"])
        rows = [
            [
                labels.get(r.code, r.code),
                *map(str, r.by_grade),
                str(r.participants),
                _percent(r.participants, treated),
            ]
            for r in counts
        ]
        columns = [self.w["term"], *names, self.w["any"], self.w["percent"]]
        keys = ["adverse_event", "adverse_event_grade", "adverse_event_start", "tte_origin"]
        return self._section("adverse_events", keys, chart, columns, rows)

    def dose(self) -> Section:
        """Delivered against planned dose, one bar per participant."""
        found = figures.doses(self.people)
        names = (self.w["delivered"], self.w["planned_dose"])
        text = self.w["dose_text"].format(n=len(found))
        bars = [(row.label, row.delivered, row.planned) for row in found]
        chart = charts.dose(bars, names, self.w["dose"], text, "Gy(RBE)")
        columns = [self.w["participant"], *names, self.w["of_plan"]]
        rows = [[r.label, _decimal(r.delivered, 2), _decimal(r.planned, 2), _decimal(r.percent, 1)] for r in found]
        return self._section("dose", ["dose_delivered", "dose_planned"], chart, columns, rows)

    def response(self) -> Section:
        """Overall response at each visit, and complete responses with exact limits."""
        form, overall = self.definitions["response"].column
        complete = self.definitions["complete_response"].column[1]
        code, skipped = (self.definitions[key].expression for key in ("complete_response_code", "response_unevaluated"))
        table = self.tables[form]
        points = figures.responses(self.people, table, overall, complete, code, [skipped])
        labels = self._labels(table, overall)
        names = [labels[each] for each in labels]
        visits = self._visits()
        bars = [(visits.get(p.event, p.visit), [p.codes.get(each, 0) for each in labels]) for p in points]
        text = self.w["response_text"].format(n=len(points))
        chart = charts.stacked(
            "response", bars, names, charts.PALETTE, self.w["response"], text, self.w["participants"]
        )
        rows = []
        for point, (visit, numbers) in zip(points, bars, strict=True):
            low_high = point.interval
            limits = f"{100 * low_high[0]:.1f}–{100 * low_high[1]:.1f}%" if low_high else "–"
            share = f"{point.complete} / {point.evaluated}"
            rows.append([visit, *map(str, numbers), str(sum(point.codes.values())), share, limits])
        columns = [self.w["visit"], *names, self.w["assessed"], self.w["complete"], self.w["interval"]]
        keys = ["response", "complete_response", "response_unevaluated", "tte_origin"]
        return self._section("response", keys, chart, columns, rows)

    def overall_survival(self) -> Section:
        """Kaplan-Meier of death from any cause."""
        curve = figures.overall_survival(self.people, self.cut_off)
        keys = ["tte_origin", "death", "last_alive", "withdrawn_all"]
        return self._survival("os", curve, self.w["survival"], keys)

    def progression_free_survival(self) -> Section:
        """Kaplan-Meier of progression or death."""
        curve = figures.progression_free_survival(self.people, self.cut_off)
        keys = ["tte_origin", "progression", "death", "images", "new_therapy", "withdrawn_all"]
        return self._survival("pfs", curve, self.w["event_free"], keys)

    def _survival(self, key: str, curve: Curve, y_name: str, keys: list[str]) -> Section:
        value = self.w["not_reached"]
        if curve.median is not None:
            value = self.w["months_value"].format(value=f"{curve.median:.1f}")
        median = self.w["median"].format(value=value)
        text = self.w["km_text"].format(n=curve.participants, events=curve.events, median=median)
        chart = charts.survival(key, curve, self.w[key], text, self.w["months"], y_name, self.w["at_risk"])
        rows = []
        for month in LANDMARKS:
            step = curve.at(month)
            if step is not None:
                limits = "–" if step.low is None or step.high is None else f"{step.low:.3f}–{step.high:.3f}"
                events = sum(each.events for each in curve.steps if each.month <= month)
                rows.append([str(month), str(step.at_risk), str(events), f"{step.survival:.3f}", limits])
        rows.append([median, str(curve.participants), str(curve.events), "", ""])
        columns = [self.w[name] for name in ("months", "at_risk", "events", "estimate", "limits")]
        section = self._section(key, keys, chart, columns, rows)
        section.definitions.append((self.w["method_km"], self.w["method_source"]))
        return section

    def _section(self, key: str, keys: list[str], chart: str, columns: list[str], rows: list[list[str]]) -> Section:
        found = [self.definitions[name] for name in keys if name in self.definitions]
        definitions = [((d.en, d.zh)[self.place], d.source) for d in found]
        return Section(key, self.w[key], definitions, chart, columns, rows)

    def _labels(self, table: Table, item: str) -> dict[str, str]:
        variable = next(v for v in table.variables if v.name == item)
        return {code.code: (code.en, code.zh)[self.place] for code in variable.codes}

    def _visits(self) -> dict[str, str]:
        columns = self.tables["EVENTS"].columns
        names = columns["VISIT_ZH" if self.place else "VISIT"]
        return dict(zip(columns["EVENT"], names, strict=True))


def _percent(part: int, of: int) -> str:
    return f"{100 * part / of:.1f}" if of else "–"


def _decimal(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
