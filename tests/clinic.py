"""A running application with the small study published and named people, for tests of pages.

Alice is a nurse at site 01, Ines investigator there, Bob a nurse at site 02, Mona a monitor of all sites,
Dora data manager of all sites, Otto an administrator.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import ref

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from models import Site, User, db
from models.change import Change, System
from settings import Settings
from tests.small_study import files
from workflows import enrolling, entering, finding, granting, publishing

PASSWORD = "quiet river 42 lanterns"
PEOPLE = {
    "alice": ("Alice Zhao", "nurse", "01"),
    "ines": ("Ines Wang", "investigator", "01"),
    "bob": ("Bob Chen", "nurse", "02"),
    "mona": ("Mona Liu", "monitor", None),
    "dora": ("Dora Sun", "data_manager", None),
    "otto": ("Otto Qian", "administrator", None),
}
NOW = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)  # 10:00 in Wuwei


Places = Callable[[Path], str]


def _own_file(folder: Path) -> str:
    """The address of an SQLite file in the folder, still to be filled with tables."""
    return f"sqlite:///{folder / 'study.db'}"


new_database: list[Places] = [_own_file]  # the last one counts; tests of pages put their own on top
living: list["ref[Clinic]"] = []


class Clinic:
    """The application and what tests do with it."""

    def __init__(self, folder: Path) -> None:
        living.append(ref(self))
        settings = Settings(
            database_url=new_database[-1](folder),
            secret_key="for tests only",
            mode="test",
            instance_dir=folder,
            session_cookie_secure=False,
        )
        self.app: Flask = create_app(settings)
        self.app.config["WTF_CSRF_ENABLED"] = True
        with self.app.app_context():
            if new_database[-1] is _own_file:
                db.create_all()
            self._publish(folder)
            self._people()

    def _publish(self, folder: Path) -> None:
        home = folder / "crf" / "small" / "v1"
        for name, text in files().items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text, encoding="utf-8")
        publishing.seal(home)
        with Change(by=System("tests"), action="publish", chain="small") as change:
            publishing.publish(change, home)

    def _people(self) -> None:
        with Change(by=System("tests"), action="create user", chain="system") as change:
            for name, (full_name, role, code) in PEOPLE.items():
                user = granting.create_user(change, name, full_name, PASSWORD, "en")
                granting.grant(change, user, role, self.site(code) if code else None)

    def site(self, code: str) -> Site:
        """A site by its code."""
        return next(site for site in finding.study().sites if site.code == code)

    def user(self, name: str) -> User:
        """A person by user name."""
        return db.session.query(User).filter_by(username=name).one()

    def screen(self, name: str = "alice", consent: str | None = "2026-03-10") -> int:
        """A participant at this person's site, with consent unless told otherwise; the id."""
        with self.app.app_context():
            user = self.user(name)
            site = self.site(PEOPLE[name][2] or "01")
            with Change(by=user, action="screen", site=site, chain="small") as change:
                subject_id = enrolling.screen(change, site).id
            if consent:
                self.store(subject_id, "SCR", "ICF", {"ICF": {"1": {"CONSDAT": consent}}}, name=name)
            return subject_id

    def store(
        self,
        subject_id: int,
        event: str,
        form: str,
        answers: dict[str, Any],
        *,
        name: str = "alice",
        repeat: int | None = 1,
        reason: str | None = None,
        overrides: dict[str, str] | None = None,
    ) -> int:
        """Save a form as a person; its revision afterwards."""
        with self.app.app_context():
            user = self.user(name)
            place = finding.place(user, subject_id, event, form, repeat)
            revision = place.data.revision if place.data else None
            with Change(by=user, action="save form", reason=reason, subject=place.subject, chain="small") as change:
                data = entering.save_form(change, place, answers, revision, overrides).data
                change.about = f"form_data/{data.id}"
            return data.revision

    def answers(self, subject_id: int, event: str, form: str, repeat: int = 1) -> dict[str, Any]:
        """What is stored in a form now."""
        with self.app.app_context():
            place = finding.place(self.user("dora"), subject_id, event, form, repeat)
            return place.data.answers if place.data else {}

    def sign_in(self, name: str, language: str = "en") -> "Browser":
        """A browser in which the person is signed in."""
        browser = Browser(self.app.test_client())
        browser.post("/sign-in", {"username": name, "password": PASSWORD})
        if language != "en":
            browser.post(f"/language/{language}", {}, page="/")
        return browser


class Browser:
    """A test client that sends the token of the page, as browsers do."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, address: str, **more: Any) -> Any:
        """Open a page."""
        return self.client.get(address, **more)

    def token(self, address: str) -> str:
        """The CSRF token of a page."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.client.get(address).text)
        return found[1] if found else ""

    def post(self, address: str, data: dict[str, Any], page: str | None = None, **more: Any) -> Any:
        """Post a form of a page (by default the page at the same address)."""
        return self.client.post(address, data={"csrf_token": self.token(page or address), **data}, **more)


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """One clinic for many tests; every test screens participants of her own."""
    return Clinic(tmp_path_factory.mktemp("clinic"))


@pytest.fixture
def alice(clinic: Clinic) -> Browser:
    """The nurse of site 01, signed in."""
    return clinic.sign_in("alice")


@pytest.fixture
def subject(clinic: Clinic) -> int:
    """A participant of site 01 who has consented."""
    return clinic.screen()
