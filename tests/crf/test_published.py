"""A sealed study version never changes: every hash in published.toml is computed again."""

import tomllib
from pathlib import Path

import pytest

from design.reader import hash_files, read_files, read_study

CRF = Path(__file__).resolve().parents[2] / "crf"
SEALED = tomllib.loads((CRF / "published.toml").read_text(encoding="utf-8"))["sealed"]


@pytest.mark.req("AUD-16", "SYS-03")
@pytest.mark.parametrize("key", SEALED)
def test_a_sealed_folder_is_what_it_was(key: str) -> None:
    """The folder's files hash to what was sealed; whoever changes one makes a new version instead."""
    assert hash_files(read_files(CRF / key)) == SEALED[key]


def test_the_trial_is_sealed_and_reads_without_a_fault() -> None:
    """`make demo` and `make run` can publish it."""
    assert "carbon-breast/v1" in SEALED
    assert read_study(CRF / "carbon-breast" / "v1").version == 1
