"""Toxicity monitoring: stopping boundaries, their operating characteristics, and where the trial stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class Boundary:
    """For each number of events the most evaluable participants among whom it stops the trial."""

    rows: tuple[tuple[int, int], ...]  # events, among the first so many or fewer
    size: int

    def limit(self, evaluable: int) -> int | None:
        """The events that stop the trial among so many; None where nothing stops it yet."""
        return next((events for events, most in self.rows if events <= evaluable <= most), None)


@dataclass(frozen=True)
class Status:
    """Events among evaluable participants in the order of their first fraction, and the first crossing."""

    evaluable: int
    events: int
    limit: int | None
    crossed_at: int | None

    @property
    def met(self) -> bool:
        """Whether the boundary was ever reached."""
        return self.crossed_at is not None


def pocock(rate: float, size: int, overall: float = 0.05) -> Boundary:
    """The constant boundary: the same pointwise level at every participant, the largest that keeps the chance to
    stop at most `overall` when the true rate is acceptable.

    Source: Ivanova A, Qaqish BF, Schell MJ. Biometrics 2005;61:540-545. Computed exactly.
    """
    levels = sorted({float(stats.binom.sf(x - 1, k, rate)) for k in range(1, size + 1) for x in range(1, k + 1)})
    low, high = 0, len(levels)  # the chance to stop grows with the level: halve the interval
    while low < high:
        middle = (low + high) // 2
        if chance_to_stop(_at_level(rate, size, levels[middle]), rate, size) <= overall + 1e-9:
            low = middle + 1
        else:
            high = middle
    return _rows(_at_level(rate, size, levels[low - 1] if low else 0.0), size)


def _at_level(rate: float, size: int, level: float) -> list[int | None]:
    def stops(x: int, k: int) -> bool:
        return bool(stats.binom.sf(x - 1, k, rate) <= level + 1e-12)

    return _limits(stops, size)


def bayesian(
    rate: float, size: int, prior: tuple[float, float] = (0.15, 0.85), certainty: float = 0.95, first: int = 3
) -> Boundary:
    """Stop when the posterior probability that the rate is above `rate` is more than `certainty`.

    Source: Thall PF, Simon R. Biometrics 1994;50:337-349; Beta prior, looked at after every participant from
    `first` on; fewer than two events never stop.
    """
    alpha, beta = prior

    def stops(x: int, k: int) -> bool:
        return bool(k >= first and x > 1 and stats.beta.sf(rate, alpha + x, beta + k - x) > certainty)

    return _rows(_limits(stops, size), size)


def _limits(stops: Callable[[int, int], bool], size: int) -> list[int | None]:
    """For each number of participants the fewest events that stop."""
    limits: list[int | None] = []
    least = 1
    for k in range(1, size + 1):
        least = next((x for x in range(least, k + 1) if stops(x, k)), k + 1)  # it never falls as people are added
        limits.append(least if least <= k else None)
        least = min(least, k)
    return limits


def _rows(limits: Sequence[int | None], size: int) -> Boundary:
    last: dict[int, int] = {}
    for k, limit in enumerate(limits, start=1):
        if limit is not None:
            last[limit] = k
    return Boundary(tuple(last.items()), size)


def chance_to_stop(boundary: Boundary | Sequence[int | None], rate: float, size: int) -> float:
    """The exact probability that the boundary is ever reached when the true rate is `rate`."""
    limits = [boundary.limit(k) for k in range(1, size + 1)] if isinstance(boundary, Boundary) else boundary
    going, stopped = {0: 1.0}, 0.0
    for limit in limits:
        after: dict[int, float] = {}
        for events, weight in going.items():
            for more, chance in ((0, 1 - rate), (1, rate)):
                after[events + more] = after.get(events + more, 0.0) + weight * chance
        stopped += sum(weight for events, weight in after.items() if limit is not None and events >= limit)
        going = {events: weight for events, weight in after.items() if limit is None or events < limit}
    return stopped


def status(boundary: Boundary, outcomes: Sequence[bool]) -> Status:
    """Where the trial stands: `outcomes` of evaluable participants, ordered by first fraction."""
    events, crossed = 0, None
    for k, happened in enumerate(outcomes, start=1):
        events += happened
        limit = boundary.limit(k)
        if crossed is None and limit is not None and events >= limit:
            crossed = k
    return Status(len(outcomes), events, boundary.limit(len(outcomes)), crossed)
