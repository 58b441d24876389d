"""Paper: casebooks of one participant or of all, and the CRF without answers."""

from pathlib import Path

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from models import Job, User
from views.guard import guard, signed_in_user
from views.shell import language
from workflows import access, finding, jobs, printing
from workflows.jobs import Work
from workflows.refusals import NotFound, Refusal

blueprint = Blueprint("printing", __name__)
CASEBOOKS = "casebooks"


@blueprint.get("/participants/<int:subject_id>/casebook.pdf")
@guard(action="print", recent=True)
def casebook(subject_id: int) -> ResponseReturnValue:
    """The casebook of one participant; with every old value when asked for."""
    user = signed_in_user()
    subject = finding.subject(user, subject_id, "print")
    with_history = request.args.get("history") == "1"
    made = printing.casebook(user, subject, language(), with_history=with_history)
    return _pdf(made, f"casebook-{subject.label}.pdf")


@blueprint.get("/study/crf-<int:number>.pdf")
@guard(action="view study")
def crf(number: int) -> ResponseReturnValue:
    """The CRF of a version, blank or annotated with the names of the export."""
    version = next((each for each in finding.versions() if each.number == number), None)
    if version is None:
        raise NotFound
    annotated = request.args.get("annotated") == "1"
    made = printing.crf(version, language(), annotated=annotated)
    return _pdf(made, f"crf-v{number}{'-annotated' if annotated else ''}.pdf")


@blueprint.get("/print")
@guard(action="print")
def index() -> str:
    """What can be printed, and how far the long prints are."""
    user = signed_in_user()
    return render_template(
        "printing/index.html",
        sites=finding.sites(user, "print"),
        may_history=access.may(user, "view trail"),
        versions=finding.versions(),
        jobs=[(job, jobs.state(job)) for job in jobs.of(user, CASEBOOKS)],
    )


@blueprint.post("/print")
@guard(action="print", recent=True)
def start() -> ResponseReturnValue:
    """Print the casebooks of all participants of the chosen sites, in the background."""
    user = signed_in_user()
    sites = [finding.site(user, "print", code) for code in request.form.getlist("sites")]
    if not sites:
        flash(_("Choose at least one site."), "error")
        return redirect(url_for("printing.index"), 303)
    with_history = request.form.get("history") == "1"
    parameters: dict[str, object] = {
        "sites": [site.code for site in sites],
        "history": with_history,
        "language": language(),
    }
    try:
        jobs.start(user, CASEBOOKS, parameters, _work(language(), with_history), ".zip")
        flash(_("The casebooks are being made. You may close this page; they will be listed here."), "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(url_for("printing.index"), 303)


def _work(tongue: str, with_history: bool) -> Work:
    def work(user: User, job: Job, path: Path, progress: printing.Progress) -> None:
        subject_ids = printing.subjects_at(user, [str(code) for code in job.parameters["sites"]])
        printing.all_casebooks(user, subject_ids, tongue, with_history, path, progress)

    return work


@blueprint.get("/print/<int:job_id>")
@guard(action="print")
def progress(job_id: int) -> ResponseReturnValue:
    """How far a print is, for the page that waits for it."""
    job = jobs.find(signed_in_user(), job_id)
    return jsonify(state=jobs.state(job), done=job.done, total=job.total)


@blueprint.get("/print/<int:job_id>/file")
@guard(action="print", recent=True)
def fetch(job_id: int) -> ResponseReturnValue:
    """The finished zip; only for the person who had it made, and only while she may still print."""
    user = signed_in_user()
    job = jobs.find(user, job_id)
    path = jobs.file_of(job)
    printing.note_download(user, [str(code) for code in job.parameters["sites"]], path)
    return send_file(path, mimetype="application/zip", as_attachment=True, download_name=path.name)


def _pdf(content: bytes, name: str) -> Response:
    answer = Response(content, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer
