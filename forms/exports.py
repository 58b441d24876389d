"""What the browser may send to the export page."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, SelectMultipleField, StringField, widgets
from wtforms.validators import Length

from forms.base import Input, at_most, needed


class CheckboxesField(SelectMultipleField):
    """Several choices as checkboxes."""

    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class ExportInput(Input):
    """Which formats, which sites, and why: an export takes data out of the system."""

    formats = CheckboxesField(_l("Formats"), validators=[needed()])
    sites = CheckboxesField(_l("Sites"), validators=[needed()])
    cut = SelectField(_l("Data"), default="")
    reason = StringField(
        _l("What is it for?"),
        validators=[needed(), Length(min=3, message=_l("At least three characters.")), at_most(500)],
    )
