"""Our application on a database of the benchmark study: nurses, participants, forms."""

import tempfile
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select, update

from app import create_app
from benchmarks import design
from models import FormData, StudyEvent, Subject, User, db
from models.change import Change, System
from models.clock import now, today
from settings import Settings
from workflows import enrolling, entering, finding, granting, publishing

PASSWORD = "quiet river 42 lanterns"
NURSES, FEW = 8, 42
CONSENTED = {"ICF": {"1": {"CONSDAT": "2026-01-05"}}}


def settings_for(url: str, folder: Path) -> Settings:
    """Settings of a benchmark's server."""
    return Settings(
        database_url=url,
        secret_key="for benchmarks only",
        mode="test",
        instance_dir=folder,
        session_cookie_secure=False,
    )


def build(url: str, folder: Path, participants: int, full: int) -> Flask:
    """A study in which `full` participants have all 40 forms and the others one; the first 8 came by the workflows.

    Without any `full` participant nobody has a form of 40 items: then the trail and the tables agree.
    """
    app = create_app(settings_for(url, folder))
    with app.app_context():
        db.create_all()
        _publish()
        with Change(by=System("benchmark"), action="create user", chain="system") as change:
            for number in range(1, NURSES + 1):
                user = granting.create_user(change, f"nurse{number}", f"Nurse {number}", PASSWORD, "en")
                granting.grant(change, user, "nurse", finding.study().sites[0])
        for _ in range(NURSES):
            _screen()
        _copy(participants)
        if full:
            _fill(full)
        db.session.remove()
        db.engine.dispose()
    return app


def _publish() -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "crf" / "bench" / "v1"
        for file, text in design.files().items():
            (home / file).parent.mkdir(parents=True, exist_ok=True)
            (home / file).write_text(text, encoding="utf-8")
        publishing.seal(home)
        with Change(by=System("benchmark"), action="publish", chain="bench") as change:
            publishing.publish(change, home)


def _screen() -> None:
    site = finding.study().sites[0]
    nurse = db.session.scalars(select(User).where(User.username == "nurse1")).one()
    with Change(by=nurse, action="screen", site=site, chain="bench") as change:
        subject_id = enrolling.screen(change, site).id
    place = finding.place(nurse, subject_id, "SCR", "ICF", 1)
    with Change(by=nurse, action="save form", subject=place.subject, chain="bench") as change:
        entering.save_form(change, place, CONSENTED, None)


def _rows(model: Any, subject_id: int) -> list[dict[str, Any]]:
    table = model.__table__
    key = table.c.id if model is Subject else table.c.subject_id
    with db.engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table).where(key == subject_id)).mappings()]


def _copy(participants: int) -> None:
    """More participants like the last one, straight into the tables."""
    last = db.session.scalar(select(func.max(Subject.id))) or 0
    (subject,), events, forms = _rows(Subject, last), _rows(StudyEvent, last), _rows(FormData, last)
    highest = db.session.scalar(select(func.max(StudyEvent.id))) or 0
    first_form = db.session.scalar(select(func.max(FormData.id))) or 0
    db.session.remove()
    made: dict[Any, list[dict[str, Any]]] = {Subject: [], StudyEvent: [], FormData: []}
    for number in range(last + 1, participants + 1):
        made[Subject].append({**subject, "id": number, "screening_number": f"01-S{number:05}"})
        keys = {}
        for row in events:
            highest += 1
            keys[row["id"]] = highest
            made[StudyEvent].append({**row, "id": highest, "subject_id": number})
        for row in forms:
            first_form += 1
            event_id = keys[row["study_event_id"]]
            made[FormData].append({**row, "id": first_form, "subject_id": number, "study_event_id": event_id})
    _insert(made)


def _fill(full: int) -> None:
    """The form of 40 items, in every visit of the first `full` participants and in the first visit of the others.

    Visits of the past took place as planned; every twentieth participant has missed hers.
    """
    table = StudyEvent.__table__
    with db.engine.connect() as connection:
        where = table.c.event_id.like("V%") & ((table.c.subject_id <= full) | (table.c.event_id == "V01"))
        events = connection.execute(select(table.c.id, table.c.subject_id).where(where)).all()
        number = connection.execute(select(func.max(FormData.id))).scalar_one()
    rest = {"form_id": "BIG", "repeat": 1, "version_id": 1, "entry": "complete", "protection": "open", "in_error": None}
    rest |= {"findings": [], "overrides": {}, "revision": 1, "saved_at": now(), "saved_by": "Nurse 1"}
    rows = [
        {"id": number + n, "subject_id": subject, "study_event_id": event, "answers": design.document(n), **rest}
        for n, (event, subject) in enumerate(events, start=1)
    ]
    _insert({FormData: rows})
    took_place = (table.c.closes < today()) & (table.c.subject_id % 20 != 0)
    with db.engine.begin() as connection:
        connection.execute(update(table).where(took_place).values(state="done", visit_date=table.c.target))


def _insert(made: dict[Any, list[dict[str, Any]]]) -> None:
    with db.engine.begin() as connection:
        for model, rows in made.items():
            if rows:
                connection.execute(insert(model.__table__), rows)
        if connection.dialect.name == "postgresql":
            for model in made:
                name = model.__tablename__
                top = f"setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                connection.exec_driver_sql(f"SELECT {top}")
        connection.exec_driver_sql("ANALYZE")
