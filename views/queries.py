"""Queries: the list of each role, one query beside its data, raising, answering many at once, and the figures."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from design.definitions import StudyDef
from models import Query, Subject, User
from models.change import Change
from views.addresses import page_asked
from views.board import event_name, form_address
from views.guard import guard, signed_in_user
from views.query_words import STATUSES, asked_of, conversation, form_href, labels_of, list_filters, row_of, where, word
from views.shell import language, study_label
from workflows import access, finding, monitoring, query_list, query_metrics, query_places, querying
from workflows.query_list import Filters
from workflows.query_places import Target
from workflows.refusals import NotFound, Refusal

blueprint = Blueprint("queries", __name__)
AGES = (7, 14, 30, 90)


@blueprint.get("/queries")
@guard(action="view queries")
def index() -> ResponseReturnValue:
    """The queries at the person's sites, narrowed to what waits for her unless she asks otherwise."""
    user = signed_in_user()
    filters, number = _filters(user), page_asked()
    session["query list"] = asdict(filters)
    found, more = query_list.page(user, filters, number)
    forms, checks = query_list.forms_and_checks(user)
    return render_template(
        "queries/index.html",
        rows=[row_of(query) for query in found],
        filters=filters,
        count=query_list.count(user, filters),
        args={name: value for name, value in request.args.items() if value and name != "page"},
        page=number,
        more=more,
        statuses={name: word(words) for name, words in STATUSES.items()},
        sites=finding.sites(user, "view queries"),
        forms=_form_names(forms),
        checks=checks,
        roles={role: word(access.ROLES[role]) for role in querying.ASSIGNEES},
        ages=AGES,
        bulk=[act for act in querying.IN_BULK if access.may(user, querying.ACTION_OF[act])],
        longest=querying.LONGEST,
    )


def _form_names(form_ids: list[str]) -> dict[str, str]:
    study = finding.design(finding.study().current_version_id or 0) if form_ids else None
    known = study.forms if study else {}
    return {form_id: study_label(known[form_id]) if form_id in known else form_id for form_id in form_ids}


def _filters(user: User) -> Filters:
    """What the address asks for; without any filter what waits for the person."""
    asked = {name: value.strip()[:80].replace("\x00", "") for name, value in request.args.items() if value}
    if not set(asked) - {"page"}:
        return query_list.default_for(user)
    code = asked.get("site", "")
    site = next((site.id for site in finding.sites(user, "view queries") if site.code == code), None)
    age = asked.get("age", "")
    return Filters(
        status=asked["status"] if asked.get("status") in STATUSES else "waiting",
        site_id=site,
        form_id=asked.get("form", ""),
        check_id=asked.get("check", ""),
        assignee=asked["assignee"] if asked.get("assignee") in querying.ASSIGNEES else "",
        older_than=int(age) if age in {str(days) for days in AGES} else 0,
        subject=asked.get("participant", ""),
        text=asked.get("q", ""),
        origin=asked["origin"] if asked.get("origin") in ("check", "person") else "",
    )


@blueprint.post("/queries")
@guard(action="view queries")
def bulk() -> ResponseReturnValue:
    """Answer or close the ticked queries with the same words."""
    user = signed_in_user()
    shown = dict(pair for pair in map(_ticked, request.form.getlist("query")) if pair is not None)
    back = url_for("queries.index") + (f"?{query}" if (query := request.query_string.decode("ascii", "ignore")) else "")
    if not shown:
        flash(_("Tick the queries first; nothing was done."), "warn")
        return redirect(back, 303)
    try:
        result = querying.do_many(user, shown, request.form.get("do", ""), request.form.get("text", ""))
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        return redirect(back, 303)
    if result.done:
        text, receipts = ngettext("%(num)d query done.", "%(num)d queries done.", result.done), _("Receipts")
        more = " …" if len(result.receipts) > 5 else ""
        flash(f"{text} {receipts}: {', '.join(result.receipts[:5])}{more}", "ok")
    for sentence, number in _why_not(result).items():
        left = ngettext("%(num)d query was left as it is:", "%(num)d queries were left as they are:", number)
        flash(f"{left} {sentence}", "warn")
    return redirect(back, 303)


def _ticked(text: str) -> tuple[int, int] | None:
    """A query and the revision that was shown, from `12.3`."""
    number, _dot, revision = text.partition(".")
    if all(each.isascii() and each.isdigit() and len(each) < 10 for each in (number, revision)):
        return int(number), int(revision)
    return None


def _why_not(result: querying.Bulk) -> dict[str, int]:
    found: dict[str, int] = {}
    for _number, refusal in result.refused:
        sentence = refusal.text(language())
        found[sentence] = found.get(sentence, 0) + 1
    return found


@blueprint.get("/queries/metrics")
@guard(action="view queries")
def metrics() -> ResponseReturnValue:
    """How many are open and for how long, how long answers take, and the yield of each check."""
    user = signed_in_user()
    found = query_metrics.read(user)
    sites = {site.id: f"{site.code} {site.name(language())}" for site in finding.sites(user, "view queries")}
    forms = _form_names(sorted({form_id for form_id in found["form"] if form_id}))
    return render_template(
        "queries/metrics.html",
        all=found["all"].get("", query_metrics.Figures()),
        groups=[
            (_("By site"), "site", _ordered(found["site"], sites)),
            (_("By form"), "form", _ordered(found["form"], forms | {None: _("participant or visit as a whole")})),
            (_("By check"), "check", _ordered(found["check"], {})),
        ],
        ages=query_metrics.AGES,
    )


def _ordered(figures: dict[Any, query_metrics.Figures], names: dict[Any, str]) -> list[tuple[Any, str, Any]]:
    rows = [(key, names.get(key, str(key)), each) for key, each in figures.items()]
    return sorted(rows, key=lambda row: (-row[2].total, row[1]))


@blueprint.get("/queries/<int:query_id>")
@guard(action="view queries")
def show(query_id: int) -> ResponseReturnValue:
    """One query: what it asks about, as it stands now, beside the conversation."""
    user = signed_in_user()
    query = finding.query(user, query_id)
    talk = conversation(user, query, query_list.data_of(query), in_form=False)
    return render_template("queries/show.html", talk=talk, query=query, text="")


@blueprint.post("/queries/<int:query_id>")
@guard(action="view queries")
def act(query_id: int) -> ResponseReturnValue:
    """Answer, comment on, close, cancel, reopen or reassign; then the next query when she asks for it."""
    user = signed_in_user()
    query = finding.query(user, query_id)
    what, text = request.form.get("do", ""), request.form.get("text", "")
    in_form, revision = "in_form" in request.form, request.form.get("revision", "")
    following = query_list.next_after(user, list_filters(user), query) if "next" in request.form else None
    try:
        with _change(user, f"{what} query", query) as change:
            querying.do(
                change, query, what, text, int(revision) if revision.isdigit() else -1, request.form.get("to", "")
            )
        flash(_("Done. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(refusal.text(language()), "error")
        talk = conversation(user, finding.query(user, query_id), query_list.data_of(query), in_form=False)
        return render_template("queries/show.html", talk=talk, query=query, text=text), refusal.status
    if following is not None:
        return redirect(_address(user, following, in_form), 303)
    if "next" in request.form:
        flash(_("That was the last one of the list."), "info")
        return redirect(url_for("queries.index"), 303)
    return redirect(_address(user, query_id, in_form), 303)


def _change(user: User, action: str, query: Query) -> Change:
    subject = query.subject
    known = action.partition(" ")[0] in querying.WHO
    name = action if known else "query"
    return Change(by=user, action=name, subject=subject, about=f"query/{query.id}", chain=finding.study().oid)


def _address(user: User, query_id: int, in_form: bool) -> str:
    """The page of a query: in its form when she works there and the form is there."""
    page = url_for("queries.show", query_id=query_id)
    if not in_form:
        return page
    query = finding.query(user, query_id)
    return form_href(query, finding.design_for(query.subject.site)) or page


@blueprint.get("/participants/<int:subject_id>/queries/new")
@guard(action="raise query")
def new(subject_id: int) -> ResponseReturnValue:
    """Ask about a participant, visit, form, row or item; saved or not."""
    return _render_new(signed_in_user(), subject_id, _asked_place(request.args), "")


def _asked_place(source: Any) -> dict[str, Any]:
    repeat = source.get("repeat", "")
    return {
        "event": source.get("event", "")[:40],
        "form": source.get("form", "")[:40],
        "repeat": int(repeat) if repeat.isascii() and repeat.isdigit() and len(repeat) < 6 else 1,
        "paths": [path[:200] for path in source.getlist("path") if path],
    }


@blueprint.post("/participants/<int:subject_id>/queries/new")
@guard(action="raise query")
def create(subject_id: int) -> ResponseReturnValue:
    """Open the query, then back to where it was asked."""
    user = signed_in_user()
    place = _asked_place(request.form)
    text = request.form.get("text", "")
    try:
        target = _target(user, subject_id, _scoped(place, request.form.get("scope", "")))
        subject = target.subject
        with Change(by=user, action="raise query", subject=subject, chain=finding.study().oid) as change:
            visit = monitoring.open_visit_of(user, subject.site_id)
            querying.raise_query(
                change,
                target,
                text,
                request.form.get("reason_code", ""),
                request.form.get("to", "nurse"),
                visit.id if visit else None,
            )
    except NotFound:
        raise
    except Refusal as refusal:
        return _render_new(user, subject_id, place, text, refusal)
    flash(_("The query is open. Receipt %(receipt)s.", receipt=change.receipt), "ok")
    return redirect(_back(target), 303)


def _scoped(place: dict[str, Any], scope: str) -> dict[str, Any]:
    """The place as wide as she chose: items, their row, the form, the visit, or the participant."""
    wider = dict(place)
    if scope == "row":
        wider["paths"] = list(dict.fromkeys(path.rsplit("/", 1)[0] for path in place["paths"] if path.count("/") == 2))
    if scope in ("form", "visit", "participant"):
        wider["paths"] = []
    if scope in ("visit", "participant"):
        wider["form"] = ""
    if scope == "participant":
        wider["event"] = ""
    return wider


def _target(user: User, subject_id: int, place: dict[str, Any]) -> Target:
    return query_places.target(user, subject_id, place["event"], place["form"], place["repeat"], place["paths"])


def _render_new(
    user: User, subject_id: int, place: dict[str, Any], text: str, refusal: Refusal | None = None
) -> tuple[str, int]:
    target = _target(user, subject_id, place)
    study = finding.design(target.data.version_id) if target.data else finding.design_for(target.subject.site)
    page = render_template(
        "queries/new.html",
        subject=target.subject,
        place=place,
        scopes=_scopes(user, target, study),
        asked=asked_of(target.paths, target.data, study),
        visits=[] if target.event else _visits(target.subject, study),
        reasons=[(code, word(querying.REASON_CODES[code])) for code in querying.PERSONAL],
        roles=[(role, word(access.ROLES[role])) for role in querying.ASSIGNEES],
        chosen=request.form,
        text=text,
        refusal=refusal.text(language()) if refusal else "",
        back=_back(target),
        longest=querying.LONGEST,
    )
    return page, refusal.status if refusal else 200


def _scopes(user: User, target: Target, study: StudyDef) -> list[tuple[str, str]]:
    """What the query may be about, from the narrowest to the widest, in words."""
    found: list[tuple[str, str]] = []
    if any(path.count("/") == 2 for path in target.paths):
        found.append(("item", ", ".join(label for label, _gone in labels_of(target.paths, study))))
    rows = list(dict.fromkeys("/".join(path.split("/")[:2]) for path in target.paths))
    repeating = {group.id for form in study.forms.values() for group in form.groups if group.repeats}
    if any(row.partition("/")[0] in repeating for row in rows):
        found.append(("row", _("the row: %(row)s", row=", ".join(label for label, _gone in labels_of(rows, study)))))
    if target.form_id is not None:
        found.append(("form", _("the form as a whole: %(form)s", form=where(target, study))))
    if target.event is not None:
        found.append(("visit", _("the visit: %(visit)s", visit=where(Target(target.subject, target.event), study))))
    return [*found, ("participant", _("the participant as a whole: %(number)s", number=target.subject.label))]


def _visits(subject: Subject, study: StudyDef) -> list[tuple[str, str]]:
    return [(event.key, event_name(study.events.get(event.event_id), event)) for event in subject.events]


def _back(target: Target) -> str:
    if target.event is None:
        return url_for("participants.show", subject_id=target.subject.id)
    if target.form_id is None:
        return url_for("participants.show", subject_id=target.subject.id) + f"#e-{target.event.key}"
    repeat = target.repeat if target.data or target.repeat == 1 else "new"
    anchor = f"#i-{target.paths[0]}" if target.paths else ""
    return form_address(target.subject, target.event, target.form_id, repeat or 1) + anchor
