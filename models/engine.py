"""How the databases are spoken to: durable commits, one writer at a time on SQLite, short waits on
PostgreSQL.

SQLite has one writer. Reading transactions begin plainly; the first statement that writes takes the write
lock with `BEGIN IMMEDIATE`. Writers of one process queue for it in order of arrival, because SQLite's own
waiting is a lottery in which a writer may lose for ever. A transaction that read before it writes begins anew
at that moment: like READ COMMITTED on PostgreSQL, what it read may be older than what it writes upon.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

WAIT_SECONDS = 10.0
IMMUTABLE = frozenset({"change", "change_entries"})
WRITING = ("INSERT", "UPDATE", "DELETE", "REPLAC", "CREATE", "DROP T", "DROP I", "ALTER ")
REFUSED_PRAGMAS = frozenset({"writable_schema", "recursive_triggers", "ignore_check_constraints"})
REFUSED_ACTIONS = frozenset(
    {
        sqlite3.SQLITE_DROP_TABLE,
        sqlite3.SQLITE_DROP_TRIGGER,
        sqlite3.SQLITE_DROP_INDEX,
        sqlite3.SQLITE_DROP_VIEW,
        sqlite3.SQLITE_ALTER_TABLE,
    }
)


class Queue:
    """A lock that is handed on in order of arrival. One thread takes it, any thread may give it back."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._holder: int | None = None

    def take(self, seconds: float = WAIT_SECONDS) -> None:
        """Wait for one's turn.

        Raises:
            OperationalError: it did not come in time, or this thread itself holds the lock elsewhere.
        """
        me = threading.get_ident()
        with self._guard:
            if self._holder is None:
                self._holder = me
                return
            if self._holder == me:
                raise _busy("this thread is writing on another connection already")
            turn = threading.Event()
            self._waiting.append(turn)
        if not turn.wait(seconds) and not self._is_late_turn(turn):
            raise _busy("the database is busy")
        self._holder = me

    def _is_late_turn(self, turn: threading.Event) -> bool:
        with self._guard:
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def give(self) -> None:
        """Hand it to the next in the queue."""
        with self._guard:
            if self._waiting:
                self._holder = -1  # promised
                self._waiting.popleft().set()
            else:
                self._holder = None


_queues: WeakKeyDictionary[Engine, Queue] = WeakKeyDictionary()


def _busy(sentence: str) -> OperationalError:
    return OperationalError(None, None, sqlite3.OperationalError(sentence))


def configure_engine(engine: Engine) -> None:
    """Set up every connection of an engine; call once, before it is used."""
    if engine.dialect.name == "sqlite":
        _configure_sqlite(engine)
    else:
        _configure_postgresql(engine)


def _configure_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
            cursor.execute("SET idle_in_transaction_session_timeout = '5s'")
            cursor.execute("SET default_transaction_isolation = 'read committed'")
            cursor.execute("SET synchronous_commit = on")
        connection.autocommit = False


def _configure_sqlite(engine: Engine) -> None:
    queue = Queue()

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"busy_timeout = {int(WAIT_SECONDS * 1000)}",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.set_authorizer(_authorize)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("queue") else "BEGIN")

    @event.listens_for(engine, "before_cursor_execute")
    def lock_before_writing(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement[:6] in WRITING or statement.lstrip()[:6].upper() in WRITING:
            _begin_immediate(connection, queue)

    def release(_connection: Any, record: Any, *_: Any) -> None:
        held = record.info.pop("queue", None) if record is not None else None
        if held is not None:
            held.give()

    # At check-in, not at commit: the event of a commit comes before the commit is on disk.
    for moment in ("checkin", "invalidate", "soft_invalidate", "close", "detach"):
        event.listen(engine, moment, release)
    _queues[engine] = queue


def begin_write(connection: Connection) -> None:
    """Take the write lock now, before the first statement, so that reading and writing see one state
    (SQLite)."""
    queue = _queues.get(connection.engine)
    if queue is not None:
        _begin_immediate(connection, queue)


def _begin_immediate(connection: Connection, queue: Queue) -> None:
    if connection.info.get("queue") is not None:
        return
    queue.take()
    connection.info["queue"] = queue
    driver = connection.connection.driver_connection
    assert driver is not None
    if driver.in_transaction:
        driver.execute("COMMIT")  # a reading transaction cannot become a writing one once somebody else wrote
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        raise OperationalError("BEGIN IMMEDIATE", None, error) from error


def _authorize(action: int, first: str | None, second: str | None, _schema: str | None, trigger: str | None) -> int:
    """What no statement of the application may do: change the trail, take away triggers, or switch checks
    off."""
    if action in REFUSED_ACTIONS:
        return sqlite3.SQLITE_DENY
    if action in (sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE):
        if first in IMMUTABLE:
            return sqlite3.SQLITE_DENY
        if first == "chain_head" and trigger != "trail_change_moves_head":
            return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in REFUSED_PRAGMAS and second is not None:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


@contextmanager
def schema_may_change(connection: Connection) -> Iterator[None]:
    """Let a migration drop and alter on this connection; nothing else does."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.set_authorizer(None)
    try:
        yield
    finally:
        driver.set_authorizer(_authorize)
