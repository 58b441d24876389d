"""Simon's designs against Simon (1989) and the table of the domain specification (4.7)."""

import pytest

from exports.analysis import designs


@pytest.mark.parametrize(
    ("null", "alternative", "alpha", "power", "kind", "r1", "n1", "r", "n"),
    [
        (0.10, 0.30, 0.05, 0.80, "optimal", 1, 10, 5, 29),  # Simon 1989, table 1
        (0.10, 0.30, 0.05, 0.80, "minimax", 1, 15, 5, 25),
        (0.05, 0.25, 0.05, 0.80, "optimal", 0, 9, 2, 17),
        (0.05, 0.25, 0.05, 0.80, "minimax", 0, 12, 2, 16),
        (0.80, 0.95, 0.05, 0.90, "optimal", 16, 19, 37, 42),  # domain 4.7
        (0.50, 0.70, 0.05, 0.80, "minimax", 12, 23, 23, 37),
        (0.60, 0.80, 0.05, 0.80, "minimax", 8, 13, 25, 35),
        (0.75, 0.90, 0.05, 0.80, "minimax", 17, 22, 33, 39),
        (0.65, 0.85, 0.05, 0.80, "optimal", 10, 14, 25, 33),
        (0.55, 0.75, 0.10, 0.90, "minimax", 20, 32, 24, 38),
    ],
)
def test_two_stages(null, alternative, alpha, power, kind, r1, n1, r, n):
    found = designs.simon(null, alternative, alpha, power, largest=46)[kind]
    assert (found.r1, found.n1, found.r, found.n) == (r1, n1, r, n)
    assert found.alpha <= alpha and found.power >= power


def test_expected_size_and_early_stop_of_the_best_known_design():
    found = designs.simon(0.10, 0.30, 0.05, 0.80, largest=35)["optimal"]
    assert found.expected == pytest.approx(15.0, abs=0.05)  # Simon 1989: EN(p0) 15.0, PET(p0) 0.74
    assert found.stop_early == pytest.approx(0.74, abs=0.005)


def test_the_chance_of_success_by_enumeration():
    # r1/n1 = 0/2, r/n = 1/3 at rate 0.5: go on with 1 or 2 of 2; success with 2 or 3 of 3: (1,1), (2,0), (2,1).
    assert designs.evaluate(0, 2, 1, 3, 0.5) == pytest.approx(0.5 * 0.5 + 0.25)


def test_no_design_that_small_is_said():
    with pytest.raises(ValueError, match="at most 10"):
        designs.simon(0.5, 0.6, 0.05, 0.8, largest=10)


@pytest.mark.parametrize(
    ("null", "alternative", "alpha", "successes"),
    [(0.50, 0.70, 0.044, 27), (0.60, 0.78, 0.045, 31), (0.70, 0.87, 0.038, 35), (0.80, 0.95, 0.021, 39)],
)
def test_one_stage_of_42(null, alternative, alpha, successes):
    found = designs.single_stage(42, null, alternative, 0.05)
    assert found.successes == successes and round(found.alpha, 3) == alpha and found.power >= 0.80
