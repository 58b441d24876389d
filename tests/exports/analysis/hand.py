"""Hand-made tidy tables of the carbon-ion study for the analysis: what is not given is empty."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from design.definitions import StudyDef
from design.reader import read_study
from exports.analysis import declaration
from exports.analysis.declaration import Declaration
from exports.analysis.trial import Trial
from exports.layout import plan
from exports.shape import Code, Table, Variable

ROOT = Path(__file__).resolve().parents[3] / "crf" / "carbon-breast"
KEYS = ("STUDYID", "SITEID", "SUBJID", "SCRNO", "VISIT", "VISITNUM", "EVENT", "REPEAT", "FORM_REPEAT", "ROW")
TYPES = {"integer": "integer", "number": "number", "labvalue": "text", "date": "date"}
F1 = date(2027, 3, 1)
EOT = date(2027, 4, 1)
CUT_OFF = date(2029, 12, 31)


def day(number: int) -> str:
    """Days from the first fraction, as text."""
    return (F1 + timedelta(days=number)).isoformat()


@cache
def study() -> StudyDef:
    """The newest version of the study."""
    return read_study(ROOT / "v2")


@cache
def declared() -> Declaration:
    """Its declaration."""
    found = declaration.read(ROOT / declaration.NAME)
    assert found is not None
    return found


@cache
def _variables() -> dict[str, tuple[Variable, ...]]:
    """By table, the variables of its items with their codes."""
    lists = study().codelists
    found = {}
    for layout in plan([study()]):
        made = []
        for column in layout.columns:
            item = column.newest
            codes = lists[item.codelist].codes if item.codelist else {}
            listed = tuple(Code(code, label.en, label.zh) for code, label in codes.items())
            kind = TYPES.get(item.type, "text")
            made.append(Variable(column.name, kind, item.label.en, item.label.zh, codes=listed))
        found[layout.name] = tuple(made)
    return found


def row(subject: str = "01-S001", event: str = "SCR", **items: Any) -> dict[str, Any]:
    """One row: keys by default, items as given."""
    defined = study().events.get(event)
    keys = {
        "STUDYID": "carbon-breast",
        "SITEID": subject[:2],
        "SUBJID": subject.replace("S", ""),
        "SCRNO": subject,
        "VISIT": defined.label.en if defined else event,
        "VISITNUM": defined.number if defined else None,
        "EVENT": event,
        "REPEAT": 1,
        "FORM_REPEAT": 1,
        "ROW": None,
    }
    return keys | items


def table(name: str, *rows: dict[str, Any]) -> Table:
    """A table of the study with these rows."""
    keys = [Variable(key, "text", key, key, role="key") for key in KEYS]
    variables = [*keys, *_variables().get(name, ())]
    columns = {v.name: [each.get(v.name) for each in rows] for v in variables}
    return Table(name, name, name, variables, columns)


def registers(*subjects: dict[str, Any]) -> list[Table]:
    """SUBJECTS and EVENTS; a subject may bring `visits`: (event, date, state)."""
    names = ("STUDYID", "SITEID", "SUBJID", "SCRNO", "STATUS", "PREVSCR")
    people = [row(each["SCRNO"]) | {"STATUS": "follow_up"} | each for each in subjects]
    first = Table("SUBJECTS", "", "", [Variable(n, "text", n, n) for n in names], _columns(names, people))
    names = ("SCRNO", "EVENT", "REPEAT", "VISIT", "VISIT_ZH", "VISITNUM", "STATE", "TARGET", "VISDAT", "WINDOW")
    events = [
        row(each["SCRNO"], event) | {"VISIT_ZH": event, "STATE": state, "TARGET": when, "VISDAT": when, "WINDOW": "IN"}
        for each in subjects
        for event, when, state in each.get("visits", ())
    ]
    second = Table("EVENTS", "", "", [Variable(n, "text", n, n) for n in names], _columns(names, events))
    return [first, second]


def _columns(names: tuple[str, ...], rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [each.get(name) for each in rows] for name in names}


def treated(subject: str = "01-S001", fractions: int = 20, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    """A participant enrolled and treated from the first fraction to the end of treatment."""
    given = []
    for number in range(fractions):
        when = EOT.isoformat() if number == fractions - 1 else day(number)
        given.append(
            (
                "RTFX",
                row(
                    subject,
                    "RTD",
                    FORM_REPEAT=number + 1,
                    FXSEQ=str(number + 1),
                    FXDAT=when,
                    FXDOSE="3.0",
                    FXMACH="WW1",
                ),
            )
        )
    return [
        ("ENR", row(subject, "ENR", ENRYN="Y", ENRDAT=day(-10))),
        *given,
        ("RTEND", row(subject, "EOT", RTSTAT="COMP", RTPCT="100", RTNFXW="16", RTNFXB="4")),
        ("RTRX", row(subject, "PLN", RXPH="WBN", RXLAT="L", RXNFX=str(fractions), RXDOSE="60")),
        ("IM", row(subject, "SCR", IMMOD="MRI", IMDAT=day(-20))),
        *more.get("also", ()),
    ]


def trial(
    rows: list[tuple[str, dict[str, Any]]], subjects: list[dict[str, Any]] | None = None, values: dict | None = None
) -> Trial:
    """A trial of these rows; `values` replace study parameters."""
    by_table: dict[str, list[dict[str, Any]]] = {}
    for name, each in rows:
        by_table.setdefault(name, []).append(each)
    people = subjects or [{"SCRNO": who} for who in dict.fromkeys(each["SCRNO"] for _, each in rows)]
    tables = {each.name: each for each in registers(*people)}
    tables |= {name: table(name, *each) for name, each in by_table.items()}
    return Trial(tables, _with(values or {}), study(), CUT_OFF)


def _with(values: dict[str, Any]) -> Declaration:
    """The declaration with other values: without its id a parameter takes the value of the declaration."""
    base = declared()
    parameters = {
        name: {k: v for k, v in each.items() if k != "id"} | {"value": values[name]} if name in values else each
        for name, each in base.parameters.items()
    }
    return Declaration(parameters, base.sources, base.subject, base.toxicity, base.windows)
