"""Long work outside the request: a thread of the server does it, the page shows how far it is.

The row in the database is all that the pages know, so progress is seen by any worker and after the browser was closed.
A job whose server stopped gives no sign of life any more; it is shown as interrupted and can be started again. Files
appear under their final name only when they are whole.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy import select

from models import Job, User, db
from models.clock import now
from workflows.refusals import NotFound, Refusal

SILENCE = timedelta(minutes=5)  # longer than any step between two signs of life
SHOWN = 20
_AT_ONCE = threading.BoundedSemaphore(1)  # long work never takes more than one processor from those who save
log = logging.getLogger(__name__)

Work = Callable[[User, Job, Path, Callable[[int, int], None]], None]


def folder() -> Path:
    """Where the files of jobs are kept."""
    path = Path(current_app.config["SETTINGS"].instance_dir) / "jobs"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def start(user: User, kind: str, parameters: dict[str, object], work: Work, suffix: str) -> Job:
    """Begin work in the background; `work` gets the person, the job, the path to write and a way to tell progress.

    Raises:
        Refusal: the same work of this person is going on already.
    """
    for other in of(user):
        if other.kind == kind and other.parameters == parameters and is_running(other):
            raise Refusal("job-running")
    job = Job(kind=kind, user_id=user.id, parameters=parameters, started_at=now(), beat_at=now())
    db.session.add(job)
    db.session.commit()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_run, args=(app, job.id, user.id, work, suffix), daemon=True, name=f"job-{job.id}")
    thread.start()
    return job


def _run(app: Flask, job_id: int, user_id: int, work: Work, suffix: str) -> None:
    with app.app_context(), _AT_ONCE:
        job, user = db.session.get_one(Job, job_id), db.session.get_one(User, user_id)
        name = f"{job.kind}-{job.id}{suffix}"
        try:
            work(user, job, folder() / name, lambda done, total: _beat(job_id, done, total))
            _finish(job_id, "done", name)
        except Exception:
            db.session.rollback()
            log.exception("job %s failed", job_id)
            _finish(job_id, "failed", None)


def _beat(job_id: int, done: int, total: int) -> None:
    job = db.session.get_one(Job, job_id)
    job.done, job.total, job.beat_at = done, total, now()
    db.session.commit()


def _finish(job_id: int, status: str, file_name: str | None) -> None:
    job = db.session.get_one(Job, job_id)
    job.status, job.file_name, job.beat_at = status, file_name, now()
    db.session.commit()


def of(user: User, kind: str | None = None) -> list[Job]:
    """The person's own jobs, newest first."""
    selection = select(Job).where(Job.user_id == user.id).order_by(Job.id.desc()).limit(SHOWN)
    if kind is not None:
        selection = selection.where(Job.kind == kind)
    return list(db.session.scalars(selection.execution_options(populate_existing=True)))


def is_running(job: Job) -> bool:
    """Whether it still gives signs of life."""
    return job.status == "running" and now() - job.beat_at < SILENCE


def state(job: Job) -> str:
    """running, done, failed, or interrupted when its server stopped."""
    return job.status if job.status != "running" or is_running(job) else "interrupted"


def find(user: User, job_id: int) -> Job:
    """One of the person's own jobs.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    job = db.session.get(Job, job_id, populate_existing=True)
    if job is None or job.user_id != user.id:
        raise NotFound
    return job


def file_of(job: Job) -> Path:
    """The finished file.

    Raises:
        NotFound: not finished, or no longer there.
    """
    path = folder() / Path(job.file_name or "-").name
    if job.status != "done" or not path.is_file():
        raise NotFound
    return path
