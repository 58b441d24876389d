"""A whole ODM 1.3.2 file: metadata, people, clinical data or the trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from lxml import etree
from sqlalchemy import Connection

from exports.odm import admin, clinical, metadata, oids, trail
from exports.odm.metadata import Xml
from exports.tables import Scope
from models.version import APP_VERSION

NAMESPACE = "http://www.cdisc.org/ns/odm/v1.3"
XML = "http://www.w3.org/XML/1998/namespace"  # else its prefix is written as one of lxml's own
DERIVATION = "system:derivation"
SYSTEM_NAME = "Evidentia"


def write_metadata(path: Path, scope: Scope, study_oid: str, as_of: datetime) -> None:
    """The design alone: every published version."""
    with _file(path, study_oid, "Snapshot", "Metadata", as_of) as xml:
        metadata.write_study(xml, study_oid, _studies(scope))


def write_snapshot(path: Path, connection: Connection, scope: Scope, study_oid: str, as_of: datetime) -> None:
    """Design, people, and every form as it stands, with signatures and annotations."""
    people = admin.read(connection, scope, study_oid)
    with _file(path, study_oid, "Snapshot", "All", as_of) as xml:
        metadata.write_study(xml, study_oid, _studies(scope))
        admin.write(xml, study_oid, people)
        clinical.write(xml, connection, scope, study_oid)


def write_transactional(path: Path, connection: Connection, scope: Scope, study_oid: str, as_of: datetime) -> int:
    """Design, people, and the history of every answer; returns how many audit records it holds."""
    people = admin.read(connection, scope, study_oid)
    people.users[oids.user(None, DERIVATION)] = DERIVATION
    with _file(path, study_oid, "Transactional", "All", as_of) as xml:
        metadata.write_study(xml, study_oid, _studies(scope))
        admin.write(xml, study_oid, people)
        return trail.write(xml, connection, scope, study_oid, people)


def _studies(scope: Scope) -> list[Any]:
    return [study for _, study in sorted(scope.studies.items())]


@contextmanager
def _file(path: Path, study_oid: str, file_type: str, granularity: str, as_of: datetime) -> Iterator[Xml]:
    """The root element. Its times are those of the data, so that the same data give the same bytes (CPY-05)."""
    moment = clinical.instant(as_of)
    attributes = {
        "FileType": file_type,
        "Granularity": granularity,
        "Archival": "Yes" if file_type == "Transactional" else None,
        "FileOID": f"{study_oid}.{file_type}.{as_of:%Y%m%dT%H%M%S}",
        "CreationDateTime": moment,
        "AsOfDateTime": moment,
        "ODMVersion": "1.3.2",
        "SourceSystem": SYSTEM_NAME,
        "SourceSystemVersion": APP_VERSION,
    }
    with etree.xmlfile(str(path), encoding="UTF-8") as stream:
        stream.write_declaration()
        root = {name: value for name, value in attributes.items() if value is not None}
        with stream.element(f"{{{NAMESPACE}}}ODM", root, nsmap={None: NAMESPACE, "xml": XML}):
            yield Xml(stream, NAMESPACE)
