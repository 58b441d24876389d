"""The server's clock. Everything that needs the time asks here, so that tests and the demonstration can set
it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_set_to: ContextVar[datetime | None] = ContextVar("set_to", default=None)


def now() -> datetime:
    """This instant, in UTC. Never the browser's time (AUD-06)."""
    return _set_to.get() or datetime.now(UTC)


def today(timezone: str = "Asia/Shanghai") -> date:
    """The calendar day now in a time zone: where the participant is seen, not where the server stands."""
    return now().astimezone(ZoneInfo(timezone)).date()


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Stop the clock at an instant: for tests and the demonstration only.

    Raises:
        ValueError: the instant has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    token = _set_to.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _set_to.reset(token)
