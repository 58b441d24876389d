"""Pictures sent with a form: only JPEG and PNG, by content and not by name, up to a size (SEC-29)."""

import hashlib

from flask import g, request

from workflows.filing import LIMIT, Picture, media_type_of
from workflows.refusals import Refusal


def pictures() -> dict[str, Picture]:
    """The pictures of this request by the path of their item, read once.

    Raises:
        Refusal: a file is not a picture, or too large.
    """
    if "form_pictures" not in g:
        g.form_pictures = {path: _read(file) for path, file in request.files.items() if file and file.filename}
    found: dict[str, Picture] = g.form_pictures
    return found


def hashes() -> dict[str, str]:
    """Their SHA-256, which is what an answer holds."""
    return {path: picture.sha256 for path, picture in pictures().items()}


def _read(file: object) -> Picture:
    content: bytes = file.stream.read(LIMIT + 1)  # type: ignore[attr-defined]
    kind = media_type_of(content)
    if len(content) > LIMIT or kind is None:
        raise Refusal("file-refused", limit=LIMIT // 1_000_000)
    return Picture(hashlib.sha256(content).hexdigest(), kind, content)
