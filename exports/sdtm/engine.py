"""From rows to records: every block of a domain over the rows of its table, then what all domains share."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from design.dates import PartialDate
from design.expressions import Expression
from design.expressions import Scope as ExpressionScope
from design.operators import truth
from exports.sdtm.mapping import Block, DomainDef, Mapping
from exports.sdtm.source import Source, Sources
from exports.sdtm.world import SourceRow, SubjectWorld

TRIAL = "@trial"  # the source of records that belong to no participant
_WITH_REASON = ("Findings", "Findings About")


@dataclass
class Record:
    """One record in the making: its values, and what rides with it."""

    subject: str | None
    values: dict[str, Any]
    place: int
    ref: str | None = None
    event: str | None = None
    visit: tuple[Any, Any] = (None, None)
    collected: str | None = None  # the date of the visit at which it was recorded
    supplements: list[tuple[str, str, str, str, str]] = field(default_factory=list)  # qnam, label, value, origin, eval
    comments: list[tuple[str, str | None]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def make_records(mapping: Mapping, sources: Sources) -> dict[str, list[Record]]:
    """The records of every domain, in the order that lets later ones read earlier ones."""
    sources.codes = mapping.codes
    subjects = list(sources.tables["SUBJECTS"].by_subject)
    worlds = {subject: SubjectWorld(sources, subject) for subject in subjects}
    identifiers = {subject: _identify(mapping, sources, world) for subject, world in worlds.items()}
    records: dict[str, list[Record]] = {}
    for domain in mapping.domains.values():
        made = list(_of_domain(mapping, domain, sources, worlds))
        for record in made:
            record.values = {**_identity(sources, domain, identifiers.get(record.subject or "")), **record.values}
        sort_records(domain, made)  # so that `first` and `last` of a dataset mean its order
        records[domain.name] = made
        sources.add_built(domain.name, [{**r.values, "_subject": r.subject} for r in made], domain.numbers)
    return records


def sort_records(domain: DomainDef, made: list[Record]) -> None:
    """Put records in the order of their keys; blanks first, numbers by size, equal ones as they were made."""
    names = [key for key in domain.keys if not key.endswith("SEQ")]
    made.sort(key=lambda record: (*(_rank(record.values.get(name)) for name in names), record.place))


def _rank(value: Any) -> tuple[int, float, str]:
    if value is None:
        return (0, 0, "")
    return (1, value, "") if isinstance(value, int | float) else (2, 0, value)


def _identify(mapping: Mapping, sources: Sources, world: SubjectWorld) -> str:
    row = SourceRow(world, sources.tables["SUBJECTS"], world.place or 0)
    return str(as_value(mapping.usubjid.run(ExpressionScope(world, row.value)), is_number=False))


def _identity(sources: Sources, domain: DomainDef, usubjid: str | None) -> dict[str, Any]:
    found = {"STUDYID": sources.newest.id, "DOMAIN": domain.name, "USUBJID": usubjid}
    return {name: value for name, value in found.items() if name in domain.names and value is not None}


def _of_domain(
    mapping: Mapping, domain: DomainDef, sources: Sources, worlds: dict[str, SubjectWorld]
) -> Iterator[Record]:
    for place, fixed in enumerate(domain.rows):
        yield Record(None, dict(fixed), place)
    place = len(domain.rows)
    for block in domain.blocks:
        for row in _rows(block, sources, worlds):
            for entry in block.each:
                record = _record(mapping, domain, block, row, entry)
                if record is not None:
                    record.place = place = place + 1
                    yield record


def _rows(block: Block, sources: Sources, worlds: dict[str, SubjectWorld]) -> Iterator[SourceRow]:
    if block.source == TRIAL:
        nobody = SubjectWorld(sources, None)
        yield SourceRow(nobody, Source(TRIAL, TRIAL, None, {}, {}, 1), 0)
        return
    source = sources.tables.get(block.source)
    if source is None:  # a form that no version in scope has
        return
    for world in worlds.values():
        yield from world.all_rows(source)


class _Names:
    """What a name means in one record: the constants of `each`, its answer, else the source row."""

    def __init__(self, row: SourceRow, entry: dict[str, Any]) -> None:
        self.row, self.entry, self.own = row, entry, dict[str, Any]()
        self.item = entry.get("item")
        self.scope = ExpressionScope(row.world, self.value)

    def value(self, name: str) -> Any:
        if name in self.entry:
            return self._constant(name)
        if name == "answer":
            raw = self.row.raw(self.item) if self.item else None
            return None if raw is None else str(raw)
        if name == "value":
            return self.row.value(self.item) if self.item else None
        if name == "missing_reason":
            return self.row.value("~" + self.item) if self.item else None
        if name == "answer_en":
            return self.row.value(f"{self.item}_EN") if self.item else None
        if name == "answer_unit":
            return self.row.value(f"{self.item}_UNIT") if self.item else None
        return self.row.value(name)

    def _constant(self, name: str) -> Any:
        if name not in self.own:
            given = self.entry[name]
            if isinstance(given, Expression):
                self.own[name] = None  # a constant that reads itself is nothing
                given = given.run(self.scope)
            elif isinstance(given, int | float) and not isinstance(given, bool):
                given = Decimal(str(given))
            self.own[name] = given
        return self.own[name]


def _record(mapping: Mapping, domain: DomainDef, block: Block, row: SourceRow, entry: dict[str, Any]) -> Record | None:
    names = _Names(row, entry)
    if block.when is not None and truth(block.when.run(names.scope)) is not True:
        return None
    if names.item and names.value("answer") is None and names.value("missing_reason") is None:
        return None
    values: dict[str, Any] = {}
    record = Record(row.world.subject, values, 0, row.ref, row.own_raw("EVENT"))
    record.visit = (row.own_raw("VISITNUM"), row.own_raw("VISIT"))
    record.collected = as_value(row.value("event_date"), is_number=False)
    for name, expression in block.assign.items():
        value = evaluate(expression, names, name in domain.numbers)
        if value is not None:
            values[name] = value
        elif domain.class_name not in _WITH_REASON and domain.has_subjects:
            _why_missing(record, domain, name, expression, row)
    if domain.class_name in _WITH_REASON and names.item:
        _findings(domain, names, values)
    _riding(record, block, names)
    return record


def evaluate(expression: Expression, names: _Names, is_number: bool) -> Any:
    """The value of an expression. A bare name of a number that was typed keeps its digits as they were typed."""
    value = expression.run(names.scope)
    name = expression.source
    if not is_number and isinstance(value, Decimal) and name.isidentifier() and name not in names.entry:
        item = names.row.world.sources.newest.items.get(name)
        raw = names.row.raw(name) if item is not None and not item.derive else None
        value = str(raw) if raw is not None else value
    return as_value(value, is_number)


def _findings(domain: DomainDef, names: _Names, values: dict[str, Any]) -> None:
    """Nothing was found: no unit, but that it was not done and why (missing reasons)."""
    prefix = domain.name
    if values.get(f"{prefix}ORRES") is not None:
        return
    for ending in ("ORRESU", "STRESC", "STRESN", "STRESU", "ORNRLO", "ORNRHI", "NRIND"):
        values.pop(prefix + ending, None)
    reason = names.value("missing_reason")
    if reason is None:
        return
    label = names.row.world.sources.reasons.get(reason, reason).upper()
    for name, text in ((f"{prefix}STAT", "NOT DONE"), (f"{prefix}REASND", label)):
        if name in domain.names:
            values.setdefault(name, text)


def _why_missing(record: Record, domain: DomainDef, name: str, expression: Expression, row: SourceRow) -> None:
    """An answer that is missing for a reason: the reason goes with the record as a supplemental qualifier."""
    if len(expression.items) != 1:
        return
    (item,) = expression.items
    reason = row.value("~" + item)
    if reason is None:
        return
    label = next(variable.label for variable in domain.variables if variable.name == name)
    text = row.world.sources.reasons.get(reason, reason).upper()
    record.supplements.append((f"{name[:7]}R", f"Reason Missing: {label}"[:40].rstrip(), text, "CRF", ""))


def _riding(record: Record, block: Block, names: _Names) -> None:
    for each in block.supplements:
        text = evaluate(each.value, names, is_number=False)
        if text:
            origin = each.origin or origin_of(each.value, names.row.world.sources)
            record.supplements.append((each.qnam, each.label, text, origin, each.eval))
    for comment in block.comments:
        text = as_value(comment.text.run(names.scope), is_number=False)
        if text:
            on = as_value(comment.date.run(names.scope), is_number=False) if comment.date else None
            record.comments.append((text, on))
    for link in block.links:
        target = as_value(link.run(names.scope), is_number=False)
        if target:
            record.links.append(target)


def origin_of(expression: Expression, sources: Sources) -> str:
    """Where a value comes from, in the words of SUPPQUAL: CRF, Derived or Assigned."""
    items = [item for study in sources.studies.values() for name in expression.items if (item := study.items.get(name))]
    if not items:
        return "Assigned"
    return "Derived" if all(item.derive for item in items) else "CRF"


def as_value(value: Any, is_number: bool) -> Any:
    """A value of an expression as SDTM stores it: ISO text, plain number, or None."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, bool):
        value = "Y" if value else "N"
    if is_number:
        number = Decimal(str(value))
        return int(number) if number == number.to_integral() else float(number)
    if isinstance(value, list):
        return "; ".join(str(each) for each in value)
    if isinstance(value, PartialDate):
        return value.text
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return str(value).strip() or None
