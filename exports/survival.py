"""Kaplan-Meier estimates with log-log confidence limits (domain 4.3: E7, E11)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

DAYS_PER_MONTH = 30.4375
LEVEL = 0.95


@dataclass(frozen=True)
class Step:
    """The estimate from `month` on: survival, its confidence limits (None where they do not exist), and who
    is left.
    """

    month: float
    survival: float
    low: float | None
    high: float | None
    at_risk: int
    events: int


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier curve: its steps, the months at which people were censored, and the median if it was
    reached.
    """

    participants: int
    events: int
    steps: tuple[Step, ...]
    censored: tuple[float, ...]
    median: float | None

    def at(self, month: float) -> Step | None:
        """The estimate at a month; None when nobody was followed that long and the curve is not yet at its
        end.
        """
        if not self.steps or (month > self.longest and self.steps[-1].survival > 0):
            return None
        before = [step for step in self.steps if step.month <= month]
        last = before[-1] if before else Step(0.0, 1.0, None, None, self.participants, 0)
        return Step(month, last.survival, last.low, last.high, self.at_risk(month), 0)

    @property
    def longest(self) -> float:
        """The longest follow-up in months."""
        return max([*self.censored, *(step.month for step in self.steps)], default=0.0)

    def at_risk(self, month: float) -> int:
        """How many are still under observation just before a month."""
        gone = sum(step.events for step in self.steps if step.month < month)
        return self.participants - gone - sum(1 for time in self.censored if time < month)


def months(days: int) -> float:
    """Months from days, the day of origin counted as day 1: (date - origin + 1) / 30.4375."""
    return (days + 1) / DAYS_PER_MONTH


def kaplan_meier(times: Sequence[float], events: Sequence[bool]) -> Curve:
    """The product-limit estimate; times in months, `events` true where it happened and false where it was
    censored.
    """
    if not times:
        return Curve(0, 0, (), (), None)
    time, event = np.asarray(times, float), np.asarray(events, bool)
    censored = tuple(sorted(float(t) for t in time[~event]))
    if not event.any():  # nothing happened yet: the estimate is 1 with no limits to compute
        return Curve(len(time), 0, (Step(0.0, 1.0, None, None, len(time), 0),), censored, None)
    survival = stats.ecdf(stats.CensoredData.right_censored(time, ~event)).sf
    with warnings.catch_warnings():  # where survival is 0 the formula has no limits; they become None below
        warnings.simplefilter("ignore", RuntimeWarning)
        limits = survival.confidence_interval(LEVEL, method="log-log")
    steps = []
    for at, estimate, low, high in zip(
        survival.quantiles,
        survival.probabilities,
        limits.low.probabilities,
        limits.high.probabilities,
        strict=True,
    ):
        happened = int((event & (time == at)).sum())
        if happened:
            steps.append(Step(float(at), float(estimate), _known(low), _known(high), int((time >= at).sum()), happened))
    median = next((step.month for step in steps if step.survival <= 0.5 + 1e-12), None)
    return Curve(len(time), int(event.sum()), tuple(steps), censored, median)


def _known(limit: float) -> float | None:
    return None if np.isnan(limit) else float(limit)


def exact_interval(events: int, of: int) -> tuple[float, float]:
    """Clopper-Pearson limits of a proportion."""
    limits = stats.binomtest(events, of).proportion_ci(LEVEL, method="exact")
    return float(limits.low), float(limits.high)
