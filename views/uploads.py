"""Pictures sent with a form: only JPEG and PNG, by content and not by name, up to a size (SEC-29)."""

from flask import g, request
from werkzeug.datastructures import FileStorage

from workflows.filing import LIMIT, Picture, picture_of


def pictures() -> dict[str, Picture]:
    """The pictures of this request by the path of their item, read once, without metadata.

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


def _read(file: FileStorage) -> Picture:
    return picture_of(file.stream.read(LIMIT + 1))
