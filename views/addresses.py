"""Numbers in addresses. People and programs ask for any number; a database counts only so far.

A number beyond that names nothing: it is answered like everything else that does not exist, and never reaches a
statement (SEC-19, SEC-40).
"""

from typing import Any

from flask import request
from werkzeug.routing import IntegerConverter

from workflows.refusals import NotFound

LAST_ID = 2**31 - 1
LAST_PAGE = 2000


class RowNumber(IntegerConverter):
    """`<int:...>` in an address: the id of a row."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"max": LAST_ID, **options})


def row_number(text: str | None) -> int | None:
    """An id that came in a query or a field; None when none was given.

    Raises:
        NotFound: it is no number of a row.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LAST_ID)) and int(text) <= LAST_ID):
        raise NotFound
    return int(text)


def page_asked() -> int:
    """Which page of a list is asked for; the first when that cannot be read."""
    return min(max(1, request.args.get("page", 1, int)), LAST_PAGE)
