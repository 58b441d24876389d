"""What is known of a participant for the time-to-event endpoints, gathered from the records (sections 4.3, 4.5)."""

from collections.abc import Mapping, Sequence
from datetime import date

from exports.analysis import events, imputation, recist
from exports.analysis.declaration import Parameter
from exports.analysis.events import History, Occurrence, Operation
from exports.analysis.people import Person
from exports.analysis.records import Records
from exports.analysis.responses import rule
from exports.shape import Table


def gather(
    person: Person, records: Records, parameters: Mapping[str, Parameter], cut_off: date, missed: tuple[date, ...]
) -> History:
    origin, subject = person.origin, person.subject
    assert origin is not None and person.first_fraction is not None
    images = sorted(
        day for each in records.of("image", subject) if each.says("modality", "adequate") and (day := each.day())
    )
    after = tuple(day for day in images if day > person.first_fraction)
    examined = [day for each in records.of("breast", subject) if (day := each.day()) and day > person.first_fraction]
    contacts = [day for each in records.of("followup", subject) if each["breast"] and (day := each.day())]
    proven = [day for each in records.of("biopsy", subject) if each["result"] == "tumour" and (day := each.day())]
    counted, person.equivocal = recist.progression(
        [each.response for each in person.assessments], rule(person, parameters), proven
    )
    primary, other = _progressions(person, counted)
    alive = _alive_days(person, records)
    death, cause = _death(records, subject, max(alive, default=None))
    if death:
        alive = tuple(day for day in alive if day <= death.day)
    return History(
        origin,
        cut_off,
        baseline=any(day <= person.first_fraction for day in images),
        images=after,
        missed_images=missed,
        assessments=tuple(sorted({*examined, *after})),
        contacts=tuple(sorted(contacts)),
        last_alive=max(alive, default=None),
        alive_days=alive,
        failures=_failures(records, subject),
        primary_progression=primary,
        other_progression=other,
        operations=_operations(records, subject, origin),
        death=death,
        death_cause=cause,
        new_therapy=_new_therapy(records, subject, origin),
        withdrawn_all=_withdrawn(records, subject),
        complete_responses=_complete(records, subject, person.first_fraction),
    )


def _progressions(
    person: Person, counted: recist.Response | None
) -> tuple[tuple[Occurrence, ...], tuple[Occurrence, ...]]:
    """The progression that counts, as one of the lesions known at baseline or as one of new lesions only."""
    if counted is None:
        return (), ()
    keys = next((each.keys for each in person.assessments if each.response is counted), ())
    found = (Occurrence(counted.day, events.PROGRESSION, keys),)
    new_only = counted.new and recist.PD not in (counted.target, counted.non_target)
    return ((), found) if new_only else (found, ())


def _alive_days(person: Person, records: Records) -> tuple[date, ...]:
    days = {person.enrolled_on, *(each["date"] for each in person.fractions)}
    for concept in ("followup", "survival"):
        for each in records.of(concept, person.subject):
            days |= {each.day()} if each["status"] == "alive" else set()
            days |= {each["last_alive"]}
    days |= {each["date"] for each in records.of("image", person.subject)}
    return tuple(sorted(day for day in days if day))


def _death(records: Records, subject: str, alive: date | None) -> tuple[Occurrence | None, str | None]:
    for record in records.of("death", subject):
        text = record["date"] if isinstance(record["date"], str) else str(record["date"] or "")
        imputed = imputation.death(text, alive)
        if imputed:
            return Occurrence(imputed.day, "death", (record.key,)), record["cause"]
    seen = [
        (day, each.key)
        for concept in ("survival", "followup")
        for each in records.of(concept, subject)
        if each["status"] == "dead" and (day := each.day())
    ]
    if not seen:
        return None, None
    first = min(seen)
    return Occurrence(first[0], "death", (first[1],)), None


def _failures(records: Records, subject: str) -> tuple[Occurrence, ...]:
    return tuple(
        Occurrence(day, record["type"], (record.key,))
        for record in records.of("failure", subject)
        if record["type"] and (day := record.day())
    )


def _operations(records: Records, subject: str, origin: date) -> tuple[Operation, ...]:
    """Surgery of a treated side after the origin."""
    treated = {each["side"] for each in records.of("prescription", subject) if each["side"]}
    found = []
    for record in records.of("operation", subject):
        day = record.day()
        if day is None or day < origin or (treated and record["side"] and record["side"] not in treated):
            continue
        residual = {"yes": True, "no": False}.get(record["residual"])
        kinds = record["kinds"] or frozenset()
        found.append(Operation(day, kinds, record["reason"] == "tumour", residual, (record.key,)))
    return tuple(found)


def _new_therapy(records: Records, subject: str, origin: date) -> date | None:
    days = [each.day("start") for each in records.of("therapy", subject) if each["planned"] == "no"]
    return min((day for day in days if day and day >= origin), default=None)


def _withdrawn(records: Records, subject: str) -> date | None:
    days = [
        each.day() for each in records.of("end", subject) if each["reason"] == "withdrawn" and each["scope"] == "all"
    ]
    return min((day for day in days if day), default=None)


def _complete(records: Records, subject: str, first: date) -> tuple[Occurrence, ...]:
    return tuple(
        Occurrence(day, "complete response", (each.key,))
        for each in records.of("response", subject)
        if each["complete"] == "yes" and (day := each.day()) and day > first
    )


def missed_images(table: Table | None, subject: str, planned: Sequence[str]) -> tuple[date, ...]:
    if table is None:
        return ()
    c = table.columns
    rows = zip(c["SCRNO"], c["EVENT"], c["STATE"], c["TARGET"], strict=True)
    return tuple(
        date.fromisoformat(str(target)[:10])
        for who, event, state, target in rows
        if who == subject and event in planned and state in ("missed", "not_done") and target
    )
