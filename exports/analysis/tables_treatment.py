"""T3: dose, fractions, interruptions, machines, dosimetry."""

from collections import defaultdict

from exports.analysis import summaries
from exports.analysis.people import Person
from exports.analysis.records import Record
from exports.analysis.registry import Body, Text, both, cell, label_of, output, people_cell
from exports.analysis.summaries import CATEGORY, N_PERCENT, VARIABLE
from exports.analysis.trial import Trial

VALUE = both("n (%) or value", "例数（%）或数值")


def _courses(trial: Trial) -> list[tuple[Person, Record]]:
    return [(p, each) for p in trial.of("SAF") for each in trial.records.of("course", p.subject)]


def _numbers(trial: Trial, word: str, digits: int = 1) -> list[list]:
    variable = trial.records.variable("course", word)
    name = Text(variable.en, variable.zh) if variable else both(word)
    found = [(v, each.key) for _, each in _courses(trial) if (v := each.number(word)) is not None]
    return summaries.numbers(name, found, digits)


@output("T3.1", "Prescribed and delivered dose by phase", "各阶段处方与实际剂量", "SAF", ("dose_low", "dose_high"))
def dose(trial: Trial) -> Body:
    """Prescriptions in force by phase, delivered doses, and percent of the prescription."""
    rows = []
    for phase in dict.fromkeys(each.codes["phase"] for each in trial.records.all("prescription")):
        found = []
        for person in trial.of("SAF"):
            mine = [e for e in trial.records.of("prescription", person.subject) if e.codes["phase"] == phase]
            if mine and (number := mine[-1].number("dose")) is not None:
                found.append((number, mine[-1].key))
        label = label_of(trial, "prescription", "phase", phase)
        name = Text(f"Prescribed: {label.en}, Gy(RBE)", f"处方：{label.zh}，Gy(RBE)")
        rows += summaries.numbers(name, found, 2)
    rows += [*_numbers(trial, "dose_breast", 2), *_numbers(trial, "dose_primary", 2), *_numbers(trial, "percent")]
    low, high = float(str(trial.value("dose_low"))), float(str(trial.value("dose_high")))
    inside = [p for p, each in _courses(trial) if low <= (each.number("percent") or 0) <= high]
    name = both("Within the per-protocol range", "在符合方案范围内")
    rows.append([cell(name), cell(N_PERCENT), people_cell(inside, len(trial.of("SAF")))])
    note = both(
        "A change of machine may mean another RBE model: sums over models are not comparable.",
        "更换设备可能意味着RBE模型不同：跨模型的剂量总和不可比。",
    )
    return Body((VARIABLE, CATEGORY, VALUE), rows, (note,))


@output("T3.2", "Fractions, overall time and interruptions", "分次、总治疗时间与中断", "SAF")
def time(trial: Trial) -> Body:
    """Numbers of fractions, days of treatment and prolongation; interruptions by reason."""
    rows = []
    for word in ("fractions_breast", "fractions_boost", "days", "prolonged"):
        rows += _numbers(trial, word)
    found = defaultdict(list)
    for person in trial.of("SAF"):
        for record in trial.records.of("interruption", person.subject):
            found[record.codes["reason"]].append((person, record))
    for reason, pairs in found.items():
        label = label_of(trial, "interruption", "reason", reason)
        members = list({person.subject: person for person, _ in pairs}.values())
        name = both("Interrupted", "中断")
        counts = people_cell(members, len(trial.of("SAF")), [each.key for _, each in pairs])
        rows.append([cell(name), cell(label), counts])
    return Body((VARIABLE, CATEGORY, VALUE), rows)


@output("T3.3", "Machines and use of a second machine", "设备与第二设备使用情况", "SAF")
def machines(trial: Trial) -> Body:
    """Participants and fractions by machine."""
    people = trial.of("SAF")
    rows = []
    for machine in sorted({name for person in people for name in person.machines}):
        members = [person for person in people if machine in person.machines]
        given = [each.key for person in members for each in person.fractions if each["machine"] == machine]
        label = label_of(trial, "fraction", "machine", machine)
        rows.append([cell(label), people_cell(members, len(people), given), cell(len(given), given)])
    several = [person for person in people if len(person.machines) > 1]
    rows.append([cell(both("More than one machine", "多台设备")), people_cell(several, len(people)), cell(None)])
    return Body((both("Machine", "设备"), N_PERCENT, both("Fractions", "次数")), rows)


def _dosimetry(trial: Trial, kind: str, by_side: bool) -> Body:
    found: dict[tuple[str, str, str], list[tuple[float, str]]] = defaultdict(list)
    for person in trial.of("SAF"):
        side = str(person.described["SIDE"].code or "") if by_side and "SIDE" in person.described else ""
        for record in trial.records.of("dosimetry", person.subject):
            value = record.number("value")
            if record["type"] == kind and value is not None:
                found[(str(record["roi"]), str(record["metric"]), side)].append((value, record.key))
    rows = []
    for (roi, metric, side), values in found.items():
        cells = [each[2] for each in summaries.numbers(both(roi), values, 2)]
        label = label_of(trial, "dosimetry", "roi", roi)
        rows.append([cell(label), cell(label_of(trial, "dosimetry", "metric", metric)), cell(side), *cells])
    columns = (both("Structure", "结构"), both("Metric", "指标"), both("Side", "侧别"))
    more = (both("n", "例数"), both("Mean (SD)", "均值（标准差）"), both("Median", "中位数"), both("Range", "范围"))
    return Body((*columns, *more), rows)


@output("T3.4", "Target dosimetry", "靶区剂量学", "SAF")
def targets(trial: Trial) -> Body:
    """Metrics of targets."""
    return _dosimetry(trial, "target", by_side=False)


@output("T3.5", "Dosimetry of organs at risk by side", "危及器官剂量学（按侧别）", "SAF")
def organs(trial: Trial) -> Body:
    """Metrics of organs at risk by treated side."""
    return _dosimetry(trial, "organ", by_side=True)
