"""Kaplan-Meier against values computed by hand."""

from math import exp, log, sqrt

import pytest

from exports.survival import exact_interval, kaplan_meier, months

# Six people: events at 1, 2 and 3; censored at 2, 4 and 5.
# 1: 6 at risk, S = 5/6. 2: 5 at risk, S = 5/6 x 4/5 = 2/3 (who is censored at 2 is still at risk).
# 3: 3 at risk, S = 2/3 x 2/3 = 4/9.
TIMES, EVENTS = [1, 2, 2, 3, 4, 5], [True, True, False, True, False, False]


def test_estimates_are_those_computed_by_hand():
    curve = kaplan_meier(TIMES, EVENTS)
    assert [(step.month, step.at_risk, step.events) for step in curve.steps] == [
        (1, 6, 1),
        (2, 5, 1),
        (3, 3, 1),
    ]
    assert [step.survival for step in curve.steps] == pytest.approx([5 / 6, 2 / 3, 4 / 9])
    assert curve.censored == (2, 4, 5) and curve.median == 3


def test_limits_are_log_log_with_greenwood_variance():
    step = kaplan_meier(TIMES, EVENTS).steps[1]
    greenwood = 1 / (6 * 5) + 1 / (5 * 4)
    theta = 1.959963984540054 * sqrt(greenwood) / log(2 / 3)
    assert step.low == pytest.approx((2 / 3) ** exp(-theta))
    assert step.high == pytest.approx((2 / 3) ** exp(theta))


def test_between_steps_the_last_estimate_holds_and_beyond_the_longest_follow_up_there_is_none():
    curve = kaplan_meier(TIMES, EVENTS)
    assert curve.at(2.5).survival == pytest.approx(2 / 3) and curve.at(2.5).at_risk == 3
    assert curve.at(0.5).survival == 1 and curve.at(0.5).at_risk == 6
    assert curve.at(6) is None


def test_numbers_at_risk_count_who_is_under_observation_just_before():
    curve = kaplan_meier(TIMES, EVENTS)
    assert [curve.at_risk(month) for month in (0, 1, 2, 2.1, 3, 4, 5, 6)] == [6, 6, 5, 3, 3, 2, 1, 0]


def test_without_events_the_estimate_is_one_without_limits():
    curve = kaplan_meier([3, 4], [False, False])
    assert curve.at(2).survival == 1 and curve.at(2).low is None and curve.median is None


def test_when_everybody_had_the_event_the_estimate_ends_at_zero():
    curve = kaplan_meier([1, 2], [True, True])
    assert curve.steps[-1].survival == 0 and curve.at(12).survival == 0 and curve.median == 1


def test_nobody_gives_an_empty_curve():
    assert kaplan_meier([], []).participants == 0 and kaplan_meier([], []).at(1) is None


def test_months_count_the_day_of_origin_as_the_first():
    assert months(0) == pytest.approx(1 / 30.4375) and months(364) == pytest.approx(365 / 30.4375)


@pytest.mark.parametrize("events, low, high", [(0, 0, 8.4), (21, 34.2, 65.8), (38, 77.4, 97.3), (40, 83.8, 99.4)])
def test_exact_limits_for_42_participants(events, low, high):
    """The values of the study's own table of precision for n = 42."""
    limits = exact_interval(events, 42)
    assert [round(100 * limit, 1) for limit in limits] == [low, high]
