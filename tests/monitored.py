"""A small trial with critical items and people at two sites, on a fresh database of each kind: for verification tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flask import Flask

from models import FormData, Site, Subject, User, clock, db
from models.change import Change, System
from tests.small_study import files
from workflows import enrolling, entering, finding, granting, publishing

DAY = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)  # 10:00 at the sites
PEOPLE = {
    "alice": ("nurse", "01"),
    "ines": ("investigator", "01"),
    "mona": ("monitor", "01"),
    "mika": ("monitor", "01"),
    "dora": ("data_manager", None),
    "bob": ("nurse", "02"),
}
VITALS = {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N"}


def text_of_study() -> dict[str, str]:
    """The small study, with height as its critical item."""
    made = files()
    made["forms/VS.toml"] = made["forms/VS.toml"].replace('id = "HEIGHT"', 'id = "HEIGHT"\ncritical = true')
    return made


class Trial:
    """What tests do with it."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app = app
        home = folder / "crf" / "small" / "v1"
        for name, text in text_of_study().items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text, encoding="utf-8")
        publishing.seal(home)
        with clock.at(DAY):
            with Change(by=System("tests"), action="publish", chain="small") as change:
                publishing.publish(change, home)
            for name, (role, code) in PEOPLE.items():
                self.person(name, role, code)

    def person(self, name: str, role: str, code: str | None = "01") -> User:
        """Somebody with a role; nobody signs in here, so the password is none."""
        with clock.at(DAY), Change(by=System("tests"), action="create user", chain="system") as change:
            user = User(
                username=name,
                name_key=name,
                full_name=f"{name.title()} {role}",
                password_hash="none",
                must_change_password=False,
                active=True,
                language="en",
                created_at=DAY,
            )
            db.session.add(user)
            db.session.flush()
            granting.grant(change, user, role, self.site(code) if code else None)
        return user

    def site(self, code: str = "01") -> Site:
        """A site by its code."""
        return next(site for site in finding.study().sites if site.code == code)

    def user(self, name: str) -> User:
        """A person by user name."""
        return db.session.query(User).filter_by(username=name).one()

    @contextmanager
    def by(
        self, name: str, action: str, reason: str | None = None, subject: Subject | None = None, at: datetime = DAY
    ) -> Iterator[Change]:
        """A change of a person at an instant."""
        user = self.user(name)
        site = subject.site if subject else self.site(PEOPLE[name][1] or "01")
        with (
            clock.at(at),
            Change(by=user, action=action, reason=reason, subject=subject, site=site, chain="small") as change,
        ):
            yield change

    def screen(self, name: str = "alice") -> Subject:
        """A participant who has consented."""
        with self.by(name, "screen") as change:
            subject = enrolling.screen(change, self.site(PEOPLE[name][1] or "01"))
        self.save(subject, "ICF", {"CONSDAT": "2026-03-10"}, name=name)
        return subject

    def save(
        self,
        subject: Subject,
        form: str,
        cells: dict[str, Any],
        *,
        event: str = "SCR",
        name: str = "alice",
        repeat: int | None = 1,
        reason: str = "misread",
        at: datetime = DAY,
        more: dict[str, Any] | None = None,
    ) -> FormData:
        """Save the first row of a form's own group, with other groups in `more`."""
        place = finding.place(self.user(name), subject.id, event, form, repeat)
        with self.by(name, "save form", reason if place.data else None, subject, at) as change:
            group = place.form.groups[0].id
            revision = place.data.revision if place.data else None
            overrides = {"VS.HEIGHT.protected": "true"}
            data = entering.save_form(change, place, {group: {"1": cells}, **(more or {})}, revision, overrides).data
        assert data is not None
        return data

    def visited(self, subject: Subject, day: str, event: str = "SCR") -> None:
        """Date a visit."""
        self.save(subject, "SV", {"VISDAT": day}, event=event)


def day(text: str) -> date:
    """A date as people write it."""
    return date.fromisoformat(text)
