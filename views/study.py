"""The study: its versions, visits, forms, code lists, and what the principal investigator has yet to
confirm.
"""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from design.definitions import CheckDef, StudyDef
from views.guard import guard
from workflows import finding
from workflows.refusals import NotFound

blueprint = Blueprint("study", __name__, url_prefix="/study")

TYPES = {
    "integer": _l("Whole number"),
    "number": _l("Number"),
    "text": _l("Text"),
    "date": _l("Date"),
    "partial_date": _l("Date, perhaps incomplete"),
    "time": _l("Time"),
    "datetime": _l("Date and time"),
    "code": _l("One of a list"),
    "multi": _l("Several of a list"),
    "labvalue": _l("Laboratory value"),
    "dictionary": _l("Term of a dictionary"),
    "ref": _l("Reference to a record"),
    "user": _l("Person"),
    "file": _l("Picture"),
    "sign": _l("Confirmation"),
    "auto": _l("Filled by the system"),
}
SEVERITIES = {
    "hard": _l("refused"),
    "protected": _l("needs an override"),
    "soft": _l("query"),
    "cross": _l("query across forms"),
    "warning": _l("hint"),
}


def _definitions() -> StudyDef:
    """The version asked for in the address (`?version=2`), else the current one."""
    versions = finding.versions()
    if not versions:
        raise NotFound("no-study")
    number = request.args.get("version", "")
    if not number:
        return finding.design(finding.study().current_version_id or versions[-1].id)
    for version in versions:
        if str(version.number) == number:
            return finding.design(version.id)
    raise NotFound


@blueprint.get("")
@guard(action="view study")
def index() -> ResponseReturnValue:
    """Versions, sites, visits and forms."""
    return render_template(
        "study/index.html",
        study=_definitions(),
        versions=finding.versions(),
        sites=finding.study().sites,
        current=finding.study().current_version_id,
    )


@blueprint.get("/forms/<form_id>")
@guard(action="view study")
def form(form_id: str) -> ResponseReturnValue:
    """One form as it is defined: items in both languages, types, rules."""
    study = _definitions()
    found = study.forms.get(form_id)
    if found is None:
        raise NotFound
    checks: dict[str, list[CheckDef]] = {}
    for check in [*found.checks, *(check for check in study.checks if check.form_id == form_id)]:
        for item_id in check.items:
            checks.setdefault(item_id, []).append(check)
    return render_template(
        "study/form.html", study=study, form=found, checks=checks, types=TYPES, severities=SEVERITIES
    )


@blueprint.get("/codelists")
@guard(action="view study")
def codelists() -> ResponseReturnValue:
    """All code lists in both languages."""
    return render_template("study/codelists.html", study=_definitions())


@blueprint.get("/parameters")
@guard(action="view study")
def parameters() -> ResponseReturnValue:
    """Study parameters; those that are assumed wait for the principal investigator."""
    study = _definitions()
    assumed = [parameter for parameter in study.parameters.values() if parameter.assumed]
    settled = [parameter for parameter in study.parameters.values() if not parameter.assumed]
    return render_template("study/parameters.html", study=study, assumed=assumed, settled=settled)
