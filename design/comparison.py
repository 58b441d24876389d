"""What differs between two versions of a study."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from design.definitions import CodeList, EventForm, Label, StudyDef
from design.expressions import Expression

COUNTED = ("catalogue_items",)  # follows from what is compared anyway


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing added, removed or changed."""

    kind: str  # added, removed, changed
    path: str
    old: Any
    new: Any


def compare(old: StudyDef, new: StudyDef, language: str = "en") -> list[Difference]:
    """Everything that differs but the number of the version: names, rules, parameters, events, codes, forms, checks.

    What was added or removed is called by its name in `language`.
    """
    found: list[Difference] = []
    for name in ("label", "protocol", "languages", "rules"):
        found += _values(name, getattr(old, name), getattr(new, name))
    found += _values("deviations", old.deviations, new.deviations)
    found += _values("missing", old.missing.id, new.missing.id)  # its codes stand under codelists
    for name in ("parameters", "sites", "anchors", "projected", "lifecycle", "events", "codelists", "forms"):
        found += _maps(name, getattr(old, name), getattr(new, name))
    found += _maps("checks", {check.id: check for check in old.checks}, {check.id: check for check in new.checks})
    found += _maps("tables", {k: t.rows for k, t in old.tables.items()}, {k: t.rows for k, t in new.tables.items()})
    return [replace(each, old=_brief(each.old, language), new=_brief(each.new, language)) for each in found]


def _maps(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    for key in [*old, *(key for key in new if key not in old)]:
        where = f"{path}/{key}"
        if key not in new:
            yield Difference("removed", where, old[key], None)
        elif key not in old:
            yield Difference("added", where, None, new[key])
        else:
            yield from _values(where, old[key], new[key])


def _values(path: str, old: Any, new: Any) -> Iterator[Difference]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _maps(path, old, new)
    elif is_dataclass(old) and type(old) is type(new) and not isinstance(old, Expression):
        for field in fields(old):
            if not field.name.startswith("_") and field.name not in COUNTED:
                yield from _values(f"{path}/{field.name}", getattr(old, field.name), getattr(new, field.name))
    elif isinstance(old, tuple) and isinstance(new, tuple) and all(hasattr(each, "id") for each in (*old, *new)):
        yield from _maps(path, {each.id: each for each in old}, {each.id: each for each in new})
    else:
        yield Difference("changed", path, old, new)


def _brief(value: Any, language: str) -> Any:
    """A value as people read it: what has a name by its name, lists and rows by what they hold."""
    if value is None:
        return None
    if isinstance(value, Label):
        return value.text(language)
    if isinstance(value, EventForm):
        return value.form_id + ("" if value.required else "?")
    if isinstance(value, CodeList):
        return ", ".join(value.codes)
    if isinstance(value, tuple):
        return ", ".join("" if each is None else str(_brief(each, language)) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {held}" for key, held in value.items() if held)
    label = getattr(value, "label", None)
    if label is not None:
        return label.text(language)
    if is_dataclass(value) and not isinstance(value, Expression):
        return ", ".join(f"{field.name} {getattr(value, field.name)}" for field in fields(value))
    return str(value)
