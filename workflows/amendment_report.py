"""What moving forms does, or did, to the data of a site, counted: of a dry run and of the run alike."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from models import FormData, Subject
from workflows.amendment_plan import Plan, item_of


@dataclass
class Report:
    """What a run does, or did, to the data of a site."""

    participants: int = 0
    forms: int = 0
    moved: Counter[str] = field(default_factory=Counter)  # by item, like the next four
    recoded: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    derived: Counter[str] = field(default_factory=Counter)
    reinterpreted: Counter[str] = field(default_factory=Counter)
    required: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    incomplete: int = 0  # complete forms that are no longer
    signatures: int = 0
    marks: int = 0
    queries: int = 0  # on what is no longer asked
    opened: int = 0  # queries of checks, or opened again
    closed: int = 0
    left_out: list[dict[str, Any]] = field(default_factory=list)

    def add(self, plan: Plan, *, signatures: int | None = None, marks: int | None = None) -> None:
        """Count a participant; a run says how many signatures and marks really went."""
        self.left_out += [_told(plan.subject, data, why) for data, why in plan.left_out]
        if not plan.moving:
            return
        self.participants += 1
        self.forms += len(plan.moving)
        for move in plan.moves:
            self.moved.update(map(item_of, move.converted.moved.values()))
            self.recoded.update(map(item_of, move.converted.recoded))
            self.dropped.update(map(item_of, move.converted.dropped))
            self.reinterpreted.update(map(item_of, move.converted.reinterpreted))
            self.derived.update(map(item_of, move.derived))
            self.required.update(map(item_of, move.required))
            self.checks.update(move.failing)
            self.incomplete += (move.data.entry, move.entry) == ("complete", "in_progress")
        self.signatures += sum(move.signatures for move in plan.moves) if signatures is None else signatures
        self.marks += sum(move.marks for move in plan.moves) if marks is None else marks
        self.queries += plan.queries
        self.opened += plan.opened
        self.closed += plan.closed

    def as_dict(self) -> dict[str, Any]:
        """As it is kept with the run."""
        return {
            name: dict(sorted(value.items())) if isinstance(value, Counter) else value
            for name, value in vars(self).items()
        }

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Report":
        """A kept report, to go on with."""
        empty = cls()
        values: dict[str, Any] = {
            name: Counter(value) if isinstance(getattr(empty, name), Counter) else value for name, value in kept.items()
        }
        return cls(**values)


def _told(subject: Subject, data: FormData, why: str) -> dict[str, Any]:
    return {
        "subject": subject.label,
        "event": data.study_event.key,
        "form": data.form_id,
        "repeat": data.repeat,
        "why": why,
    }
