"""Targets, windows and statuses of visits: always from the anchor, projected while it is only expected."""

from datetime import date

import pytest

from design.schedule import event_status, plan, window_status
from tests.design.tiny import tiny

START, END = date(2027, 2, 1), date(2027, 8, 31)


def planned(anchors, projected=None, weeks=0):
    return {(each.event_id, each.repeat): each for each in plan(tiny(), anchors, projected or {}, {"WEEK": weeks})}


def test_months_count_from_the_anchor_and_stop_at_the_end_of_the_month():
    found = planned({"START": START, "END": END})
    assert found["FU6M", 1].target == date(2028, 2, 29)
    assert found["FU12M", 1].target == date(2028, 8, 31)
    assert (found["FU6M", 1].opens, found["FU6M", 1].closes) == (date(2028, 2, 15), date(2028, 3, 14))


def test_an_anchor_that_is_only_expected_makes_projected_targets():
    found = planned({"START": START, "END": None}, {"END": date(2027, 3, 1)})
    assert found["FU6M", 1].projected
    assert found["FU6M", 1].target == date(2027, 9, 1)
    assert not planned({"END": END}, {"END": START})["FU6M", 1].projected


def test_without_an_anchor_there_is_no_target():
    found = planned({})
    assert found["FU6M", 1].target is None
    assert not found["FU6M", 1].projected
    assert found["SCR", 1].target is None


def test_repeats_are_planned_by_their_number_a_week_apart():
    found = planned({"START": START}, weeks=3)
    assert [found["WEEK", k].target for k in (1, 2, 3)] == [
        date(2027, 2, 8),
        date(2027, 2, 15),
        date(2027, 2, 22),
    ]
    assert ("WEEK", 4) not in found
    assert all(event != "WEEK" for event, _ in planned({"START": START}))


def test_logs_are_not_planned():
    assert all(event != "LOG" for event, _ in planned({"START": START, "END": END}, weeks=2))


@pytest.mark.parametrize(
    ("visited", "expected"),
    [("2027-02-06", "EARLY"), ("2027-02-07", "IN"), ("2027-02-09", "IN"), ("2027-02-10", "LATE")],
)
def test_the_days_of_the_window_are_in_it(visited, expected):
    assert window_status(date(2027, 2, 7), date(2027, 2, 9), date.fromisoformat(visited)) == expected


@pytest.mark.parametrize(
    ("today", "next_opens", "expected"),
    [
        ("2027-02-06", "2027-03-01", "planned"),
        ("2027-02-07", "2027-03-01", "due"),
        ("2027-02-09", "2027-03-01", "due"),
        ("2027-02-10", "2027-03-01", "overdue"),
        ("2027-02-28", "2027-03-01", "overdue"),
        ("2027-03-01", "2027-03-01", "missed"),
        ("2027-02-09", "2027-02-08", "due"),
        ("2027-02-10", "2027-02-08", "missed"),
        ("2099-01-01", None, "overdue"),
    ],
)
def test_due_from_opening_overdue_after_closing_missed_when_the_next_opens(today, next_opens, expected):
    status = event_status(
        state="planned",
        opens=date(2027, 2, 7),
        closes=date(2027, 2, 9),
        target=date(2027, 2, 8),
        projected=False,
        next_opens=date.fromisoformat(next_opens) if next_opens else None,
        today=date.fromisoformat(today),
    )
    assert status == expected


@pytest.mark.parametrize("state", ["done", "not_done", "missed", "not_applicable"])
def test_what_was_recorded_stays_whatever_the_day(state):
    days = {"opens": START, "closes": START, "target": START}
    assert event_status(state=state, projected=False, next_opens=START, today=END, **days) == state


def test_projected_and_undated_visits_are_never_late():
    days = {"opens": START, "closes": START, "target": START}
    assert event_status(state="planned", projected=True, next_opens=START, today=END, **days) == "projected"
    none = {"opens": None, "closes": None, "target": None}
    assert event_status(state="planned", projected=False, next_opens=None, today=END, **none) == "planned"
