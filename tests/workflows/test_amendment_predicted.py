"""What a dry run says is what the run does, counted in the tables themselves; interrupted or not; on both databases."""

import importlib
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from design import answers as documents
from models import Change, FormData, QueryMessage, Review, SignedForm, clock, db, trail
from models import change as change_module
from settings import Settings
from tests.amended import Amended
from tests.clinic import NOW
from tests.conftest import schema
from workflows import amending, check_queries, finding, signatures, verifying

CELLS = st.fixed_dictionaries(
    {"HEIGHT": st.just("165.0")},
    optional={
        "WEIGHT": st.sampled_from(["60.0", "95.0"]),
        "FEVER": st.sampled_from(["Y", "N"]),
        "VSCOM": st.just("tired"),
        "VSPULSE": st.sampled_from(["70", "200"]),
        "SYMPT": st.lists(st.sampled_from(["P", "F", "C"]), min_size=1, unique=True),
    },
)
PARTICIPANT = st.fixed_dictionaries(
    {"cells": CELLS, **{name: st.booleans() for name in ("signed", "verified", "asked", "frozen", "again")}}
)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes an application on an empty database, as often as a test asks."""

    def make() -> Amended:
        folder = tmp_path_factory.mktemp("predicted")
        if request.param == "sqlite":
            shutil.copy(request.getfixturevalue("sqlite_template"), folder / "study.db")
            url = f"sqlite:///{folder / 'study.db'}"
        else:
            url = request.getfixturevalue("empty_postgresql")
            plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
            with psycopg.connect(plain, autocommit=True) as connection:
                connection.execute(schema().encode())
        given = Settings(
            database_url=url, secret_key="for tests only", mode="test", instance_dir=folder, session_cookie_secure=False
        )
        app = importlib.import_module("app").create_app(given)
        with clock.at(NOW), app.app_context():
            return Amended(Path(folder), app)

    return make


def enter(clinic: Amended, given: dict[str, Any]) -> None:
    """One participant as drawn: entered, perhaps verified, asked about, signed, frozen, with a second visit."""
    subject = clinic.screen()
    clinic.store(subject, "SCR", "VS", {"VS": {"1": given["cells"]}})
    data = clinic.form(subject)
    if given["verified"]:
        who, paths = clinic.user("mona"), [f"VS/1/{item}" for item in given["cells"]]
        with change_module.Change(by=who, action="verify", subject=data.subject, chain="small") as change:
            verifying.verify_items(change, data, data.revision, paths)
    if given["asked"]:
        clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/VSCOM"])
    if given["signed"]:
        clinic.sign(subject)
    if given["frozen"]:
        clinic.protect(clinic.form(subject), "freeze")
    if given["again"]:
        clinic.store(subject, "FU1", "VS", {"VS": {"1": given["cells"] | {"WEIGHT": "61.0"}}})


def state() -> dict[str, Any]:
    """What the tables hold of everything a report counts."""
    db.session.rollback()
    said = Counter(message.act for message in db.session.query(QueryMessage).filter_by(by=check_queries.ACTOR))
    return {
        "versions": {data.id: finding.design(data.version_id).version for data in db.session.query(FormData)},
        "subjects": {data.id: data.subject_id for data in db.session.query(FormData)},
        "entries": {data.id: data.entry for data in db.session.query(FormData)},
        "broken": db.session.query(SignedForm).filter(SignedForm.broken_at.is_not(None)).count(),
        "marks": sum(len(list(documents.iter_cells(each.verified or {}))) for each in db.session.query(Review)),
        "opened": said["opened"] + said["reopened"],
        "closed": said["closed"],
    }


def counted(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    """The figures of a report, from the tables before and after."""
    moved = [key for key, number in after["versions"].items() if before["versions"][key] != number]
    lost = [k for k, entry in after["entries"].items() if (before["entries"][k], entry) == ("complete", "in_progress")]
    return {
        "participants": len({after["subjects"][key] for key in moved}),
        "forms": len(moved),
        "incomplete": len(lost),
        "signatures": after["broken"] - before["broken"],
        "marks": before["marks"] - after["marks"],
        "opened": after["opened"] - before["opened"],
        "closed": after["closed"] - before["closed"],
    }


def run_interrupted(clinic: Amended, stop: int) -> None:
    """A run whose process dies in the middle of a participant, `stop` participants on."""
    real, left = amending._carry_out, [stop]

    def dies(*given: Any) -> Any:
        done = real(*given)
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(amending, "_carry_out", dies)
        try:
            clinic.amend()
        except KeyboardInterrupt:
            db.session.rollback()


@pytest.mark.req("AUD-16", "DAT-09", "SIG-03", "DAT-11")
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(PARTICIPANT, min_size=1, max_size=3), stop=st.none() | st.integers(0, 2))
def test_a_dry_run_predicts_the_run(fresh: Any, people: list[dict[str, Any]], stop: int | None) -> None:
    clinic = fresh()
    with clock.at(NOW), clinic.app.app_context():
        try:
            for each in people:
                enter(clinic, each)
            clinic.publish_second()
            clinic.activate()
            before = state()
            said = amending.dry_run(clinic.site("01"), finding.design(amending.version(2).id)).as_dict()
            assert state() == before, "a dry run writes nothing"
            if (
                stop is not None and stop < said["participants"]
            ):  # else it would be whole, and a second run find nothing
                run_interrupted(clinic, stop)
            run = clinic.amend()
            figures = counted(before, state())
            assert run.report == said and run.status == "finished" and run.moved == said["forms"]
            assert figures == {name: said[name] for name in figures}
            trailed = db.session.query(Change).filter_by(action="amend").all()
            assert len(trailed) == said["participants"] and {each.user_name for each in trailed} <= {"dora"}
            assert trail.verify_all() == [] and signatures.verify_signatures() == []
        finally:
            db.session.remove()
            db.engine.dispose()
