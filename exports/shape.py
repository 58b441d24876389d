"""What every export format is given: a table, its variables, and its columns as they were collected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

TYPES = ("text", "integer", "number", "date", "datetime")

_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
}


@dataclass(frozen=True)
class Code:
    """One allowed answer and its labels; `versions` are the study versions in which these labels stood."""

    code: str
    en: str
    zh: str
    versions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Variable:
    """One column: what it is called, typed and labelled.

    `role` says what the column holds: key, value, missing (the reason), en and zh (label of the code),
    earliest and latest (of a partial date), flag (one code of several), number (numeric part), unit, or
    status.
    """

    name: str
    type: str
    en: str
    zh: str
    role: str = "value"
    item: str | None = None
    unit: str | None = None
    digits: int | None = None
    codes: tuple[Code, ...] = ()
    sdtm: str | None = None
    versions: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        """Both languages in one line, as statistics packages show it."""
        return self.en if self.en == self.zh else f"{self.en} · {self.zh}"


@dataclass
class Table:
    """One tidy table. `columns` hold what was collected (exact text, None where there is nothing), `frame`
    the types.
    """

    name: str
    en: str
    zh: str
    variables: list[Variable]
    columns: dict[str, Sequence[Any]]
    faults: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return len(self.columns[self.variables[0].name]) if self.variables else 0

    @cached_property
    def arrow(self) -> pa.Table:
        """The typed columns. What does not fit its type is null here, exact in the CSV, and named in
        `faults`.
        """
        arrays = [self._typed(variable) for variable in self.variables]
        fields = [
            pa.field(v.name, _ARROW[v.type], metadata={"label_en": v.en, "label_zh": v.zh}) for v in self.variables
        ]
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The typed table for pandas: Int64, float64, str, datetime64[us]."""
        dates = [variable.name for variable in self.variables if variable.type == "date"]
        frame = self.frame_with_dates.copy()
        for name in dates:
            frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
        return frame

    @cached_property
    def frame_with_dates(self) -> pd.DataFrame:
        """The same with dates as `datetime.date`, which statistics formats store as dates and not as
        instants.
        """
        return self.arrow.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get, date_as_object=True)

    @cached_property
    def for_statistics(self) -> dict[str, pd.Series]:
        """The columns as SPSS, Stata and SAS take them: no text is null there, it is empty."""
        frame = self.frame_with_dates
        return {
            v.name: plain_texts(self.columns[v.name]) if v.type == "text" else frame[v.name] for v in self.variables
        }

    def _typed(self, variable: Variable) -> pa.Array:
        values, kind = self.columns[variable.name], _ARROW[variable.type]
        try:
            return pa.array(values).cast(kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            return self._typed_one_by_one(variable, values, kind)

    def _typed_one_by_one(self, variable: Variable, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
        typed = []
        for row, value in enumerate(values, start=1):
            text = value if value is None else str(value)
            try:
                typed.append(pa.scalar(text, pa.string()).cast(kind).as_py())
            except pa.ArrowInvalid:
                typed.append(None)
                self.faults.append(f"{self.name}.{variable.name}, row {row}: not a {variable.type}")
        return pa.array(typed, kind)


def plain_texts(texts: Sequence[str | None]) -> pd.Series:
    """Texts as plain objects, which the writers of statistics formats read ten times faster than pandas' own."""
    return pd.Series([text or "" for text in texts], dtype=object if len(texts) else "str")


def shorten(text: str, limit: int) -> str:
    """The text cut to a number of UTF-8 bytes, never inside a character."""
    return text.encode()[:limit].decode(errors="ignore")
