"""A day as a person types it."""

from flask_babel import lazy_gettext as _l
from wtforms import DateField
from wtforms.widgets import TextInput

from design.types import ValueFault, read_day

BAD_DATE = _l("Enter a date like 2026-03-14.")


class DayField(DateField):
    """A date as text: a browser's own date box writes mm/dd/yyyy or what its maker thinks of the country, and people
    of a trial read year, month, day. `_ui.html` puts a calendar beside it.
    """

    widget = TextInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed as the dates of a CRF are read; the sentence is ours when it is none."""
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        try:
            self.data = read_day(valuelist[0])
        except ValueFault:
            raise ValueError(BAD_DATE) from None
