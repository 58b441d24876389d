"""The columns that one item becomes: the value as collected, the reason when missing, labels, units, derived
dates.

Vectorised by item: a list of cells in, lists of texts out. Nothing here looks at one answer at a time unless
it must.
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

from design.answers import is_missing_reason
from design.definitions import ItemDef, StudyDef
from exports.layout import ItemColumn, codes_of, merged_codes
from exports.shape import Variable

Values = Sequence[Any]
_TYPES = {"integer": "integer", "number": "number", "date": "date", "datetime": "datetime"}
_CODED = ("code", "multi", "dictionary")
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
MOST_FLAGS = 60  # codes of a multi item that get a column each; a longer list (a table) stays joined text


@dataclass
class Built:
    """The columns of one item, in order, and where an answer is missing (row, reason code)."""

    variables: list[Variable]
    columns: dict[str, Values]
    missing: list[tuple[int, str]]


def build(
    column: ItemColumn,
    cells: Values,
    versions: Sequence[int],
    studies: dict[int, StudyDef],
    rows: Sequence[str | None] = (),
) -> Built:
    """All columns of one item from its cells; `versions` names for every row the version it was answered
    under, `rows` its key where the unit depends on it.
    """
    newest, kind = column.newest, column.kind
    values: Values
    collected: Values
    reasons: Values
    missing: list[tuple[int, str]]
    if set(map(type, cells)) <= {str, NoneType}:  # nearly always: nothing is missing, nothing is a list
        values, collected, reasons, missing = cells, cells, [None] * len(cells), []
    else:
        values, reasons, missing = split(cells)
        collected = [value if value is None or type(value) is str else _text(value) for value in values]
    built = Built([], {}, missing)
    codes = merged_codes(column, studies) if kind in _CODED else ()
    _add(
        built,
        column,
        "",
        collected,
        _TYPES.get(kind, "text"),
        "value",
        "",
        codes=() if kind == "multi" else codes,
    )
    if kind == "multi":
        _add_flags(built, column, values, codes)
    elif codes:
        _add_labels(built, column, collected, versions, studies)
    if kind == "partial_date":
        _add(
            built,
            column,
            "_EARLIEST",
            [_earliest(value) for value in collected],
            "date",
            "earliest",
            "earliest",
        )
        _add(built, column, "_LATEST", [_latest(value) for value in collected], "date", "latest", "latest")
    if kind == "labvalue":
        numbers = [v if v and _PLAIN_NUMBER.fullmatch(v) else None for v in collected]
        _add(built, column, "_NUM", numbers, "number", "number", "numeric")
    if newest.row_unit:
        units = {version: studies[version].row_units(definition) for version, definition in column.definitions.items()}
        by_row = [
            None if value is None else units.get(version, {}).get(row or "")
            for version, row, value in zip(versions, rows, collected, strict=True)
        ]
        _add(built, column, "_UNIT", by_row, "text", "unit", "unit")
    elif any(definition.unit for definition in column.definitions.values()):
        given = _units(column, collected, versions)
        _add(built, column, "_UNIT", given, "text", "unit", "unit")
    if not newest.derive and kind != "auto":
        _add(built, column, "_MISS", reasons, "text", "missing", "missing")
    return built


def _units(column: ItemColumn, collected: Values, versions: Sequence[int]) -> Values:
    """The unit beside every value, as it was in the version the value was answered under."""
    units = {version: definition.unit for version, definition in column.definitions.items()}
    if len(set(units.values())) == 1:
        unit = next(iter(units.values()))
        return [None if value is None else unit for value in collected]
    return [None if value is None else units.get(v) for v, value in zip(versions, collected, strict=True)]


def split(cells: Values) -> tuple[Values, Values, list[tuple[int, str]]]:
    """Values apart from the reasons why there is none: two columns, so no code is ever taken for a value."""
    reasons: list[Any] = [None] * len(cells)
    missing = [(row, cell["missing"]) for row, cell in enumerate(cells) if is_missing_reason(cell)]
    values = list(cells)
    for row, reason in missing:
        values[row], reasons[row] = None, reason
    return values, reasons, missing


_WORDS = {
    "": ("", ""),
    "missing": ("reason missing", "缺失原因"),
    "unit": ("unit", "单位"),
    "earliest": ("earliest possible date", "可能的最早日期"),
    "latest": ("latest possible date", "可能的最晚日期"),
    "numeric": ("numeric part", "数值部分"),
    "en": ("label, English", "英文标签"),
    "zh": ("label, Chinese", "中文标签"),
}


def _add(
    built: Built,
    column: ItemColumn,
    ending: str,
    values: Values,
    kind: str,
    role: str,
    word: str,
    codes: tuple[Any, ...] = (),
    more: tuple[str, str] = ("", ""),
) -> None:
    newest: ItemDef = column.newest
    en, zh = _WORDS[word]
    variable = Variable(
        name=column.name + ending,
        type=kind,
        en=f"{newest.label.en}: {en or more[0]}" if en or more[0] else newest.label.en,
        zh=f"{newest.label.zh}：{zh or more[1]}" if zh or more[1] else newest.label.zh,
        role=role,
        item=column.id,
        unit=newest.unit if role in ("value", "number") else None,
        digits=newest.digits if kind == "number" else None,
        codes=codes,
        sdtm=newest.sdtm if role == "value" else None,
        versions=tuple(sorted(column.definitions)),
    )
    built.variables.append(variable)
    built.columns[variable.name] = values


def _add_labels(
    built: Built, column: ItemColumn, values: Values, versions: Sequence[int], studies: dict[int, StudyDef]
) -> None:
    """The labels of the version each value was answered under: a later wording never changes an old answer
    (AUD-16).
    """
    labels = {version: codes_of(studies[version], item) for version, item in column.definitions.items()}
    different = {frozenset(each.items()) for each in labels.values()}
    for place, (ending, word) in enumerate((("_EN", "en"), ("_ZH", "zh"))):
        if len(different) == 1:
            only = {code: both[place] for code, both in next(iter(labels.values())).items()}
            decoded: Values = [only.get(value) for value in values]
        else:
            each = {v: {code: both[place] for code, both in codes.items()} for v, codes in labels.items()}
            decoded = [each.get(v, {}).get(value) for v, value in zip(versions, values, strict=True)]
        _add(built, column, ending, decoded, "text", word, word)


def _add_flags(built: Built, column: ItemColumn, values: Values, codes: tuple[Any, ...]) -> None:
    """One 0/1 column per code; empty where the question was not answered."""
    labels = {code.code: (code.en, code.zh) for code in codes}
    if len(labels) > MOST_FLAGS:
        return
    chosen = [None if value is None else frozenset(_as_list(value)) for value in values]
    taken: set[str] = set()
    for code, label in labels.items():
        flags = [None if each is None else int(code in each) for each in chosen]
        _add(built, column, _flag_ending(code, taken), flags, "integer", "flag", "", more=label)


def _flag_ending(code: str, taken: set[str]) -> str:
    """`__CODE` as every program takes it in a name: capitals, digits, underscores; unique, not too long."""
    plain = re.sub(r"[^A-Z0-9_]", "_", code.upper())[:18]
    ending, number = f"__{plain}", 1
    while ending in taken:
        number += 1
        ending = f"__{plain}_{number}"
    taken.add(ending)
    return ending


def _as_list(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):  # a stored file: its hash
        return str(value.get("file"))
    return ";".join(_as_list(value)) if isinstance(value, list) else str(value)


def _earliest(text: str | None) -> str | None:
    """The first day that a date, month or year may mean."""
    return None if not text else f"{text}-01-01"[: max(len(text), 10)] if len(text) == 4 else (text + "-01")[:10]


def _latest(text: str | None) -> str | None:
    """The last day that a date, month or year may mean."""
    if not text or len(text) >= 10:
        return text or None
    if len(text) == 4:
        return f"{text}-12-31"
    return f"{text}-{monthrange(int(text[:4]), int(text[5:7]))[1]:02}"
