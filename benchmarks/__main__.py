"""Everything in one run: `python -m benchmarks` (or `make bench`), about six minutes; BENCH_QUICK=1 makes it one.

A quick run shows that everything runs; its figures say little. PostgreSQL is found at EDC_TEST_POSTGRES, else on this
computer; where none answers, its lines are left out.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks import definitions, export, pages, trail
from benchmarks.clinic import FEW, build
from benchmarks.serving import server
from benchmarks.timing import HEADING, Line

POSTGRES = make_url(os.environ.get("EDC_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1/postgres"))


@dataclass(frozen=True)
class Size:
    """How much is measured: turns of each page, seconds of eight nurses, participants, saves, forms, turns of the rest."""

    rounds: int = 60
    seconds: float = 30
    many: int = 4200
    saves: int = 1000
    forms: int = 25_000
    turns: int = 5


QUICK = Size(rounds=5, seconds=2, many=420, saves=100, forms=1000, turns=1)


def main() -> None:
    """Print the table line by line as it is measured."""
    size = QUICK if os.environ.get("BENCH_QUICK") == "1" else Size()
    say_load("Before")
    print(HEADING, flush=True)
    with tempfile.TemporaryDirectory() as name:
        on_sqlite(Path(name), size)
    with tempfile.TemporaryDirectory() as name, postgresql() as url:
        if url:
            on_postgresql(url, Path(name), size)
    show(trail.measure(size.saves, size.turns))
    show([export.line(size.forms, size.turns), definitions.line(size.turns)])
    say_load("After")


def say_load(when: str) -> None:
    """Other programs slow all that is compared, not always alike."""
    print(f"{when} the run: load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.", flush=True)


def on_sqlite(folder: Path, size: Size) -> None:
    """Pages, saves, checks and lists with few and with many participants, each beside its floor."""
    few, many, floor = (f"sqlite:///{folder / each}.db" for each in ("few", "many", "floor"))
    small, large = build(few, folder, FEW, full=FEW), build(many, folder, size.many, full=FEW)
    show(pages.counts(small, large, size.many))
    with server("ours", few, folder) as mine, server("floor", floor, folder) as least:
        with server("ours", many, folder) as crowd:
            show(pages.one_person(mine, crowd, least, size.rounds, size.many))
        show(pages.eight_at_once(mine, size.seconds, "SQLite"))
        show(pages.eight_at_once(least, size.seconds, "SQLite, minimal application", ours=False))


def on_postgresql(url: str, folder: Path, size: Size) -> None:
    """Eight nurses on the other database."""
    build(url, folder, FEW, full=FEW)
    with server("ours", url, folder) as port:
        show(pages.eight_at_once(port, size.seconds, "PostgreSQL"))


def show(lines: list[Line]) -> None:
    """Print what is known so far."""
    print(*lines, sep="\n", flush=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """A database that lives as long as the run; an empty address where no server answers."""
    plain = POSTGRES.set(drivername="postgresql").render_as_string(hide_password=False)
    name = f"evidentia_bench_{os.getpid()}"
    try:
        with psycopg.connect(plain, autocommit=True, connect_timeout=3) as admin:
            admin.execute(f"CREATE DATABASE {name}")
    except psycopg.OperationalError as error:
        print(f"PostgreSQL left out: {str(error).splitlines()[0]}")
        yield ""
        return
    try:
        yield POSTGRES.set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(plain, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    main()
