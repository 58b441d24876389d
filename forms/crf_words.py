"""The words on a form's page: answers in words, severities, and the small words around every item."""

from typing import Any

from flask_babel import gettext as _

from design.definitions import ItemDef, StudyDef
from design.types import display
from design.units import unit_text

Options = tuple[tuple[str, str], ...]


def text_of(item: ItemDef, study: StudyDef, values: list[str], language: str, options: Options = ()) -> str:
    """Values of an item in words: labels for codes, the value itself otherwise."""
    if not values:
        return ""
    if options:
        labels = dict(options)
        return ("、" if language == "zh" else ", ").join(labels.get(value, value) for value in values)
    return display(values if item.type == "multi" else values[0], item, study, language)


def cell_text(study: StudyDef, item: ItemDef | None, cell: Any, language: str) -> str:
    """A stored cell in words: its value with its unit, or why there is none."""
    if cell is None or item is None:
        return "" if cell is None else str(cell)
    text = display(cell, item, study, language)
    if isinstance(cell, dict):
        return f"— {text}"
    return f"{text} {unit_text(item.unit, language)}" if item.unit else text


def severity_words() -> dict[str, str]:
    """What each severity is called beside an item."""
    return {
        "hard": _("Cannot be right."),
        "protected": _("Outside the protocol."),
        "soft": _("Please check."),
        "cross": _("Does not fit another form."),
        "warning": _("Note."),
    }


def small_words() -> dict[str, str]:
    """The small words of every item, looked up once per page and not once per item."""
    return {
        "automatic": _("automatic"),
        "clear": _("Clear the answer"),
        "search": _("Type to search"),
        "open_file": _("Open the picture"),
        "drop_file": _("remove"),
        "file_hint": _("JPEG or PNG, up to 10 MB"),
        "calendar": _("Calendar"),
        "no_answer": _("No answer because"),
        "answer_after_all": _("answer after all"),
        "required": _("required"),
        "history": _("History"),
        "ask": _("Raise a query"),
        "queries": _("Queries that wait"),
        "override": _("Why it is true all the same (investigator)"),
        "no_override": _("An investigator can save this with a reason."),
        "overridden": _("Saved with the reason:"),
        "in_error": _("In error:"),
        "mark_row": _("mark in error"),
        "why_error": _("Why this row is wrong"),
    }
