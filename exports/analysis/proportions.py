"""Proportions with exact limits and tests; precision of a planned sample."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Rate:
    """How many of how many, with exact limits; nobody observed gives no estimate."""

    events: int
    of: int
    level: float = LEVEL

    @property
    def share(self) -> float | None:
        """The proportion."""
        return self.events / self.of if self.of else None

    @property
    def limits(self) -> tuple[float, float] | None:
        """Two-sided Clopper-Pearson limits."""
        return clopper_pearson(self.events, self.of, self.level) if self.of else None


def clopper_pearson(events: int, of: int, level: float = LEVEL) -> tuple[float, float]:
    """Exact two-sided limits of a proportion.

    Source: Clopper CJ, Pearson ES. Biometrika 1934;26:404-413.
    """
    limits = stats.binomtest(events, of).proportion_ci(level, method="exact")
    return float(limits.low), float(limits.high)


def exact_test(events: int, of: int, null: float) -> float:
    """One-sided exact p-value: the probability of at least so many events when the true rate is `null`."""
    return float(stats.binomtest(events, of, null, alternative="greater").pvalue)


def chance_of_any(rate: float, of: int) -> float:
    """The probability to see at least one event of a true rate among so many people."""
    return float(1 - (1 - rate) ** of)


def kappa(pairs: list[tuple[int, int]], grades: int) -> float | None:
    """Agreement of two raters on an ordered scale 1…`grades`, weighted by squared distance; None when not estimable.

    Source: Cohen J. Psychol Bull 1968;70:213-220.
    """
    if not pairs:
        return None
    seen = np.zeros((grades, grades))
    for one, other in pairs:
        seen[one - 1, other - 1] += 1
    seen /= len(pairs)
    expected = np.outer(seen.sum(1), seen.sum(0))
    distance = (np.arange(grades)[:, None] - np.arange(grades)[None, :]) ** 2
    disagreement = float((distance * expected).sum())
    return None if disagreement == 0 else 1 - float((distance * seen).sum()) / disagreement


def mean_limits(values: list[float], level: float = LEVEL) -> tuple[float, float] | None:
    """Limits of a mean by Student's t; None below two values."""
    if len(values) < 2:
        return None
    mean, error = float(np.mean(values)), float(stats.sem(values))
    reach = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error
    return mean - reach, mean + reach
