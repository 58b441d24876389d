"""The audit trail as an ODM 1.3.2 Transactional file: every entry about an answer as ItemData with its AuditRecord.

Order is that of the chain. `SourceID` names the change (chain and number), so each record can be found in the system.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection, Text, select, type_coerce

from design import answers as documents
from design.definitions import StudyDef
from exports.odm import oids
from exports.odm.admin import SYSTEM, People
from exports.odm.clinical import flag, instant, value_of
from exports.odm.metadata import Xml
from exports.tables import Scope
from models import Change, ChangeEntries, FormData, Site, StudyEvent, Subject


@dataclass(frozen=True)
class _Place:
    """Where a stored form stands."""

    subject: str
    site: str
    event_id: str
    event_repeat: int
    form_id: str
    repeat: int
    version_id: int


def write(xml: Xml, connection: Connection, scope: Scope, study_oid: str, people: People) -> int:
    """All changes of answers in scope; returns how many audit records were written."""
    places, count = _places(connection, scope), 0
    transactions = _transactions(connection, scope, study_oid, places)
    for version_id, found in groupby(transactions, key=lambda each: each[1].version_id):
        study = scope.versions[version_id]
        with xml.inside("ClinicalData", StudyOID=oids.study(study_oid), MetaDataVersionOID=oids.version(study.version)):
            for change, place, entries in found:
                count += _transaction(xml, study, scope, people, change, place, entries)
    return count


def _places(connection: Connection, scope: Scope) -> dict[str, _Place]:
    selection = (
        select(
            FormData.id,
            Subject.number,
            Subject.screening_number,
            Site.code,
            StudyEvent.event_id,
            StudyEvent.repeat.label("event_repeat"),
            FormData.form_id,
            FormData.repeat,
            FormData.version_id,
        )
        .join(StudyEvent, StudyEvent.id == FormData.study_event_id)
        .join(Subject, Subject.id == FormData.subject_id)
        .join(Site, Site.id == Subject.site_id)
    )
    if scope.site_ids is not None:
        selection = selection.where(Site.id.in_(scope.site_ids))
    return {
        str(row.id): _Place(
            row.number or row.screening_number, row.code, row.event_id, row.event_repeat, row.form_id, row.repeat,
            row.version_id,
        )
        for row in connection.execute(selection)
    }  # fmt: skip


def _transactions(
    connection: Connection, scope: Scope, chain: str, places: dict[str, _Place]
) -> Iterator[tuple[Any, _Place, list[tuple[list[str], dict[str, Any]]]]]:
    """Each change with the entries about the answers of one form."""
    selection = (
        select(
            Change.chain,
            Change.seq,
            Change.at,
            Change.user_id,
            Change.user_name,
            ChangeEntries.reason,
            type_coerce(ChangeEntries.entries, Text).label("entries"),
        )
        .join(ChangeEntries, ChangeEntries.change_id == Change.id)
        .where(Change.chain == chain)
        .order_by(Change.seq)
    )
    for change in connection.execution_options(yield_per=500).execute(selection):
        of_forms: dict[str, list[tuple[list[str], dict[str, Any]]]] = {}
        for entry in orjson.loads(change.entries):
            parts = entry["path"].split("/")
            if parts[0] == "form_data" and parts[2] == "answers" and len(parts) == 6 and parts[1] in places:
                of_forms.setdefault(parts[1], []).append((parts, entry))
        for key, entries in of_forms.items():
            yield change, places[key], entries


def _transaction(
    xml: Xml,
    study: StudyDef,
    scope: Scope,
    people: People,
    change: Any,
    place: _Place,
    entries: list[tuple[list[str], dict[str, Any]]],
) -> int:
    count = 0
    with (
        xml.inside("SubjectData", SubjectKey=place.subject, TransactionType="Context"),
        xml.inside(
            "StudyEventData",
            StudyEventOID=oids.event(place.event_id),
            StudyEventRepeatKey=place.event_repeat,
            TransactionType="Context",
        ),
        xml.inside(
            "FormData",
            FormOID=oids.form(place.form_id),
            FormRepeatKey=place.repeat,
            TransactionType="Context",
        ),
    ):
        for (group, row), cells in groupby(entries, key=lambda each: (each[0][3], each[0][4])):
            with xml.inside(
                "ItemGroupData", ItemGroupOID=oids.group(group), ItemGroupRepeatKey=row, TransactionType="Context"
            ):
                for parts, entry in cells:
                    item = study.items.get(parts[5])
                    if item is not None and (scope.with_masked or not item.masked):
                        _cell(xml, study, parts[5], entry, change, place)
                        count += 1
    return count


def _cell(xml: Xml, study: StudyDef, item_id: str, entry: dict[str, Any], change: Any, place: _Place) -> None:
    old, new = entry["old"], entry["new"]
    kind = "Insert" if old is None else "Remove" if new is None else "Update"
    told = {"IsNull": "Yes"} if new is None or documents.is_missing_reason(new) else {"Value": value_of(new)}
    with xml.inside("ItemData", ItemOID=oids.item(item_id), TransactionType=kind, **told):
        _audit(xml, change, entry.get("source"), place)
        if documents.is_missing_reason(new):
            with xml.inside("Annotation", SeqNum=1):
                flag(xml, study, new["missing"])


def _audit(xml: Xml, change: Any, source: str | None, place: _Place) -> None:
    """Who, where, when, why. What the system derived is the system's, not the person's who saved (AUD-14)."""
    with xml.inside("AuditRecord", EditPoint="DBAudit" if source else "DataManagement"):
        user = oids.user(None, source) if source else oids.user(change.user_id, change.user_name)
        xml.empty("UserRef", UserOID=user)
        xml.empty("LocationRef", LocationOID=SYSTEM if source else oids.site(place.site))
        xml.text("DateTimeStamp", instant(change.at))
        if change.reason:
            xml.text("ReasonForChange", change.reason)
        xml.text("SourceID", f"{change.chain}/{change.seq}")
