"""The places a query can ask about, read from an address and checked against the definitions: never a place nobody has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from design.definitions import FormDef, ItemGroupDef, StudyDef
from models import FormData, StudyEvent, Subject, User, db
from workflows import finding, states
from workflows.refusals import NotFound

MOST_PATHS = 20
_ROW = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True)
class Target:
    """A place: the participant, perhaps a visit, a form in it, and rows (`group/row`) or items (`group/row/item`)."""

    subject: Subject
    event: StudyEvent | None = None
    form_id: str | None = None
    repeat: int | None = None
    paths: tuple[str, ...] = ()
    data: FormData | None = None

    def protection(self) -> str:
        """What protects the place now; read anew."""
        if self.data is not None:
            db.session.refresh(self.data, ["protection"])
            return self.data.protection
        return states.protection_around(self.subject, self.event)


def target(
    user: User,
    subject_id: int,
    event_key: str = "",
    form_id: str = "",
    repeat: int | None = None,
    paths: Sequence[str] = (),
) -> Target:
    """The place that an address names, for somebody who raises queries there.

    Raises:
        NotFound: no such participant (for this user), visit, form, instance, row or item.
    """
    subject = finding.subject(user, subject_id, "raise query")
    if not event_key:
        return _without(form_id, paths, Target(subject))
    event = finding.event(subject, event_key)
    if not form_id:
        return _without(form_id, paths, Target(subject, event))
    return _in_form(subject, event, form_id, repeat or 1, tuple(dict.fromkeys(paths)))


def _without(form_id: str, paths: Sequence[str], found: Target) -> Target:
    if form_id or paths:
        raise NotFound
    return found


def _in_form(subject: Subject, event: StudyEvent, form_id: str, repeat: int, paths: tuple[str, ...]) -> Target:
    instances = finding.stored(event, form_id)
    data = next((each for each in instances if each.repeat == repeat), None)
    study = finding.design(data.version_id) if data else finding.design_for(subject.site)
    form = study.forms.get(form_id)
    if form is None or form.under or (data is None and (instances or repeat != 1)) or len(paths) > MOST_PATHS:
        raise NotFound
    if data is None and not _expected(study, event, form_id):
        raise NotFound
    for path in paths:
        _require_path(study, form, data, path)
    return Target(subject, event, form_id, repeat, paths, data)


def _expected(study: StudyDef, event: StudyEvent, form_id: str) -> bool:
    definition = study.events.get(event.event_id)
    return definition is not None and any(each.form_id == form_id for each in definition.forms)


def _require_path(study: StudyDef, form: FormDef, data: FormData | None, path: str) -> None:
    group_id, _slash, rest = path.partition("/")
    row, _slash, item_id = rest.partition("/")
    group = next((each for each in groups_of(study, form) if each.id == group_id), None)
    if group is None or not _has_row(study, group, data, row):
        raise NotFound
    if item_id and all(item.id != item_id for item in group.items):
        raise NotFound


def groups_of(study: StudyDef, form: FormDef) -> list[ItemGroupDef]:
    """All groups of a form's document, those of its child forms too."""
    return [*form.groups, *(group for child in form.children for group in study.forms[child].groups)]


def _has_row(study: StudyDef, group: ItemGroupDef, data: FormData | None, row: str) -> bool:
    if not group.repeats:
        return row == "1"
    if data is not None and row in data.answers.get(group.id, {}):
        return True
    if group.rows is not None:
        return row in study.tables[group.rows.table].rows
    return _ROW.fullmatch(row) is not None
