"""Settings from the environment, and what the start does with files."""

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

import demo
import serve
from app import create_app
from demo import loading, profiles
from models import db
from models.change import Change, System
from settings import Settings, SettingsFault
from workflows import granting
from workflows.mailing import MailServer
from workflows.refusals import Refusal

SECRET = "Zq8w-3kP0vR7t2Lm9xYc5bNf1aHj6dGu"
MAIL = {
    "SMTP_HOST": "mail.hospital.example",
    "SMTP_FROM": "edc@hospital.example",
    "SECURITY_CONTACT": "it@hospital.example",
}


def read(folder: Path, **environ: str) -> Settings:
    return Settings.from_environ({"INSTANCE_DIR": str(folder), "SECRET_KEY": SECRET, **environ})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.req("PRV-03")
def test_the_database_and_its_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    former = os.umask(0o022)
    try:
        folder = tmp_path / "new" / "var"
        app = create_app(read(folder))
        with app.app_context():
            db.create_all()
            db.session.execute(text("INSERT INTO draft VALUES (1, 'x', 'y', 'z')"))
            db.session.commit()
            made = {path.name: mode(path) for path in folder.iterdir() if path.name.startswith("study.db")}
    finally:
        os.umask(former)
    assert mode(folder) == 0o700
    assert set(made) == {"study.db", "study.db-wal", "study.db-shm"}
    assert set(made.values()) == {0o600}


@pytest.mark.req("PRV-03")
def test_a_file_that_others_could_read_is_closed_and_a_folder_of_others_left_alone(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    path = shared / "old.db"
    path.touch()
    path.chmod(0o644)
    read(tmp_path / "var", DATABASE_URL=f"sqlite:///{path}").make_private()
    assert (mode(path), mode(shared)) == (0o600, 0o755)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql+psycopg://nobody@nowhere/x"])
def test_without_a_file_nothing_is_made_but_the_folder(tmp_path: Path, url: str) -> None:
    read(tmp_path / "var", DATABASE_URL=url).make_private()
    assert list((tmp_path / "var").iterdir()) == []


@pytest.mark.req("SEC-04")
def test_the_password_profile_is_the_hospitals_unless_set(tmp_path: Path) -> None:
    assert read(tmp_path).password_profile == "cn-mlps3"
    assert read(tmp_path, PASSWORD_PROFILE="nist").password_profile == "nist"
    assert read(tmp_path, MODE="demo").password_profile == "nist"
    with pytest.raises(SettingsFault, match="PASSWORD_PROFILE"):
        read(tmp_path, PASSWORD_PROFILE="none")


@pytest.mark.req("ACC-10")
def test_a_mail_server_is_optional_and_complete(tmp_path: Path) -> None:
    assert read(tmp_path).mail is None
    found = read(tmp_path, **MAIL, SMTP_PORT="587", SMTP_USER="edc", SMTP_PASSWORD="hidden words").mail
    assert found == MailServer(
        "mail.hospital.example", "edc@hospital.example", "it@hospital.example", 587, True, "edc", "hidden words"
    )
    assert "hidden words" not in repr(read(tmp_path, **MAIL, SMTP_PASSWORD="hidden words"))
    for name in ("SMTP_FROM", "SECURITY_CONTACT"):
        for wrong in ("", "nobody", "a@b\nBcc: c@d"):
            with pytest.raises(SettingsFault, match=name):
                read(tmp_path, **{**MAIL, name: wrong})


def prepared(folder: Path, mode: str, **environ: str) -> Settings:
    settings = read(folder, MODE=mode, **environ)
    serve.prepare(settings)
    return settings


@pytest.mark.req("SEC-11")
def test_demonstration_and_real_data_have_folders_of_their_own() -> None:
    places = {
        mode: Settings.from_environ({"SECRET_KEY": SECRET, "MODE": mode}).database_url
        for mode in ("demo", "production")
    }
    assert places["demo"].endswith("var/demo/study.db") and places["production"].endswith("var/study.db")


@pytest.mark.req("SEC-11")
def test_production_does_not_serve_the_demonstration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "load", lambda: loading.load(1, quiet=True, until=profiles.FIRST_DAY))
    prepared(tmp_path, "demo")
    with pytest.raises(SettingsFault, match="holds the demonstration"):
        prepared(tmp_path, "production")


@pytest.mark.req("SEC-11")
def test_the_demonstration_serves_no_real_people_and_is_not_loaded_beside_them(tmp_path: Path) -> None:
    app = create_app(read(tmp_path, MODE="production"))
    with app.app_context():
        db.create_all()
        with Change(by=System("tests"), action="create user", chain="system") as change:
            granting.create_user(change, "ines", "Ines Wang", "quiet river 42 lanterns", "en")
        with pytest.raises(Refusal) as refused:
            loading.load(1, quiet=True, until=profiles.FIRST_DAY)
        assert refused.value.code == "demo-production"
        db.session.remove()
        db.engine.dispose()
    with pytest.raises(SettingsFault, match="real people"):
        serve._refuse_other_data(read(tmp_path, MODE="demo"), demo.origin.REAL)


def test_a_demonstration_that_was_interrupted_is_made_anew_and_a_whole_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[str] = []

    def interrupted() -> None:
        starts.append("begun")
        monkeypatch.setattr(demo.origin, "finish", lambda: None)
        loading.load(1, quiet=True, until=profiles.FIRST_DAY)
        monkeypatch.undo()

    monkeypatch.setattr(demo, "load", interrupted)
    prepared(tmp_path, "demo")

    def whole() -> None:
        starts.append("whole")
        loading.load(1, quiet=True, until=profiles.FIRST_DAY)

    monkeypatch.setattr(demo, "load", whole)
    prepared(tmp_path, "demo")
    prepared(tmp_path, "demo")
    assert starts == ["begun", "whole"]
