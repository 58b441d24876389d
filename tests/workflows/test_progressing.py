"""The data management dashboard: every figure against an example that was counted by hand."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, select

from models import FormData, Subject, User, clock, db
from models.change import Change, System
from tests.asking import Asking
from tests.signing import Signing
from workflows import access, finding, listing, progressing, verifying
from workflows.nightly import OVER
from workflows.progressing import Figures, Progress
from workflows.refusals import Forbidden, NotFound
from workflows.verifying import Shown

START = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)
APRIL_THERE = datetime(2026, 3, 31, 17, 0, tzinfo=UTC)  # past midnight at the sites: already April
MAY = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
TODAY = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)
VITALS = {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N"}


@pytest.fixture
def clinic(app: Flask, tmp_path: Path) -> Signing:
    with clock.at(START):
        return Signing(tmp_path, app)


def one_of_each(clinic: Signing) -> tuple[int, int]:
    """Two participants who consented on 10 March: at site 01 three complete forms, at site 02 one of them unfinished."""
    with clock.at(MARCH):
        first, second = clinic.screen("alice"), clinic.screen("bob")
        clinic.store(first, "SCR", "VS", {"VS": {"1": VITALS}})
        clinic.store(first, "SCR", "SV", {"SV": {"1": {"VISDAT": "2026-03-12"}}})
        clinic.store(second, "SCR", "VS", {"VS": {"1": {"HEIGHT": "170.0"}}}, name="bob")
    return first, second


def read(clinic: Asking, name: str = "dora", code: str = "") -> Progress:
    db.session.rollback()  # see what other sessions wrote
    with clock.at(TODAY):
        return progressing.read(clinic.user(name), code)


def by_site(clinic: Asking) -> dict[str, Figures]:
    return {site.code: figures for site, figures in read(clinic).sites}


def test_forms_completeness_and_overdue_visits(clinic: Signing) -> None:
    """Follow-up was due by 17 April and has two required forms; of screening at site 02 the visit form is missing."""
    one_of_each(clinic)
    found = by_site(clinic)
    assert found["01"].forms == Counter(complete=3, not_started=2)
    assert found["02"].forms == Counter(complete=1, in_progress=1, not_started=3)
    assert (found["01"].completeness, found["02"].completeness) == (3 / 5, 1 / 5)
    assert (found["01"].overdue, found["02"].overdue) == (1, 1)
    total = read(clinic).total
    assert (total.expected, total.completeness, total.overdue) == (10, 0.4, 2)
    assert total.participants == Counter(consented=2)


def test_who_left_is_not_waited_for_and_errors_count_for_nothing(clinic: Signing) -> None:
    first, second = one_of_each(clinic)
    clinic.error(first, "SCR", "VS")
    assert by_site(clinic)["01"].forms == Counter(complete=2, not_started=3), "it is to be entered again"
    for status, forms in (
        ("withdrawn", Counter(complete=1, in_progress=1)),
        ("screen_failed", Counter(complete=1, in_progress=1)),
    ):
        with Change(by=clinic.user("dora"), action="save form", subject=second, chain="small"):
            db.session.get_one(Subject, second).status = status
        assert by_site(clinic)["02"].forms == forms, status
        assert by_site(clinic)["02"].overdue == 0


def overdue_listed(clinic: Signing, name: str = "dora") -> list[int]:
    """The participants that the list shows when it is narrowed to overdue visits."""
    with clock.at(TODAY):
        found, _more = listing.participants(clinic.user(name), listing.Filters(attention="overdue"))
        return [subject.id for subject in found]


def test_the_list_of_overdue_visits_holds_the_participants_that_are_counted(clinic: Signing) -> None:
    """Each has one visit that is past its window; who left the study is waited for no more, in neither place."""
    first, second = one_of_each(clinic)
    assert (read(clinic).total.overdue, overdue_listed(clinic)) == (2, [first, second])
    assert (read(clinic, "bob").total.overdue, overdue_listed(clinic, "bob")) == (1, [second])
    for status in OVER:
        with Change(by=clinic.user("dora"), action="save form", subject=second, chain="small"):
            db.session.get_one(Subject, second).status = status
        assert (read(clinic).total.overdue, overdue_listed(clinic)) == (1, [first]), status


def test_the_day_is_that_of_the_site_in_the_list_too(clinic: Signing) -> None:
    """The window of both closes on 17 April; when it is the 18th in Wuwei, it is still the 17th in London."""
    first, _second = one_of_each(clinic)
    with Change(by=System("tests"), action="publish", chain="small"):
        clinic.site("02").timezone = "Europe/London"
    with clock.at(datetime(2026, 4, 17, 18, 0, tzinfo=UTC)):
        counted = progressing.read(clinic.user("dora")).total.overdue
        found, _more = listing.participants(clinic.user("dora"), listing.Filters(attention="overdue"))
        assert (counted, [subject.id for subject in found]) == (1, [first])


@pytest.mark.req("DAT-01")
def test_a_visit_of_yesterday_that_is_entered_today_keeps_both_times(clinic: Signing) -> None:
    """The day of the visit is what the nurse says; the time of entry is the server's, with the form and in the trail."""
    with clock.at(MARCH):
        subject = clinic.screen("alice")
        clinic.store(subject, "SCR", "SV", {"SV": {"1": {"VISDAT": "2026-03-15"}}})
    form = clinic.form(subject, "SV")
    change = db.session.scalars(select(Change).where(Change.about == f"form_data/{form.id}")).one()
    assert form.study_event.visit_date == date(2026, 3, 15)
    assert (form.saved_at, form.saved_by) == (MARCH, "Alice Zhao")
    assert (change.at, change.user_name) == (MARCH, "alice")
    assert by_site(clinic)["01"].lags == [1, 1]


@pytest.mark.req("DAT-01")
def test_entry_lag_is_from_the_visit_to_the_first_save(clinic: Signing) -> None:
    """12 to 16 March; a later correction of a value moves nothing, one of the visit's date does."""
    first, _second = one_of_each(clinic)
    with clock.at(MAY):
        clinic.vital(first, WEIGHT="61.0")
    figures = by_site(clinic)["01"]
    assert (sorted(figures.lags), figures.lag_median, figures.lag_ninth) == ([4, 4, 4], 4, 4)
    assert by_site(clinic)["02"].lag_median is None, "without a date of the visit there is no lag"
    with clock.at(MAY):
        clinic.store(first, "SCR", "SV", {"SV": {"1": {"VISDAT": "2026-03-15"}}}, reason="misread")
    assert sorted(by_site(clinic)["01"].lags) == [1, 1, 1]


@pytest.mark.parametrize(("lags", "median", "ninth"), [
    ([], None, None), ([3], 3, 3), ([1, 2], 1.5, 2), (list(range(1, 11)), 5.5, 9), (list(range(1, 12)), 6, 10),
])  # fmt: skip
def test_median_and_ninetieth_percentile(lags: list[int], median: float | None, ninth: int | None) -> None:
    figures = Figures(lags=lags[::-1])
    assert (figures.lag_median, figures.lag_ninth) == (median, ninth)


@pytest.mark.req("DAT-12")
def test_queries_by_state_and_age(clinic: Signing) -> None:
    first, second = one_of_each(clinic)
    with clock.at(MARCH):
        clinic.ask("mona", first, "SCR", "VS", 1, ["VS/1/WEIGHT"])  # 65 days ago
        gone = clinic.ask("mona", first, "SCR", "VS", 1, ["VS/1/HEIGHT"])
        mistake = clinic.ask("mona", first, "SCR", "SV", 1)
    with clock.at(MAY):
        fresh = clinic.ask("mona", second, "SCR", "VS", 1, ["VS/1/HEIGHT"])  # 2 days ago
        clinic.do("bob", fresh, "answer")
        clinic.do("mona", gone, "close")
        clinic.do("mona", mistake, "cancel")
    found = by_site(clinic)
    assert (found["01"].queries, found["01"].ages) == (Counter(open=1), [0, 0, 0, 1, 0])
    assert (found["02"].queries, found["02"].ages) == (Counter(answered=1), [1, 0, 0, 0, 0])
    march, april, may = read(clinic).months
    assert [(month.opened, month.closed) for month in (march, april, may)] == [(2, 0), (0, 0), (1, 1)]


def test_verification_signatures_and_protection(clinic: Signing) -> None:
    """Five typed items at site 01: one date of consent, three vital signs (not the derived one), one date of visit."""
    first, _second = one_of_each(clinic)
    with clock.at(MARCH):
        vitals = clinic.form(first)
        with Change(by=clinic.user("mona"), action="verify", subject=vitals.subject, chain="small") as change:
            marks = ("VS/1/HEIGHT", "VS/1/FEVER")
            verifying.verify_forms(change, vitals.subject, [Shown(vitals.id, vitals.revision, marks)])
        clinic.sign(first)
        clinic.vital(first, WEIGHT="61.0")  # breaks one of three signatures
    Asking.protect(clinic, FormData, "frozen", form_id="ICF")
    Asking.protect(clinic, FormData, "locked", form_id="SV")
    found = by_site(clinic)
    assert (found["01"].verification.asked, found["01"].verification.verified, found["01"].verified) == (5, 2, 0.4)
    assert found["01"].signatures == Counter(signed=2, broken=1)
    assert found["02"].signatures == Counter(unsigned=2)
    assert (found["01"].protection, found["01"].protected) == (Counter(frozen=1, locked=1, open=1), 2 / 3)
    assert read(clinic).total.signed == 2 / 5


def test_over_time(clinic: Signing) -> None:
    """At the end of March six forms are expected and four complete; in April four of the follow-up visits come."""
    first, _second = one_of_each(clinic)
    with clock.at(APRIL_THERE):
        clinic.vital(first, WEIGHT="61.0")
    months = read(clinic).months
    assert [month.first for month in months] == [date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)]
    assert [month.saves for month in months] == [5, 1, 0]
    assert [(month.settled, month.expected) for month in months] == [(4, 6), (4, 10), (4, 10)]
    assert months[1].completeness == 0.4


def test_nothing_yet(clinic: Signing) -> None:
    total = read(clinic).total
    assert (total.expected, total.completeness, total.verified, total.signed, total.protected) == (
        0,
        None,
        None,
        None,
        None,
    )
    assert read(clinic).months == []


@pytest.mark.req("ACC-02", "SEC-19")
def test_only_the_own_sites(clinic: Signing) -> None:
    one_of_each(clinic)
    mine = read(clinic, "alice")
    assert [site.code for site, _figures in mine.sites] == ["01"]
    assert mine.total.participants.total() == 1 and sum(month.saves for month in mine.months) == 3
    assert read(clinic, "dora", "02").total.forms == by_site(clinic)["02"].forms
    with pytest.raises(NotFound):
        read(clinic, "alice", "02")


@pytest.mark.req("ACC-01")
def test_who_may_see_it(clinic: Signing) -> None:
    for role in ("coder", "administrator"):
        assert progressing.ACTION not in access.ACCESS[role]
    for name in ("carl", "otto"):
        with pytest.raises(Forbidden):
            read(clinic, name)


def statements(user: User) -> int:
    count = 0

    def note(*_args: object) -> None:
        nonlocal count
        count += 1

    event.listen(db.engine, "before_cursor_execute", note)
    progressing.read(user)
    event.remove(db.engine, "before_cursor_execute", note)
    return count


def test_as_many_statements_for_many_as_for_few(clinic: Signing) -> None:
    one_of_each(clinic)
    user = clinic.user("dora")
    progressing.read(user)
    few = statements(user)
    for _ in range(3):
        first, _second = one_of_each(clinic)
        clinic.ask("mona", first, "SCR", "VS", 1)
    assert finding.study() is not None
    assert statements(clinic.user("dora")) <= few <= 12
