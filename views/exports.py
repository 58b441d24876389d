"""Exports: ask for a package, and fetch it."""

from flask import Blueprint, abort, flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.exports import ExportInput
from views.guard import guard, signed_in_user
from views.shell import language
from workflows import access, cutting, exporting, finding

blueprint = Blueprint("exports", __name__)
NEWEST = 50


def _form() -> ExportInput:
    """The input with what this person may choose."""
    user, chinese = signed_in_user(), language() == "zh"
    form = ExportInput()
    form.formats.choices = [
        (name, words[chinese])
        for name, words in exporting.offered().items()
        if name != "trail" or access.may(user, "view trail")
    ]
    form.cut.choices = [("", _("as they are now"))]
    form.cut.choices += [(cut.name, _("as of cut %(name)s", name=cut.name)) for cut in cutting.every(user)]
    form.sites.choices = [(site.code, f"{site.code} {site.name(language())}") for site in finding.sites(user, "export")]
    return form


@blueprint.get("/exports")
@guard(action="export")
def index() -> ResponseReturnValue:
    """What was exported, and the form for the next package."""
    form = _form()
    form.formats.data = form.formats.data or ["csv", "excel"]
    form.sites.data = form.sites.data or [code for code, _label in form.sites.choices]
    return _page(form)


@blueprint.post("/exports")
@guard(action="export", recent=True)
def make() -> ResponseReturnValue:
    """Make a package."""
    form = _form()
    if not form.validate_on_submit():
        return _page(form), 422
    user = signed_in_user()
    cut = cutting.named(user, form.cut.data) if form.cut.data else None
    export = exporting.make(user, form.formats.data or [], form.sites.data or [], form.reason.data or "", cut)
    flash(_("The package is ready: %(name)s", name=export.file_name), "ok")
    return redirect(url_for("exports.index"), 303)


@blueprint.get("/exports/<int:export_id>/file")
@guard(action="export", recent=True)
def fetch(export_id: int) -> ResponseReturnValue:
    """Download a package; the download is recorded."""
    user = signed_in_user()
    export = finding.export(user, export_id)
    path = exporting.open_file(user, export)
    if not path.is_file():
        abort(404)
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=export.file_name)


def _page(form: ExportInput) -> str:
    exports = finding.exports(signed_in_user())
    return render_template("exports/index.html", form=form, exports=exports[:NEWEST], formats=exporting.FORMATS)
