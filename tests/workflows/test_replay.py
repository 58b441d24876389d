"""The trail tells everything: after any sequence of work the tables can be rebuilt from it, value by value.

Random sequences go through the workflows as the pages do, with what people really do: corrections with and without a
reason, rows and records in error, visits missed, accounts changed, and work that breaks off half-way.
EDC_TEST_SEQUENCES sets how many sequences are tried.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, func, make_url, select, text

from models import ChangeEntries, FormData, Grant, StudyEvent, Subject, User, clock, db, trail
from models.change import Change, System
from tests.small_study import files
from tests.workflows.sequences import Step, steps
from workflows import enrolling, entering, finding, granting, publishing, recording
from workflows.refusals import Refusal

PASSWORD = "quiet river 42 lanterns"
SEQUENCES = int(os.environ.get("EDC_TEST_SEQUENCES", "60"))
START = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)
STAFF = {
    "alice": ("nurse", "01"),
    "ines": ("investigator", "01"),
    "bob": ("nurse", "02"),
    "mona": ("monitor", None),
    "otto": ("administrator", None),
}


class BrokenOff(Exception):
    """Something failed in the midst of a change."""


def count_changes() -> int:
    """How many changes the trail tells of."""
    return db.session.scalar(select(func.count()).select_from(Change)) or 0


class Work:
    """The workflows as people call them, on one participant after the other."""

    def __init__(self) -> None:
        self.subject_id = 0
        self.first = db.session.scalar(select(func.max(FormData.id))) or 0  # later forms are of this sequence
        self.seen: dict[int, dict[int, Any]] = {}  # change id -> the answers the table held after it

    def user(self, name: str) -> User:
        return db.session.scalars(select(User).where(User.username == name)).one()

    def subject(self) -> Subject:
        return db.session.get_one(Subject, self.subject_id)

    def consent(self, name: str) -> None:
        """Consent of the participant, so that sequences get somewhere."""
        self.save(name, "SCR", "ICF", 1, {"ICF": {"1": {"CONSDAT": "2026-03-10"}}}, None, False)

    def do(self, step: Step) -> None:
        """One step. What is refused, or breaks off, leaves nothing behind; what is done is remembered."""
        before = count_changes()
        try:
            getattr(self, step[0])(*step[1:])
            event(f"{step[0]}: done")
        except (Refusal, BrokenOff) as refusal:
            event(f"{step[0]}: {getattr(refusal, 'code', 'broken off')}")
            assert count_changes() == before, f"{step} was refused, and yet the trail tells of it"
        db.session.expire_all()
        last = db.session.scalar(select(func.max(Change.id)))
        forms = db.session.scalars(select(FormData).where(FormData.id > self.first))
        self.seen[last] = {data.id: data.answers for data in forms}
        db.session.commit()

    def screen(self, name: str) -> None:
        site = next(each for each in finding.study().sites if each.code == (STAFF[name][1] or "01"))
        with Change(by=self.user(name), action="screen", site=site, chain="small") as change:
            self.subject_id = enrolling.screen(change, site).id
        self.consent(name)

    def save(self, name: str, key: str, form: str, repeat: int | None, answers: Any, why: Any, override: bool) -> None:
        user = self.user(name)
        place = finding.place(user, self.subject_id, key, form, repeat)
        revision = place.data.revision if place.data else None
        found = entering.check(place, answers).findings if override else []
        given_reasons = {each.check_id: "measured twice" for each in found}
        with Change(by=user, action="save form", reason=why, subject=place.subject, chain="small") as change:
            entering.save_form(change, place, answers, revision, given_reasons)

    def visit(self, name: str) -> None:
        subject = self.subject()
        with Change(by=self.user(name), action="add visit", subject=subject, chain="small") as change:
            enrolling.add_unscheduled(change, subject)

    def mark(self, name: str, key: str, state: str, why: str | None) -> None:
        subject = self.subject()
        with Change(by=self.user(name), action="mark visit", reason=why, subject=subject, chain="small") as change:
            enrolling.mark_visit(change, subject, finding.event(subject, key), state)

    def in_error(self, name: str, number: int, why: str | None) -> None:
        user = self.user(name)
        forms = recording.forms_of(self.subject())
        data = forms[number % len(forms)]
        place = finding.place(user, self.subject_id, data.study_event.key, data.form_id, data.repeat)
        with Change(by=user, action="mark in error", reason=why, subject=place.subject, chain="small") as change:
            entering.mark_in_error(change, place)

    def not_done(self, name: str, key: str, form: str, code: str) -> None:
        place = finding.place(self.user(name), self.subject_id, key, form, 1)
        with Change(by=self.user(name), action="mark not done", subject=place.subject, chain="small") as change:
            entering.mark_not_done(change, place, code)

    def break_off(self, name: str) -> None:
        """The power fails after the participant was written and before the change is complete."""
        site = finding.study().sites[0]
        with Change(by=self.user(name), action="screen", site=site, chain="small") as change:
            enrolling.screen(change, site)
            db.session.flush()
            raise BrokenOff

    def grant(self, role: str, at_site: bool, for_a_time: bool) -> None:
        site = finding.study().sites[0] if at_site else None
        ends = clock.now() + timedelta(days=30) if for_a_time else None
        with Change(by=System("tests"), action="grant role", chain="system") as change:
            granting.grant(change, self.user("tess"), role, site, None, ends)

    def end_grant(self) -> None:
        with Change(by=System("tests"), action="end grant", chain="system") as change:
            held = [grant for grant in self.user("tess").grants if grant.is_active(clock.now())]
            if not held:
                raise Refusal("not-found")
            granting.end_grant(change, held[0])

    def reset_password(self) -> None:
        with Change(by=System("tests"), action="reset password", reason="forgotten", chain="system") as change:
            granting.reset_password(change, self.user("tess"), granting.temporary_password())

    def deactivate(self) -> None:
        with Change(by=System("tests"), action="deactivate user", reason="left", chain="system") as change:
            granting.deactivate(change, self.user("tess"))

    def reactivate(self) -> None:
        with Change(by=System("tests"), action="reactivate user", reason="is back", chain="system") as change:
            granting.reactivate(change, self.user("tess"))


@pytest.fixture
def work(app: Any, tmp_path: Path) -> Iterator[Callable[[], Work]]:
    """The small study with its people, on an empty database; each call begins with a new participant."""
    home = tmp_path / "crf" / "small" / "v1"
    for name, content in files().items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content, encoding="utf-8")
    publishing.seal(home)
    with clock.at(START):
        with Change(by=System("tests"), action="publish", chain="small") as change:
            publishing.publish(change, home)
        sites: dict[str | None, Any] = {site.code: site for site in finding.study().sites}
        with Change(by=System("tests"), action="create user", chain="system") as change:
            for name, (role, code) in STAFF.items():
                user = granting.create_user(change, name, f"{name.title()} Zhao", PASSWORD, "en")
                granting.grant(change, user, role, sites.get(code))
            granting.create_user(change, "tess", "Tess Li", PASSWORD, "en")

        def begin() -> Work:
            db.session.remove()
            made = Work()
            made.screen("alice")
            return made

        yield begin


def told_by_entries() -> Iterator[tuple[int, dict[str, Any]]]:
    """After each change: what its entries and all before add up to. Written without the reader under test."""
    told: dict[str, Any] = {}
    selection = select(ChangeEntries.change_id, ChangeEntries.entries).order_by(ChangeEntries.change_id)
    for change_id, entries in db.session.execute(selection):
        for entry in entries:
            path, old, new = entry["path"], entry["old"], entry["new"]
            assert told.pop(path, None) == old, f"change {change_id}, {path}: the old value is not what was there"
            if new is not None:
                told[path] = new
        yield change_id, told


def answers_in(told: dict[str, Any], after: int) -> dict[int, Any]:
    """The answers of the forms with a greater id, out of paths and values."""
    forms: dict[int, Any] = {}
    for path, value in told.items():
        table, key, column, *below = path.split("/")
        if table == "form_data" and int(key) > after:
            document = forms.setdefault(int(key), {})
            if column == "answers" and below:
                group, row, item = below
                document.setdefault(group, {}).setdefault(row, {})[item] = value
    return forms


def verify_everything(done: Work) -> None:
    """The rebuilt tables are the tables, now and after each single step, and every hash is right."""
    assert trail.verify_all() == []
    rebuilt = trail.replay()
    assert rebuilt == trail.stored()
    for model in (FormData, Subject, StudyEvent, User, Grant):
        ids = {str(key) for key in db.session.scalars(select(model.id))}
        assert set(rebuilt.get(model.__tablename__, {})) == ids
    for data in db.session.scalars(select(FormData)):
        row = rebuilt["form_data"][str(data.id)]
        assert (row["answers"] or {}, row["revision"], row["entry"]) == (data.answers, data.revision, data.entry)
    compared = 0
    for change_id, told in told_by_entries():
        if change_id in done.seen:
            assert answers_in(told, done.first) == done.seen[change_id]
            compared += 1
    assert compared == len(done.seen)
    db.session.commit()


@pytest.mark.req("AUD-01", "AUD-02", "AUD-03")
def test_the_tables_can_be_rebuilt_from_the_trail_after_any_sequence_of_work(work: Callable[[], Work]) -> None:
    """Every sequence goes on in one database, so the trail of many participants and staff is rebuilt together."""

    @settings(max_examples=SEQUENCES, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(steps, min_size=4, max_size=14))
    def holds(sequence: list[Step]) -> None:
        done = work()
        for step in sequence:
            done.do(step)
        verify_everything(done)

    holds()


PAST_THE_APPLICATION = {
    "an answer": 'UPDATE form_data SET answers = \'{"VS":{"1":{"WEIGHT":"99.0"}}}\' WHERE form_id = \'VS\'',
    "one letter of a reason": "UPDATE form_data SET in_error = 'Mistyped' WHERE in_error = 'mistyped'",
    "a revision": "UPDATE form_data SET revision = revision + 1 WHERE form_id = 'VS'",
    "a status": "UPDATE subject SET status = 'enrolled'",
    "a visit": "UPDATE study_event SET state = 'missed' WHERE event_id = 'FU1'",
    "a role": "UPDATE access_grant SET role = 'investigator' WHERE role = 'nurse'",
    "a password": "UPDATE app_user SET password_hash = 'x' WHERE username = 'alice'",
    "a form taken away": "DELETE FROM form_data WHERE form_id = 'VS'",
}


@pytest.mark.req("AUD-02", "AUD-05")
@pytest.mark.parametrize("statement", PAST_THE_APPLICATION.values(), ids=PAST_THE_APPLICATION.keys())
def test_what_is_written_past_the_trail_is_found(work: Callable[[], Work], statement: str) -> None:
    """If one service wrote without the trail, this is what it would leave: each is found and named."""
    done = work()
    done.save("alice", "SCR", "VS", 1, {"VS": {"1": {"WEIGHT": "60.0"}}}, None, False)
    done.save("alice", "SCR", "SV", 1, {"SV": {"1": {"VISDAT": "2026-03-10"}}}, None, False)
    done.in_error("alice", 0, "mistyped")
    verify_everything(done)
    db.session.remove()
    engine = create_engine(make_url(db.engine.url))
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount > 0
    engine.dispose()
    faults = trail.verify_all()
    assert faults
    assert trail.replay() != trail.stored()
    table = "form_data" if "form_data" in statement else statement.split()[1]
    assert table in str(faults[0])
