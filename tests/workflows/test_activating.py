"""A site works under a later version from its day, after its approval; what is added waits for re-consent."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from models import Activation, Change, StudyEvent, clock, db
from models.change import Change as Open
from tests.amended import Amended
from tests.clinic import NOW
from workflows import activating, amending, finding, reconsenting
from workflows.refusals import Forbidden, Refusal


@pytest.fixture
def clinic(tmp_path: Path, app: Flask) -> Any:
    with clock.at(NOW):
        yield Amended(tmp_path, app)


def code_of(act: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(Refusal) as caught:
        act(*args, **more)
    return caught.value.code


def number(clinic: Amended, code: str) -> int:
    db.session.rollback()
    return finding.design(clinic.site(code).version_id).version


@pytest.mark.req("ACC-11")
def test_a_version_holds_only_where_it_was_approved(clinic: Amended) -> None:
    clinic.publish_second()
    assert (number(clinic, "01"), number(clinic, "02")) == (1, 1)
    clinic.activate("01")
    assert (number(clinic, "01"), number(clinic, "02")) == (2, 1)
    assert code_of(clinic.activate, "01") == "version-not-later"
    assert code_of(clinic.activate, "02", approval=" ") == "approval-needed"
    for name in ("alice", "ines", "mona", "otto"):
        with pytest.raises(Forbidden):
            clinic.activate("02", name=name)


@pytest.mark.req("ACC-11")
def test_a_later_day_waits_for_the_night(clinic: Amended) -> None:
    clinic.screen()
    clinic.publish_second()
    clinic.activate("01", day=NOW.date() + timedelta(days=3))
    assert number(clinic, "01") == 1 and activating.come_into_force() == []
    with clock.at(NOW + timedelta(days=3)):
        assert len(activating.come_into_force()) == 1
        assert number(clinic, "01") == 2
        assert activating.come_into_force() == []
    assert db.session.query(Activation).one().approval == "EC 2026-7"
    assert [each.user_name.split("@")[0] for each in db.session.query(Change).filter_by(action="renew schedule")] == [
        "system:activation"
    ]


def test_old_forms_stay_and_new_ones_come_under_the_new_version(clinic: Amended) -> None:
    subject = clinic.screen()
    clinic.vitals(subject)
    clinic.publish_second()
    clinic.activate()
    clinic.store(subject, "FU1", "VS", {"VS": {"1": {"HEIGHT": "165.0", "SKIN": "12.0"}}})
    place = finding.place(clinic.user("alice"), subject, "SCR", "VS", 1)
    assert place.study.version == 1
    assert clinic.versions_of(subject) == {1, 2}


@pytest.mark.req("ACC-07")
def test_what_was_added_waits_for_the_new_consent(clinic: Amended) -> None:
    subject = clinic.screen()
    clinic.publish_second()
    clinic.activate()
    person = finding.subject(clinic.user("alice"), subject)
    added = db.session.query(StudyEvent).filter_by(subject_id=subject, event_id="FU2").one()
    assert added.state == "not_applicable"
    assert reconsenting.forms_withheld(person, finding.design_for(person.site)) == {"MRI"}
    given = {"MRI": {"1": {"MRIDAT": "2026-03-16"}}}
    assert code_of(clinic.store, subject, "FU1", "MRI", given) == "needs-reconsent"
    clinic.store(
        subject, "FU1", "VS", {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N", "SKIN": "12.0"}}}
    )
    db.session.rollback()
    vital = db.session.query(finding.FormData).filter_by(subject_id=subject, form_id="VS").one()
    assert vital.entry == "complete"  # MOLE is not asked yet
    clinic.store(subject, "SCR", "ICF", {"ICF": {"1": {"CONSDAT": "2026-03-10", "CONSVER": "2"}}}, reason="re-consent")
    db.session.rollback()
    assert db.session.query(StudyEvent).filter_by(subject_id=subject, event_id="FU2").one().state == "planned"
    clinic.store(subject, "FU1", "MRI", given)
    db.session.rollback()
    vital = db.session.query(finding.FormData).filter_by(subject_id=subject, form_id="VS").one()
    assert vital.entry == "in_progress"  # now it is


def test_nobody_activates_what_was_not_published(clinic: Amended) -> None:
    assert code_of(amending.version, 2) == "no-version"
    with Open(by=clinic.user("dora"), action="activate version", chain="small") as change:
        first = amending.version(1)
        assert code_of(activating.activate, change, clinic.site("01"), first, NOW.date(), "EC 1") == "version-not-later"
