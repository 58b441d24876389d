"""What the browser may send about a participant: start screening, change a visit, narrow a list."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import AnyOf, DataRequired, Length, Optional


class ScreenInput(FlaskForm):
    """Start the screening of a person at a site."""

    site = SelectField(_("Site"), validators=[DataRequired()])
    previous = StringField(_("Earlier screening"), validators=[Optional(), Length(max=20)])


class VisitInput(FlaskForm):
    """Add an unscheduled visit, say that a visit was missed, or take that back."""

    do = StringField(validators=[DataRequired(), AnyOf(["unscheduled", "missed", "planned"])])
    event = StringField(validators=[Length(max=40)])
    reason = StringField(_("Reason"), validators=[Length(max=500)])
