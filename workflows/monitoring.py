"""Monitoring visits: opened, worked in, finished with a report that is computed once and no longer changes.

While a visit is open, the marks and queries that its monitor makes at its site carry its number. The report is data in
both languages; pages and files write it out.
"""

from datetime import date
from typing import Any

from sqlalchemy import Text, func, select, type_coerce

from design.definitions import Label, StudyDef
from models import (
    Change,
    ChangeEntries,
    FormData,
    MonitoringVisit,
    Query,
    QueryMessage,
    Review,
    Site,
    StudyEvent,
    Subject,
    User,
    db,
)
from models.clock import now
from workflows import access, finding, planning_verification
from workflows.refusals import NotFound, Refusal

KINDS: dict[str, tuple[str, str]] = {
    "on_site": ("On site", "现场监查"),
    "remote": ("Remote", "远程监查"),
    "close_out": ("Close-out", "关闭访视"),
}
LONGEST = 8000
STILL_ASKED = ("open", "answered")
Names = dict[str, str]  # the same words in both languages: {"en": …, "zh": …}


def open_visit_of(user: User, site_id: int) -> MonitoringVisit | None:
    """The visit that this monitor has open at a site: what she marks and asks there belongs to it."""
    selection = select(MonitoringVisit).where(
        MonitoringVisit.site_id == site_id, MonitoringVisit.monitor_id == user.id, MonitoringVisit.status == "open"
    )
    return db.session.scalars(selection.order_by(MonitoringVisit.id)).first()


def list_visits(user: User) -> list[MonitoringVisit]:
    """The visits at the user's sites, newest first."""
    allowed = access.sites_for(user, "view reviews")
    selection = select(MonitoringVisit).order_by(MonitoringVisit.starts_on.desc(), MonitoringVisit.id.desc())
    return list(db.session.scalars(selection if allowed is None else selection.where(_at(allowed))))


def _at(site_ids: set[int]) -> Any:
    return MonitoringVisit.site_id.in_(site_ids)


def find_visit(user: User, visit_id: int) -> MonitoringVisit:
    """One visit at the user's sites, or `NotFound`."""
    allowed = access.sites_for(user, "view reviews")
    found = db.session.get(MonitoringVisit, visit_id)
    if found is None or (allowed is not None and found.site_id not in allowed):
        raise NotFound
    return found


def open_visit(change: Change, site: Site, kind: str, starts_on: date) -> MonitoringVisit:
    """Begin a visit.

    Raises:
        Forbidden: the role keeps no visits here. Refusal: unknown kind; the same monitor has one open at the site.
    """
    access.require(change, "monitor site", at=site)
    if kind not in KINDS or not isinstance(change.by, User):
        raise Refusal("invalid")
    db.session.scalars(select(Site).where(Site.id == site.id).with_for_update()).one()
    if open_visit_of(change.by, site.id) is not None:
        raise Refusal("visit-open")
    visit = MonitoringVisit(
        site_id=site.id,
        kind=kind,
        status="open",
        starts_on=starts_on,
        monitor_id=change.by.id,
        monitor_name=change.by.full_name,
        present="",
        summary="",
        actions="",
        opened_at=now(),
    )
    db.session.add(visit)
    db.session.flush()
    change.about = f"monitoring_visit/{visit.id}"
    return visit


def note(change: Change, visit: MonitoringVisit, present: str, summary: str, actions: str) -> None:
    """Keep who was present, what was seen and what is to be done, while the visit is open.

    Raises:
        Forbidden, Refusal: who may not; another monitor's visit; finished; too long.
    """
    _require_own_open(change, visit)
    texts = [text.strip() for text in (present, summary, actions)]
    if any(len(text) > LONGEST for text in texts):
        raise Refusal("visit-words", limit=LONGEST)
    visit.present, visit.summary, visit.actions = texts
    change.about = f"monitoring_visit/{visit.id}"


def finish(change: Change, visit: MonitoringVisit, ends_on: date) -> None:
    """End a visit: compute its report and keep it.

    Raises:
        Forbidden, Refusal: who may not; another monitor's visit; finished already; no summary; ends before it starts.
    """
    _require_own_open(change, visit)
    if not visit.summary or not visit.present:
        raise Refusal("visit-summary")
    if ends_on < visit.starts_on:
        raise Refusal("visit-dates")
    visit.ends_on, visit.finished_at, visit.status = ends_on, now(), "finished"
    visit.report = report_of(visit)
    change.about = f"monitoring_visit/{visit.id}"


def _require_own_open(change: Change, visit: MonitoringVisit) -> None:
    access.require(change, "monitor site", at=visit.site_id)
    selection = select(MonitoringVisit).where(MonitoringVisit.id == visit.id).with_for_update()
    db.session.scalars(selection.execution_options(populate_existing=True)).one()
    if not isinstance(change.by, User) or visit.monitor_id != change.by.id:
        raise Refusal("visit-not-yours")
    if visit.status != "open":
        raise Refusal("visit-finished")


def report_of(visit: MonitoringVisit) -> dict[str, Any]:
    """What was done at a visit, as it stands now. Which forms were only looked at is not recorded anywhere."""
    marked = _marked(visit)
    kept = _kept(visit)
    forms = [_form_line(row, marked[row.id], kept.get(row.id, set())) for row in _forms(list(marked))]
    asked = planning_verification.Tally()
    for tally in planning_verification.progress([visit.site]).values():
        asked.add(tally)
    return {
        "site": {"code": visit.site.code, "en": visit.site.name_en, "zh": visit.site.name_zh},
        "verified": {
            "forms": sum(line["items"] > line["withdrawn"] for line in forms),
            "items": sum(line["items"] for line in forms),
            "withdrawn": sum(line["withdrawn"] for line in forms),
            "participants": len({line["participant"] for line in forms}),
            "list": forms,
        },
        "plan": {"asked": asked.asked, "verified": asked.verified},
        "queries": _queries(visit),
    }


def _marked(visit: MonitoringVisit) -> dict[int, set[str]]:
    """The items that got a mark at this visit, by form, as the trail tells: also those that lost it since."""
    selection = (
        select(ChangeEntries.entries)
        .join(Change, Change.id == ChangeEntries.change_id)
        .where(Change.site_id == visit.site_id, Change.user_id == visit.monitor_id, Change.at >= visit.opened_at)
        .where(type_coerce(ChangeEntries.entries, Text).contains("/verified/"))
        .order_by(Change.id)
    )
    by_review: dict[int, set[str]] = {}
    for entries in db.session.scalars(selection):
        for entry in entries:
            table, key, column, *path = entry["path"].split("/")
            new = entry["new"]
            if (table, column) == ("review", "verified") and isinstance(new, dict) and new.get("visit") == visit.id:
                by_review.setdefault(int(key), set()).add("/".join(path))
    forms = select(Review.id, Review.form_data_id).where(Review.id.in_(list(by_review)))
    return {form_id: by_review[review_id] for review_id, form_id in db.session.execute(forms)}


def _kept(visit: MonitoringVisit) -> dict[int, set[str]]:
    """The marks of this visit that are there now, by form."""
    selection = (
        select(Review.form_data_id, Review.verified)
        .join(Subject, Subject.id == Review.subject_id)
        .where(Subject.site_id == visit.site_id)
        .where(type_coerce(Review.verified, Text).contains(f'"visit":{visit.id}}}'))
    )
    return {
        form_id: {
            f"{group}/{row}/{item}"
            for group, rows in marks.items()
            for row, cells in rows.items()
            for item, mark in cells.items()
            if mark.get("visit") == visit.id
        }
        for form_id, marks in db.session.execute(selection)
    }


def _forms(form_data_ids: list[int]) -> list[Any]:
    columns = (FormData.id, FormData.form_id, FormData.repeat, FormData.version_id, StudyEvent.event_id)
    selection = (
        select(*columns, StudyEvent.repeat.label("event_repeat"), Subject.number, Subject.screening_number)
        .join(Subject, Subject.id == FormData.subject_id)
        .join(StudyEvent, StudyEvent.id == FormData.study_event_id)
        .where(FormData.id.in_(form_data_ids))
        .order_by(Subject.screening_number, StudyEvent.position, FormData.form_id, FormData.repeat)
    )
    return list(db.session.execute(selection))


def _form_line(row: Any, marked: set[str], kept: set[str]) -> dict[str, Any]:
    study = finding.design(row.version_id)
    definition, form = study.events.get(row.event_id), study.forms.get(row.form_id)
    return {
        "participant": row.number or row.screening_number,
        "visit": _names(definition.label if definition else None, row.event_id, _number(study, row)),
        "form": _names(form.label if form else None, row.form_id, row.repeat if form and form.repeats else 0),
        "items": len(marked),
        "withdrawn": len(marked - kept),
    }


def _number(study: StudyDef, row: Any) -> int:
    definition = study.events.get(row.event_id)
    return row.event_repeat if definition and definition.kind in ("repeating", "unscheduled") else 0


def _names(label: Label | None, otherwise: str, number: int = 0) -> Names:
    """Words in both languages, with a number where there are several."""
    end = f" {number}" if number else ""
    return {tongue: (label.text(tongue) if label else otherwise) + end for tongue in ("en", "zh")}


def _queries(visit: MonitoringVisit) -> dict[str, Any]:
    """Raised at the visit, closed by the monitor meanwhile, and what is still asked at the site."""
    asked = select(Query).where(Query.visit_id == visit.id).order_by(Query.id)
    labels = select(Query.id, Subject.number, Subject.screening_number).join(Subject, Subject.id == Query.subject_id)
    names = {row[0]: row[1] or row[2] for row in db.session.execute(labels.where(Query.visit_id == visit.id))}
    opened = select(QueryMessage.query_id, QueryMessage.text).join(Query, Query.id == QueryMessage.query_id)
    opened = opened.where(Query.visit_id == visit.id, QueryMessage.act == "opened")
    texts = {row[0]: row[1] for row in db.session.execute(opened)}
    raised = [
        {"id": query.id, "participant": names[query.id], "text": texts.get(query.id, ""), "status": query.status}
        for query in db.session.scalars(asked)
    ]
    closed = (
        select(func.count(QueryMessage.query_id.distinct()))
        .join(Query, Query.id == QueryMessage.query_id)
        .where(Query.site_id == visit.site_id, QueryMessage.act == "closed")
        .where(QueryMessage.by_id == visit.monitor_id, QueryMessage.at >= visit.opened_at)
    )
    still = select(Query.status, func.count()).where(Query.site_id == visit.site_id, Query.status.in_(STILL_ASKED))
    counts = {row[0]: row[1] for row in db.session.execute(still.group_by(Query.status))}
    return {
        "raised": raised,
        "closed": db.session.scalar(closed) or 0,
        "open": counts.get("open", 0),
        "answered": counts.get("answered", 0),
    }
