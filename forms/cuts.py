"""What the browser may send to name a data cut."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField

from forms.base import Input, a_reason, at_most, needed


class CutInput(Input):
    """A name, the instant, and why."""

    name = StringField(_l("Name of the cut"), validators=[needed(), at_most(40)])
    as_of = StringField(
        _l("Data as of"),
        validators=[needed(), at_most(40)],
        description=_l("A past day (its end), or an instant with its offset: 2027-03-14T18:00+08:00"),
    )
    reason = StringField(_l("What is it for?"), validators=[needed(), a_reason(), at_most(500)])
