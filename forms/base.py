"""What all small inputs share."""

from flask import abort, request
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms.validators import InputRequired, Length, Regexp

NEEDED = _l("Please fill in this field.")


class Input(FlaskForm):
    """A form that accepts the fields it declares and nothing else (SEC-20)."""

    def validate_on_submit(self, extra_validators: object = None) -> bool:
        """Whether the form was posted and is right; 400 for a post with fields that do not belong to it."""
        if self.is_submitted() and set(request.form) - set(self._fields) - {"csrf_token"}:
            abort(400)
        return bool(super().validate_on_submit(extra_validators))


def needed() -> InputRequired:
    """The field must be filled in."""
    return InputRequired(NEEDED)


def a_reason() -> Regexp:
    """The field must say why: three characters that are not spaces around."""
    return Regexp(r"^\s*\S.+\S\s*$", message=_l("Give a reason of at least three characters."))


def at_most(count: int) -> Length:
    """The text must not be longer."""
    return Length(max=count, message=_l("At most %(max)d characters."))
