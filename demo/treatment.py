"""Planning and the course of carbon-ion treatment, fraction by fraction, with what goes wrong in it."""

from collections.abc import Generator
from datetime import date, timedelta
from itertools import product

from demo import events
from demo.keeping import Desk
from demo.measures import breast, laboratory, lymphoedema, toxicity, vital_signs
from demo.profiles import Profile
from models import Subject
from workflows import finding

WBN_FRACTIONS, WBN_DOSE, BOOST_DOSE = 16, 3, 4
METERSET = 1000
MACHINES = {"01": "WW1", "02": "LZ1"}
SEVERITY = {"severe_dermatitis": 3, "stopped_early": 3}


def planning(desk: Desk, subject: Subject, person: Profile, day: date) -> None:
    """Simulation, prescription, plans with their beams, and dosimetry."""
    iso = day.isoformat()
    desk.save(subject, "PLN", "SV", day, {"VISDAT": iso, "VISTYP": "SCH", "VISMOD": "CLIN"})
    if not person.menopausal:
        desk.save(subject, "PLN", "PREG", day, {"PREGDAT": iso, "PREGTYP": "SER", "PREGRES": "N"})
    scan = {
        "SIMDAT": iso,
        "SIMPOS": "SUP",
        "SIMIMM": ["VAC", "BOARD"],
        "SIMMOT": "GATE",
        "SIMTHK": "2.0",
        "SIMFUS": ["MRI"],
    }
    desk.save(subject, "PLN", "RTSIM", day, scan)
    total = WBN_DOSE * WBN_FRACTIONS + BOOST_DOSE * person.boost_fractions
    phases = (
        ("WBN", WBN_FRACTIONS, WBN_DOSE, ["CTV_Breast", "CTVn_L1"]),
        ("BST", person.boost_fractions, BOOST_DOSE, ["GTVp", "CTV_Boost"]),
    )
    for side, (phase, fractions, dose, volumes) in product(person.sides, phases):
        rx = {"RXCRS": "1", "RXPH": phase, "RXLAT": side, "RXDAT": iso, "RXTGT": volumes}
        rx |= {"RXDOSE": f"{fractions * dose}.00", "RXNFX": str(fractions), "RXDPF": f"{dose}.00", "RXFPW": "5"}
        rx |= {"RXBST": "SEQ", "RXRBE": "LEM1", "RXNORM": "D50", "RXPHYS": desk.investigator.username}
        desk.save(subject, "PLN", "RTRX", day, rx, by=desk.investigator)
    machine = MACHINES[person.site]
    _plan(desk, subject, "PLAN1", "WBN", WBN_FRACTIONS, WBN_DOSE, machine, day)
    _plan(desk, subject, "PLAN2", "BST", person.boost_fractions, BOOST_DOSE, machine, day)
    _dosimetry(desk, subject, day, total)


def _plan(
    desk: Desk,
    subject: Subject,
    label: str,
    phase: str,
    fractions: int,
    dose: int,
    machine: str,
    day: date,
    reason: str | None = None,
) -> None:
    iso = day.isoformat()
    plan = {"PLID": label, "PLPH": phase, "PLMACH": machine, "PLTPS": "ciPlan 1.0", "PLRBE": "LEM1", "PLMODE": "SPOT"}
    plan |= {"PLNBM": "2", "PLNFX": str(fractions), "PLDPF": f"{dose}.00", "PLDAT": iso, "PLAPP": "APP"}
    plan |= {"PLQA": "97.5", "PLQADT": iso}
    if reason:
        plan["PLREA"] = reason
    beams = {}
    for number, direction, angle in ((1, "H", "90.0"), (2, "V", "0.0")):
        beams[str(number)] = {
            "BMNO": str(number), "BMNAME": f"{label}-{direction}", "BMDIR": direction, "BMGAN": angle, "BMCOU": "0.0",
            "BMENLO": "120.0", "BMENHI": "260.0", "BMDOSE": f"{dose / 2:.2f}", "BMMU": str(METERSET // 2),
        }  # fmt: skip
    desk.save(subject, "PLN", "RTPL", day, {**plan, "RTBM": beams})


def _dosimetry(desk: Desk, subject: Subject, day: date, total: int) -> None:
    """The plan sum: targets near the prescribed dose, organs at risk low; other rows were not contoured."""
    rows = {}
    for key, row in finding.design_for(subject.site).tables["dvh"].rows.items():
        share = {"D98": 0.95, "D95": 0.97, "D50": 1.0, "D2": 1.03, "Dmean": 1.0}.get(row["metric"])
        if row["roi"] in ("GTVp", "CTV_Boost") and share:
            rows[key] = {"DVVAL": f"{total * share:.2f}", "DVVOL": "12.5" if row["roi"] == "GTVp" else "38.0"}
        elif row["roi"] in ("Heart", "Lung_Ipsi") and row["metric"] == "Dmean":
            rows[key] = {"DVVAL": f"{desk.dice.uniform(0.3, 2.4):.2f}", "DVVOL": "560.0"}
    desk.save(subject, "PLN", "DVH", day, {"DVSRC": {"missing": "NA"}, "DVHROWS": rows}, fill=False)


def treatment_days(desk: Desk, first: date, count: int) -> list[date]:
    """Weekdays that are no public holiday."""
    holidays = set(finding.design_for(desk.site).tables["holidays"].rows)
    days, day = [], first
    while len(days) < count:
        if day.weekday() < 5 and day.isoformat() not in holidays:
            days.append(day)
        day += timedelta(days=1)
    return days


def course(desk: Desk, subject: Subject, person: Profile, first: date) -> Generator[date, None, None]:
    """Every fraction, every weekly visit, and the end of treatment."""
    count = WBN_FRACTIONS + person.boost_fractions
    days = treatment_days(desk, first, count + 2)
    if person.plot == "holiday_gap":
        days = days[:9] + [day + timedelta(days=7) for day in days[9:]]
    if person.plot == "stopped_early":
        count = 10
    machine, plans, seen = MACHINES[person.site], {"WBN": 1, "BST": 2}, 0
    used = days[:count]
    monday = used[0] - timedelta(days=used[0].weekday())
    for number, day in enumerate(used):
        yield day
        phase = "WBN" if number < WBN_FRACTIONS else "BST"
        fraction = number + 1 if phase == "WBN" else number + 1 - WBN_FRACTIONS
        if person.plot == "transfer" and number == 12:
            machine = "LZ1" if machine == "WW1" else "WW1"
            plans = _transfer(desk, subject, person, machine, day)
        _fraction(desk, subject, person, day, phase, fraction, plans[phase], machine)
        is_last_of_week = number + 1 == count or used[number + 1].isocalendar()[1] != day.isocalendar()[1]
        if is_last_of_week:
            week = (day - monday).days // 7 + 1
            for skipped in range(seen + 1, week):
                desk.miss(subject, f"OTV.{skipped}", "本周未照射，未进行周访视")
            _weekly(desk, subject, person, day, week)
            seen = week
    if person.plot == "holiday_gap":
        _interruption(desk, subject, used)
    _finish(desk, subject, person, used[-1])


def _transfer(desk: Desk, subject: Subject, person: Profile, machine: str, day: date) -> dict[str, int]:
    """The rest of the course on the other centre's machine: new plans for what is left of each phase."""
    _plan(desk, subject, "PLAN3", "WBN", WBN_FRACTIONS - 12, WBN_DOSE, machine, day, "MACH")
    _plan(desk, subject, "PLAN4", "BST", person.boost_fractions, BOOST_DOSE, machine, day, "MACH")
    given = {"PLNFX": "12", "PLAPP": "SUPE"}
    desk.save(subject, "PLN", "RTPL", day, given, repeat=1, reason="转机，原计划按已照射次数结束")
    superseded = {"PLNFX": "0", "PLAPP": "SUPE"}
    desk.save(subject, "PLN", "RTPL", day, superseded, repeat=2, reason="转机，原推量计划由新计划替代")
    return {"WBN": 3, "BST": 4}


def _fraction(
    desk: Desk, subject: Subject, person: Profile, day: date, phase: str, number: int, plan: int, machine: str
) -> None:
    dose = WBN_DOSE if phase == "WBN" else BOOST_DOSE
    if person.plot == "partial_fraction" and phase == "WBN" and number == 7:
        _session(desk, subject, day, number, plan, machine, dose / 2, "PAR", "10:00", "10:14")
        _session(desk, subject, day, number, plan, machine, dose / 2, "CONT", "16:20", "16:35")
        return
    data = _session(desk, subject, day, number, plan, machine, dose, "DEL", "10:00", "10:25")
    if person.plot == "wrong_record" and phase == "WBN" and number == 5 and data is not None:
        desk.mark_in_error(subject, "RTD", "RTFX", data.repeat, "误将他人照射记录录入，按实际记录重新录入")
        _session(desk, subject, day, number, plan, machine, dose, "DEL", "10:00", "10:25")


def _session(
    desk: Desk,
    subject: Subject,
    day: date,
    number: int,
    plan: int,
    machine: str,
    dose: float,
    status: str,
    start: str,
    end: str,
):
    full = {"PAR": METERSET // 2, "CONT": METERSET // 2}.get(status, METERSET)
    planned = METERSET if status != "CONT" else METERSET // 2
    site = "01" if machine == "WW1" else "02"
    values = {
        "FXPL": f"PLN/RTPL/{plan}", "FXNO": str(number), "FXDAT": day.isoformat(), "FXSTTIM": start, "FXENTIM": end,
        "FXSIT": site, "FXMACH": machine, "FXROOM": "R1", "FXSTAT": status, "FXDOSE": f"{dose:.2f}",
        "FXPHYD": f"{dose / 2.6:.2f}", "FXMUP": str(planned), "FXMUD": str(full), "FXIGRT": "OX", "FXMOT": "GATE",
        "FXSHX": f"{desk.dice.uniform(-2, 2):.1f}", "FXTERM": "MACHINE" if status == "PAR" else "NORMAL",
        "FXOVR": "N", "FXERR": "N", "FXTX": desk.nurse.username,
    }  # fmt: skip
    if status == "PAR":
        values["FXRSN"] = "MACH"
    beams = {}
    for beam, angle in ((1, "90.0"), (2, "0.0")):
        done = 0 if status == "PAR" and beam == 2 else METERSET // 2
        if status == "CONT" and beam == 1:
            continue
        beams[str(beam)] = {
            "BDNO": str(beam), "BDSTAT": "DEL" if done else "NOT", "BDMUP": str(METERSET // 2), "BDMUD": str(done),
            "BDGAN": angle, "BDCOU": "0.0", "BDTERM": "NORMAL" if done else "MACHINE",
        }  # fmt: skip
    return desk.save(subject, "RTD", "RTFX", day, {**values, "RTBD": beams})


def _weekly(desk: Desk, subject: Subject, person: Profile, day: date, week: int) -> None:
    """The weekly visit: examination, blood count and the grade of every term of list A."""
    event = "OTV" if week == 1 else f"OTV.{week}"
    desk.save(subject, event, "SV", day, {"VISDAT": day.isoformat(), "VISTYP": "SCH", "VISMOD": "CLIN"})
    vital_signs(desk, subject, event, person, day, person.weight - 0.2 * week)
    desk.save(subject, event, "PS", day, {"PSDAT": day.isoformat(), "ECOG": "1", "KPS": "80"})
    desk.save(subject, event, "PE", day, {"PEDAT": day.isoformat()})
    breast(desk, subject, event, person, day, palpable=person.size > 15, size=person.size)
    laboratory(desk, subject, event, "HEM", day, week)
    worst = SEVERITY.get(person.plot, 2 if person.index % 4 == 0 else 1)
    grades = {"Dermatitis radiation": min(worst, week // 2), "Fatigue": int(week >= 3 and person.index % 3 == 0)}
    present = {term: level for term, level in grades.items() if level}
    known = {term: events.grade(desk, subject, day, term, level, events.DURING) for term, level in present.items()}
    toxicity(desk, subject, event, "OTV", day, present, known, week)


def _interruption(desk: Desk, subject: Subject, used: list[date]) -> None:
    """A week without beam, explained and compensated."""
    start, end = used[8] + timedelta(days=1), used[9] - timedelta(days=1)
    values = {"RISTDAT": start.isoformat(), "RIENDAT": end.isoformat(), "RIRSN": "BEAM", "RIPLAN": "N"}
    values |= {"RICOMP": "EXT", "RIAPP": desk.investigator.username}
    desk.save(subject, "LOG", "RTINT", used[-1], values, by=desk.investigator)


def _stop(desk: Desk, subject: Subject, day: date) -> None:
    """Skin reaction too strong to go on: the event says so, and the dose that was not given is a major deviation."""
    record = events.opened(subject)[0]
    reason = "因皮肤反应终止放疗"
    desk.save(subject, "LOG", "AE", day, {"AEACNRT": "DIS"}, repeat=record.repeat, reason=reason, by=desk.investigator)
    deviation = {
        "DVCAT": "RTD",
        "DVTERM": "因放射性皮炎提前终止放疗，未完成处方剂量",
        "DVSTDAT": day.isoformat(),
        "DVSEV": "MAJ",
    }
    deviation |= {"DVIMP": "Y", "DVCAPA": "继续随访皮肤反应，提交主要研究者评估", "DVEC": day.isoformat()}
    desk.save(subject, "LOG", "DV", day, deviation, by=desk.investigator)


def _finish(desk: Desk, subject: Subject, person: Profile, day: date) -> None:
    """The end of treatment: completion form and the examinations of that visit."""
    iso = day.isoformat()
    desk.save(subject, "EOT", "SV", day, {"VISDAT": iso, "VISTYP": "SCH", "VISMOD": "CLIN"})
    status = {"RTSTAT": "COMP"}
    if person.plot == "stopped_early":
        status = {"RTSTAT": "DISC", "RTDRSN": "AE", "RTDECDT": iso}
        _stop(desk, subject, day)
    desk.save(subject, "EOT", "RTEND", day, status, by=desk.investigator)
    vital_signs(desk, subject, "EOT", person, day, person.weight - 1)
    desk.save(subject, "EOT", "PS", day, {"PSDAT": iso, "ECOG": "1", "KPS": "80"})
    desk.save(subject, "EOT", "PE", day, {"PEDAT": iso})
    breast(desk, subject, "EOT", person, day, palpable=person.size > 20, size=max(10, person.size - 5))
    laboratory(desk, subject, "EOT", "HEM", day, 5)
    laboratory(desk, subject, "EOT", "CHE", day)
    lymphoedema(desk, subject, "EOT", person, day)
    desk.save(subject, "EOT", "COS", day, {"CODAT": iso, "CORATR": "PHY", "COHARV": "2"})
