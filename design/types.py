"""What an answer may look like: one table of item types, used by forms, checks and exports alike.

`parse` turns what was typed into the cell that is stored (exactly as collected), `to_value` turns a cell into
what rules calculate with. Full-width digits are normalised for numbers, dates and times only; texts are
stored as typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from design.dates import PartialDate
from design.definitions import ItemDef, Label, StudyDef

# C0 and C1 controls, surrogates, and code points that are no characters
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
LARGEST = Decimal(10) ** 15
FIRST_YEAR, LAST_YEAR = 1850, 2200
MEASURED_DIGITS = 2  # more decimals than these come from conversions, not from measurements
INTEGER = re.compile(r"[+-]?[0-9]{1,12}")
NUMBER = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?")
LABORATORY = re.compile(r"[<>≤≥]?\s*[0-9]{1,12}(\.[0-9]{1,12})?")
DAY = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})(?:[-/.月]([0-9]{1,2})日?)?月?)?年?")
COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
CLOCK = re.compile(r"([0-9]{1,2})[:：时]([0-9]{2})(?:[:：分]([0-9]{2}))?分?")
REFERENCE = re.compile(r"[A-Z0-9]{1,12}(\.[0-9]{1,4})?/[A-Z0-9]{1,12}/[0-9]{1,5}(/[A-Za-z0-9_.|+-]{1,40})?")


class ValueFault(Exception):
    """What was typed cannot be an answer; the sentence says what to do."""

    def __init__(self, code: str, en: str, zh: str) -> None:
        super().__init__(en)
        self.code, self.label = code, Label(en, zh)


@dataclass(frozen=True, slots=True)
class ItemType:
    """How one type of item is read, calculated with and shown."""

    parse: Callable[[str, ItemDef, StudyDef], Any]
    to_value: Callable[[Any], Any]


def _clean(text: str) -> str:
    if CONTROL.search(text):
        raise ValueFault(
            "control-character",
            "The text holds characters that cannot be stored; type it again without them.",
            "文本含有无法存储的控制字符，请删除后重新输入。",
        )
    return text.strip()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", _clean(text)).strip()


def _integer(text: str, item: ItemDef, study: StudyDef) -> str:
    plain = _plain(text)
    if not INTEGER.fullmatch(plain):
        raise ValueFault("integer", "Enter a whole number, such as 12.", "请输入整数，例如 12。")
    return str(int(plain))


def _decimal(text: str, item: ItemDef, study: StudyDef) -> str:
    plain = _plain(text)
    if not NUMBER.fullmatch(plain):
        raise ValueFault("number", "Enter a number, such as 12.5.", "请输入数字，例如 12.5。")
    digits = len(plain.partition(".")[2])
    if item.digits is not None and digits > item.digits:
        raise ValueFault(
            "digits",
            f"Enter at most {item.digits} decimal(s).",
            f"最多输入{item.digits}位小数。",
        )
    return plain.lstrip("+")


def _free_text(text: str, item: ItemDef, study: StudyDef) -> str:
    clean = _clean(text)
    limit = item.length or 4_000
    if len(clean) > limit:
        raise ValueFault("length", f"Shorten the text to {limit} characters.", f"请将文本缩短至{limit}个字符以内。")
    return clean


def _laboratory(text: str, item: ItemDef, study: StudyDef) -> str:
    """A result as the laboratory gave it: 5.1, <0.5, 阴性, ++ (never coerced)."""
    plain = _plain(text)
    if LABORATORY.fullmatch(plain):
        return plain.replace(" ", "")
    clean = _clean(text)
    if len(clean) > 40:
        raise ValueFault("length", "Shorten the result to 40 characters.", "请将结果缩短至40个字符以内。")
    return clean


DATE_FAULT = (
    "date",
    "Enter a complete date that exists, such as 2027-03-14.",
    "请输入真实存在的完整日期，例如 2027-03-14。",
)


def _iso(text: str) -> str | None:
    plain = _plain(text)
    match = COMPACT.fullmatch(plain) or DAY.fullmatch(plain)
    if not match:
        return None
    parts = [part for part in match.groups() if part]
    return "-".join([parts[0], *(part.zfill(2) for part in parts[1:])])


def _plausible_year(iso: str) -> str:
    if not FIRST_YEAR <= int(iso[:4]) <= LAST_YEAR:
        raise ValueFault(
            "year",
            f"Enter a year from {FIRST_YEAR} to {LAST_YEAR}.",
            f"请输入{FIRST_YEAR}至{LAST_YEAR}之间的年份。",
        )
    return iso


def read_day(text: str) -> date:
    """A complete date as people type it: 2027-03-14, 2027/3/14, 20270314 or 2027年3月14日.

    Raises:
        ValueFault: it is no date, or its year cannot be meant.
    """
    try:
        found = date.fromisoformat(_iso(text) or "")
    except ValueError:
        raise ValueFault(*DATE_FAULT) from None
    _plausible_year(found.isoformat())
    return found


def _date(text: str, item: ItemDef, study: StudyDef) -> str:
    return read_day(text).isoformat()


def _partial_date(text: str, item: ItemDef, study: StudyDef) -> str:
    iso = _iso(text)
    try:
        PartialDate.parse(iso or "")
    except ValueError:
        raise ValueFault(
            "partial-date",
            "Enter a date as far as it is known: 2027, 2027-03 or 2027-03-14.",
            "请输入已知的日期部分：2027、2027-03 或 2027-03-14。",
        ) from None
    return _plausible_year(iso or "")


def _time(text: str, item: ItemDef, study: StudyDef) -> str:
    match = CLOCK.fullmatch(_plain(text))
    try:
        if not match:
            raise ValueError
        hour, minute, second = (int(part or 0) for part in match.groups())
        return time(hour, minute, second).isoformat("seconds" if match[3] else "minutes")
    except ValueError:
        raise ValueFault("time", "Enter a time such as 09:30.", "请输入时间，例如 09:30。") from None


def _datetime(text: str, item: ItemDef, study: StudyDef) -> str:
    day, _, clock = _plain(text).replace("T", " ").partition(" ")
    try:
        return f"{_date(day, item, study)}T{_time(clock.strip(), item, study)}"
    except ValueFault:
        raise ValueFault(
            "datetime", "Enter date and time such as 2027-03-14 09:30.", "请输入日期和时间，例如 2027-03-14 09:30。"
        ) from None


def _code(text: str, item: ItemDef, study: StudyDef) -> str:
    clean = _clean(text)
    if clean not in study.options_for(item):
        raise ValueFault("code", "Choose one of the listed answers.", "请选择列表中的答案。")
    return clean


def _reference(text: str, item: ItemDef, study: StudyDef) -> str:
    clean = _clean(text)
    if not REFERENCE.fullmatch(clean) or (item.refers and clean.split("/")[1] not in item.refers):
        raise ValueFault("ref", "Choose one of the listed records.", "请选择列表中的记录。")
    return clean


def _short(text: str, item: ItemDef, study: StudyDef) -> str:
    clean = _clean(text)
    if len(clean) > 200:
        raise ValueFault("length", "Shorten the text to 200 characters.", "请将文本缩短至200个字符以内。")
    return clean


def _as_number(cell: str) -> Decimal:
    return Decimal(cell)


def _as_datetime(cell: str) -> datetime:
    return datetime.fromisoformat(cell)


def _same(cell: Any) -> Any:
    return cell


TYPES: dict[str, ItemType] = {
    "integer": ItemType(_integer, _as_number),
    "number": ItemType(_decimal, _as_number),
    "text": ItemType(_free_text, _same),
    "date": ItemType(_date, date.fromisoformat),
    "partial_date": ItemType(_partial_date, PartialDate.parse),
    "time": ItemType(_time, time.fromisoformat),
    "datetime": ItemType(_datetime, _as_datetime),
    "code": ItemType(_code, _same),
    "multi": ItemType(_code, _same),
    "labvalue": ItemType(_laboratory, _same),
    "dictionary": ItemType(_code, _same),
    "ref": ItemType(_reference, _same),
    "user": ItemType(_short, _same),
    "file": ItemType(_short, _same),
    "sign": ItemType(_short, _same),
    "auto": ItemType(_short, _same),
}


def parse(text: str, item: ItemDef, study: StudyDef) -> Any:
    """What was typed as the cell to store; None for nothing typed.

    Raises:
        ValueFault: it cannot be an answer to this item.
    """
    if not text.strip():
        return None
    return TYPES[item.type].parse(text, item, study)


def to_value(cell: Any, item: ItemDef) -> Any:
    """A stored cell as rules see it; None for nothing, for a missing reason and for what cannot be read."""
    if cell is None or isinstance(cell, dict):
        return None
    if isinstance(cell, list):
        return cell
    try:
        return TYPES[item.type].to_value(cell)
    except (ValueError, ArithmeticError):
        return cell if item.derive is not None else None


def _number_cell(number: Decimal, item: ItemDef) -> str | None:
    """Half is rounded up, as in clinical tables; what is too large to be a measurement is not stored."""
    digits = 0 if item.type == "integer" else item.digits
    if not number.is_finite() or abs(number) >= LARGEST:
        return None
    if digits is not None and item.type in ("integer", "number"):
        number = number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
        return format(abs(number) if number == 0 else number, "f")
    return format(number.normalize(), "f")


def to_cell(value: Any, item: ItemDef) -> Any:
    """A derived value as it is stored: numbers rounded to the item's decimals, booleans as Y and N."""
    if value is None or value == []:
        return None
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, Decimal | int):
        return _number_cell(Decimal(value), item)
    if isinstance(value, PartialDate):
        return value.text
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    return value if isinstance(value, str | list) else str(value)


def _is_converted(item: ItemDef) -> bool:
    """Whether a derived number carries more decimals than anybody measured: they only keep a conversion exact, and
    trailing zeros would claim a precision that is not there. One or two decimals are the item's precision.
    """
    return item.derive is not None and item.type == "number" and (item.digits is None or item.digits > MEASURED_DIGITS)


def display(cell: Any, item: ItemDef, study: StudyDef, language: str) -> str:
    """A stored cell as people read it: decodes in their language, missing reasons in words, 4.5 for a converted
    4.500000.
    """
    if cell is None:
        return ""
    if isinstance(cell, dict):
        if "missing" in cell:
            label = study.missing.codes.get(cell["missing"])
            return label.text(language) if label else str(cell["missing"])
        return str(cell.get("file", ""))  # a file is named by its hash: nobody's own name for it is kept
    options = study.options_for(item)
    values = cell if isinstance(cell, list) else [cell]
    words = [options[code].text(language) if code in options else str(code) for code in values]
    if item.type == "datetime":
        words = [word.replace("T", " ") for word in words]
    elif _is_converted(item):
        words = [word.rstrip("0").rstrip(".") if "." in word else word for word in words]
    return ("、" if language.startswith("zh") else ", ").join(words)
