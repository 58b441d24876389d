"""Items the system fills by itself: numbers issued elsewhere and places in a sequence (type `auto`)."""

from typing import Any

from design import answers as documents
from design.definitions import FormDef, ItemDef
from workflows.finding import FormPlace


def fill(place: FormPlace, answers: dict[str, Any]) -> dict[str, Any]:
    """The answers with every automatic item set; one that has no value yet stays empty."""
    changes: list[tuple[str, Any]] = []
    for group in place.form.groups:
        if group.row_item:
            changes += [(f"{group.id}/{row}/{group.row_item}", row) for row in answers.get(group.id, {})]
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
    if item is None:
        return False
    form = place.study.forms[item.form_id]
    row_items = {group.row_item for group in form.groups}
    return item.type == "auto" or item.derive is not None or item.id in row_items


def paths_of(form: FormDef, kind: str, answers: dict[str, Any]) -> list[str]:
    """Where a form holds an automatic item of a kind."""
    return [
        f"{group.id}/{row}/{item.id}"
        for group in form.groups
        for item in group.items
        if item.auto == kind
        for row in (list(answers.get(group.id, {})) if group.repeats else ["1"])
    ]
