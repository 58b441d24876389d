"""Gathers the participants of a study from its records: dates, descriptors, responses, history, analysis sets."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from exports.analysis import histories, imputation, responses
from exports.analysis.declaration import Descriptor, Parameter
from exports.analysis.people import Person, Value
from exports.analysis.records import Records


def build(records: Records, parameters: Mapping[str, Parameter], cut_off: date, planned: Sequence[str]) -> list[Person]:
    """Everybody with a screening number, in order. `planned` names the events in which an image is planned."""
    table = records.tables["SUBJECTS"]
    c = table.columns
    people = []
    for subject, number, site, status in zip(c["SCRNO"], c["SUBJID"], c["SITEID"], c["STATUS"], strict=True):
        person = Person(subject, number, site, status, f"{subject}/SUBJECTS")
        _add_dates(person, records, str(parameters["origin"].value))
        for descriptor in records.declaration.subject:
            person.described[descriptor.name] = _describe(records, subject, descriptor)
        if person.origin:
            responses.add_responses(person, records, parameters)
            missed = histories.missed_images(records.tables.get("EVENTS"), subject, planned)
            person.history = histories.gather(person, records, parameters, cut_off, missed)
            person.best = responses.best_until(person, None, parameters)
        person.sets = _sets(person, records, parameters)
        people.append(person)
    return people


def _add_dates(person: Person, records: Records, origin: str) -> None:
    for record in records.of("enrolment", person.subject):
        person.enrolled = person.enrolled or record.says("enrolled", "yes")
        person.enrolled_on = record.day() if record["enrolled"] == "yes" and record["date"] else person.enrolled_on
    given = [each for each in records.of("fraction", person.subject) if (each.number("dose") or 0) > 0]
    person.fractions = sorted(given, key=lambda each: (each.day() or date.max, each.number("sequence") or 0))
    days = [each["date"] for each in given]
    person.first_fraction = min((day for day in days if day), default=None)
    over = any(each["status"] for each in records.of("course", person.subject))
    person.end = imputation.last_fraction(days) if over else None
    person.origin = person.first_fraction
    if origin == "enrolment" and person.first_fraction:
        person.origin = person.enrolled_on or person.first_fraction
    person.machines = tuple(sorted({each["machine"] for each in given if each["machine"]}))


def _describe(records: Records, subject: str, descriptor: Descriptor) -> Value:
    found = [each for each in records.of(descriptor.source, subject) if each[descriptor.item] is not None]
    if not found:
        return Value(None)
    record = found[-1]
    if descriptor.pick in ("first", "prefer"):
        record = next((each for each in found if each.codes[descriptor.item] in descriptor.prefer), found[0])
    elif descriptor.pick == "worst":
        order = list(records.labels(descriptor.source, descriptor.item))
        record = max(found, key=lambda each: _place(order, each.codes[descriptor.item]))
    return Value(record[descriptor.item], record.codes[descriptor.item], (record.key,))


def _place(order: list[str], code: Any) -> int:
    return order.index(code) if code in order else -1


def _sets(person: Person, records: Records, parameters: Mapping[str, Parameter]) -> frozenset[str]:
    """Section 4.1."""
    found = {"SCR"}
    if not person.enrolled:
        return frozenset(found)
    found.add("ENR")
    if person.first_fraction is None or person.history is None:
        return frozenset(found)
    found |= {"FAS", "SAF"}
    first, subject = person.first_fraction, person.subject
    measurable = any(each["id"] and (day := each.day()) and day <= first for each in records.of("target", subject))
    failed = person.history.death or person.history.primary_progression or person.history.other_progression
    if measurable and (person.assessments or failed):
        found.add("RES")
    for name, concept in (("PRO", "questionnaire"), ("COS", "cosmesis")):
        days = [day for each in records.of(concept, subject) if each["mode"] != "proxy" and (day := each.day())]
        if any(day <= first for day in days) and any(day > first for day in days):
            found.add(name)
    if _per_protocol(person, records, parameters):
        found.add("PPS")
    return frozenset(found)


def _per_protocol(person: Person, records: Records, parameters: Mapping[str, Parameter]) -> bool:
    course = next(iter(records.of("course", person.subject)), None)
    percent = course.number("percent") if course else None
    if course is None or percent is None:
        return False
    low, high = float(parameters["dose_low"].value), float(parameters["dose_high"].value)
    both = (course.number("fractions_breast") or 0) > 0 and (course.number("fractions_boost") or 0) > 0
    affected = any(each["evaluability"] == "yes" for each in records.of("deviation", person.subject))
    imaged = person.history is not None and bool(person.history.images)
    return low <= percent <= high and both and imaged and not affected
