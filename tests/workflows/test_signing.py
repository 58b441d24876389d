"""Signing: what was shown and nothing else; what breaks a signature and what does not; proof of both."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from models import Change, db
from models import change as change_module
from tests.signing import Signing
from workflows import finding, signatures, signing
from workflows.refusals import Forbidden, Refusal
from workflows.signing import Shown


@pytest.fixture
def clinic(tmp_path: Path, app: Flask) -> Signing:
    return Signing(tmp_path, app)


def refused(code: str, act: Any, *args: Any, **more: Any) -> None:
    with pytest.raises(Refusal) as caught:
        act(*args, **more)
    assert caught.value.code == code


@pytest.mark.req("SIG-01", "SIG-13", "AUD-11")
def test_a_signature_keeps_name_time_meaning_and_what_was_shown(clinic: Signing) -> None:
    subject = clinic.ready()
    shown = clinic.shown(subject)
    assert clinic.sign(subject, shown) == []
    (held,) = clinic.signatures()
    with change_module.Change(by=change_module.System("tests"), action="rename", chain="system"):
        clinic.user("ines").full_name = "Ines Married"
    (held,) = clinic.signatures()
    assert (held.full_name, held.username, held.role, held.level) == ("Ines Wang", "ines", "investigator", "casebook")
    assert held.meaning_en == signing.MEANINGS["approve"][0] and held.meaning_zh == signing.MEANINGS["approve"][1]
    assert {(each.form_data_id, each.revision, each.digest) for each in held.forms} == {
        (each.form_data_id, each.revision, each.digest) for each in shown
    }
    found = db.session.scalars(select(Change).where(Change.action == "sign")).one()
    assert (found.user_name, found.about, found.role) == ("ines", f"signature/{held.id}", "investigator")
    assert signatures.verify_signatures() == []


@pytest.mark.req("SIG-13")
def test_what_changed_in_another_tab_is_left_out_and_the_rest_is_signed(clinic: Signing) -> None:
    subject = clinic.ready()
    shown = clinic.shown(subject)
    clinic.vital(subject, WEIGHT="61.0")
    assert clinic.sign(subject, shown) == ["sign-moved"]
    (held,) = clinic.signatures()
    assert [each.form_data.form_id for each in held.forms] == ["ICF"]


@pytest.mark.req("SIG-13")
def test_a_digest_that_was_not_shown_is_not_signed(clinic: Signing) -> None:
    subject = clinic.ready()
    forged = [Shown(each.form_data_id, each.revision, "0" * 64) for each in clinic.shown(subject)]
    refused("sign-moved", clinic.sign, subject, forged)
    assert clinic.signatures() == []


@pytest.mark.req("SIG-09")
def test_a_changed_answer_breaks_only_its_form_and_puts_it_back_on_the_list(clinic: Signing) -> None:
    subject = clinic.ready()
    clinic.sign(subject)
    assert signing.to_sign(clinic.user("ines")) == []
    clinic.vital(subject, WEIGHT="62.5")
    assert clinic.broken(subject) == ["VS"]
    ((waiting, counts),) = signing.to_sign(clinic.user("ines"))
    assert (waiting.id, counts) == (subject, {"unsigned": 0, "broken": 1, "signed": 1})
    data = clinic.form(subject)
    steps = signatures.since_signed([data])[data.id]
    told = {step.path: (step.old, step.new, step.by, step.reason) for step in steps}
    assert told["VS/1/WEIGHT"] == ("60.0", "62.5", "alice", "mistyped")
    assert "VS/1/HEIGHT" not in told
    assert clinic.sign(subject) == ["sign-already"]
    assert len(signatures.on_form(clinic.form(subject))) == 2, "the old one stays visible"
    assert signatures.since_signed([clinic.form(subject)]) == {}
    assert signatures.verify_signatures() == []


@pytest.mark.req("SIG-09", "ACC-07")
def test_a_query_breaks_nothing_but_an_open_one_stands_against_signing(clinic: Signing) -> None:
    subject = clinic.ready()
    clinic.sign(subject)
    query = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/WEIGHT"])
    assert clinic.broken(subject) == []
    clinic.vital(subject, WEIGHT="61.0")
    assert sorted(clinic.sign(subject, meaning="review")) == ["sign-queries"]
    clinic.do("alice", query, "answer")
    clinic.sign(subject)
    assert len(signatures.on_form(clinic.form(subject))) == 2


@pytest.mark.req("ACC-07")
def test_incomplete_and_locked_forms_cannot_be_signed(clinic: Signing) -> None:
    subject = clinic.screen()
    clinic.store(subject, "SCR", "VS", {"VS": {"1": {"HEIGHT": "165.0"}}})
    assert clinic.sign(subject) == ["sign-incomplete"]
    other = clinic.ready()
    Signing.__mro__[1].protect(clinic, type(clinic.form(other)), "locked", subject_id=other)  # type: ignore[attr-defined]
    refused("locked", clinic.sign, other)


def test_a_new_form_makes_a_signed_visit_signed_in_part(clinic: Signing) -> None:
    subject = clinic.ready()
    clinic.sign(subject, event="SCR")
    ids = [each.form_data_id for each in clinic.shown(subject, "SCR")]
    assert signatures.roll_up(ids, signatures.states_of(ids)) == "signed"
    clinic.store(subject, "SCR", "SV", {"SV": {"1": {"VISDAT": "2026-03-11"}}})
    more = [each.form_data_id for each in clinic.shown(subject, "SCR")]
    assert signatures.roll_up(more, signatures.states_of(more)) == "part"
    assert signatures.roll_up([], {}) == "unsigned"


@pytest.mark.req("SIG-06", "SIG-07", "SEC-05")
@pytest.mark.parametrize("given", [{"password": "wrong wrong wrong"}, {"password": ""}, {"username": "alice"}])
def test_name_and_password_are_asked_every_time_and_failures_count(clinic: Signing, given: dict[str, str]) -> None:
    subject = clinic.ready()
    before = len(list(db.session.scalars(select(Change).where(Change.action == "sign in refused"))))
    for _ in range(5):
        refused("sign-in-refused", clinic.sign, subject, **given)
    db.session.rollback()
    found = list(db.session.scalars(select(Change).where(Change.action == "sign in refused")))
    assert len(found) == before + 5 and found[-1].about == f"app_user/{clinic.user('ines').id}"
    refused("sign-in-paused", clinic.sign, subject)
    assert clinic.signatures() == []


@pytest.mark.req("SIG-11", "ACC-01")
@pytest.mark.parametrize("name", ["alice", "mona", "dora", "iva", "ines2"])
def test_only_investigators_of_the_site_sign(clinic: Signing, name: str) -> None:
    subject = clinic.ready()
    shown = clinic.shown(subject)
    user = clinic.user(name)
    person = finding.subject(clinic.user("ines"), subject)
    with pytest.raises(Forbidden):
        signing.sign(
            user, person, "casebook", shown, meaning="approve", statement="1", username=name, password="x", address="a"
        )


@pytest.mark.req("SIG-11", "SIG-12")
def test_where_a_log_is_kept_only_the_delegated_sign_and_the_line_is_stored(clinic: Signing) -> None:
    subject = clinic.ready()
    line = clinic.delegate("ines", "ines", "enter data", stop=date(2020, 2, 1))
    refused("not-delegated", clinic.sign, subject)
    line = clinic.delegate("ines", "ines", "sign", "consent")
    refused("sign-meaning", clinic.sign, subject, meaning="looks fine to me")
    refused("sign-statement", clinic.sign, subject, statement="0")
    clinic.sign(subject)
    assert clinic.signatures()[0].delegation_id == line


def test_the_same_request_twice_signs_once(clinic: Signing) -> None:
    subject = clinic.ready()
    shown = clinic.shown(subject)
    clinic.sign(subject, shown)
    refused("sign-already", clinic.sign, subject, shown)
    assert len(clinic.signatures()) == 1
    assert clinic.sign(subject, shown, meaning="review") == []


def test_forms_of_another_visit_or_participant_are_not_there(clinic: Signing) -> None:
    subject, other = clinic.ready(), clinic.ready()
    refused("not-found", clinic.sign, subject, clinic.shown(other))
    refused("not-found", clinic.sign, subject, clinic.shown(subject), event="FU1")


def raw(statement: str, **values: Any) -> None:
    """Write past the application, as a database administrator can."""
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text(statement), values)
    db.session.rollback()


EDITS = {
    "value": "UPDATE form_data SET answers = replace(answers, '60.0', '66.0') WHERE id = :form",
    "status": "UPDATE form_data SET entry = 'in_progress' WHERE id = :form",
    "version": "UPDATE form_data SET version_id = (SELECT max(id) FROM study_version) WHERE id = :form",
    "meaning": "UPDATE signature SET meaning_en = 'I saw this' WHERE id = :signature",
    "signer": "UPDATE signature SET full_name = 'Somebody Else' WHERE id = :signature",
    "time": "UPDATE signature SET signed_at = '2020-01-01T00:00:00.000000Z' WHERE id = :signature",
    "moved": "UPDATE signature SET subject_id = :other WHERE id = :signature",
    "taken to another form": "UPDATE signed_form SET form_data_id = :stranger WHERE form_data_id = :form",
    "digest": "UPDATE signed_form SET digest = replace(digest, 'a', 'b') WHERE form_data_id = :form",
    "copied": "INSERT INTO signed_form (id, signature_id, form_data_id, revision, digest) "
    "SELECT 990, signature_id, :stranger, revision, digest FROM signed_form WHERE form_data_id = :form",
}


@pytest.mark.req("SIG-03")
@pytest.mark.parametrize("edit", EDITS)
def test_what_is_edited_copied_or_moved_past_the_application_is_invalid(clinic: Signing, edit: str) -> None:
    subject, other = clinic.ready(), clinic.ready()
    clinic._publish(clinic.folder, 2, "VSPULSE")
    clinic.sign(subject)
    assert signatures.verify_signatures() == []
    values = {"form": clinic.form(subject).id, "other": other, "stranger": clinic.form(other).id,
              "signature": clinic.signatures()[0].id}  # fmt: skip
    statement = EDITS[edit]
    raw(statement, **{name: value for name, value in values.items() if f":{name}" in statement})
    assert [str(each) for each in signatures.verify_signatures() if "INVALID" in str(each)]


@pytest.mark.req("SIG-03")
def test_a_form_that_an_amendment_moved_is_valid_as_long_as_nothing_signed_changed(clinic: Signing) -> None:
    subject = clinic.ready()
    clinic.sign(subject)
    clinic.amend("VSPULSE")
    assert signatures.verify_signatures() == []
    assert clinic.broken(subject) == []
