"""Items the system fills by itself: numbers issued elsewhere and places in a sequence (type `auto`)."""

from typing import Any

from design import answers as documents
from design.definitions import FormDef, ItemDef
from workflows.finding import FormPlace


def fill(place: FormPlace, answers: dict[str, Any]) -> dict[str, Any]:
    """The answers with every automatic item set; one that has no value yet stays empty."""
    changes: list[tuple[str, Any]] = []
    for group in place.form.groups:
        for item in group.items:
            if item.type != "auto":
                continue
            for row in ["1"] if not group.repeats else list(answers.get(group.id, {})):
                changes.append((f"{group.id}/{row}/{item.id}", _value(place, item, row)))
    return documents.apply(answers, changes) if changes else answers


def _value(place: FormPlace, item: ItemDef, row: str) -> str | None:
    values = {
        "screening_number": place.subject.screening_number,
        "subject_number": place.subject.number,
        "repeat": str(place.repeat),
        "row": row,
        "event_number": str(place.study.events[place.event.event_id].number + place.event.repeat - 1),
        "protocol": place.study.protocol,
        "version": str(place.study.version),
    }
    return values.get(item.auto or "")


def is_automatic(place: FormPlace, path: str) -> bool:
    """Whether the item at a path is filled by the system (automatic or derived), not by a person."""
    item = place.study.items.get(path.rsplit("/", 1)[-1])
    return item is not None and (item.type == "auto" or item.derive is not None)


def paths_of(form: FormDef, kind: str, answers: dict[str, Any]) -> list[str]:
    """Where a form holds an automatic item of a kind."""
    return [
        f"{group.id}/{row}/{item.id}"
        for group in form.groups
        for item in group.items
        if item.auto == kind
        for row in (list(answers.get(group.id, {})) if group.repeats else ["1"])
    ]
