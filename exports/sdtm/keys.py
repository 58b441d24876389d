"""What every domain derives alike: order, --SEQ, visits, study days, epochs, the last record before treatment."""

from datetime import date
from typing import Any

from design.dates import PartialDate
from exports.sdtm.engine import Record, sort_records
from exports.sdtm.mapping import DomainDef, Mapping

_DAYS = {"DTC": "DY", "STDTC": "STDY", "ENDTC": "ENDY"}


def finish(mapping: Mapping, records: dict[str, list[Record]]) -> None:
    """Complete the records of all domains in place."""
    subjects = {r.subject: r.values for r in records.get("DM", ())}
    elements: dict[str | None, list[dict[str, Any]]] = {}
    for record in sorted(records.get("SE", ()), key=lambda r: r.values.get("SESTDTC") or ""):
        elements.setdefault(record.subject, []).append(record.values)
    visits = {row.values["VISITNUM"]: row.values["VISIT"] for row in records.get("TV", ())}
    for domain in mapping.domains.values():
        made = records[domain.name]
        for record in made:
            if domain.has_subjects:
                _visit(mapping, domain, record, visits)
                _days(domain, record, (subjects.get(record.subject) or {}).get("RFSTDTC"))
                _epoch(domain, record, elements.get(record.subject, []))
        _order(domain, made)
        _baseline(domain, made, subjects)


def _visit(mapping: Mapping, domain: DomainDef, record: Record, visits: dict[Any, str]) -> None:
    number, name = record.visit
    if number is None or record.event in mapping.not_visits or "VISITNUM" not in domain.names:
        return
    record.values.setdefault("VISITNUM", number)
    if "VISIT" in domain.names:
        known = visits.get(record.values["VISITNUM"])
        record.values.setdefault("VISIT", known or f"{name} {number}".upper())


def _days(domain: DomainDef, record: Record, start: str | None) -> None:
    for timing, day in _DAYS.items():
        source, target = domain.name + timing, domain.name + day
        if target in domain.names and target not in record.values:
            found = study_day(record.values.get(source), start)
            if found is not None:
                record.values[target] = found


def study_day(on: str | None, start: str | None) -> int | None:
    """The study day of a complete date: the reference start date is day 1, the day before it day -1."""
    if not on or not start or len(on) < 10 or len(start) < 10:
        return None
    days = (date.fromisoformat(on[:10]) - date.fromisoformat(start[:10])).days
    return days + 1 if days >= 0 else days


def _epoch(domain: DomainDef, record: Record, elements: list[dict[str, Any]]) -> None:
    if "EPOCH" not in domain.names or "EPOCH" in record.values:
        return
    on = next((v for end in ("STDTC", "DTC") if (v := record.values.get(domain.name + end))), None)
    epoch = epoch_of(on, elements) or (epoch_of(record.collected, elements) if _is_earlier(on, elements) else None)
    if epoch is not None:
        record.values["EPOCH"] = epoch


def _is_earlier(on: str | None, elements: list[dict[str, Any]]) -> bool:
    """Whether something has no date or lies before the first element: it then belongs to the visit that recorded it."""
    return on is None or (bool(elements) and _bounds(on)[1][:10] < str(elements[0].get("SESTDTC"))[:10])


def epoch_of(on: str | None, elements: list[dict[str, Any]]) -> str | None:
    """The epoch of the last element that had begun; for a partial date only when every possible day gives the same."""
    if not on:
        return None
    found = {_last_begun(day, elements) for day in _bounds(on)}
    return found.pop() if len(found) == 1 else None


def _bounds(on: str) -> tuple[str, str]:
    if len(on) >= 10:
        return on, on
    partial = PartialDate.parse(on)
    return partial.earliest.isoformat(), partial.latest.isoformat()


def _last_begun(on: str, elements: list[dict[str, Any]]) -> str | None:
    begun = [each for each in elements if _begun(each.get("SESTDTC"), on)]
    return begun[-1].get("EPOCH") if begun else None


def _begun(start: str | None, on: str) -> bool:
    """Whether an element had begun: by the minute where both are known to it, else by the day."""
    if not start:
        return False
    length = min(len(start), len(on))
    return start[:length] <= on[:length]


def _order(domain: DomainDef, made: list[Record]) -> None:
    sort_records(domain, made)
    if (name := f"{domain.name}SEQ") in domain.names:
        counts: dict[Any, int] = {}
        for record in made:
            owner = record.values.get("USUBJID") or record.values.get("TSPARMCD")
            counts[owner] = counts.get(owner, 0) + 1
            record.values[name] = counts[owner]


def _baseline(domain: DomainDef, made: list[Record], subjects: dict[Any, dict[str, Any]]) -> None:
    """--LOBXFL: the last result of each test before the first treatment (not after it began that day)."""
    name = f"{domain.name}LOBXFL"
    if name not in domain.names or not domain.baseline:
        return
    last: dict[tuple[Any, ...], Record] = {}
    for record in made:
        first = (subjects.get(record.subject) or {}).get("RFXSTDTC")
        on = record.values.get(f"{domain.name}DTC")
        result = record.values.get(f"{domain.name}ORRES")
        if not first or not on or len(on) < 10 or result is None or not _before(on, first):
            continue
        key = (record.subject, *(record.values.get(each) for each in domain.baseline))
        held = last.get(key)
        if held is None or held.values[f"{domain.name}DTC"] <= on:
            last[key] = record
    for record in last.values():
        record.values[name] = "Y"


def _before(on: str, first: str) -> bool:
    if on[:10] != first[:10]:
        return on[:10] < first[:10]
    return len(on) <= 10 or len(first) <= 10 or on < first
