"""Reviews of the audit trail: patterns of a site and period, signed off, and what was signed off before (AUD-12)."""

from datetime import time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from forms.verification import LookInput
from models import User
from models.change import Change
from models.clock import today
from views import choices, wording
from views.guard import guard, signed_in_user
from views.shell import language
from workflows import access, finding, reviewing_trail, tracing
from workflows.refusals import NotFound, Refusal
from workflows.reviewing_trail import PATTERNS, Hit, Look
from workflows.tracing import FormWords

blueprint = Blueprint("trail_reviews", __name__, url_prefix="/trail-reviews")
MOST_ROWS = 200  # of one pattern; the number beside its name is the whole number
FIELDS = ("site", "since", "until", "night_from", "night_to", "most_changes")


@blueprint.get("")
@guard(action="view trail")
def index() -> ResponseReturnValue:
    """Past reviews; with a site in the address, what the trail shows there in a period."""
    user = signed_in_user()
    asked = bool(request.args.get("site"))
    form = _look_form(user, request.args if asked else None)
    if not asked:
        return _page(user, form)
    if not form.validate():
        return _page(user, form), 422
    try:
        return _page(user, form, _look(user, form))
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _page(user, form), refusal.status


@blueprint.post("")
@guard(action="review trail")
def sign_off() -> ResponseReturnValue:
    """Keep what was found and what the reviewer says about it."""
    user = signed_in_user()
    form = _look_form(user, request.form)
    if not form.validate():
        return _page(user, form), 422
    look, outcome = _look(user, form), request.form.get("outcome", "")
    try:
        with Change(by=user, action="review trail", site=look.site, chain=finding.study().oid) as change:
            review = reviewing_trail.sign_off(change, look, request.form.get("shown", ""), outcome)
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _page(user, form, look, outcome), refusal.status
    flash(_("The review is signed off. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    return redirect(url_for(".show", review_id=review.id), 303)


@blueprint.get("/<int:review_id>")
@guard(action="view trail")
def show(review_id: int) -> ResponseReturnValue:
    """One review: who looked at what, what was found, and what was concluded."""
    user = signed_in_user()
    review = reviewing_trail.find_review(user, review_id)
    found = {name: review.found.get(name, []) for name in PATTERNS}
    changes = reviewing_trail.changes_named(
        user, [number for numbers in found.values() for number in numbers[:MOST_ROWS]]
    )
    sites = {site.id: site for site in finding.sites(user, "view trail")}
    return render_template(
        "trail_reviews/show.html",
        review=review,
        site=sites.get(review.site_id or 0),
        found=[
            (_pattern(name), len(numbers), [changes[number] for number in numbers[:MOST_ROWS] if number in changes])
            for name, numbers in found.items()
        ],
        limits=review.found.get("limits", {}),
    )


def _look_form(user: User, given: Any) -> LookInput:
    day = today()
    defaults = {
        "since": day - timedelta(30),
        "until": day,
        "night_from": time(22),
        "night_to": time(6),
        "most_changes": 3,
    }
    posted = MultiDict((name, given[name]) for name in FIELDS if name in given) if given else None
    form = LookInput(formdata=posted, **defaults)
    sites = finding.sites(user, "review trail")
    form.site.choices = [(site.code, f"{site.code} {site.name(language())}") for site in sites]
    form.site.validate_choice = False  # another site's code is answered like one that does not exist
    return form


def _look(user: User, form: LookInput) -> Look:
    site = finding.site(user, "review trail", form.site.data)
    data = form.data
    return Look(site, data["since"], data["until"], data["night_from"], data["night_to"], data["most_changes"])


def _page(user: User, form: LookInput, look: Look | None = None, outcome: str = "") -> str:
    found = reviewing_trail.find(user, look) if look else {}
    return render_template(
        "trail_reviews/index.html",
        form=form,
        may_review=access.may(user, "review trail"),
        look=look,
        found=_told(found),
        shown=reviewing_trail.fingerprint(found) if look else "",
        outcome=outcome,
        chosen=[(name, form[name]._value() if name != "site" else form.site.data) for name in FIELDS],
        reviews=reviewing_trail.list_reviews(user),
        sites={site.id: site for site in finding.sites(user, "view trail")},
    )


def _pattern(name: str) -> str:
    return PATTERNS[name][language() == "zh"]


def _told(found: dict[str, list[Hit]]) -> list[tuple[str, int, list[dict[str, Any]]]]:
    """The hits in words: who, when, where, which items; of each pattern its number and the first rows."""
    hits = [hit for each in found.values() for hit in each[:MOST_ROWS]]
    forms = tracing.form_words({hit.form_data_id for hit in hits})
    names = tracing.full_names({hit.user_id for hit in hits if hit.user_id})
    return [
        (_pattern(name), len(each), [_row(hit, forms, names) for hit in each[:MOST_ROWS]])
        for name, each in found.items()
    ]


def _row(hit: Hit, forms: dict[int, FormWords], names: dict[int, str]) -> dict[str, Any]:
    words = forms[hit.form_data_id]
    study = finding.design(words.version_id)
    where = [
        words.subject,
        wording.event_name(study, words.event_key),
        wording.form_name(study, words.form_id, words.repeat),
    ]
    labels = [choices.path_label(study, path, language()) for path in hit.paths[:6] if not path.endswith("/_error")]
    return {
        "hit": hit,
        "name": names.get(hit.user_id or 0, hit.user_name),
        "where": " · ".join(where),
        "items": ("、" if language() == "zh" else ", ").join(labels) + (" …" if len(hit.paths) > 6 else ""),
        "href": f"/participants/{words.subject_id}/{words.event_key}/{words.form_id}/{words.repeat}/history",
    }
