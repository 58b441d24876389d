"""Exporting: data leave as one package, for the sites a person may export, and every package and download is
a change.

Reading happens in one short transaction that sees one state of the database; the files are written after it,
so a large export never holds up a nurse who saves (SEC-44).
"""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import current_app
from sqlalchemy import Connection, select

from exports import package
from exports.tables import Scope
from models import DataCut, Export, Site, Study, StudyVersion, User, db
from models.change import Change
from models.clock import now
from models.replay import one_state
from models.version import APP_VERSION
from workflows import access, cutting, finding
from workflows.refusals import Forbidden, NotFound, Refusal

FORMATS = package.FORMATS
_AT_ONCE = threading.BoundedSemaphore(2)  # further exports wait: writing files takes a whole processor


def offered() -> dict[str, tuple[str, str]]:
    """The formats there are for this study, with their names in both languages."""
    has_mapping = package.sdtm_mapping(finding.study().oid).is_dir()
    return {name: words for name, words in FORMATS.items() if name != "sdtm" or has_mapping}


def folder() -> Path:
    """Where finished packages are kept."""
    return Path(current_app.config["SETTINGS"].instance_dir) / "exports"


def make(
    user: User,
    formats: Sequence[str],
    site_codes: Sequence[str] | None = None,
    reason: str = "",
    cut: DataCut | None = None,
) -> Export:
    """Make a package of the sites given (None: all that the user may export) and record it.

    With a `cut` the data are those of its instant, rebuilt from the trail, and the package is the same byte by byte
    whenever it is made by the same release; without one they are those of now.

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
    if set(formats) - offered().keys():
        raise Refusal("no-sdtm")
    scope = _scope(user, study, sites)
    made_at, named = (cut.as_of, _naming(cut)) if cut else (now(), None)
    db.session.commit()  # ends the read transaction: it must not stay open while files are written
    with _AT_ONCE, TemporaryDirectory(prefix=".reading-", dir=_made(folder())) as work:
        with cutting.opened(cut, Path(work)) if cut else one_state() as connection:
            if cut:
                scope = _scope_then(connection, scope)
            snapshot = package.take(connection, scope, formats, Path(work))
        built = package.build(snapshot, formats, folder(), made_at, APP_VERSION, named)
    try:
        return _record(user, study, built, formats, reason.strip(), cut)
    except BaseException:
        built.path.unlink(missing_ok=True)
        raise


def _naming(cut: DataCut) -> dict[str, object]:
    """What the manifest says of a cut."""
    return {"name": cut.name, "as_of": cut.as_of.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "seq": cut.seq, "link": cut.link}


def _scope_then(connection: Connection, scope: Scope) -> Scope:
    """The scope with the versions that were published by then."""
    published = set(connection.execute(select(StudyVersion.id)).scalars())
    return replace(scope, versions={key: study for key, study in scope.versions.items() if key in published})


def _record(
    user: User, study: Study, built: package.Package, formats: Sequence[str], reason: str, cut: DataCut | None
) -> Export:
    site_codes = built.manifest["filters"]["sites"]
    detail = {"formats": list(formats), "sites": site_codes, "sha256": built.sha256, "size": built.size}
    detail |= {"cut": cut.name} if cut else {}
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
            cut_id=cut.id if cut else None,
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


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
