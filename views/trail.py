"""The audit trail: who, when, what, where, why, old and new."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, render_template, request
from flask.typing import ResponseReturnValue

from design.types import ValueFault, read_day
from models import User
from views import wording
from views.guard import guard, signed_in_user
from views.home import rows_of
from views.shell import HOME_ZONE, language
from workflows import finding, tracing
from workflows.refusals import Refusal
from workflows.tracing import TrailFilter

blueprint = Blueprint("trail", __name__, url_prefix="/trail")

LAST_PAGE = 2000


@blueprint.get("")
@guard(action="view trail")
def index() -> ResponseReturnValue:
    """One page of the trail, newest first, by the filters of the address."""
    user = signed_in_user()
    filters, page = _filters(), min(_read("page", int) or 1, LAST_PAGE)
    changes, more = tracing.list_changes(user, filters, max(1, page), HOME_ZONE)
    return render_template(
        "trail/index.html",
        rows=rows_of(changes),
        more=more,
        page=max(1, page),
        chosen={name: value for name, value in request.args.items() if value and name != "page"},
        **_choices(user),
    )


@blueprint.get("/<int:change_id>")
@guard(action="view trail")
def show(change_id: int) -> ResponseReturnValue:
    """One change with everything recorded about it."""
    traced = tracing.find_change(signed_in_user(), change_id)
    return render_template("trail/show.html", row=rows_of([traced])[0])


def _choices(user: User) -> dict[str, Any]:
    return {
        "actors": tracing.list_actors(user),
        "kinds": [(action, wording.action_name(action)) for action in tracing.list_actions(user)],
        "sites": [(site.id, f"{site.code} {site.name(language())}") for site in finding.sites(user, "view trail")],
        "forms": _forms(),
        "subjects": [(subject.id, subject.label) for subject in tracing.list_subjects(user)],
    }


def _forms() -> list[tuple[str, str]]:
    """Every form of every version, in the words of the newest that has it."""
    names: dict[str, str] = {}
    for version in finding.versions():
        names |= {
            form.id: form.label.text(language()) for form in finding.design(version.id).forms.values() if not form.under
        }
    return [(form_id, f"{form_id} {name}") for form_id, name in names.items()]


def _filters() -> TrailFilter:
    return TrailFilter(
        user_id=_read("who", int),
        action=request.args.get("what") or None,
        site_id=_read("site", int),
        subject_id=_read("participant", int),
        since=_read("since", read_day),
        until=_read("until", read_day),
        about=request.args.get("about") or None,
        form_id=request.args.get("form") or None,
        item_id=request.args.get("item", "").strip().upper()[:40] or None,
    )


def _read(name: str, reader: Callable[[str], Any]) -> Any:
    """A value of the address; what cannot be read filters nothing, and says so."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        value = reader(text)
    except (ValueError, ValueFault):
        if name in ("since", "until"):
            flash(Refusal("bad-date").text(language()), "warn")
        return None
    return value if not isinstance(value, int) or abs(value) < 2**31 else 0
