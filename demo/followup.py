"""Ten years of follow-up: response, late effects, recurrence, withdrawal, loss, death."""

from collections.abc import Generator
from datetime import date, timedelta

from demo import endings, events
from demo.filling import working_day
from demo.keeping import Desk
from demo.measures import breast, images, lesion, lymphoedema, panels, questionnaire, toxicity, vital_signs
from demo.profiles import LAST_DAY, Profile
from models import Subject
from workflows import finding

MONTHS = (1, 3, 6, 12, *range(18, 121, 6))
YEARLY = {12, *range(24, 121, 12)}
FAILS = {"local_failure": 30, "distant_failure": 24, "death_cancer": 24}  # plot: month in which the failure is found
SWOLLEN = 1.12
LATE = 0.03  # visits that take place after their window


def follow_up(desk: Desk, subject: Subject, person: Profile) -> Generator[date, None, None]:
    """Visit after visit at the dates the schedule gives, until the plot or the simulation ends."""
    for month in MONTHS:
        event = finding.event(subject, f"FU{month}M")
        target = event.target
        if target is None or target > LAST_DAY:
            return
        if month > endings.AFTER.get(person.plot, 999):
            yield from endings.end(desk, subject, person, target, event.key)
            return
        day = working_day(target + timedelta(days=desk.dice.randint(-4, 4)))
        if person.plot == "missed_visits" and month in (6, 18):
            yield day + timedelta(days=60)
            desk.miss(subject, event.key, "受试者外地务工，未能到院")
            continue
        is_late = (month == 6 and person.index % 11 == 2) or desk.dice.random() < LATE
        late = (28 if month <= 6 else 42) if is_late and month > 1 else 0
        yield day + timedelta(days=late)
        day += timedelta(days=late)
        _visit(desk, subject, person, day, month, event.key)
        yield from _events_after(desk, subject, person, month, day)
    endings.completed(desk, subject, day)


def _visit(desk: Desk, subject: Subject, person: Profile, day: date, month: int, key: str) -> None:
    iso = day.isoformat()
    desk.save(subject, key, "SV", day, {"VISDAT": iso, "VISTYP": "SCH", "VISMOD": "CLIN"})
    if month == 1:
        events.resolve(desk, subject, day)
    has_changed = _late_effects(desk, subject, person, day, month, key)
    failed = _has_failed(person, month)
    status = {
        "FUDAT": iso, "FUVIT": "ALIVE", "FUDIS": _disease(person, month), "FUAE": "Y" if has_changed else "N",
        "FUBRP": "N" if person.plot == "local_failure" and month > FAILS[person.plot] else "Y",
        "FUNEWT": "Y" if month == FAILS.get(person.plot, 0) + 6 and failed else "N",
        "FUHOSP": "Y" if person.plot == "pneumonitis" and month == 6 else "N",
    }  # fmt: skip
    desk.save(subject, key, "FU", day, status)
    desk.save(subject, key, "SS", day, {"SSDAT": iso, "SSVIT": "ALIVE", "SSSRC": "VISIT"})
    vital_signs(desk, subject, key, person, day, person.weight + desk.dice.uniform(-1.5, 1.5))
    desk.save(subject, key, "PS", day, {"PSDAT": iso, "ECOG": "1" if failed else "0", "KPS": "80" if failed else "90"})
    size = _size(person, month)
    breast(desk, subject, key, person, day, palpable=size > 12, size=int(size))
    panels(desk, subject, key, day)
    is_judged = month >= 3 and (month <= 60 or month in YEARLY)
    images(desk, subject, key, day, enhancing=size > 0, also=("MRI",) if is_judged else ())
    if is_judged:
        _response(desk, subject, person, day, month, key, size)
    if month in (3, 6) or month in YEARLY:
        questionnaire(desk, subject, key, day)
        harvard = "3" if person.index % 8 == 0 and month >= 24 else "2" if month < 12 else "1"
        desk.save(subject, key, "COS", day, {"CODAT": iso, "CORATR": "PHY", "COHARV": harvard})


def _size(person: Profile, month: int) -> float:
    """The tumour shrinks slowly: half of them are gone by 12 months, nearly all by 24. A mastectomy takes a relapse."""
    gone = 6 + (person.index * 7) % 22
    if _has_failed(person, month) and person.plot in ("local_failure", "death_cancer"):
        return 0.0 if person.plot == "local_failure" and month > FAILS[person.plot] else 14.0
    return 0.0 if month >= gone else person.size * max(0.15, 1 - month / gone)


def _has_failed(person: Profile, month: int) -> bool:
    return month >= FAILS.get(person.plot, 999)


def _disease(person: Profile, month: int) -> str:
    if _has_failed(person, month):
        return "LRR" if person.plot == "local_failure" else "DM"
    return "NED" if _size(person, month) == 0 else "STAB"


def _late_effects(desk: Desk, subject: Subject, person: Profile, day: date, month: int, key: str) -> bool:
    """Late toxicity with its adverse events, and the arms; whether an event began, changed or ended."""
    grades: dict[str, int] = {}
    if month >= 6 and person.index % 2 == 0:
        grades["Skin hyperpigmentation"] = 1
    if month >= 12 and person.index % 5 == 0:
        grades["Superficial soft tissue fibrosis"] = 2 if month >= 24 else 1
    if month >= 24 and person.index % 6 == 1:
        grades["Telangiectasia"] = 1
    swollen = SWOLLEN if person.index % 13 == 3 and month >= 12 else 1.0
    if swollen > 1:
        grades["Edema limbs"] = 2
    if person.plot == "pneumonitis" and month >= 6:
        grades["Pneumonitis"] = 2
    before = [each.revision for each in events.opened(subject)]
    start = (day - timedelta(days=25)).isoformat()[:7]  # noticed at home: only the month is known
    known = {
        term: events.grade(desk, subject, day, term, level, events.AFTERWARDS, start) for term, level in grades.items()
    }
    toxicity(desk, subject, key, "LTX", day, grades, known)
    lymphoedema(desk, subject, key, person, day, swollen)
    return (month == 1 and bool(before)) or before != [each.revision for each in events.opened(subject)]


def _response(desk: Desk, subject: Subject, person: Profile, day: date, month: int, key: str, size: float) -> None:
    """Lesion measurement, new lesions and the investigator's response, which follows the rule shown to her."""
    iso = day.isoformat()
    lesion(desk, subject, key, person, day, round(size, 1), "MEA" if size >= 5 else "TSTM" if size else "ABS")
    is_spread = person.plot in ("distant_failure", "death_cancer") and month >= FAILS[person.plot]
    new: dict[str, object] = {"NLYN": "Y" if is_spread else "N"}
    if is_spread:
        new["NEWLROWS"] = {
            "1": {"NLID": "X01", "NLLOC": "LIV", "NLDAT": _first_seen(subject, iso), "NLEQV": "N", "NLBX": "Y"}
        }
    desk.save(subject, key, "NEWL", day, new)
    shown = desk.foresee(subject, key, "RSP", {"RSPCCR": "NCCR"})["RSP"]["1"].get("RSPOVD", "NE")
    judged = {"RSPOVI": shown, "RSPCCR": "CCR" if shown == "CR" and size == 0 else "NCCR"}
    desk.save(subject, key, "RSP", day, judged, by=desk.investigator)


def _first_seen(subject: Subject, today: str) -> str:
    """A lesion keeps the date of the image that showed it first."""
    found = finding.stored(finding.event(subject, "LOG"), "REC")
    return found[0].answers["REC"]["1"]["RECDAT"] if found else today


def _events_after(desk: Desk, subject: Subject, person: Profile, month: int, day: date) -> Generator[date, None, None]:
    """What the plots bring between two visits."""
    if person.plot == "local_failure" and month == FAILS[person.plot]:
        found = {"RECTYP": "LOC", "RECDAT": day.isoformat(), "RECLAT": person.side, "RECLOC": "BRE", "RECREL": "INB"}
        found |= {"RECFLD": "IN", "RECCNF": "HIST"}
        desk.save(subject, "LOG", "REC", day, found)
        operation = working_day(day + timedelta(days=21))
        yield operation
        surgery = {
            "SUDAT": operation.isoformat(),
            "SULAT": person.side,
            "SUTYP": ["MAST"],
            "SURSN": "LR",
            "SUPATH": "Y",
        }
        desk.save(subject, "LOG", "SURG", operation, surgery)
    if person.plot in ("distant_failure", "death_cancer") and month == FAILS[person.plot]:
        found = {"RECTYP": "DIS", "RECDAT": day.isoformat(), "RECLOC": "LIV", "RECDMS": ["LIV"], "RECCNF": "IMG"}
        desk.save(subject, "LOG", "REC", day, found)
        start = working_day(day + timedelta(days=14))
        yield start
        _second_line(desk, subject, start)
    if person.plot == "pneumonitis" and month == 3:
        told = working_day(day + timedelta(days=20))
        yield told
        events.pneumonitis(desk, subject, told, (day + timedelta(days=15)).isoformat())


def _second_line(desk: Desk, subject: Subject, day: date) -> None:
    """Systemic therapy after the failure, as a new meeting planned it."""
    iso = day.isoformat()
    meeting = {"MDTDAT": iso, "MDTSPC": ["RO", "MO", "BS", "RAD", "PAT"], "MDTCON": "COMB", "MDTST": ["CHEMO"]}
    meeting |= {"MDTRT": "肝转移，全身治疗", "MDTSEQ": "SALV", "MDTALT": "已告知其他治疗选择"}
    before = finding.stored(finding.event(subject, "ENR"), "MDT")[0].answers["MDT"]["1"]
    desk.save(subject, "LOG", "MDT", day, {**meeting, "MDTBST": before["MDTBST"]}, by=desk.investigator)
    therapy = {"STTYP": "CHEMO", "STREG": "卡培他滨", "STSTDAT": iso, "STONGO": "Y", "STMDT": "Y"}
    desk.save(subject, "LOG", "ST", day, therapy)
    events.relate_to_therapy(desk, subject, day)
