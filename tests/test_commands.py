"""The command line: sentences and exit codes, never a traceback for what a user got wrong."""

from pathlib import Path

import pytest

STUDY = str(Path(__file__).resolve().parent.parent / "crf" / "carbon-breast" / "v1")
TINY = Path(__file__).resolve().parent / "studies" / "tiny"


@pytest.fixture
def run(app):
    """Call a command and get its result."""
    return lambda *words: app.test_cli_runner().invoke(args=list(words))


def test_study_check_counts_what_it_read(run) -> None:
    """55 forms, 563 items, exit code 0."""
    result = run("study", "check", STUDY)
    assert result.exit_code == 0
    assert "55 forms, 563 items" in result.output


def test_study_check_names_every_fault(run, tmp_path) -> None:
    """A faulty folder: one line per fault, exit code 2, no traceback."""
    folder = tmp_path / "bad" / "v1"
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text('id = "bad"\nversion = 1\nwrong = 3\n', encoding="utf-8")
    result = run("study", "check", str(folder))
    assert result.exit_code == 2
    assert "wrong" in result.output
    assert "Traceback" not in result.output


@pytest.mark.req("SYS-03")
def test_an_unsealed_study_is_not_published(run, tmp_path) -> None:
    """Publishing needs a seal that fits."""
    folder = tmp_path / "tiny" / "v1"
    folder.mkdir(parents=True)
    for source in (TINY / "v1").rglob("*"):
        if source.is_file():
            target = folder / source.relative_to(TINY / "v1")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    refused = run("study", "publish", str(folder))
    assert refused.exit_code == 2
    assert "not sealed" in refused.output
    assert run("study", "seal", str(folder)).exit_code == 0
    assert run("study", "publish", str(folder)).exit_code == 0
    assert run("study", "publish", str(folder)).exit_code == 2
    assert run("audit", "verify").exit_code == 0


def test_study_compare_says_what_differs(run) -> None:
    """Exit code 1 and one line per difference between two versions; 0 for the same one."""
    result = run("study", "compare", str(TINY / "v1"), str(TINY / "v2"))
    assert result.exit_code == 1
    assert "added" in result.output
    assert run("study", "compare", str(TINY / "v1"), str(TINY / "v1")).exit_code == 0


def test_an_unknown_user_is_told_in_a_sentence(run) -> None:
    """No traceback."""
    result = run("export", "make", "--as", "nobody", "--reason", "test of the command")
    assert result.exit_code == 2
    assert "no such user" in result.output
