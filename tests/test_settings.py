"""Settings from the environment, and what the start does with files."""

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from app import create_app
from models import db
from settings import Settings, SettingsFault
from workflows.mailing import MailServer

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
