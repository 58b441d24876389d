"""The trail is complete and can be checked: what it tells is what the tables hold, to the letter (AUD-02)."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import Change, ChangeEntries, FormData, StoredFile, User, clock, db, trail
from models.change import System
from models.commitments import ZEROS, canonical, commit, leaf_of, link_of

Trial = dict[str, Any]
NewForm = Callable[..., FormData]
ACTOR = System("test")

KEYS = st.sampled_from(["A", "B", "年龄", "1", "_error"])
CELLS = st.one_of(
    st.text(max_size=8).filter(lambda text: "\x00" not in text),
    st.lists(st.sampled_from(["X", "Y"]), max_size=2),
    st.just({"missing": "ND"}),
    st.fixed_dictionaries({"file": st.just("a" * 64), "size": st.integers(0, 2**53)}),
)
ANSWERS = st.dictionaries(KEYS, st.dictionaries(KEYS, st.dictionaries(KEYS, CELLS, max_size=3), max_size=2), max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.from_regex(r"[ -~]{0,6}", fullmatch=True), inner),
    max_leaves=12,
)
WRITES = st.lists(
    st.tuples(st.sampled_from(["answers", "entry", "in_error", "delete", "add", "user", "flush", "leave"]), ANSWERS),
    min_size=1,
    max_size=14,
)


@given(JSON)
def test_canonical_json_is_what_another_implementation_writes(value: Any) -> None:
    """Sorted keys, no white space, UTF-8, nothing escaped that need not be: RFC 8785 for what we store."""
    other = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for number in (*range(8), 11, *range(14, 32)):
        assert f"\\u{number:04x}" in other or chr(number) not in str(value)
    assert canonical(value) == other.encode()


@pytest.mark.parametrize("value", [1.5, [1.0], {"a": [{"b": 0.1}]}])
def test_fractions_are_refused(value: Any) -> None:
    """Two programs may write the same fraction differently; a measured value is text."""
    with pytest.raises(TypeError):
        canonical(value)


def write(form: FormData, kind: str, answers: dict[str, Any], copies: list[FormData], new_form: NewForm) -> None:
    """One random write."""
    if kind == "answers":
        form.answers = answers
    elif kind == "entry":
        form.entry = "complete" if form.entry != "complete" else "in_progress"
    elif kind == "in_error":
        form.in_error = None if form.in_error else "typed twice"
    elif kind == "add":
        taken = db.session.scalars(select(FormData.repeat)).all()
        copies.append(new_form(answers, repeat=max(taken) + 1))
        db.session.add(copies[-1])
    elif kind == "delete" and copies:
        copy = copies.pop()
        db.session.flush()
        db.session.delete(copy)
    elif kind == "user":
        user = db.session.scalars(select(User)).first()
        user.active = not user.active
    elif kind == "flush":
        db.session.flush()


@pytest.mark.req("AUD-02")
def test_replaying_the_trail_gives_the_tables(app: Flask, trial: Trial, new_form: NewForm) -> None:
    """After any sequence of writes, in changes of any length on two chains, some of them taken back."""

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(st.lists(st.tuples(WRITES, st.sampled_from(["trial", "system"]), st.booleans()), min_size=1, max_size=4))
    def check(batches: list[Any]) -> None:
        form = db.session.scalars(select(FormData).order_by(FormData.id)).first()
        for writes, chain, fails in batches:
            copies: list[FormData] = []
            try:
                with Change(by=ACTOR, action="random", chain=chain):
                    if form is None:
                        form = new_form({})
                        db.session.add(form)
                        db.session.flush()
                    for kind, answers in writes:
                        write(form, kind, answers, copies, new_form)
                    if fails:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                form = db.session.scalars(select(FormData).order_by(FormData.id)).first()
        assert trail.replay() == trail.stored()
        assert trail.verify_all() == []

    check()


def test_all_tables_are_told_about(trial: Trial) -> None:
    """The replay is not empty where the tables are not (a comparison of nothing with nothing proves nothing).
    The replay is not empty where the tables are not (a comparison of nothing with nothing proves nothing)."""
    told = trail.replay()
    assert set(told) == {"study", "study_version", "site", "app_user", "subject", "study_event"}
    assert told["app_user"][str(trial["nurse"].id)]["full_name"] == "李春梅"
    assert told["study_version"]["1"]["files"] == {"study.toml": "id = 'trial'"}


@pytest.mark.req("AUD-02")
def test_every_hash_can_be_recomputed_by_hand(trial: Trial, new_form: NewForm) -> None:
    """The recipe of the documentation, written out once more, without the code that verifies."""
    with Change(by=trial["nurse"], action="save form", chain="trial", reason="why", detail={"a": "b"}):
        db.session.add(new_form({"VS": {"1": {"HEIGHT": "165"}}}))
    prev = ZEROS
    rows = select(Change, ChangeEntries).join(ChangeEntries, ChangeEntries.change_id == Change.id)
    for change, clear in db.session.execute(rows.where(Change.chain == "trial").order_by(Change.seq)):
        body = orjson.loads(change.body)
        assert change.prev == prev
        assert change.leaf == leaf_of(change.body.encode())
        assert change.link == link_of(prev, change.leaf)
        for entry, (path, _, new, _source) in zip(clear.entries, body["entries"], strict=True):
            assert path == entry["path"]
            assert new == commit(bytes.fromhex(entry["salt_new"]), canonical(entry["new"]))
        prev = change.link
    assert body["reason"] == commit(bytes.fromhex(clear.reason_salt), canonical("why"))
    assert trail.heads() == [("system", 1, trail.heads()[0][2]), ("trial", 3, prev)]


def test_every_value_has_a_salt_of_its_own(trial: Trial, new_form: NewForm) -> None:
    """Equal answers of two participants do not look equal in the body."""
    with Change(by=trial["nurse"], action="save form", chain="trial") as change:
        db.session.add(new_form({"VS": {"1": {"A": "Y", "B": "Y"}}}))
    commitments = [entry[2] for entry in orjson.loads(change.body)["entries"]]
    assert len(set(commitments)) == len(commitments)


def test_history_reads_like_a_story(trial: Trial, new_form: NewForm) -> None:
    """Who, when, old, new and why of one item; nothing of its neighbours."""
    form = new_form({"VS": {"1": {"HEIGHT": "165", "HEIGHT2": "1"}}})
    with Change(by=trial["nurse"], action="save form", chain="trial"):
        db.session.add(form)
    with Change(by=trial["nurse"], action="save form", chain="trial", reason="mistyped"):
        form.answers = {"VS": {"1": {"HEIGHT": "156", "HEIGHT2": "2"}}}
    story = "\n".join(trail.history(f"form_data/{form.id}/answers/VS/1/HEIGHT"))
    assert '"165" -> "156"' in story and "because: mistyped" in story and "nurse" in story
    assert "HEIGHT2" not in story
    assert len(list(trail.history(f"form_data/{form.id + 1}"))) == 0


def test_a_file_is_compared_by_its_hash(trial: Trial) -> None:
    """Bytes are not in the trail; their hash is, and it is checked."""
    with Change(by=ACTOR, action="add file", chain="trial"):
        db.session.add(StoredFile(sha256="a" * 64, size=3, media_type="text/plain", content=b"abc"))
    assert trail.verify_all() == []
    assert trail.replay() == trail.stored()


def test_the_clock_is_the_servers(trial: Trial) -> None:
    """A change has the server's time, between before and after (AUD-06)."""
    before = clock.now()
    with Change(by=ACTOR, action="x") as change:
        pass
    assert before <= change.at <= clock.now()
