"""Who acted and where: users, locations and the meanings of signatures, as far as the file refers to them."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from exports.odm import oids
from exports.odm.metadata import Xml
from exports.tables import Scope
from models import Activation, Change, Signature, Site, StudyVersion, User

SYSTEM = "LOC.system"
METHODOLOGY = "Electronic"
LEGAL_REASON = "21 CFR Part 11; ICH E6(R3) 4.2"


@dataclass(frozen=True)
class People:
    """The identifiers that clinical data may refer to."""

    users: dict[str, str]  # identifier -> name as the trail keeps it
    names: dict[str, str]  # identifier -> full name
    sites: dict[int, str]
    versions: dict[int, list[tuple[int, str]]]  # site -> number of each version and the day from which it holds there
    meanings: dict[str, tuple[str, str]]


def read(connection: Connection, scope: Scope, chain: str) -> People:
    """Everybody who changed anything, every site in scope, every meaning that was signed."""
    acted = connection.execute(select(Change.user_id, Change.user_name).where(Change.chain == chain).distinct())
    users = {oids.user(row.user_id, row.user_name): row.user_name for row in acted}
    full = {oids.user(row.id, ""): row.full_name for row in connection.execute(select(User.id, User.full_name))}
    sites = select(Site.id, Site.code).order_by(Site.code)
    if scope.site_ids is not None:
        sites = sites.where(Site.id.in_(scope.site_ids))
    signed = connection.execute(
        select(Signature.user_id, Signature.username, Signature.meaning, Signature.meaning_en, Signature.meaning_zh)
    ).all()
    users |= {oids.user(row.user_id, row.username): row.username for row in signed}
    return People(
        users=dict(sorted(users.items())),
        names=full,
        sites={row.id: row.code for row in connection.execute(sites)},
        versions=_versions(connection, scope),
        meanings={row.meaning: (row.meaning_en, row.meaning_zh) for row in signed},
    )


def _versions(connection: Connection, scope: Scope) -> dict[int, list[tuple[int, str]]]:
    """From when each version holds at each site; a first version from the day it was published."""
    numbers = {key: study.version for key, study in scope.versions.items()}
    published = connection.execute(select(StudyVersion.id, StudyVersion.published_at).order_by(StudyVersion.number))
    days = {row.id: row.published_at.date().isoformat() for row in published if row.id in numbers}
    activated = connection.execute(select(Activation.site_id, Activation.version_id, Activation.from_date))
    at = {(row.site_id, row.version_id): row.from_date.isoformat() for row in activated}
    first = next(iter(days))
    return {
        site: [
            (numbers[key], at.get((site, key), day)) for key, day in days.items() if key == first or (site, key) in at
        ]
        for site in connection.execute(select(Site.id)).scalars()
    }


def write(xml: Xml, study_oid: str, people: People) -> None:
    """The AdminData element."""
    with xml.inside("AdminData", StudyOID=oids.study(study_oid)):
        for oid, name in people.users.items():
            with xml.inside("User", OID=oid, UserType="Other"):
                xml.text("LoginName", name)
                if oid in people.names:
                    xml.text("FullName", people.names[oid])
        for site_id, code in people.sites.items():
            with xml.inside("Location", OID=oids.site(code), Name=code, LocationType="Site"):
                _version_refs(xml, study_oid, people.versions[site_id])
        with xml.inside("Location", OID=SYSTEM, Name="system", LocationType="Other"):
            _version_refs(xml, study_oid, next(iter(people.versions.values()))[:1])
        for meaning, (english, chinese) in sorted(people.meanings.items()):
            with xml.inside("SignatureDef", OID=oids.signature(meaning), Methodology=METHODOLOGY):
                xml.text("Meaning", f"{english} / {chinese}")
                xml.text("LegalReason", LEGAL_REASON)


def _version_refs(xml: Xml, study_oid: str, versions: list[tuple[int, str]]) -> None:
    for number, day in versions:
        xml.empty(
            "MetaDataVersionRef",
            StudyOID=oids.study(study_oid),
            MetaDataVersionOID=oids.version(number),
            EffectiveDate=day,
        )
