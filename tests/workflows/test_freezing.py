"""Freezing, locking, unlocking by two: what is left out and why, and that locked refuses everything."""

import importlib
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from design import answers as documents
from models import Change, FormData, StudyEvent, Subject, UnlockRequest, clock, db
from models import change as change_module
from settings import Settings
from tests.clinic import NOW
from tests.signing import Signing
from workflows import access, enrolling, finding, freezing, signing, states, verifying
from workflows.refusals import Forbidden, Refusal

COMMITTED = ("freeze", "unfreeze", "lock")


@pytest.fixture
def clinic(tmp_path: Path, app: Flask) -> Any:
    with clock.at(NOW):
        yield Signing(tmp_path, app)


def refused(code: str, act: Any, *args: Any, **more: Any) -> None:
    with pytest.raises(Refusal) as caught:
        act(*args, **more)
    assert caught.value.code == code


def target(clinic: Signing, kind: str, subject: int) -> Any:
    db.session.rollback()
    person = db.session.get_one(Subject, subject)
    return {
        "form": lambda: clinic.form(subject),
        "event": lambda: db.session.query(StudyEvent).filter_by(subject_id=subject, event_id="SCR").one(),
        "subject": lambda: person,
        "site": lambda: person.site,
        "study": lambda: person.site.study,
    }[kind]()


def verify_all(clinic: Signing, subject: int) -> None:
    for form in ("ICF", "VS"):
        with change_module.Change(by=clinic.user("mona"), action="verify", subject=subject, chain="small") as change:
            data = clinic_form(subject, form)
            paths = [path for path, _ in documents.iter_cells(data.answers) if not path.endswith("BMI")]
            verifying.verify_items(change, data, data.revision, paths)


def clinic_form(subject: int, form: str) -> Any:
    return db.session.scalars(select(FormData).filter_by(subject_id=subject, form_id=form)).one()


def lockable(clinic: Signing) -> int:
    subject = clinic.ready()
    verify_all(clinic, subject)
    clinic.sign(subject)
    return subject


@pytest.mark.req("AUD-11", "DAT-13")
@pytest.mark.parametrize("kind", ["form", "event", "subject", "site", "study"])
def test_a_scope_is_frozen_locked_and_opened_by_two(clinic: Signing, kind: str) -> None:
    subject = lockable(clinic)
    for act, state in (("freeze", "frozen"), ("unfreeze", "open"), ("freeze", "frozen"), ("lock", "locked")):
        done = clinic.protect(target(clinic, kind, subject), act)
        assert done.excluded == [] and len(done.included) == (1 if kind == "form" else 2)
        assert target(clinic, kind, subject).protection == state
        assert clinic.form(subject).protection == state
        refused("protect-nothing", lambda act=act: clinic.protect(target(clinic, kind, subject), act))
    request = clinic.ask_unlock(target(clinic, kind, subject))
    refused("unlock-asked", lambda: clinic.ask_unlock(target(clinic, kind, subject)))
    refused("unlock-two", lambda: clinic.decide(db.session.get_one(UnlockRequest, request), "dora"))
    assert clinic.form(subject).protection == "locked"
    if kind == "study":
        with pytest.raises(Forbidden):
            clinic.decide(db.session.get_one(UnlockRequest, request), "ines")
        with change_module.Change(by=change_module.System("tests"), action="grant role", chain="system"):
            next(iter(clinic.user("ines").grants)).site_id = None
    clinic.decide(db.session.get_one(UnlockRequest, request), "ines")
    assert (target(clinic, kind, subject).protection, clinic.form(subject).protection) == ("frozen", "frozen")
    refused("unlock-decided", lambda: clinic.decide(db.session.get_one(UnlockRequest, request), "ines"))
    refused("protect-nothing", lambda: clinic.ask_unlock(target(clinic, kind, subject)))


def test_every_transition_is_allowed_or_refused_as_the_table_says(clinic: Signing) -> None:
    subject = lockable(clinic)
    for state in ("open", "frozen", "locked"):
        for act in COMMITTED:
            with change_module.Change(by=change_module.System("tests"), action="reset", chain="small"):
                clinic_form(subject, "VS").protection = state
            if (state, act) in states.PROTECTION:
                clinic.protect(clinic.form(subject), act)
                assert clinic.form(subject).protection == states.PROTECTION[state, act]
            else:
                refused("protect-nothing", lambda act=act: clinic.protect(clinic.form(subject), act))


@pytest.mark.req("ACC-01", "ACC-07")
@pytest.mark.parametrize("name", ["alice", "ines", "mona", "iva", "sara", "otto"])
def test_only_data_managers_freeze_lock_and_ask(clinic: Signing, name: str) -> None:
    subject = lockable(clinic)
    for act in COMMITTED:
        with pytest.raises(Forbidden):
            clinic.protect(clinic.form(subject), act, name)
        with pytest.raises(Forbidden):
            freezing.preview(clinic.user(name), clinic.form(subject), act)
    with pytest.raises(Forbidden):
        clinic.ask_unlock(clinic.form(subject), name)


def test_the_study_is_protected_only_by_who_may_everywhere(clinic: Signing) -> None:
    lockable(clinic)
    with change_module.Change(by=change_module.System("tests"), action="grant role", chain="system"):
        next(iter(clinic.user("dora").grants)).site_id = clinic.site("01").id
    with pytest.raises(Forbidden):
        clinic.protect(finding.study(), "freeze")
    with pytest.raises(Forbidden):
        clinic.protect(clinic.site("02"), "freeze")
    clinic.protect(clinic.site("01"), "freeze")


@pytest.mark.req("ACC-07", "DAT-13")
def test_what_is_not_clean_is_left_out_with_the_reason_and_the_scope_stays_open(clinic: Signing) -> None:
    subject = lockable(clinic)
    clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/WEIGHT"])
    clinic.store(subject, "SCR", "SV", {"SV": {"1": {"VISND": "no time"}}})
    shown = freezing.preview(clinic.user("dora"), target(clinic, "subject", subject), "lock")
    why = {data.form_id: reasons for data, reasons in shown.excluded}
    assert why == {"VS": ["queries"], "SV": ["complete", "signed", "verified"]}
    assert [data.form_id for data in shown.included] == ["ICF"] and not shown.scope
    done = clinic.protect(target(clinic, "subject", subject), "lock")
    assert [data.form_id for data in done.included] == ["ICF"]
    assert target(clinic, "subject", subject).protection == "open"
    refused("protect-nothing", lambda: clinic.protect(clinic.form(subject), "lock"))


@pytest.mark.req("DAT-13")
def test_locked_refuses_every_way_in(clinic: Signing) -> None:
    subject = lockable(clinic)
    query = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/WEIGHT"])
    clinic.do("mona", query, "close")
    clinic.protect(finding.study(), "lock")
    refused("locked", clinic.vital, subject, WEIGHT="70.0")
    refused("locked", clinic.store, subject, "SCR", "SV", {"SV": {"1": {"VISDAT": "2026-03-11"}}})
    refused("locked", clinic.error, subject, "SCR", "VS")
    refused("locked", clinic.ask, "mona", subject, "SCR", "VS", 1, ["VS/1/HEIGHT"])
    refused("locked", clinic.do, "mona", query, "reopen")
    refused("locked", clinic.sign, subject, meaning="review")
    refused("locked", clinic.screen)
    for name, act in (("alice", "visit"), ("mona", "verify"), ("dora", "items")):
        with (
            pytest.raises(Refusal) as caught,
            change_module.Change(by=clinic.user(name), action=act, chain="small") as c,
        ):
            data = clinic_form(subject, "VS")
            if act == "visit":
                enrolling.add_unscheduled(c, data.subject)
            elif act == "verify":
                verifying.verify_items(c, data, data.revision, ["VS/1/WEIGHT"])
            else:
                freezing.freeze_items(c, data, ["VS/1/WEIGHT"])
        assert caught.value.code == "locked", act


@pytest.mark.req("DAT-13")
def test_frozen_data_do_not_change_but_the_work_around_them_goes_on(clinic: Signing) -> None:
    subject = clinic.ready()
    clinic.protect(target(clinic, "subject", subject), "freeze")
    refused("frozen", clinic.vital, subject, WEIGHT="70.0")
    query = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/WEIGHT"])
    clinic.do("alice", query, "answer")
    verify_all(clinic, subject)
    assert clinic.sign(subject) == []


def test_single_items_are_frozen_and_others_go_on(clinic: Signing) -> None:
    subject = clinic.ready()

    def items(act: str, *paths: str) -> int:
        with change_module.Change(by=clinic.user("dora"), action=act, chain="small") as change:
            return freezing.freeze_items(change, clinic_form(subject, "VS"), paths, act)

    assert items("freeze", "VS/1/WEIGHT", "VS/1/TEMP") == 2
    refused("item-frozen", clinic.vital, subject, WEIGHT="61.0")
    clinic.vital(subject, HEIGHT="166.0")
    refused("protect-nothing", items, "freeze", "VS/1/WEIGHT")
    refused("invalid", items, "freeze", "VS/1/NOTHING")
    assert items("unfreeze", "VS/1/WEIGHT") == 1
    clinic.vital(subject, HEIGHT="166.0", WEIGHT="61.0")


@pytest.mark.req("DAT-13")
def test_before_locking_again_the_difference_since_the_unlocking_is_told(clinic: Signing) -> None:
    subject = lockable(clinic)
    clinic.protect(target(clinic, "site", subject), "lock")
    request = clinic.ask_unlock(target(clinic, "site", subject))
    clinic.decide(db.session.get_one(UnlockRequest, request), "ines")
    clinic.protect(target(clinic, "site", subject), "unfreeze")
    with clock.at(NOW + timedelta(hours=1)):
        clinic.vital(subject, WEIGHT="64.0")
    site = target(clinic, "site", subject)
    steps = freezing.since_unlocked(site, freezing.forms_in(site))
    told = {step.path: (step.old, step.new, step.by) for each in steps.values() for step in each}
    assert told["VS/1/WEIGHT"] == ("60.0", "64.0", "alice")
    shown = freezing.preview(clinic.user("dora"), site, "lock")
    assert {data.form_id: why for data, why in shown.excluded} == {"VS": ["signed", "verified"]}


def test_a_declined_request_unlocks_nothing_and_a_reason_is_needed(clinic: Signing) -> None:
    subject = lockable(clinic)
    clinic.protect(clinic.form(subject), "lock")
    refused("bad-reason", lambda: clinic.ask_unlock(clinic.form(subject), reason=" . "))
    request = clinic.ask_unlock(clinic.form(subject))
    clinic.decide(db.session.get_one(UnlockRequest, request), "ines", confirm=False)
    assert clinic.form(subject).protection == "locked"
    actions = list(db.session.scalars(select(Change.action).where(Change.about == f"unlock_request/{request}")))
    assert actions == ["ask to unlock", "confirm unlock"]


@pytest.mark.req("DAT-13")
def test_saving_against_locking_never_leaves_a_change_in_what_is_locked(clinic: Signing, settings: Settings) -> None:
    """The second actor is told: either the save is refused, or the lock leaves the changed form out.

    A whole site here; the hundred rounds on one form are in test_protection_races.
    """
    subject = lockable(clinic)
    workers = [importlib.import_module("app").create_app(settings) for _ in range(2)]
    outcomes, faults = Counter[str](), list[BaseException]()

    def run(app: Flask, begin: threading.Barrier, act: Any) -> None:
        mine = Signing.__new__(Signing)
        mine.app, mine.folder = app, clinic.folder
        begin.wait(30)
        try:
            act(mine)
        except Refusal as refusal:
            outcomes[refusal.code] += 1
        except BaseException as error:
            faults.append(error)

    for number in range(10):
        begin = threading.Barrier(2)
        weight = f"{70 + number}.0"

        def saving(mine: Signing, weight: str = weight) -> None:
            mine.vital(subject, WEIGHT=weight)
            outcomes["saved"] += 1

        def locking(mine: Signing) -> None:
            with mine.app.app_context():
                mine.protect(target(mine, "site", subject), "lock")
                outcomes["locked the site" if clinic_form(subject, "VS").protection == "locked" else "left out"] += 1

        pair = zip(workers, (saving, locking), strict=True)
        threads = [threading.Thread(target=run, args=(app, begin, act)) for app, act in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        data = clinic.form(subject)
        assert (data.protection == "locked") is (data.answers["VS"]["1"]["WEIGHT"] != weight)
        with change_module.Change(by=change_module.System("tests"), action="reset", chain="small"):
            site = clinic.site("01")
            site.protection = "open"
            for form in ("ICF", "VS"):
                clinic_form(subject, form).protection = "open"
        with clock.at(NOW):
            db.session.rollback()
            if signatures_gone(clinic, subject):
                verify_all(clinic, subject)
                clinic.sign(subject)
    for worker in workers:
        with worker.app_context():
            db.engine.dispose()
    assert faults == []
    assert outcomes["saved"] + outcomes["locked"] == 10, outcomes


def signatures_gone(clinic: Signing, subject: int) -> bool:
    return any(each.state != "signed" for each in _candidates(clinic, subject))


def _candidates(clinic: Signing, subject: int) -> Any:
    return signing.candidates(finding.subject(clinic.user("ines"), subject))


def test_the_table_of_access_is_what_the_tests_above_assume() -> None:
    assert {role for role, held in access.ACCESS.items() if "lock" in held} == {"data_manager"}
    assert {role for role, held in access.ACCESS.items() if "confirm unlock" in held} == {
        "data_manager",
        "investigator",
    }
