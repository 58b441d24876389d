"""How define.xml types what a variable holds, judged by its values: they may be partial dates, or whole numbers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PARTIAL_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")


@dataclass(frozen=True)
class DataType:
    """The type as ODM names it, with its length and digits where it has them."""

    name: str
    length: int | None = None
    digits: int | None = None


def of_values(name: str, values: Iterable[Any], is_number: bool, length: int) -> DataType:
    """The type of a variable: text with its length, a number with its digits, a date with its precision."""
    held = [value for value in values if value is not None]
    if is_number:
        return of_numbers([format_number(value) for value in held])
    if name.endswith("DTC"):
        return _dates(held)
    return DataType("text", length)


def of_texts(texts: list[str]) -> DataType:
    """The type of results kept as text: numbers where all of them are."""
    if texts and all(re.fullmatch(r"-?\d+(\.\d+)?", text) for text in texts):
        return of_numbers(texts)
    return DataType("text", max((len(text.encode()) for text in texts), default=1))


def of_numbers(texts: list[str]) -> DataType:
    """integer or float with the most digits there are."""
    longest = max((len(text) for text in texts), default=1)
    digits = max((len(text.partition(".")[2]) for text in texts), default=0)
    return DataType("float", longest, digits) if digits else DataType("integer", longest)


def format_number(value: Any) -> str:
    """A number without exponent."""
    return str(value) if isinstance(value, int) else format(value, "f").rstrip("0").rstrip(".")


def _dates(texts: list[str]) -> DataType:
    if all(_DAY.fullmatch(text) for text in texts):
        return DataType("date")
    if all(_PARTIAL_DAY.fullmatch(text) for text in texts):
        return DataType("partialDate")
    if all(_INSTANT.fullmatch(text) for text in texts):
        return DataType("datetime")
    return DataType("incompleteDatetime")
