"""Fixtures for every test: a fresh database of each kind, the application on it, its session and a browser's
client.

A test that uses `session`, `app` or `client` runs twice: on SQLite and on PostgreSQL. PostgreSQL is found at
EDC_TEST_POSTGRES, else on this computer. Where no server answers, those tests are skipped and the header says
so; in CI they fail.
"""

import importlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, CreateTable

from models import db, triggers
from settings import Settings
from tests import chromium

POSTGRES = os.environ.get("EDC_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1/postgres")
SECRET = "only-for-tests-0123456789-abcdefghijklm"


def server() -> psycopg.Connection:
    """A connection to the server itself, for making and dropping databases."""
    url = make_url(POSTGRES).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True, connect_timeout=3)


def _why_not() -> str:
    """Why PostgreSQL cannot be used; empty when it can."""
    try:
        server().close()
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[0]
    return ""


NO_POSTGRES = _why_not()
NO_CHROMIUM = chromium.why_not()


def pytest_report_header() -> list[str]:
    """Say aloud on which databases the tests run, and in which browser."""
    databases, browser = "databases: SQLite and PostgreSQL", f"browser: {chromium.EXECUTABLE}"
    if NO_POSTGRES:
        databases = f"databases: SQLite only. POSTGRESQL IS NOT REACHABLE, half the evidence is missing: {NO_POSTGRES}"
    if NO_CHROMIUM:
        browser = f"browser: none. CHROMIUM IS MISSING, no page is seen by a browser: {NO_CHROMIUM}"
    return [databases, browser]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again at the end, where it is read (and where `-q` does not hide it)."""
    if NO_CHROMIUM:
        terminalreporter.section("CHROMIUM IS MISSING", red=True)
        terminalreporter.line(f"The tests in tests/browser did not run: {NO_CHROMIUM}. No page was seen by a browser.")


def schema() -> str:
    """Everything that creates the tables and triggers on PostgreSQL, as one script: the fastest way to a
    fresh schema."""
    dialect = postgresql.dialect()
    tables = db.metadata.sorted_tables
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in tables]
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda each: str(each.name))]
    made += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    made += triggers.statements("postgresql")
    return ";\n".join(["DROP SCHEMA public CASCADE", "CREATE SCHEMA public", *made])


@pytest.fixture(scope="session")
def worker() -> str:
    """The name of the process that runs the tests: each has databases of its own."""
    return f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"


@pytest.fixture(scope="session")
def empty_postgresql(worker: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database that lives as long as the tests."""
    if NO_POSTGRES:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"PostgreSQL is not reachable: {NO_POSTGRES}")
    name = f"evidentia_test_{worker}"
    with server() as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    with server() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and triggers, to be copied for each test."""
    path = tmp_path_factory.mktemp("template") / "study.db"
    engine: Engine = create_engine(f"sqlite:///{path}")
    db.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh database with all tables and triggers and no rows; once per kind of database."""
    if request.param == "sqlite":
        path = tmp_path / "study.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("empty_postgresql")
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(schema().encode())
    return url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings for tests, on the fresh database."""
    return Settings(
        database_url=database_url,
        secret_key=SECRET,
        mode="test",
        instance_dir=tmp_path / "var",
        session_cookie_secure=False,
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application with its context open."""
    made: Flask = importlib.import_module("app").create_app(settings)
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def session(app: Flask) -> Session:
    """The database session of the application."""
    return db.session()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a session."""
    return app.test_client()
