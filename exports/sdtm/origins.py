"""Where the values of a variable come from: the questions that its expressions read, or a derivation."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from design.definitions import StudyDef
from design.expressions import Expression
from exports.sdtm.mapping import Block, DomainDef, Supplement

_PROTOCOL = ("STUDYID", "VISITNUM", "VISIT")
_DERIVED = ("USUBJID", "EPOCH")
_ENDINGS = ("SEQ", "DY", "LOBXFL")
_ANSWER = frozenset({"answer", "value", "answer_en", "answer_unit", "missing_reason", "shown"})


@dataclass
class Origin:
    """Collected (on which forms), Derived (how), Assigned or Protocol."""

    type: str
    forms: tuple[str, ...] = ()
    how: tuple[str, ...] = field(default=())


class Origins:
    """Finds origins for one study."""

    def __init__(self, studies: dict[int, StudyDef]) -> None:
        self.forms: dict[str, str] = {}
        self.derived: set[str] = set()
        for _, study in sorted(studies.items()):
            for item_id, item in study.items.items():
                self.forms[item_id] = item.form_id
                (self.derived.add if item.derive else self.derived.discard)(item_id)

    def of_variable(self, domain: DomainDef, name: str, test: str | None = None) -> Origin:
        """The origin of a variable; with `test`, of the records of one test code only."""
        if name in _PROTOCOL or (domain.rows and not domain.blocks):
            return Origin("Protocol")
        own = name.removeprefix(domain.name)
        if name in _DERIVED or own in _ENDINGS or (own in ("STDY", "ENDY")):
            return Origin("Derived")
        if own in ("STAT", "REASND") and not any(name in block.assign for block in domain.blocks):
            return Origin("Collected", self._all_forms(domain, test))
        items: list[str] = []
        how: list[str] = []
        for block in domain.blocks:
            expression = block.assign.get(name)
            if expression is not None and (test is None or _has_test(domain, block, test)):
                read = self._items(expression, block, domain, test)
                items += read
                how.append(f"{block.source}: {expression.source}")
        return self._judge(items, how)

    def of_supplement(self, domain: DomainDef, qnam: str) -> Origin:
        """The origin of a supplemental qualifier."""
        found = [(block, each) for block in domain.blocks for each in block.supplements if each.qnam == qnam]
        items = [item for block, each in found for item in self._items(each.value, block, domain, None)]
        origin = self._judge(items, [f"{block.source}: {each.value.source}" for block, each in found])
        stated = _stated(each for _, each in found)
        return Origin(stated, origin.forms, origin.how) if stated else origin

    def _judge(self, items: list[str], how: list[str]) -> Origin:
        forms = tuple(dict.fromkeys(self.forms[item] for item in items))
        if not items:
            return Origin("Assigned")
        if all(item in self.derived for item in items):
            return Origin("Derived", forms, tuple(dict.fromkeys(how)))
        return Origin("Collected", forms)

    def _items(self, expression: Expression, block: Block, domain: DomainDef, test: str | None) -> list[str]:
        names = set(expression.items)
        found = [name for name in sorted(names) if name in self.forms]
        if names & _ANSWER or names & {"side", "std"}:
            for entry in block.each:
                if test is not None and _test_of(domain, block, entry) != test:
                    continue
                if "item" in entry:
                    found.append(entry["item"])
        if "event_date" in names and "VISDAT" in self.forms:
            found.append("VISDAT")
        return [name for name in found if name in self.forms]

    def _all_forms(self, domain: DomainDef, test: str | None) -> tuple[str, ...]:
        items = [
            entry["item"]
            for block in domain.blocks
            for entry in block.each
            if "item" in entry and (test is None or _test_of(domain, block, entry) == test)
        ]
        return tuple(dict.fromkeys(self.forms[item] for item in items if item in self.forms))


def _stated(supplements: Iterable[Supplement]) -> str | None:
    words = {"CRF": "Collected", "Derived": "Derived", "Assigned": "Assigned"}
    return next((words[each.origin] for each in supplements if each.origin in words), None)


def _has_test(domain: DomainDef, block: Block, test: str) -> bool:
    return any(_test_of(domain, block, entry) in (test, None) for entry in block.each)


def _test_of(domain: DomainDef, block: Block, entry: dict[str, object]) -> object:
    """The test code of an entry: a constant of the entry or of the block; None when it depends on the row."""
    expression = block.assign.get(f"{domain.name}TESTCD")
    if expression is None:
        return None
    source = expression.source
    if source in entry:
        return entry[source]
    return source[1:-1] if source.startswith("'") and source.endswith("'") and source.count("'") == 2 else None
