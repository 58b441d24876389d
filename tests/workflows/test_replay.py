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

from models import Change, ChangeEntries, FormData, Grant, StudyEvent, Subject, User, clock, db, trail
from models.change import System
from tests.small_study import files
from workflows import enrolling, entering, finding, granting, publishing
from workflows.refusals import Refusal

PASSWORD = "quiet river 42 lanterns"
SEQUENCES = int(os.environ.get("EDC_TEST_SEQUENCES", "60"))
START = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)
STAFF = {"alice": ("nurse", "01"), "ines": ("investigator", "01"), "bob": ("nurse", "02"), "mona": ("monitor", None)}
Step = tuple[Any, ...]

# What is typed. None: the item is left empty, so a correction may also take an answer away.
missing = st.sampled_from(["ND", "UNK", "NAV"]).map(lambda code: {"missing": code})
words = st.text(st.sampled_from("ab é中文😀'\"\\/{}%_\n"), min_size=1, max_size=12)
days = st.sampled_from(["2026-03-01", "2026-03-10", "2026-04-14", "2027-01-01"])
partial = st.one_of(days, st.sampled_from(["2026", "2026-02", "2026-13"]), missing)
flag = st.sampled_from(["Y", "N"])


def cells(**items: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A row in which any item may be empty."""
    offered = st.fixed_dictionaries({name: st.none() | value for name, value in items.items()})
    return offered.map(lambda row: {name: cell for name, cell in row.items() if cell is not None})


def rows(keys: list[str], row: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some rows of a repeating group, now and then one in error."""
    in_error = st.tuples(row, words).map(lambda pair: {**pair[0], "_error": pair[1]})
    return st.dictionaries(st.sampled_from(keys), row | in_error, max_size=len(keys))


height = st.sampled_from(["150.0", "165", "171.5", "130.0", "400"]) | missing  # well, soft, protected, hard, missing
weight = st.sampled_from(["60.0", "61", "125.5", "1"]) | missing
vital = cells(
    VSDAT=partial, HEIGHT=height, WEIGHT=weight, FEVER=flag, TEMP=st.sampled_from(["38.5", "36"]),
    SYMPT=st.lists(st.sampled_from("PFC"), unique=True, min_size=1), VSCOM=words, VSPULSE=st.sampled_from(["70", "80"]),
)  # fmt: skip
results = rows(["WBC", "HGB", "ALT"], cells(LBORRES=st.sampled_from(["5.1", "<0.01"]) | missing, LBCS=flag))
grades = rows(["1", "2"], cells(AEGDAT=days, AEGGR=st.sampled_from(["1", "3", "9"])))
DOCUMENTS = {
    "ICF": st.fixed_dictionaries({"ICF": st.fixed_dictionaries({"1": cells(CONSDAT=days)})}),
    "SV": st.fixed_dictionaries({"SV": st.fixed_dictionaries({"1": cells(VISDAT=days, VISND=words)})}),
    "VS": st.fixed_dictionaries({"VS": st.fixed_dictionaries({"1": vital})}),
    "LB": st.fixed_dictionaries(
        {"LBHEAD": st.fixed_dictionaries({"1": cells(LBPAN=st.sampled_from(["HEM", "CHE"]))}), "LBROWS": results}
    ),
    "AE": st.fixed_dictionaries(
        {
            "AE": st.fixed_dictionaries({"1": cells(AETERM=st.sampled_from(["10061103", "10037087"]), AESTDAT=partial)}),
            "AEG": grades,
        }
    ),
}

who = st.sampled_from(["alice", "alice", "alice", "ines", "ines", "bob", "mona"])
reason = st.sampled_from([None, "x", "mistyped", "mistyped", "按病历更正"])
event_keys = st.sampled_from(["SCR", "SCR", "FU1", "UNS.1", "LOG"])
repeats = st.sampled_from([None, 1, 1, 2])
overrides = st.sampled_from([{}, {"VS.HEIGHT.protected": "measured twice"}])
saves = st.sampled_from(["VS", "VS", "VS", "SV", "LB", "AE", "ICF"]).flatmap(
    lambda form: st.tuples(
        st.just("save"), who, event_keys, st.just(form), repeats, DOCUMENTS[form], reason, st.booleans()
    )
)
steps = st.one_of(
    saves,
    saves,
    saves,
    st.tuples(st.just("screen"), who),
    st.tuples(st.just("visit"), who),
    st.tuples(st.just("mark"), who, event_keys, st.sampled_from(["missed", "planned"]), reason),
    st.tuples(st.just("in_error"), who, event_keys, st.sampled_from(["VS", "SV", "LB", "AE"]), st.just(1), reason),
    st.tuples(st.just("not_done"), who, event_keys, st.sampled_from(["VS", "LB"]), st.sampled_from(["ND", "??"])),
    st.tuples(st.just("grant"), st.sampled_from(["nurse", "coder", "administrator"]), st.booleans(), st.booleans()),
    st.tuples(st.sampled_from(["end_grant", "reset_password", "deactivate", "reactivate"])),
    st.tuples(st.just("break_off"), who),
)


class Work:
    """The workflows as people call them, on one participant after the other."""

    def __init__(self) -> None:
        self.subject_id = 0
        self.seen: dict[int, dict[str, Any]] = {}  # change id -> all answers as the table held them after it

    def user(self, name: str) -> User:
        return db.session.scalars(select(User).where(User.username == name)).one()

    def subject(self) -> Subject:
        return db.session.get_one(Subject, self.subject_id)

    def begin(self) -> None:
        """A participant with consent, so that sequences get somewhere."""
        self.screen("alice")
        self.save("alice", "SCR", "ICF", 1, {"ICF": {"1": {"CONSDAT": "2026-03-10"}}}, None, False)

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
        self.seen[last] = {f"form_data/{data.id}": data.answers for data in db.session.scalars(select(FormData))}
        db.session.commit()

    def screen(self, name: str) -> None:
        site = next(each for each in finding.study().sites if each.code == (STAFF[name][1] or "01"))
        with Change(by=self.user(name), action="screen", site=site, chain="small") as change:
            self.subject_id = enrolling.screen(change, site).id

    def save(self, name: str, key: str, form: str, repeat: int | None, answers: Any, why: Any, override: bool) -> None:
        place = finding.place(self.user(name), self.subject_id, key, form, repeat)
        revision = place.data.revision if place.data else None
        reasons = {"HEIGHT.protected": "measured twice", "VS.HEIGHT.protected": "measured twice"} if override else {}
        if override:
            reasons |= {found.check_id: "measured twice" for found in entering.check(place, answers).findings}
        with Change(by=place_user(self, name), action="save form", reason=why, subject=place.subject, chain="small") as c:
            entering.save_form(c, place, answers, revision, reasons)

    def visit(self, name: str) -> None:
        subject = self.subject()
        with Change(by=self.user(name), action="add visit", subject=subject, chain="small") as change:
            enrolling.add_unscheduled(change, subject)

    def mark(self, name: str, key: str, state: str, why: str | None) -> None:
        subject = self.subject()
        with Change(by=self.user(name), action="mark visit", reason=why, subject=subject, chain="small") as change:
            enrolling.mark_visit(change, subject, finding.event(subject, key), state)

    def in_error(self, name: str, key: str, form: str, repeat: int, why: str | None) -> None:
        place = finding.place(self.user(name), self.subject_id, key, form, repeat)
        user = self.user(name)
        with Change(by=user, action="mark in error", reason=why, subject=place.subject, chain="small") as change:
            entering.mark_in_error(change, place)

    def not_done(self, name: str, key: str, form: str, code: str) -> None:
        place = finding.place(self.user(name), self.subject_id, key, form, 1)
        with Change(by=self.user(name), action="mark not done", subject=place.subject, chain="small") as change:
            entering.mark_not_done(change, place, code)
