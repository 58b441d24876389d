"""What a name means in an expression of a mapping: one row of one participant.

The same language as in the study (design/expressions.py). A name is a column of the row, else of the form that
the row stands in, else of the participant; aggregates go over the rows of a table, of a form, or of a dataset
built before (`sdtm_EX`).
"""

from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import Any

from design.expressions import Scope as ExpressionScope
from design.operators import to_number
from exports.sdtm.source import INSTANCE, Source, Sources


class SourceRow:
    """One row as expressions see it."""

    __slots__ = ("order", "place", "source", "world")

    def __init__(self, world: "SubjectWorld", source: Source, place: int) -> None:
        self.world, self.source, self.place = world, source, place
        self.order = place

    @property
    def event(self) -> Any:
        """The event that the row belongs to."""
        return self.own("EVENT")

    @property
    def event_repeat(self) -> Any:
        """The repeat of that event."""
        return self.own("REPEAT")

    def own(self, name: str) -> Any:
        """A column of this very row, typed; None when the table has none of that name."""
        return self.source.typed(name)[self.place] if name in self.source.columns else None

    def raw(self, name: str) -> Any:
        """The same as it was collected, from the row or the form that it stands in."""
        source, place = self.locate(name)
        return source.columns[name][place] if source is not None else None

    def locate(self, name: str) -> tuple[Source | None, int]:
        """Where a column stands: in the row, in the header of its form, in the participant's row."""
        if name in self.source.columns:
            return self.source, self.place
        for source in self.world.headers(self.source):
            place = source.by_instance.get(tuple(self.own_raw(key) for key in INSTANCE))
            if place is not None and name in source.columns:
                return source, place
        subjects = self.world.sources.tables.get("SUBJECTS")
        if subjects is not None and name in subjects.columns and self.world.place is not None:
            return subjects, self.world.place
        return None, 0

    def own_raw(self, name: str) -> Any:
        """A column of this very row as it was collected."""
        return self.source.columns[name][self.place] if name in self.source.columns else None

    def value(self, name: str) -> Any:
        """What a name means here."""
        if name.startswith("~"):
            name = f"{name[1:]}_MISS"
        source, place = self.locate(name)
        if source is not None:
            return source.typed(name)[place]
        builtin = BUILTIN.get(name)
        return builtin(self) if builtin else None

    @property
    def ref(self) -> str | None:
        """The reference by which forms point at this record: `LOG/AE/3`, with the row where there is one."""
        event, repeat, form_repeat = (self.own_raw(key) for key in ("EVENT", "REPEAT", "FORM_REPEAT"))
        if event is None or form_repeat is None:
            return None
        key = event if repeat == 1 else f"{event}.{repeat}"
        row = self.own_raw("ROW")
        return "/".join([key, self.source.form_id, str(form_repeat), *([str(row)] if row is not None else [])])

    def mark(self, name: str) -> Any:
        """By what an index would find the row; conditions are always judged here."""
        return self.value(name)

    def scope(self, outer: Any) -> ExpressionScope:
        """Names inside `where` mean this row."""
        return ExpressionScope(self.world, self.value, outer)


def _event_date(row: SourceRow) -> Any:
    return row.world.event_dates.get((row.own_raw("EVENT"), row.own_raw("REPEAT")))


BUILTIN: dict[str, Callable[[SourceRow], Any]] = {
    "event": lambda row: row.own("EVENT"),
    "event_date": _event_date,
    "event_number": lambda row: row.own("VISITNUM"),
    "event_order": lambda row: Decimal(row.order),
    "_event_repeat": lambda row: row.own("REPEAT"),
    "repeat": lambda row: row.own("FORM_REPEAT"),
    "row": lambda row: row.own("ROW"),
    "ref": lambda row: row.ref,
    "site": lambda row: row.value("SITEID"),
    "status": lambda row: row.value("STATUS"),
}


class SubjectWorld:
    """One participant: what `FORM.ITEM`, aggregates, parameters and lookups mean."""

    def __init__(self, sources: Sources, subject: str | None) -> None:
        self.sources, self.subject = sources, subject
        places = sources.tables["SUBJECTS"].by_subject.get(subject or "", []) if "SUBJECTS" in sources.tables else []
        self.place = places[0] if places else None
        self._headers: dict[str, list[Source]] = {}

    def headers(self, source: Source) -> list[Source]:
        """The tables that hold what stands once in the form of a repeating row."""
        if source.name not in self._headers:
            others = self.sources.tables.values() if source.group is not None else ()
            found = [each for each in others if each.form_id == source.form_id and each.group is None]
            self._headers[source.name] = found
        return self._headers[source.name]

    @cached_property
    def event_dates(self) -> dict[tuple[Any, Any], Any]:
        """The date of every event."""
        events = self.sources.tables.get("EVENTS")
        if events is None:
            return {}
        dates = events.typed("VISDAT")
        return {
            (events.columns["EVENT"][place], events.columns["REPEAT"][place]): dates[place]
            for place in events.by_subject.get(self.subject or "", ())
        }

    def all_rows(self, source: Source) -> list[SourceRow]:
        """Every row of the participant in a table; of all participants where it is about none (trial design)."""
        places = range(source.rows) if self.subject is None else source.by_subject.get(self.subject, ())
        return [SourceRow(self, source, place) for place in places]

    def rows(self, form: str, item: str | None, named: tuple[str, ...] = (), by: Any = ()) -> list[SourceRow]:
        """The rows that an aggregate goes over."""
        wanted = (item, *named)
        source = next((s for name in wanted if name and (s := self._with(form, name.removeprefix("~")))), None)
        source = source or self.sources.of_form(form, None)
        return self.all_rows(source) if source is not None else []

    def _with(self, form: str, item: str) -> Source | None:
        source = self.sources.of_form(form, item)
        return source if source is not None and item in source.columns else None

    def only(self, form: str, name: str) -> Any:
        """The value in the only (or else the latest) row that has one."""
        values = [value for row in self.rows(form, name) if (value := row.value(name)) is not None]
        return values[-1] if values else None

    def parameter(self, name: str) -> Any:
        """A study parameter, of the newest version."""
        parameter = self.sources.newest.parameters.get(name)
        value = parameter.value if parameter else None
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return Decimal(str(value))
        return value

    def lookup(self, table: str, key: str, column: str) -> Any:
        """A term of the mapping's own code tables, else a cell of a table of the study."""
        if table in self.sources.codes:
            term = self.sources.codes[table].get(key)
            if term is None:
                self.sources.notes.add(f"codes.{table} has no term for {key!r}")
            return term or None
        for _, study in sorted(self.sources.studies.items(), reverse=True):
            source = study.tables.get(table)
            text = source.rows.get(key, {}).get(column) if source else None
            if text:
                number = to_number(text)
                return text if number is None else number
        return None
