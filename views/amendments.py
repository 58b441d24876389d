"""Later study versions: what they change, what that does to the data of each site, activating one and moving forms to it."""

from datetime import date
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from design.comparison import Difference
from design.definitions import StudyDef
from models import AmendmentRun, Job, Site, StudyVersion, User
from models.change import Change
from views.guard import guard, signed_in_user
from views.shell import language
from workflows import access, activating, amending, check_queries, finding, impact, jobs
from workflows.amendment_report import Report
from workflows.refusals import NotFound, Refusal

blueprint = Blueprint("amendments", __name__, url_prefix="/study/amendments")
KIND = "amendment"
SHOWN = 400  # differences on one page


@blueprint.get("")
@guard(action="view study")
def index() -> ResponseReturnValue:
    """Versions and where each site stands; runs under way and finished."""
    user = signed_in_user()
    sites = finding.sites(user, "view study")
    versions = finding.versions()
    return render_template(
        "amendments/index.html",
        versions=versions,
        sites=[(site, _number(site, versions), amending.waiting(site)) for site in sites],
        activations=activating.activations([site.id for site in sites]),
        numbers={version.id: version.number for version in versions},
        runs=[(site, run) for site in sites for run in amending.runs(site)],
        jobs=[(job, jobs.state(job)) for job in jobs.of(user, KIND)],
        may_amend=access.may(user, "amend"),
    )


def _number(site: Site, versions: list[StudyVersion]) -> int:
    return next(version.number for version in versions if version.id == site.version_id)


@blueprint.get("/<int:number>")
@guard(action="view study")
def show(number: int) -> ResponseReturnValue:
    """What a version changes, and, for a site that is asked for, what it does to the data there."""
    user = signed_in_user()
    versions = finding.versions()
    new = _version(number)
    old = max((each for each in versions if each.number < number), key=lambda each: each.number, default=None)
    if old is None:
        raise NotFound
    code = request.args.get("site", "")
    site = finding.site(user, "view participants", code) if code else None
    study = finding.design(new.id)
    found = impact.between(old, new, language())
    return render_template(
        "amendments/show.html",
        new=new,
        old=old,
        study=study,
        differences=[(_kind(each), _tongue(each), each) for each in found[:SHOWN]],
        gated=_gated(study),
        more=max(0, len(found) - SHOWN),
        sites=finding.sites(user, "view participants"),
        site=site,
        is_active=site is not None and _number(site, versions) >= number,
        told=impact.at_site(site, study) if site else None,
        table=_table,
        left=_left,
        names=_names(study, finding.design(old.id)),
        may_activate=site is not None and access.may(user, "activate version", at=site.id),
        may_amend=site is not None and access.may(user, "amend", at=site.id),
    )


def _version(number: int) -> StudyVersion:
    try:
        return amending.version(number)
    except Refusal:
        raise NotFound from None


def _kind(difference: Difference) -> str:
    return {"added": _("added"), "removed": _("removed"), "changed": _("changed")}[difference.kind]


def _tongue(difference: Difference) -> str:
    """Whether a difference is words (for people: `zh`, `en`) or the text of a definition (`code`)."""
    part = difference.path.rpartition("/label/")[2]
    if part in ("zh", "en"):
        return {"zh": "zh-CN"}.get(part, part)
    is_named = difference.kind != "changed" and not difference.path.startswith("tables/")
    return "" if is_named else "code"


def _gated(study: StudyDef) -> list[str]:
    """What is asked only after a new consent: visits, forms and items by name."""
    gate = study.amendment.reconsent if study.amendment else None
    if gate is None:
        return []
    named = [study.events[each].label for each in gate.events]
    named += [study.forms[each].label for each in gate.forms] + [study.items[each].label for each in gate.items]
    return [label.text(language()) for label in named]


def _names(*studies: StudyDef) -> dict[str, str]:
    """What items and checks are called, in the newest version that has them."""
    names: dict[str, str] = {}
    for study in reversed(studies):
        names |= {item.id: item.label.text(language()) for item in study.items.values()}
        names |= {key: check.label.text(language()) for key, check in check_queries.checks_of(study).items()}
    return names


def _table(report: Report) -> list[tuple[str, dict[str, int]]]:
    """What happens to answers, one line each, with the items and how often."""
    words = (
        ("moved", _("Answers that move to another item")),
        ("recoded", _("Answers that are recoded")),
        ("dropped", _("Answers kept, but no longer asked")),
        ("derived", _("Derived values computed anew")),
        ("reinterpreted", _("Answers whose question or code reads differently")),
        ("required", _("Required now, without an answer")),
        ("checks", _("Checks that newly fail")),
    )
    return [(text, dict(sorted(getattr(report, name).items()))) for name, text in words if getattr(report, name)]


def _left(why: str) -> str:
    """Why a form is not moved."""
    words = {"frozen": _("frozen"), "locked": _("locked"), "no_form": _("the later version has no such form")}
    return words.get(why, why)


@blueprint.post("/<int:number>/activate")
@guard(action="activate version")
def activate(number: int) -> ResponseReturnValue:
    """Let a site work under the version from a day on, after its ethics committee approved it."""
    user, version = signed_in_user(), _version(number)
    site = finding.site(user, "activate version", request.form.get("site", ""))
    page = url_for(".show", number=number, site=site.code)
    try:
        with Change(by=user, action="activate version", site=site, chain=finding.study().oid) as change:
            approval = request.form.get("approval", "")
            made = activating.activate(change, site, version, _day(request.form.get("from_date", "")), approval)
            day = made.from_date
        flash(_("Version %(number)s holds at this site from %(day)s.", number=number, day=day), "ok")
        activating.spread(user, finding.site(user, "activate version", request.form.get("site", "")))
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(page, 303)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


@blueprint.post("/<int:number>/run")
@guard(action="amend", recent=True)
def run(number: int) -> ResponseReturnValue:
    """Move the stored forms of a site, in the background; people go on working meanwhile."""
    user, version = signed_in_user(), _version(number)
    site = finding.site(user, "amend", request.form.get("site", ""))
    reason = request.form.get("reason", "")
    try:
        amending.refuse_run(user, site, version, reason)
        parameters: dict[str, object] = {"site": site.code, "version": number}
        jobs.start(user, KIND, parameters, _work(reason), ".txt")
        flash(_("The forms are being moved. You may close this page; how far it is stands here."), "ok")
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return redirect(url_for(".show", number=number, site=site.code), 303)
    return redirect(url_for(".index"), 303)


def _work(reason: str) -> jobs.Work:
    def work(user: User, job: Job, path: Path, progress: amending.Progress) -> None:
        site = finding.site(user, "amend", str(job.parameters["site"]))
        done = amending.run(user, site, amending.version(int(job.parameters["version"])), reason, progress)
        path.write_text("\n".join(impact.as_lines(Report.of(done.report), user.language)) + "\n", encoding="utf-8")

    return work


@blueprint.get("/jobs/<int:job_id>")
@guard(action="amend")
def progress(job_id: int) -> ResponseReturnValue:
    """How far a run is, for the page that waits for it."""
    job = jobs.find(signed_in_user(), job_id)
    return jsonify(state=jobs.state(job), done=job.done, total=job.total)


@blueprint.get("/runs/<int:run_id>")
@guard(action="view study")
def report(run_id: int) -> ResponseReturnValue:
    """What a run did."""
    return _report(*_run(run_id))


@blueprint.get("/runs/<int:run_id>/file")
@guard(action="view study")
def report_file(run_id: int) -> ResponseReturnValue:
    """The same as a text to keep, in the reader's language."""
    site, found = _run(run_id)
    new, old = finding.design(found.to_version_id), finding.design(found.from_version_id)
    head = [f"{site.code} {site.name(language())}", f"{old.version} → {new.version}", found.started_by]
    lines = [" · ".join(head), *impact.as_lines(Report.of(found.report or {}), language())]
    answer = Response("\ufeff" + "\r\n".join(lines) + "\r\n", mimetype="text/plain")
    answer.headers["Content-Disposition"] = f"attachment; filename=amendment-{site.code}-v{new.version}-{run_id}.txt"
    return answer


def _run(run_id: int) -> tuple[Site, AmendmentRun]:
    for site in finding.sites(signed_in_user(), "view participants"):
        for found in amending.runs(site):
            if found.id == run_id:
                return site, found
    raise NotFound


def _report(site: Site, found: AmendmentRun) -> str:
    new, old = finding.design(found.to_version_id), finding.design(found.from_version_id)
    told: Any = Report.of(found.report) if found.report else Report()
    return render_template(
        "amendments/run.html", site=site, run=found, new=new, old=old, report=told, table=_table, left=_left,
        names=_names(new, old),
    )  # fmt: skip
