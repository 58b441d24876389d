"""The stopping boundaries of the domain specification (4.6), row by row."""

import pytest

from exports.analysis import monitoring

RATES = (0.05, 0.10, 0.15, 0.20, 0.30, 0.40)
ROWS = [
    (0.05, ((2, 4), (3, 11), (4, 21), (5, 31), (6, 42)), (0.049, 0.325, 0.684, 0.899, 0.996, 1.0)),
    (
        0.10,
        ((2, 2), (3, 5), (4, 10), (5, 15), (6, 21), (7, 27), (8, 33), (9, 40), (10, 42)),
        (0.005, 0.050, 0.219, 0.504, 0.919, 0.996),
    ),
    (
        0.15,
        ((3, 4), (4, 7), (5, 10), (6, 14), (7, 18), (8, 22), (9, 27), (10, 31), (11, 36), (12, 41), (13, 42)),
        (0.001, 0.008, 0.050, 0.181, 0.680, 0.959),
    ),
    (
        0.20,
        (
            *((3, 3), (4, 5), (5, 8), (6, 11), (7, 14), (8, 17), (9, 20), (10, 24), (11, 27), (12, 31)),
            *((13, 35), (14, 38), (15, 42)),
        ),
        (0.000, 0.002, 0.011, 0.050, 0.370, 0.826),
    ),
]


@pytest.mark.parametrize(("rate", "rows", "chances"), ROWS)
def test_constant_boundary_and_its_chance_to_stop(rate, rows, chances):
    boundary = monitoring.pocock(rate, 42)
    assert boundary.rows == rows
    assert [monitoring.chance_to_stop(boundary, true, 42) for true in RATES] == pytest.approx(chances, abs=0.00051)


def test_bayesian_boundary_and_its_chance_to_stop():
    boundary = monitoring.bayesian(0.15, 42)
    expected = ((2, 3), (3, 6), (4, 10), (5, 14), (6, 19), (7, 24), (8, 28), (9, 33), (10, 38), (11, 42))
    assert boundary.rows == expected
    chances = [monitoring.chance_to_stop(boundary, true, 42) for true in (0.10, 0.15, 0.30)]
    assert chances == pytest.approx([0.051, 0.172, 0.855], abs=0.00051)


@pytest.mark.parametrize(
    ("outcomes", "limit", "crossed"),
    [
        ([], None, None),
        ([True], None, None),  # one event among one: two are needed
        ([True, True], 2, 2),
        ([False, False, True, True], 2, 4),
        ([False, False, False, False, True, True], 3, None),  # 2 of 6 is not 3 of 6
        ([True, True, False, False, False], 3, 2),  # crossed once stays crossed
    ],
)
def test_where_the_trial_stands(outcomes, limit, crossed):
    found = monitoring.status(monitoring.pocock(0.05, 42), outcomes)
    assert (found.limit, found.crossed_at, found.met) == (limit, crossed, crossed is not None)
    assert found.events == sum(outcomes) and found.evaluable == len(outcomes)
