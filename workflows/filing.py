"""Filing pictures: held once by their hash, without metadata, written with the save that points at them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from models import StoredFile, User, db
from models.change import Change
from workflows import access, finding
from workflows.finding import FormPlace
from workflows.pictures import BrokenPicture, without_metadata
from workflows.refusals import Refusal

LIMIT = 10_000_000
MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@dataclass(frozen=True)
class Picture:
    """A picture that was sent and is not stored yet."""

    sha256: str
    media_type: str
    content: bytes


def media_type_of(content: bytes) -> str | None:
    """What a file is by its first bytes; None for anything but JPEG and PNG. Its name is never asked."""
    return next((kind for magic, kind in MAGIC.items() if content.startswith(magic)), None)


def picture_of(content: bytes) -> Picture:
    """The picture in a file that was sent, without what the camera wrote beside it (PRV-01).

    Raises:
        Refusal: too large, not a picture, or broken.
    """
    kind = media_type_of(content)
    if len(content) > LIMIT or kind is None:
        raise Refusal("file-refused", limit=LIMIT // 1_000_000)
    try:
        clean = without_metadata(content)
    except BrokenPicture:
        raise Refusal("file-refused", limit=LIMIT // 1_000_000) from None
    return Picture(hashlib.sha256(clean).hexdigest(), kind, clean)


def open_picture(user: User, place: FormPlace, sha256: str) -> Picture:
    """A picture that an answer of this form points at; that it was looked at is recorded first (AUD-10).

    Raises:
        NotFound: no answer here points at it.
    """
    stored = finding.stored_file(user, place, sha256)
    picture = Picture(stored.sha256, stored.media_type, stored.content)
    about = f"form_data/{place.data.id}" if place.data else None
    chain, detail = place.study.id, {"sha256": sha256}
    with Change(by=user, action="view file", subject=place.subject, about=about, chain=chain, detail=detail) as change:
        access.require(change, "view participants", at=place.subject.site_id)
    return picture


def file_pictures(change: Change, place: FormPlace, pictures: Iterable[Picture]) -> None:
    """Store pictures that are not there yet.

    Raises:
        Forbidden: the role enters no data here.
        Refusal: too large, or not a picture.
    """
    access.require(change, "enter data", at=place.subject.site_id)
    for picture in pictures:
        if len(picture.content) > LIMIT or media_type_of(picture.content) != picture.media_type:
            raise Refusal("file-refused", limit=LIMIT // 1_000_000)
        if db.session.get(StoredFile, picture.sha256) is None:
            db.session.add(
                StoredFile(
                    sha256=picture.sha256,
                    size=len(picture.content),
                    media_type=picture.media_type,
                    content=picture.content,
                )
            )
