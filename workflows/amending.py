"""Moving forms that are there already to a later study version, while people keep working.

One change per participant, under her lock, by the person who runs it; what is computed anew is the system's. What was
moved points at the later version, so a run that was interrupted is simply started again. Somebody who had a form open
gets the usual refusal of a save against an earlier revision, and nothing she typed is lost. Frozen and locked forms
stay where they are and are listed.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import func, select

from design import answers as documents
from design.definitions import StudyDef
from models import AmendmentRun, FormData, Query, Review, Site, StudyVersion, Subject, User, db
from models.change import Change
from models.clock import now, today
from workflows import (
    access,
    amendment_plan,
    check_queries,
    enrolling,
    entering,
    finding,
    proposing,
    scheduling,
    signatures,
    verifying,
)  # fmt: skip
from workflows.amendment_plan import Move, Plan, Route
from workflows.amendment_report import Report
from workflows.querying import lock_subjects
from workflows.refusals import Refusal

Progress = Callable[[int, int], None]


class _MovedAlready(Exception):
    """Another run was quicker; there is nothing to write."""


def version(number: int) -> StudyVersion:
    """A published version by its number.

    Raises:
        Refusal: there is none.
    """
    for found in finding.versions():
        if found.number == number:
            return found
    raise Refusal("no-version", number=number)


def dry_run(site: Site, target: StudyDef) -> Report:
    """What a run would do to the data of a site as they are now. Writes nothing; the target need not be published."""
    route, report = Route(target), Report()
    for subject_id in _subjects(site, target.version):
        report.add(amendment_plan.plan(db.session.get_one(Subject, subject_id), route))
    return report


def run(user: User, site: Site, to: StudyVersion, reason: str, progress: Progress | None = None) -> AmendmentRun:
    """Move every form of a site to a version that is active there, or go on where an earlier run stopped.

    Raises:
        Forbidden: the role may not amend at this site.
        Refusal: no reason; the version is not active at the site.
    """
    study, site_id, version_id = finding.study(), site.id, to.id
    started = _start(user, site, to, reason)
    run_id, total = started.id, started.total
    for subject_id in _subjects(db.session.get_one(Site, site_id), finding.design(version_id).version):
        with suppress(_MovedAlready):
            _move_one(user, subject_id, site_id, version_id, run_id, reason, study.oid)
        if progress is not None:
            progress(db.session.get_one(AmendmentRun, run_id).moved, total)
    with suppress(_MovedAlready):
        _finish(user, site_id, version_id, run_id, study.oid)
    return db.session.get_one(AmendmentRun, run_id)


def _finish(user: User, site_id: int, version_id: int, run_id: int, chain: str) -> None:
    with Change(by=user, action="finish amendment", site=site_id, chain=chain) as change:
        access.require(change, "amend", at=site_id)
        done = _locked(run_id)
        if done.status == "finished":
            raise _MovedAlready
        report = Report.of(done.report) if done.report else Report()
        report.left_out = dry_run(db.session.get_one(Site, site_id), finding.design(version_id)).left_out
        done.report = report.as_dict()
        done.status, done.finished_at = "finished", now()
        change.about = f"amendment_run/{run_id}"


def _locked(run_id: int) -> AmendmentRun:
    """A run, behind whoever writes it: two that move forms of one site share it."""
    selection = select(AmendmentRun).where(AmendmentRun.id == run_id).with_for_update()
    return db.session.scalars(selection.execution_options(populate_existing=True)).one()


def refuse_run(user: User, site: Site, to: StudyVersion, reason: str) -> None:
    """The refusals of `run`, before it is begun in the background.

    Raises:
        Forbidden, Refusal: as `run`.
    """
    access.require(user, "amend", at=site.id)
    _refuse(site, to, reason)


def _refuse(site: Site, to: StudyVersion, reason: str) -> None:
    if len(reason.strip()) < 3:
        raise Refusal("bad-reason")
    if site.version_id != to.id:
        raise Refusal("version-inactive", site=site.code, number=to.number)


def _subjects(site: Site, number: int) -> list[int]:
    """Who has forms under a version before this one: all that a run, or one that goes on, has to look at."""
    earlier = select(FormData.id).join(StudyVersion, StudyVersion.id == FormData.version_id)
    earlier = earlier.where(FormData.subject_id == Subject.id, StudyVersion.number < number)
    selection = select(Subject.id).where(Subject.site_id == site.id, earlier.exists())
    return list(db.session.scalars(selection.order_by(Subject.id)))


def _start(user: User, site: Site, to: StudyVersion, reason: str) -> AmendmentRun:
    site_id, version_id, chain = site.id, to.id, finding.study().oid
    with Change(by=user, action="start amendment", reason=reason, site=site_id, chain=chain) as change:
        access.require(change, "amend", at=site_id)
        # Two who start at once: the second finds the run of the first, and helps.
        db.session.scalars(select(Site).where(Site.id == site_id).with_for_update()).one()
        _refuse(db.session.get_one(Site, site_id), db.session.get_one(StudyVersion, version_id), reason)
        held = select(AmendmentRun).where(AmendmentRun.site_id == site_id, AmendmentRun.to_version_id == version_id)
        found = db.session.scalars(held.where(AmendmentRun.status == "running")).first()
        waiting = _to_move(site_id, version_id)
        if found is None:
            earliest = min((each.version_id for each in waiting), default=version_id)
            found = AmendmentRun(
                site_id=site_id,
                from_version_id=earliest,
                to_version_id=version_id,
                status="running",
                moved=0,
                total=len(waiting),
                report={},
                started_at=now(),
                started_by=entering.saver(change),
            )
            db.session.add(found)
            db.session.flush()
        change.about = f"amendment_run/{found.id}"
    return found


def _to_move(site_id: int, version_id: int) -> list[Any]:
    number = select(StudyVersion.number).where(StudyVersion.id == version_id).scalar_subquery()
    selection = select(FormData.id, FormData.version_id).join(Subject, Subject.id == FormData.subject_id)
    selection = selection.join(StudyVersion, StudyVersion.id == FormData.version_id)
    selection = selection.where(Subject.site_id == site_id, StudyVersion.number < number)
    return list(db.session.execute(selection.where(FormData.protection == "open")))


def waiting(site: Site) -> int:
    """How many forms of a site are answered under an earlier version than the site works under."""
    selection = select(func.count()).select_from(FormData).join(Subject, Subject.id == FormData.subject_id)
    number = select(StudyVersion.number).where(StudyVersion.id == site.version_id).scalar_subquery()
    selection = selection.join(StudyVersion, StudyVersion.id == FormData.version_id)
    return db.session.scalar(selection.where(Subject.site_id == site.id, StudyVersion.number < number)) or 0


def runs(site: Site) -> list[AmendmentRun]:
    """The runs of a site, newest first."""
    selection = select(AmendmentRun).where(AmendmentRun.site_id == site.id).order_by(AmendmentRun.id.desc())
    return list(db.session.scalars(selection.execution_options(populate_existing=True)))


def _move_one(user: User, subject_id: int, site_id: int, version_id: int, run_id: int, reason: str, chain: str) -> None:
    """Move one participant's forms. Planned without a lock first: most of a resumed run has nothing to do."""
    target = finding.design(version_id)
    route = Route(target)
    if not amendment_plan.plan(db.session.get_one(Subject, subject_id), route).moving:
        return
    with Change(by=user, action="amend", reason=reason, subject=subject_id, site=site_id, chain=chain) as change:
        access.require(change, "amend", at=site_id)
        change.about = f"subject/{subject_id}"
        lock_subjects([subject_id])
        subject = db.session.get_one(Subject, subject_id, populate_existing=True)
        db.session.refresh(subject, ["events"])
        plan = amendment_plan.plan(subject, route)
        if not plan.moving:
            raise _MovedAlready
        going = _locked(run_id)
        report = Report.of(going.report) if going.report else Report()
        counted = Report()
        counted.add(plan)  # before anything is written: what was is compared with what will be
        broken, marks = _carry_out(change, plan, target, version_id)
        counted.signatures, counted.marks, counted.left_out = broken, marks, []
        going.report, going.moved = _sum(report, counted).as_dict(), going.moved + len(plan.moving)
        change.detail |= {"run": run_id, "forms": len(plan.moving), "signatures": broken, "marks": marks}


def _sum(report: Report, more: Report) -> Report:
    return Report(**{name: value + getattr(more, name) for name, value in vars(report).items()})


def _carry_out(change: Change, plan: Plan, target: StudyDef, version_id: int) -> tuple[int, int]:
    """Write the plan; how many signatures broke and verification marks went."""
    changed: dict[int, list[str]] = {}
    written = [move for move in plan.moves if move.does_something]
    unsettled = {move.data.id: move.unsettled for move in written}
    breaking = {move.data.id: move.breaking for move in written}
    for move in written:
        changed[move.data.id] = move.changed
        _write(change, move, version_id)
    db.session.flush()
    _schedule(change, plan, target)
    broken = marks = 0
    for move in written:
        _carry_marks(change, move)
        marks += len(verifying.withdraw(change, move.data, unsettled[move.data.id]))
        broken += len(signatures.break_signatures(change, move.data, breaking[move.data.id]))
    _readdress_queries(plan)
    forms = [move.data for move in written]
    check_queries.follow(change, plan.subject, forms, changed)
    proposing.follow(change, plan.subject, forms)
    return broken, marks


def _write(change: Change, move: Move, version_id: int) -> None:
    data = move.data
    change.derived_paths.update(f"form_data/{data.id}/answers/{path}" for path in move.derived)
    if move.answers != data.answers:
        data.answers = move.answers
    if move.findings != data.findings:
        data.findings = move.findings
    if move.entry != data.entry:
        data.entry = move.entry
    data.version_id = version_id
    data.revision += 1
    data.saved_at, data.saved_by = now(), entering.saver(change)


def _carry_marks(change: Change, move: Move) -> None:
    if not move.converted.moved:
        return
    review = db.session.scalars(select(Review).where(Review.form_data_id == move.data.id)).first()
    if review is None or not review.verified:
        return
    after = amendment_plan.marks_after(move, review)
    if after != review.verified:
        paths = [path for path, _, _ in documents.diff(review.verified, after)]
        review.verified = after
        change.derived_paths.update(f"review/{review.id}/verified/{path}" for path in paths)


def _schedule(change: Change, plan: Plan, target: StudyDef) -> None:
    """Visits, windows and status as the later version has them."""
    subject = plan.subject
    scheduling.add_logs(subject, target)
    status = enrolling.status_by_rules(target, plan.record, today(subject.site.timezone))
    if subject.status != status:
        subject.status = status
    scheduling.refresh(change, subject, target, plan.record)


def _readdress_queries(plan: Plan) -> None:
    """Queries on answers that moved follow them; those on what is no longer asked stay as they are."""
    moved = {
        (move.data.study_event_id, move.data.form_id, move.data.repeat): move.converted.moved
        for move in plan.moving
        if move.converted.moved
    }
    if not moved:
        return
    for query in db.session.scalars(select(Query).where(Query.subject_id == plan.subject.id)):
        to = moved.get((query.study_event_id or 0, query.form_id or "", query.repeat or 1), {})
        paths = [to.get(path, path) for path in query.paths]
        if paths != query.paths:
            query.paths = paths
