"""The words for what the trail and the tables hold: actions, tables, columns, statuses, in the page's
language.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from design import answers as documents
from design.definitions import ItemDef, Label, StudyDef
from views.shell import language, study_label
from workflows import access, finding
from workflows.tracing import FormWords, Traced

ACTIONS = {
    "save form": _l("Save form"),
    "mark in error": _l("Mark in error"),
    "mark not done": _l("Mark not done"),
    "screen": _l("Screen participant"),
    "add unscheduled visit": _l("Add unscheduled visit"),
    "add visit": _l("Add visit"),
    "mark visit": _l("Mark visit"),
    "schedule visit": _l("Change visit"),
    "resolve duplicate": _l("Resolve possible duplicate"),
    "export": _l("Export data"),
    "fetch export": _l("Fetch export"),
    "publish": _l("Publish study version"),
    "sign in": _l("Sign in"),
    "sign in refused": _l("Sign-in refused"),
    "sign out": _l("Sign out"),
    "create user": _l("Create user"),
    "grant role": _l("Grant role"),
    "end grant": _l("Take back role"),
    "deactivate user": _l("Close account"),
    "reactivate user": _l("Open account again"),
    "reset password": _l("Reset password"),
    "change password": _l("Change password"),
    "end sessions": _l("End sessions"),
}

COLUMNS = {
    "username": _l("User name"),
    "name_key": _l("User name as compared"),
    "full_name": _l("Full name"),
    "password_hash": _l("Password"),
    "must_change_password": _l("Password is temporary"),
    "active": _l("Account open"),
    "language": _l("Language"),
    "created_at": _l("Created"),
    "role": _l("Role"),
    "user_id": _l("User"),
    "site_id": _l("Site"),
    "starts_at": _l("From"),
    "ends_at": _l("Until"),
    "screening_number": _l("Screening number"),
    "number": _l("Enrolment number"),
    "place": _l("Place among the study's number"),
    "status": _l("Status"),
    "previous_id": _l("Earlier screening"),
    "person_key": _l("Identity mark"),
    "possible_duplicate": _l("Possible duplicate"),
    "event_id": _l("Visit"),
    "study_event_id": _l("Visit"),
    "subject_id": _l("Participant"),
    "form_id": _l("Form"),
    "repeat": _l("Instance"),
    "position": _l("Order"),
    "target": _l("Planned date"),
    "opens": _l("Window opens"),
    "closes": _l("Window closes"),
    "projected": _l("Date is projected"),
    "visit_date": _l("Visit date"),
    "state": _l("State of the visit"),
    "reason": _l("Reason"),
    "version_id": _l("Study version"),
    "entry": _l("Entry"),
    "protection": _l("Protection"),
    "in_error": _l("In error because"),
    "answers": _l("Answers"),
    "findings": _l("Findings"),
    "overrides": _l("Reasons for answers outside the protocol"),
    "revision": _l("Revision"),
    "saved_at": _l("Saved at"),
    "saved_by": _l("Saved by"),
    "formats": _l("Formats"),
    "site_codes": _l("Sites"),
    "file_name": _l("File"),
    "sha256": "SHA-256",
    "size": _l("Size"),
    "manifest": _l("Manifest"),
    "made_at": _l("Made at"),
    "study_id": _l("Study"),
    "oid": _l("Study"),
    "secret": _l("Secret"),
    "current_version_id": _l("Current study version"),
    "files": _l("Definition files"),
    "published_at": _l("Published"),
    "code": _l("Site code"),
    "name_en": _l("English name"),
    "name_zh": _l("Chinese name"),
    "timezone": _l("Time zone"),
    "media_type": _l("Kind of file"),
    "content": _l("Content of the file"),
    "id": _l("Internal number"),
}

TABLES = {
    "app_user": _l("Account"),
    "access_grant": _l("Role"),
    "subject": _l("Participant"),
    "study_event": _l("Visit"),
    "form_data": _l("Form"),
    "export": _l("Export"),
    "study": _l("Study"),
    "study_version": _l("Study version"),
    "site": _l("Site"),
    "stored_file": _l("File"),
}

STATUSES = {
    "screening": _l("Screening"),
    "consented": _l("Consented"),
    "eligible": _l("Eligible"),
    "screen_failed": _l("Screen failure"),
    "enrolled": _l("Enrolled"),
    "on_treatment": _l("On treatment"),
    "follow_up": _l("In follow-up"),
    "ended": _l("Ended"),
    "withdrawn": _l("Withdrawn"),
    "dead": _l("Dead"),
    "planned": _l("Planned"),
    "projected": _l("Projected"),
    "due": _l("Due"),
    "overdue": _l("Overdue"),
    "missed": _l("Missed"),
    "done": _l("Done"),
    "not_done": _l("Not done"),
    "not_applicable": _l("Not applicable"),
    "not_started": _l("Not started"),
    "in_progress": _l("In progress"),
    "complete": _l("Complete"),
    "open": _l("Open"),
    "frozen": _l("Frozen"),
    "locked": _l("Locked"),
}

HIDDEN = {"password_hash", "secret", "person_key", "name_key", "content", "files"}
HOUSEKEEPING = {"revision", "saved_at", "saved_by", "id", "position", "findings"}
SHORTENED = 300


@dataclass(frozen=True)
class Line:
    """One entry of a change as a person reads it."""

    label: str
    code: str
    old: str
    new: str
    by_system: bool


def status_name(status: str) -> str:
    """The word for a status of a participant, visit or form."""
    return str(STATUSES.get(status, status))


def action_name(action: str) -> str:
    """The word for a kind of change."""
    return str(ACTIONS.get(action, action))


def form_ids_of(changes: Iterable[Traced]) -> set[int]:
    """The stored forms that some changes speak of."""
    paths = [entry["path"] for traced in changes for entry in traced.entries]
    paths += [traced.change.about or "" for traced in changes]
    return {int(parts[1]) for parts in (path.split("/") for path in paths) if parts[0] == "form_data" and _is_id(parts)}


def _is_id(parts: list[str]) -> bool:
    return len(parts) > 1 and parts[1].isdigit()


def user_ids_of(changes: Iterable[Traced]) -> set[int]:
    """The people who did something, and those whose accounts were touched."""
    abouts = [(traced.change.about or "").split("/") for traced in changes]
    touched = {int(parts[1]) for parts in abouts if parts[0] == "app_user" and _is_id(parts)}
    return touched | {traced.change.user_id for traced in changes if traced.change.user_id}


def where(
    traced: Traced, forms: dict[int, FormWords], subjects: dict[int, str], names: dict[int, str] | None = None
) -> str:
    """What a change is about: `01-007 · Screening · Vital signs`."""
    change = traced.change
    subject = subjects.get(change.subject_id or 0, "")
    parts = (change.about or "").split("/")
    if parts[0] == "form_data" and _is_id(parts) and int(parts[1]) in forms:
        words = forms[int(parts[1])]
        study = finding.design(words.version_id)
        return " · ".join(
            [words.subject, event_name(study, words.event_key), form_name(study, words.form_id, words.repeat)]
        )
    if subject:
        return subject
    if parts[0] == "app_user" and _is_id(parts):
        return f"{TABLES['app_user']} {(names or {}).get(int(parts[1]), parts[1])}"
    return f"{TABLES[parts[0]]} {'/'.join(parts[1:])}".strip() if parts[0] in TABLES else ""


def event_name(study: StudyDef, key: str) -> str:
    """A visit's name; the second and later of a repeating one with their number."""
    event_id, _dot, repeat = key.partition(".")
    definition = study.events.get(event_id)
    name = study_label(definition) if definition else event_id
    return f"{name} {repeat}" if repeat else name


def form_name(study: StudyDef, form_id: str, repeat: int = 1) -> str:
    """A form's name; the second and later instance with its number."""
    form = study.forms.get(form_id)
    name = study_label(form) if form else form_id
    return f"{name} #{repeat}" if repeat > 1 or (form is not None and form.repeats) else name


def lines(traced: Traced, forms: dict[int, FormWords]) -> tuple[list[Line], int]:
    """The entries of a change in words, and how many are housekeeping and therefore left to the full
    export.
    """
    shown, left = [], 0
    for entry in traced.entries:
        table, _slash, rest = entry["path"].partition("/")
        key, _slash, column = rest.partition("/")
        if column.split("/")[0] in HOUSEKEEPING:
            left += 1
            continue
        shown.append(_line(table, key, column, entry, forms))
    return shown, left


def _line(table: str, key: str, column: str, entry: dict[str, Any], forms: dict[int, FormWords]) -> Line:
    by_system = bool(entry.get("source"))
    words = forms.get(int(key)) if table == "form_data" and key.isdigit() else None
    if words is not None and column.startswith("answers/"):
        study = finding.design(words.version_id)
        path = column.split("/")
        item = study.items.get(path[-1]) if len(path) > 3 else None
        row = f" [{path[2]}]" if len(path) > 3 and path[2] != "1" else ""
        label = f"{study_label(item)}{row}" if item is not None else "/".join(path[1:])
        if path[-1] == documents.ERROR:
            label = f"{COLUMNS['in_error']}{row}"
        old, new = (_answer(study, item, entry.get(side)) for side in ("old", "new"))
        return Line(label, "/".join(path[1:]), old, new, by_system)
    name = column.split("/")[0]
    label = f"{TABLES.get(table, table)} · {COLUMNS.get(name, name)}" + column[len(name) :].replace("/", " · ")
    if name in HIDDEN:
        return Line(label, entry["path"], _hidden(entry["old"]), _hidden(entry["new"]), by_system)
    return Line(label, entry["path"], plain(name, entry["old"]), plain(name, entry["new"]), by_system)


def _hidden(value: Any) -> str:
    return "" if value is None else _("(not shown)")


def plain(column: str, value: Any) -> str:
    """A stored value that is not an answer, as text."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if column == "role":
        return access.ROLES.get(value, (value, value))[language() == "zh"]
    if column in ("status", "state", "entry", "protection"):
        return status_name(str(value))
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = str(value)
    return text if len(text) <= SHORTENED else text[:SHORTENED] + " …"


def _answer(study: StudyDef, item: ItemDef | None, cell: Any) -> str:
    """An answer as the page shows it: the label of a code with the code, a missing reason in words."""
    if cell is None:
        return ""
    if documents.is_missing_reason(cell):
        return _decoded(study.missing.codes, cell["missing"])
    if isinstance(cell, dict):
        return str(cell.get("name") or cell.get("file") or cell)
    options = study.options_for(item) if item is not None else {}
    return ", ".join(_decoded(options, value) for value in (cell if isinstance(cell, list) else [cell]))


def _decoded(options: dict[str, Label], code: Any) -> str:
    label = options.get(code) if isinstance(code, str) else None
    return f"{study_label(label)} ({code})" if label is not None else plain("", code)
