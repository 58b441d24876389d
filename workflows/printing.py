"""Printing: casebooks and CRFs as PDF. A print that holds data is a change, like any copy that leaves (AUD-10)."""

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from exports import blank_crf
from exports import casebook as pages
from models import StudyVersion, Subject, User, db
from models.change import Change
from models.clock import now
from workflows import access, casebooks, finding

Progress = Callable[[int, int], None]


def casebook(user: User, subject: Subject, language: str, *, with_history: bool) -> bytes:
    """The casebook of a participant. Identifying answers are printed for those who enter data at her site only.

    Raises:
        Forbidden: the role may not print at this site.
    """
    access.require(user, "print", at=subject.site_id)
    if with_history:
        access.require(user, "view trail", at=subject.site_id)
    made = _draw(user, subject, language, with_history)
    detail = {"language": language, "history": with_history, "sha256": hashlib.sha256(made).hexdigest()}
    with Change(
        by=user,
        action="print casebook",
        subject=subject,
        site=subject.site,
        about=f"subject/{subject.id}",
        chain=finding.study().oid,
        detail=detail,
    ) as change:
        access.require(change, "print", at=subject.site_id)
    return made


def _draw(user: User, subject: Subject, language: str, with_history: bool) -> bytes:
    own = access.may(user, "enter data", at=subject.site_id)
    gathered = casebooks.gather(subject, language, with_identifiers=own, with_history=with_history)
    return pages.draw(gathered, now())


def subjects_at(user: User, site_codes: Sequence[str]) -> list[int]:
    """The participants of these sites whom the person may print.

    Raises:
        NotFound: a site that is not hers.
    """
    sites = [finding.site(user, "print", code).id for code in site_codes]
    selection = finding.subjects(user, "print").where(Subject.site_id.in_(sites))
    return [subject.id for subject in db.session.scalars(selection)]


def note_download(user: User, site_codes: Sequence[str], path: Path) -> None:
    """Record that a zip of casebooks is fetched, before its first byte leaves (AUD-10).

    Raises:
        Forbidden, NotFound: she may no longer print at one of its sites.
    """
    subjects_at(user, site_codes)
    detail = {"file": path.name, "sites": list(site_codes)}
    with Change(
        by=user, action="download casebooks", about="casebooks", chain=finding.study().oid, detail=detail
    ) as change:
        access.require(change, "print")


def all_casebooks(
    user: User, subject_ids: Sequence[int], language: str, with_history: bool, path: Path, progress: Progress
) -> int:
    """The casebooks of several participants as one zip at `path`, which appears only when it is whole.

    Returns how many there are; `progress` hears how many are done, of how many.

    Raises:
        NotFound: a participant she may not print. Forbidden: no role allows it.
    """
    access.require(user, "print")
    subjects = [finding.subject(user, subject_id, "print") for subject_id in subject_ids]
    unfinished = path.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as packed:  # a PDF is compressed already
        for number, subject in enumerate(subjects):
            progress(number, len(subjects))
            packed.writestr(f"casebook-{subject.label}.pdf", _draw(user, subject, language, with_history))
            db.session.rollback()  # nothing was written; the next casebook reads the newest state
    detail = {
        "participants": [subject.label for subject in subjects],
        "language": language,
        "history": with_history,
        "sha256": hashlib.sha256(unfinished.read_bytes()).hexdigest(),
    }
    with Change(
        by=user, action="print casebook", about="casebooks", chain=finding.study().oid, detail=detail
    ) as change:
        access.require(change, "print")
    unfinished.rename(path)
    progress(len(subjects), len(subjects))
    return len(subjects)


def crf(version: StudyVersion, language: str, *, annotated: bool) -> bytes:
    """The CRF of a version without any answers, for binders and for review; annotated, with the names of the export."""
    return blank_crf.draw(
        finding.design(version.id), language, now(), annotated=annotated, hash_of_version=version.sha256
    )
