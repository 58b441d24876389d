"""Measuring several things in turn, and saying what came out as ratios."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Line:
    """One line of the table. `ours` and `floor` are in the same unit; `target` is the most that `ratio` may be, if any."""

    what: str
    ours: float
    floor: float
    target: float | None
    unit: str = "ms"
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times the floor."""
        return self.ours / self.floor

    def __str__(self) -> str:
        target = "" if self.target is None else f"{self.target:.2f}"
        verdict = "" if self.target is None else "ok" if self.ratio <= self.target else "over"
        figures = f"{self.ours:10.1f} {self.floor:10.1f} {self.unit:<9} {self.ratio:7.2f} {target:>7}"
        return f"{self.what:<58} {figures}  {verdict:<4}  {self.note}".rstrip()


HEADING = f"{'what':<58} {'ours':>10} {'floor':>10} {'':<9} {'ratio':>7} {'target':>7}"


def interleaved(works: dict[str, Work], rounds: int, warm: int = 3) -> dict[str, float]:
    """Run each in turn, `rounds` times; the median of each in milliseconds. The machine's moods hit all alike."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + warm):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if turn >= warm:
                times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(found) for name, found in times.items()}


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
