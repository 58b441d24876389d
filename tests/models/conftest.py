"""What is stored, tested without pages: an application that has the database and nothing else."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from models import FormData, Site, Study, StudyEvent, StudyVersion, Subject, User, clock, db
from models.change import Change, System
from models.engine import configure_engine
from settings import Settings

SETUP = System("setup")


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """A bare application on the fresh database, with its context open."""
    made = Flask("bare")
    made.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    db.init_app(made)
    with made.app_context():
        configure_engine(db.engine)
        yield made
        db.session.remove()
        db.engine.dispose()


def make_trial() -> dict[str, Any]:
    """A study with a site, a nurse, a participant and one visit, each written in a change of its own chain.
    A study with a site, a nurse, a participant and one visit, each written in a change of its own chain."""
    with Change(by=SETUP, action="publish", chain="trial") as change:
        study = Study(oid="trial", secret="s", current_version_id=None)
        db.session.add(study)
        db.session.flush()
        version = StudyVersion(
            study_id=study.id,
            number=1,
            sha256="0" * 64,
            files={"study.toml": "id = 'trial'"},
            published_at=clock.now(),
        )
        db.session.add(version)
        db.session.flush()
        names = {"name_en": "Centre 1", "name_zh": "中心一", "timezone": "Asia/Shanghai"}
        site = Site(study=study, code="01", version_id=version.id, **names)
        db.session.add(site)
    with Change(by=SETUP, action="create user", chain="system") as change:
        nurse = User(username="nurse", name_key="nurse", full_name="李春梅", password_hash="x", created_at=clock.now())
        db.session.add(nurse)
    with Change(by=nurse, action="screen", chain="trial", site=site) as change:
        subject = Subject(
            study_id=study.id,
            site=site,
            screening_number="01-S001",
            status="screening",
            created_at=clock.now(),
        )
        subject.events.append(StudyEvent(event_id="SCR", position=10))
        db.session.add(subject)
        db.session.flush()
        change.subject_id = subject.id
    return {"study": study, "version": version, "site": site, "nurse": nurse, "subject": subject}


@pytest.fixture
def trial(session: Session) -> dict[str, Any]:
    """The smallest trial in which a form can be stored."""
    return make_trial()


@pytest.fixture
def new_form(trial: dict[str, Any]) -> Callable[..., FormData]:
    """A form of the participant's visit that is not stored yet."""

    def make(answers: dict[str, Any], form_id: str = "VS", repeat: int = 1) -> FormData:
        subject = trial["subject"]
        return FormData(
            subject_id=subject.id,
            study_event_id=subject.events[0].id,
            form_id=form_id,
            repeat=repeat,
            version_id=trial["version"].id,
            answers=answers,
            saved_at=clock.now(),
            saved_by="nurse",
        )

    return make
