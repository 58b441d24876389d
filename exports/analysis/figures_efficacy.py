"""F1 to F7: flow, enrolment, waterfall, spider, swimmer, survival and incidence curves. The data are the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from exports import charts
from exports.analysis import drawings, recist
from exports.analysis.competing import IncidenceCurve
from exports.analysis.drawings import Lane, Names
from exports.analysis.events import History, Occurrence, Operation, Outcome
from exports.analysis.people import Person
from exports.analysis.registry import AALEN, EISENHAUER, KAPLAN, Body, Cell, Text, both, cell, output, reason
from exports.analysis.tables_efficacy import PROGRESSION, RECIST, change_until_stop
from exports.analysis.trial import ENDPOINTS, Trial, incidence_of, survival_of
from exports.survival import Curve, months

PARTICIPANT, PARTICIPANTS = both("Participant", "受试者"), both("Participants", "例数")
MONTHS, AT_RISK = both("Months from the origin", "起点后月数"), both("At risk", "风险人数")
CHANGE = both("Change of the sum of diameters from baseline, %", "径线总和较基线变化（%）")
LIMITS = (-30.0, 20.0)
BEST = (recist.CR, recist.PR, recist.SD, recist.NCNP, recist.PD, recist.NE)


def names_of(language: str, title: Text, description: Text, x: Text, y: Text) -> Names:
    """The words of a drawing in a language."""
    return Names(*(each.of(language) for each in (title, description, x, y)))


@output("F1", "Flow of participants", "受试者流程图", "SCR")
def flow(trial: Trial) -> Body:
    """Screened, enrolled, treated, in follow-up; beside them who left."""
    failed = [p for p in trial.people if p.status == "screen_failed"]
    untreated = [p for p in trial.of("ENR") if p.first_fraction is None]
    treated = trial.of("FAS")
    left = [p for p in treated if p.status in ("withdrawn", "dead", "ended")]
    going = [p for p in treated if p not in left]
    steps = [
        (both("Screened", "筛选"), trial.people, [(both("Screening failure", "筛选失败"), failed)]),
        (both("Enrolled", "入组"), trial.of("ENR"), [(both("Not treated", "未治疗"), untreated)]),
        (both("Treated", "已治疗"), treated, [(both("Withdrawn", "退出"), _now(left, "withdrawn"))]),
        (both("In treatment or follow-up", "治疗或随访中"), going, []),
    ]
    steps[2][2].extend([(both("Dead", "死亡"), _now(left, "dead")), (both("Ended", "研究结束"), _now(left, "ended"))])
    rows = []
    for label, members, leaving in steps:
        rows.append([cell(label), cell(len(members), [p.key for p in members])])
        rows += [[cell(name), cell(len(gone), [p.key for p in gone])] for name, gone in leaving]

    def draw(language: str) -> str:
        boxes = [
            (f"{label.of(language)}: {len(members)}", [f"{n.of(language)}: {len(gone)}" for n, gone in leaving])
            for label, members, leaving in steps
        ]
        title = both("Flow of participants", "受试者流程图")
        return drawings.flow("f1", boxes, names_of(language, title, title, both(""), both("")))

    return Body((both("Step", "步骤"), PARTICIPANTS), rows, draw=draw)


def _now(people: list[Person], status: str) -> list[Person]:
    return [each for each in people if each.status == status]


@output("F2", "Enrolment over time", "入组曲线", "ENR", ("planned",))
def enrolment(trial: Trial) -> Body:
    """Participants enrolled so far, against the plan."""
    people = sorted((p for p in trial.of("ENR") if p.enrolled_on), key=lambda p: (str(p.enrolled_on), p.subject))
    rows = [[cell(p.enrolled_on, (p.key,)), cell(n, (p.key,))] for n, p in enumerate(people, start=1)]
    cap = int(str(trial.value("planned")))

    def draw(language: str) -> str:
        words = (both("Enrolment over time", "入组曲线"), both(f"{len(people)} enrolled", f"已入组{len(people)}例"))
        axis = (both("Date", "日期"), PARTICIPANTS, both(f"Planned: {cap}", f"计划：{cap}"))
        days = [p.enrolled_on for p in people if p.enrolled_on]
        return charts.enrolment(days, cap, *(each.of(language) for each in (*words, *axis)))

    return Body((both("Date", "日期"), both("Enrolled so far", "累计入组")), rows, draw=draw)


@output(
    "F3", "Waterfall: best change of the sum of diameters", "瀑布图：径线总和最佳变化", "RES", (*RECIST, *PROGRESSION)
)
def waterfall(trial: Trial) -> Body:
    """The best change up to progression, surgery or new therapy, from worst to best."""
    found = []
    for person in trial.of("RES"):
        known = [each for each in change_until_stop(person) if each.change is not None]
        if known:
            best = min(known, key=lambda each: each.change or 0.0)
            keys = next((a.keys for a in person.assessments if a.response is best), ())
            found.append((person, best.change or 0.0, keys))
    found.sort(key=lambda each: (-each[1], each[0].label))
    rows = [[cell(p.label, k), cell(f"{v:.1f}", k, v), cell(p.best, k)] for p, v, k in found]

    def draw(language: str) -> str:
        bars = [(p.label, value, BEST.index(p.best)) for p, value, _ in found]
        title = both("Best change of the sum of diameters", "径线总和最佳变化")
        text = both(f"{len(found)} participants; lines at -30% and +20%", f"{len(found)}例；虚线为-30%与+20%")
        return drawings.waterfall("f3", bars, LIMITS, names_of(language, title, text, PARTICIPANT, CHANGE))

    return Body((PARTICIPANT, CHANGE, both("Best response", "最佳疗效")), rows, (EISENHAUER,), draw)


@output("F4", "Spider: sum of diameters over time", "蜘蛛图：径线总和随时间变化", "RES", RECIST)
def spider(trial: Trial) -> Body:
    """Change of the sum at each time point."""
    rows, series = [], []
    for person in trial.of("RES"):
        points = []
        for each in person.assessments:
            if each.response.change is not None and person.origin:
                month = months((each.response.day - person.origin).days)
                points.append((month, each.response.change))
                change = cell(f"{each.response.change:.1f}", each.keys, each.response.change)
                rows.append([cell(person.label, each.keys), cell(f"{month:.1f}", each.keys, month), change])
        series.append((person.label, points))

    def draw(language: str) -> str:
        title = both("Sum of diameters over time", "径线总和随时间变化")
        return drawings.spider("f4", series, LIMITS, names_of(language, title, title, MONTHS, CHANGE))

    return Body((PARTICIPANT, MONTHS, CHANGE), rows, (EISENHAUER,), draw)


SWIMMER_BARS = (both("RT", "放疗"), both("Systemic therapy", "全身治疗"))
SWIMMER_MARKS = (
    both("Complete response", "完全缓解"),
    both("Failure", "失败"),
    both("Surgery", "手术"),
    both("New therapy", "新治疗"),
    both("Death", "死亡"),
)


@output("F5", "Swimmer: treatment, response and events", "泳道图：治疗、疗效与事件", "FAS", ("origin",))
def swimmer(trial: Trial) -> Body:
    """One lane per participant."""
    lanes, rows = [], []
    for person in trial.of("FAS"):
        made = _lane(trial, person)
        lanes.append(made[0])
        rows += made[1]
    lanes.sort(key=lambda lane: (-lane.end, lane.label))

    def draw(language: str) -> str:
        title = both("Treatment, response and events", "治疗、疗效与事件")
        bars, marks = ([each.of(language) for each in words] for words in (SWIMMER_BARS, SWIMMER_MARKS))
        return drawings.swimmer("f5", lanes, bars, marks, names_of(language, title, title, MONTHS, both("")))

    return Body(
        (PARTICIPANT, both("What", "内容"), both("From, months", "开始（月）"), both("To", "结束")), rows, draw=draw
    )


@dataclass(frozen=True)
class Span:
    """A bar (with an end) or a mark of a lane, in months, and the records behind it."""

    start: float
    end: float | None
    kind: int
    keys: tuple[str, ...]


def _lane(trial: Trial, person: Person) -> tuple[Lane, list[list[Cell]]]:
    history = person.history
    assert history is not None and person.origin is not None
    last = history.death.day if history.death else history.last_alive or person.origin
    end = _at(person.origin, min(last, trial.cut_off))
    spans, rows = [*_bars(trial, person, person.origin), *_marks(person, history)], []
    for span in spans:
        word = (SWIMMER_MARKS if span.end is None else SWIMMER_BARS)[span.kind]
        until = None if span.end is None else f"{span.end:.1f}"
        rows.append([cell(value, span.keys) for value in (person.label, word, f"{span.start:.1f}", until)])
    bars = tuple((each.start, min(each.end, max(end, each.start)), each.kind) for each in spans if each.end is not None)
    marks = tuple((each.start, each.kind) for each in spans if each.end is None)
    going = history.death is None and person.status not in ("withdrawn", "ended")
    return Lane(person.label, end, bars, marks, going), rows


def _at(origin: date, day: date) -> float:
    return months(max((day - origin).days, 0))


def _bars(trial: Trial, person: Person, origin: date) -> list[Span]:
    found = []
    days = [each["date"] for each in person.fractions if each["date"]]
    if days:
        keys = tuple(each.key for each in person.fractions)
        found.append(Span(_at(origin, min(days)), _at(origin, max(days)), 0, keys))
    for record in trial.records.of("therapy", person.subject):
        start, end = record.day("start"), record.day("end") or trial.cut_off
        if start and end >= origin:
            found.append(Span(_at(origin, start), _at(origin, end), 1, (record.key,)))
    return found


def _marks(person: Person, history: History) -> list[Span]:
    kinds: list[Sequence[Occurrence | Operation]] = [
        history.complete_responses[:1],
        (*history.failures, *history.primary_progression, *history.other_progression),
        history.operations,
        (Occurrence(history.new_therapy, "new therapy", (person.key,)),) if history.new_therapy else (),
        (history.death,) if history.death else (),
    ]
    return [
        Span(_at(history.origin, each.day), None, kind, each.keys) for kind, found in enumerate(kinds) for each in found
    ]


def _survival(id: str, code: str) -> None:
    each = ENDPOINTS[code]

    @output(id, f"Kaplan-Meier: {each.en}", f"Kaplan-Meier曲线：{each.zh}", "FAS", ("origin", *PROGRESSION))
    def make(trial: Trial) -> Body:
        outcomes = trial.outcomes(code)
        curve = survival_of(outcomes)
        return _curve_body(trial, Text(each.en, each.zh), outcomes, KAPLAN, _draw_survival(id, curve, each.en, each.zh))


def _draw_survival(id: str, curve: Curve, en: str, zh: str) -> Callable[[str], str]:
    def draw(language: str) -> str:
        title, n, events = both(en, zh), curve.participants, curve.events
        text = both(f"{n} participants, {events} events", f"{n}例，{events}个事件")
        words = [each.of(language) for each in (title, text, MONTHS, title, AT_RISK)]
        return charts.survival(id.lower().replace(".", "-"), curve, *words)

    return draw


def _curve_body(
    trial: Trial, name: Text, outcomes: list[tuple[Person, Outcome]], note: Text, draw: Callable[[str], str]
) -> Body:
    """The data of a curve: one row per participant."""
    words = {0: both("censored", "删失"), 1: both("event", "事件"), 2: both("competing", "竞争事件")}
    rows = []
    for person, outcome in sorted(outcomes, key=lambda each: (each[1].months, each[0].label)):
        keys = outcome.keys or (person.key,)
        month = cell(f"{outcome.months:.2f}", keys, outcome.months)
        rows.append(
            [cell(person.label, keys), month, cell(words[outcome.cause], keys), cell(reason(trial, outcome.why), keys)]
        )
    columns = (PARTICIPANT, MONTHS, Text(f"{name.en}: status", f"{name.zh}：状态"), both("Why", "原因"))
    return Body(columns, rows, (note,), draw)


def _incidence(id: str, en: str, zh: str, parameters: tuple[str, ...], of: Callable[[Trial], list]) -> None:
    @output(id, f"Cumulative incidence: {en}", f"累积发生率：{zh}", "FAS", parameters)
    def make(trial: Trial) -> Body:
        outcomes = of(trial)
        return _curve_body(trial, Text(en, zh), outcomes, AALEN, _draw_incidence(id, incidence_of(outcomes), en, zh))


def _draw_incidence(id: str, curve: IncidenceCurve, en: str, zh: str) -> Callable[[str], str]:
    def draw(language: str) -> str:
        text = both(
            f"{curve.participants} participants, {curve.events} events, {curve.competing} competing",
            f"{curve.participants}例，{curve.events}个事件，{curve.competing}个竞争事件",
        )
        names = names_of(language, both(en, zh), text, MONTHS, both("Cumulative incidence", "累积发生率"))
        return drawings.incidence(id.lower().replace(".", "-"), curve, names, AT_RISK.of(language))

    return draw


_survival("F6.1", "OS")
_survival("F6.2", "PFS")
_survival("F6.3", "SFBP")
_incidence("F7.1", "local failure", "局部失败", ("origin", *PROGRESSION), lambda trial: trial.outcomes("LC"))
_incidence(
    "F7.2",
    "late toxicity of grade 2 or more",
    "2级及以上晚期毒性",
    ("acute_days", "acute_anchor"),
    lambda trial: trial.late_toxicity(2),
)
_incidence(
    "F7.3", "clinical complete response", "临床完全缓解", ("origin", *PROGRESSION), lambda trial: trial.outcomes("CCR")
)
