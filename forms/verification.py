"""Inputs of monitors and data managers: verification plans, monitoring visits, reviews of the trail."""

import re

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, SelectField, StringField, TextAreaField, TimeField
from wtforms.validators import NumberRange, Optional

from forms.base import Input, a_reason, at_most, needed
from forms.users import DayField


class PlanInput(Input):
    """What is verified at a site from a day on. The choices are set by the view."""

    site = SelectField(_l("Site"), [needed()])
    from_date = DayField(
        _l("For visits from"), [needed()], description=_l("The date of the visit decides which plan holds for it")
    )
    scope = SelectField(_l("What is verified"), [needed()])
    percent = IntegerField(
        _l("Share of participants in full, per cent"),
        [Optional(), NumberRange(0, 100, message=_l("Enter a number from 0 to 100."))],
        description=_l("Less than 100: a sample; the others are verified in critical items only"),
    )
    seed = StringField(
        _l("Seed of the sample"), [at_most(100)], description=_l("Empty: drawn at random and shown afterwards")
    )
    exempt = TextAreaField(
        _l("Exempt items"),
        [at_most(4000)],
        description=_l("Item codes with spaces between them, for example AE01 AE02"),
    )
    reason = StringField(_l("Reason"), [needed(), a_reason(), at_most(500)])

    @property
    def exempt_items(self) -> list[str]:
        """The codes one by one."""
        return [code for code in re.split(r"[\s,;，；、]+", self.exempt.data or "") if code]


class OpenVisitInput(Input):
    """Begin a monitoring visit. The choices are set by the view."""

    site = SelectField(_l("Site"), [needed()])
    kind = SelectField(_l("Kind of visit"), [needed()])
    starts_on = DayField(_l("First day"), [needed()])


class VisitNotesInput(Input):
    """What the monitor writes into the report; `do` is note or finish."""

    do = StringField()
    present = TextAreaField(_l("Who was present"), render_kw={"rows": 2})
    summary = TextAreaField(_l("Summary"), render_kw={"rows": 6})
    actions = TextAreaField(_l("Actions agreed, by whom and until when"), render_kw={"rows": 4})
    ends_on = DayField(_l("Last day"), [Optional()])


class LookInput(Input):
    """Which part of the trail is reviewed, and what counts as night and as many. The choices are set by the view."""

    class Meta:
        """The look itself changes nothing."""

        csrf = False

    site = SelectField(_l("Site"))
    since = DayField(_l("From"), [needed()])
    until = DayField(_l("Until"), [needed()])
    night_from = TimeField(_l("Night from"), [needed()])
    night_to = TimeField(_l("Night until"), [needed()])
    most_changes = IntegerField(_l("Changes of one answer that are not too many"), [needed(), NumberRange(1, 1000)])
