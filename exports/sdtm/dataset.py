"""What the mapping makes: a dataset of SDTM, its variables and its rows."""

from dataclasses import dataclass, field
from typing import Any

LONGEST_TEXT = 200  # bytes of one text in XPT version 5
SHORTEST_RECORD = 81  # bytes of all variables together
# The fixed lengths of the standard; every other text is as long as its longest value.
FIXED = {"DOMAIN": 2, "RDOMAIN": 2, "QNAM": 8, "QLABEL": 40}
FRAGMENTS = {"TESTCD": 8, "PARMCD": 8, "TEST": 40, "PARM": 40, "ETCD": 8}


@dataclass(frozen=True)
class DatasetVariable:
    """One variable as the file and define.xml describe it."""

    name: str
    label: str
    type: str  # Char or Num
    core: str
    role: str = ""
    codelist: str | None = None
    comment: str | None = None
    method: str | None = None
    origin: str | None = None
    source: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type == "Num"


@dataclass
class Dataset:
    """One dataset: rows are in key order, a value is text, a number, or None."""

    name: str
    label: str
    class_name: str
    structure: str
    keys: tuple[str, ...]
    variables: list[DatasetVariable]
    rows: list[dict[str, Any]]
    comment: str | None = None
    reference: bool = False
    lengths: dict[str, int] = field(default_factory=dict)

    def column(self, name: str) -> list[Any]:
        """The values of one variable."""
        return [row.get(name) for row in self.rows]

    def variable(self, name: str) -> DatasetVariable:
        """One variable by its name."""
        return next(each for each in self.variables if each.name == name)

    def length(self, name: str) -> int:
        """Bytes of the longest text, or the standard's fixed length; 8 for a number.

        A record of at most 80 bytes makes readers of XPT guess where a file ends: its first text is made longer.
        """
        if not self.lengths:
            self.lengths = {variable.name: self._length(variable) for variable in self.variables}
            short = SHORTEST_RECORD - sum(self.lengths.values())
            if short > 0:
                first = next(variable.name for variable in self.variables if not variable.is_number)
                self.lengths[first] += short
        return self.lengths[name]

    def _length(self, variable: DatasetVariable) -> int:
        if variable.is_number:
            return 8
        name = variable.name
        fixed = FIXED.get(name) or next((n for end, n in FRAGMENTS.items() if name.endswith(end)), 0)
        longest = max((len(text.encode()) for text in self.column(name) if text), default=1)
        return max(fixed, longest, 1)
