"""Tests of pages run on SQLite; with EDC_TEST_PAGES=both they run on PostgreSQL as well.

Whatever makes an application of its own asks for a folder first, so the folder decides: `tmp_path` and
`tmp_path_factory` are given once for each kind of database.
"""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from weakref import ref

import psycopg
import pytest
from sqlalchemy import make_url

from models import db
from tests import clinic
from tests.conftest import POSTGRES, schema, server

NUMBERS = count(1)


@pytest.fixture(scope="session")
def template(empty_postgresql: str) -> str:
    """A PostgreSQL database with all tables and triggers, to be copied for each application."""
    plain = make_url(empty_postgresql).set(drivername="postgresql").render_as_string(hide_password=False)
    name = f"{make_url(empty_postgresql).database}_pages"
    with server() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    with psycopg.connect(
        make_url(plain).set(database=name).render_as_string(hide_password=False), autocommit=True
    ) as made:
        made.execute(schema().encode())
    return name


class Copies:
    """Databases copied from the template, dropped once the clinic that used them is gone."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.held: list[tuple[str, ref[clinic.Clinic] | None]] = []

    def __call__(self, folder: Path) -> str:
        name = f"{self.template}_{next(NUMBERS)}"
        self.drop_unused()
        with server() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {self.template}".encode())
        self.held.append((name, clinic.living[-1] if clinic.living else None))
        return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)

    def drop_unused(self, every: bool = False) -> None:
        """Drop those whose clinic nobody holds any more."""
        gone = [name for name, user in self.held if every or (user is not None and user() is None)]
        self.held = [each for each in self.held if each[0] not in gone]
        with server() as connection:
            for name in gone:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


KINDS = ["sqlite", "postgresql"] if os.environ.get("EDC_TEST_PAGES") == "both" else ["sqlite"]


@pytest.fixture(scope="session", params=KINDS)
def page_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which kind of database the applications of the tests get."""
    copies = None
    if request.param == "sqlite":
        source = request.getfixturevalue("sqlite_template")

        def copy(folder: Path) -> str:
            shutil.copy(source, folder / "study.db")
            return f"sqlite:///{folder / 'study.db'}"

        clinic.new_database.append(copy)
    else:
        copies = Copies(request.getfixturevalue("template"))
        clinic.new_database.append(copies)
    yield request.param
    clinic.new_database.pop()
    if copies is not None:
        copies.drop_unused(every=True)
        with server() as connection:
            connection.execute(f"DROP DATABASE {copies.template} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def tmp_path_factory(page_database: str, tmp_path_factory: pytest.TempPathFactory) -> pytest.TempPathFactory:
    """A folder for each kind of database."""
    return tmp_path_factory


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """No connection outlives its test: PostgreSQL has a hundred."""
    yield
    for each in [found for held in clinic.living if (found := held()) is not None]:
        with each.app.app_context():
            db.engine.dispose()
    clinic.living[:] = [held for held in clinic.living if held() is not None]
