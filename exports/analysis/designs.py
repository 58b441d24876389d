"""Single-arm phase II designs: Simon's two stages and the exact single stage."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

LARGEST = 100


@dataclass(frozen=True)
class TwoStage:
    """Stop after `n1` with `r1` or fewer responses; success with more than `r` of `n`."""

    r1: int
    n1: int
    r: int
    n: int
    alpha: float
    power: float
    expected: float  # number of participants when the true rate is the null rate
    stop_early: float  # probability of ending after stage 1 when the true rate is the null rate


@dataclass(frozen=True)
class SingleStage:
    """Success with at least `successes` of `n`."""

    successes: int
    n: int
    alpha: float
    power: float


def simon(null: float, alternative: float, alpha: float, power: float, largest: int = LARGEST) -> dict[str, TwoStage]:
    """The `optimal` (fewest expected under the null rate) and the `minimax` (fewest at most) design.

    Source: Simon R. Control Clin Trials 1989;10:1-10. All designs up to `largest` participants are computed.

    Raises:
        ValueError: no design that small keeps both error rates.
    """
    found = [
        design
        for n in range(2, largest + 1)
        for n1 in range(1, n)
        if (design := _best(null, alternative, alpha, power, n1, n)) is not None
    ]
    if not found:
        raise ValueError(f"no two-stage design with at most {largest} participants")
    return {
        "optimal": min(found, key=lambda d: (round(d.expected, 9), d.n)),
        "minimax": min(found, key=lambda d: (d.n, round(d.expected, 9))),
    }


@cache
def _terms(rate: float, n1: int, n: int) -> np.ndarray:
    """By r1 (rows) and r (columns): the probability to go on and to end with more than r responses."""
    x1 = np.arange(n1 + 1)
    first = stats.binom.pmf(x1, n1, rate)
    rest = stats.binom.sf(np.arange(n)[None, :] - x1[:, None], n - n1, rate)
    joint = first[:, None] * rest
    beyond = np.cumsum(joint[::-1], axis=0)[::-1]  # x1 >= row
    return beyond[1:]  # going on needs x1 > r1


def _best(null: float, alternative: float, alpha: float, power: float, n1: int, n: int) -> TwoStage | None:
    """Of the designs with these sizes that keep both error rates, the one with the fewest expected."""
    if _most_power(null, alternative, alpha, n) < power:
        return None
    error, strength = _terms(null, n1, n), _terms(alternative, n1, n)
    good = (error <= alpha) & (strength >= power)
    rows = np.flatnonzero(good.any(axis=1))
    if not len(rows):
        return None
    r1 = int(rows[-1])  # the more results end the trial early, the fewer are expected
    r = int(np.flatnonzero(good[r1])[0])
    stop = float(stats.binom.cdf(r1, n1, null))
    expected = n1 + (1 - stop) * (n - n1)
    return TwoStage(r1, n1, r, n, float(error[r1, r]), float(strength[r1, r]), expected, stop)


@cache
def _most_power(null: float, alternative: float, alpha: float, n: int) -> float:
    """The power of the randomised single-stage test, which no test of n participants exceeds (Neyman, Pearson)."""
    cut = int(stats.binom.ppf(1 - alpha, n, null))
    share = (alpha - stats.binom.sf(cut, n, null)) / stats.binom.pmf(cut, n, null)
    return float(stats.binom.sf(cut, n, alternative) + share * stats.binom.pmf(cut, n, alternative))


def evaluate(r1: int, n1: int, r: int, n: int, rate: float) -> float:
    """The probability that a two-stage design ends in success when the true rate is `rate`."""
    return float(_terms(rate, n1, n)[r1, r])


def single_stage(n: int, null: float, alternative: float, alpha: float) -> SingleStage:
    """The exact binomial test of n participants at a one-sided level."""
    successes = next(x for x in range(n + 2) if stats.binom.sf(x - 1, n, null) <= alpha)
    reached = float(stats.binom.sf(successes - 1, n, null))
    return SingleStage(successes, n, reached, float(stats.binom.sf(successes - 1, n, alternative)))
