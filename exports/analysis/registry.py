"""The registry of outputs: what a table, listing or figure is, and how each is found and made.

An output speaks both languages; every cell carries the keys of the records behind it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from exports.analysis.people import SETS, Person
from exports.analysis.trial import Trial

TABLE, LISTING, FIGURE = "table", "listing", "figure"


@dataclass(frozen=True)
class Text:
    """A text in both languages; of a value both are the same."""

    en: str
    zh: str

    def of(self, language: str) -> str:
        """The text in a language."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True)
class Cell:
    """What stands in a cell, the number behind it if it is one, and the keys of the records it was made from."""

    text: Text
    keys: tuple[str, ...] = ()
    number: float | None = None


@dataclass(frozen=True)
class Output:
    """A finished table, listing or figure. `draw` gives the figure as SVG in a language; its data are the rows."""

    id: str
    kind: str
    title: Text
    population: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    footnotes: tuple[Text, ...]
    cut_off: date
    draw: Callable[[str], str] | None = None


@dataclass
class Body:
    """What the function of an output returns: columns, rows, notes of its own, and how to draw it."""

    columns: Sequence[Text]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[Text] = ()
    draw: Callable[[str], str] | None = None


@dataclass(frozen=True)
class Entry:
    """One output of the registry."""

    id: str
    kind: str
    title: Text
    population: str
    parameters: tuple[str, ...]
    make: Callable[[Trial], Body] = field(repr=False)


REGISTRY: dict[str, Entry] = {}


def output(
    id: str, en: str, zh: str, population: str = "FAS", parameters: Iterable[str] = ()
) -> Callable[[Callable[[Trial], Body]], Callable[[Trial], Body]]:
    """Register a function as an output; the first letter of its number says what it is."""
    kind = {"T": TABLE, "L": LISTING, "F": FIGURE}[id[0]]

    def register(make: Callable[[Trial], Body]) -> Callable[[Trial], Body]:
        assert id not in REGISTRY, id
        REGISTRY[id] = Entry(id, kind, Text(en, zh), population, tuple(parameters), make)
        return make

    return register


def make(trial: Trial, id: str) -> Output:
    """An output, with footnotes that name its population, the study parameters it used and the cut-off.

    Raises:
        KeyError: there is no such output.
    """
    entry = REGISTRY[id]
    body = entry.make(trial)
    en, zh = SETS[entry.population]
    number = len(trial.of(entry.population))
    population = Text(f"{en} (N = {number})", f"{zh}（N = {number}）")
    notes = [*body.notes]
    for name in entry.parameters:
        parameter = trial.parameters[name]
        notes.append(Text(parameter.text("en"), parameter.text("zh")))
    version, cut = trial.study.version, trial.cut_off.isoformat()
    notes.append(Text(f"Data cut-off {cut}; study version {version}.", f"数据截止日期{cut}；研究版本{version}。"))
    columns, rows = tuple(body.columns), tuple(tuple(row) for row in body.rows)
    return Output(id, entry.kind, entry.title, population, columns, rows, tuple(notes), trial.cut_off, body.draw)


def both(en: str, zh: str | None = None) -> Text:
    """A text; without Chinese it is the same in both."""
    return Text(en, en if zh is None else zh)


def cell(text: Any, keys: Iterable[str] = (), number: float | None = None) -> Cell:
    """A cell of a value; nothing gives a dash."""
    if isinstance(text, Text):
        return Cell(text, tuple(dict.fromkeys(keys)), number)
    if isinstance(text, int | float) and not isinstance(text, bool):
        number = float(text)
        text = f"{text:g}" if isinstance(text, float) else str(text)
    shown = "–" if text is None or text == "" else str(text)
    return Cell(Text(shown, shown), tuple(dict.fromkeys(keys)), number)


def people_cell(members: Sequence[Person], of: int | None = None, keys: Iterable[str] = ()) -> Cell:
    """`3 (50.0%)`; without `of` the number alone."""
    number = len(members)
    share = f" ({100 * number / of:.1f}%)" if of else ""
    return cell(f"{number}{share}", [*(each.key for each in members), *keys], float(number))


def label_of(trial: Trial, concept: str, word: str, code: Any) -> Text:
    """The label of a code in both languages."""
    found = trial.records.labels(concept, word).get(str(code))
    return Text(*found) if found else both(str(code))


CLOPPER = both("Exact 95% limits: Clopper-Pearson 1934.", "精确95%可信限：Clopper-Pearson（1934）。")
KAPLAN = both(
    "Kaplan-Meier with log-log 95% limits (Kalbfleisch-Prentice); median limits: Brookmeyer-Crowley 1982. Months = "
    "(date - origin + 1) / 30.4375. Censoring: domain specification 4.5.",
    "Kaplan-Meier估计，log-log法95%可信限（Kalbfleisch-Prentice）；中位数可信限：Brookmeyer-Crowley（1982）。"
    "月数=（日期-起点+1）/30.4375。删失规则：领域规范4.5。",
)
AALEN = both(
    "Aalen-Johansen cumulative incidence with competing risks, log-log 95% limits; variance: Gaynor 1993.",
    "Aalen-Johansen累积发生率（竞争风险），log-log法95%可信限；方差：Gaynor（1993）。",
)
EISENHAUER = both("RECIST 1.1: Eisenhauer 2009.", "RECIST 1.1：Eisenhauer（2009）。")
