"""Ten years of follow-up: response, late effects, recurrence, withdrawal, loss, death."""

from collections.abc import Generator
from datetime import date, timedelta

from demo.filling import working_day
from demo.keeping import Desk
from demo.measures import breast, laboratory, lesion, questionnaire, toxicity, vital_signs
from demo.profiles import LAST_DAY, Profile
from models import Subject
from workflows import finding

MONTHS = (1, 3, 6, 12, *range(18, 121, 6))
YEARLY = {12, *range(24, 121, 12)}
ENDS = {  # plot: month after which the plot ends regular visits
    "death_cancer": 42, "death_other": 20, "withdraw_visits": 18, "withdraw_all": 12, "lost": 30,
}  # fmt: skip


def follow_up(desk: Desk, subject: Subject, person: Profile) -> Generator[date, None, None]:
    """Visit after visit at the dates the schedule gives, until the plot or the simulation ends."""
    for month in MONTHS:
        event = finding.event(subject, f"FU{month}M")
        target = event.target
        if target is None or target > LAST_DAY:
            return
        end = ENDS.get(person.plot)
        if end is not None and month > end:
            yield from _end(desk, subject, person, target)
            return
        day = working_day(target + timedelta(days=desk.dice.randint(-4, 6)))
        if person.plot == "missed_visits" and month in (18, 30):
            yield day + timedelta(days=60)
            desk.miss(subject, event.key, "受试者外地务工，未能到院")
            continue
        late = 25 if person.index % 11 == 2 and month == 6 else 0
        yield day + timedelta(days=late)
        _visit(desk, subject, person, day + timedelta(days=late), month, event.key)
        if month == 1:
            _resolve_dermatitis(desk, subject, day)
        yield from _events_after(desk, subject, person, month, day)


def _visit(desk: Desk, subject: Subject, person: Profile, day: date, month: int, key: str) -> None:
    iso = day.isoformat()
    desk.save(subject, key, "SV", day, {"VISDAT": iso, "VISTYP": "SCH", "VISMOD": "CLIN"})
    failed = _has_failed(person, month)
    status = {
        "FUDAT": iso,
        "FUVIT": "ALIVE",
        "FUDIS": _disease(person, month),
        "FUBRP": "Y",
        "FUNEWT": "N",
        "FUAE": "N",
    }
    status |= {"FUHOSP": "N"}
    if person.plot == "local_failure" and month > 30:
        status["FUBRP"] = "N"
    desk.save(subject, key, "FU", day, status)
    desk.save(subject, key, "SS", day, {"SSDAT": iso, "SSVIT": "ALIVE", "SSSRC": "VISIT"})
    vital_signs(desk, subject, key, person, day, person.weight + desk.dice.uniform(-1.5, 1.5))
    desk.save(subject, key, "PS", day, {"PSDAT": iso, "ECOG": "1" if failed else "0", "KPS": "80" if failed else "90"})
    size = _size(person, month)
    breast(desk, subject, key, person, day, palpable=size > 12, size=int(size))
    _late_effects(desk, subject, person, day, month, key)
    if month == 1 or month == 6 or month in YEARLY:
        laboratory(desk, subject, key, "HEM", day)
    if month >= 3 and (month <= 60 or month in YEARLY):
        _response(desk, subject, person, day, month, key, size)
    if month in (3, 6) or month in YEARLY:
        questionnaire(desk, subject, key, day)
        harvard = "3" if person.index % 8 == 0 and month >= 24 else "2" if month < 12 else "1"
        desk.save(subject, key, "COS", day, {"CODAT": iso, "CORATR": "PHY", "COHARV": harvard})


def _size(person: Profile, month: int) -> float:
    """The tumour shrinks slowly: half of them are gone by 12 months, nearly all by 24."""
    gone = 6 + (person.index * 7) % 22
    if _has_failed(person, month) and person.plot in ("local_failure", "death_cancer"):
        return 14.0
    return 0.0 if month >= gone else person.size * max(0.15, 1 - month / gone)


def _has_failed(person: Profile, month: int) -> bool:
    return month >= {"local_failure": 30, "distant_failure": 24, "death_cancer": 24}.get(person.plot, 999)


def _disease(person: Profile, month: int) -> str:
    if _has_failed(person, month):
        return "LRR" if person.plot == "local_failure" else "DM"
    return "NED" if _size(person, month) == 0 else "STAB"


def _late_effects(desk: Desk, subject: Subject, person: Profile, day: date, month: int, key: str) -> None:
    grades: dict[str, int] = {}
    if month >= 6 and person.index % 2 == 0:
        grades["Skin hyperpigmentation"] = 1
    if month >= 12 and person.index % 5 == 0:
        grades["Superficial soft tissue fibrosis"] = 2 if month >= 24 else 1
    if month >= 24 and person.index % 6 == 1:
        grades["Telangiectasia"] = 1
    toxicity(desk, subject, key, "LTX", day, grades)
    arm = 24.0 + person.index % 4
    swollen = 1.12 if person.index % 13 == 3 and month >= 12 else 1.0
    circumference = {
        "LEHNDA": f"{16 * swollen:.1f}", "LEFARA": f"{arm * swollen:.1f}", "LEUARA": f"{(arm + 4) * swollen:.1f}",
        "LEHNDU": "16.0", "LEFARU": f"{arm:.1f}", "LEUARU": f"{arm + 4:.1f}", "LEH1": "15.0", "LEH2": "20.0",
    }  # fmt: skip
    stage = "1" if swollen > 1 else "0"
    head = {"LEDAT": day.isoformat(), "LEMETH": "TAPE", "LEDOM": "R", "LEISL": stage, "LESYM": "N"}
    desk.save(subject, key, "LE", day, {**head, **circumference})


def _response(desk: Desk, subject: Subject, person: Profile, day: date, month: int, key: str, size: float) -> None:
    """MRI, lesion measurement, new lesions and the investigator's response."""
    iso = day.isoformat()
    image = {
        "IMMOD": "MRI",
        "IMREG": "BRE",
        "IMDAT": iso,
        "IMCON": "Y",
        "IMFIELD": "3.0",
        "IMTHK": "1.0",
        "IMBIRAD": "6",
    }
    image |= {"IMENH": "N" if size == 0 else "Y", "IMOUT": "N", "IMRDR": desk.investigator.username}
    desk.save(subject, key, "IM", day, image)
    lesion(desk, subject, key, person, day, round(size, 1), "MEA" if size >= 5 else "TSTM" if size else "ABS")
    is_new = person.plot in ("distant_failure", "death_cancer") and month == 24
    new = {"NLYN": "Y" if is_new else "N"}
    if is_new:
        new["NEWLROWS"] = {"1": {"NLID": "X01", "NLLOC": "LIV", "NLDAT": iso, "NLEQV": "N", "NLBX": "Y"}}
    desk.save(subject, key, "NEWL", day, new)
    derived = desk.save(subject, key, "RSP", day, {"RSPOVI": "SD", "RSPCCR": "NCCR"}, fill=False)
    judged = derived.answers["RSP"]["1"].get("RSPOVD") if derived else None
    if isinstance(judged, str) and judged != "SD":
        final = {"RSPOVI": judged, "RSPCCR": "CCR" if judged == "CR" and size == 0 else "NCCR"}
        reason = "与影像科复核后更正"
        desk.save(subject, key, "RSP", day, final, repeat=1, reason=reason, by=desk.investigator)


def _resolve_dermatitis(desk: Desk, subject: Subject, day: date) -> None:
    stored = [each for each in finding.stored(finding.event(subject, "LOG"), "AE") if each.in_error is None]
    for data in stored:
        values = {"AEONGO": "N", "AEENDAT": day.isoformat()[:7], "AEOUT": "RES"}
        desk.save(subject, "LOG", "AE", day, values, repeat=data.repeat, reason="随访时已痊愈")


def _events_after(desk: Desk, subject: Subject, person: Profile, month: int, day: date) -> Generator[date, None, None]:
    """What the plots bring between two visits."""
    if person.plot == "local_failure" and month == 30:
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
    if person.plot in ("distant_failure", "death_cancer") and month == 24:
        found = {"RECTYP": "DIS", "RECDAT": day.isoformat(), "RECLOC": "LIV", "RECDMS": ["LIV"], "RECCNF": "IMG"}
        desk.save(subject, "LOG", "REC", day, found)
    if person.plot == "pneumonitis" and month == 3:
        yield working_day(day + timedelta(days=20))
        start = (day + timedelta(days=15)).isoformat()[:7]
        values = {
            "AETERM": "放射性肺炎", "AECTCT": "10035742", "AESTDAT": start, "AEONGO": "Y", "AESER": "Y", "AESCRIT": ["HOSP"],
            "AERELRT": "PROB", "AEINF": "Y", "AEACNRT": "NA", "AECONTRT": "Y", "AEOUT": "RING", "AEDLT": "N",
            "AEG": {"1": {"AGSTDAT": start, "AGGR": "2"}},
        }  # fmt: skip
        desk.save(subject, "LOG", "AE", day, values)


def _end(desk: Desk, subject: Subject, person: Profile, target: date) -> Generator[date, None, None]:
    """Death, withdrawal or loss: told weeks later, dates often partial."""
    day = working_day(target + timedelta(days=40))
    yield day
    if person.plot.startswith("death"):
        died = (target - timedelta(days=20)).isoformat()[:7]
        cause = "BC" if person.plot == "death_cancer" else "CV"
        known = {"DTHDAT": died, "DTHCAUS": cause, "DTHBC": "Y" if cause == "BC" else "N", "DTHSRC": "FAM"}
        desk.save(subject, "LOG", "DD", day, known)
        desk.save(subject, "LOG", "EOS", day, {"EOSRS": "DTH", "EOSDAT": target.isoformat()})
    elif person.plot == "lost":
        desk.save(subject, "LOG", "EOS", day, {"EOSRS": "LTF", "EOSDAT": day.isoformat()})
    else:
        scope = "ALL" if person.plot == "withdraw_all" else "VIS"
        desk.save(subject, "LOG", "EOS", day, {"EOSRS": "WDC", "EOSDAT": day.isoformat(), "EOSWDS": scope})
