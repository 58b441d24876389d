"""What the data management dashboard shows of the figures: one section each with a chart, a table, and their links."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from models import Site
from views.shell import language
from views.wording import status_name
from workflows import drawing, progressing
from workflows.drawing import Part, Series, Words
from workflows.progressing import Figures, Month, Progress

OK, BUSY, LATE, NONE, STILL, DEEP = "#2f7d54", "#e0b252", "#a3382f", "#d5dbe1", "#8594a3", "#1b5a86"
STATUSES = {
    "screening": "#cfe3ee", "consented": "#a7cbe0", "eligible": "#74abcb", "screen_failed": NONE,
    "enrolled": "#3f87b0", "on_treatment": DEEP, "follow_up": OK, "ended": STILL, "withdrawn": BUSY, "dead": "#47525d",
}  # fmt: skip
AGE_COLOURS = ("#dfe7ee", "#f3dca8", "#e3a951", "#cf6f38", "#942b23")
Count = Callable[[Figures], Mapping[str, int]]
Link = Callable[[str, str], str]  # what is counted, the code of the site or nothing -> address


@dataclass(frozen=True)
class Cell:
    """A number as it is written, and the list behind it, if there is one."""

    text: str
    href: str = ""


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    key: str
    title: str
    note: str
    chart: str
    columns: list[str]
    rows: list[tuple[str, list[Cell]]]


@dataclass(frozen=True)
class Row:
    """One line of a table: a site, or everything together (`code` empty)."""

    name: str
    code: str
    figures: Figures


def percent(value: float | None) -> str:
    """A share in whole percent, rounded down: 100 only when nothing is left."""
    return "–" if value is None else f"{int(value * 100)} %"


def sections(progress: Progress, may_sign: bool) -> list[Section]:
    """The sections in the order of the work."""
    rows = [Row(f"{site.code} {site.name(language())}", site.code, figures) for site, figures in progress.sites]
    if len(rows) != 1:
        rows.insert(0, Row(_("All sites"), "", progress.total))
    return [
        _participants(rows),
        _forms(rows),
        _lag(rows),
        _overdue(rows),
        _queries(rows),
        _verification(rows),
        _signatures(rows, may_sign),
        _protection(rows),
    ]


def _address(endpoint: str, code: str, **more: Any) -> str:
    return url_for(endpoint, site=code or None, **more)


def _checklist(kind: str, code: str) -> str:
    return _address("protection.checklist", code, kind=kind)


def _says(name: str, what: str, number: int) -> str:
    return f"{name}: {what} {number}"


def _of_parts(
    key: str,
    title: str,
    note: str,
    description: str,
    rows: list[Row],
    kinds: dict[str, Series],
    count: Count,
    link: Link,
    last: tuple[str, Callable[[Figures], Cell]],
    in_percent: bool = True,
) -> Section:
    """A section of counts by kind: a bar of parts per row, a column per kind, and one more column at the end."""
    drawn, table = [], []
    for row in rows:
        counts = count(row.figures)
        cells = [Cell(str(counts[kind]), link(kind, row.code) if counts[kind] else "") for kind in kinds]
        table.append((row.name, [*cells, last[1](row.figures)]))
        says = [_says(row.name, each.name, counts[kind]) for kind, each in kinds.items()]
        parts = [Part(counts[kind], words, cell.href) for kind, words, cell in zip(kinds, says, cells, strict=True)]
        if in_percent or row.code or len(rows) == 1:  # counts of all together would dwarf those of the sites
            drawn.append((row.name, parts))
    draw = drawing.shares if in_percent else drawing.bars
    x_name = _("Share in percent") if in_percent else ""
    chart = draw(f"chart-{key}", drawn, list(kinds.values()), Words(title, description, x_name))
    return Section(key, title, note, chart, [*(each.name for each in kinds.values()), last[0]], table)


def _participants(rows: list[Row]) -> Section:
    present = {status for row in rows for status in row.figures.participants}
    kinds = {status: Series(status_name(status), colour) for status, colour in STATUSES.items() if status in present}
    return _of_parts(
        "participants",
        _("Participants"),
        "",
        _("Participants of each site by status."),
        rows,
        kinds,
        lambda figures: figures.participants,
        lambda status, code: _address("participants.index", code, status=status),
        (_("All"), lambda figures: Cell(str(figures.participants.total()))),
        in_percent=False,
    )


def _forms(rows: list[Row]) -> Section:
    def link(entry: str, code: str) -> str:
        return _checklist("incomplete", code) if entry == "in_progress" else ""

    colours = zip(progressing.ENTRIES, (OK, BUSY, STILL, NONE), strict=True)
    return _of_parts(
        "forms",
        _("Completeness"),
        _(
            "Expected: every stored form, and the required forms of visits that were begun, took place, or whose window "
            "has closed. Complete counts together with “not done”. Records in error are left out."
        ),
        _("Of the forms expected at each site, the shares that are complete, in progress, not done and not started."),
        rows,
        {entry: Series(status_name(entry), colour) for entry, colour in colours},
        lambda figures: figures.forms,
        link,
        (_("Complete of expected"), lambda f: Cell(f"{percent(f.completeness)} / {f.expected}")),
    )


def _lag(rows: list[Row]) -> Section:
    series = [Series(_("Median"), DEEP), Series(_("90th percentile"), LATE)]
    drawn, table = [], []
    for row in rows:
        middle, high, forms = row.figures.lag_median, row.figures.lag_ninth, len(row.figures.lags)
        table.append((row.name, [Cell("–" if v is None else f"{v:g}") for v in (middle, high)] + [Cell(str(forms))]))
        says = [f"{row.name}: {each.name} {value or 0:g}" for each, value in zip(series, (middle, high), strict=True)]
        drawn.append((row.name, Part(middle or 0, says[0]), Part(high or 0, says[1])))
    title = _("Entry lag")
    words = Words(title, _("Days from the visit to the first save of its forms, by site."), _("Days"))
    note = _(
        "Days from the date of the visit to the first save of a form of it, as the audit trail tells. Half of the forms "
        "were begun within the median, nine of ten within the 90th percentile."
    )
    chart = drawing.spread("chart-lag", drawn, series, words)
    return Section("lag", title, note, chart, [*(each.name for each in series), _("Forms")], table)


def _overdue(rows: list[Row]) -> Section:
    return _of_parts(
        "overdue",
        _("Overdue visits"),
        _("Planned visits whose window has closed, of participants who have not left the study."),
        _("How many visits are overdue at each site."),
        rows,
        {"overdue": Series(_("Overdue visits"), LATE)},
        lambda figures: {"overdue": figures.overdue},
        _checklist,
        (_("per participant"), lambda f: Cell(_ratio(f.overdue, f.participants.total()))),
        in_percent=False,
    )


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "–"


def _age_names() -> list[str]:
    """The ages of queries in words: 0-6 days, …, 90 days and more."""
    ages = progressing.AGES
    bounded = [_("%(low)s–%(high)s days", low=low, high=high - 1) for low, high in pairwise(ages)]
    return [*bounded, _("%(low)s days and more", low=ages[-1])]


def _queries(rows: list[Row]) -> Section:
    def link(age: str, code: str) -> str:
        return _address("queries.index", code, status="waiting", age=age if age != "0" else None)

    ages = [str(days) for days in progressing.AGES]
    named = zip(ages, _age_names(), AGE_COLOURS, strict=True)
    made = _of_parts(
        "queries",
        _("Queries"),
        _("Queries that wait, by the days since they were raised. A link leads to all that wait at least that long."),
        _("Queries that wait at each site, by age."),
        rows,
        {age: Series(name, colour) for age, name, colour in named},
        lambda figures: dict(zip(ages, figures.ages, strict=True)),
        link,
        ("", lambda figures: Cell("")),
        in_percent=False,
    )
    columns = [_("Open"), _("Answered"), *made.columns[:-1]]
    table = [
        (row.name, [*(_waiting(row, status) for status in ("open", "answered")), *cells[:-1]])
        for row, (_name, cells) in zip(rows, made.rows, strict=True)
    ]
    return Section(made.key, made.title, made.note, made.chart, columns, table)


def _waiting(row: Row, status: str) -> Cell:
    number = row.figures.queries[status]
    return Cell(str(number), _address("queries.index", row.code, status=status) if number else "")


def _verification(rows: list[Row]) -> Section:
    kinds = {"verified": Series(_("Verified"), OK), "left": Series(_("Left"), NONE)}
    return _of_parts(
        "verification",
        _("Source data verification"),
        _("Of the answered items that the verification plan asks for, those that carry a mark."),
        _("The share of the items to be verified that is verified, by site."),
        rows,
        kinds,
        lambda figures: {"verified": figures.verification.verified, "left": figures.verification.left},
        lambda kind, code: _address("verification.index", code),
        (_("Share verified"), lambda figures: Cell(percent(figures.verified))),
    )


def _signatures(rows: list[Row], may_sign: bool) -> Section:
    def link(state: str, code: str) -> str:
        if state == "signed":
            return ""
        return url_for("signing.index") if may_sign else _checklist("unsigned", code)

    kinds = {
        "signed": Series(_("Signed"), OK),
        "broken": Series(_("Changed since it was signed"), LATE),
        "unsigned": Series(_("Not signed"), NONE),
    }
    return _of_parts(
        "signatures",
        _("Signatures"),
        _("Stored forms by whether a signature holds for them as they stand."),
        _("The shares of the stored forms that are signed, changed since, and not signed, by site."),
        rows,
        kinds,
        lambda figures: figures.signatures,
        link,
        (_("Share signed"), lambda figures: Cell(percent(figures.signed))),
    )


def _protection(rows: list[Row]) -> Section:
    colours = {"locked": DEEP, "frozen": "#7fb2cf", "open": NONE}
    words = {"locked": status_name("locked"), "frozen": status_name("frozen"), "open": _("Still open")}

    def link(state: str, code: str) -> str:
        return _address("protection.checklist", code) if state == "open" else url_for("protection.index")

    return _of_parts(
        "lock",
        _("Lock readiness"),
        _(
            "Stored forms that are locked, frozen, or still open. What stands between the open ones and the lock is listed."
        ),
        _("The shares of the stored forms that are locked, frozen and open, by site."),
        rows,
        {state: Series(words[state], colour) for state, colour in colours.items()},
        lambda figures: figures.protection,
        link,
        (_("Share frozen or locked"), lambda figures: Cell(percent(figures.protected))),
    )


def over_time(months: list[Month], site: Site | None) -> tuple[list[Section], str]:
    """Saves, queries and completeness by month, each with its chart; and the name of the period."""
    names = [f"{month.first:%Y-%m}" for month in months]
    saves = [_saved(month, site) for month in months]
    period = f"{names[0]} – {names[-1]}" if names else ""
    return [_course(names, months), _saves(names, months, saves), _asked(names, months)], period


def _saved(month: Month, site: Site | None) -> str:
    until = date.fromordinal(_next(month.first).toordinal() - 1)
    given: dict[str, Any] = {
        "since": month.first.isoformat(),
        "until": until.isoformat(),
        "site": site.id if site else None,
    }
    return url_for("trail.index", what="save form", **given) if month.saves else ""


def _next(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _saves(names: list[str], months: list[Month], links: list[str]) -> Section:
    series = Series(_("Forms saved"), DEEP)
    row = [
        Part(m.saves, _says(name, series.name, m.saves), href)
        for name, m, href in zip(names, months, links, strict=True)
    ]
    words = Words(_("Saves per month"), _("How many times a form was saved in each month."), "", _("Saves"))
    chart = drawing.columns("chart-saves", names, [row], [series], words)
    table = [(name, [Cell(str(int(part.value)), part.href)]) for name, part in zip(names, row, strict=True)]
    return Section("saves", words.title, "", chart, [series.name], table)


def _asked(names: list[str], months: list[Month]) -> Section:
    series = [Series(_("Raised"), BUSY), Series(_("Closed"), OK)]
    counts = [[month.opened for month in months], [month.closed for month in months]]
    rows = [
        [Part(number, _says(name, each.name, number)) for name, number in zip(names, numbers, strict=True)]
        for each, numbers in zip(series, counts, strict=True)
    ]
    words = Words(_("Queries per month"), _("How many queries were raised and closed in each month."), "", _("Queries"))
    chart = drawing.columns("chart-asked", names, rows, series, words)
    table = [
        (name, [Cell(str(opened)), Cell(str(closed))]) for name, opened, closed in zip(names, *counts, strict=True)
    ]
    return Section("asked", words.title, "", chart, [each.name for each in series], table)


def _course(names: list[str], months: list[Month]) -> Section:
    words = Words(
        _("Completeness over time"),
        _("Of the forms expected by the end of each month, the share begun by then and complete today."),
        "",
        _("Percent complete"),
    )
    chart = drawing.course("chart-course", names, [month.completeness for month in months], OK, words)
    table = [
        (name, [Cell(percent(m.completeness)), Cell(str(m.expected))]) for name, m in zip(names, months, strict=True)
    ]
    return Section("course", words.title, words.description, chart, [_("Complete"), _("Expected")], table)


def headline(progress: Progress, code: str) -> list[tuple[str, str, str]]:
    """The figures at the top: the number, what it counts, and where it leads."""
    total = progress.total
    waiting = sum(total.queries.values())
    return [
        (percent(total.completeness), _("forms complete"), "#forms"),
        ("–" if total.lag_median is None else f"{total.lag_median:g}", _("days of entry lag (median)"), "#lag"),
        (
            str(total.overdue),
            ngettext("visit is overdue", "visits are overdue", total.overdue),
            _checklist("overdue", code),
        ),
        (
            str(waiting),
            ngettext("query waits", "queries wait", waiting),
            _address("queries.index", code, status="waiting"),
        ),
        (percent(total.verified), _("of the items verified"), "#verification"),
        (percent(total.signed), _("of the forms signed"), "#signatures"),
        (percent(total.protected), _("of the forms frozen or locked"), "#lock"),
        (str(total.participants.total()), _("participants"), _address("participants.index", code)),
    ]
