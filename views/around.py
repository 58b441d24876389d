"""The forms before and after one in the same visit, so that a visit is entered from the first to the last."""

from dataclasses import dataclass

from views.board import form_address
from views.shell import study_label
from workflows.finding import FormPlace


@dataclass(frozen=True)
class Neighbour:
    """A form beside this one."""

    label: str
    href: str


@dataclass(frozen=True)
class Around:
    """Both neighbours, where there are any."""

    before: Neighbour | None
    after: Neighbour | None


def around_of(place: FormPlace) -> Around:
    """Neighbours in the order of the visit; logs have none, nobody works through a log top to bottom."""
    definition = place.study.events.get(place.event.event_id)
    if definition is None or definition.kind == "log":
        return Around(None, None)
    forms = [each.form_id for each in definition.forms if each.form_id in place.study.forms]
    if place.form.id not in forms:
        return Around(None, None)
    here = forms.index(place.form.id)
    before = _neighbour(place, forms[here - 1]) if here else None
    after = _neighbour(place, forms[here + 1]) if here + 1 < len(forms) else None
    return Around(before, after)


def _neighbour(place: FormPlace, form_id: str) -> Neighbour:
    form = place.study.forms[form_id]
    address = form_address(place.subject, place.event, form_id, 1)
    if form.repeats:
        address = address.rsplit("/", 1)[0]
    return Neighbour(study_label(form.label), address)
