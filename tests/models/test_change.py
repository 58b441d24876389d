"""A change is one thing that somebody did: stored with its trail, or not at all."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from models import ChainHead, Change, ChangeEntries, Draft, FormData, StoredFile, User, clock, db
from models.change import ChangedMeanwhile, System, TrailUnavailable, WrittenOutsideChange
from models.version import APP_VERSION

Trial = dict[str, Any]
NewForm = Callable[..., FormData]
VITAL_SIGNS = {"VS": {"1": {"HEIGHT": "165", "WEIGHT": "58.0"}}}


def entries_of(change: Change) -> dict[str, tuple[Any, Any]]:
    """Path -> (old, new) of a stored change."""
    stored = db.session.get_one(ChangeEntries, change.id)
    return {entry["path"]: (entry["old"], entry["new"]) for entry in stored.entries}


def save(trial: Trial, form: FormData, **more: Any) -> Change:
    """Store a form as the nurse would."""
    with Change(by=trial["nurse"], action="save form", chain="trial", subject=trial["subject"], **more) as change:
        db.session.add(form)
    return change


def correct(trial: Trial, form: FormData, answers: dict[str, Any], **more: Any) -> Change:
    """Replace a form's answers."""
    with Change(by=trial["nurse"], action="save form", chain="trial", subject=trial["subject"], **more) as change:
        form.answers = answers
    return change


@pytest.mark.req("AUD-01")
def test_a_first_save_tells_every_answer(trial: Trial, new_form: NewForm) -> None:
    """Who, when, what and every new value are on the trail."""
    form = new_form(VITAL_SIGNS)
    with clock.at(datetime(2026, 3, 1, 9, 30, tzinfo=UTC)):
        change = save(trial, form, about="VS", detail={"page": "1"})
    db.session.expire_all()
    stored = db.session.scalars(select(Change).where(Change.id == change.id)).one()
    found = entries_of(change)
    assert found[f"form_data/{form.id}/answers/VS/1/HEIGHT"] == (None, "165")
    assert found[f"form_data/{form.id}/entry"] == (None, "in_progress"), "defaults are values too"
    assert f"form_data/{form.id}/in_error" not in found, "an empty column is not an entry"
    assert (stored.user_id, stored.user_name) == (trial["nurse"].id, "nurse")
    assert stored.at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert (stored.subject_id, stored.site_id) == (trial["subject"].id, trial["site"].id)
    assert db.session.get_one(ChangeEntries, change.id).detail == {"page": "1"}


@pytest.mark.req("AUD-03", "AUD-07")
def test_a_correction_tells_old_new_and_why(trial: Trial, new_form: NewForm) -> None:
    """Only what differs is an entry; added, changed and withdrawn answers are told apart."""
    form = new_form(VITAL_SIGNS)
    save(trial, form)
    change = correct(trial, form, {"VS": {"1": {"HEIGHT": "156", "PULSE": {"missing": "ND"}}}}, reason=" mistyped ")
    path = f"form_data/{form.id}/answers/VS/1"
    assert entries_of(change) == {
        f"{path}/HEIGHT": ("165", "156"),
        f"{path}/PULSE": (None, {"missing": "ND"}),
        f"{path}/WEIGHT": ("58.0", None),
    }
    assert db.session.get_one(ChangeEntries, change.id).reason == "mistyped"


@pytest.mark.req("AUD-03")
def test_four_changes_of_one_item_leave_five_values(trial: Trial, new_form: NewForm) -> None:
    """Old values are never obscured."""
    form = new_form({"VS": {"1": {"HEIGHT": "1"}}})
    changes = [save(trial, form)]
    changes += [correct(trial, form, {"VS": {"1": {"HEIGHT": value}}}) for value in "2345"]
    path = f"form_data/{form.id}/answers/VS/1/HEIGHT"
    assert [entries_of(change)[path][1] for change in changes] == list("12345")


def test_several_flushes_are_one_change(trial: Trial, new_form: NewForm) -> None:
    """The first old and the last new count; what came back to where it was is no entry."""
    form = new_form(VITAL_SIGNS)
    save(trial, form)
    with Change(by=trial["nurse"], action="save form", chain="trial") as change:
        for height, entry in (("1", "complete"), ("2", "not_done"), ("3", "in_progress")):
            form.answers = {"VS": {"1": {"HEIGHT": height, "WEIGHT": "58.0"}}}
            form.entry = entry
            db.session.flush()
    assert entries_of(change) == {f"form_data/{form.id}/answers/VS/1/HEIGHT": ("165", "3")}


@pytest.mark.parametrize("loaded", [True, False])
def test_old_values_are_known_without_having_been_read(trial: Trial, new_form: NewForm, loaded: bool) -> None:
    """Replacing a value that nobody looked at still tells what it was."""
    form = new_form(VITAL_SIGNS)
    save(trial, form)
    if not loaded:
        db.session.expire(form)
    change = correct(trial, form, {"VS": {"1": {"HEIGHT": "156", "WEIGHT": "58.0"}}})
    assert entries_of(change) == {f"form_data/{form.id}/answers/VS/1/HEIGHT": ("165", "156")}


def test_a_document_changed_in_place_tells_its_old_value(trial: Trial, new_form: NewForm) -> None:
    """The old value comes from the database, not from an object that was changed under our hands."""
    form = new_form({"VS": {"1": {"HEIGHT": "165"}}})
    save(trial, form)
    with Change(by=trial["nurse"], action="save form", chain="trial") as change:
        form.answers["VS"]["1"]["HEIGHT"] = "156"
        flag_modified(form, "answers")
    assert entries_of(change) == {f"form_data/{form.id}/answers/VS/1/HEIGHT": ("165", "156")}


def test_a_row_that_is_deleted_tells_what_it_held(trial: Trial) -> None:
    """Deleting is an entry from each value to nothing."""
    with Change(by=trial["nurse"], action="add file", chain="trial"):
        file = StoredFile(sha256="a" * 64, size=3, media_type="text/plain", content=b"abc")
        db.session.add(file)
    with Change(by=trial["nurse"], action="remove file", chain="trial") as change:
        db.session.delete(file)
    found = entries_of(change)
    assert found[f"stored_file/{'a' * 64}/size"] == (3, None)
    content = found[f"stored_file/{'a' * 64}/content"][0]
    assert content == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "bytes by their hash"


@pytest.mark.req("AUD-14")
def test_what_the_system_derives_is_not_the_nurses(trial: Trial, new_form: NewForm) -> None:
    """A derived value names its source, in clear and in the hashed body."""
    form = new_form(VITAL_SIGNS)
    save(trial, form)
    path = f"form_data/{form.id}/answers/VS/1/BMI"
    with Change(by=trial["nurse"], action="save form", chain="trial") as change:
        change.derived_paths.add(path)
        form.answers = {"VS": {"1": {"HEIGHT": "156", "WEIGHT": "58.0", "BMI": "23.8"}}}
    sources = {e["path"]: e.get("source") for e in db.session.get_one(ChangeEntries, change.id).entries}
    assert sources[path] == "system:derivation"
    assert sources[f"form_data/{form.id}/answers/VS/1/HEIGHT"] is None
    hashed = {entry[0]: entry[3] for entry in orjson.loads(change.body)["entries"]}
    assert hashed == sources


@pytest.mark.req("AUD-14")
def test_the_system_is_an_actor_of_its_own(session: Session) -> None:
    """It has a name with the version of the application, and is nobody's account."""
    with Change(by=System("import"), action="import") as change:
        pass
    assert change.user_name == f"system:import@{APP_VERSION}"
    assert change.user_id is None


def test_the_receipt_is_the_number_and_the_start_of_the_hash(session: Session) -> None:
    """A person can note down what ties her to the trail."""
    with Change(by=System("a"), action="one"):
        pass
    with Change(by=System("a"), action="two") as change:
        pass
    assert change.receipt == f"2-{change.link[:8]}"
    head = session.get_one(ChainHead, "system")
    assert (head.seq, head.link) == (2, change.link)


def test_values_are_not_in_the_hashed_body(trial: Trial, new_form: NewForm) -> None:
    """The body binds to values and reason without telling them, so that a declared redaction can come later.
    The body binds to values and reason without telling them, so that a declared redaction can come later."""
    change = save(trial, new_form({"VS": {"1": {"NOTE": "Wuwei"}}}), reason="because", detail={"a": "secret"})
    for word in ("Wuwei", "because", "secret"):
        assert word not in change.body


@pytest.mark.req("AUD-01", "AUD-04")
def test_nothing_audited_is_written_outside_a_change(trial: Trial, new_form: NewForm) -> None:
    """New, changed and deleted rows, one by one or in bulk."""
    form = new_form(VITAL_SIGNS)
    save(trial, form)

    def add() -> None:
        db.session.add(new_form(VITAL_SIGNS, repeat=2))

    def alter() -> None:
        form.entry = "complete"

    def remove() -> None:
        db.session.delete(form)

    for write in (add, alter, remove):
        write()
        with pytest.raises(WrittenOutsideChange):
            db.session.commit()
        db.session.rollback()
    for statement in (
        update(FormData).values(entry="x"),
        delete(FormData),
        insert(FormData).values(form_id="x"),
    ):
        with pytest.raises(WrittenOutsideChange):
            db.session.execute(statement)
        db.session.rollback()
    assert db.session.scalars(select(FormData.entry)).all() == ["in_progress"]


def test_bulk_statements_are_refused_inside_a_change_too(trial: Trial) -> None:
    """Nobody would see their old and new."""
    with pytest.raises(WrittenOutsideChange), Change(by=trial["nurse"], action="x", chain="trial"):
        db.session.execute(update(User).values(active=False))


def test_the_trail_is_written_by_nobody_else(trial: Trial) -> None:
    """Not as objects and not by a statement, inside a change or not."""
    with pytest.raises(WrittenOutsideChange), Change(by=trial["nurse"], action="x", chain="trial"):
        db.session.add(ChainHead(chain="other", seq=0, link="0" * 64))
    with pytest.raises(WrittenOutsideChange):
        db.session.execute(delete(Change))


def test_what_is_not_data_needs_no_change(trial: Trial) -> None:
    """A draft is written plainly and leaves no entry (AUD-17)."""
    db.session.add(Draft(user_id=1, place="/a", posted={}, at=clock.now()))
    db.session.commit()
    with Change(by=trial["nurse"], action="x", chain="trial") as change:
        db.session.execute(delete(Draft))
    assert entries_of(change) == {}


def test_changes_do_not_nest(trial: Trial) -> None:
    """One transaction, one change."""
    outer = Change(by=trial["nurse"], action="outer", chain="trial")
    with pytest.raises(WrittenOutsideChange), outer, Change(by=trial["nurse"], action="inner", chain="trial"):
        pass
    with Change(by=trial["nurse"], action="next", chain="trial"):
        pass


@pytest.mark.req("SEC-41")
def test_committing_halfway_is_refused(trial: Trial, new_form: NewForm) -> None:
    """Rows never reach the disk before their trail."""
    with pytest.raises(WrittenOutsideChange), Change(by=trial["nurse"], action="x", chain="trial"):
        db.session.add(new_form(VITAL_SIGNS))
        db.session.flush()
        db.session.commit()
    assert db.session.scalars(select(FormData.id)).all() == []


def test_a_change_that_was_rolled_back_inside_cannot_be_left_in_peace(trial: Trial, new_form: NewForm) -> None:
    """Otherwise the trail would tell what did not happen."""
    with pytest.raises(TrailUnavailable), Change(by=trial["nurse"], action="x", chain="trial"):
        db.session.add(new_form(VITAL_SIGNS))
        db.session.flush()
        db.session.rollback()
    assert db.session.scalar(select(ChainHead.seq).where(ChainHead.chain == "trial")) == 2


def test_an_exception_takes_everything_back(trial: Trial, new_form: NewForm) -> None:
    """And is raised again; the next change works."""
    with pytest.raises(ZeroDivisionError), Change(by=trial["nurse"], action="x", chain="trial"):
        db.session.add(new_form(VITAL_SIGNS))
        db.session.flush()
        raise ZeroDivisionError
    assert db.session.scalars(select(FormData.id)).all() == []
    assert save(trial, new_form(VITAL_SIGNS)).seq == 3


@pytest.mark.req("SEC-41")
@pytest.mark.parametrize("table", ["change", "change_entries", "chain_head"])
def test_if_the_trail_cannot_be_written_nothing_is_saved(trial: Trial, new_form: NewForm, table: str) -> None:
    """Each part of the trail is broken once; data and trail stay as they were."""
    changes = len(db.session.scalars(select(Change.id)).all())
    with db.engine.begin() as connection:
        for statement in BREAK[connection.dialect.name]:
            connection.exec_driver_sql(statement.format(table=table))
    with pytest.raises(DBAPIError):
        save(trial, new_form(VITAL_SIGNS))
    assert db.session.scalars(select(FormData.id)).all() == []
    assert len(db.session.scalars(select(Change.id)).all()) == changes


BREAK = {
    "sqlite": (
        "CREATE TRIGGER aa_full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END",
        "CREATE TRIGGER aa_full_too BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''full''; END'",
        "CREATE TRIGGER aa_full BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()",
    ),
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"repeat": "1"},
        {"form_id": 5},
        {"answers": {"VS": {"1": {"HEIGHT": 1.65}}}},
        {"answers": {"VS": {"1/2": {"HEIGHT": "1"}}}},
        {"answers": {"VS": {"1": {"HEIGHT": None}}}},
    ],
)
def test_a_value_the_trail_cannot_repeat_exactly_is_refused(trial: Trial, new_form: NewForm, wrong: Any) -> None:
    """What is recorded is what is stored, to the letter: no conversion by a database comes between."""
    form = new_form(VITAL_SIGNS)
    for name, value in wrong.items():
        setattr(form, name, value)
    with pytest.raises((TypeError, ValueError, DBAPIError)):
        save(trial, form)
    assert db.session.scalars(select(FormData.id)).all() == []


def test_an_expression_instead_of_a_value_is_refused(trial: Trial, new_form: NewForm) -> None:
    """The trail could not tell its outcome."""
    form = new_form(VITAL_SIGNS)
    save(trial, form)
    with pytest.raises(TypeError), Change(by=trial["nurse"], action="x", chain="trial"):
        form.revision = FormData.revision + 1


def test_a_change_reads_everything_anew(trial: Trial, new_form: NewForm) -> None:
    """What was read before the change began may be old: here somebody else wrote in between (FLT-11)."""
    form = new_form(VITAL_SIGNS)
    save(trial, form)
    assert form.revision == 1
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE form_data SET revision = 7"))
    with Change(by=trial["nurse"], action="x", chain="trial") as change:
        assert form.revision == 7
        form.revision += 1
    assert entries_of(change) == {f"form_data/{form.id}/revision": (7, 8)}


@pytest.mark.req("SEC-45")
def test_nobody_overwrites_what_she_did_not_see(app: Flask, trial: Trial, new_form: NewForm) -> None:
    """A value changed by somebody else after this change read it: refused (PostgreSQL), impossible (SQLite).
    A value changed by somebody else after this change read it: refused (PostgreSQL), impossible (SQLite)."""
    form = new_form(VITAL_SIGNS)
    save(trial, form)
    blocked = []

    def other() -> None:
        try:
            with app.app_context(), db.engine.begin() as connection:
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("PRAGMA busy_timeout = 50")
                connection.execute(text("UPDATE form_data SET entry = 'complete'"))
        except DBAPIError as error:
            blocked.append(error)

    def write() -> None:
        with Change(by=trial["nurse"], action="x", chain="trial"):
            assert form.entry == "in_progress"
            thread = threading.Thread(target=other)
            thread.start()
            thread.join(0.5)
            form.entry = "not_done"

    if db.engine.dialect.name == "postgresql":
        with pytest.raises(ChangedMeanwhile):
            write()
    else:
        write()
        assert form.entry == "not_done"


@pytest.mark.req("FLT-10")
def test_eight_writers_leave_one_chain_without_gaps(app: Flask, trial: Trial) -> None:
    """Each change has its place; nobody starves and nothing forks, also on a chain that does not exist yet.
    Each change has its place; nobody starves and nothing forks, also on a chain that does not exist yet."""
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with app.app_context():
                for turn in range(5):
                    with Change(by=System(f"writer-{number}"), action=f"turn {turn}", chain="fresh"):
                        pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rows = db.session.execute(select(Change.seq, Change.prev, Change.link).where(Change.chain == "fresh")).all()
    rows = sorted(rows)
    assert [row.seq for row in rows] == list(range(1, 41))
    assert [row.prev for row in rows[1:]] == [row.link for row in rows[:-1]]
