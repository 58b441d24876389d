"""Deviations: proposed once by what the data say, withdrawn when corrected, settled by people; on both databases."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from models import ChangeEntries, Deviation, Subject, clock, db
from models.change import Change, System
from tests.amended import Amended
from tests.clinic import NOW, PASSWORD
from workflows import access, delegating, deviating, finding, granting
from workflows.refusals import Forbidden, Refusal

EARLY = {"SV": {"1": {"VISDAT": "2026-03-14"}}}
PROTECTED = "HEIGHT-P"


@pytest.fixture
def clinic(tmp_path: Path, app: Flask) -> Any:
    with clock.at(NOW):
        yield Amended(tmp_path, app)


def act(
    clinic: Amended, name: str, deviation: Deviation, what: Any, *given: str, reason: str | None = None
) -> Deviation:
    user = clinic.user(name)
    held = finding.deviation(user, deviation.id)
    with Change(by=user, action="settle", reason=reason, subject=held.subject, chain="small") as change:
        return what(change, held, *given)


def early(clinic: Amended) -> Deviation:
    subject = clinic.screen()
    clinic.store(subject, "FU1", "SV", EARLY)
    return clinic.deviations(subject)[0]


GIVEN = ("VIS", "MIN", "came early", "2026-03-14")


def test_a_breached_window_is_proposed_once_and_withdrawn_when_corrected(clinic: Amended) -> None:
    subject = clinic.screen()
    clinic.store(subject, "FU1", "SV", EARLY)
    clinic.store(subject, "FU1", "SV", {"SV": {"1": {"VISDAT": "2026-03-15"}}}, reason="misread")
    (deviation,) = clinic.deviations(subject)
    assert (deviation.status, deviation.check_id) == ("proposed", "WINDOW")
    assert "2026-04-03" in deviation.term_en and "2026-04-03" in deviation.term_zh
    clinic.store(subject, "SCR", "ICF", {"ICF": {"1": {"CONSDAT": "2026-02-15"}}}, reason="misread")
    (deviation,) = clinic.deviations(subject)
    assert deviation.status == "withdrawn" and deviation.why
    clinic.store(subject, "SCR", "ICF", {"ICF": {"1": {"CONSDAT": "2026-03-10"}}}, reason="misread")
    assert [each.status for each in clinic.deviations(subject)] == ["proposed"]


@pytest.mark.req("AUD-14")
def test_an_override_is_proposed_by_the_system_with_its_reason(clinic: Amended) -> None:
    subject = clinic.screen()
    tall = {"VS": {"1": {"HEIGHT": "225.0", "WEIGHT": "60.0", "FEVER": "N"}}}
    clinic.store(subject, "SCR", "VS", tall, name="ines", overrides={PROTECTED: "Marfan syndrome"})
    (deviation,) = clinic.deviations(subject)
    assert (deviation.check_id, deviation.why, deviation.status) == (PROTECTED, "Marfan syndrome", "proposed")
    entries = [
        each
        for body in db.session.query(ChangeEntries)
        for each in body.entries
        if each["path"].startswith("deviation/")
    ]
    assert entries and {each.get("source") for each in entries} == {"system:derivation"}
    clinic.store(
        subject, "SCR", "VS", {"VS": {"1": {**tall["VS"]["1"], "HEIGHT": "205.0"}}}, name="ines", reason="misread"
    )
    assert [each.status for each in clinic.deviations(subject)] == ["withdrawn"]


def test_recording_writes_the_form_and_the_investigator_acknowledges(clinic: Amended) -> None:
    deviation = early(clinic)
    recorded = act(clinic, "alice", deviation, deviating.record, *GIVEN)
    data = finding.form_data(clinic.user("alice"), recorded.form_data_id or 0)
    assert data.form_id == "DV"
    assert data.answers["DV"]["1"] == {"DVCAT": "VIS", "DVSEV": "MIN", "DVTERM": "came early", "DVDAT": "2026-03-14"}
    for again, given in ((deviating.record, GIVEN), (deviating.dismiss, ())):
        with pytest.raises(Refusal, match="settled"):
            act(clinic, "alice", deviation, again, *given, reason="no harm done")
    assert act(clinic, "ines", deviation, deviating.acknowledge).acknowledged_by == "Ines Wang"
    with pytest.raises(Refusal, match="once"):
        act(clinic, "ines", deviation, deviating.acknowledge)


def test_what_people_settled_stays_theirs(clinic: Amended) -> None:
    deviation = early(clinic)
    with pytest.raises(Refusal):
        act(clinic, "alice", deviation, deviating.dismiss)
    assert act(clinic, "alice", deviation, deviating.dismiss, reason="allowed by note 3").status == "dismissed"
    with pytest.raises(Refusal, match="Only a recorded"):
        act(clinic, "ines", deviation, deviating.acknowledge)
    clinic.store(deviation.subject_id, "FU1", "SV", {"SV": {"1": {"VISDAT": "2026-03-15"}}}, reason="misread")
    assert [each.status for each in clinic.deviations(deviation.subject_id)] == ["dismissed"]


@pytest.mark.req("ACC-01")
@pytest.mark.parametrize("name", ["alice", "ines", "mona", "dora", "sara", "iva"])
def test_every_role_may_do_what_the_table_says(clinic: Amended, name: str) -> None:
    (role,) = {grant.role for grant in access.active_grants(clinic.user(name))}
    deviation = early(clinic)
    for action, what, given in (
        ("record deviation", deviating.record, GIVEN),
        ("acknowledge deviation", deviating.acknowledge, ()),
    ):
        if action in access.ACCESS[role]:
            act(clinic, name, deviation, what, *given)
            continue
        with pytest.raises(Forbidden):
            act(clinic, name, deviation, what, *given)
        if action == "record deviation":
            act(clinic, "alice", deviation, deviating.record, *GIVEN)


def test_a_study_without_a_form_for_deviations_says_so(clinic: Amended, monkeypatch: pytest.MonkeyPatch) -> None:
    deviation = early(clinic)
    monkeypatch.setattr("design.definitions.StudyDef.deviations", None, raising=False)
    study = finding.design_for(clinic.site("01"))
    object.__setattr__(study, "deviations", None)
    try:
        with pytest.raises(Refusal, match="which form"):
            act(clinic, "alice", deviation, deviating.record, *GIVEN)
    finally:
        finding._compiled.cache_clear()


@pytest.mark.req("DAT-13")
@pytest.mark.parametrize("scope", ["subject", "site", "study"])
def test_nothing_is_settled_inside_a_lock(clinic: Amended, scope: str) -> None:
    deviation, other = early(clinic), early(clinic)
    act(clinic, "alice", other, deviating.record, *GIVEN)
    person = db.session.get_one(Subject, deviation.subject_id)
    for each in {"subject": [person, other.subject], "site": [person.site], "study": [person.site.study]}[scope]:
        with Change(by=System("tests"), action="lock", chain="small"):
            each.protection = "locked"
    for who, held, what, given in (
        ("alice", deviation, deviating.record, GIVEN),
        ("alice", deviation, deviating.dismiss, ()),
        ("ines", other, deviating.acknowledge, ()),
    ):
        with pytest.raises(Refusal) as refused:
            act(clinic, who, held, what, *given, reason="settled late")
        assert refused.value.code == "locked"


def test_only_the_principal_investigator_acknowledges_where_the_site_keeps_its_log(clinic: Amended) -> None:
    deviation = early(clinic)
    act(clinic, "alice", deviation, deviating.record, *GIVEN)
    site = clinic.site("01")
    with Change(by=System("tests"), action="create user", chain="system") as change:
        second = granting.create_user(change, "ivan", "Ivan Sub", PASSWORD, "en")
        granting.grant(change, second, "investigator", clinic.site("01"))
    with Change(by=clinic.user("ines"), action="delegate", site=site, chain="small") as change:
        delegating.delegate(change, clinic.site("01"), clinic.user("ines"), ["sign"], NOW.date(), None)
    with pytest.raises(Refusal) as refused:
        act(clinic, "ivan", deviation, deviating.acknowledge)
    assert refused.value.code == "not-principal"
    assert act(clinic, "ines", deviation, deviating.acknowledge).acknowledged_by == "Ines Wang"
