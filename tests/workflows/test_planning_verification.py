"""Verification plans: which holds when, whom they draw, what they ask, and progress equal to a recount (DAT-11)."""

from datetime import date
from hashlib import sha256
from random import Random
from typing import Any

import pytest

from design.answers import ERROR
from design.reader import load_study
from models import FormData, Review, SdvPlan, StudyEvent, Subject, clock, db
from tests.monitored import DAY, VITALS, Trial, day, text_of_study
from workflows import finding, planning_verification, verifying
from workflows.planning_verification import NO_PLAN, Asking, Plans, is_sampled
from workflows.refusals import Forbidden, Refusal


@pytest.fixture
def trial(app, tmp_path) -> Trial:
    return Trial(app, tmp_path)


def add(trial: Trial, from_date: str, scope: str, name: str = "dora", reason: str = "agreed", **more: Any) -> SdvPlan:
    with trial.by(name, "plan verification", reason) as change:
        return planning_verification.add_plan(change, trial.site(), day(from_date), scope, **more)


def asked(trial: Trial, visit_date: str | None, number: str = "01-S001") -> Asking:
    with clock.at(DAY):
        plans = Plans.of([trial.site()])
    return plans.asking(trial.site().id, day(visit_date) if visit_date else None, number)


def test_the_date_of_the_visit_decides(trial: Trial) -> None:
    assert asked(trial, "2026-03-01").plan is None and asked(trial, "2026-03-01").scope == "all"
    add(trial, "2026-03-01", "critical")
    add(trial, "2026-03-15", "none")
    last = add(trial, "2026-04-01", "all")
    scopes = {when: asked(trial, when).scope for when in ("2026-02-28", "2026-03-01", "2026-03-14", "2026-03-15")}
    assert scopes == {"2026-02-28": "all", "2026-03-01": "critical", "2026-03-14": "critical", "2026-03-15": "none"}
    assert asked(trial, "2026-04-01").plan_id == last.id
    assert asked(trial, None).scope == "none", "without a date: the plan in force on 16 March"
    corrected = add(trial, "2026-03-15", "critical")
    assert asked(trial, "2026-03-20").plan_id == corrected.id, "of two from the same day the later one holds"


def test_what_each_scope_asks() -> None:
    study = load_study(text_of_study())
    everything = Asking(None, "all", frozenset()).items(study)
    assert {"HEIGHT", "WEIGHT", "CONSDAT", "AEGGR", "LBORRES"} <= everything
    assert not everything & {"BMI", "LBTEST"}, "derived items and keys of rows are exempt by nature"
    assert Asking(None, "critical", frozenset()).items(study) == {"HEIGHT"}
    assert Asking(None, "all", frozenset({"WEIGHT"})).items(study) == everything - {"WEIGHT"}
    assert Asking(None, "critical", frozenset({"HEIGHT"})).items(study) == frozenset()
    assert Asking(None, "none", frozenset()).items(study) == frozenset()


def test_the_sample_can_be_drawn_again_by_anybody(trial: Trial) -> None:
    plan = add(trial, "2026-03-01", "all", percent=20, seed="spring")
    numbers = [f"01-S{number:03}" for number in range(1, 1001)]
    drawn = {number for number in numbers if is_sampled(plan, number)}
    again = {n for n in numbers if int(sha256(f"spring{n}".encode()).hexdigest(), 16) / 2**256 < 0.2}
    assert drawn == again and 160 < len(drawn) < 240
    wider = SdvPlan(seed="spring", percent=30)
    assert drawn < {number for number in numbers if is_sampled(wider, number)}, "a larger share keeps the smaller"
    assert drawn != {number for number in numbers if is_sampled(SdvPlan(seed="autumn", percent=20), number)}
    assert not any(is_sampled(SdvPlan(seed="x", percent=0), number) for number in numbers)
    assert all(is_sampled(SdvPlan(seed="x", percent=100), number) for number in numbers)
    outside = next(number for number in numbers if number not in drawn)
    assert asked(trial, "2026-03-10", outside).scope == "critical"
    assert asked(trial, "2026-03-10", min(drawn)).scope == "all"


@pytest.mark.parametrize(
    ("given", "code"),
    [({"scope": "some"}, "sdv-plan"), ({"percent": 101}, "sdv-plan"), ({"percent": -1}, "sdv-plan"),
     ({"scope": "critical", "percent": 50}, "sdv-plan"), ({"exempt": ["NOPE"]}, "sdv-unknown-items"),
     ({"exempt": ["BMI"]}, "sdv-unknown-items"), ({"reason": " "}, "bad-reason")],
)  # fmt: skip
def test_what_is_no_plan_is_refused(trial: Trial, given: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        add(trial, "2026-03-01", **{"scope": "all", **given})
    assert caught.value.code == code
    assert db.session.query(SdvPlan).count() == 0


@pytest.mark.req("ACC-01")
def test_who_may_plan_and_the_same_request_twice(trial: Trial) -> None:
    for name in ("mona", "alice", "ines"):
        with pytest.raises(Forbidden):
            add(trial, "2026-03-01", "all", name=name)
    add(trial, "2026-03-01", "all", percent=20)
    with pytest.raises(Refusal) as caught:
        add(trial, "2026-03-01", "all", percent=20)
    assert caught.value.code == "sdv-plan-twice"
    assert len(planning_verification.list_plans(trial.user("mona"))) == 1
    assert planning_verification.list_plans(trial.user("bob")) == []


def test_a_stroke_marks_only_what_the_plan_asks(trial: Trial) -> None:
    subject = trial.screen()
    trial.visited(subject, "2026-03-16")
    data = trial.save(subject, "VS", VITALS)
    add(trial, "2026-03-16", "critical")
    shown = verifying.Shown(data.id, data.revision, ("VS/1/HEIGHT", "VS/1/WEIGHT"))
    with trial.by("mona", "verify", subject=subject) as change:
        assert verifying.verify_forms(change, subject, [shown]).items == 1
    assert verifying.marks_of([data.id])[data.id].keys() == {"VS"}
    assert set(verifying.marks_of([data.id])[data.id]["VS"]["1"]) == {"HEIGHT"}
    add(trial, "2026-03-16", "none")
    with pytest.raises(Refusal) as caught, trial.by("mona", "verify", subject=subject) as change:
        verifying.verify_form(change, data, data.revision)
    assert caught.value.code == "sdv-nothing"


def recount(trial: Trial) -> dict[tuple[int, int], tuple[int, int]]:
    """Asked and verified, path by path, by another way than `tally`."""
    found: dict[tuple[int, int], list[int]] = {}
    for data in db.session.query(FormData).filter(FormData.in_error.is_(None)):
        subject = db.session.get(Subject, data.subject_id)
        visit = db.session.get(StudyEvent, data.study_event_id)
        study = finding.design(data.version_id)
        held = [p for p in db.session.query(SdvPlan).filter_by(site_id=subject.site_id)
                if p.from_date <= (visit.visit_date or date(2026, 3, 16))]  # fmt: skip
        plan = max(held, key=lambda each: (each.from_date, each.id), default=None)
        scope = plan.scope if plan else "all"
        if plan and scope == "all" and not is_sampled(plan, subject.screening_number):
            scope = "critical"
        review = db.session.query(Review).filter_by(form_data_id=data.id).first()
        counts = found.setdefault((subject.site_id, plan.id if plan else NO_PLAN), [0, 0])
        for group, rows in data.answers.items():
            for row, cells in rows.items():
                for item_id in cells:
                    item = study.items.get(item_id)
                    if ERROR in cells or item is None or item.derive or item.type == "auto" or item_id == "LBTEST":
                        continue
                    if (
                        scope == "none"
                        or (scope == "critical" and not item.critical)
                        or item_id in (plan.exempt if plan else [])
                    ):
                        continue
                    counts[0] += 1
                    marks = review.verified if review else {}
                    counts[1] += item_id in marks.get(group, {}).get(row, {})
    return {key: (asked, verified) for key, (asked, verified) in found.items()}


@pytest.mark.req("DAT-11")
def test_progress_equals_a_recount(trial: Trial) -> None:
    add(trial, "2026-03-10", "all", percent=50, seed="1", exempt=["FEVER"])
    add(trial, "2026-03-14", "critical")
    random = Random(4)
    for number in range(8):
        name = "bob" if number % 4 == 3 else "alice"
        subject = trial.screen(name)
        data = trial.save(subject, "VS", VITALS, name=name)
        trial.save(subject, "SV", {"VISDAT": f"2026-03-{8 + number:02}"}, name=name)
        rows = {"WBC": {"LBORRES": "5.1"}, "HGB": {"LBORRES": "120", "_error": "wrong tube"}}
        lab = trial.save(subject, "LB", {"LBPAN": "HEM"}, repeat=None, more={"LBROWS": rows}, name=name)
        if name == "alice":
            paths = random.sample(["VS/1/HEIGHT", "VS/1/WEIGHT", "VS/1/FEVER"], 2)
            with trial.by("mona", "verify", subject=subject) as change:
                verifying.verify_items(change, data, data.revision, paths)
                verifying.verify_items(change, lab, lab.revision, ["LBROWS/WBC/LBORRES"])
        if number % 3 == 0:
            trial.save(subject, "VS", {**VITALS, "HEIGHT": "170.0"}, name=name)
    with clock.at(DAY):
        counted = planning_verification.progress(finding.study().sites)
    told = {key: (tally.asked, tally.verified) for key, tally in counted.items()}
    assert told == recount(trial)
    assert len(told) == 4 and sum(verified for _, verified in told.values()) > 8
    trial.save(finding.subject(trial.user("alice"), 1), "VS", {**VITALS, "HEIGHT": "171.0", "VSPULSE": "70"})
    with clock.at(DAY):
        again = planning_verification.progress(finding.study().sites)
    assert {key: (tally.asked, tally.verified) for key, tally in again.items()} == recount(trial) != told, (
        "counted again"
    )
    only = planning_verification.count([trial.site()], [1])
    assert {each.subject_id for each in only} == {1}
