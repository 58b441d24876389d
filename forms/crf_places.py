"""Which names may be posted for a form: its groups, their rows and items, and the checks of the study."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from design.definitions import FormDef, ItemDef, ItemGroupDef, StudyDef

Answers = dict[str, Any]
MOST_ROWS = 500
ROW = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True)
class PostedGroup:
    """A group as it may be posted."""

    group: ItemGroupDef
    items: Mapping[str, ItemDef]
    repeats: bool
    row_keys: frozenset[str] | None  # of pre-listed rows


_PLACES: dict[tuple[int, str], tuple[StudyDef, dict[str, PostedGroup]]] = {}


def places_of(study: StudyDef, form: FormDef) -> dict[str, PostedGroup]:
    """The groups that may be posted on a form's page, child forms included; made once per version."""
    made = _PLACES.get((id(study), form.id))
    if made is None or made[0] is not study:
        children = [study.forms[child_id] for child_id in form.children]
        places = {group.id: _place(study, group, group.repeats) for group in form.groups}
        places |= {group.id: _place(study, group, True) for child in children for group in child.groups}
        made = _PLACES[(id(study), form.id)] = (study, places)
    return made[1]


def _place(study: StudyDef, group: ItemGroupDef, repeats: bool) -> PostedGroup:
    items = {
        item.id: item
        for item in group.items
        if item.derive is None and item.type != "auto" and (item.id != group.row_item or group.rows is None)
    }
    keys = frozenset(study.tables[group.rows.table].rows) if group.rows is not None else None
    return PostedGroup(group, items, repeats, keys)


_CHECKS: dict[int, tuple[StudyDef, frozenset[str]]] = {}


def check_ids(study: StudyDef) -> frozenset[str]:
    """The ids of all checks of a study."""
    made = _CHECKS.get(id(study))
    if made is None or made[0] is not study:
        forms = study.forms.values()
        checks = [*study.checks, *(c for form in forms for c in form.checks)]
        checks += [check for item in study.items.values() for check in item.checks]
        made = _CHECKS[id(study)] = (study, frozenset(check.id for check in checks))
    return made[1]


def rows_of(answers: Answers, group_id: str) -> list[str]:
    """The row keys a document holds for a group."""
    return list(answers.get(group_id, {}))
