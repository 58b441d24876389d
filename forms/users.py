"""Inputs for managing users."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import Optional, Regexp

from forms.base import Input, a_reason, at_most, needed
from forms.days import DayField
from forms.signing_in import LANGUAGES


class NewUserInput(Input):
    """An account for a person."""

    username = StringField(
        _l("User name"),
        [
            needed(),
            at_most(100),
            Regexp(r"^[\w.@-]+$", message=_l("Letters, digits, and . - _ @ only; no spaces.")),
        ],
        description=_l("Unique for ever; never given to another person."),
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    full_name = StringField(_l("Full name"), [needed(), at_most(100)], render_kw={"autocomplete": "off"})
    language = SelectField(_l("Language"), choices=LANGUAGES)


class GrantInput(Input):
    """A role at a site, for a time. The choices are set by the view."""

    role = SelectField(_l("Role"), [needed()])
    site = SelectField(_l("Site"))
    starts_on = DayField(_l("From"), [Optional()], description=_l("Empty: from now"))
    ends_on = DayField(_l("Until (inclusive)"), [Optional()], description=_l("Empty: until it is ended"))
    reason = StringField(_l("Reason"), [needed(), at_most(500)], description=_l("For example: delegation log, line 4"))


class ReasonInput(Input):
    """Why an account is changed."""

    reason = StringField(_l("Reason"), [needed(), a_reason(), at_most(500)])
