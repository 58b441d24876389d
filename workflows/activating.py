"""From which day a site works under a later study version: after its own ethics committee approved it (ACC-11).

New forms are answered under the version from that day; forms already there stay under theirs until they are moved
(`workflows.amending`). An activation for a later day waits and comes into force with the nightly run.
"""

from datetime import date

from sqlalchemy import select

from models import Activation, Site, StudyVersion, Subject, User, db
from models.change import Change, System
from models.clock import now, today
from workflows import access, entering, finding, recording, scheduling, states
from workflows.querying import lock_subjects
from workflows.refusals import Refusal

ACTOR = System("activation")


def activate(change: Change, site: Site, version: StudyVersion, from_date: date | None, approval: str) -> Activation:
    """Say from which day a site works under a published version, and by which approval.

    Raises:
        Forbidden: the role may not activate versions at this site.
        Refusal: no approval or day; the site works under it, or a later one, or that was said already.
    """
    access.require(change, "activate version", at=site.id)
    if from_date is None or len(approval.strip()) < 3:
        raise Refusal("approval-needed")
    locked = select(Site).where(Site.id == site.id).with_for_update().execution_options(populate_existing=True)
    site = db.session.scalars(locked).one()
    same = select(Activation.id).where(Activation.site_id == site.id, Activation.version_id == version.id)
    if version.number <= _number(site) or db.session.scalars(same).first() is not None:
        raise Refusal("version-not-later")
    activation = Activation(
        site_id=site.id,
        version_id=version.id,
        from_date=from_date,
        approval=approval.strip(),
        activated_by=entering.saver(change),
        activated_at=now(),
    )
    db.session.add(activation)
    db.session.flush()
    change.about = f"activation/{activation.id}"
    if from_date <= today(site.timezone):
        site.version_id = version.id
    return activation


def _number(site: Site) -> int:
    return db.session.get_one(StudyVersion, site.version_id).number


def come_into_force() -> list[Activation]:
    """Let the activations whose day has come take effect, and bring every schedule in line; for the night.

    A second run changes nothing.
    """
    done = []
    study = finding.study()
    for activation in db.session.scalars(select(Activation).order_by(Activation.from_date, Activation.id)).all():
        site, version = activation.site, db.session.get_one(StudyVersion, activation.version_id)
        if version.number > _number(site) and activation.from_date <= today(site.timezone):
            key, about = activation.id, f"site/{site.id}"
            with Change(by=ACTOR, action="activate version", site=site.id, chain=study.oid, about=about):
                db.session.get_one(Site, site.id).version_id = version.id
            done.append(db.session.get_one(Activation, key))
            spread(ACTOR, site)
    return done


def spread(by: User | System, site: Site) -> int:
    """Give every participant of a site the visits and logs of its version: one change each; how many changed.

    Idempotent: whoever has them already is passed over, so it may be interrupted and started again.
    """
    site_id, chain, changed = site.id, finding.study().oid, 0
    selection = select(Subject.id).where(Subject.site_id == site_id).order_by(Subject.id)
    for subject_id in list(db.session.scalars(selection)):
        subject = db.session.get_one(Subject, subject_id)
        if states.protection_around(subject) != "locked" and _lacks(subject):
            about = f"subject/{subject_id}"
            with Change(
                by=by, action="renew schedule", subject=subject_id, site=site_id, chain=chain, about=about
            ) as c:
                _renew(c, subject_id)
            changed += 1
    return changed


def _lacks(subject: Subject) -> bool:
    """Whether the schedule lacks a visit or log of the site's version."""
    held = {event.event_id for event in subject.events}
    events = finding.design_for(subject.site).events.values()
    return any(each.kind in ("scheduled", "log") and each.id not in held for each in events)


def _renew(change: Change, subject_id: int) -> None:
    lock_subjects([subject_id])
    subject = db.session.get_one(Subject, subject_id)
    db.session.refresh(subject, ["events"])
    study = finding.design_for(subject.site)
    scheduling.add_logs(subject, study)
    scheduling.refresh(change, subject, study, recording.record_of(subject, study))


def activations(site_ids: list[int]) -> list[Activation]:
    """What was said about these sites, newest first."""
    selection = select(Activation).where(Activation.site_id.in_(site_ids))
    return list(db.session.scalars(selection.order_by(Activation.id.desc())))
