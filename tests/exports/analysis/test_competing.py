"""Aalen-Johansen against values computed by hand; Brookmeyer-Crowley limits of the median."""

from math import exp, log, sqrt

import pytest

from exports.analysis.competing import CENSORED, COMPETING, EVENT, aalen_johansen, log_log_limits, median_limits
from exports.survival import kaplan_meier

# Six people. 1: event (6 at risk). 2: competing and censored (5 at risk). 3: event (3 at risk). 4, 5: censored.
TIMES, CAUSES = [1, 2, 2, 3, 4, 5], [EVENT, COMPETING, CENSORED, EVENT, CENSORED, CENSORED]


def test_incidence_by_hand():
    curve = aalen_johansen(TIMES, CAUSES)
    # S before: 1, 5/6, 5/6 x 4/5 = 2/3. F: 1/6, 1/6, 1/6 + 2/3 x 1/3.
    assert [step.incidence for step in curve.steps] == pytest.approx([1 / 6, 1 / 6, 1 / 6 + 2 / 9])
    assert [(s.at_risk, s.events, s.competing) for s in curve.steps] == [(6, 1, 0), (5, 0, 1), (3, 1, 0)]
    assert (curve.participants, curve.events, curve.competing) == (6, 2, 1)


def test_variance_by_hand():
    # At 3, with F(3) - F(t) = 2/9, 2/9, 0: Gaynor 1993.
    rest = 2 / 9
    first = rest**2 * 1 / (6 * 5) + 1**2 * 1 * 5 / 6**3 - 2 * rest * 1 * 1 / 6**2
    second = rest**2 * 1 / (5 * 4)
    third = (2 / 3) ** 2 * 1 * 2 / 3**3
    assert aalen_johansen(TIMES, CAUSES).steps[-1].variance == pytest.approx(first + second + third)


def test_without_competing_events_it_is_one_minus_kaplan_meier_with_greenwood_variance():
    causes = [EVENT if cause == COMPETING else cause for cause in CAUSES]
    curve, survival = aalen_johansen(TIMES, causes), kaplan_meier(TIMES, [c == EVENT for c in causes])
    assert [1 - s.incidence for s in curve.steps] == pytest.approx([s.survival for s in survival.steps])
    greenwood = (2 / 3) ** 2 * (1 / 30 + 1 / 20)
    assert curve.steps[1].variance == pytest.approx(greenwood)


def test_limits_are_on_the_log_log_scale():
    reach = 1.96 * sqrt(0.01) / abs(0.3 * log(0.3))
    assert log_log_limits(0.3, 0.01, 1.96) == pytest.approx((0.3 ** exp(reach), 0.3 ** exp(-reach)))
    assert log_log_limits(0.0, 0.0, 1.96) == (None, None)


def test_between_steps_before_the_first_and_beyond_the_longest():
    curve = aalen_johansen(TIMES, CAUSES)
    assert curve.at(0.5).incidence == 0 and curve.at(0.5).at_risk == 6
    assert curve.at(2.5).incidence == pytest.approx(1 / 6) and curve.at(2.5).at_risk == 3
    assert curve.at(6) is None and aalen_johansen([], []).at(1) is None
    assert aalen_johansen([1, 2], [EVENT, COMPETING]).at(9).incidence == 0.5  # nobody is left to follow


def test_the_incidences_and_the_survival_add_up_to_one():
    swapped = [{EVENT: COMPETING, COMPETING: EVENT}.get(cause, cause) for cause in CAUSES]
    both = aalen_johansen(TIMES, CAUSES).at(5).incidence + aalen_johansen(TIMES, swapped).at(5).incidence
    assert both + kaplan_meier(TIMES, [cause != CENSORED for cause in CAUSES]).at(5).survival == pytest.approx(1)


def test_the_limits_of_the_median_are_where_the_limits_of_the_curve_pass_one_half():
    times = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    curve = kaplan_meier(times, [True] * 10)
    low, high = median_limits(curve)
    assert curve.median == 5
    assert (low, high) == (1, 8)  # S(1) = 0.9 from 0.473; S(8) = 0.2 to 0.475
    assert median_limits(kaplan_meier([5, 6], [False, False])) == (None, None)


# Forty people with ties; estimates and errors of another implementation (statsmodels 0.14, CumIncidenceRight).
MANY = [
    8,
    19,
    18,
    5,
    12,
    30,
    20,
    16,
    21,
    19,
    3,
    20,
    1,
    30,
    27,
    16,
    9,
    18,
    8,
    7,
    23,
    16,
    18,
    27,
    18,
    16,
    13,
    21,
    28,
    5,
    8,
    21,
    5,
    28,
    30,
    17,
    13,
    24,
    1,
    22,
]
OF_MANY = [
    0,
    1,
    0,
    1,
    0,
    1,
    2,
    2,
    2,
    2,
    2,
    1,
    1,
    0,
    0,
    1,
    2,
    1,
    1,
    2,
    1,
    2,
    2,
    1,
    2,
    1,
    1,
    0,
    1,
    1,
    1,
    0,
    1,
    1,
    1,
    0,
    0,
    2,
    2,
    0,
]


@pytest.mark.parametrize(
    ("month", "incidence", "error"),
    [(1, 0.025, 0.024686), (9, 0.15, 0.056458), (20, 0.323075, 0.077574), (28, 0.503888, 0.09287)],
)
def test_another_implementation_agrees(month, incidence, error):
    found = aalen_johansen(MANY, OF_MANY).at(month)
    assert found.incidence == pytest.approx(incidence, abs=1e-6)
    assert sqrt(found.variance) == pytest.approx(error, abs=1e-6)
