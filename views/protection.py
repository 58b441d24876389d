"""Freezing and locking with a preview, unlocking by two, and the checklist before the database lock."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from models import FormData, Site, StudyEvent, Subject, UnlockRequest, User
from models.change import Change
from views.addresses import page_asked, row_number
from views.board import event_name, form_address
from views.guard import guard, signed_in_user
from views.shell import language, study_label
from workflows import access, finding, freezing, lock_checklist
from workflows.freezing import Target
from workflows.lock_checklist import Item
from workflows.refusals import NotFound, Refusal

blueprint = Blueprint("protection", __name__, url_prefix="/protection")
PAGE = 50
FILES = {
    "csv": ("text/csv", lock_checklist.as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", lock_checklist.as_xlsx),
}


@dataclass(frozen=True)
class Line:
    """A form in a preview, or a line of the checklist."""

    participant: str
    place: str
    href: str
    why: str = ""


@blueprint.get("")
@guard(action="view reviews")
def index() -> ResponseReturnValue:
    """What is frozen and locked where, and what people ask to unlock."""
    user = signed_in_user()
    requests = finding.unlock_requests(user)
    return render_template(
        "protection/index.html",
        study=finding.study(),
        sites=finding.sites(user, "view reviews"),
        requests=[(each, _name_of(freezing.target_of(each))) for each in requests[:PAGE]],
        user=user,
        may_freeze=access.may(user, "freeze"),
        may_confirm={each.id for each in requests if _may_confirm(user, each)},
        everywhere=access.may(user, "lock") and access.sites_for(user, "lock") is None,
    )


@blueprint.get("/preview")
@guard(action="freeze")
def preview() -> ResponseReturnValue:
    """What would be frozen, unfrozen or locked, and what not and why."""
    user = signed_in_user()
    target, act = _target(user, request.args), _act(request.args.get("act", ""))
    shown, page = freezing.preview(user, target, act), page_asked()
    since = freezing.since_unlocked(target, shown.included) if act == "lock" else {}
    steps = [(data, step) for data in shown.included for step in since.get(data.id, ())]
    return render_template(
        "protection/preview.html",
        target=target,
        name=_name_of(target),
        act=act,
        given=_given(request.args),
        shown=shown,
        included=[_line(data) for data in shown.included[:PAGE]],
        excluded=[_line(data, _why(why)) for data, why in shown.excluded[(page - 1) * PAGE : page * PAGE]],
        page=page,
        more=len(shown.excluded) > page * PAGE,
        since=[(_line(data), step) for data, step in steps[:PAGE]],
        more_since=max(0, len(steps) - PAGE),
        locked=freezing.is_locked(target),
        inside=_inside(target),
    )


@blueprint.post("/apply")
@guard(action="freeze")
def apply() -> ResponseReturnValue:
    """Do what the preview showed, judged again."""
    user = signed_in_user()
    target, act = _target(user, request.form), _act(request.form.get("act", ""))
    try:
        with _change(user, act, target) as change:
            done = freezing.protect(change, target, act)
        text = ngettext("%(num)d form changed.", "%(num)d forms changed.", len(done.included))
        if done.excluded:
            text += " " + ngettext("%(num)d form left out.", "%(num)d forms left out.", len(done.excluded))
        flash(text, "warn" if done.excluded else "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    given: dict[str, Any] = _given(request.form)
    return redirect(url_for(".preview", act=act, **given), 303)


@blueprint.post("/items")
@guard(action="freeze")
def items() -> ResponseReturnValue:
    """Freeze or unfreeze single items of a form."""
    user = signed_in_user()
    data, act = finding.form_data(user, row_number(request.form.get("form")) or 0), _act(request.form.get("act", ""))
    try:
        with _change(user, f"{act} items", data) as change:
            count = freezing.freeze_items(change, data, request.form.getlist("path"), act)
        flash(ngettext("%(num)d item changed.", "%(num)d items changed.", count), "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(_line(data).href, 303)


@blueprint.post("/unlock")
@guard(action="unlock")
def unlock() -> ResponseReturnValue:
    """Ask for unlocking, with a reason; another person confirms it."""
    user = signed_in_user()
    target = _target(user, request.form)
    try:
        with _change(user, "ask to unlock", target, request.form.get("reason", "")[:500]) as change:
            freezing.request_unlock(change, target)
        flash(_("Asked. Another person must confirm it."), "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(url_for(".index"), 303)


@blueprint.post("/decide")
@guard(action="confirm unlock")
def decide() -> ResponseReturnValue:
    """Confirm or decline what another person asked for."""
    user = signed_in_user()
    asked = finding.unlock_request(user, row_number(request.form.get("request")) or 0)
    try:
        with _change(user, "confirm unlock", freezing.target_of(asked)) as change:
            freezing.decide_unlock(change, asked, request.form.get("decision") == "confirm")
        flash(_("Done. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(url_for(".index"), 303)


@blueprint.get("/checklist")
@guard(action="view progress")
def checklist() -> ResponseReturnValue:
    """What still stands between the data and the lock; each line leads to where it is settled."""
    user, page = signed_in_user(), page_asked()
    code, kind = request.args.get("site", ""), request.args.get("kind", "")
    held = lock_checklist.checklist(user, code)
    chosen = [item for item in held if kind in ("", item.kind)]
    chinese = language() == "zh"
    return render_template(
        "protection/checklist.html",
        sites=finding.sites(user, "view progress"),
        site=code,
        kind=kind,
        kinds={each: words[chinese] for each, words in lock_checklist.KINDS.items()},
        counts=lock_checklist.counts(held),
        items=[_item_line(item) for item in chosen[(page - 1) * PAGE : page * PAGE]],
        page=page,
        more=len(chosen) > page * PAGE,
    )


@blueprint.get("/checklist/file")
@guard(action="view progress")
def checklist_file() -> ResponseReturnValue:
    """The whole list as CSV or XLSX; fetching it is recorded."""
    user, code, name = signed_in_user(), request.args.get("site", ""), request.args.get("format", "csv")
    if name not in FILES:
        abort(404)
    held = lock_checklist.checklist(user, code)
    site = finding.site(user, "view progress", code) if code else None
    with Change(by=user, action="fetch checklist", about="study/1", site=site, chain=finding.study().oid):
        pass
    media_type, write = FILES[name]
    answer = Response(write(held), mimetype=media_type)
    answer.headers["Content-Disposition"] = f"attachment; filename=checklist.{name}"
    return answer


def _act(text: str) -> str:
    return text if text in freezing.ACTIONS else "freeze"


def _change(user: User, action: str, target: Any, reason: str | None = None) -> Change:
    subject = target if isinstance(target, Subject) else getattr(target, "subject", None)
    site = target if isinstance(target, Site) else subject.site if subject else None
    chain = finding.study().oid
    return Change(by=user, action=action, reason=reason, subject=subject, site=site, chain=chain)


def _target(user: User, given: Any) -> Target:
    """What is meant: `kind` with `site`, `subject`, `event` or `form`; 404 for what this person may not see."""
    kind = given.get("kind", "")
    if kind == "study":
        return finding.study()
    if kind == "site":
        return finding.site(user, "freeze", given.get("site", ""))
    if kind == "form":
        return finding.form_data(user, row_number(given.get("form")) or 0)
    subject = finding.subject(user, row_number(given.get("subject")) or 0)
    if kind == "event":
        return finding.event(subject, given.get("event", ""))
    if kind == "subject":
        return subject
    raise NotFound


def _given(given: Any) -> dict[str, str]:
    return {name: given[name] for name in ("kind", "site", "subject", "event", "form") if given.get(name)}


def _inside(target: Target) -> list[tuple[str, dict[str, str]]]:
    """The next narrower scopes: participants of a site, visits of a participant, forms of a visit."""
    held = freezing.forms_in(target)
    if isinstance(target, Site):
        return list({data.subject.label: {"kind": "subject", "subject": str(data.subject_id)} for data in held}.items())
    if isinstance(target, Subject):
        keys = {data.study_event.key: _name_of(data.study_event) for data in held}
        return [(name, {"kind": "event", "subject": str(target.id), "event": key}) for key, name in keys.items()]
    if isinstance(target, StudyEvent):
        return [(_line(data).place, {"kind": "form", "form": str(data.id)}) for data in held]
    return []


def _may_confirm(user: User, asked: UnlockRequest) -> bool:
    if asked.status != "open" or asked.requested_by_id == user.id:
        return False
    everywhere = access.sites_for(user, "confirm unlock") is None
    return everywhere if asked.site_id is None else access.may(user, "confirm unlock", at=asked.site_id)


def _why(reasons: list[str]) -> str:
    return " · ".join(freezing.WHY[reason][language() == "zh"] for reason in reasons)


def _line(data: FormData, why: str = "") -> Line:
    study, event = finding.design(data.version_id), data.study_event
    form = study.forms.get(data.form_id)
    place = (
        f"{event_name(study.events.get(event.event_id), event)} · {study_label(form.label) if form else data.form_id}"
    )
    if form and form.repeats:
        place += f" {data.repeat}"
    return Line(data.subject.label, place, form_address(data.subject, event, data.form_id, data.repeat), why)


def _item_line(item: Item) -> dict[str, Any]:
    if item.data is not None:
        line = _line(item.data)
        return {
            "kind": item.kind,
            "participant": line.participant,
            "place": line.place,
            "href": line.href,
            "what": item.what,
        }
    study = finding.design_for(item.subject.site)
    place = event_name(study.events.get(item.event.event_id), item.event) if item.event else ""
    form = study.forms.get(item.form_id)
    if item.form_id:
        place += f" · {study_label(form.label) if form else item.form_id}"
    href = url_for("participants.show", subject_id=item.subject.id) + (f"#e-{item.event.key}" if item.event else "")
    if item.query_id:
        href = f"/queries/{item.query_id}"
    return {"kind": item.kind, "participant": item.subject.label, "place": place, "href": href, "what": item.what}


def _name_of(target: Any) -> str:
    if isinstance(target, FormData):
        line = _line(target)
        return f"{line.participant} · {line.place}"
    if isinstance(target, StudyEvent):
        study = finding.design_for(target.subject.site)
        return f"{target.subject.label} · {event_name(study.events.get(target.event_id), target)}"
    if isinstance(target, Subject):
        return target.label
    if isinstance(target, Site):
        return f"{target.code} {target.name(language())}"
    return _("The whole study")


def form_notes(user: User, data: FormData | None) -> dict[str, Any] | None:
    """What the page of a form says about its protection: frozen items by path, and what this person may do."""
    if data is None:
        return None
    at = data.subject.site_id
    return {
        "state": data.protection,
        "frozen_items": freezing.frozen_items(data.id),
        "may_freeze": access.may(user, "freeze", at=at),
        "may_sign": access.may(user, "sign", at=at) and data.protection != "locked",
        "preview": {act: url_for("protection.preview", act=act, kind="form", form=data.id) for act in freezing.ACTIONS},
    }
