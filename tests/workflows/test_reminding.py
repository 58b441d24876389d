"""The work list: the visits the database finds are those whose status says that they wait."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import StudyEvent, Subject, clock, db
from tests.asking import Asking
from tests.clinic import NOW
from workflows import finding, reminding, scheduling


@pytest.fixture
def clinic(app, tmp_path):
    with clock.at(NOW):
        yield Asking(tmp_path, app)


def waiting(clinic: Asking, user: str) -> list[tuple[int, str]]:
    """What the page shows."""
    return [(each.event.id, each.status) for each in reminding.visits_due(clinic.user(user))]


def expected(site: str) -> set[tuple[int, str]]:
    """The same, visit by visit, by the rule that every other page uses."""
    found = set()
    for subject in db.session.scalars(select(Subject)):
        if subject.site.code != site or subject.status in reminding.OVER:
            continue
        day = clock.today(subject.site.timezone)
        for event in db.session.scalars(select(StudyEvent).where(StudyEvent.subject_id == subject.id)):
            study = finding.design_for(subject.site)
            status = scheduling.status_of(study, event, subject.events, day)
            soon = status == "planned" and event.target is not None and event.target <= day + reminding.AHEAD
            if event.opens is not None and event.opens <= day + reminding.AHEAD and (status in reminding.DUE or soon):
                found.add((event.id, status))
    return found


@pytest.mark.parametrize("days", [0, 10, 17, 20, 24, 29, 31, 40, 60, 400])
def test_a_work_list_holds_exactly_the_visits_that_wait(clinic, days) -> None:
    for consent in ("2026-03-01", "2026-03-10", "2026-03-12"):
        clinic.screen(consent=consent)
    clinic.screen("bob")
    with clinic.app.app_context(), clock.at(NOW + timedelta(days=days)):
        shown = waiting(clinic, "alice")
        assert set(shown) == expected("01")
        assert len(shown) == len(set(shown))


def test_overdue_visits_come_first_the_longest_waiting_before_the_others(clinic) -> None:
    for consent in ("2026-03-10", "2026-03-01", "2026-03-12"):
        clinic.screen(consent=consent)
    with clinic.app.app_context(), clock.at(NOW + timedelta(days=30)):
        found = reminding.visits_due(clinic.user("alice"))
        keys = [(each.status != "overdue", each.event.target) for each in found]
        assert keys == sorted(keys) and found
        assert reminding.visits_due(clinic.user("alice"), limit=1) == found[:1]
