"""Between the form's addresses and its template: read the post, ask for the verdict, build the page."""

from collections.abc import Mapping
from typing import Any

from flask import abort, render_template, request
from flask_babel import gettext as _

from forms import crf_page, crf_verdict
from forms.crf_input import CrfInput, Posted, UnknownName
from forms.crf_layout import layout_of
from forms.crf_parts import State
from forms.crf_words import cell_text
from models import User
from views import choices, earlier_versions, protection, query_words, signing, uploads, verification
from views.addresses import row_number
from views.around import around_of
from views.board import cell_words, event_name
from views.shell import instant, language, tone_of
from workflows import access, drafting, entering, finding, listing, query_list
from workflows.finding import FormPlace
from workflows.refusals import ReasonNeeded, Refusal, Stale


def read(place: FormPlace, posted: Posted | None = None) -> CrfInput:
    """What was posted to this form; 400 for names it does not have."""
    if posted is None:
        posted = request.form.to_dict(flat=False)
    try:
        return CrfInput.read(
            place.form,
            place.study,
            earlier_versions.carried(place, posted),
            language=language(),
            stored=place.data.answers if place.data else {},
            files=uploads.hashes(),
            allowed=choices.allowed(place),
        )
    except UnknownName:
        abort(400)


def state_of(place: FormPlace, typed: CrfInput | None, refusal: Refusal | None = None) -> State:
    """The form as stored, or as typed, with the verdict on it."""
    stored = place.data.answers if place.data else {}
    answers: dict[str, Any] = stored
    added: dict[str, list[str]] = {}
    if typed is not None:
        added = typed.blank_rows()
        if typed.add:
            added.setdefault(typed.add, []).append(_next_row(typed, added))
        answers = _with_blank(typed.answers, added)
    verdict = entering.check(place, answers)
    return State(
        study=place.study,
        layout=layout_of(place.study, place.form, language()),
        language=language(),
        answers=verdict.answers,
        stored=stored,
        shown=frozenset(verdict.shown),
        findings=verdict.findings,
        missing_required=frozenset(verdict.missing_required) if place.data or typed else frozenset(),
        errors=typed.errors if typed else {},
        posted=typed.posted if typed else None,
        overrides={**(place.data.overrides if place.data else {}), **(typed.overrides if typed else {})},
        choices=choices.options(place),
        row_labels=choices.row_labels(place, verdict.answers, language()),
        added=added,
    )


def _next_row(typed: CrfInput, added: Mapping[str, list[str]]) -> str:
    held = [*typed.answers.get(typed.add, {}), *added.get(typed.add, [])]
    return str(max((int(row) for row in held if row.isdigit()), default=0) + 1)


def _with_blank(answers: dict[str, Any], added: Mapping[str, list[str]]) -> dict[str, Any]:
    """Empty rows take part in the verdict, so that their items are shown; they are never saved."""
    full = {group: dict(rows) for group, rows in answers.items()}
    for group, rows in added.items():
        for row in rows:
            full.setdefault(group, {}).setdefault(row, {})
    return full


def verdict_of(place: FormPlace, typed: CrfInput) -> dict[str, Any]:
    """The live check's answer."""
    return crf_verdict.as_json(state_of(place, typed), list(typed.posted))


def render(
    user: User, place: FormPlace, typed: CrfInput | None = None, refusal: Refusal | None = None
) -> tuple[str, int]:
    """The page; with `typed`, everything typed stands in it, and a refusal says why it was not saved."""
    draft = drafting.find(user, place.address) if typed is None and not _is_closed(place) else None
    shown = typed
    if draft is not None:
        shown = _from_draft(place, draft.posted)
    state = state_of(place, shown, refusal)
    queries = query_list.of_place(user, place.subject.id, place.event.id, place.form.id, place.repeat)
    talk = query_words.talk_in_form(user, place, queries, row_number(request.args.get("query")))
    state.queries = query_words.marks(place, queries)
    state.asked = frozenset(talk["query"].paths) if talk else frozenset()
    at = place.subject.site_id
    readonly = not access.may(user, "enter data", at=at) or _is_closed(place)
    address = f"/participants/{place.address}"
    page = crf_page.build(
        state,
        full="full" in request.args,
        instance=choices.instance_label(place, state),
        readonly=readonly,
        may_override=access.may(user, "override check", at=at),
        may_error=access.may(user, "mark in error", at=at),
        address=address,
        history_address=f"{address}/history",
        terms_address=f"{address}/terms",
        file_address=f"{address}/file",
        ask_address=query_words.ask_address(user, place),
    )
    html = render_template(
        "forms/form.html",
        p=page,
        place=place,
        event_name=event_name(place.study.events.get(place.event.event_id), place.event),
        around=around_of(place),
        entry_chip=_entry_chip(place),
        typed=typed is not None,
        draft_at=instant(draft.at) if draft and shown else "",
        refusal=refusal.text(language()) if refusal else _errors_sentence(typed),
        revision=_revision(place, shown, refusal),
        reason=(shown.reason or "") if shown else "",
        reason_wanted=isinstance(refusal, ReasonNeeded),
        corrected=crf_verdict.corrected(state) if shown else [],
        may_error=page.may_error and place.data is not None and not readonly,
        may_skip=place.data is None and typed is None and not readonly and not place.form.repeats,
        locked_because=_closed_sentence(place, user) if readonly else "",
        protection=protection.form_notes(user, place.data),
        signed=signing.on_form(user, place.data),
        saved_at=instant(place.data.saved_at) if place.data else "",
        receipt=listing.receipt(place.data) if place.data else "",
        script_words=_script_words(),
        queries=query_words.in_form(place, queries),
        verification=verification.part_of(user, place),
        talk=talk,
        retained=earlier_versions.retained(place),
        **_stale(place, refusal),
    )
    return html, refusal.status if refusal else 422 if _errors_sentence(typed) else 200


def _errors_sentence(typed: CrfInput | None) -> str:
    if typed is None or not typed.errors or typed.add or "_redraw" in typed.posted:
        return ""
    return Refusal("invalid").text(language())


def _from_draft(place: FormPlace, posted: dict[str, list[str]]) -> CrfInput | None:
    """What was left typed; None when the form's definition no longer has what it holds."""
    try:
        return CrfInput.read(
            place.form,
            place.study,
            earlier_versions.carried(place, posted),
            language=language(),
            stored=place.data.answers if place.data else {},
            allowed=choices.allowed(place),
        )
    except UnknownName:
        return None


def _revision(place: FormPlace, shown: CrfInput | None, refusal: Refusal | None) -> int | str:
    """The revision the next save starts from: the one opened, until she saw what somebody else saved."""
    if shown is not None and not isinstance(refusal, Stale):
        return "" if shown.revision is None else shown.revision
    return place.data.revision if place.data else ""


def _is_closed(place: FormPlace) -> bool:
    return place.data is not None and (place.data.in_error is not None or place.data.protection != "open")


def _closed_sentence(place: FormPlace, user: User) -> str:
    if place.data is not None and place.data.in_error is None and place.data.protection != "open":
        return Refusal(place.data.protection).text(language())
    if _is_closed(place):
        return ""
    return _("You can read this form; your role does not enter data here.")


def _entry_chip(place: FormPlace) -> tuple[str, str, str | None]:
    if place.data is None:
        return _("not started"), "mute", None
    entry = "in_error" if place.data.in_error is not None else place.data.entry
    icons = {"complete": "check", "in_progress": "pen", "in_error": "cross"}
    return cell_words()[entry], tone_of(entry), icons.get(entry)


def _stale(place: FormPlace, refusal: Refusal | None) -> dict[str, Any]:
    """Both versions side by side: theirs, which is saved, and hers, which stands in the form."""
    if not isinstance(refusal, Stale):
        return {"differences": [], "saved_by": ""}
    tongue = language()
    return {
        "saved_by": refusal.saved_by,
        "differences": [
            {
                "path": path,
                "label": _path_label(place, path),
                "theirs": cell_text(place.study, _item(place, path), theirs, tongue),
                "mine": cell_text(place.study, _item(place, path), mine, tongue),
                "given": _given(theirs),
                "missing": theirs.get("missing", "") if isinstance(theirs, dict) else "",
            }
            for path, theirs, mine in refusal.differences
        ],
    }


def _given(cell: Any) -> list[str]:
    """The values of a cell as the page's script puts them into the controls."""
    if cell is None or isinstance(cell, dict):
        return []
    return cell if isinstance(cell, list) else [cell]


def _item(place: FormPlace, path: str) -> Any:
    return place.study.items.get(path.rsplit("/", 1)[-1])


def _path_label(place: FormPlace, path: str) -> str:
    return choices.path_label(place.study, path, language())


def _script_words() -> dict[str, str]:
    return {
        "kept": _("draft kept at {time}"),
        "offline": _("The server does not answer. What you typed is still here; try again in a moment."),
        "refused": _("User name or password is not right. Try again."),
    }


def place_of(user: User, subject_id: int, event_key: str, form_id: str, repeat: str) -> FormPlace:
    """Where a form stands; `new` is the next instance of a repeating form.

    Raises:
        NotFound: nothing there for this user.
    """
    if repeat != "new" and not (repeat.isascii() and repeat.isdigit() and len(repeat) < 6):
        abort(404)
    return finding.place(user, subject_id, event_key, form_id, None if repeat == "new" else int(repeat))
