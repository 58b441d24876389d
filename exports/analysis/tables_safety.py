"""T6: adverse events, acute and late toxicity, events of special interest, serious and dose-limiting events."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from exports.analysis import monitoring, proportions, summaries, toxicity
from exports.analysis.people import Person
from exports.analysis.records import Record
from exports.analysis.registry import AALEN, CLOPPER, Body, Cell, Text, both, cell, output, people_cell
from exports.analysis.summaries import CATEGORY, N_PERCENT, VARIABLE
from exports.analysis.toxicity import ACUTE, LATE, Event
from exports.analysis.trial import AJ, Trial

GRADES = (1, 2, 3, 4, 5)
GRADE_COLUMNS = tuple(both(f"Grade {grade}", f"{grade}级") for grade in GRADES)
UNGRADED = both("Not graded", "未分级")
ANY, TERM = both("Any", "合计"), both("Term", "术语")
PERIOD = ("acute_days", "acute_anchor")
DLT = ("dlt_grade", "dlt_days", "dlt_evaluable", "dermatitis_weeks", "fatigue_days")
STOPPING = ("stopping_rate", "stopping_chance", "planned")
Kept = Callable[[Person, Event], bool]
EMERGENT = both(
    "Treatment-emergent: start on or after the first fraction, or worse than before it. Each participant counts once, "
    "with the highest grade; a missing relation counts as related.",
    "治疗期间：首次照射当日或之后开始，或较此前加重。每名受试者计一次，取最高级别；因果关系缺失视为相关。",
)


def term_text(trial: Trial, code: str) -> Text:
    """A term's name in both languages."""
    term = trial.safety.terms.get(code)
    return Text(term.en, term.zh) if term else both(code)


def _events(trial: Trial, kept: Kept) -> list[tuple[Person, Event]]:
    return [(p, e) for p in trial.of("SAF") for e in trial.safety.emergent(p) if kept(p, e)]


def _members(pairs: Iterable[tuple[Person, Event]]) -> list[Person]:
    return list({person.subject: person for person, _ in pairs}.values())


def _related(_: Person, event: Event) -> bool:
    return toxicity.is_related(event.relation)


def _graded(least: int) -> Kept:
    return lambda person, event: (event.highest or 0) >= least


@output("T6.1", "Overview of adverse events", "不良事件概览", "SAF", DLT)
def overview(trial: Trial) -> Body:
    """Participants and events of each kind."""
    size = len(trial.of("SAF"))
    kinds: list[tuple[Text, Kept]] = [
        (both("Any adverse event", "任何不良事件"), lambda p, e: True),
        (both("Related to RT", "与放疗相关"), _related),
        (both("Grade 3 or more", "3级及以上"), _graded(3)),
        (both("Grade 3 or more, related", "3级及以上且相关"), lambda p, e: _graded(3)(p, e) and _related(p, e)),
        (both("Serious", "严重不良事件"), lambda p, e: e.serious),
        (both("Of special interest", "特别关注"), lambda p, e: e.special),
        (both("Dose-limiting", "剂量限制性"), lambda p, e: e in trial.safety.limiting(p)),
        (both("RT interrupted", "放疗中断"), lambda p, e: e.action == "interrupted"),
        (both("RT discontinued", "放疗终止"), lambda p, e: e.action == "discontinued"),
        (both("Fatal", "致死"), _graded(5)),
    ]
    rows = []
    for label, kept in kinds:
        pairs = _events(trial, kept)
        keys = [key for _, event in pairs for key in event.keys]
        rows.append([cell(label), people_cell(_members(pairs), size, keys), cell(len(pairs), keys)])
    return Body((CATEGORY, N_PERCENT, both("Events", "事件数")), rows, (EMERGENT,))


def _by_term(trial: Trial, pairs: Sequence[tuple[Person, Event]]) -> Body:
    """Participants by organ class, term and highest grade."""
    size = len(trial.of("SAF"))
    found: dict[tuple[str, str], list[tuple[Person, Event]]] = defaultdict(list)
    for person, event in pairs:
        term = trial.safety.terms.get(event.term)
        found[(term.soc_en if term else "", event.term)].append((person, event))
    rows = []
    for (_, code), of_term in sorted(found.items(), key=lambda each: (each[0][0], -len(_members(each[1])))):
        term = trial.safety.terms.get(code)
        soc = Text(term.soc_en, term.soc_zh) if term else both("")
        rows.append([cell(soc), cell(term_text(trial, code)), *_grade_cells(of_term, size)])
    columns = (both("System organ class", "系统器官分类"), TERM, *GRADE_COLUMNS, UNGRADED, ANY)
    return Body(columns, rows, (EMERGENT,))


def _grade_cells(pairs: Sequence[tuple[Person, Event]], size: int) -> list[Cell]:
    highest: dict[str, int] = {}
    keys: dict[str, list[str]] = defaultdict(list)
    members = {person.subject: person for person, _ in pairs}
    for person, event in pairs:
        highest[person.subject] = max(highest.get(person.subject, 0), event.highest or 0)
        keys[person.subject] += event.keys
    cells = []
    for grade in (*GRADES, 0):
        here = [members[who] for who, level in highest.items() if level == grade]
        cells.append(people_cell(here, size, [key for each in here for key in keys[each.subject]]))
    return [*cells, people_cell(list(members.values()), size, [key for each in keys.values() for key in each])]


@output(
    "T6.2", "Adverse events by organ class, term and maximum grade", "按系统器官分类、术语与最高级别的不良事件", "SAF"
)
def adverse(trial: Trial) -> Body:
    """All treatment-emergent events."""
    return _by_term(trial, _events(trial, lambda p, e: True))


@output("T6.3", "Adverse events related to RT", "放疗相关不良事件", "SAF")
def related(trial: Trial) -> Body:
    """Related events only."""
    return _by_term(trial, _events(trial, _related))


def _listed(trial: Trial, follow_up: bool) -> list[str]:
    return [t.code for t in trial.safety.terms.values() if (t.follow_up if follow_up else t.on_treatment)]


def _toxicity_rows(trial: Trial, period: str, anchor: str | None, terms: Sequence[str]) -> list[list[Cell]]:
    """Participants by term and maximum grade in a period; who was not assessed in it is missing, not grade 0."""
    highest: dict[str, list[tuple[Person, int, tuple[str, ...]]]] = defaultdict(list)
    for person in trial.of("SAF"):
        limits = trial.safety.limits(person, anchor)
        if limits is None or (period == LATE and limits.limit >= trial.cut_off):
            continue
        first, last = (limits.origin, limits.limit) if period == ACUTE else (limits.limit, trial.cut_off)
        by_term = defaultdict(list)
        for row in trial.safety.grades(person):
            inside = first <= row.day <= last if period == ACUTE else first < row.day <= last
            if row.grade is not None and inside:
                by_term[row.term].append(row)
        carried = toxicity.highest_by_term(trial.safety.events(person), period, limits)
        for code in set(by_term) | set(carried):
            rows = by_term.get(code, [])
            levels = [row.grade or 0 for row in rows] + [carried.get(code) or 0]
            if rows or carried.get(code) is not None:
                keys = tuple(key for row in rows if (row.grade or 0) == max(levels) for key in row.keys)
                highest[code].append((person, max(levels), keys))
    found = []
    for code in terms:
        of_term = highest.get(code, [])
        cells = []
        for grade in (0, *GRADES):
            here = [(person, keys) for person, level, keys in of_term if level == grade]
            cells.append(people_cell([p for p, _ in here], len(of_term), [key for _, keys in here for key in keys]))
        found.append([cell(term_text(trial, code)), cell(len(of_term), [p.key for p, _, _ in of_term]), *cells])
    return found


COMPETES = both(
    "Death competes; for terms of the breast mastectomy does too. n/N of an incidence: events so far, at risk then.",
    "死亡为竞争事件；乳腺术语中乳房切除亦为竞争事件。累积发生率的n/N：至该时间的事件数/当时风险人数。",
)
TOXICITY_COLUMNS = (TERM, both("Assessed", "评估例数"), both("Grade 0", "0级"), *GRADE_COLUMNS)
UNION = both(
    "Highest of weekly, late and laboratory grades and of the grade history of adverse events; not assessed is missing, "
    "never 0. An event still present after the limit counts acute by its maximum before, late by its maximum after it.",
    "取每周评估、随访评估、实验室分级及不良事件分级变化中的最高级别；未评估为缺失，不计0级。"
    "超过界限仍存在的事件：界限前最高级计入急性，界限后最高级计入晚期。",
)


ANCHORS = {
    "first": both("From the first fraction", "自首次照射"),
    "last": both("From the last fraction", "自末次照射"),
}


@output("T6.4", "Acute toxicity by maximum grade", "急性毒性最高级别", "SAF", PERIOD)
def acute(trial: Trial) -> Body:
    """List A by both flags: until days after the first and after the last fraction."""
    rows = []
    for anchor, name in ANCHORS.items():
        rows += [[cell(name), *row] for row in _toxicity_rows(trial, ACUTE, anchor, _listed(trial, False))]
    return Body((both("Acute limit", "急性界限"), *TOXICITY_COLUMNS), rows, (UNION,))


@output("T6.5", "Late toxicity by maximum grade", "晚期毒性最高级别", "SAF", PERIOD)
def late(trial: Trial) -> Body:
    """List B after the acute limit."""
    return Body(TOXICITY_COLUMNS, _toxicity_rows(trial, LATE, None, _listed(trial, True)), (UNION,))


@output("T6.6", "Prevalence and cumulative incidence of late toxicity", "晚期毒性患病率与累积发生率", "SAF", PERIOD)
def prevalence(trial: Trial) -> Body:
    """Point prevalence of grade 2 and 3 or more at each visit; cumulative incidence at years (E14)."""
    rows = []
    records = [each for p in trial.of("SAF") for each in trial.records.of("late", p.subject) if _after(p, each)]
    for number, visit in summaries.visits(records):
        worst: dict[str, int] = {}
        keys = defaultdict(list)
        for each in records:
            grade = each.number("grade") if str(each["grade"]).isdigit() else None
            if (each.visitnum or 0) == number and grade is not None:
                worst[each.subject] = max(worst.get(each.subject, 0), int(grade))
                keys[int(grade)].append(each.key)
        for least in (2, 3):
            happened = sum(level >= least for level in worst.values())
            rate = proportions.Rate(happened, len(worst))
            traced = [key for grade in keys if grade >= least for key in keys[grade]]
            limits = rate.limits
            shown = f"{100 * limits[0]:.1f}% – {100 * limits[1]:.1f}%" if limits else None
            share = None if rate.share is None else f"{100 * rate.share:.1f}%"
            what = both(f"Prevalence, grade {least} or more", f"患病率，{least}级及以上")
            when = summaries.visit_text(trial, visit)
            numbers = [cell(f"{happened}/{len(worst)}", traced), cell(share, traced, rate.share), cell(shown, traced)]
            rows.append([cell(what), cell(when), *numbers])
    for least in (2, 3):
        for of_breast, of in ((False, both("any term", "任一术语")), (True, both("terms of the breast", "乳腺术语"))):
            en, zh = f"Cumulative incidence, grade {least} or more, {of.en}", f"累积发生率，{least}级及以上，{of.zh}"
            outcomes = trial.late_toxicity(least, of_breast)
            for row in summaries.landmark_rows(outcomes, both(en, zh), AJ, [12 * y for y in summaries.YEARS]):
                ratio = cell(f"{row[3].text.en}/{row[2].text.en}", row[3].keys)
                rows.append([row[0], row[1], ratio, row[4], row[5]])
    columns = (
        VARIABLE,
        both("At", "时间"),
        both("n/N", "n/N"),
        both("Estimate", "估计值"),
        both("95% limits", "95%可信限"),
    )
    return Body(columns, rows, (CLOPPER, AALEN, COMPETES))


def _after(person: Person, record: Record) -> bool:
    day = record.day()
    return day is not None and person.first_fraction is not None and day > person.first_fraction


@output("T6.7", "Adverse events of special interest", "特别关注不良事件", "SAF")
def special(trial: Trial) -> Body:
    """Events of the list with their grade from which they are of interest."""
    return _by_term(trial, _events(trial, lambda p, e: e.special))


@output("T6.8", "Serious adverse events", "严重不良事件", "SAF")
def serious(trial: Trial) -> Body:
    """Serious events."""
    return _by_term(trial, _events(trial, lambda p, e: e.serious))


@output(
    "T6.9",
    "Dose-limiting toxicity and stopping rule",
    "剂量限制性毒性与停止规则",
    "SAF",
    (*DLT, "stopping_rate", "stopping_chance", "planned"),
)
def limiting(trial: Trial) -> Body:
    """Evaluable participants, events, the limit now, and whether the boundary was ever met."""
    people = evaluable(trial)
    limited = [person for person in people if trial.safety.limiting(person)]
    keys = [key for person in limited for event in trial.safety.limiting(person) for key in event.keys]
    waiting = [person for person in trial.of("SAF") if person not in people]
    found = monitoring.status(stopping_boundary(trial), [person in limited for person in people])
    met = both("yes, review", "是，需审核") if found.met else both("no", "否")
    rows = [
        [cell(both("Evaluable", "可评价例数")), people_cell(people)],
        [cell(both("Not yet or not evaluable", "尚不可或不可评价")), people_cell(waiting)],
        [cell(both("With dose-limiting toxicity", "发生剂量限制性毒性")), people_cell(limited, len(people), keys)],
        [cell(both("Stop from so many events among them", "其中达到此事件数则停止")), cell(found.limit)],
        [cell(both("Boundary met", "达到停止界限")), cell(met)],
    ]
    note = both(
        "Constant boundary: Ivanova 2005, computed exactly; participants in the order of their first fraction. The system "
        "never blocks entry; a pause of enrolment is a decision of the principal investigator.",
        "恒定界限：Ivanova（2005），精确计算；受试者按首次照射顺序。系统不阻止录入；暂停入组由主要研究者决定。",
    )
    return Body((VARIABLE, both("Value", "数值")), rows, (note,))


def evaluable(trial: Trial) -> list[Person]:
    """Participants evaluable for dose-limiting toxicity whose window has passed, in the order of the first fraction."""
    found = [p for p in trial.of("SAF") if trial.safety.is_observed(p) and trial.safety.is_evaluable(p)]
    return sorted(found, key=lambda p: (p.first_fraction or trial.cut_off, p.subject))


def stopping_boundary(trial: Trial) -> monitoring.Boundary:
    """The boundary that the parameters give."""
    rate, chance = (float(str(trial.value(name))) for name in ("stopping_rate", "stopping_chance"))
    return monitoring.pocock(rate, int(str(trial.value("planned"))), chance)


@output("T6.10", "Adverse events leading to interruption or end of RT", "导致放疗中断或终止的不良事件", "SAF")
def stopping(trial: Trial) -> Body:
    """Events with that action."""
    return _by_term(trial, _events(trial, lambda p, e: e.action in ("interrupted", "discontinued")))
