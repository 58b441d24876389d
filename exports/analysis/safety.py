"""Toxicity of participants: adverse events with their grade history, and grades by term and day (section 4.4)."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from design.dates import add_months
from design.definitions import StudyDef
from exports.analysis import imputation, toxicity
from exports.analysis.declaration import Parameter
from exports.analysis.events import Occurrence
from exports.analysis.people import Person
from exports.analysis.records import Record, Records
from exports.analysis.toxicity import Event, Grade, LimitingRule, Limits

ASSESSMENTS = ("weekly", "late")


@dataclass(frozen=True)
class Term:
    """A term of toxicity: its name, organ class and lists."""

    code: str
    en: str
    zh: str
    soc_en: str
    soc_zh: str
    on_treatment: bool
    follow_up: bool


class Safety:
    """Events and grades of everybody, in the words of the study's declaration."""

    def __init__(self, records: Records, parameters: Mapping[str, Parameter], study: StudyDef, cut_off: date) -> None:
        self.records, self.parameters, self.study, self.cut_off = records, parameters, study, cut_off
        self.words: dict[str, Any] = records.declaration.toxicity
        self._events: dict[str, list[Event]] = {}
        self._grades: dict[str, list[Grade]] = {}

    @cached_property
    def terms(self) -> dict[str, Term]:
        """Terms of the study's lists first, then of the dictionary."""
        found: dict[str, Term] = {}
        for name in (self.words.get("terms"), self.words.get("dictionary")):
            table = self.study.tables.get(name or "")
            for code, row in table.rows.items() if table else ():
                treated, late = (row.get(self.words[each], "") == "Y" for each in ("on_treatment", "follow_up"))
                en, zh, soc_en, soc_zh = (row.get(each) or "" for each in ("en", "zh", "soc_en", "soc_zh"))
                found.setdefault(code, Term(code, en, zh, soc_en, soc_zh, treated, late))
        return found

    @cached_property
    def _term_of_test(self) -> dict[str, str]:
        table = self.study.tables.get(self.words.get("laboratory", ""))
        return {code: row["term"] for code, row in table.rows.items() if row.get("term")} if table else {}

    def limits(self, person: Person, anchor: str | None = None) -> Limits | None:
        """The acute limit of a participant; None before the first fraction."""
        if person.first_fraction is None:
            return None
        days, chosen = int(self.parameters["acute_days"].value), str(self.parameters["acute_anchor"].value)
        return Limits(person.first_fraction, person.end, days, anchor or chosen)

    @cached_property
    def rule(self) -> LimitingRule:
        """What is dose-limiting."""
        parameters = self.parameters
        by_kind = {
            kind: {
                term: int(parameters[row["parameter"]].value) * int(row["days"])
                for term, row in self.words.get(kind, {}).items()
            }
            for kind in ("resolving", "lasting")
        }
        grade, days = int(parameters["dlt_grade"].value), int(parameters["dlt_days"].value)
        return LimitingRule(grade, days, by_kind["resolving"], by_kind["lasting"])

    def events(self, person: Person) -> list[Event]:
        """A participant's adverse events, starts imputed."""
        if person.subject not in self._events:
            made = [self._event(person, each) for each in self.records.of("adverse", person.subject)]
            self._events[person.subject] = [event for event in made if event is not None]
        return self._events[person.subject]

    def emergent(self, person: Person) -> list[Event]:
        """The treatment-emergent ones."""
        first = person.first_fraction
        return [] if first is None else [each for each in self.events(person) if toxicity.is_emergent(each, first)]

    def _event(self, person: Person, record: Record) -> Event | None:
        start = imputation.event_start(record["start"], person.first_fraction, record["end"])
        if start is None:
            return None
        death = person.history.death.day if person.history and person.history.death else None
        end = imputation.event_end(record["end"], death, self.cut_off)
        earliest = imputation.parse(record["start"])
        steps, keys = [], [record.key]
        for child in self.records.children("grade", record):
            day = child.day("start") or start.day
            steps.append((max(day, start.day), grade_of(child["grade"])))
            keys.append(child.key)
        term = record["term"] or record["reported"] or ""
        return Event(
            term,
            start.day,
            end.day if end else None,
            tuple(steps),
            record["relation"],
            term in self.words.get("haematological", ()),
            record.says("serious", "yes"),
            record.says("special", "yes"),
            record["action"],
            tuple(keys),
            earliest.earliest if earliest else None,
            start.imputed,
        )

    def grades(self, person: Person) -> list[Grade]:
        """The union of weekly, late and laboratory grades and of grade histories; one row per term and day."""
        if person.subject not in self._grades:
            self._grades[person.subject] = toxicity.daily_maxima(self._assessed(person))
        return self._grades[person.subject]

    def _assessed(self, person: Person) -> list[Grade]:
        found = []
        for concept in ASSESSMENTS:
            for record in self.records.of(concept, person.subject):
                if (day := record.day()) and record["term"]:
                    found.append(Grade(record["term"], day, grade_of(record["grade"]), (record.key,)))
        for record in self.records.of("laboratory", person.subject):
            term = self._term_of_test.get(record.row or "")
            if term and record["grade"] is not None and (day := record.day()):
                found.append(Grade(term, day, grade_of(record["grade"]), (record.key,)))
        for event in self.events(person):
            found.extend(Grade(event.term, day, grade, event.keys) for day, grade in event.history)
        return found

    def limiting(self, person: Person) -> list[Event]:
        """The dose-limiting events of a participant."""
        first = person.first_fraction
        return [] if first is None else [e for e in self.events(person) if toxicity.is_limiting(e, self.rule, first)]

    def is_evaluable(self, person: Person) -> bool:
        """Whether a participant counts for dose-limiting toxicity."""
        planned = sum(
            int(each.number("fractions") or 0)
            for each in self.records.of("prescription", person.subject)
            if each["phase"] in ("breast", "boost")
        )
        share = float(self.parameters["dlt_evaluable"].value)
        limited = bool(self.limiting(person))
        return toxicity.is_evaluable(len(person.fractions), planned or None, limited, share)

    def is_observed(self, person: Person) -> bool:
        """Whether the window of dose-limiting toxicity has passed, or there was one."""
        if person.first_fraction is None:
            return False
        done = (self.cut_off - person.first_fraction).days >= int(self.parameters["dlt_days"].value)
        return done or bool(self.limiting(person))

    def late_occurrences(self, person: Person, grade: int, terms: Container[str] | None = None) -> list[Occurrence]:
        """The days after the acute limit on which some term had at least a grade, above its baseline grade."""
        limits = self.limits(person)
        if limits is None or limits.limit == date.max:
            return []
        rows = self.grades(person)
        base = toxicity.baseline_grades(rows, limits.origin)
        return [
            Occurrence(row.day, row.term, row.keys)
            for row in rows
            if (terms is None or row.term in terms)
            and row.day > limits.limit
            and (row.grade or 0) >= grade
            and (row.grade or 0) > base.get(row.term, 0)
        ]

    def swollen(self, person: Person) -> list[Occurrence]:
        """Days of lymphoedema by relative volume change, some months after the end of treatment."""
        if person.end is None:
            return []
        least = float(self.parameters["lymphoedema"].value)
        after = add_months(person.end, int(self.parameters["lymphoedema_months"].value))
        return [
            Occurrence(day, "lymphoedema", (each.key,))
            for each in self.records.of("arm", person.subject)
            if (each.number("change") or 0) >= least and (day := each.day()) and day > after
        ]


def grade_of(code: Any) -> int | None:
    """The grade of a code; not assessed is None."""
    return int(code) if str(code).isdigit() else None
