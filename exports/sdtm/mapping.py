"""The mapping of a study to SDTM, read from text: one TOML file per domain, and what all of them share.

    standard.toml      IG and terminology versions, the subject's identifier, the order of the domains
    codes.toml         the study's codes and the terms they become
    terminology.toml   the controlled terms that are used, with their NCI codes (for define.xml)
    trial.toml         trial design domains, written out
    <domain>.toml      one domain: its variables and from which rows its records are made

Every fault is found before any is reported.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from design.expressions import Expression, ExpressionFault, compile_expression
from exports.sdtm.dataset import DatasetVariable

_SHARED = ("standard", "codes", "terminology")
_DOMAIN_KEYS = {"domain", "class", "label", "structure", "keys", "variables", "records", "rows", "comment", "baseline"}
_BLOCK_KEYS = {"from", "when", "set", "each", "supp", "comments", "links", "note"}
_SUPP_KEYS = {"qnam", "label", "value", "eval", "origin", "codelist"}
_VARIABLE_KEYS = {"name", "label", "type", "core", "role", "codelist", "comment", "method", "origin", "source"}
_STANDARD_KEYS = {"ig", "ct", "usubjid", "order", "not_visits", "relationships", "name", "description", "protocol"}
_STANDARD_KEYS |= {"annotated_crf", "custom", "comment"}


class MappingFaults(Exception):
    """All faults of a mapping, each with its file."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(f"{len(faults)} fault(s) in the SDTM mapping:\n" + "\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Supplement:
    """A supplemental qualifier that rides with a record."""

    qnam: str
    label: str
    value: Expression
    eval: str = ""
    origin: str = ""
    codelist: str | None = None


@dataclass(frozen=True)
class Comment:
    """A comment that rides with a record: its text, its date."""

    text: Expression
    date: Expression | None


@dataclass(frozen=True)
class Block:
    """Records from the rows of one table; `each` repeats every row with constants of its own."""

    source: str
    when: Expression | None
    assign: dict[str, Expression]
    each: tuple[dict[str, Any], ...]
    supplements: tuple[Supplement, ...]
    comments: tuple[Comment, ...]
    links: tuple[Expression, ...]

    def expressions(self) -> Iterable[Expression]:
        """Every expression of the block."""
        yield from (e for e in (self.when, *self.assign.values(), *self.links) if e is not None)
        yield from (each.value for each in self.supplements)
        yield from (e for each in self.comments for e in (each.text, each.date) if e is not None)
        yield from (value for entry in self.each for value in entry.values() if isinstance(value, Expression))


@dataclass(frozen=True)
class DomainDef:
    """One domain: what it is, its variables in order, how its records are made."""

    name: str
    class_name: str
    label: str
    structure: str
    keys: tuple[str, ...]
    variables: tuple[DatasetVariable, ...]
    blocks: tuple[Block, ...]
    rows: tuple[dict[str, Any], ...] = ()
    comment: str | None = None
    baseline: tuple[str, ...] = ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its variables."""
        return frozenset(variable.name for variable in self.variables)

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The names of those that hold numbers."""
        return frozenset(variable.name for variable in self.variables if variable.is_number)

    @property
    def has_subjects(self) -> bool:
        """Whether its records are about participants (trial design is not)."""
        return "USUBJID" in self.names


@dataclass(frozen=True)
class Mapping:
    """All of it."""

    standard: dict[str, Any]
    usubjid: Expression
    domains: dict[str, DomainDef]
    codes: dict[str, dict[str, str]]
    terminology: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def not_visits(self) -> frozenset[str]:
        """Events that are no visits: logs, daily sessions."""
        return frozenset(self.standard.get("not_visits", ()))


class _Reader:
    """Reads the files and keeps every fault."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.file = ""

    def fault(self, where: str, what: str) -> None:
        self.faults.append(f"{self.file} [{where}] {what}")

    def keys(self, where: str, given: Iterable[str], known: set[str]) -> None:
        for key in sorted(set(given) - known):
            self.fault(where, f"unknown key {key!r}; known are {', '.join(sorted(known))}")

    def expression(self, where: str, text: Any) -> Expression | None:
        if not isinstance(text, str):
            self.fault(where, f"an expression is a text, not {text!r}")
            return None
        try:
            return compile_expression(text)
        except ExpressionFault as fault:
            self.fault(where, f"{fault}: {text}")
            return None

    def load(self, path: Path) -> dict[str, Any]:
        self.file = path.name
        try:
            return tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            self.fault("file", str(problem))
            return {}


def read(folder: Path) -> Mapping:
    """Read and check the mapping in a folder.

    Raises:
        MappingFaults: everything that is wrong, at once.
    """
    reader = _Reader()
    shared = {
        name: reader.load(folder / f"{name}.toml") if (folder / f"{name}.toml").exists() else {} for name in _SHARED
    }
    domains: dict[str, DomainDef] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.stem in _SHARED:
            continue
        document = reader.load(path)
        for each in document.get("domains", [document] if document else []):
            domain = _domain(reader, each)
            if domain.name in domains:
                reader.fault(domain.name, "the domain is written twice")
            domains[domain.name] = domain
    standard = shared["standard"]
    reader.file = "standard.toml"
    reader.keys("file", standard, _STANDARD_KEYS)
    for name in ("ig", "ct", "usubjid"):
        if name not in standard:
            reader.fault(name, "is needed")
    usubjid = reader.expression("usubjid", standard.get("usubjid", "SCRNO"))
    order = standard.get("order", [])
    for name in sorted(set(order) - set(domains)):
        reader.fault("order", f"there is no domain {name!r}")
    if reader.faults or usubjid is None:
        raise MappingFaults(reader.faults)
    ordered = [*order, *(name for name in sorted(domains) if name not in order)]
    return Mapping(standard, usubjid, {name: domains[name] for name in ordered}, shared["codes"], shared["terminology"])


def _domain(reader: _Reader, document: dict[str, Any]) -> DomainDef:
    name = document.get("domain", "?")
    reader.keys(name, document, _DOMAIN_KEYS)
    for key in ("domain", "class", "label", "structure", "keys", "variables"):
        if key not in document:
            reader.fault(name, f"{key} is needed")
    variables = tuple(_variable(reader, name, each) for each in document.get("variables", ()))
    names = [variable.name for variable in variables]
    for each in sorted({each for each in names if names.count(each) > 1}):
        reader.fault(name, f"the variable {each} stands twice")
    for key in document.get("keys", ()):
        if key not in names:
            reader.fault(name, f"the key {key} is no variable")
    blocks = tuple(_block(reader, name, each, set(names)) for each in document.get("records", ()))
    _labels(reader, name, blocks)
    for row in document.get("rows", ()):
        for each in sorted(set(row) - set(names)):
            reader.fault(name, f"a row gives {each}, which is no variable")
    return DomainDef(
        name,
        document.get("class", ""),
        document.get("label", ""),
        document.get("structure", ""),
        tuple(document.get("keys", ())),
        variables,
        blocks,
        tuple(document.get("rows", ())),
        document.get("comment"),
        tuple(document.get("baseline", ())),
    )


def _labels(reader: _Reader, domain: str, blocks: tuple[Block, ...]) -> None:
    """One label for each QNAM of a domain, and one QNAM for each label."""
    pairs = sorted({(each.qnam, each.label) for block in blocks for each in block.supplements})
    for place, what in enumerate(("qnam", "label")):
        held = [pair[place] for pair in pairs]
        for each in sorted({each for each in held if held.count(each) > 1}):
            reader.fault(domain, f"the {what} {each!r} of supplemental qualifiers stands for several things")


def _variable(reader: _Reader, domain: str, given: dict[str, Any]) -> DatasetVariable:
    name = str(given.get("name", "?"))
    reader.keys(f"{domain}.{name}", given, _VARIABLE_KEYS)
    label, kind = str(given.get("label", "")), str(given.get("type", "Char"))
    if len(name) > 8 or not name.isascii() or not name.isalnum() or name != name.upper():
        reader.fault(f"{domain}.{name}", "a name has at most 8 capitals and digits")
    if not label or len(label.encode()) > 40:
        reader.fault(f"{domain}.{name}", "a label has 1 to 40 bytes")
    if kind not in ("Char", "Num"):
        reader.fault(f"{domain}.{name}", f"the type is Char or Num, not {kind!r}")
    known = {key: value for key, value in given.items() if key in _VARIABLE_KEYS}
    return DatasetVariable(**{"core": "Perm", **known, "name": name, "label": label, "type": kind})


def _block(reader: _Reader, domain: str, given: dict[str, Any], names: set[str]) -> Block:
    source = str(given.get("from", "?"))
    where = f"{domain} from {source}"
    reader.keys(where, given, _BLOCK_KEYS)
    assign = {}
    for name, text in given.get("set", {}).items():
        if name not in names:
            reader.fault(where, f"sets {name}, which is no variable of {domain}")
        expression = reader.expression(f"{where}: {name}", text)
        if expression is not None:
            assign[name] = expression
    each = tuple(_entry(reader, where, entry) for entry in given.get("each", ({},)))
    links = (reader.expression(f"{where}: links", text) for text in given.get("links", ()))
    return Block(
        source,
        reader.expression(f"{where}: when", given["when"]) if "when" in given else None,
        assign,
        each,
        tuple(s for e in given.get("supp", ()) if (s := _supplement(reader, where, e)) is not None),
        tuple(c for e in given.get("comments", ()) if (c := _comment(reader, where, e)) is not None),
        tuple(link for link in links if link is not None),
    )


def _entry(reader: _Reader, where: str, entry: dict[str, Any]) -> dict[str, Any]:
    """The constants of one repetition; a text that begins with `=` is an expression."""
    found: dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, str) and value.startswith("="):
            found[name] = reader.expression(f"{where}: {name}", value[1:])
        else:
            found[name] = value
    return found


def _supplement(reader: _Reader, where: str, given: dict[str, Any]) -> Supplement | None:
    qnam, label = str(given.get("qnam", "")), str(given.get("label", ""))
    reader.keys(f"{where}: supp {qnam}", given, _SUPP_KEYS)
    if not 1 <= len(qnam) <= 8 or not 1 <= len(label.encode()) <= 40:
        reader.fault(f"{where}: supp {qnam}", "qnam has at most 8 characters, its label at most 40 bytes")
    value = reader.expression(f"{where}: supp {qnam}", given.get("value", qnam))
    if value is None:
        return None
    return Supplement(qnam, label, value, given.get("eval", ""), given.get("origin", ""), given.get("codelist"))


def _comment(reader: _Reader, where: str, given: dict[str, Any]) -> Comment | None:
    text = reader.expression(f"{where}: comment", given.get("text"))
    date = reader.expression(f"{where}: comment date", given["date"]) if "date" in given else None
    return Comment(text, date) if text is not None else None
