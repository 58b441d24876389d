"""The investigator's list, and the page on which forms, visits and casebooks are signed with everything in view."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from design import answers as documents
from forms.crf_words import cell_text
from models import FormData, SignedForm, StudyEvent, Subject, User
from models.clock import today
from views import choices
from views.addresses import page_asked, row_number
from views.board import event_name, form_address
from views.guard import guard, signed_in_user
from views.shell import instant, language, study_label
from workflows import access, delegating, finding, signatures, signing
from workflows.refusals import NotFound, Refusal
from workflows.signatures import Step
from workflows.signing import Candidate, Shown

blueprint = Blueprint("signing", __name__, url_prefix="/signing")
PAGE = 50


@dataclass(frozen=True)
class Sheet:
    """One form as it is shown to the signer."""

    data: FormData
    title: str
    visit: str
    href: str
    state: str
    digest: str
    why_not: str
    lines: list[tuple[str, str]]
    since: list[dict[str, str]]


@blueprint.get("")
@guard(action="sign")
def index() -> ResponseReturnValue:
    """Who has forms that wait for a signature, changed ones first."""
    user, page = signed_in_user(), page_asked()
    waiting = signing.to_sign(user)
    shown = waiting[(page - 1) * PAGE : page * PAGE]
    return render_template("signing/index.html", waiting=shown, page=page, more=len(waiting) > page * PAGE)


@blueprint.get("/<int:subject_id>")
@guard(action="sign")
def show(subject_id: int) -> ResponseReturnValue:
    """A casebook, a visit or a form with every value, what changed since the last signature, and the signature."""
    user = signed_in_user()
    subject = finding.subject(user, subject_id, "sign")
    return _page(user, subject, request.args.get("event", ""), row_number(request.args.get("form")))


@blueprint.post("/<int:subject_id>")
@guard(action="sign")
def sign(subject_id: int) -> ResponseReturnValue:
    """Sign what was shown and ticked."""
    user = signed_in_user()
    subject = finding.subject(user, subject_id, "sign")
    key, form_id = request.form.get("event", ""), row_number(request.form.get("form"))
    event = finding.event(subject, key) if key else None
    try:
        done = signing.sign(
            user,
            subject,
            "form" if form_id else "event" if event else "casebook",
            _shown(),
            meaning=request.form.get("meaning", ""),
            statement=request.form.get("statement", ""),
            username=request.form.get("username", ""),
            password=request.form.get("password", ""),
            address=request.remote_addr or "",
            event_id=event.id if event else None,
        )
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _page(user, finding.subject(user, subject_id, "sign"), key, form_id), refusal.status
    count = len(done.signature.forms)
    flash(ngettext("%(num)d form signed.", "%(num)d forms signed.", count), "ok")
    for data, why in done.left_out:
        flash(_("Left out: %(form)s. %(why)s", form=_title(data), why=why.text(language())), "warn")
    return redirect(url_for(".show", subject_id=subject_id, event=key or None, form=form_id), 303)


def _page(user: User, subject: Subject, key: str, form_id: int | None) -> str:
    event = finding.event(subject, key) if key else None
    held = signing.candidates(subject, event.id if event else None, form_id)
    if form_id and not held:
        raise NotFound
    changed = signatures.since_signed([each.data for each in held if each.state == "broken"])
    states = {each.data.id: each.state for each in held if each.state != "unsigned"}
    sheets = [_sheet(subject, each, changed.get(each.data.id, [])) for each in held]
    refusal = _not_delegated(user, subject)
    return render_template(
        "signing/show.html",
        subject=subject,
        event=event,
        form_id=form_id,
        title=_scope_title(subject, event, sheets if form_id else []),
        sheets=[sheet for sheet in sheets if sheet.state != "signed"],
        done=[sheet for sheet in sheets if sheet.state == "signed"],
        visits=_visits(subject, sheets) if event is None and not form_id else [],
        roll_up=signatures.roll_up([each.data.id for each in held], states),
        meanings={code: words[language() == "zh"] for code, words in signing.MEANINGS.items()},
        statement=signing.STATEMENT[language() == "zh"],
        statement_version=signing.STATEMENT_VERSION,
        user=user,
        not_delegated=refusal,
    )


def _visits(subject: Subject, sheets: list[Sheet]) -> dict[str, str]:
    """The visits of a casebook by name, each with the address where it is signed alone."""
    found = {sheet.data.study_event.key: sheet.visit for sheet in sheets}
    return {name: url_for(".show", subject_id=subject.id, event=key) for key, name in found.items()}


def _not_delegated(user: User, subject: Subject) -> str:
    try:
        delegating.require_delegated(user, "sign", subject.site_id, today(subject.site.timezone))
    except Refusal as refusal:
        return refusal.text(language())
    return ""


def _shown() -> list[Shown]:
    """What was ticked: `id:revision:digest` of each form."""
    found = []
    for text in request.form.getlist("shown")[:2000]:
        parts = text.split(":")
        numbers = [row_number(part) for part in parts[:2]]
        if len(parts) == 3 and None not in numbers:
            found.append(Shown(numbers[0] or 0, numbers[1] or 0, parts[2]))
    return found


def _sheet(subject: Subject, each: Candidate, steps: list[Step]) -> Sheet:
    data, tongue = each.data, language()
    study = finding.design(data.version_id)
    order = {item_id: place for place, item_id in enumerate(study.items)}
    cells = sorted(documents.iter_cells(data.answers), key=lambda each: (_row(each[0]), order.get(_item(each[0]), -1)))
    values = [
        (choices.path_label(study, path, tongue), cell_text(study, study.items.get(_item(path)), cell, tongue))
        for path, cell in cells
    ]
    return Sheet(
        data=data,
        title=_title(data),
        visit=event_name(study.events.get(data.study_event.event_id), data.study_event),
        href=form_address(subject, data.study_event, data.form_id, data.repeat),
        state=each.state,
        digest=each.digest,
        why_not=each.refusal.text(tongue) if each.refusal else "",
        lines=values,
        since=[_told(study, step, tongue) for step in steps],
    )


def _item(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _row(path: str) -> tuple[int, str]:
    row = path.split("/")[1] if "/" in path else ""
    return (int(row) if row.isdigit() else 0, row)


def _told(study: Any, step: Step, tongue: str) -> dict[str, str]:
    item = study.items.get(step.path.rsplit("/", 1)[-1])
    return {
        "label": choices.path_label(study, step.path, tongue) if "/" in step.path else step.path,
        "old": cell_text(study, item, step.old, tongue) if item else str(step.old or ""),
        "new": cell_text(study, item, step.new, tongue) if item else str(step.new or ""),
        "by": step.by,
        "at": instant(step.at),
        "reason": step.reason,
    }


def _title(data: FormData) -> str:
    study = finding.design(data.version_id)
    form = study.forms.get(data.form_id)
    title = study_label(form.label) if form else data.form_id
    return f"{title} {data.repeat}" if form and form.repeats else title


def _scope_title(subject: Subject, event: StudyEvent | None, sheets: list[Sheet]) -> str:
    if sheets:
        return sheets[0].title
    if event is None:
        return _("Casebook")
    return event_name(finding.design_for(subject.site).events.get(event.event_id), event)


def on_form(user: User, data: FormData | None) -> list[dict[str, str]]:
    """The signatures on a form for its page: name, time with offset, meaning, valid or superseded; newest first."""
    if data is None or not access.may(user, "view reviews", at=data.subject.site_id):
        return []
    return [_signed(each) for each in signatures.on_form(data)]


def _signed(each: SignedForm) -> dict[str, str]:
    signature = each.signature
    return {
        "name": signature.full_name,
        "username": signature.username,
        "at": instant(signature.signed_at, True),
        "meaning": signature.meaning_zh if language() == "zh" else signature.meaning_en,
        "level": signature.level,
        "broken_at": instant(each.broken_at, True),
        "digest": each.digest[:16],
    }
