"""Editing against freezing, locking and signing at the same moment: 100 rounds each, on each database.

Either the save comes first, and what is frozen or signed is what was saved; or it comes second, and is refused (a
signature it breaks instead). In the end the trail rebuilds the tables, and every value that was saved stands in it.
"""

# ruff: noqa: F401

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from design import answers as documents
from models import ChangeEntries, FormData, Signature, SignedForm, clock, db, trail
from models.change import Change, System
from settings import Settings
from tests.clinic import NOW
from tests.racing import ROUNDS, Act, Opening, applications, person, saving, together, told_when_in_the_midst
from tests.signing import Signing
from workflows import finding, freezing, signatures, signing, verifying

WEIGHT = "VS/1/WEIGHT"
pytestmark = pytest.mark.usefixtures("told_when_in_the_midst")


@pytest.fixture
def clinic(tmp_path: Path, app: Flask) -> Iterator[Signing]:
    with clock.at(NOW):
        yield Signing(tmp_path, app)


@pytest.fixture
def workers(clinic: Signing, settings: Settings) -> Iterator[list[Flask]]:
    """Two applications on the database of the test."""
    with applications(settings) as made:
        yield made


def protecting(form_data_id: int, doing: str) -> Opening:
    """Dora freezes or locks the form."""

    def open_page() -> Act:
        dora = person("dora")
        data = finding.form_data(dora, form_data_id)

        def act() -> None:
            with Change(by=dora, action=doing, subject=data.subject, chain="small") as change:
                freezing.protect(change, data, doing)

        return act

    return open_page


def opened(clinic: Signing, form: FormData) -> None:
    """Take the protection off a form; the workflow of that has tests of its own."""
    with Change(by=System("tests"), action="unlock", chain="small"):
        db.session.get_one(FormData, form.id).protection = "open"


def verified_and_signed(clinic: Signing, subject: int) -> None:
    """The vital signs are as a lock asks for them."""
    vitals = clinic.form(subject)
    mona = clinic.user("mona")
    with Change(by=mona, action="verify", subject=vitals.subject, chain="small") as change:
        paths = [path for path, _ in documents.iter_cells(vitals.answers) if not path.endswith("BMI")]
        verifying.verify_items(change, vitals, vitals.revision, paths)
    shown = [each for each in clinic.shown(subject) if each.form_data_id == vitals.id]
    clinic.sign(subject, shown, level="form")


def weight_of(data: FormData) -> Any:
    return documents.get(data.answers, WEIGHT)


def weights_told(data: FormData) -> list[str]:
    """Every weight that stood in a form, in the order of the trail."""
    path, told = f"form_data/{data.id}/answers/{WEIGHT}", []
    for entries in db.session.scalars(select(ChangeEntries.entries).order_by(ChangeEntries.change_id)):
        for entry in entries:
            if entry["path"] == path:
                assert entry["old"] == (told[-1] if told else None)
                told.append(entry["new"])
    return told


def nothing_is_lost(data: FormData, saved: list[str]) -> None:
    """The trail is whole, adds up to the tables, and tells of every weight that was saved, and of no other."""
    assert weights_told(data) == ["60.0", *saved]
    assert trail.verify_all() == []
    assert trail.replay() == trail.stored()
    assert signatures.verify_signatures() == []


@pytest.mark.req("DAT-13", "FLT-11")
def test_editing_against_freezing(clinic: Signing, workers: list[Flask]) -> None:
    """Either the freeze holds what was saved, or the save is told that it is frozen."""
    subject = clinic.ready()
    form, saved, outcomes = clinic.form(subject), [], Counter[str]()
    for number in range(ROUNDS):
        weight, before = f"{61 + number}.0", weight_of(clinic.form(subject))
        save, freeze = together(workers, number, saving(subject, WEIGHT, weight), protecting(form.id, "freeze"))
        now = clinic.form(subject)
        assert (freeze, now.protection) == ("done", "frozen")
        assert (save, weight_of(now)) in {("done", weight), ("frozen", before)}
        saved += [weight] if save == "done" else []
        outcomes[save] += 1
        opened(clinic, form)
    assert outcomes.total() == ROUNDS and set(outcomes) == {"done", "frozen"}
    nothing_is_lost(clinic.form(subject), saved)


@pytest.mark.req("DAT-13", "FLT-11")
def test_editing_against_locking(clinic: Signing, workers: list[Flask]) -> None:
    """Exactly one is done: a save takes away the signature and the marks that the lock asks for."""
    subject = clinic.ready()
    form, saved, outcomes = clinic.form(subject), [], Counter[tuple[str, str]]()
    verified_and_signed(clinic, subject)
    for number in range(ROUNDS):
        weight, before = f"{61 + number}.0", weight_of(clinic.form(subject))
        ends = together(workers, number, saving(subject, WEIGHT, weight), protecting(form.id, "lock"))
        now = clinic.form(subject)
        if ends == ["done", "protect-nothing"]:
            assert (now.protection, weight_of(now)) == ("open", weight)
            saved.append(weight)
            verified_and_signed(clinic, subject)
        else:
            assert ends == ["locked", "done"]
            assert (now.protection, weight_of(now)) == ("locked", before)
            assert signatures.states_of([form.id]) == {form.id: "signed"}
            opened(clinic, form)
        outcomes[ends[0], ends[1]] += 1
    assert outcomes.total() == ROUNDS and set(outcomes) == {("done", "protect-nothing"), ("locked", "done")}
    nothing_is_lost(clinic.form(subject), saved)


def signing_page(clinic: Signing, subject: int, form_data_id: int) -> Opening:
    """Ines has the form in view and signs it."""

    def open_page() -> Act:
        ines = person("ines")
        whom = finding.subject(ines, subject, "sign")
        (seen,) = signing.candidates(whom, form_data_id=form_data_id)
        shown = [signing.Shown(seen.data.id, seen.data.revision, seen.digest)]
        return lambda: clinic.try_sign(subject, shown, level="form")

    return open_page


@pytest.mark.req("SIG-03", "SIG-09", "SIG-13")
def test_editing_against_signing(clinic: Signing, workers: list[Flask]) -> None:
    """The save is always done. The signature covers what was shown and is broken by it, or it is refused as moved; the
    next one, of the page as it is now, holds what was saved.
    """
    subject = clinic.ready()
    form, outcomes = clinic.form(subject), Counter[str]()
    made: list[tuple[int, bool]] = []  # the revision of each signature, and whether it was broken
    for number in range(ROUNDS):
        weight, shown = f"{61 + number}.0", clinic.form(subject).revision
        save, sign = together(workers, number, saving(subject, WEIGHT, weight), signing_page(clinic, subject, form.id))
        now = clinic.form(subject)
        assert (save, weight_of(now), now.revision) == ("done", weight, shown + 1)
        assert sign in ("done", "sign-moved")
        made += [(shown, True)] if sign == "done" else []
        assert covered(form.id) == made
        outcomes[sign] += 1
    assert outcomes.total() == ROUNDS and set(outcomes) == {"done", "sign-moved"}
    with workers[0].app_context():
        signing_page(clinic, subject, form.id)()()
    now = clinic.form(subject)
    assert covered(form.id) == [*made, (now.revision, False)]
    nothing_is_lost(now, [f"{61 + number}.0" for number in range(ROUNDS)])


def covered(form_data_id: int) -> list[tuple[int, bool]]:
    """The revision that each signature of a form covers, and whether it is broken."""
    db.session.rollback()
    selection = select(SignedForm).join(Signature, Signature.id == SignedForm.signature_id)
    selection = selection.where(SignedForm.form_data_id == form_data_id).options(joinedload(SignedForm.form_data))
    found = db.session.scalars(selection.order_by(SignedForm.id).execution_options(populate_existing=True))
    return [(each.revision, each.broken_at is not None) for each in found]
