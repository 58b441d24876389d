"""Tables, listings and figures of the analysis: redrawn from the data as they are or of a cut, and kept as a package."""

from pathlib import Path

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from models import DataCut, Job, User
from views.guard import guard, signed_in_user
from views.shell import language
from workflows import access, cutting, jobs, reporting
from workflows.jobs import Work
from workflows.refusals import Refusal

blueprint = Blueprint("outputs", __name__, url_prefix="/analysis/outputs")
KIND = "outputs"


@blueprint.get("")
@guard(action="view analysis")
def index() -> ResponseReturnValue:
    """Every output by kind, the filters, and the packages that were made."""
    user = signed_in_user()
    may_export = access.may(user, "export")
    return render_template(
        "outputs/index.html",
        entries=reporting.contents(language()),
        asked=_asked(),
        filters=_filters(user),
        cuts=_cuts(user),
        may_export=may_export,
        jobs=[(job, jobs.state(job)) for job in jobs.of(user, KIND)] if may_export else [],
    )


def _asked() -> dict[str, str]:
    return {name: request.args.get(name, "")[:60] for name in (*reporting.FILTERS, "cut")}


def _cuts(user: User) -> list[DataCut]:
    return cutting.every(user) if access.may(user, "export") else []


def _cut(user: User) -> DataCut | None:
    name = request.args.get("cut", "")
    return cutting.named(user, name) if name else None


def _filters(user: User) -> list[tuple[str, str, list[str]]]:
    words = {"site": _("Site"), "machine": _("Machine"), "stage": _("Stage"), "subtype": _("Subtype")}
    try:
        values = reporting.values(user, _cut(user))
    except Refusal as refusal:
        if refusal.code != "no-analysis":  # the page says that by itself
            flash(refusal.text(language()), "error")
        values = {}
    return [(name, words[name], values.get(name, [])) for name in reporting.FILTERS]


@blueprint.get("/<output_id>")
@guard(action="view analysis")
def show(output_id: str) -> ResponseReturnValue:
    """One output, with the records behind each cell."""
    user, asked = signed_in_user(), _asked()
    chosen = reporting.Chosen(**{name: asked[name] for name in reporting.FILTERS})
    made = reporting.one(user, output_id, chosen, _cut(user))
    if request.args.get("format") == "csv":
        answer = Response(reporting.as_csv_text(made, language()), mimetype="text/csv")
        answer.headers["Content-Disposition"] = f"attachment; filename={reporting.file_name(made)}.csv"
        return answer
    return render_template(
        "outputs/show.html",
        output=made,
        title=reporting.heading(made, language()),
        body=Markup(reporting.fragment(made, language())),  # noqa: S704 - every text in it is escaped where it is made
        asked={name: value for name, value in asked.items() if value},
    )


@blueprint.post("")
@guard(action="export", recent=True)
def make() -> ResponseReturnValue:
    """Make all outputs and the analysis datasets, in the background."""
    user, reason, tongue = signed_in_user(), request.form.get("reason", ""), language()
    name = request.form.get("cut", "")
    cut = cutting.named(user, name) if name else None
    parameters: dict[str, object] = {"cut": cut.name if cut else "", "language": tongue}
    try:
        if len(reason.strip()) < 3:
            raise Refusal("bad-reason")
        reporting.declared()
        jobs.start(user, KIND, parameters, _work(tongue, reason), ".zip")
        flash(_("The outputs are being made. You may close this page; they will be listed here."), "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(url_for(".index"), 303)


def _work(tongue: str, reason: str) -> Work:
    def work(user: User, job: Job, path: Path, progress: reporting.Progress) -> None:
        name = str(job.parameters["cut"])
        cut = cutting.named(user, name) if name else None
        reporting.package(user, tongue, reason, cut, path, progress)

    return work


@blueprint.get("/jobs/<int:job_id>")
@guard(action="export")
def progress(job_id: int) -> ResponseReturnValue:
    """How far a package is, for the page that waits for it."""
    job = jobs.find(signed_in_user(), job_id)
    return {"state": jobs.state(job), "done": job.done, "total": job.total}


@blueprint.get("/jobs/<int:job_id>/file")
@guard(action="export", recent=True)
def fetch(job_id: int) -> ResponseReturnValue:
    """The finished package, for the person who had it made; the download is recorded."""
    user = signed_in_user()
    path = jobs.file_of(jobs.find(user, job_id))
    reporting.note_download(user, path)
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=path.name)
