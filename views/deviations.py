"""Protocol deviations: the list, settling what was proposed, the investigator's acknowledgement, and the list as a file."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from design.definitions import StudyDef
from models import Deviation, User
from models.change import Change
from views.addresses import page_asked
from views.board import event_name, form_address
from views.guard import guard, signed_in_user
from views.shell import language
from workflows import access, deviating, deviation_list, finding
from workflows.deviation_list import Listed
from workflows.refusals import Invalid, Refusal

blueprint = Blueprint("deviations", __name__, url_prefix="/deviations")
PAGE = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("")
@guard(action="view deviations")
def index() -> ResponseReturnValue:
    """What the data propose and what became of it, newest first."""
    user, page = signed_in_user(), page_asked()
    asked = _asked()
    rows, more = deviation_list.page(user, page, PAGE, **asked)
    return render_template(
        "deviations/index.html",
        rows=[_line(user, row) for row in rows],
        page=page,
        more=more,
        asked=asked,
        sites=finding.sites(user, "view deviations"),
        statuses=_words(),
    )


def _asked() -> dict[str, str]:
    return {name: request.args.get(name, "").strip()[:100] for name in ("status", "site", "words")}


def _words() -> dict[str, str]:
    return {
        "proposed": _("proposed"),
        "recorded": _("recorded, to be acknowledged"),
        "acknowledged": _("acknowledged"),
        "dismissed": _("dismissed"),
        "withdrawn": _("withdrawn, the cause was corrected"),
    }


def _line(user: User, listed: Listed) -> dict[str, Any]:
    deviation, subject, event = listed.deviation, listed.subject, listed.event
    study = finding.design_for(subject.site)
    at, status = deviation.site_id, deviation.status
    return {
        "deviation": deviation,
        "subject": subject,
        "term": deviation.term_zh if language() == "zh" else deviation.term_en,
        "visit": event_name(study.events.get(event.event_id), event) if event else "",
        "status": listed.status,
        "judged": [word for word in listed.judged(language()) if word],
        "may_settle": status == "proposed" and access.may(user, "record deviation", at=at),
        "may_acknowledge": status == "recorded"
        and deviation.acknowledged_at is None
        and access.may(user, "acknowledge deviation", at=at),
    }


@blueprint.get("/<int:deviation_id>")
@guard(action="view deviations")
def show(deviation_id: int) -> ResponseReturnValue:
    """One deviation: what happened, and the way to record or dismiss it."""
    user = signed_in_user()
    return _show(user, deviation_list.one(user, deviation_id))


def _show(user: User, listed: Listed, typed: dict[str, str] | None = None) -> str:
    deviation, subject = listed.deviation, listed.subject
    study, line = finding.design_for(subject.site), _line(user, listed)
    term, day = (line["term"], deviation.occurred) if typed is None else (typed["term"], typed["day"])
    return render_template(
        "deviations/show.html",
        line=line,
        deviation=deviation,
        subject=subject,
        statuses=_words(),
        names=study.deviations is not None,
        categories=_options(study, "category"),
        severities=_options(study, "severity"),
        typed=typed or {},
        term=term,
        day=day,
        source=_form_link(deviation.source_form_data_id),
        record=_form_link(deviation.form_data_id),
    )


def _options(study: StudyDef, part: str) -> dict[str, str]:
    """The codes of the item that the study names for a part of a deviation."""
    if study.deviations is None:
        return {}
    item = study.items[getattr(study.deviations, part)]
    return {code: label.text(language()) for code, label in study.options_for(item).items()}


def _form_link(form_data_id: int | None) -> str:
    if form_data_id is None:
        return ""
    data = finding.form_data(signed_in_user(), form_data_id)
    return form_address(data.subject, data.study_event, data.form_id, data.repeat)


@blueprint.post("/<int:deviation_id>/record")
@guard(action="record deviation")
def record(deviation_id: int) -> ResponseReturnValue:
    """Write it into the study's deviation form."""
    given = {name: request.form.get(name, "").strip() for name in ("category", "severity", "term", "day")}

    def act(change: Change, deviation: Deviation) -> None:
        deviating.record(change, deviation, given["category"], given["severity"], given["term"], given["day"])

    return _settle(deviation_id, "record deviation", act, given)


@blueprint.post("/<int:deviation_id>/dismiss")
@guard(action="record deviation")
def dismiss(deviation_id: int) -> ResponseReturnValue:
    """Say that it is none, and why."""
    return _settle(deviation_id, "dismiss deviation", deviating.dismiss)


@blueprint.post("/<int:deviation_id>/acknowledge")
@guard(action="acknowledge deviation")
def acknowledge(deviation_id: int) -> ResponseReturnValue:
    """The investigator has seen it."""
    return _settle(deviation_id, "acknowledge deviation", deviating.acknowledge)


def _settle(deviation_id: int, action: str, act: Any, typed: dict[str, str] | None = None) -> ResponseReturnValue:
    user = signed_in_user()
    listed = deviation_list.one(user, deviation_id)
    deviation, subject = listed.deviation, listed.subject
    reason = request.form.get("reason")
    try:
        with Change(by=user, action=action, reason=reason, subject=subject, chain=finding.study().oid) as change:
            act(change, deviation)
        flash(_("Done. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    except Invalid as refusal:
        sentences = [found.label.text(language()) for found in refusal.findings]
        flash(" ".join([refusal.text(language()), *sentences]), "error")
        return _show(user, deviation_list.one(user, deviation_id), typed), refusal.status
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _show(user, deviation_list.one(user, deviation_id), typed), refusal.status
    return redirect(url_for(".show", deviation_id=deviation_id), 303)


@blueprint.get("/file")
@guard(action="view deviations")
def file() -> ResponseReturnValue:
    """The list as CSV or XLSX; fetching it is recorded."""
    user, kind = signed_in_user(), request.args.get("format", "csv")
    if kind not in ("csv", "xlsx"):
        abort(404)
    content = deviation_list.fetch(user, kind, **_asked())
    answer = Response(content, mimetype="text/csv" if kind == "csv" else XLSX)
    answer.headers["Content-Disposition"] = f"attachment; filename=deviations.{kind}"
    return answer
