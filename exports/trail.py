"""The audit trail as a table: one row per entry, readable without code tables, streamed in constant memory
(AUD-08).

OLD and NEW are for reading; OLD_JSON and NEW_JSON hold the stored values exactly. Identifiers and secrets
keep their row, so that the count equals the database, but not their value.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Select, Text, or_, select, type_coerce

from design.definitions import StudyDef
from exports import as_csv
from exports.tables import Scope
from models import Change, ChangeEntries, FormData, Site, StudyEvent, Subject

COLUMNS = (
    "CHAIN", "SEQ", "ENTRY", "AT", "USER", "ROLE", "SITEID", "SUBJECT", "ACTION", "ABOUT", "REASON",
    "PATH", "EVENT", "EVENT_REPEAT", "FORM", "FORM_REPEAT", "GROUP", "ROW", "ITEM", "ITEM_EN", "ITEM_ZH",
    "OLD", "NEW", "SOURCE", "DETAIL", "LINK", "OLD_JSON", "NEW_JSON",
)  # fmt: skip
SECRET_COLUMNS = frozenset({"password_hash", "secret", "person_key", "token_hash"})
LONGEST = 4_000  # of a document shown for reading; the JSON columns hold all of it
WITHHELD = "[withheld]"
SYSTEM_CHAIN = "system"


def write(connection: Connection, scope: Scope, study_oid: str, path: Path) -> int:
    """Write the trail of the scope; with all sites, the system's own trail (sign-ins, users) as well. Returns
    rows.
    """
    return as_csv.write_rows(path, list(COLUMNS), rows(connection, scope, study_oid))


def rows(connection: Connection, scope: Scope, study_oid: str) -> Iterator[list[Any]]:
    """One row per entry, in the order of the chain; a change without entries (a sign-in) has one row too."""
    places = places_of_forms(connection)
    sites = dict(connection.execute(select(Site.id, Site.code)).all())
    subjects = dict(connection.execute(select(Subject.id, Subject.screening_number)).all())
    items = labels_of_items(scope)
    for row in connection.execution_options(yield_per=1000).execute(_select(scope, study_oid)):
        entries = orjson.loads(row.entries) if row.entries else []
        head = [row.chain, row.seq]
        who = [row.at.isoformat(timespec="microseconds").replace("+00:00", "Z"), row.user_name, row.role]
        about = [sites.get(row.site_id), subjects.get(row.subject_id), row.action, row.about, row.reason]
        tail = [row.detail, row.link]
        for number, entry in enumerate(entries or [{}], start=1):
            yield [*head, number if entries else 0, *who, *about, *_entry(entry, places, items, scope, tail)]


def _select(scope: Scope, study_oid: str) -> Select[*tuple[Any, ...]]:
    selection = (
        select(
            Change.chain,
            Change.seq,
            Change.at,
            Change.user_name,
            Change.role,
            Change.site_id,
            Change.subject_id,
            Change.action,
            Change.about,
            Change.link,
            ChangeEntries.reason,
            type_coerce(ChangeEntries.detail, Text).label("detail"),
            type_coerce(ChangeEntries.entries, Text).label("entries"),
        )
        .join(ChangeEntries, ChangeEntries.change_id == Change.id, isouter=True)
        .order_by(Change.chain, Change.seq)
    )
    if scope.site_ids is None:
        return selection.where(or_(Change.chain == study_oid, Change.chain == SYSTEM_CHAIN))
    return selection.where(Change.chain == study_oid, Change.site_id.in_(scope.site_ids))


def places_of_forms(connection: Connection) -> dict[str, tuple[Any, ...]]:
    """Which event and form a stored document is: event, its repeat, form, its repeat."""
    selection = select(
        FormData.id,
        StudyEvent.event_id,
        StudyEvent.repeat,
        FormData.form_id,
        FormData.repeat.label("form_repeat"),
    ).join(StudyEvent, StudyEvent.id == FormData.study_event_id)
    return {str(row[0]): tuple(row[1:]) for row in connection.execute(selection)}


def labels_of_items(scope: Scope) -> dict[str, tuple[str, str, bool]]:
    """Label of each item in the newest version that has it, and whether any version masks it."""
    items: dict[str, tuple[str, str, bool]] = {}
    studies: list[StudyDef] = [study for _, study in sorted(scope.studies.items())]
    for study in studies:
        for item in study.items.values():
            masked = bool(item.masked) or items.get(item.id, ("", "", False))[2]
            items[item.id] = (item.label.en, item.label.zh, masked)
    return items


def _entry(
    entry: dict[str, Any],
    places: dict[str, tuple[Any, ...]],
    items: dict[str, tuple[str, str, bool]],
    scope: Scope,
    tail: list[Any],
) -> list[Any]:
    path = entry.get("path")
    parts = path.split("/") if path else []
    place: tuple[Any, ...] = (None, None, None, None)
    group = row = item = None
    if parts and parts[0] == "form_data":
        place = places.get(parts[1], place)
        if len(parts) == 6:
            group, row, item = parts[3:]
    en, zh, masked = items.get(item or "", (None, None, False))
    old, new = entry.get("old"), entry.get("new")
    if (masked and not scope.with_masked) or (parts and parts[-1] in SECRET_COLUMNS):
        old, new = (value if value is None else WITHHELD for value in (old, new))
    return [
        path, *place, group, row, item, en, zh,
        readable(old), readable(new), entry.get("source"), *tail, _json(old), _json(new),
    ]  # fmt: skip


def readable(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict) and set(value) == {"missing"}:
        return f"[{value['missing']}]"
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ";".join(value)
    text = _json(value) or ""
    return text if len(text) <= LONGEST else text[:LONGEST] + " … [OLD_JSON, NEW_JSON]"


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
