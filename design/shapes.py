"""Which keys the study language knows, and what kind of value each takes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _is_named_tables(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, dict) for each in value.values())


def _is_named_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _is_parameter(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(isinstance(each, str | int | Decimal) for each in values)


Kind = tuple[str, Callable[[Any], bool]]
TEXT: Kind = ("a text", _is_text)
WHOLE: Kind = ("a whole number", _is_whole)
TRUTH: Kind = ("true or false", lambda value: isinstance(value, bool))
TEXTS: Kind = ("a list of texts", _is_texts)
TABLES: Kind = ("a list of tables", _is_tables)
NAMED_TABLES: Kind = ("a table of tables", _is_named_tables)
NAMED_TEXTS: Kind = ("a table of texts", _is_named_texts)
TITLE: Kind = ("a text or a list of texts", lambda value: _is_text(value) or _is_texts(value))
REQUIRED: Kind = ('true, false or "shown"', lambda value: isinstance(value, bool) or value == "shown")
MEMBERS: Kind = ("a list or a table of texts", lambda value: _is_texts(value) or _is_named_texts(value))
MONTHS: Kind = ("a list of whole numbers", lambda value: isinstance(value, list) and all(map(_is_whole, value)))
MONTH_FORMS: Kind = (
    "a table of lists of texts",
    lambda value: isinstance(value, dict) and all(map(_is_texts, value.values())),
)
PARAMETER: Kind = ("a number, a text, true or false, or a list of those", _is_parameter)

Keys = dict[str, Kind]
LABEL_KEYS: Keys = {"en": TEXT, "zh": TEXT}
STUDY_KEYS: Keys = {
    **dict.fromkeys(("id", "en", "zh", "protocol", "missing"), TEXT),
    "version": WHOLE,
    "languages": TEXTS,
    **dict.fromkeys(("sites", "events", "event_series"), TABLES),
    "parameters": NAMED_TABLES,
    **dict.fromkeys(("anchors", "projected", "lifecycle"), NAMED_TEXTS),
    "rules": ("a table", _is_table),
    "deviations": NAMED_TEXTS,
}
DEVIATION_KEYS: Keys = dict.fromkeys(("form", "term", "date", "category", "severity"), TEXT)
AMENDMENT_KEYS: Keys = {
    "replaces": WHOLE,
    "default": TEXT,
    "moved": NAMED_TEXTS,
    "recoded": NAMED_TABLES,
    "reworded": TEXTS,
    "reconsent": ("a table", _is_table),
}
RECONSENT_KEYS: Keys = {"given": TEXT, **dict.fromkeys(("forms", "items", "events"), TEXTS)}
RULES_KEYS: Keys = {
    **dict.fromkeys(
        ("close_events_after", "enrol", "enrol_cap", "screening_number", "subject_number", "visit_date", "not_done"),
        TEXT,
    ),
    "person_key": TEXTS,
    "lock_needs": TEXTS,
}
SITE_KEYS: Keys = dict.fromkeys(("code", "en", "zh", "timezone"), TEXT)
PARAMETER_KEYS: Keys = {
    "value": PARAMETER,
    "assumed": TRUTH,
    **dict.fromkeys(("en", "zh", "note_en", "note_zh"), TEXT),
}
EVENT_KEYS: Keys = {
    **dict.fromkeys(("id", "en", "zh", "kind", "anchor", "count", "visit_date", "not_done"), TEXT),
    **dict.fromkeys(("number", "offset_days", "offset_months", "before", "after", "step_days"), WHOLE),
    "forms": TEXTS,
}
SERIES_KEYS: Keys = {**EVENT_KEYS, "months": MONTHS, "forms_at": MONTH_FORMS}
FORM_KEYS: Keys = {
    **dict.fromkeys(("id", "en", "zh", "under", "show"), TEXT),
    "repeats": TRUTH,
    **dict.fromkeys(("order_by", "title"), TITLE),
    **dict.fromkeys(("groups", "items", "checks"), TABLES),
}
GROUP_KEYS: Keys = {**dict.fromkeys(("id", "en", "zh", "rows", "row_item"), TEXT), "repeats": TRUTH}
ITEM_KEYS: Keys = {
    **dict.fromkeys(
        (
            "id", "group", "en", "zh", "type", "unit", "row_unit", "codelist", "options", "dictionary", "auto", "default_hint",
            "show", "derive", "hard", "soft", "protected", "help_en", "help_zh", "sdtm", "delegated", "delegated_on",
        ),
        TEXT,
    ),
    **dict.fromkeys(("digits", "length"), WHOLE),
    **dict.fromkeys(("no_missing", "critical", "masked"), TRUTH),
    "required": REQUIRED,
    "refers": TEXTS,
    "checks": TABLES,
    "members": MEMBERS,
    "labels": NAMED_TABLES,
}  # fmt: skip
CHECK_KEYS: Keys = {**dict.fromkeys(("id", "severity", "rule", "when", "en", "zh", "form"), TEXT), "items": TEXTS}
CHECKS_FILE_KEYS: Keys = {"checks": TABLES}
