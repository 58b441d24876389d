"""Every fault a study definition can have: a code that is never reused, where it is, and what to do."""

from dataclasses import dataclass

CODES = {
    "S001": "the file cannot be read",
    "S002": "unknown key",
    "S003": "a needed key is not there",
    "S004": "a text is not in both languages",
    "S005": "the same id twice",
    "S006": "unknown type",
    "S007": "unknown name",
    "S008": "expression",
    "S009": "the code is not in the code list",
    "S010": "derivations read each other in a circle",
    "S011": "value",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, with advice."""

    file: str
    item: str
    code: str
    message: str
    advice: str

    def __str__(self) -> str:
        return f"{self.file} [{self.item}] {self.code} {self.message}: {self.advice}"


class StudyFaults(Exception):
    """All faults of a study, reported at once."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} fault(s); first: {faults[0]}")
        self.faults = faults
