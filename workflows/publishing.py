"""Making a study version usable: check, seal, publish. A published version never changes (AUD-16).

`seal` writes the hash of the folder into `crf/published.toml`; `publish` refuses a folder whose hash differs.
"""

import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from design.definitions import StudyDef
from design.reader import hash_files, load_study, read_files
from models import Site, Study, StudyVersion, db
from models.change import Change
from models.clock import now
from workflows import access
from workflows.refusals import Refusal


@dataclass(frozen=True)
class Folder:
    """A version's folder as read from disk: its files, their hash, and what they define."""

    path: Path
    files: dict[str, str]
    sha256: str
    study: StudyDef

    @property
    def key(self) -> str:
        """The name under which the folder is sealed: `carbon-breast/v1`."""
        return f"{self.path.parent.name}/{self.path.name}"


def check(path: Path) -> Folder:
    """Read and lint a version's folder.

    Raises:
        design.faults.StudyFaults: every fault at once.
    """
    files = read_files(path)
    return Folder(path.resolve(), files, hash_files(files), load_study(files))


def seals_file(path: Path) -> Path:
    """`published.toml`, which stands beside the studies' folders."""
    return path.resolve().parent.parent / "published.toml"


def read_seals(path: Path) -> dict[str, str]:
    """The sealed hashes by folder key."""
    file = seals_file(path)
    return tomllib.loads(file.read_text(encoding="utf-8")).get("sealed", {}) if file.exists() else {}


def seal(path: Path) -> Folder:
    """Write the folder's hash into `published.toml`; from now on its files must not change.

    Raises:
        Refusal: sealed before with other content.
    """
    folder = check(path)
    seals = read_seals(path)
    if seals.get(folder.key, folder.sha256) != folder.sha256:
        raise Refusal("not-sealed", version=folder.key)
    seals[folder.key] = folder.sha256
    lines = [f'"{key}" = "{value}"' for key, value in sorted(seals.items())]
    text = "# Hash of every sealed study version. A sealed folder never changes; an amendment is a new one.\n[sealed]\n"
    seals_file(path).write_text(text + "\n".join(lines) + "\n", encoding="utf-8")
    return folder


def publish(change: Change, path: Path) -> StudyVersion:
    """Store a sealed version. A site that works already goes on under its own until it is activated there (ACC-11).

    Raises:
        Forbidden; Refusal: not sealed, changed after sealing, or published already.
    """
    access.require(change, "publish", at=None)
    folder = check(path)
    definition = folder.study
    if read_seals(path).get(folder.key) != folder.sha256:
        raise Refusal("not-sealed", version=folder.key)
    study = db.session.scalars(select(Study).where(Study.oid == definition.id)).first() or _new_study(definition)
    numbers = select(StudyVersion.number).where(StudyVersion.study_id == study.id)
    if definition.version in set(db.session.scalars(numbers)):
        raise Refusal("already-published", version=definition.version)
    version = StudyVersion(
        study_id=study.id,
        number=definition.version,
        sha256=folder.sha256,
        files=folder.files,
        published_at=now(),
    )
    db.session.add(version)
    db.session.flush()
    study.current_version_id = version.id
    _set_sites(study, definition, version)
    return version


def _new_study(definition: StudyDef) -> Study:
    study = Study(oid=definition.id, secret=secrets.token_hex(32))
    db.session.add(study)
    db.session.flush()
    return study


def _set_sites(study: Study, definition: StudyDef, version: StudyVersion) -> None:
    known = {site.code: site for site in study.sites}
    for code, site_def in definition.sites.items():
        site = known.get(code)
        if site is None:
            site = Site(study_id=study.id, code=code, version_id=version.id)
            db.session.add(site)
        site.name_en, site.name_zh = site_def.label.en, site_def.label.zh
        site.timezone = site_def.timezone
    db.session.flush()
