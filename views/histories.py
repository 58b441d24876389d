"""The history of a stored form, or of one item, in words."""

from dataclasses import dataclass

from models import User
from views import wording
from views.shell import instant, role_name
from views.wording import Line
from workflows import listing, tracing
from workflows.finding import FormPlace


@dataclass(frozen=True)
class Told:
    """One change of a form."""

    at: str
    who: str
    role: str
    action: str
    reason: str
    receipt: str
    lines: list[Line]


def lines_of(user: User, place: FormPlace, item: str = "") -> list[Told]:
    """The changes of a form, oldest first; of one item when its path is given."""
    if place.data is None:
        return []
    found = listing.history(user, place.data, item)
    forms = tracing.form_words([place.data.id])
    names = tracing.full_names(traced.change.user_id for traced in found if traced.change.user_id)
    told = []
    for traced in found:
        lines, _housekeeping = wording.lines(traced, forms)
        change = traced.change
        if lines:
            told.append(
                Told(
                    at=instant(change.at, True),
                    who=names.get(change.user_id or 0, change.user_name),
                    role=role_name(change.role) if change.role else "",
                    action=wording.action_name(change.action),
                    reason=traced.reason or "",
                    receipt=f"{change.seq}-{change.link[:8]}",
                    lines=lines,
                )
            )
    return told
