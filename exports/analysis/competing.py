"""Cumulative incidence with competing risks, and the limits of a median survival time."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

from scipy import stats

from exports.survival import LEVEL, Curve

CENSORED, EVENT, COMPETING = 0, 1, 2


@dataclass(frozen=True)
class Incidence:
    """The cumulative incidence from `month` on, its variance and log-log limits (None where there are none)."""

    month: float
    incidence: float
    variance: float
    low: float | None
    high: float | None
    at_risk: int
    events: int
    competing: int


@dataclass(frozen=True)
class IncidenceCurve:
    """An Aalen-Johansen curve: a step at each time at which anything happened, and the longest follow-up."""

    participants: int
    events: int
    competing: int
    steps: tuple[Incidence, ...]
    times: tuple[float, ...]

    @property
    def longest(self) -> float:
        """The longest follow-up in months."""
        return max(self.times, default=0.0)

    def at_risk(self, month: float) -> int:
        """How many are under observation just before a month."""
        return sum(time >= month for time in self.times)

    def at(self, month: float) -> Incidence | None:
        """The estimate at a month; None when nobody was followed that long and somebody was censored before."""
        over = self.participants == self.events + self.competing
        if not self.times or (month > self.longest and not over):
            return None
        before = [step for step in self.steps if step.month <= month]
        if not before:
            return Incidence(month, 0.0, 0.0, None, None, self.at_risk(month), 0, 0)
        last = before[-1]
        return Incidence(month, last.incidence, last.variance, last.low, last.high, self.at_risk(month), 0, 0)


def aalen_johansen(times: Sequence[float], causes: Sequence[int], level: float = LEVEL) -> IncidenceCurve:
    """The cumulative incidence of `EVENT` while `COMPETING` events take people away.

    Estimate: Aalen OO, Johansen S. Scand J Stat 1978;5:141-150. Variance by the delta method: Gaynor JJ et al. J Am
    Stat Assoc 1993;88:400-409; without competing events it is Greenwood's. Limits on the log(-log) scale:
    Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed. 2002, ch. 8. Who is censored
    at the time of an event is still at risk.
    """
    moments = sorted({time for time, cause in zip(times, causes, strict=True) if cause != CENSORED})
    rows = []  # time, at risk, events of interest, all events, survival just before
    survival = 1.0
    for moment in moments:
        at_risk = sum(time >= moment for time in times)
        here = [cause for time, cause in zip(times, causes, strict=True) if time == moment and cause != CENSORED]
        rows.append((moment, at_risk, here.count(EVENT), len(here), survival))
        survival *= 1 - len(here) / at_risk
    incidences, total = [], 0.0
    for _, at_risk, events, _, before in rows:
        total += before * events / at_risk
        incidences.append(total)
    z = float(stats.norm.ppf((1 + level) / 2))
    steps = []
    for place, (moment, at_risk, events, happened, _) in enumerate(rows):
        variance = _variance(rows[: place + 1], incidences[: place + 1])
        low, high = log_log_limits(incidences[place], variance, z)
        steps.append(
            Incidence(moment, incidences[place], variance, low, high, at_risk, events, happened - events),
        )
    events, competing = (sum(cause == kind for cause in causes) for kind in (EVENT, COMPETING))
    return IncidenceCurve(len(times), events, competing, tuple(steps), tuple(sorted(times)))


def _variance(rows: Sequence[tuple[float, int, int, int, float]], incidences: Sequence[float]) -> float:
    """Gaynor's sum at the last of the rows."""
    now, variance = incidences[-1], 0.0
    for (_, at_risk, events, happened, before), then in zip(rows, incidences, strict=True):
        rest = now - then
        if at_risk > happened:
            variance += rest**2 * happened / (at_risk * (at_risk - happened))
        variance += before**2 * events * (at_risk - events) / at_risk**3
        variance -= 2 * rest * before * events / at_risk**2
    return max(variance, 0.0)


def log_log_limits(estimate: float, variance: float, z: float) -> tuple[float | None, float | None]:
    """Limits of a probability on the log(-log) scale; none at 0 and 1."""
    if not 0 < estimate < 1:
        return None, None
    reach = z * sqrt(variance) / abs(estimate * log(estimate))
    return estimate ** exp(reach), estimate ** exp(-reach)


def median_limits(curve: Curve) -> tuple[float | None, float | None]:
    """Limits of the median: the months at which the limits of the curve pass one half; None where they never do.

    Source: Brookmeyer R, Crowley J. Biometrics 1982;38:29-41, with the log-log limits of the curve.
    """
    low = next((s.month for s in curve.steps if (s.low is not None and s.low <= 0.5) or s.survival == 0), None)
    high = next((s.month for s in curve.steps if s.high is not None and s.high <= 0.5), None)
    return low, high
