"""The command line: sentences and exit codes, never a traceback for what a user got wrong."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import create_app
from models import clock
from tests.amended import Amended, second, write
from tests.asking import Asking
from tests.clinic import NOW

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


def test_the_nightly_run_says_what_it_did_and_nothing_the_second_time(run, app, tmp_path) -> None:
    """One participant with a check that time has made fail and an overdue visit; then nothing to do."""
    with clock.at(NOW):
        clinic = Asking(tmp_path, app)
        clinic.vital(clinic.screen(), VSDAT="2026-03-11")
    first, second = run("check", "run"), run("check", "run")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "01-S001: 2 query act(s)" in first.output and "1 participants, 1 changed: open 2." in first.output
    assert "0 changed: nothing to do." in second.output


def test_the_nightly_run_without_a_study_is_one_sentence(run) -> None:
    result = run("check", "run")
    assert result.exit_code == 2
    assert "No study has been published" in result.output and "Traceback" not in result.output


@pytest.mark.req("ACC-11", "AUD-16")
def test_an_amendment_from_the_command_line(run, app, tmp_path) -> None:
    """What differs and what it does to the data; activate; dry run; run; each refusal in one sentence."""
    with clock.at(NOW):
        clinic = Amended(tmp_path, app)
        subject = clinic.screen()
        clinic.vitals(subject)
        old = tmp_path / "crf" / "small" / "v1"
        new = write(tmp_path / "other" / "small" / "v2", second())
        compared = run("study", "compare", str(old), str(new), "--data")
        assert compared.exit_code == 1 and "forms/MRI" in compared.output
        said = ("Site 01:", "forms that move: 2", "required now, without an answer: SKIN 1", "meant for: forms already")
        assert all(words in compared.output for words in said), compared.output
        move = ("study", "amend", "--site", "01", "--to", "v2")
        assert (run(*move, "--dry-run").exit_code, run(*move[:-1], "two").exit_code) == (2, 2)
        clinic.publish_second()
        who = ("--as", "dora", "--reason", "protocol amendment 1")
        early = run(*move, *who)
        assert early.exit_code == 2 and "not active" in early.output and "Traceback" not in early.output
        by_number = run("study", "compare", "v1", "v2", "--data")
        assert by_number.exit_code == 1 and by_number.output == compared.output
        assert run("study", "compare", "v2", "v2").exit_code == 0
        for words, told in ((("v1", "v9"), "Version 9"), (("v1", "nowhere"), "Version nowhere")):
            wrong = run("study", "compare", *words)
            assert wrong.exit_code == 2 and told in wrong.output and "Traceback" not in wrong.output
        nobody, nowhere = run(*move), run("study", "amend", "--site", "99", "--to", "v2", "--dry-run")
        assert nobody.exit_code == nowhere.exit_code == 2
        assert "--as" in nobody.output and "no site 99" in nowhere.output
        given = ("--site", "01", "--to", "v2", "--from", "2026-03-01", "--approval", "EC 7", "--as", "dora")
        assert "1 schedules renewed" in run("study", "activate", *given).output
        before = run(*move, "--dry-run")
        assert before.exit_code == 0 and "forms that move: 2" in before.output
        assert clinic.versions_of(subject) == {1}
        done = run(*move, *who)
        assert done.exit_code == 0 and clinic.versions_of(subject) == {2}
        assert done.stdout == before.stdout, "the run says what the dry run said"
        assert "forms that move: 0" in run(*move, "--dry-run").output and run(*move, *who).exit_code == 0
        assert run("audit", "verify").exit_code == 0


@pytest.fixture
def office(app, tmp_path):
    """A small study with people in it, and its command line."""
    clinic = Asking(tmp_path, app)
    clinic.vital(clinic.screen())
    return lambda *words: app.test_cli_runner().invoke(args=list(words))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["export", "make", "--as", "dora", "--format", "word", "--reason", "look"], "No such format: word"),
        (["audit", "history", "nonsense"], "tells nothing about 'nonsense'"),
        (["user", "grant", "alice", "boss"], "There is no role 'boss'"),
        (["user", "close", "nobody", "--reason", "left"], "no such user"),
        (["export", "diff", "a", "b", "--as", "dora"], "There is nothing"),
        (["export", "cut", "c1", "--as", "alice", "--as-of", "2020-01-01", "--reason", "look"], "does not allow"),
        (["export", "tlf", "--as", "dora", "--reason", "look", "--out", "x.zip"], "declares no analysis"),
        (["demo", "load"], "not empty"),
    ],
)
def test_what_a_user_gets_wrong_is_a_sentence_and_exit_code_2(office, words: list[str], told: str) -> None:
    result = office(*words)
    assert result.exit_code == 2 and told in result.output, result.output
    assert "Traceback" not in result.output


def test_an_export_a_cut_and_a_history_from_the_command_line(office, tmp_path) -> None:
    made = office("export", "make", "--as", "dora", "--format", "xlsx", "--format", "odm", "--reason", "interim look")
    assert made.exit_code == 0 and "SHA-256" in made.output
    now = datetime.now(UTC).isoformat()
    assert "change" in office("export", "cut", "c1", "--as", "dora", "--as-of", now, "--reason", "look").output
    assert "c1" in office("export", "cuts", "--as", "dora").output
    assert office("export", "diff", "c1", "c1", "--as", "dora").output.strip() == "0 answers differ."
    assert office("audit", "history", "form_data/1").exit_code == 0


def test_an_account_is_closed_and_a_password_reset_from_the_command_line(office) -> None:
    assert office("user", "close", "alice", "--reason", "left").exit_code == 0
    assert "closed" in office("user", "list").output
    result = office("user", "reset-password", "mona", "--reason", "locked out")
    assert result.exit_code == 0 and "to be changed at the next sign-in" in result.output


def test_a_database_without_tables_is_said_and_not_thrown(tmp_path, settings) -> None:
    empty = create_app(replace(settings, database_url=f"sqlite:///{tmp_path / 'empty.db'}"))
    result = empty.test_cli_runner().invoke(args=["user", "list"])
    assert result.exit_code == 2 and "db upgrade" in result.output and "Traceback" not in result.output
