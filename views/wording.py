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
    "freeze": _l("Freeze"),
    "unfreeze": _l("Unfreeze"),
    "lock": _l("Lock"),
    "freeze items": _l("Freeze items"),
    "unfreeze items": _l("Unfreeze items"),
    "ask to unlock": _l("Ask to unlock"),
    "confirm unlock": _l("Decide on an unlocking"),
    "sign": _l("Sign"),
    "delegate": _l("Delegate"),
    "end delegation": _l("End a delegation"),
    "fetch checklist": _l("Fetch lock checklist"),
    "mark in error": _l("Mark in error"),
    "mark not done": _l("Mark not done"),
    "screen": _l("Screen participant"),
    "add unscheduled visit": _l("Add unscheduled visit"),
    "add visit": _l("Add visit"),
    "mark visit": _l("Mark visit"),
    "schedule visit": _l("Change visit"),
    "resolve duplicate": _l("Resolve possible duplicate"),
    "export": _l("Export data"),
    "download export": _l("Fetch export"),
    "download outputs": _l("Fetch tables, listings and figures"),
    "export outputs": _l("Make tables, listings and figures"),
    "cut data": _l("Name a data cut"),
    "export cut differences": _l("Fetch differences between cuts"),
    "print casebook": _l("Print casebook"),
    "download casebooks": _l("Fetch casebooks"),
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
    "view file": _l("View picture"),
    "raise query": _l("Raise query"),
    "answer query": _l("Answer query"),
    "comment query": _l("Comment on query"),
    "close query": _l("Close query"),
    "cancel query": _l("Cancel query"),
    "reopen query": _l("Reopen query"),
    "reassign query": _l("Pass query on"),
    "check run": _l("Nightly check run"),
    "activate version": _l("Activate study version"),
    "renew schedule": _l("Renew schedule"),
    "start amendment": _l("Begin moving forms"),
    "amend": _l("Move forms to a later version"),
    "finish amendment": _l("Finish moving forms"),
    "record deviation": _l("Record deviation"),
    "dismiss deviation": _l("Dismiss deviation"),
    "acknowledge deviation": _l("Acknowledge deviation"),
    "fetch deviations": _l("Fetch deviations"),
    "verify": _l("Verify against the source"),
    "withdraw verification": _l("Take back verification"),
    "plan verification": _l("Plan verification"),
    "open monitoring visit": _l("Begin monitoring visit"),
    "write monitoring visit": _l("Write in monitoring visit"),
    "finish monitoring visit": _l("Finish monitoring visit"),
    "review trail": _l("Sign off trail review"),
    "sign out elsewhere": _l("Sign out elsewhere"),
    "switch password profile": _l("Switch password profile"),
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
    "password_changed_at": _l("Password changed"),
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
    "paths": _l("Items"),
    "check_id": _l("Check"),
    "check_key": _l("Key of the check"),
    "reason_code": _l("Reason code"),
    "assignee": _l("Role that is asked"),
    "raised_by": _l("Raised by"),
    "raised_by_id": _l("Raised by (user)"),
    "raised_at": _l("Raised at"),
    "answered_at": _l("Answered at"),
    "closed_at": _l("Closed at"),
    "reopened": _l("Times reopened"),
    "changed_data": _l("Data changed"),
    "query_id": _l("Query"),
    "act": _l("Act"),
    "text": _l("Text"),
    "at": _l("At"),
    "by": _l("By"),
    "by_id": _l("By (user)"),
    "id": _l("Internal number"),
    "verified": _l("Verified"),
    "from_date": _l("From"),
    "to_date": _l("Until"),
    "scope": _l("What is verified"),
    "percent": _l("Share of participants in full, per cent"),
    "seed": _l("Seed of the sample"),
    "exempt": _l("Exempt items"),
    "kind": _l("Kind of visit"),
    "starts_on": _l("First day"),
    "ends_on": _l("Last day"),
    "monitor_name": _l("Monitor"),
    "present": _l("Who was present"),
    "summary": _l("Summary"),
    "actions": _l("Actions"),
    "report": _l("Report"),
    "finished_at": _l("Finished"),
    "outcome": _l("Conclusion"),
    "found": _l("Found"),
    "reviewer_name": _l("Reviewer"),
    "approval": _l("Ethics approval"),
    "activated_by": _l("Activated by"),
    "activated_at": _l("Activated"),
    "from_version_id": _l("Earlier study version"),
    "to_version_id": _l("Later study version"),
    "moved": _l("Moved"),
    "total": _l("In all"),
    "started_at": _l("Started"),
    "started_by": _l("Started by"),
    "source_form_data_id": _l("Form it comes from"),
    "form_data_id": _l("Form record"),
    "term_en": _l("Description (English)"),
    "term_zh": _l("Description (Chinese)"),
    "occurred": _l("Occurred"),
    "why": _l("Reason given"),
    "proposed_at": _l("Proposed"),
    "settled_by": _l("Settled by"),
    "settled_at": _l("Settled"),
    "acknowledged_by": _l("Acknowledged by"),
    "acknowledged_at": _l("Acknowledged"),
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
    "query": _l("Query"),
    "query_message": _l("Message of a query"),
    "review": _l("Review marks"),
    "sdv_plan": _l("Verification plan"),
    "monitoring_visit": _l("Monitoring visit"),
    "trail_review": _l("Trail review"),
    "activation": _l("Activation"),
    "amendment_run": _l("Run of an amendment"),
    "deviation": _l("Deviation"),
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
    "answered": _l("Answered"),
    "closed": _l("Closed"),
    "cancelled": _l("Cancelled"),
}

HIDDEN = {"manifest", "password_hash", "secret", "person_key", "name_key", "content", "files"}
HOUSEKEEPING = {"revision", "saved_at", "saved_by", "id", "position", "findings"}
# what every new row has: where it belongs, which its place says, and that nothing protects it yet
BELONGING = {"subject_id", "study_event_id", "version_id", "form_id", "repeat", "protection"}
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
    """The entries of a change in words, answers in the order of the form, and how many are housekeeping and therefore
    left to the full export.
    """
    shown, left = [], 0
    for entry in sorted(traced.entries, key=lambda each: _order(each["path"], forms)):
        table, key, column = _parts(entry["path"])
        name = column.split("/")[0]
        if name in HOUSEKEEPING or (name in BELONGING and entry.get("old") is None):
            left += 1
            continue
        line = _line(table, key, column, entry, forms)
        if line.old or line.new:
            shown.append(line)
        else:
            left += 1
    return shown, left


def _parts(path: str) -> tuple[str, str, str]:
    """Table, row and column (with what stands below it) of an entry."""
    table, _slash, rest = path.partition("/")
    key, _slash, column = rest.partition("/")
    return table, key, column


def _order(path: str, forms: dict[int, FormWords]) -> tuple[str, int, str, int]:
    """Where an entry stands in the list: answers as the form asks them, the rest as it was recorded."""
    table, key, column = _parts(path)
    words = forms.get(int(key)) if table == "form_data" and key.isdigit() else None
    if words is None or not column.startswith("answers/") or column.count("/") < 3:
        return f"{table}/{key}", 1, "", 0
    study = finding.design(words.version_id)
    _answers, group, row, item = column.split("/", 3)
    groups = [each.id for each in study.forms[words.form_id].groups] if words.form_id in study.forms else []
    place = groups.index(group) if group in groups else len(groups)
    items = [each.id for each in study.forms[words.form_id].groups[place].items] if place < len(groups) else []
    return f"{table}/{key}", 0, f"{place:03} {row:>6}", items.index(item) if item in items else len(items)


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
    if value is None or value in ("", [], {}):
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
