"""The first safety and efficacy summary from the live data."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from views.guard import guard, signed_in_user
from views.shell import language
from workflows import analysing

blueprint = Blueprint("analysis", __name__)


@blueprint.get("/analysis")
@guard(action="view analysis")
def index() -> ResponseReturnValue:
    """The summary, section by section."""
    return render_template("analysis/index.html", page=analysing.summarise(signed_in_user(), language()))
