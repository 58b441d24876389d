"""A clinic with checks of every kind and people of every role, for tests of queries; on the database of the test."""

from pathlib import Path
from typing import Any
from weakref import ref

from flask import Flask
from sqlalchemy import select

from app import create_app
from models import FormData, Query, QueryMessage, StudyVersion, db
from models.change import Change, System
from settings import Settings
from tests import small_study
from tests.clinic import PASSWORD, PEOPLE, Clinic, living, new_database
from workflows import entering, finding, granting, publishing, query_places, querying

CHECKS = """
[[checks]]
id = "X01"
severity = "cross"
form = "VS"
items = ["VSDAT", "WEIGHT"]
rule = "VSDAT >= min(ICF.CONSDAT)"
en = "Measured before consent."
zh = "测量早于知情同意。"
[[checks]]
id = "X02"
severity = "cross"
form = "AEG"
items = ["AEGDAT"]
rule = "AEGDAT >= min(ICF.CONSDAT)"
en = "Grade before consent."
zh = "分级早于知情同意。"
[[checks]]
id = "X03"
severity = "cross"
form = "VS"
items = ["TEMP"]
rule = "TEMP >= 30"
en = "Too cold."
zh = "体温过低。"
[[checks]]
id = "X04"
severity = "cross"
form = "VS"
items = ["VSPULSE"]
rule = "known(VSPULSE) or today < '2026-05-01'"
when = "known(VSDAT)"
en = "No pulse was entered."
zh = "未录入脉搏。"
"""
MORE = {"carl": ("Carl Code", "coder", None), "sara": ("Sara Safe", "safety", None), "stan": ("Stan", "statistician", None),
        "ines2": ("Ines Two", "investigator", "02"), "iva": ("Iva Look", "inspector", None),
        "max": ("Max Monitor", "monitor", "02")}  # fmt: skip


def files() -> dict[str, str]:
    """The small study with cross-form checks."""
    return small_study.files() | {"checks.toml": CHECKS}


class Asking(Clinic):
    """A clinic in which queries open."""

    def __init__(self, folder: Path, app: Flask) -> None:
        living.append(ref(self))
        self.app, self.folder = app, folder
        with app.app_context():
            self._publish(folder)
            self._people()
            with Change(by=System("tests"), action="create user", chain="system") as change:
                for name, (full_name, role, code) in MORE.items():
                    user = granting.create_user(change, name, full_name, PASSWORD, "en")
                    granting.grant(change, user, role, self.site(code) if code else None)

    @classmethod
    def in_folder(cls, folder: Path) -> "Asking":
        """With a database of its own, for tests of pages."""
        settings = Settings(
            database_url=new_database[-1](folder),
            secret_key="for tests only",
            mode="test",
            instance_dir=folder,
            session_cookie_secure=False,
        )
        app = create_app(settings)
        if new_database[0] is new_database[-1]:
            with app.app_context():
                db.create_all()
        return cls(folder, app)

    def _publish(self, folder: Path, number: int = 1, without: str = "") -> None:
        """Publish a version; `without` names an item of the vital signs that it drops."""
        home = folder / "crf" / "small" / f"v{number}"
        for name, text in files().items():
            if name == "study.toml":
                text = text.replace("version = 1", f"version = {number}")
            if without and name == "checks.toml":
                parts = text.split("[[checks]]")
                text = "[[checks]]".join(part for part in parts if without not in part)
            if without and name == "forms/VS.toml":
                head, _item, rest = text.partition(f'[[items]]\nid = "{without}"')
                text = head + "[[" + rest.partition("[[")[2]
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text, encoding="utf-8")
        publishing.seal(home)
        with Change(by=System("tests"), action="publish", chain="small") as change:
            publishing.publish(change, home)

    def amend(self, without: str) -> None:
        """A second version that drops an item; every stored form is answered under it from now on."""
        with self.app.app_context():
            self._publish(self.folder, 2, without)
            version = db.session.scalars(select(StudyVersion.id).where(StudyVersion.number == 2)).one()
            with Change(by=System("tests"), action="move", chain="small"):
                for code in ("01", "02"):
                    self.site(code).version_id = version
                for data in db.session.scalars(select(FormData)):
                    data.version_id = version

    def vital(self, subject: int, name: str = "alice", **answers: Any) -> None:
        """Save vital signs; a correction says why."""
        base = {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N"}
        given = {item: cell for item, cell in (base | answers).items() if cell is not None}
        self.store(subject, "SCR", "VS", {"VS": {"1": given}}, name=name, reason="mistyped")

    def ask(self, name: str, subject: int, *place: Any, text: str = "Please check.", **more: Any) -> int:
        """Raise a query; `place` is the visit, form, repeat and paths."""
        with self.app.app_context():
            user = self.user(name)
            target = query_places.target(user, subject, *place)
            with Change(by=user, action="raise query", subject=target.subject, chain="small") as change:
                return querying.raise_query(change, target, text, **more).id

    def do(
        self, name: str, query_id: int, act: str, text: str = "So it is.", revision: int | None = None, to: str = ""
    ) -> str:
        """Do something to a query as a person; its status afterwards."""
        with self.app.app_context():
            user = self.user(name)
            query = finding.query(user, query_id)
            shown = query.revision if revision is None else revision
            with Change(by=user, action=f"{act} query", subject=query.subject, chain="small") as change:
                return querying.do(change, query, act, text, shown, to).status

    def queries(self, subject: int, check: str | None = None) -> list[Query]:
        """The queries of a participant, with their messages loaded, fresh from the database."""
        db.session.rollback()
        selection = select(Query).where(Query.subject_id == subject).order_by(Query.id)
        selection = selection.where(Query.check_id == check) if check else selection
        found = list(db.session.scalars(selection.execution_options(populate_existing=True)))
        for query in found:
            db.session.refresh(query, ["messages"])
        return found

    def said(self, query: Query) -> list[tuple[str, str]]:
        """What was done to a query and by whom."""
        db.session.rollback()
        selection = select(QueryMessage).where(QueryMessage.query_id == query.id).order_by(QueryMessage.id)
        return [(message.act, message.by) for message in db.session.scalars(selection)]

    def error(self, subject: int, event: str, form: str, name: str = "alice") -> None:
        """Mark a stored form in error."""
        with self.app.app_context():
            user = self.user(name)
            place = finding.place(user, subject, event, form, 1)
            with Change(
                by=user, action="mark in error", reason="wrong person", subject=place.subject, chain="small"
            ) as c:
                entering.mark_in_error(c, place)

    def protect(self, thing: type[Any], state: str, **where: Any) -> None:
        """Freeze or lock stored things."""
        with self.app.app_context(), Change(by=System("tests"), action="lock", chain="small"):
            for found in db.session.scalars(select(thing).filter_by(**where)):
                found.protection = state


ROLE_OF = {name: role for name, (_full, role, _site) in (PEOPLE | MORE).items()}
