"""A clinic in which data are protected, signed and delegated, for tests of both; on the database of the test."""

from datetime import date
from typing import Any

from sqlalchemy import select

from models import FormData, Signature, SignedForm, db
from models.change import Change
from tests.asking import Asking
from tests.clinic import PASSWORD
from workflows import delegating, finding, freezing, signing
from workflows.signing import Outcome, Shown

DAY = date(2020, 1, 1)


class Signing(Asking):
    """People sign, delegate, freeze and lock."""

    def ready(self, name: str = "alice", weight: str = "60.0") -> int:
        """A participant with two complete forms (ICF, VS); the id."""
        subject = self.screen(name)
        self.store(subject, "SCR", "VS", {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": weight, "FEVER": "N"}}}, name=name)
        return subject

    def shown(self, subject: int, event: str | None = None, name: str = "ines") -> list[Shown]:
        """What a page would show of a casebook or visit."""
        with self.app.app_context():
            person = finding.subject(self.user(name), subject)
            event_id = finding.event(person, event).id if event else None
            held = signing.candidates(person, event_id)
            return [Shown(each.data.id, each.data.revision, each.digest) for each in held]

    def sign(self, subject: int, shown: list[Shown] | None = None, *, name: str = "ines", **more: Any) -> list[str]:
        """Sign as a person; the codes of what was left out."""
        with self.app.app_context():
            return [refusal.code for _, refusal in self.try_sign(subject, shown, name=name, **more).left_out]

    def try_sign(
        self,
        subject: int,
        shown: list[Shown] | None = None,
        *,
        name: str = "ines",
        event: str | None = None,
        **more: Any,
    ) -> Outcome:
        """The same inside an application context."""
        shown = self.shown(subject, event, name) if shown is None else shown
        user = self.user(name)
        person = finding.subject(user, subject)
        given = {
            "meaning": "approve", "statement": signing.STATEMENT_VERSION, "username": name, "password": PASSWORD,
            "address": "192.0.2.1", "event_id": finding.event(person, event).id if event else None,
        } | more  # fmt: skip
        level = given.pop("level", "event" if event else "casebook")
        return signing.sign(user, person, level, shown, **given)

    def signatures(self) -> list[Signature]:
        """All signatures, fresh."""
        db.session.rollback()
        return list(db.session.scalars(select(Signature).order_by(Signature.id)))

    def broken(self, subject: int) -> list[str]:
        """The forms of a participant with a broken signature."""
        db.session.rollback()
        selection = select(FormData.form_id).join(SignedForm, SignedForm.form_data_id == FormData.id)
        selection = selection.where(FormData.subject_id == subject, SignedForm.broken_at.is_not(None))
        return sorted(db.session.scalars(selection))

    def form(self, subject: int, form: str = "VS") -> FormData:
        """A stored form, fresh."""
        db.session.rollback()
        selection = select(FormData).where(FormData.subject_id == subject, FormData.form_id == form)
        return db.session.scalars(selection.execution_options(populate_existing=True)).one()

    def delegate(
        self, by: str, person: str, *tasks: str, site: str = "01", start: date = DAY, stop: date | None = None
    ) -> int:
        """Write a person into the log; the line's id."""
        with self.app.app_context():
            where = self.site(site)
            with Change(by=self.user(by), action="delegate", site=where, chain="small") as change:
                return delegating.delegate(change, where, self.user(person), tasks, start, stop).id

    def protect(self, target: Any, act: str, name: str = "dora") -> freezing.Preview:  # type: ignore[override]
        """Freeze, unfreeze or lock as a person, inside an application context."""
        with Change(by=self.user(name), action=act, chain="small") as change:
            return freezing.protect(change, target, act)

    def ask_unlock(self, target: Any, name: str = "dora", reason: str = "late laboratory result") -> int:
        """Ask for unlocking; the request's id."""
        with Change(by=self.user(name), action="ask to unlock", reason=reason, chain="small") as change:
            return freezing.request_unlock(change, target).id

    def decide(self, request: Any, name: str, confirm: bool = True) -> None:
        """Confirm or decline an unlocking."""
        with Change(by=self.user(name), action="confirm unlock", chain="small") as change:
            freezing.decide_unlock(change, request, confirm)
