"""The data management dashboard: how far entry, queries, verification, signatures and locking are."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from models.clock import today
from views import progress_sections
from views.guard import guard, signed_in_user
from workflows import access, finding, progressing

blueprint = Blueprint("progress", __name__)


@blueprint.get("/progress")
@guard(action="view progress")
def index() -> ResponseReturnValue:
    """All figures at the person's sites, or at the one the address names."""
    user = signed_in_user()
    code = request.args.get("site", "")
    progress = progressing.read(user, code)
    site = progress.sites[0][0] if code else None
    months, period = progress_sections.over_time(progress.months, site)
    return render_template(
        "progress/index.html",
        sites=finding.sites(user, progressing.ACTION),
        site=code,
        day=today(),
        headline=progress_sections.headline(progress, code),
        sections=progress_sections.sections(progress, access.may(user, "sign")),
        months=months,
        period=period,
    )
