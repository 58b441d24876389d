"""The work list: what waits for this person, by role."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from models import User
from views import wording
from views.guard import guard, signed_in_user
from workflows import access, finding, reminding, tracing

blueprint = Blueprint("home", __name__)

CHANGES_OF_DATA = (
    "save form",
    "mark in error",
    "mark not done",
    "screen",
    "mark visit",
    "add unscheduled visit",
)


@blueprint.get("/")
@guard(signed_in=True)
def index() -> ResponseReturnValue:
    """The cards that the person's roles call for."""
    user = signed_in_user()
    actions = access.actions_of(user)
    page = {"actions": actions, "roles": access.roles_of(user), "status_name": wording.status_name}
    if "view participants" in actions and finding.has_study():
        page.update(_participants(user))
    if "enter data" in actions:
        page["drafts"] = reminding.drafts_of(user)
        page["forms"] = reminding.forms_in_progress(user)
    if {"monitor", "data_manager", "investigator", "inspector"} & set(access.roles_of(user)):
        page["recent"] = rows_of(tracing.list_recent(user, CHANGES_OF_DATA))
    if "data_manager" in access.roles_of(user) or "investigator" in access.roles_of(user):
        page["findings"] = reminding.open_findings(user, 30)
    if "resolve duplicate" in actions:
        page["duplicates"] = reminding.possible_duplicates(user)
    if "export" in actions:
        page["exports"] = finding.exports(user)[:6]
    if "manage users" in actions:
        people, last = finding.users(user), tracing.last_sign_ins(user)
        page.update(people=people, dormant=reminding.dormant(people, last))
        page["refused"] = rows_of(tracing.list_recent(user, ("sign in refused",)))
        page["without_study"] = not finding.has_study()
    return render_template("home.html", **page)


def _participants(user: User) -> dict[str, object]:
    visits = reminding.visits_due(user)
    return {
        "visits": visits,
        "overdue": sum(visit.status == "overdue" for visit in visits),
        "enrolment": reminding.enrolment(user),
    }


def rows_of(changes: list[tracing.Traced]) -> list[dict[str, object]]:
    """Changes with the words that a list of them shows."""
    forms = tracing.form_words(wording.form_ids_of(changes))
    subjects = tracing.subject_labels({traced.change.subject_id for traced in changes if traced.change.subject_id})
    names = tracing.full_names(wording.user_ids_of(changes))
    rows = []
    for traced in changes:
        lines, left = wording.lines(traced, forms)
        rows.append(
            {
                "traced": traced,
                "change": traced.change,
                "name": names.get(traced.change.user_id or 0, traced.change.user_name),
                "action": wording.action_name(traced.change.action),
                "where": wording.where(traced, forms, subjects, names),
                "lines": lines,
                "left": left,
                "receipt": f"{traced.change.seq}-{traced.change.link[:8]}",
            }
        )
    return rows
