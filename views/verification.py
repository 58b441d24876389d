"""Source data verification: what is left, a visit item by item beside its values, and the plans."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from forms.crf_words import cell_text
from forms.verification import PlanInput
from models import FormData, SdvPlan, Site, StudyEvent, Subject, User
from models.change import Change
from models.clock import today
from views import choices, wording
from views.addresses import page_asked
from views.board import event_name, form_address
from views.guard import guard, local_path, signed_in_user
from views.shell import language
from workflows import access, finding, left_to_verify, monitoring, planning_verification, tracing, verifying
from workflows.finding import FormPlace
from workflows.left_to_verify import FormLeft
from workflows.planning_verification import NO_PLAN, SCOPES, Asking, Tally
from workflows.refusals import NotFound, Refusal
from workflows.verifying import Shown

blueprint = Blueprint("verification", __name__, url_prefix="/verification")
VISIT = "/<int:subject_id>/<event_key>"


@dataclass(frozen=True)
class Line:
    """One item: its words, its value, and its mark if it has one."""

    path: str
    code: str
    label: str
    value: str
    critical: bool
    by: str
    at: str
    query: str


@dataclass(frozen=True)
class Part:
    """One form with the items its plan asks for. `shown` is what is posted back: id, revision, paths."""

    data: FormData
    title: str
    href: str
    lines: list[Line]
    left: int
    shown: str
    closed: str


@blueprint.get("")
@guard(action="view reviews")
def index() -> ResponseReturnValue:
    """Participants by visits, with what is left under the plan."""
    user = signed_in_user()
    sites = finding.sites(user, "view reviews")
    code, page = request.args.get("site", ""), page_asked()
    chosen = [site for site in sites if not code or site.code == code]
    rows, more = left_to_verify.participants(user, chosen, page)
    return render_template(
        "verification/index.html",
        rows=[(row, [_visit_link(row.subject, left.event, left.tally) for left in row.visits]) for row in rows],
        more=more,
        page=page,
        sites=sites,
        site=code,
        open_visits=[visit for visit in monitoring.list_visits(user) if visit.status == "open"],
    )


def _visit_link(subject: Subject, event: StudyEvent, tally: Tally) -> dict[str, Any]:
    definition = finding.design_for(subject.site).events.get(event.event_id)
    return {
        "name": event_name(definition, event),
        "href": url_for("verification.visit", subject_id=subject.id, event_key=event.key),
        "left": tally.left,
        "date": event.visit_date,
    }


@blueprint.get(VISIT)
@guard(action="view reviews")
def visit(subject_id: int, event_key: str) -> ResponseReturnValue:
    """The forms of a visit with just the items the plan asks for, side by side with their values."""
    user = signed_in_user()
    subject = finding.subject(user, subject_id, "view reviews")
    event = finding.event(subject, event_key)
    asking, forms = left_to_verify.visit(subject, event)
    parts = _parts(user, subject, event, [form for form in forms if form.asked])
    return render_template(
        "verification/visit.html",
        subject=subject,
        event=event,
        event_name=event_name(finding.design_for(subject.site).events.get(event.event_id), event),
        plan=plan_words(asking, event),
        parts=parts,
        left=sum(part.left for part in parts if not part.closed),
        may_verify=access.may(user, "verify", at=subject.site_id),
        open_visit=monitoring.open_visit_of(user, subject.site_id),
    )


def _parts(user: User, subject: Subject, event: StudyEvent, forms: list[FormLeft]) -> list[Part]:
    names = tracing.full_names({mark["by"] for form in forms for mark in form.marks.values() if "by" in mark})
    asks = access.may(user, "raise query", at=subject.site_id)
    return [_part(subject, event, form, names, asks) for form in forms]


def _part(subject: Subject, event: StudyEvent, form: FormLeft, names: dict[int, str], asks: bool) -> Part:
    data, tongue = form.data, language()
    lines = []
    for path in form.asked:
        item, mark = form.study.items[path.rsplit("/", 1)[-1]], form.marks.get(path)
        group, row, item_id = path.split("/")
        where: dict[str, Any] = {"event": event.key, "form": data.form_id, "repeat": data.repeat, "path": path}
        lines.append(
            Line(
                path=path,
                code=item.id,
                label=choices.path_label(form.study, path, tongue),
                value=cell_text(form.study, item, data.answers[group][row][item_id], tongue),
                critical=item.critical,
                by=names.get(mark.get("by"), "") if mark else "",
                at=mark["at"] if mark else "",
                query=url_for("queries.new", subject_id=subject.id, **where) if asks else "",
            )
        )
    return Part(
        data=data,
        title=wording.form_name(form.study, data.form_id, data.repeat),
        href=form_address(subject, event, data.form_id, data.repeat),
        lines=lines,
        left=len(form.left),
        shown=" ".join([str(data.id), str(data.revision), *form.left]),
        closed=Refusal("locked").text(language()) if data.protection == "locked" else "",
    )


def plan_words(asking: Asking, event: StudyEvent) -> str:
    """What the plan asks here, in a sentence."""
    if asking.plan is None:
        return _("There is no verification plan for this date: all items are verified.")
    scope = SCOPES[asking.scope][language() == "zh"]
    since = asking.plan.from_date.isoformat()
    if event.visit_date is None:
        return _("Plan since %(since)s, in force today: %(scope)s.", since=since, scope=scope)
    return _("Plan for visits since %(since)s: %(scope)s.", since=since, scope=scope)


def part_of(user: User, place: FormPlace) -> dict[str, Any] | None:
    """What the page of a form says about verification (`templates/forms/_verification.html`); None when nothing."""
    at = place.subject.site_id
    if place.data is None or place.data.in_error is not None or not access.may(user, "view reviews", at=at):
        return None
    asking, form = left_to_verify.form(place.data)
    marked = [path for path in form.asked if path in form.marks]
    (part,) = _parts(user, place.subject, place.event, [form])
    return {
        "asked": len(form.asked),
        "verified": len(marked),
        "left": part.left,
        "beyond": len(form.marks) - len(marked),
        "marks": [line for line in part.lines if line.by],
        "plan": plan_words(asking, place.event),
        "shown": part.shown,
        "may_verify": access.may(user, "verify", at=at) and not part.closed,
        "address": url_for("verification.verify", subject_id=place.subject.id, event_key=place.event.key),
        "visit": url_for("verification.visit", subject_id=place.subject.id, event_key=place.event.key),
        "back": f"/participants/{place.address}",
    }


@blueprint.post(VISIT)
@guard(action="verify")
def verify(subject_id: int, event_key: str) -> ResponseReturnValue:
    """Mark everything shown or what is ticked, or take marks back with a reason."""
    user = signed_in_user()
    subject = finding.subject(user, subject_id, "verify")
    event = finding.event(subject, event_key)
    back = local_path(request.form.get("back")) or url_for(".visit", subject_id=subject.id, event_key=event.key)
    try:
        if request.form.get("do") == "withdraw":
            _withdraw(user, subject, _ticked(_shown(), "marked"), request.form.get("reason", "").strip()[:500])
        else:
            shown = _shown()
            _verify(user, subject, shown if request.form.get("do") == "all" else _ticked(shown, "item"))
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
    return redirect(back, 303)


def _shown() -> list[Shown]:
    """What the page showed of each form: `id revision path path …`."""
    found = []
    for text in request.form.getlist("shown"):
        form_id, _space, rest = text.partition(" ")
        revision, *paths = rest.split(" ")
        found.append(Shown(_number(form_id), _number(revision), tuple(path for path in paths if path)))
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refusal("invalid")
    return int(text)


def _ticked(shown: list[Shown], name: str) -> list[Shown]:
    """The items that were ticked, `id path`, with the revision at which their form was shown."""
    paths: dict[int, list[str]] = defaultdict(list)
    for text in request.form.getlist(name):
        form_id, _space, path = text.partition(" ")
        paths[_number(form_id)].append(path)
    return [
        Shown(each.form_data_id, each.revision, tuple(paths[each.form_data_id]))
        for each in shown
        if paths[each.form_data_id]
    ]


def _verify(user: User, subject: Subject, shown: list[Shown]) -> None:
    with Change(by=user, action="verify", subject=subject, site=subject.site, chain=finding.study().oid) as change:
        outcome = verifying.verify_forms(change, subject, [each for each in shown if each.paths])
    text = ngettext("%(num)d item verified.", "%(num)d items verified.", outcome.items)
    flash(text + " " + _("Receipt %(receipt)s.", receipt=change.receipt), "ok")
    for data, refusal in outcome.left_out:
        name = wording.form_name(finding.design(data.version_id), data.form_id, data.repeat)
        flash(_("Left out: %(form)s. %(why)s", form=name, why=refusal.text(language())), "warn")


def _withdraw(user: User, subject: Subject, ticked: list[Shown], reason: str) -> None:
    if not ticked:
        raise Refusal("sdv-no-mark")
    study = finding.study().oid
    with Change(
        by=user, action="withdraw verification", reason=reason, subject=subject, site=subject.site, chain=study
    ) as change:
        count = 0
        for each in ticked:
            data = finding.form_data(user, each.form_data_id)
            if data.subject_id != subject.id:
                raise NotFound
            count += verifying.unverify_items(change, data, each.revision, each.paths)
    text = ngettext("%(num)d mark taken back.", "%(num)d marks taken back.", count)
    flash(text + " " + _("Receipt %(receipt)s.", receipt=change.receipt), "ok")


@blueprint.get("/plans")
@guard(action="view reviews")
def plans() -> ResponseReturnValue:
    """Every plan with how far it is."""
    user = signed_in_user()
    return _plans_page(user, _plan_form(user))


@blueprint.post("/plans")
@guard(action="plan verification")
def add_plan() -> ResponseReturnValue:
    """Decide what is verified at a site from a day on."""
    user = signed_in_user()
    form = _plan_form(user)
    if not form.validate_on_submit():
        return _plans_page(user, form), 422
    site = finding.site(user, "plan verification", form.site.data)
    percent = 100 if form.percent.data is None else form.percent.data
    try:
        with Change(
            by=user, action="plan verification", reason=form.reason.data, site=site, chain=finding.study().oid
        ) as change:
            planning_verification.add_plan(
                change,
                site,
                form.from_date.data or today(),
                form.scope.data,
                percent,
                (form.seed.data or "").strip(),
                form.exempt_items,
            )
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return _plans_page(user, form), refusal.status
    flash(_("The plan holds. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    return redirect(url_for(".plans"), 303)


def _plan_form(user: User) -> PlanInput:
    form = PlanInput(from_date=today(), percent=100)
    sites = finding.sites(user, "plan verification")
    form.site.choices = [(site.code, f"{site.code} {site.name(language())}") for site in sites]
    form.scope.choices = [(scope, words[language() == "zh"]) for scope, words in SCOPES.items()]
    return form


def _plans_page(user: User, form: PlanInput) -> str:
    sites = finding.sites(user, "view reviews")
    progress = planning_verification.progress(sites)
    rows = [_plan_row(plan.site, plan, progress.get((plan.site_id, plan.id), Tally())) for plan in _newest(user)]
    rows += [_plan_row(site, None, progress[site.id, NO_PLAN]) for site in sites if (site.id, NO_PLAN) in progress]
    return render_template(
        "verification/plans.html",
        rows=rows,
        form=form,
        may_plan=access.may(user, "plan verification"),
    )


def _newest(user: User) -> list[SdvPlan]:
    return sorted(planning_verification.list_plans(user), key=lambda each: (each.site.code, each.from_date, each.id))


def _plan_row(site: Site, plan: SdvPlan | None, tally: Tally) -> dict[str, Any]:
    return {
        "site": f"{site.code} {site.name(language())}",
        "plan": plan,
        "scope": SCOPES[plan.scope if plan else "all"][language() == "zh"],
        "tally": tally,
    }
