"""Answers as ODM 1.3.2 clinical data: a snapshot of every form as it stands, streamed participant by participant."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection, Text, select, type_coerce

from design import answers as documents
from design.definitions import StudyDef
from exports.odm import oids
from exports.odm.metadata import Xml
from exports.tables import Scope
from models import FormData, Query, QueryMessage, Signature, SignedForm, Site, StudyEvent, Subject

NOT_DONE = "_form"  # where a form that was not done at all keeps its reason


def write(xml: Xml, connection: Connection, scope: Scope, study_oid: str) -> None:
    """One ClinicalData element for each version of the design under which something was answered."""
    signatures, queries = _signatures(connection), _queries(connection)
    for version_id, study in scope.versions.items():
        rows = _rows(connection, scope, version_id)
        first = next(rows, None)
        if first is None:
            continue
        with xml.inside("ClinicalData", StudyOID=oids.study(study_oid), MetaDataVersionOID=oids.version(study.version)):
            _subjects(xml, study, scope, _chained(first, rows), signatures, queries)


def _chained(first: Any, rows: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rows


def _rows(connection: Connection, scope: Scope, version_id: int) -> Iterator[Any]:
    selection = (
        select(
            Subject.id.label("subject_id"),
            Subject.number,
            Subject.screening_number,
            Site.code,
            StudyEvent.id.label("visit"),
            StudyEvent.event_id,
            StudyEvent.repeat.label("event_repeat"),
            FormData.id,
            FormData.form_id,
            FormData.repeat,
            FormData.in_error,
            type_coerce(FormData.answers, Text).label("answers"),
        )
        .join(StudyEvent, StudyEvent.id == FormData.study_event_id)
        .join(Subject, Subject.id == FormData.subject_id)
        .join(Site, Site.id == Subject.site_id)
        .where(FormData.version_id == version_id, Site.study_id == scope.study_id)
        .order_by(Subject.id, StudyEvent.position, StudyEvent.id, FormData.form_id, FormData.repeat)
    )
    if scope.site_ids is not None:
        selection = selection.where(Site.id.in_(scope.site_ids))
    if not scope.with_errors:
        selection = selection.where(FormData.in_error.is_(None))
    return iter(connection.execution_options(yield_per=500).execute(selection))


def _subjects(
    xml: Xml,
    study: StudyDef,
    scope: Scope,
    rows: Iterator[Any],
    signatures: dict[int, Any],
    queries: dict[tuple[Any, ...], list[str]],
) -> None:
    for _, of_subject in groupby(rows, key=lambda row: row.subject_id):
        first = next(of_subject)
        with xml.inside("SubjectData", SubjectKey=first.number or first.screening_number):
            xml.empty("SiteRef", LocationOID=oids.site(first.code))
            for _, of_event in groupby(_chained(first, of_subject), key=lambda row: row.visit):
                held = list(of_event)
                event = held[0]
                with xml.inside(
                    "StudyEventData",
                    StudyEventOID=oids.event(event.event_id),
                    StudyEventRepeatKey=event.event_repeat if _repeats(study, event.event_id) else None,
                ):
                    for row in held:
                        _form(xml, study, scope, row, signatures, queries)


def _repeats(study: StudyDef, event_id: str) -> bool:
    event = study.events.get(event_id)
    return event is None or event.kind in ("repeating", "unscheduled")


def _form(
    xml: Xml,
    study: StudyDef,
    scope: Scope,
    row: Any,
    signatures: dict[int, Any],
    queries: dict[tuple[Any, ...], list[str]],
) -> None:
    answers = orjson.loads(row.answers)
    repeats = study.forms[row.form_id].repeats
    with xml.inside("FormData", FormOID=oids.form(row.form_id), FormRepeatKey=row.repeat if repeats else None):
        if row.id in signatures:
            signature(xml, signatures[row.id], row.code)
        notes = [f"marked in error: {row.in_error}"] if row.in_error else []
        notes += queries.get((row.visit, row.form_id, row.repeat), [])
        for number, note in enumerate(notes, start=1):
            with xml.inside("Annotation", SeqNum=number):
                xml.text("Comment", note, SponsorOrSite="Sponsor")
        if NOT_DONE in answers:
            reason = answers[NOT_DONE]["1"]["_not_done"]["missing"]
            with xml.inside("Annotation", SeqNum=len(notes) + 1):
                flag(xml, study, reason)
            return
        _groups(xml, study, scope, answers)


def _groups(xml: Xml, study: StudyDef, scope: Scope, answers: dict[str, Any]) -> None:
    for group_id, rows in answers.items():
        repeats = any(group.repeats for form in study.forms.values() for group in form.groups if group.id == group_id)
        for key, cells in rows.items():
            known = {name: cell for name, cell in cells.items() if name in study.items}
            if documents.in_error(cells) or not known:
                continue
            with xml.inside(
                "ItemGroupData", ItemGroupOID=oids.group(group_id), ItemGroupRepeatKey=key if repeats else None
            ):
                for name, cell in known.items():
                    if scope.with_masked or not study.items[name].masked:
                        item(xml, study, name, cell, key)


def item(xml: Xml, study: StudyDef, item_id: str, cell: Any, row: str) -> None:
    """One answer; a missing one is null, with its reason as a flag."""
    definition = study.items[item_id]
    if documents.is_missing_reason(cell):
        with xml.inside("ItemData", ItemOID=oids.item(item_id), IsNull="Yes"), xml.inside("Annotation", SeqNum=1):
            flag(xml, study, cell["missing"])
    elif unit := study.unit_of(definition, row):
        with xml.inside("ItemData", ItemOID=oids.item(item_id), Value=value_of(cell)):
            xml.empty("MeasurementUnitRef", MeasurementUnitOID=oids.unit(unit))
    else:
        xml.empty("ItemData", ItemOID=oids.item(item_id), Value=value_of(cell))


def value_of(cell: Any) -> str:
    """A cell as one text; several choices are parted by semicolons, a file is named by its hash."""
    if isinstance(cell, dict):
        return str(cell["file"])
    return ";".join(cell) if isinstance(cell, list) else str(cell)


def flag(xml: Xml, study: StudyDef, reason: str) -> None:
    """Why there is no answer."""
    with xml.inside("Flag"):
        xml.text("FlagValue", reason, CodeListOID=oids.codelist(study.missing.id))


def signature(xml: Xml, row: Any, site_code: str) -> None:
    """A signature that holds on a form (CPY-07)."""
    with xml.inside("Signature", ID=f"S.{row.signature_id}.{row.form_data_id}"):
        xml.empty("UserRef", UserOID=oids.user(row.user_id, row.username))
        xml.empty("LocationRef", LocationOID=oids.site(site_code))
        xml.empty("SignatureRef", SignatureOID=oids.signature(row.meaning))
        xml.text("DateTimeStamp", instant(row.signed_at))


def instant(at: datetime) -> str:
    """An instant in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _signatures(connection: Connection) -> dict[int, Any]:
    """The newest signature that holds on each form."""
    selection = (
        select(
            SignedForm.form_data_id,
            SignedForm.signature_id,
            Signature.user_id,
            Signature.username,
            Signature.meaning,
            Signature.signed_at,
        )
        .join(Signature, Signature.id == SignedForm.signature_id)
        .where(SignedForm.broken_at.is_(None))
        .order_by(Signature.id)
    )
    return {row.form_data_id: row for row in connection.execute(selection)}


def _queries(connection: Connection) -> dict[tuple[Any, ...], list[str]]:
    """What was asked about each form, and what became of it: one annotation for each query."""
    said: dict[int, list[str]] = {}
    for row in connection.execute(select(QueryMessage.__table__).order_by(QueryMessage.id)):
        said.setdefault(row.query_id, []).append(f"{row.act} by {row.by} {instant(row.at)}: {row.text}")
    found: dict[tuple[Any, ...], list[str]] = {}
    for row in connection.execute(select(Query.__table__).order_by(Query.id)):
        where = " ".join(row.paths) or "the form"
        text = f"Query {row.id} ({row.status}) about {where}. " + " | ".join(said.get(row.id, []))
        found.setdefault((row.study_event_id, row.form_id, row.repeat), []).append(text)
    return found
