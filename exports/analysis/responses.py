"""Response of participants: RECIST time points from their lesions, and the best response that counts (section 4.2)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from design.dates import add_months
from exports.analysis import events, recist
from exports.analysis.declaration import Parameter
from exports.analysis.people import Assessment, Person
from exports.analysis.records import Record, Records


def add_responses(person: Person, records: Records, parameters: Mapping[str, Parameter]) -> None:
    """RECIST time points from lesions, one per visit; baseline is the last visit before the first fraction."""
    points: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for concept in ("target", "nontarget", "newlesion"):
        for record in records.of(concept, person.subject):
            points[(record.event, record.repeat)].append(record)
    read = {(each.event, each.repeat): each for each in records.of("response", person.subject)}
    made = {key: _time_point(found, read.get(key)) for key, found in points.items()}
    known = {key: point for key, point in made.items() if point is not None}
    assert person.first_fraction is not None  # asked of the treated only
    before = [key for key, point in known.items() if point.day <= person.first_fraction]
    if not before:
        return
    first = max(before, key=lambda key: known[key].day)
    after = sorted((key for key in known if key not in before), key=lambda key: known[key].day)
    for key, response in zip(after, recist.assess(known[first], [known[k] for k in after]), strict=True):
        keys = tuple(each.key for each in points[key])
        if parameters["response_by"].value == "investigator" and key in read and read[key]["overall"]:
            response, keys = replace(response, overall=read[key]["overall"]), (*keys, read[key].key)
        one = points[key][0]
        person.assessments.append(Assessment(response, one.visit, one.visitnum, one.event, keys))


def _time_point(found: Sequence[Record], read: Record | None) -> recist.TimePoint | None:
    targets, non_targets, new, days = [], [], [], []
    for record in found:
        if "size" in record.values and record["id"]:
            node = record.says("type", "node")
            lesion = recist.Lesion(record["id"], node, record["status"] or "ne", record["size"], record["date"])
            targets.append(lesion)
            days.append(record["date"])
        elif "equivocal" in record.values:
            if record["id"] and record["present"] == "yes":
                confirmed = {"yes": True, "no": False}.get(record["biopsy"])
                new.append(recist.NewLesion(record["date"], record["equivocal"] == "yes", confirmed))
        elif record["id"]:
            non_targets.append(record["status"] or "ne")
            days.append(record["date"])
    day = max((each for each in days if each), default=found[0].visited)
    waits = read is not None and read["unconfirmed"] == "yes"
    if day is None:
        return None
    return recist.TimePoint(day, tuple(targets), tuple(non_targets), tuple(new), unconfirmed=waits)


def rule(person: Person, parameters: Mapping[str, Parameter]) -> recist.Confirmation:
    """What the study asks of response and progression."""
    until = add_months(person.end, int(parameters["equivocal_months"].value)) if person.end else None
    return recist.Confirmation(
        int(parameters["response_confirmation_days"].value),
        7 * int(parameters["progression_weeks"].value),
        7 * int(parameters["progression_latest_weeks"].value),
        until,
        int(parameters["stable_days"].value),
    )


def first_stop(person: Person) -> date | None:
    """The day after which no response counts: progression, surgery of the breast, new therapy outside the plan."""
    history = person.history
    if history is None:
        return None
    days = [each.day for each in (*history.primary_progression, *history.other_progression)]
    days += [each.day for each in history.failures if each.what in (events.LOCAL, events.REGIONAL, events.DISTANT)]
    days += [each.day for each in history.operations if each.kinds & {events.LUMPECTOMY, events.MASTECTOMY}]
    days += [history.new_therapy] if history.new_therapy else []
    return min(days, default=None)


def best_until(person: Person, until: date | None, parameters: Mapping[str, Parameter]) -> str:
    """The best overall response up to a day; progression that stays equivocal does not count."""
    assert person.first_fraction is not None
    ends = [day for day in (first_stop(person), until) if day]
    counted = [each.response for each in person.assessments if each.response not in person.equivocal]
    return recist.best_response(counted, person.first_fraction, min(ends, default=None), rule(person, parameters))
