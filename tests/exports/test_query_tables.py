"""Queries and what was said about them, in the data package."""

import pytest
from sqlalchemy import select

from exports import tables
from exports.tables import Scope
from models import Site, Study, StudyVersion, db
from tests.asking import Asking
from workflows import finding


@pytest.fixture
def clinic(app, tmp_path):
    return Asking(tmp_path, app)


def read(site: str | None = None) -> dict[str, tables.Table]:
    """The tables of the package, perhaps of one site only."""
    db.session.rollback()
    study = db.session.scalars(select(Study)).one()
    versions = {each: finding.design(each) for each in db.session.scalars(select(StudyVersion.id))}
    ids = None if site is None else frozenset(db.session.scalars(select(Site.id).where(Site.code == site)))
    with db.engine.connect() as connection:
        return tables.read(connection, Scope(study.id, versions, ids))


@pytest.mark.req("CPY-05")
def test_every_query_is_a_row_and_every_message_too(clinic) -> None:
    first, other = clinic.screen(), clinic.screen("bob")
    clinic.vital(first, HEIGHT="195.0")
    asked = clinic.ask("mona", first, "FU1", text="When?\nPlease say.")
    clinic.do("alice", asked, "answer", "In April.")
    clinic.ask("mona", other, text="Who?")
    made = read()
    queries, messages = made["QUERIES"], made["QUERY_MESSAGES"]
    assert list(queries.columns["STATUS"]) == ["open", "answered", "open"]
    assert list(queries.columns["PATHS"]) == ["VS/1/HEIGHT", "", ""]
    assert list(queries.columns["EVENT"]) == ["SCR", "FU1", None]
    assert list(queries.columns["CHECK"]) == ["HEIGHT-S", None, None]
    assert list(messages.columns["NUMBER"]) == [1, 1, 2, 1]
    assert list(messages.columns["TEXT"])[1:3] == ["When? / Please say.", "In April."]
    assert queries.frame is not None and not queries.faults and not messages.faults
    only = read("02")
    assert list(only["QUERIES"].columns["SITEID"]) == ["02"] == list(only["QUERY_MESSAGES"].columns["SITEID"])
