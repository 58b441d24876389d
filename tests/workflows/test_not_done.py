"""A form that was not done: what reads it follows, and it is judged no more; on both databases."""

import pytest

from models import FormData, Subject, clock, db
from models.change import Change
from tests import asking, small_study
from tests.asking import Asking
from tests.clinic import NOW
from workflows import entering, finding
from workflows.refusals import Refusal, Stale

CHECKS = """
[[checks]]
id = "X05"
severity = "cross"
form = "VS"
items = ["WEIGHT"]
rule = "count(LB) > 0"
en = "Where is the laboratory?"
zh = "实验室检查在哪里？"
[[checks]]
id = "X06"
severity = "cross"
form = "LB"
items = ["LBPAN"]
rule = "not any(VS where WEIGHT > 100)"
en = "Heavy: is the laboratory right?"
zh = "体重偏高，实验室检查是否正确？"
"""
FOLLOWED = """
[[items]]
id = "SVLABS"
en = "Laboratory forms"
zh = "实验室检查表数"
type = "integer"
derive = "count(LB)"
"""


@pytest.fixture
def clinic(app, tmp_path, monkeypatch):
    """The small study in which three things depend on laboratory forms and one on photographs."""
    monkeypatch.setattr(asking, "CHECKS", asking.CHECKS + CHECKS)
    monkeypatch.setitem(small_study.FORMS, "SV", small_study.FORMS["SV"] + FOLLOWED)
    study = small_study.STUDY.replace("\n[rules]", 'ended = "count(PHO) > 0"\n\n[rules]')
    monkeypatch.setattr(small_study, "STUDY", study)
    with clock.at(NOW):
        yield Asking(tmp_path, app)


def not_done(clinic: Asking, subject: int, form: str, name: str = "alice") -> None:
    with clinic.app.app_context():
        user = clinic.user(name)
        place = finding.place(user, subject, "SCR", form, 1)
        with Change(by=user, action="mark not done", subject=place.subject, chain="small") as change:
            entering.mark_not_done(change, place, "ND")


@pytest.mark.req("DAT-13")
def test_the_query_of_another_form_that_waited_for_it_closes(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject)
    (query,) = clinic.queries(subject, "X05")
    assert query.status == "open"
    not_done(clinic, subject, "LB")
    (query,) = clinic.queries(subject, "X05")
    assert query.status == "closed"


def test_a_value_derived_from_it_follows_in_the_name_of_the_system(clinic) -> None:
    subject = clinic.screen()
    clinic.store(subject, "SCR", "SV", {"SV": {"1": {"VISDAT": "2026-03-12"}}})
    assert clinic.answers(subject, "SCR", "SV")["SV"]["1"]["SVLABS"] == "0"
    not_done(clinic, subject, "LB")
    assert clinic.answers(subject, "SCR", "SV")["SV"]["1"]["SVLABS"] == "1"


def test_the_status_that_depends_on_it_follows(clinic) -> None:
    subject = clinic.screen()
    not_done(clinic, subject, "PHO")
    db.session.rollback()
    assert db.session.get_one(Subject, subject).status == "ended"


def test_nothing_is_asked_about_a_form_that_was_not_done(clinic) -> None:
    """Nor is anything derived in it, whatever is saved in other forms later."""
    subject = clinic.screen()
    not_done(clinic, subject, "LB")
    before = clinic.answers(subject, "SCR", "LB")
    clinic.vital(subject, WEIGHT="110.0")
    assert clinic.queries(subject, "X06") == []
    (data,) = db.session.query(FormData).filter_by(subject_id=subject, form_id="LB")
    assert (data.answers, data.entry, data.findings) == (before, "not_done", [])


def test_whoever_is_second_is_told(clinic) -> None:
    subject = clinic.screen()
    with clinic.app.app_context():
        user = clinic.user("ines")
        place = finding.place(user, subject, "SCR", "VS", 1)
        clinic.vital(subject)
        with (
            pytest.raises(Stale, match="Alice Zhao"),
            Change(by=user, action="mark not done", subject=place.subject, chain="small") as change,
        ):
            entering.mark_not_done(change, place, "ND")
    with pytest.raises(Refusal):
        not_done(clinic, subject, "VS")
