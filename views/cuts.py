"""Data cuts: name a past instant, and see what changed between two of them."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from design.definitions import StudyDef
from forms.cuts import CutInput
from models.change import Change
from views.addresses import page_asked
from views.guard import guard, signed_in_user
from views.shell import language
from workflows import access, cutting, finding
from workflows.refusals import Refusal

blueprint = Blueprint("cuts", __name__, url_prefix="/exports/cuts")
PAGE = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("")
@guard(action="export")
def index() -> ResponseReturnValue:
    """The cuts there are, and the form for the next one."""
    return _page(CutInput())


def _page(form: CutInput) -> str:
    user = signed_in_user()
    return render_template(
        "cuts/index.html", form=form, cuts=cutting.every(user), may_compare=access.may(user, "view trail")
    )


@blueprint.post("")
@guard(action="export", recent=True)
def make() -> ResponseReturnValue:
    """Name an instant."""
    form = CutInput()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        as_of = cutting.instant(form.as_of.data or "", finding.study())
        chain = finding.study().oid
        with Change(by=signed_in_user(), action="cut data", reason=form.reason.data, chain=chain) as change:
            name = cutting.make(change, form.name.data or "", as_of).name
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _page(form), refusal.status
    flash(_("The cut %(name)s is named. Exports can show the data as they were then.", name=name), "ok")
    return redirect(url_for(".index"), 303)


@blueprint.get("/differences")
@guard(action="export")
def differences() -> ResponseReturnValue:
    """The answers that differ between two cuts: who changed them, why, and through which query."""
    user, page = signed_in_user(), page_asked()
    access.require(user, "view trail")
    names = _names()
    first, second = (cutting.named(user, name) for name in names.values())
    table = cutting.differences(user, first, second)
    study = finding.design(finding.versions()[-1].id)
    start = (page - 1) * PAGE
    columns = {name: values[start : start + PAGE] for name, values in table.columns.items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return render_template(
        "cuts/differences.html",
        first=first,
        second=second,
        names=names,
        rows=[_line(study, row) for row in rows],
        count=table.rows,
        page=page,
        more=table.rows > start + PAGE,
        kinds=_kinds(),
    )


def _names() -> dict[str, str]:
    return {name: request.args.get(name, "")[:40] for name in ("first", "second")}


def _line(study: StudyDef, row: dict[str, Any]) -> dict[str, Any]:
    """A row with the words of the page's language in place of the codes."""
    event, form = study.events.get(row["EVENT"]), study.forms.get(row["FORM"])
    number = f" {row['EVENT_REPEAT']}" if event and event.kind in ("repeating", "unscheduled") else ""
    item = row["ITEM_ZH"] if language() == "zh" else row["ITEM_EN"]
    return row | {
        "visit": (event.label.text(language()) if event else row["EVENT"] or "") + number,
        "form": form.label.text(language()) if form else row["FORM"],
        "item": item or _("the whole form"),
        "at": datetime.fromisoformat(row["LAST_AT"]).replace(tzinfo=UTC),
        "queries": [int(number) for number in (row["QUERIES"] or "").split()],
    }


def _kinds() -> dict[str, str]:
    return {
        "added": _("added"),
        "changed": _("changed"),
        "removed": _("removed"),
        "in error": _("marked in error"),
    }


@blueprint.get("/differences/file")
@guard(action="export", recent=True)
def fetch() -> ResponseReturnValue:
    """The differences as CSV or XLSX; fetching them is recorded."""
    user, kind = signed_in_user(), request.args.get("format", "csv")
    if kind not in ("csv", "xlsx"):
        abort(404)
    first, second = (cutting.named(user, name) for name in _names().values())
    content = cutting.fetch_differences(user, first, second, kind)
    answer = Response(content, mimetype="text/csv" if kind == "csv" else XLSX)
    answer.headers["Content-Disposition"] = f"attachment; filename=differences.{kind}"
    return answer
