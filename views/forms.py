"""A form of a participant: open, save, live check, draft, history, mark in error."""

from typing import Any

from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from models import User
from models.change import Change
from views import choices, form_page, histories, uploads
from views.addresses import row_number
from views.around import around_of
from views.board import cell_words, event_name, form_address
from views.guard import guard, signed_in_user
from views.shell import language, study_label, tone_of
from workflows import access, drafting, entering, filing, finding, recording
from workflows.entering import Saved
from workflows.finding import FormPlace
from workflows.refusals import NotFound, Refusal

blueprint = Blueprint("forms", __name__)
FORM = "/participants/<int:subject_id>/<event_key>/<form_id>/<repeat>"
MOST_TERMS = 20


@blueprint.get(FORM)
@guard(action="view participants")
def show(subject_id: int, event_key: str, form_id: str, repeat: str) -> ResponseReturnValue:
    """The form, as stored or as left unsaved by this person."""
    user = signed_in_user()
    return form_page.render(user, form_page.place_of(user, subject_id, event_key, form_id, repeat))


@blueprint.post(FORM)
@guard(action="enter data")
def save(subject_id: int, event_key: str, form_id: str, repeat: str) -> ResponseReturnValue:
    """Save what was typed, or show it again with what is wrong: nothing typed is ever lost."""
    user = signed_in_user()
    place = form_page.place_of(user, subject_id, event_key, form_id, repeat)
    typed = form_page.read(place)
    if typed.add or "_redraw" in typed.posted or typed.errors:
        return form_page.render(user, place, typed)
    try:
        with _change(user, "save form", place, typed.reason) as change:
            filing.file_pictures(change, place, uploads.pictures().values())
            saved = entering.save_form(change, place, typed.answers, typed.revision, typed.overrides)
            drafting.settle(change, place.address)
    except NotFound:
        raise
    except Refusal as refusal:
        again = form_page.place_of(user, subject_id, event_key, form_id, repeat)
        return form_page.render(user, again, typed, refusal)
    _tell(saved, change)
    return redirect(_next_address(place, saved, typed.then), 303)


def _change(user: User, action: str, place: FormPlace, reason: str | None) -> Change:
    about = f"form_data/{place.data.id}" if place.data else ""
    subject = place.subject
    return Change(
        by=user,
        action=action,
        reason=reason,
        subject=subject,
        site=subject.site,
        about=about,
        chain=place.study.id,
    )


def _tell(saved: Saved, change: Change) -> None:
    if not saved.changed:
        flash(_("Nothing was changed, so nothing was saved."), "info")
        return
    count = len(saved.new_findings)
    text = _("Saved. Receipt %(receipt)s.", receipt=change.receipt)
    if count:
        text += " " + ngettext("%(num)d answer to check.", "%(num)d answers to check.", count)
    flash(text, "warn" if count else "ok")


def _next_address(place: FormPlace, saved: Saved, then: str) -> str:
    after = around_of(place).after
    if then == "next" and after is not None:
        return after.href
    if then == "visits" or saved.data is None:
        return url_for("participants.show", subject_id=place.subject.id) + f"#e-{place.event.key}"
    if then == "new" and place.form.repeats:
        return form_address(place.subject, place.event, place.form.id, "new")
    query = row_number(request.args.get("query"))  # she goes on with the query she came for
    return form_address(place.subject, place.event, place.form.id, saved.data.repeat) + (
        f"?query={query}" if query else ""
    )


@blueprint.post(f"{FORM}/check")
@guard(action="enter data")
def check(subject_id: int, event_key: str, form_id: str, repeat: str) -> ResponseReturnValue:
    """The verdict on what she types; writes nothing."""
    place = form_page.place_of(signed_in_user(), subject_id, event_key, form_id, repeat)
    return jsonify(form_page.verdict_of(place, form_page.read(place)))


@blueprint.post(f"{FORM}/draft")
@guard(action="enter data")
def draft(subject_id: int, event_key: str, form_id: str, repeat: str) -> ResponseReturnValue:
    """Keep what she typed for her alone, or throw it away."""
    user = signed_in_user()
    place = form_page.place_of(user, subject_id, event_key, form_id, repeat)
    if "_discard" in request.form:
        drafting.discard(user, place.address)
        return redirect(f"/participants/{place.address}", 303)
    typed = form_page.read(place)
    drafting.keep(user, place.address, typed.posted)
    return jsonify(kept=True)


@blueprint.get(f"{FORM}/history")
@guard(action="view trail")
def history(subject_id: int, event_key: str, form_id: str, repeat: str) -> ResponseReturnValue:
    """Who changed what and why: of the form, or of one item with every old value in order."""
    user = signed_in_user()
    place = form_page.place_of(user, subject_id, event_key, form_id, repeat)
    item = request.args.get("item", "")
    form = study_label(place.form.label)
    visit = event_name(place.study.events.get(place.event.event_id), place.event)
    here = f"/participants/{place.address}"
    return render_template(
        "forms/history.html",
        title=choices.path_label(place.study, item, language()) if item else form,
        form_title=form,
        sub=f"{form} · {visit}",
        subject=place.subject,
        back=here,
        whole=f"{here}/history" if item else None,
        changes=histories.lines_of(user, place, item),
    )


@blueprint.post(f"{FORM}/error")
@guard(action="mark in error")
def mark_in_error(subject_id: int, event_key: str, form_id: str, repeat: str) -> ResponseReturnValue:
    """Mark the whole record as entered in error; it stays readable."""
    user = signed_in_user()
    place = form_page.place_of(user, subject_id, event_key, form_id, repeat)
    try:
        with _change(user, "mark in error", place, request.form.get("reason", "").strip()[:500]) as change:
            entering.mark_in_error(change, place)
        flash(_("Marked in error. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(f"/participants/{place.address}", 303)


@blueprint.post(f"{FORM}/not-done")
@guard(action="enter data")
def mark_not_done(subject_id: int, event_key: str, form_id: str, repeat: str) -> ResponseReturnValue:
    """Say that a whole form was not done, and why."""
    user = signed_in_user()
    place = form_page.place_of(user, subject_id, event_key, form_id, repeat)
    try:
        with _change(user, "mark not done", place, None) as change:
            data = entering.mark_not_done(change, place, request.form.get("missing", ""))
            change.about = f"form_data/{data.id}"
        flash(_("Recorded as not done. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return redirect(f"/participants/{place.address}", 303)
    return redirect(url_for("participants.show", subject_id=subject_id) + f"#e-{place.event.key}", 303)


@blueprint.get(f"{FORM}/terms")
@guard(action="enter data")
def terms(subject_id: int, event_key: str, form_id: str, repeat: str) -> ResponseReturnValue:
    """Terms of a dictionary of this form that hold what she types, those that begin with it first."""
    place = form_page.place_of(signed_in_user(), subject_id, event_key, form_id, repeat)
    name, wanted = request.args.get("dictionary", ""), request.args.get("q", "").strip().casefold()
    if name not in {item.dictionary for item in place.study.items.values()} or name not in place.study.tables:
        abort(404)
    tongue, found = language(), []
    for code, row in place.study.tables[name].rows.items():
        label = str(row.get(tongue) or row.get("en") or code)
        texts = (code.casefold(), str(row.get("en", "")).casefold(), str(row.get("zh", "")).casefold())
        if wanted and any(wanted in text for text in texts):
            found.append((not any(text.startswith(wanted) for text in texts), label, code))
    return jsonify([{"code": code, "label": label} for _later, label, code in sorted(found)[:MOST_TERMS]])


@blueprint.get(f"{FORM}/file/<sha256>")
@guard(action="view participants")
def file(subject_id: int, event_key: str, form_id: str, repeat: str, sha256: str) -> ResponseReturnValue:
    """A picture that an answer of this form points at."""
    user = signed_in_user()
    place = form_page.place_of(user, subject_id, event_key, form_id, repeat)
    stored = filing.open_picture(user, place, sha256)
    answer = Response(stored.content, mimetype=stored.media_type)
    answer.headers["Content-Disposition"] = f"inline; filename={sha256[:16]}.{stored.media_type.rsplit('/', 1)[-1]}"
    return answer


@blueprint.get("/participants/<int:subject_id>/<event_key>/<form_id>")
@guard(action="view participants")
def instances(subject_id: int, event_key: str, form_id: str) -> ResponseReturnValue:
    """All records of a repeating form in a visit; straight to a new one when there is none."""
    user = signed_in_user()
    subject = finding.subject(user, subject_id)
    event, study = finding.event(subject, event_key), finding.design_for(subject.site)
    form = study.forms.get(form_id)
    if form is None or not form.repeats:
        raise NotFound
    held = [d for d in recording.forms_of(subject) if d.study_event_id == event.id and d.form_id == form_id]
    new = form_address(subject, event, form_id, "new")
    may_add = access.may(user, "enter data", at=subject.site_id) and event.state != "not_applicable"
    if not held:
        return redirect(new, 303) if may_add else redirect(url_for("participants.show", subject_id=subject.id), 303)
    return render_template(
        "forms/instances.html",
        subject=subject,
        event=event,
        event_name=event_name(study.events.get(event.event_id), event),
        title=study_label(form.label),
        lines=[_line(subject, event, form, data, study) for data in held],
        add=new if may_add else None,
    )


def _line(subject: Any, event: Any, form: Any, data: Any, study: Any) -> dict[str, Any]:
    entry = "in_error" if data.in_error else data.entry
    return {
        "repeat": data.repeat,
        "label": choices.instance_name(study, form, data.answers, data.repeat, language()).partition(" · ")[2],
        "href": form_address(subject, event, form.id, data.repeat),
        "chip": (cell_words()[entry], tone_of(entry), None),
        "findings": 0 if data.in_error else len(data.findings or []),
        "in_error": data.in_error,
        "saved_by": data.saved_by,
        "saved_at": data.saved_at,
    }
