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


WORDS = {
    "local": "局部失败",
    "regional": "区域失败",
    "distant": "远处失败",
    "contralateral": "对侧乳腺癌",
    "second primary": "第二原发癌",
    "progression": "进展",
    "surgery with residual tumour": "手术标本有残留肿瘤",
    "mastectomy without tumour": "无肿瘤的乳房切除",
    "surgery of the breast": "乳腺手术",
    "mastectomy": "乳房切除",
    "death": "死亡",
    "complete response": "完全缓解",
    "lymphoedema": "淋巴水肿",
    "no event": "无事件",
    "last known alive": "最后确认存活",
    "last assessment": "末次评价",
    "consent withdrawn": "撤回同意",
    "event after data cut-off": "截止日期后事件",
    "no baseline or no post-baseline data": "无基线或无基线后数据",
    "new anticancer therapy": "新的抗肿瘤治疗",
    "event after missed images": "缺失影像后的事件",
    "definite": "肯定有关",
    "probable": "很可能有关",
    "possible": "可能有关",
    "unlikely": "可能无关",
    "unrelated": "无关",
    "interrupted": "中断",
    "discontinued": "终止",
}


def reason(trial: Trial, word: str | None) -> Text | None:
    """A word of the analysis, or a term of toxicity, in both languages."""
    term = trial.safety.terms.get(word or "")
    if term:
        return Text(term.en, term.zh)
    return None if word is None else Text(word, WORDS.get(word, word))


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
