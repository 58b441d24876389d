"""Exporting: data leave as one package, for the sites a person may export, and every package and download is
a change.

Reading happens in one short transaction that sees one state of the database; the files are written after it,
so a large export never holds up a nurse who saves (SEC-44).
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import current_app
from sqlalchemy import Connection

from exports import package
from exports.tables import Scope
from models import Export, Site, Study, User, db
from models.change import Change
from models.clock import now
from models.version import APP_VERSION
from workflows import access, finding
from workflows.refusals import Forbidden, NotFound, Refusal

FORMATS = package.FORMATS
_AT_ONCE = threading.BoundedSemaphore(2)  # further exports wait: writing files takes a whole processor


def folder() -> Path:
    """Where finished packages are kept."""
    return Path(current_app.config["SETTINGS"].instance_dir) / "exports"


def make(user: User, formats: Sequence[str], site_codes: Sequence[str] | None = None, reason: str = "") -> Export:
    """Make a package of the sites given (None: all that the user may export) and record it.

    Raises:
        Forbidden: no role allows it, or it asks for the trail and may not read it.
        NotFound: a site that the user may not export. Refusal: no reason, or nothing published.
    """
    access.require(user, "export")
    if len(reason.strip()) < 3:
        raise Refusal("bad-reason")
    study = finding.study()
    sites = _chosen_sites(user, site_codes)
    if "trail" in formats:
        _require_trail(user, sites)
    scope = _scope(user, study, sites)
    db.session.commit()  # ends the read transaction: it must not stay open while files are written
    with _AT_ONCE, TemporaryDirectory(prefix=".reading-", dir=_made(folder())) as work:
        with _one_state() as connection:
            snapshot = package.take(connection, scope, formats, Path(work))
        built = package.build(snapshot, formats, folder(), now(), APP_VERSION)
    try:
        return _record(user, study, built, formats, reason.strip())
    except BaseException:
        built.path.unlink(missing_ok=True)
        raise


def _record(user: User, study: Study, built: package.Package, formats: Sequence[str], reason: str) -> Export:
    site_codes = built.manifest["filters"]["sites"]
    detail = {"formats": list(formats), "sites": site_codes, "sha256": built.sha256, "size": built.size}
    about = f"export/{built.path.name}"
    with Change(by=user, action="export", reason=reason, about=about, chain=study.oid, detail=detail) as change:
        access.require(change, "export")
        export = Export(
            study_id=study.id,
            user_id=user.id,
            formats=list(formats),
            site_codes=site_codes,
            file_name=built.path.name,
            sha256=built.sha256,
            size=built.size,
            manifest={key: value for key, value in built.manifest.items() if key != "xpt_names"},
            made_at=now(),
        )
        db.session.add(export)
    return export


def open_file(user: User, export: Export) -> Path:
    """The file of an export, for a download that is recorded before the first byte leaves (AUD-10).

    Raises:
        Forbidden; NotFound: not hers, or the file is gone or no longer the one that was made.
    """
    access.require(user, "export")
    export = finding.export(user, export.id)
    path = folder() / Path(export.file_name).name
    if not path.is_file() or _hash(path) != export.sha256:
        raise NotFound
    if "trail" in export.formats and not access.may(user, "view trail"):
        raise Forbidden(action=access.ACTIONS["view trail"])
    study = finding.study()
    detail = {"file": export.file_name, "sha256": export.sha256}
    with Change(
        by=user, action="download export", about=f"export/{export.id}", chain=study.oid, detail=detail
    ) as change:
        access.require(change, "export")
    return path


def _chosen_sites(user: User, site_codes: Sequence[str] | None) -> list[Site]:
    allowed = {site.code: site for site in finding.sites(user, "export")}
    if site_codes is None:
        return list(allowed.values())
    if not site_codes or set(site_codes) - set(allowed):
        raise NotFound
    return [allowed[code] for code in sorted(set(site_codes))]


def _require_trail(user: User, sites: list[Site]) -> None:
    for site in sites:
        access.require(user, "view trail", at=site)


def _scope(user: User, study: Study, sites: list[Site]) -> Scope:
    """All sites only for who may export all of them: the system's own trail goes with it."""
    every = access.sites_for(user, "export") is None and {site.id for site in sites} >= {s.id for s in study.sites}
    versions = {version.id: finding.design(version.id) for version in finding.versions()}
    return Scope(study.id, versions, None if every else frozenset(site.id for site in sites))


@contextmanager
def _one_state() -> Iterator[Connection]:
    """A connection of its own whose reads all see the same state of the database."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
