"""Inputs for signing in and for passwords."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import EqualTo

from forms.base import Input, at_most, needed

LANGUAGES = [("zh", "中文"), ("en", "English")]
SECRET = {"data-secret": "yes"}


class SignInInput(Input):
    """User name and password; `next` and `typed` are where to go on, and what the same person wanted to send there."""

    username = StringField(
        _l("User name"),
        [needed(), at_most(100)],
        render_kw={
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
            "autofocus": True,
        },
    )
    password = PasswordField(
        _l("Password"), [needed(), at_most(1000)], render_kw={"autocomplete": "current-password", **SECRET}
    )
    next = HiddenField()
    typed = HiddenField()


class ConfirmInput(Input):
    """The password once more; `next` and `typed` are where to go on, and what to send there."""

    password = PasswordField(
        _l("Password"),
        [needed(), at_most(1000)],
        render_kw={"autocomplete": "current-password", "autofocus": True, **SECRET},
    )
    next = HiddenField()
    typed = HiddenField()


class PasswordInput(Input):
    """A new password, typed twice."""

    current = PasswordField(
        _l("Current password"),
        [needed(), at_most(1000)],
        render_kw={"autocomplete": "current-password", **SECRET},
    )
    new = PasswordField(
        _l("New password"), [needed(), at_most(1000)], render_kw={"autocomplete": "new-password", **SECRET}
    )
    again = PasswordField(
        _l("New password again"),
        [needed(), EqualTo("new", message=_l("The two passwords differ."))],
        render_kw={"autocomplete": "new-password", **SECRET},
    )


class FirstAdministratorInput(Input):
    """The one-time token and the first account."""

    token = StringField(_l("One-time token"), [needed(), at_most(100)], render_kw={"autocomplete": "off"})
    username = StringField(_l("User name"), [needed(), at_most(100)], render_kw={"autocomplete": "username"})
    full_name = StringField(_l("Full name"), [needed(), at_most(100)], render_kw={"autocomplete": "name"})
    language = SelectField(_l("Language"), choices=LANGUAGES)
    password = PasswordField(
        _l("Password"), [needed(), at_most(1000)], render_kw={"autocomplete": "new-password", **SECRET}
    )
    again = PasswordField(
        _l("Password again"),
        [needed(), EqualTo("password", message=_l("The two passwords differ."))],
        render_kw={"autocomplete": "new-password", **SECRET},
    )
