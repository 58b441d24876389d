"""Toxicity derivation, every row of section 4.4 of the domain specification."""

from datetime import date, timedelta

import pytest

from exports.analysis import toxicity
from exports.analysis.toxicity import ACUTE, BASELINE, LATE, Event, Grade, LimitingRule, Limits

F1 = date(2027, 3, 1)
EOT = date(2027, 4, 1)
LIMITS = Limits(F1, EOT)


def day(number: int) -> date:
    return F1 + timedelta(days=number)


def event(*history: tuple[int, int | None], end: int | None = None, term: str = "rash", **more) -> Event:
    steps = tuple((day(number), grade) for number, grade in history)
    return Event(term, steps[0][0], None if end is None else day(end), steps, **more)


def test_the_highest_grade_of_a_day_wins():
    rows = [Grade("a", F1, 1), Grade("a", F1, 2), Grade("a", F1, None), Grade("b", F1, None), Grade("a", EOT, 0)]
    assert [(g.term, g.grade) for g in toxicity.daily_maxima(rows)] == [("a", 2), ("a", 0), ("b", None)]


def test_baseline_is_the_last_grade_before_the_first_fraction():
    rows = [Grade("a", day(-9), 2), Grade("a", day(-2), 1), Grade("a", day(-1), None), Grade("a", day(0), 3)]
    assert toxicity.baseline_grade(rows, "a", F1) == 1
    assert toxicity.baseline_grade(rows, "b", F1) is None
    assert toxicity.baseline_grades(rows, F1) == {"a": 1}


@pytest.mark.parametrize(
    ("found", "emergent"),
    [
        (event((0, 1)), True),
        (event((-1, 1)), False),
        (event((-1, 1), (30, 2)), True),  # baseline condition, worse after the first fraction
        (event((-9, 2), (-5, 1), (5, 1)), False),
    ],
)
def test_treatment_emergent(found, emergent):
    assert toxicity.is_emergent(found, F1) is emergent


@pytest.mark.parametrize(
    ("onset", "flag1", "flag2"),
    [(-1, False, False), (0, True, True), (90, True, True), (91, False, True), (121, False, True), (122, False, False)],
)
def test_acute_flags(onset, flag1, flag2):
    found = event((onset, 1), end=onset)
    assert toxicity.is_acute(found, F1, LIMITS.acute_first) is flag1
    assert toxicity.is_acute(found, F1, LIMITS.acute_last) is flag2


@pytest.mark.parametrize(
    ("found", "limits", "where"),
    [
        (event((-1, 1), end=5), LIMITS, {BASELINE}),
        (event((0, 1), end=5), LIMITS, {ACUTE}),
        (event((90, 1), end=90), LIMITS, {ACUTE}),
        (event((91, 1), end=99), LIMITS, {LATE}),
        (event((80, 1), end=91), LIMITS, {ACUTE, LATE}),  # still present at limit + 1 d
        (event((80, 1)), LIMITS, {ACUTE, LATE}),  # ongoing
        (event((91, 1), end=99), Limits(F1, EOT, anchor="last"), {ACUTE}),
        (event((99, 1), end=120), Limits(F1, None, anchor="last"), {ACUTE}),  # the course is open
    ],
)
def test_periods(found, limits, where):
    assert toxicity.periods(found, limits) == where


def test_a_partial_onset_counts_by_its_earliest_day():
    """Month of the first fraction: the start is taken as the first fraction, so the event is acute and not baseline."""
    found = Event("rash", F1, None, (), earliest=date(2027, 2, 1))
    assert ACUTE in toxicity.periods(found, LIMITS) and BASELINE not in toxicity.periods(found, LIMITS)


def test_one_event_is_analysed_in_acute_and_late_by_its_maximum_in_each():
    """Dermatitis 1, 2, 3, 2, 1 crossing day 90 (edge case 31)."""
    found = event((20, 1), (30, 2), (40, 3), (70, 2), (100, 1), end=120)
    assert toxicity.period_grade(found, ACUTE, LIMITS) == 3
    assert toxicity.period_grade(found, LATE, LIMITS) == 2  # grade 2 is in force until day 99
    assert found.highest == 3
    assert toxicity.highest_by_term([found, event((50, 1), end=60)], ACUTE, LIMITS) == {"rash": 3}


def test_not_assessed_is_ignored_and_nothing_assessed_is_missing():
    rows = [Grade("a", day(5), None), Grade("a", day(9), 2), Grade("b", day(5), None)]
    assert toxicity.maximum(rows, "a", F1, EOT).grade == 2
    assert toxicity.maximum(rows, "b", F1, EOT) is None
    assert toxicity.maximum([Grade("a", day(5), 0)], "a", F1, EOT).grade == 0


@pytest.mark.parametrize(
    ("relation", "related"),
    [
        ("definite", True),
        ("probable", True),
        ("possible", True),
        ("unlikely", False),
        ("unrelated", False),
        (None, True),
    ],
)
def test_missing_relation_is_related(relation, related):
    assert toxicity.is_related(relation) is related


def test_missing_grade_is_three_in_sensitivity_only():
    assert toxicity.worst_case(None) == 3 and toxicity.worst_case(1) == 1
    assert event((0, None)).highest is None


RULE = LimitingRule(3, 90, resolving={"dermatitis": 28}, lasting={"fatigue": 7})


@pytest.mark.parametrize(
    ("found", "limiting"),
    [
        (event((10, 3)), True),
        (event((10, 2)), False),
        (event((10, None)), False),
        (event((90, 3)), True),
        (event((91, 3)), False),
        (event((10, 3), haematological=True), False),
        (event((10, 3), relation="unlikely"), False),
        (event((10, 3), relation="possible"), True),
        (event((10, 3), (38, 2), term="dermatitis"), False),  # grade 2 within 4 weeks
        (event((10, 3), (39, 2), term="dermatitis"), True),
        (event((10, 3), term="dermatitis"), True),  # not resolved
        (event((10, 4), (20, 2), term="dermatitis"), True),  # the exceptions are for grade 3
        (event((10, 3), (17, 2), term="fatigue"), False),  # 7 days
        (event((10, 3), (18, 2), term="fatigue"), True),
        (event((10, 3), end=16, term="fatigue"), False),
    ],
)
def test_dose_limiting(found, limiting):
    assert toxicity.is_limiting(found, RULE, F1) is limiting


@pytest.mark.parametrize(
    ("delivered", "planned", "limited", "evaluable"),
    [
        (20, 24, False, True),
        (19, 24, False, False),
        (5, 24, True, True),
        (5, None, False, False),
        (16, 20, False, True),
    ],
)
def test_evaluable_for_dose_limiting_toxicity(delivered, planned, limited, evaluable):
    assert toxicity.is_evaluable(delivered, planned, limited) is evaluable
