"""What a form offers besides code lists: other records, people of the site; and what records are called."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import g

from design.answers import ERROR, is_missing_reason
from design.definitions import FormDef, ItemDef, StudyDef
from forms.crf_layout import layout_of, say
from forms.crf_parts import State
from forms.crf_words import cell_text
from models import FormData
from views.shell import language
from workflows import finding, recording
from workflows.finding import FormPlace

Options = dict[str, tuple[tuple[str, str], ...]]


def options(place: FormPlace) -> Options:
    """Value and label of everything that reference and user items of this form may take."""
    made: dict[str, Options] = g.setdefault("form_choices", {})
    key = f"{place.address}:{place.version_id}"
    if key not in made:
        made[key] = _options(place)
    return made[key]


def allowed(place: FormPlace) -> dict[str, frozenset[str]]:
    """The values themselves, by item."""
    return {item: frozenset(value for value, _label in offered) for item, offered in options(place).items()}


def _options(place: FormPlace) -> Options:
    items = [face.item for block in layout_of(place.study, place.form, language()).blocks for face in block.faces]
    found: dict[str, list[tuple[str, str]]] = {}
    forms: list[FormData] | None = None
    for item in items:
        if item.type == "user":
            people = finding.people_at(place.subject.site_id)
            found[item.id] = [(person.username, person.full_name) for person in people]
        elif item.type == "ref":
            forms = recording.forms_of(place.subject) if forms is None else forms
            found[item.id] = list(_references(place, item, forms))
    stored = place.data.answers if place.data else {}
    return {item: (*offered, *_kept(stored, item, offered)) for item, offered in found.items()}


def _kept(stored: Mapping[str, Any], item_id: str, offered: list[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """What is stored stays choosable, though the person left or the record was marked in error since."""
    known = {value for value, _label in offered}
    cells = (cells.get(item_id) for rows in stored.values() for cells in rows.values())
    return [(cell, cell) for cell in dict.fromkeys(c for c in cells if isinstance(c, str)) if cell not in known]


def _references(place: FormPlace, item: ItemDef, forms: Iterable[FormData]) -> Iterable[tuple[str, str]]:
    for data in forms:
        if data.in_error is not None:
            continue
        for target in item.refers:
            form = place.study.forms[target]
            head = f"{data.study_event.key}/{data.form_id}/{data.repeat}"
            if data.form_id == target:
                yield head, instance_name(place.study, form, data.answers, data.repeat, language())
            elif form.under == data.form_id:
                for row, cells in data.answers.get(form.groups[0].id, {}).items():
                    if ERROR not in cells:
                        name = _named(place.study, form, cells, language()) or row
                        yield f"{head}/{row}", f"{say(form.label, language())} {data.repeat}.{row} {name}"


def instance_name(study: StudyDef, form: FormDef, answers: Mapping[str, Any], repeat: int, tongue: str) -> str:
    """What a record is called in lists: its number and the items that name it."""
    cells = {
        item: cell
        for rows in answers.values()
        for row in rows.values()
        if isinstance(row, dict)
        for item, cell in row.items()
    }
    return f"{repeat} · {_named(study, form, cells, tongue)}".rstrip(" ·")


def _named(study: StudyDef, form: FormDef, cells: Mapping[str, Any], tongue: str) -> str:
    given = {name: cells.get(name) for name in form.title if not is_missing_reason(cells.get(name))}
    texts = (cell_text(study, study.items.get(name), cell, tongue) for name, cell in given.items())
    return " · ".join(text for text in texts if text)


def instance_label(place: FormPlace, state: State) -> str:
    """Which one of a repeating form this is."""
    if not place.form.repeats:
        return ""
    return instance_name(place.study, place.form, state.answers, place.repeat, language())


def row_labels(place: FormPlace, answers: Mapping[str, Any], tongue: str) -> dict[str, str]:
    """Names of the rows of child forms, by `<group>/<row>`."""
    found = {}
    for block in layout_of(place.study, place.form, tongue).blocks:
        if block.child is not None and block.layout == "cards":
            for row, cells in answers.get(block.id, {}).items():
                name = _named(place.study, block.child, cells, tongue)
                found[f"{block.id}/{row}"] = f"{block.title} {row}" + (f" · {name}" if name else "")
    return found


def path_label(study: StudyDef, path: str, tongue: str) -> str:
    """An item's label, with its row where it repeats."""
    row, item_id = path.split("/", 1)[1].rsplit("/", 1) if path.count("/") > 1 else ("1", path)
    item = study.items.get(item_id)
    label = say(item.label, tongue) if item is not None else item_id
    return label if row == "1" else f"{label} [{row}]"
