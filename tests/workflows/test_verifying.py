"""Marks of verification: who may set them on what, how they are lost, and races with saves (DAT-11, ACC-07)."""

# ruff: noqa: F401

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from design import answers as documents
from models import Change, ChangeEntries, FormData, Review, Subject, db, trail
from settings import Settings
from tests import racing
from tests.monitored import DAY, VITALS, Trial
from tests.racing import Act, Opening, told_when_in_the_midst
from workflows import access, entering, finding, verifying
from workflows.refusals import Forbidden, Refusal
from workflows.verifying import Shown

HEIGHT, WEIGHT, FEVER, BMI = (f"VS/1/{name}" for name in ("HEIGHT", "WEIGHT", "FEVER", "BMI"))


@pytest.fixture
def trial(app, tmp_path) -> Trial:
    return Trial(app, tmp_path)


@pytest.fixture
def subject(trial: Trial) -> Subject:
    return trial.screen()


@pytest.fixture
def vitals(trial: Trial, subject: Subject) -> FormData:
    return trial.save(subject, "VS", VITALS)


def marks(data: FormData) -> set[str]:
    found = verifying.marks_of([data.id]).get(data.id, {})
    return {f"{g}/{r}/{i}" for g, rows in found.items() for r, cells in rows.items() for i in cells}


def verify(trial: Trial, data: FormData, *paths: str, name: str = "mona") -> int:
    with trial.by(name, "verify", subject=data.subject) as change:
        return verifying.verify_items(change, data, data.revision, paths)


def refused(trial: Trial, data: FormData, *paths: str, revision: int | None = None) -> str:
    with pytest.raises(Refusal) as caught, trial.by("mona", "verify", subject=data.subject) as change:
        verifying.verify_items(change, data, revision or data.revision, paths)
    return caught.value.code


@pytest.mark.req("DAT-11", "AUD-11")
def test_a_mark_says_who_and_when_and_stands_in_the_trail(trial: Trial, vitals: FormData) -> None:
    assert verify(trial, vitals, HEIGHT, WEIGHT) == 2
    review = db.session.scalars(select(Review)).one()
    assert review.verified["VS"]["1"]["HEIGHT"] == {"by": trial.user("mona").id, "at": DAY.isoformat()}
    change, body = db.session.execute(
        select(Change, ChangeEntries).join(ChangeEntries).order_by(Change.id.desc())
    ).first()
    paths = [e["path"] for e in body.entries if "/verified/" in e["path"]]
    assert (change.action, change.role, change.about) == ("verify", "monitor", f"form_data/{vitals.id}")
    assert paths == [f"review/{review.id}/verified/{HEIGHT}", f"review/{review.id}/verified/{WEIGHT}"]


@pytest.mark.req("DAT-11")
def test_a_changed_item_loses_its_mark_by_itself_and_alone(trial: Trial, subject: Subject, vitals: FormData) -> None:
    verify(trial, vitals, HEIGHT, WEIGHT, FEVER)
    trial.save(subject, "VS", {**VITALS, "WEIGHT": "61.0"})
    assert marks(vitals) == {HEIGHT, FEVER}
    body = db.session.scalars(select(ChangeEntries).order_by(ChangeEntries.change_id.desc())).first()
    lost = [entry for entry in body.entries if entry["path"].startswith("review/")]
    assert [(e["path"].rsplit("/", 1)[-1], e["new"], e["source"]) for e in lost] == [
        ("WEIGHT", None, "system:derivation")
    ]


@pytest.mark.req("DAT-11")
def test_what_adds_an_answer_or_a_comment_leaves_the_marks(trial: Trial, subject: Subject, vitals: FormData) -> None:
    verify(trial, vitals, HEIGHT, WEIGHT)
    trial.save(subject, "VS", {**VITALS, "VSCOM": "sitting"})
    assert marks(vitals) == {HEIGHT, WEIGHT}


@pytest.mark.req("DAT-11")
def test_a_row_in_error_and_a_form_in_error_lose_their_marks(trial: Trial, subject: Subject, vitals: FormData) -> None:
    grades = {"1": {"AEGDAT": "2026-03-11", "AEGGR": "1"}, "2": {"AEGDAT": "2026-03-12", "AEGGR": "2"}}
    event_form = {"event": "LOG", "repeat": None}
    data = trial.save(subject, "AE", {"AETERM": "10037087"}, more={"AEG": grades}, **event_form)
    verify(trial, data, "AE/1/AETERM", "AEG/1/AEGGR", "AEG/2/AEGGR", "AEG/2/AEGDAT")
    wrong = {**grades, "2": {**grades["2"], "_error": "another person"}}
    trial.save(subject, "AE", {"AETERM": "10037087"}, more={"AEG": wrong}, event="LOG")
    assert marks(data) == {"AE/1/AETERM", "AEG/1/AEGGR"}
    assert refused(trial, data, "AEG/2/AEGGR") == "sdv-empty"
    verify(trial, vitals, HEIGHT)
    place = finding.place(trial.user("alice"), subject.id, "SCR", "VS", 1)
    with trial.by("alice", "mark in error", "other person", subject) as change:
        entering.mark_in_error(change, place)
    assert marks(vitals) == set()
    assert refused(trial, vitals, HEIGHT) == "in-error"


@pytest.mark.req("ACC-07")
@pytest.mark.parametrize(
    ("path", "code"),
    [("VS/1/TEMP", "sdv-empty"), (BMI, "sdv-derived"), ("VS/1/NOPE", "sdv-empty"), ("VS/2/HEIGHT", "sdv-empty"),
     ("HEIGHT", "invalid")],
)  # fmt: skip
def test_empty_and_derived_items_are_refused(trial: Trial, vitals: FormData, path: str, code: str) -> None:
    assert refused(trial, vitals, HEIGHT, path) == code
    assert marks(vitals) == set()


def test_an_automatic_item_is_refused(trial: Trial, subject: Subject) -> None:
    lab = trial.save(subject, "LB", {"LBPAN": "HEM"}, repeat=None, more={"LBROWS": {"WBC": {"LBORRES": "5.1"}}})
    assert refused(trial, lab, "LBROWS/WBC/LBTEST") == "sdv-derived"
    assert verify(trial, lab, "LBROWS/WBC/LBORRES") == 1


def test_a_missing_reason_can_be_verified(trial: Trial, subject: Subject) -> None:
    data = trial.save(subject, "VS", {**VITALS, "VSDAT": {"missing": "UNK"}})
    assert verify(trial, data, "VS/1/VSDAT") == 1


@pytest.mark.parametrize(("protection", "code"), [("open", None), ("frozen", None), ("locked", "locked")])
def test_marks_go_on_while_frozen_and_not_once_locked(
    trial: Trial, vitals: FormData, protection: str, code: str | None
) -> None:
    with Change(by=trial.user("dora"), action="freeze", subject=vitals.subject, chain="small"):
        vitals.protection = protection
    if code is None:
        assert verify(trial, vitals, HEIGHT) == 1
    else:
        assert refused(trial, vitals, HEIGHT) == code


@pytest.mark.req("ACC-01")
def test_who_may_verify(trial: Trial, vitals: FormData) -> None:
    allowed: dict[str, set[str]] = {}
    for role in access.ROLES:
        user = trial.person(f"as-{role}", role)
        for act in (verifying.verify_items, verifying.unverify_items):
            try:
                with Change(by=user, action="verify", reason="again", subject=vitals.subject, chain="small") as change:
                    act(change, vitals, vitals.revision, [HEIGHT])
                allowed.setdefault(role, set()).add(act.__name__)
            except Forbidden:
                pass
    assert allowed == {"monitor": {"verify_items", "unverify_items"}}


@pytest.mark.req("ACC-02")
def test_a_monitor_of_another_site_verifies_nothing_here(trial: Trial, vitals: FormData) -> None:
    other = trial.person("other", "monitor", "02")
    with pytest.raises(Forbidden), Change(by=other, action="verify", subject=vitals.subject, chain="small") as change:
        verifying.verify_form(change, vitals, vitals.revision)


def test_a_whole_form_is_what_has_an_answer(trial: Trial, vitals: FormData) -> None:
    with trial.by("mona", "verify", subject=vitals.subject) as change:
        assert verifying.verify_form(change, vitals, vitals.revision) == 3
    assert marks(vitals) == {HEIGHT, WEIGHT, FEVER}
    with pytest.raises(Refusal, match="left to verify"), trial.by("mona", "verify", subject=vitals.subject) as change:
        verifying.verify_form(change, vitals, vitals.revision)


def test_a_visit_at_a_stroke_leaves_out_what_changed_since(trial: Trial, subject: Subject, vitals: FormData) -> None:
    visit = trial.save(subject, "SV", {"VISDAT": "2026-03-16"})
    shown = [Shown(vitals.id, vitals.revision, (HEIGHT, WEIGHT)), Shown(visit.id, visit.revision, ("SV/1/VISDAT",))]
    trial.save(subject, "VS", {**VITALS, "WEIGHT": "61.0"})
    with trial.by("mona", "verify", subject=subject) as change:
        outcome = verifying.verify_forms(change, subject, shown)
    assert (outcome.items, outcome.forms) == (1, 1)
    assert [(data.id, refusal.code) for data, refusal in outcome.left_out] == [(vitals.id, "sdv-moved")]
    assert "Alice nurse changed this form" in outcome.left_out[0][1].text("en")
    assert marks(vitals) == set() and marks(visit) == {"SV/1/VISDAT"}
    with pytest.raises(Refusal) as again, trial.by("mona", "verify", subject=subject) as change:
        verifying.verify_forms(change, subject, shown[1:])
    assert again.value.code == "sdv-nothing"


def test_forms_of_another_participant_are_not_there(trial: Trial, subject: Subject, vitals: FormData) -> None:
    other = trial.screen()
    with pytest.raises(Refusal) as caught, trial.by("mona", "verify", subject=other) as change:
        verifying.verify_forms(change, other, [Shown(vitals.id, vitals.revision, (HEIGHT,))])
    assert caught.value.code == "not-found"


def test_a_mark_is_taken_back_with_a_reason(trial: Trial, vitals: FormData) -> None:
    verify(trial, vitals, HEIGHT, WEIGHT)

    def take_back(reason: str | None, *paths: str) -> int:
        with trial.by("mona", "withdraw verification", reason, vitals.subject) as change:
            return verifying.unverify_items(change, vitals, vitals.revision, paths)

    for reason, path, code in ((None, HEIGHT, "bad-reason"), ("wrong person", FEVER, "sdv-no-mark")):
        with pytest.raises(Refusal) as caught:
            take_back(reason, path)
        assert caught.value.code == code
    assert take_back("wrong person", HEIGHT) == 1
    assert marks(vitals) == {WEIGHT}


def test_a_new_form_costs_no_statement_and_a_saved_one_costs_one(
    trial: Trial, subject: Subject, vitals: FormData
) -> None:
    read: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement != "BEGIN":
            read.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert verifying.withdraw(None, FormData(id=987, revision=1), [HEIGHT]) == []  # type: ignore[arg-type]
        assert verifying.withdraw(None, FormData(id=987, revision=5), []) == []  # type: ignore[arg-type]
        assert read == []
        assert verifying.withdraw(None, FormData(id=987, revision=5), [HEIGHT]) == []  # type: ignore[arg-type]
        assert len([each for each in read if "FROM review" in each]) == len(read) == 1
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def workers(trial: Trial, settings: Settings) -> Iterator[list[Flask]]:
    """Two applications on the database of the test, as two processes of the server are."""
    with racing.applications(settings) as made:
        yield made


def marking(form_data_id: int) -> Opening:
    """Mona has the form in view and verifies height and fever."""

    def open_page() -> Act:
        mona = racing.person("mona")
        data = finding.form_data(mona, form_data_id)
        revision = data.revision

        def act() -> None:
            with Change(by=mona, action="verify", subject=data.subject, chain="small") as change:
                verifying.verify_items(change, data, revision, [HEIGHT, FEVER])

        return act

    return open_page


def heights_told(data: FormData) -> list[str]:
    """Every height that stood in a form, in the order of the trail."""
    path = f"form_data/{data.id}/answers/{HEIGHT}"
    bodies = db.session.scalars(select(ChangeEntries.entries).order_by(ChangeEntries.change_id))
    return [entry["new"] for entries in bodies for entry in entries if entry["path"] == path]


@pytest.mark.req("DAT-11", "FLT-11")
@pytest.mark.usefixtures("told_when_in_the_midst")
def test_verifying_and_saving_at_once_never_marks_what_was_not_seen(
    trial: Trial, subject: Subject, vitals: FormData, workers: list[Flask]
) -> None:
    """The save is always done. The mark is refused as the form has moved, or it is set and the save takes it off again."""
    heights, outcomes, seen = [], Counter[tuple[str, ...]](), False
    for number in range(racing.ROUNDS):
        heights.append(f"{150 + number % 40}.0")
        ends = racing.together(workers, number, racing.saving(subject.id, HEIGHT, heights[-1]), marking(vitals.id))
        db.session.rollback()
        db.session.refresh(vitals)
        assert documents.get(vitals.answers, HEIGHT) == heights[-1]
        seen = seen or ends[1] == "done"  # nobody changes the fever: its mark stays
        assert marks(vitals) == ({FEVER} if seen else set())
        outcomes[tuple(ends)] += 1
    assert outcomes.total() == racing.ROUNDS and set(outcomes) == {("done", "done"), ("done", "sdv-moved")}
    assert heights_told(vitals) == [VITALS["HEIGHT"], *heights]
    assert trail.verify_all() == []
    assert trail.replay() == trail.stored()
