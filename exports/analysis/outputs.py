"""The outputs of section 4.10: importing this module registers them all. `make` one, or `make_all`."""

from collections.abc import Iterator

from exports.analysis import (
    figures_efficacy,
    figures_safety,
    listings,
    tables_conduct,
    tables_efficacy,
    tables_measures,
    tables_safety,
    tables_treatment,
)
from exports.analysis.registry import REGISTRY, Output, make
from exports.analysis.trial import Trial

PARTS = (
    tables_conduct,
    tables_treatment,
    tables_efficacy,
    tables_safety,
    tables_measures,
    listings,
    figures_efficacy,
    figures_safety,
)


def ids() -> list[str]:
    """All outputs in order: tables first, then listings, then figures."""
    return sorted(REGISTRY, key=lambda id: ("TLF".index(id[0]), [int(part) for part in id[1:].split(".")]))


def make_all(trial: Trial) -> Iterator[Output]:
    """Every output, one by one."""
    for id in ids():
        yield make(trial, id)
