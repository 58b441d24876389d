"""The declaration of a study's analysis (`analysis.toml` beside its versions): parameters, sources, descriptors.

It is text, so that which item feeds which concept, and which code means which word, is said by the study and read by
people; the programs know the words only.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from design.definitions import StudyDef

NAME = "analysis.toml"


@dataclass(frozen=True)
class Parameter:
    """A value that the analysis used, its origin in the study (None: the analysis declares it) and its label."""

    name: str
    id: str | None
    value: Any
    assumed: bool
    en: str
    zh: str

    def text(self, language: str) -> str:
        """How a footnote names it: `Acute until (days) = 90 [ACUTE_DAYS, assumed]`."""
        zh = language.startswith("zh")
        source = self.id or ("分析声明" if zh else "analysis declaration")
        assumed = ("，待确认" if zh else ", assumed") if self.assumed else ""
        label = self.zh if zh else self.en
        value = ("未给定" if zh else "not stated") if self.value in (None, "", "not stated") else self.value
        return f"{label} = {value}（{source}{assumed}）" if zh else f"{label} = {value} ({source}{assumed})"


@dataclass(frozen=True)
class SourceDef:
    """Where records of a concept come from: table, items by word, codes by word."""

    name: str
    table: str
    items: dict[str, str]
    header: str | None = None
    header_items: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)  # word of the item: {code: word of the code}
    many: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Descriptor:
    """One column that describes a participant: from which source and item, and which of several records."""

    name: str
    source: str
    item: str
    group: str
    pick: str = "last"
    prefer: tuple[str, ...] = ()
    subgroup: bool = False


@dataclass(frozen=True)
class Declaration:
    """All of it."""

    parameters: dict[str, dict[str, Any]]
    sources: dict[str, SourceDef]
    subject: tuple[Descriptor, ...]
    toxicity: dict[str, Any]
    windows: dict[int, int] = field(default_factory=dict)  # month of follow-up: days around it that still count

    def parameters_of(self, study: StudyDef) -> dict[str, Parameter]:
        """The parameters with the values of a study version; assumed when it or nobody confirmed them."""
        found = {}
        for name, row in self.parameters.items():
            defined = study.parameters.get(row.get("id", ""))
            value = defined.value if defined else row["value"]
            assumed = defined.assumed if defined else True
            found[name] = Parameter(name, defined.id if defined else None, value, assumed, row["en"], row["zh"])
        return found


def read(path: Path) -> Declaration | None:
    """The declaration in a file; None when the study has none."""
    return parse(path.read_text(encoding="utf-8")) if path.is_file() else None


def parse(text: str) -> Declaration:
    """The declaration in a text.

    Raises:
        ValueError: a part is missing or names something that is not declared.
    """
    document = tomllib.loads(text)
    sources = {name: _source(name, row) for name, row in document.get("sources", {}).items()}
    subject = tuple(_descriptor(row, sources) for row in document.get("subject", []))
    for name, row in document.get("parameters", {}).items():
        if not {"value", "en", "zh"} <= set(row):
            raise ValueError(f"parameters.{name}: give value, en and zh")
    windows = {int(month): int(days) for month, days in document.get("windows", {}).items()}
    return Declaration(document.get("parameters", {}), sources, subject, document.get("toxicity", {}), windows)


def _source(name: str, row: Mapping[str, Any]) -> SourceDef:
    if "table" not in row or "items" not in row:
        raise ValueError(f"sources.{name}: give table and items")
    items, header = dict(row["items"]), dict(row.get("header_items", {}))
    codes = {}
    for item, words in row.get("codes", {}).items():
        if item not in items and item not in header:
            raise ValueError(f"sources.{name}.codes.{item}: no such item")
        codes[item] = {code: word for word, listed in words.items() for code in listed}
    return SourceDef(name, row["table"], items, row.get("header"), header, codes, frozenset(row.get("many", ())))


def _descriptor(row: Mapping[str, Any], sources: Mapping[str, SourceDef]) -> Descriptor:
    source, _, item = row["from"].partition(".")
    if source not in sources or item not in sources[source].items:
        raise ValueError(f"subject {row['name']}: no item {row['from']}")
    return Descriptor(
        row["name"],
        source,
        item,
        row["group"],
        row.get("pick", "last"),
        tuple(row.get("prefer", ())),
        row.get("subgroup", False),
    )
