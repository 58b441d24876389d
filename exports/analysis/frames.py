"""Analysis frames in the shape of ADaM: subject level, exposure, response, time to event, adverse events, grades.

Each row carries SRCKEYS, the keys of the stored records it comes from. Nothing is imputed in what was collected; the
analysis dates stand beside flags that say what was.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from exports.analysis import toxicity
from exports.analysis.people import SETS, Person, study_day
from exports.analysis.toxicity import ACUTE, BASELINE, LATE
from exports.analysis.trial import ENDPOINTS, Trial
from exports.registers import codes_from, table_of
from exports.shape import Code, Table, Variable

YES_NO = codes_from({"Y": ("Yes", "是"), "N": ("No", "否")})
_KEYS = (
    Variable("STUDYID", "text", "Study Identifier", "研究", role="key"),
    Variable("USUBJID", "text", "Unique Subject Identifier", "唯一受试者标识", role="key"),
    Variable("SUBJID", "text", "Subject Identifier for the Study", "受试者编号", role="key"),
    Variable("SITEID", "text", "Study Site Identifier", "中心", role="key"),
)
_SOURCE = Variable("SRCKEYS", "text", "Source records", "来源记录", role="status")


def make(trial: Trial) -> list[Table]:
    """All frames."""
    return [subjects(trial), exposure(trial), sums(trial), response(trial), times(trial), adverse(trial), grades(trial)]


def _keys(trial: Trial, person: Person) -> tuple[Any, ...]:
    return (trial.study.id, f"{trial.study.id}-{person.subject}", person.label, person.site)


def _yes(condition: object) -> str:
    return "Y" if condition else "N"


def _iso(day: Any) -> str | None:
    return day.isoformat() if day else None


def _source(keys: Iterable[str]) -> str:
    return ";".join(dict.fromkeys(keys))


def subjects(trial: Trial) -> Table:
    """ADSL: one row per participant with analysis sets, treatment dates, doses and descriptors."""
    described = trial.declaration.subject
    variables = [
        *_KEYS,
        *(Variable(f"{name}FL", "text", f"{en} Flag", f"{zh}标志", codes=YES_NO) for name, (en, zh) in SETS.items()),
        Variable("ENRDT", "date", "Date of Enrolment", "入组日期"),
        Variable("TRTSDT", "date", "Date of First Exposure to Treatment", "首次照射日期"),
        Variable("TRTEDT", "date", "Date of Last Exposure to Treatment", "末次照射日期"),
        Variable("NFX", "integer", "Fractions delivered", "完成次数"),
        Variable("MACHGR", "text", "Machine group", "设备组"),
        Variable("BOR", "text", "Best Overall Response", "最佳总体疗效"),
        Variable("DTHDT", "date", "Date of Death", "死亡日期"),
        Variable("LSTALVDT", "date", "Date Last Known Alive", "最后确认存活日期"),
        *(_described(trial, each.name, each.source, each.item) for each in described),
        _SOURCE,
    ]
    rows = []
    for person in trial.people:
        history = person.history
        values = [person.described[each.name] for each in described]
        row = [
            *_keys(trial, person),
            *(_yes(name in person.sets) for name in SETS),
            *map(_iso, (person.enrolled_on, person.first_fraction, person.end)),
            len(person.fractions) if person.fractions else None,
            person.machine_group or None,
            person.best if history else None,
            _iso(history.death.day) if history and history.death else None,
            _iso(history.last_alive) if history else None,
            *(None if each.code is None else str(each.code) for each in values),
            _source([person.key, *(key for each in values for key in each.keys)]),
        ]
        rows.append(tuple(row))
    return table_of("ADSL", "Subject-level analysis", "受试者水平分析数据", variables, rows)


def _described(trial: Trial, name: str, source: str, item: str) -> Variable:
    found = trial.records.variable(source, item)
    if found is None:
        return Variable(name, "text", name, name)
    return Variable(name, found.type, found.en, found.zh, unit=found.unit, codes=found.codes)


def exposure(trial: Trial) -> Table:
    """ADEX: one row per fraction given, with the cumulative dose."""
    variables = [
        *_KEYS,
        Variable("ASEQ", "integer", "Sequence of the fraction", "照射序号"),
        Variable("ASTDT", "date", "Analysis Start Date", "分析日期"),
        Variable("ASTDY", "integer", "Analysis Start Relative Day", "相对日"),
        Variable("MACHINE", "text", "Machine", "设备"),
        Variable("DOSE", "number", "Dose", "剂量", unit="Gy(RBE)"),
        Variable("CUMDOSE", "number", "Cumulative dose", "累积剂量", unit="Gy(RBE)"),
        _SOURCE,
    ]
    rows = []
    for person in trial.people:
        total = 0.0
        for place, record in enumerate(person.fractions, start=1):
            total += record.number("dose") or 0.0
            day = record["date"]
            number = study_day(day, person.origin) if day and person.origin else None
            dose = f"{record.number('dose'):g}"
            row = (place, _iso(day), number, record["machine"], dose, f"{total:.2f}", record.key)
            rows.append((*_keys(trial, person), *row))
    return table_of("ADEX", "Exposure analysis", "暴露分析数据", variables, rows)


def sums(trial: Trial) -> Table:
    """ADTR: sums of diameters by time point with change from baseline and from the nadir."""
    variables = [
        *_KEYS,
        *_visit(),
        Variable("ADT", "date", "Analysis Date", "分析日期"),
        Variable("AVAL", "number", "Sum of diameters", "径线总和", unit="mm"),
        Variable("NADIR", "number", "Nadir before the time point", "既往最小总和", unit="mm"),
        Variable("PCHG", "number", "Percent Change from Baseline", "较基线变化百分比", unit="%"),
        Variable("PCHGN", "number", "Percent change from nadir", "较最低点变化百分比", unit="%"),
        _SOURCE,
    ]
    rows = []
    for person in trial.people:
        for each in person.assessments:
            found = each.response
            numbers = [None if v is None else f"{v:.6g}" for v in (found.sum, found.nadir, found.change)]
            last = None if found.from_nadir is None else f"{found.from_nadir:.6g}"
            row = (each.visit, each.visitnum, _iso(found.day), *numbers, last, _source(each.keys))
            rows.append((*_keys(trial, person), *row))
    return table_of("ADTR", "Tumour measurements analysis", "肿瘤测量分析数据", variables, rows)


def _visit() -> tuple[Variable, Variable]:
    return (
        Variable("AVISIT", "text", "Analysis Visit", "分析访视"),
        Variable("AVISITN", "integer", "Analysis Visit (N)", "分析访视序号"),
    )


def response(trial: Trial) -> Table:
    """ADRS: target, non-target and overall response by time point, and the best overall response."""
    variables = [
        *_KEYS,
        Variable("PARAMCD", "text", "Parameter Code", "参数代码"),
        *_visit(),
        Variable("ADT", "date", "Analysis Date", "分析日期"),
        Variable("AVALC", "text", "Analysis Value (C)", "分析值"),
        Variable("ANL01FL", "text", "Counts: not an equivocal progression", "计入分析（非可疑进展）", codes=YES_NO),
        _SOURCE,
    ]
    rows: list[tuple[Any, ...]] = []
    for person in trial.people:
        for each in person.assessments:
            found = each.response
            values = (("TRGRESP", found.target), ("NTRGRESP", found.non_target), ("OVRLRESP", found.overall))
            for code, value in (*values, ("NEWLIND", _yes(found.new))):
                place = (code, each.visit, each.visitnum, _iso(found.day), value, _yes(found not in person.equivocal))
                rows.append((*_keys(trial, person), *place, _source(each.keys)))
        if person.history:
            keys = _source(key for each in person.assessments for key in each.keys)
            rows.append((*_keys(trial, person), "BOR", None, None, None, person.best, "Y", keys))
    return table_of("ADRS", "Response analysis", "疗效分析数据", variables, rows)


def times(trial: Trial) -> Table:
    """ADTTE: one row per participant of the full analysis set and endpoint. CNSR 0: event, 1: censored, 2: competing."""
    codes = tuple(Code(each.code, each.en, each.zh) for each in ENDPOINTS.values())
    more = (
        Code("LATE2", "Late toxicity of grade 2 or more", "2级及以上晚期毒性"),
        Code("LATE3", "Late toxicity of grade 3 or more", "3级及以上晚期毒性"),
        Code("LYMPH", "Lymphoedema", "淋巴水肿"),
    )
    variables = [
        *_KEYS,
        Variable("PARAMCD", "text", "Parameter Code", "参数代码", codes=(*codes, *more)),
        Variable("STARTDT", "date", "Time-to-Event Origin Date", "起点日期"),
        Variable("ADT", "date", "Analysis Date", "分析日期"),
        Variable("AVAL", "number", "Time", "时间", unit="months"),
        Variable("CNSR", "integer", "Censor", "删失"),
        Variable("EVNTDESC", "text", "Event or Censoring Description", "事件或删失说明"),
        _SOURCE,
    ]
    rows = []
    found = [(code, trial.outcomes(code)) for code in ENDPOINTS]
    found += [("LATE2", trial.late_toxicity(2)), ("LATE3", trial.late_toxicity(3)), ("LYMPH", trial.lymphoedema())]
    for code, outcomes in found:
        for person, outcome in outcomes:
            censor = {0: 1, 1: 0, 2: 2}[outcome.cause]
            row = (code, _iso(person.origin), _iso(outcome.day), f"{outcome.months:.6g}", censor, outcome.why)
            rows.append((*_keys(trial, person), *row, _source(outcome.keys or (person.key,))))
    return table_of("ADTTE", "Time-to-event analysis", "时间事件分析数据", variables, rows)


_FLAGS = (
    ("TRTEMFL", "Treatment Emergent Analysis", "治疗期间"),
    ("BLFL", "Baseline", "基线"),
    ("ACUTEFL", "Acute from the first fraction", "急性（首次照射起）"),
    ("ACUTE2FL", "Acute until after the last fraction", "急性（末次照射起）"),
    ("LATEFL", "Late", "晚期"),
    ("RELFL", "Related", "相关"),
    ("SERFL", "Serious", "严重"),
    ("SIFL", "Special interest", "特别关注"),
    ("DLTFL", "Dose-limiting", "剂量限制"),
)


def adverse(trial: Trial) -> Table:
    """ADAE: one row per adverse event with imputed dates, periods and the grade in each."""
    variables = [
        *_KEYS,
        Variable("AETERM", "text", "Term", "术语"),
        Variable("ASTDT", "date", "Analysis Start Date", "分析开始日期"),
        Variable("ASTDTF", "text", "Analysis Start Date Imputation Flag", "开始日期填补标志"),
        Variable("AENDT", "date", "Analysis End Date", "分析结束日期"),
        Variable("ATOXGR", "integer", "Highest grade", "最高级别"),
        Variable("ATOXGRAC", "integer", "Highest grade, acute", "急性期最高级别"),
        Variable("ATOXGRLA", "integer", "Highest grade, late", "晚期最高级别"),
        *(Variable(name, "text", f"{en} Flag", f"{zh}标志", codes=YES_NO) for name, en, zh in _FLAGS),
        _SOURCE,
    ]
    rows = []
    for person in trial.people:
        limits, first = trial.safety.limits(person), person.first_fraction
        if limits is None or first is None:
            continue
        limiting = trial.safety.limiting(person)
        for event in trial.safety.events(person):
            found = toxicity.periods(event, limits)
            second = limits.acute_last is not None and toxicity.is_acute(event, first, limits.acute_last)
            flags = (
                toxicity.is_emergent(event, first),
                BASELINE in found,
                toxicity.is_acute(event, first, limits.acute_first),
                second,
                LATE in found,
                toxicity.is_related(event.relation),
                event.serious,
                event.special,
                event in limiting,
            )
            grades = (event.highest, *(toxicity.period_grade(event, each, limits) for each in (ACUTE, LATE)))
            days = (_iso(event.start), event.imputed, _iso(event.end))
            rows.append((*_keys(trial, person), event.term, *days, *grades, *map(_yes, flags), _source(event.keys)))
    return table_of("ADAE", "Adverse event analysis", "不良事件分析数据", variables, rows)


def grades(trial: Trial) -> Table:
    """ADTOX: the highest grade of each term and day over weekly, late and laboratory grades and grade histories."""
    variables = [
        *_KEYS,
        Variable("PARAMCD", "text", "Term", "术语"),
        Variable("ADT", "date", "Analysis Date", "分析日期"),
        Variable("ADY", "integer", "Analysis Relative Day", "相对日"),
        Variable("AVAL", "integer", "Grade", "级别"),
        Variable("BASE", "integer", "Baseline grade", "基线级别"),
        Variable("APERIODC", "text", "Period", "时期"),
        _SOURCE,
    ]
    rows: list[tuple[Any, ...]] = []
    for person in trial.people:
        limits = trial.safety.limits(person)
        if limits is None:
            continue
        found = trial.safety.grades(person)
        base = toxicity.baseline_grades(found, limits.origin)
        for each in found:
            period = BASELINE if each.day < limits.origin else ACUTE if each.day <= limits.limit else LATE
            number = study_day(each.day, limits.origin)
            row: Sequence[Any] = (each.term, _iso(each.day), number, each.grade, base.get(each.term), period)
            rows.append((*_keys(trial, person), *row, _source(each.keys)))
    return table_of("ADTOX", "Toxicity analysis", "毒性分析数据", variables, rows)
