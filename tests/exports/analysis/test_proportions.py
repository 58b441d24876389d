"""Exact limits against the table of the domain specification (4.7) and closed forms."""

import pytest

from exports.analysis import proportions


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [
        (0, 0, 8.4),
        (1, 0.06, 12.6),
        (21, 34.2, 65.8),
        (30, 55.4, 84.3),
        (34, 65.9, 91.4),
        (36, 71.5, 94.6),
        (38, 77.4, 97.3),
        (40, 83.8, 99.4),
    ],
)
def test_clopper_pearson_of_42(events, low, high):
    found = proportions.clopper_pearson(events, 42)
    assert [100 * limit for limit in found] == [pytest.approx(low, abs=0.05), pytest.approx(high, abs=0.05)]


def test_clopper_pearson_at_the_ends_has_a_closed_form():
    assert proportions.clopper_pearson(0, 10) == pytest.approx((0, 1 - 0.025 ** (1 / 10)))  # 0.3085
    assert proportions.clopper_pearson(10, 10) == pytest.approx((0.025 ** (1 / 10), 1))


def test_nobody_observed_gives_no_estimate():
    rate = proportions.Rate(0, 0)
    assert rate.share is None and rate.limits is None


@pytest.mark.parametrize(("rate", "chance"), [(0.02, 57), (0.05, 88), (0.07, 95)])
def test_chance_to_see_a_rare_event_among_42(rate, chance):
    assert round(100 * proportions.chance_of_any(rate, 42)) == chance


def test_exact_test_is_one_sided():
    assert proportions.exact_test(3, 3, 0.5) == pytest.approx(0.125)
    assert proportions.exact_test(0, 3, 0.5) == 1


def test_weighted_kappa_by_hand():
    # Two raters, grades 1 and 2: 3 agree on 1, 3 on 2, 2 differ. Observed 0.75, by chance 0.5.
    pairs = [(1, 1)] * 3 + [(2, 2)] * 3 + [(1, 2), (2, 1)]
    assert proportions.kappa(pairs, 4) == pytest.approx(0.5)
    assert proportions.kappa([], 4) is None and proportions.kappa([(1, 1)], 4) is None


def test_limits_of_a_mean_need_two_values():
    assert proportions.mean_limits([1.0]) is None
    low, high = proportions.mean_limits([0.0, 2.0])
    assert (low + high) / 2 == 1 and high - 1 == pytest.approx(12.706, abs=0.001)  # t(0.975; 1) x 1
