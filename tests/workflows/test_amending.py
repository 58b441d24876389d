"""Moving stored forms to a later version: what changes, what survives, what the dry run said; on both databases."""

import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from design import amendments
from design.reader import load_study
from models import Change, FormData, Query, Site, Subject, clock, db, trail
from models import change as change_module
from tests import amended
from tests.amended import Amended
from tests.clinic import NOW
from workflows import amending, finding, signatures, verifying
from workflows.amendment_report import Report
from workflows.refusals import Forbidden, Refusal


@pytest.fixture
def clinic(tmp_path: Path, app: Flask) -> Any:
    with clock.at(NOW):
        yield Amended(tmp_path, app)


def refused(code: str, act: Any, *args: Any, **more: Any) -> None:
    with pytest.raises(Refusal) as caught:
        act(*args, **more)
    assert caught.value.code == code


def verify(clinic: Amended, form_id: int, *paths: str) -> None:
    data = db.session.get_one(FormData, form_id)
    with change_module.Change(by=clinic.user("mona"), action="verify", subject=data.subject, chain="small") as change:
        verifying.verify_items(change, data, data.revision, paths)


def dry(clinic: Amended, code: str = "01") -> Report:
    db.session.rollback()
    return amending.dry_run(clinic.site(code), load_study(amended.second()))


@pytest.mark.req("AUD-16", "DAT-09")
def test_answers_move_are_recoded_and_kept(clinic: Amended) -> None:
    subject = clinic.screen()
    form_id = clinic.vitals(subject, SYMPT=["P", "F"])
    clinic.publish_second()
    clinic.activate()
    run = clinic.amend()
    data = db.session.get_one(FormData, form_id)
    cells = data.answers["VS"]["1"]
    assert (cells["PULSE"], cells["SYMPT"], cells["VSCOM"]) == ("70", ["PN", "F"], "tired")
    assert "VSPULSE" not in cells and data.entry == "in_progress"
    assert run.status == "finished" and (run.moved, run.total) == (2, 2)
    assert run.report["moved"] == {"PULSE": 1} and run.report["dropped"] == {"VSCOM": 1}
    assert run.report["required"] == {"SKIN": 1} and run.report["recoded"] == {"SYMPT": 1}
    assert clinic.versions_of(subject) == {2}
    assert trail.verify_all() == []
    with clinic.app.app_context():
        study = finding.design(data.version_id)
        assert amendments.retained(study, study.forms["VS"], data.answers) == {"VS/1/VSCOM": "tired"}


@pytest.mark.req("DAT-09")
def test_a_dropped_answer_survives_later_saves(clinic: Amended) -> None:
    subject = clinic.screen()
    form_id = clinic.vitals(subject)
    clinic.publish_second()
    clinic.activate()
    clinic.amend()
    cells = {k: v for k, v in db.session.get_one(FormData, form_id).answers["VS"]["1"].items() if k != "VSCOM"}
    clinic.store(subject, "SCR", "VS", {"VS": {"1": cells | {"SKIN": "40.0"}}})
    assert clinic.form(subject).answers["VS"]["1"]["VSCOM"] == "tired"


@pytest.mark.req("SIG-03", "DAT-11")
def test_signatures_and_marks_survive_where_nothing_they_cover_changed(clinic: Amended) -> None:
    subject = clinic.screen()
    form_id = clinic.vitals(subject, SYMPT=["P"])
    assert clinic.sign(subject) == []
    verify(clinic, form_id, "VS/1/WEIGHT", "VS/1/VSPULSE", "VS/1/SYMPT", "VS/1/VSCOM")
    clinic.publish_second()
    clinic.activate()
    before = dry(clinic)
    run = clinic.amend()
    assert clinic.broken(subject) == ["VS"]  # the consent form moved too, and its signature holds
    assert set(clinic.review(form_id).verified["VS"]["1"]) == {"WEIGHT", "PULSE", "VSCOM"}
    assert (run.report["signatures"], run.report["marks"]) == (1, 1) == (before.signatures, before.marks)
    assert signatures.verify_signatures() == [] and trail.verify_all() == []


@pytest.mark.req("AUD-14")
def test_the_actor_is_the_person_and_what_is_derived_is_the_systems(clinic: Amended) -> None:
    subject = clinic.screen()
    clinic.vitals(subject)
    clinic.publish_second()
    clinic.activate()
    clinic.amend()
    done = db.session.query(Change).filter_by(action="amend").all()
    assert [(each.user_name, each.subject_id, each.role) for each in done] == [("dora", subject, "data_manager")]


def test_frozen_and_locked_forms_stay_and_are_listed(clinic: Amended) -> None:
    subject = clinic.screen()
    clinic.vitals(subject)
    clinic.protect(clinic.form(subject), "freeze")
    clinic.publish_second()
    clinic.activate()
    run = clinic.amend()
    assert [(each["form"], each["why"]) for each in run.report["left_out"]] == [("VS", "frozen")]
    assert clinic.versions_of(subject) == {1, 2}


def test_queries_on_what_is_dropped_stay_closable_and_moved_ones_follow(clinic: Amended) -> None:
    subject = clinic.screen()
    clinic.vitals(subject)
    dropped = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/VSCOM"])
    moved = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/VSPULSE"])
    clinic.publish_second()
    clinic.activate()
    assert dry(clinic).queries == 1
    clinic.amend()
    assert db.session.get_one(Query, moved).paths == ["VS/1/PULSE"]
    assert clinic.do("alice", dropped, "answer") == "answered"
    assert clinic.do("mona", dropped, "close") == "closed"


def test_a_check_that_is_stricter_now_opens_its_query(clinic: Amended) -> None:
    subject = clinic.screen()
    clinic.vitals(subject, WEIGHT="95.0")
    clinic.publish_second()
    clinic.activate()
    assert dry(clinic).checks == {"WEIGHT-P": 1}
    clinic.amend()
    assert [query.check_id for query in clinic.queries(subject)] == ["WEIGHT-P"]


def test_a_run_is_resumed_and_a_second_one_does_nothing(clinic: Amended, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = clinic.screen(), clinic.screen()
    clinic.vitals(first)
    clinic.vitals(second)
    clinic.publish_second()
    clinic.activate()
    whole, real = dry(clinic).as_dict(), amending._carry_out

    def breaks(change: Any, plan: Any, *rest: Any) -> Any:
        if plan.subject.id == second:
            raise RuntimeError("the power fails")
        return real(change, plan, *rest)

    monkeypatch.setattr(amending, "_carry_out", breaks)
    with pytest.raises(RuntimeError):
        clinic.amend()
    assert (clinic.versions_of(first), clinic.versions_of(second)) == ({2}, {1})
    monkeypatch.setattr(amending, "_carry_out", real)
    run = clinic.amend()
    assert (run.moved, run.total, run.status) == (4, 4, "finished") and run.report == whole
    revisions = [data.revision for data in db.session.query(FormData).order_by(FormData.id)]
    assert clinic.amend().moved == 0
    assert [data.revision for data in db.session.query(FormData).order_by(FormData.id)] == revisions


def test_who_may_and_when(clinic: Amended) -> None:
    clinic.publish_second()
    refused("version-inactive", clinic.amend)
    clinic.activate()
    for name in ("alice", "ines", "mona", "otto"):
        with pytest.raises(Forbidden):
            clinic.amend(name=name)
    refused("bad-reason", amending.run, clinic.user("dora"), clinic.site("01"), amending.version(2), " ")


def test_an_old_revision_is_refused_after_the_move(clinic: Amended) -> None:
    subject = clinic.screen()
    clinic.vitals(subject)
    clinic.publish_second()
    clinic.activate()
    user = clinic.user("alice")
    revision = finding.place(user, subject, "SCR", "VS", 1).data.revision
    clinic.amend()
    place = finding.place(user, subject, "SCR", "VS", 1)
    with change_module.Change(by=user, action="save form", subject=place.subject, chain="small") as change:
        refused("stale", amending.entering.save_form, change, place, {"VS": {"1": {"HEIGHT": "1.0"}}}, revision)


ROUNDS = 100


def test_edit_against_migrate(clinic: Amended) -> None:
    """A nurse saves while a manager moves: one of them is first, nobody overwrites the other, nothing is lost."""
    clinic.publish_second()
    for number in range(ROUNDS):
        clinic.site("01")
        subject = clinic.screen()
        form_id = clinic.vitals(subject)
        with change_module.Change(by=clinic.user("dora"), action="test", site=clinic.site("01"), chain="small"):
            db.session.get_one(Site, clinic.site("01").id).version_id = amending.version(2).id
        outcome = _race(clinic, subject, number)
        data = clinic.form(subject)
        cells = data.answers["VS"]["1"]
        assert clinic.versions_of(subject) == {2} and cells["PULSE"] == "70" and cells["VSCOM"] == "tired"
        saved = cells["WEIGHT"] == "61.0"
        assert saved == (outcome["save"] == "saved"), (number, outcome)
        assert outcome["save"] in ("saved", "stale", "ChangedMeanwhile") and outcome["move"] == "moved", (
            number,
            outcome,
        )
        with change_module.Change(by=clinic.user("dora"), action="test", site=clinic.site("01"), chain="small"):
            db.session.get_one(Site, clinic.site("01").id).version_id = db.session.query(FormData).first() and 1
        assert form_id == data.id
    assert trail.verify_all() == []


def _race(clinic: Amended, subject: int, number: int) -> dict[str, str]:
    start, outcome = threading.Barrier(2), {}
    place = finding.place(clinic.user("alice"), subject, "SCR", "VS", 1)
    revision = place.data.revision if place.data else None
    typed = {**place.data.answers["VS"]["1"], "WEIGHT": "61.0"} if place.data else {}
    db.session.rollback()

    def save() -> str:
        user = clinic.user("alice")
        here = finding.place(user, subject, "SCR", "VS", 1)
        start.wait()
        about = {"reason": "misread", "subject": here.subject, "chain": "small"}
        with change_module.Change(by=user, action="save form", **about) as change:
            amending.entering.save_form(change, here, {"VS": {"1": typed}}, revision)
        return "saved"

    def move() -> str:
        user, site, to = clinic.user("dora"), clinic.site("01"), amending.version(2)
        start.wait()
        amending.run(user, site, to, "protocol amendment 1")
        return "moved"

    def act(name: str, work: Any) -> None:
        with clinic.app.app_context(), clock.at(NOW):
            try:
                outcome[name] = work()
            except Refusal as refusal:
                outcome[name] = refusal.code
            except Exception as error:
                outcome[name] = type(error).__name__
            finally:
                db.session.remove()

    threads = [threading.Thread(target=act, args=pair) for pair in (("save", save), ("move", move))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert db.session.get_one(Subject, subject).id == subject and number >= 0
    return outcome


def test_two_runs_at_once_are_one(clinic: Amended) -> None:
    """The second finds the run of the first and helps: every participant is moved once, every form once."""
    subjects = [clinic.screen() for _ in range(6)]
    for subject in subjects:
        clinic.vitals(subject)
    clinic.publish_second()
    clinic.activate()
    before = {data.id: data.revision for data in db.session.query(FormData)}
    start, ends = threading.Barrier(2), []

    def act() -> None:
        with clinic.app.app_context(), clock.at(NOW):
            user, site, to = clinic.user("dora"), clinic.site("01"), amending.version(2)
            start.wait()
            try:
                ends.append(amending.run(user, site, to, "protocol amendment 1").status)
            except change_module.ChangedMeanwhile as error:
                ends.append(type(error).__name__)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=act) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    (run,) = amending.runs(clinic.site("01"))
    assert ends == ["finished", "finished"] and (run.moved, run.total) == (12, 12)
    moved = [change.subject_id for change in db.session.query(Change).filter_by(action="amend")]
    assert sorted(moved) == subjects
    assert {data.id: data.revision for data in db.session.query(FormData)} == {
        key: revision + 1 for key, revision in before.items()
    }
    assert trail.verify_all() == []
