"""Filing pictures: held once by their hash, written with the save that points at them."""

from collections.abc import Iterable
from dataclasses import dataclass

from models import StoredFile, db
from models.change import Change
from workflows import access
from workflows.finding import FormPlace
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
