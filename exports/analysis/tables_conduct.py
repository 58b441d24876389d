"""T1, T2, T9: disposition, analysis sets, enrolment, deviations, baseline, therapy, medication, follow-up."""

from collections import Counter, defaultdict

from exports.analysis import imputation, summaries
from exports.analysis.people import SETS, Person, followed_until
from exports.analysis.registry import Body, Text, both, cell, label_of, output, people_cell
from exports.analysis.summaries import CATEGORY, N_PERCENT, VARIABLE
from exports.analysis.trial import Trial
from exports.registers import STATUSES

PARTICIPANTS = both("Participants", "例数")


@output("T1.1", "Disposition and reasons for screening failure", "受试者处置及筛选失败原因", "SCR")
def disposition(trial: Trial) -> Body:
    """From screening to where everybody is now; attempts and persons are counted apart."""
    people = trial.people
    again = {key for each in people for key in _previous(trial, each)}
    failed = [each for each in people if each.status == "screen_failed"]
    ended = [each for each in trial.of("ENR") if each.first_fraction is None]
    steps = [
        (both("Screenings", "筛选人次"), people),
        (both("Persons (re-screenings counted once)", "筛选人数（重新筛选计一次）"), _persons(people, again)),
        (both("Screening failures", "筛选失败"), failed),
        (both("Enrolled", "入组"), trial.of("ENR")),
        (both("Enrolled, never treated", "入组未治疗"), ended),
        (both("Treated (full analysis set)", "已治疗（全分析集）"), trial.of("FAS")),
    ]
    rows = summaries.counted(trial, people, steps)
    reasons = summaries.by_code(trial, failed, "enrolment", "reason", lambda each: _reason(trial, each))
    for label, members in reasons:
        text = Text(f"Screening failure: {label.en}", f"筛选失败：{label.zh}")
        rows.append([cell(text), people_cell(members, len(people))])
    for status, words in STATUSES.items():
        members = [each for each in people if each.status == status]
        if members:
            rows.append([cell(Text(f"Now: {words[0]}", f"目前：{words[1]}")), people_cell(members, len(people))])
    return Body((CATEGORY, N_PERCENT), rows)


def _previous(trial: Trial, person: Person) -> list[str]:
    columns = trial.tables["SUBJECTS"].columns
    pairs = zip(columns["SCRNO"], columns.get("PREVSCR", ()), strict=False)
    return [before for who, before in pairs if who == person.subject and before]


def _persons(people: list[Person], again: set[str]) -> list[Person]:
    return [each for each in people if each.subject not in again]


def _reason(trial: Trial, person: Person) -> str | None:
    found = [each.codes["reason"] for each in trial.records.of("enrolment", person.subject)]
    return next((reason for reason in reversed(found) if reason), None)


@output("T1.2", "Analysis sets", "分析集", "SCR", ("dose_low", "dose_high"))
def analysis_sets(trial: Trial) -> Body:
    """Section 4.1."""
    rows = [[cell(Text(*words)), people_cell(trial.of(name), len(trial.people))] for name, words in SETS.items()]
    groups: dict[str, list[Person]] = defaultdict(list)
    for person in trial.of("SAF"):
        groups[person.machine_group].append(person)
    for group in sorted(groups):
        text = Text(f"Safety set, machine {group}", f"安全性分析集，设备{group}")
        rows.append([cell(text), people_cell(groups[group], len(trial.people))])
    note = both(
        "The per-protocol set is fixed at data review before lock; until then it is what the rules give.",
        "符合方案集在锁库前数据审核时确定；此前为按规则得出的结果。",
    )
    return Body((CATEGORY, N_PERCENT), rows, (note,))


@output("T1.3", "Enrolment by centre and month", "按中心与月份的入组情况", "ENR", ("planned",))
def enrolment(trial: Trial) -> Body:
    """Counts by month with a running total."""
    people = trial.of("ENR")
    sites = sorted({each.site for each in people})
    months = sorted({each.enrolled_on.strftime("%Y-%m") for each in people if each.enrolled_on})
    rows, total = [], 0
    for month in months:
        here = [each for each in people if each.enrolled_on and each.enrolled_on.strftime("%Y-%m") == month]
        total += len(here)
        by_site = [people_cell([each for each in here if each.site == site]) for site in sites]
        rows.append([cell(month), *by_site, people_cell(here), cell(total)])
    columns = [both("Month", "月份"), *(Text(f"Centre {s}", f"中心{s}") for s in sites)]
    return Body([*columns, both("All", "合计"), both("So far", "累计")], rows)


@output("T1.4", "Protocol deviations", "方案偏离", "ENR")
def deviations(trial: Trial) -> Body:
    """Participants and deviations by category and severity."""
    people = {each.subject: each for each in trial.of("ENR")}
    found = defaultdict(list)
    for record in trial.records.all("deviation"):
        if record.subject in people:
            found[(record.codes["category"], record.codes["severity"])].append(record)
    rows = []
    for (category, severity), records in sorted(found.items(), key=lambda pair: str(pair[0])):
        keys = [each.key for each in records]
        members = [people[s] for s in dict.fromkeys(each.subject for each in records)]
        labels = (
            label_of(trial, "deviation", "category", category),
            label_of(trial, "deviation", "severity", severity),
        )
        rows.append([*map(cell, labels), people_cell(members, len(people), keys), cell(len(records), keys)])
    columns = (
        both("Category", "类别"),
        both("Severity", "等级"),
        both("Participants", "例数（%）"),
        both("Deviations", "条数"),
    )
    return Body(columns, rows)


@output("T2.1", "Demographics and baseline characteristics", "人口学与基线特征")
def demographics(trial: Trial) -> Body:
    """Descriptors of the group `demographics`."""
    return summaries.described(trial, "demographics")


@output("T2.2", "Medical history", "既往史")
def medical_history(trial: Trial) -> Body:
    """Participants by category."""
    return _by_category(trial, "history", "category")


@output("T2.3", "Tumour characteristics", "肿瘤特征")
def tumour(trial: Trial) -> Body:
    """Descriptors of the group `tumour`."""
    return summaries.described(trial, "tumour")


@output("T2.4", "Systemic therapy by timing", "按时间的全身治疗")
def systemic_therapy(trial: Trial) -> Body:
    """Participants by timing and type."""
    people = {each.subject: each for each in trial.of("FAS")}
    found = defaultdict(list)
    for record in trial.records.all("therapy"):
        if record.subject in people:
            found[(record.codes["timing"], record.codes["type"])].append(record)
    rows = []
    for timing in (*trial.records.labels("therapy", "timing"), None):
        for (when, kind), records in found.items():
            if when == timing:
                members = [people[s] for s in dict.fromkeys(each.subject for each in records)]
                labels = (label_of(trial, "therapy", "timing", when), label_of(trial, "therapy", "type", kind))
                counts = people_cell(members, len(people), [each.key for each in records])
                rows.append([*map(cell, labels), counts])
    return Body((both("Timing", "时间"), both("Type", "类型"), N_PERCENT), rows)


@output("T2.5", "Concomitant medication", "合并用药")
def medication(trial: Trial) -> Body:
    """Participants by category, medication taken on or after the first fraction (unsure: taken)."""
    people = {each.subject: each for each in trial.of("FAS")}
    found = defaultdict(list)
    for record in trial.records.all("medication"):
        person = people.get(record.subject)
        _, last = imputation.medication(record["start"], record["end"])
        if person and person.first_fraction and (last is None or last >= person.first_fraction):
            found[record.codes["category"]].append(record)
    rows = []
    for category, records in found.items():
        members = [people[s] for s in dict.fromkeys(each.subject for each in records)]
        counts = people_cell(members, len(people), [each.key for each in records])
        rows.append([cell(label_of(trial, "medication", "category", category)), counts])
    note = both("Partial dates: earliest start, latest end.", "不完整日期：取最早开始、最晚结束。")
    return Body((CATEGORY, N_PERCENT), rows, (note,))


def _by_category(trial: Trial, concept: str, word: str) -> Body:
    people = {each.subject: each for each in trial.of("FAS")}
    found = defaultdict(list)
    for record in trial.records.all(concept):
        if record.subject in people and record.codes[word] is not None:
            found[record.codes[word]].append(record)
    rows = []
    for code, records in found.items():
        members = [people[s] for s in dict.fromkeys(each.subject for each in records)]
        counts = people_cell(members, len(people), [each.key for each in records])
        rows.append([cell(label_of(trial, concept, word, code)), counts])
    return Body((CATEGORY, N_PERCENT), rows)


@output("T9.1", "Completeness of follow-up", "随访完整性")
def completeness(trial: Trial) -> Body:
    """Person-time observed, and of that possible up to the cut-off (Clark C: Clark TG et al. Lancet 2002;359:1309)."""
    rows, seen, possible = [], 0.0, 0.0
    keys = []
    for person in trial.of("FAS"):
        until = followed_until(person, trial.cut_off)
        if person.origin is None or until is None or person.history is None:
            continue
        death = person.history.death
        end = min(death.day, trial.cut_off) if death else trial.cut_off
        seen += max((until - person.origin).days, 0) / 365.25
        possible += max((end - person.origin).days, 0) / 365.25
        keys.append(person.key)
    rows.append([cell(both("Person-years observed", "观察人年")), cell(f"{seen:.1f}", keys, seen)])
    rows.append([cell(both("Person-years possible", "可能人年")), cell(f"{possible:.1f}", keys, possible)])
    share = f"{100 * seen / possible:.1f}%" if possible else None
    rows.append([cell(both("Clark C index", "Clark完整性指数")), cell(share, keys)])
    note = both(
        "Clark 2002: observed over possible person-time; the dead are complete.",
        "Clark（2002）：观察人时/可能人时；死亡者视为完整。",
    )
    return Body((VARIABLE, both("Value", "数值")), rows, (note,))


@output("T9.2", "Adherence to visit windows", "访视窗依从性", "ENR")
def windows(trial: Trial) -> Body:
    """Visits in, before and after their window, by visit."""
    table, members = trial.tables["EVENTS"], {each.subject: each.key for each in trial.of("ENR")}
    c = table.columns
    found: dict[str, Counter[str]] = defaultdict(Counter)
    keys: dict[str, list[str]] = defaultdict(list)
    order: dict[str, int] = {}
    rows_of = zip(c["SCRNO"], c["EVENT"], c["REPEAT"], c["VISIT"], c["VISITNUM"], c["STATE"], c["WINDOW"], strict=True)
    for who, event, repeat, visit, number, state, window in rows_of:
        if who in members and (window or state in ("missed", "not_done")):
            found[visit][window or state] += 1
            keys[visit].append(f"{who}/{event}.{repeat}")
            order[visit] = int(number or 0)
    words = {
        "IN": both("In the window", "窗口期内"),
        "EARLY": both("Before", "早于"),
        "LATE": both("After", "晚于"),
        "not_done": both("Not done", "未做"),
        "missed": both("Missed", "错过"),
    }
    rows = []
    for visit in sorted(found, key=lambda each: order[each]):
        counts = [cell(found[visit][word], keys[visit]) for word in words]
        rows.append([cell(summaries.visit_text(trial, visit)), *counts])
    return Body((both("Visit", "访视"), *words.values()), rows)
