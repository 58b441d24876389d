"""Consent, baseline, eligibility and enrolment: a participant's story up to the first fraction, then the rest."""

from collections.abc import Generator
from datetime import date, timedelta

from demo.filling import working_day
from demo.followup import follow_up
from demo.keeping import Desk
from demo.measures import breast, images, lesion, lymphoedema, panels, toxicity, vital_signs
from demo.profiles import Profile
from demo.treatment import course, planning, treatment_days
from models import Subject

Days = Generator[date, None, None]
WEEK = timedelta(days=7)


def story(desk: Desk, person: Profile) -> Days:
    """All that happens to one person. Each `yield` is the next day on which something is entered for her."""
    if person.failure:
        yield from _screen_failure(desk, person)
        return
    subject = desk.screen()
    _consent(desk, subject, person, person.consent)
    day = working_day(person.consent + timedelta(days=desk.dice.randint(2, 6)))
    yield day
    _baseline(desk, subject, person, day)
    day = working_day(day + timedelta(days=desk.dice.randint(3, 9)))
    yield day
    _enrol(desk, subject, person, day)
    day = working_day(day + timedelta(days=desk.dice.randint(4, 9)))
    yield day
    planning(desk, subject, person, day)
    first = _first_fraction(desk, day)
    yield first
    yield from course(desk, subject, person, first)
    yield from follow_up(desk, subject, person)


def _first_fraction(desk: Desk, planned: date) -> date:
    """Within a week of planning, so that the pregnancy test still holds; later only around a public holiday."""
    candidates = [day for day in treatment_days(desk, planned + timedelta(days=4), 4) if day - planned <= WEEK]
    return desk.dice.choice(candidates) if candidates else treatment_days(desk, planned + timedelta(days=4), 1)[0]


def _screen_failure(desk: Desk, person: Profile) -> Days:
    """A screening that fails; one of them is screened again and fails for another reason."""
    subject = desk.screen()
    _consent(desk, subject, person, person.consent)
    day = working_day(person.consent + timedelta(days=4))
    yield day
    _baseline(desk, subject, person, day)
    day = working_day(day + timedelta(days=5))
    yield day
    _fail(desk, subject, person, day, person.failure or "OTH")
    if person.plot != "rescreened":
        return
    day = working_day(day + timedelta(days=40))
    yield day
    again = desk.screen(previous=subject)
    _consent(desk, again, person, day, kind="RSC")
    later = working_day(day + timedelta(days=5))
    yield later
    _baseline(desk, again, person, later)
    _fail(desk, again, person, later, "WDC", previous=subject)


def _consent(desk: Desk, subject: Subject, person: Profile, day: date, kind: str = "INIT") -> None:
    """Informed consent, sometimes with a typing error that is corrected the same day."""
    values = {
        "ICFVER": "1.0",
        "ICFVDT": "2014-01-01",
        "ICFTYP": kind,
        "DSSTDAT": day.isoformat(),
        "ICFTIM": "09:10",
        "ICFSGN": "WIT" if person.index % 17 == 5 else "SUBJ",
        "ICFINV": desk.investigator.username,
        "ICFIDT": day.isoformat(),
        "ICFCPY": "Y",
        "ICFPHO": "N" if person.index % 9 == 4 else "Y",
        "ICFFUT": "Y",
    }
    if person.index % 17 == 5:
        values["ICFREL"] = "公正见证人（护士长）"
    desk.save(subject, "LOG", "ICF", day, values)


def _baseline(desk: Desk, subject: Subject, person: Profile, day: date) -> None:
    """The screening visit: history, pathology, examinations, laboratory, imaging, baseline toxicity."""
    desk.save(
        subject, "SCR", "SV", day, {"VISITNUM": "10", "VISDAT": day.isoformat(), "VISTYP": "SCH", "VISMOD": "CLIN"}
    )
    _person(desk, subject, person, day)
    _tumour(desk, subject, person, day)
    vital_signs(desk, subject, "SCR", person, day, person.weight)
    desk.save(subject, "SCR", "PS", day, {"PSDAT": day.isoformat(), "ECOG": "0", "KPS": "90"})
    desk.save(subject, "SCR", "PE", day, {"PEDAT": day.isoformat()})
    breast(desk, subject, "SCR", person, day, palpable=person.size > 15, size=person.size)
    panels(desk, subject, "SCR", day)
    if not person.menopausal:
        test = {"PREGDAT": day.isoformat(), "PREGTYP": "SER", "PREGRES": "N"}
        desk.save(subject, "SCR", "PREG", day, test)
    desk.save(subject, "SCR", "CV", day, {"CVDAT": day.isoformat(), "EGINT": "N", "QTCF": "412", "LVEF": "64"})
    images(desk, subject, "SCR", day, enhancing=True)
    lesion(desk, subject, "SCR", person, day, person.size, "MEA")
    toxicity(desk, subject, "SCR", "OTV", day, {})
    toxicity(desk, subject, "SCR", "LTX", day, {})
    lymphoedema(desk, subject, "SCR", person, day)
    desk.save(subject, "SCR", "COS", day, {"CODAT": day.isoformat(), "CORATR": "PHY", "COHARV": "1"})


def _person(desk: Desk, subject: Subject, person: Profile, day: date) -> None:
    birth = person.birth.isoformat()
    typed = {"SUBJINI": person.initials, "BRTHDAT": birth, "SEX": "F", "RACE": "ASIAN", "ETHNCN": "01"}
    if person.index % 7 == 3:
        wrong = person.birth.replace(day=28 if person.birth.day != 28 else 27).isoformat()
        desk.save(subject, "SCR", "DM", day, {**typed, "BRTHDAT": wrong})
        reason = "录入错误，已与身份证核对"
        desk.save(subject, "SCR", "DM", day, {"BRTHDAT": birth}, repeat=1, reason=reason)
    else:
        desk.save(subject, "SCR", "DM", day, typed)
    if person.index % 3 == 0:
        year = min(person.birth.year + 38, person.consent.year - 1)
        started = str(year) if person.index % 2 else f"{year}-05"
        history = {"MHYN": "Y", "MHCAT": "GEN", "MHTERM": "甲状腺结节", "MHSTDAT": started, "MHONGO": "Y", "MHGR": "1"}
        desk.save(subject, "LOG", "MH", day, history)
    state = {"MENOST": "POST", "GRAVID": "2", "PARITY": "1"}
    if not person.menopausal:
        last_period = (day - timedelta(days=14)).isoformat()
        state = {"MENOST": "PRE", "LMPDAT": last_period, "CHLDPOT": "Y", "CONTRA": "Y", "GRAVID": "1", "PARITY": "1"}
    desk.save(subject, "SCR", "RP", day, state)
    desk.save(subject, "SCR", "PTH", day, dict.fromkeys(("PTENDO", "PTTARG", "PTCHEM", "PTSURG", "PTRT"), "N"))


def _tumour(desk: Desk, subject: Subject, person: Profile, day: date) -> None:
    """Pathology, biomarkers and staging: per side when both breasts are affected (edge case 11)."""
    biopsy = day - timedelta(days=12)
    for number, side in enumerate(person.sides, start=1):
        found = {"BCSEQ": str(number), "BCLAT": side, "BCQUAD": "UOQ", "BCFOC": "UNI"}
        found |= {"DXDAT": biopsy.isoformat()[:7], "BXDAT": biopsy.isoformat(), "BXMETH": "CNB", "BXSITE": "BRE"}
        found |= {"PATHNO": f"P{person.index:03}-{number}", "PATHLAB": "病理科", "HISTYP": "IDC", "GRADE": "2"}
        desk.save(subject, "SCR", "BCH", day, found)
        marks = {"BMSPEC": f"SCR/BCH/{number}", "BMDAT": (biopsy + timedelta(days=5)).isoformat()}
        marks |= {"ERPCT": str(person.er), "PRPCT": str(person.pr), "HER2IHC": person.her2, "KI67": str(person.ki67)}
        if person.her2 == "2":
            marks |= {"HER2ISH": "NAMP", "ISHRAT": "1.3", "ISHCN": "2.8"}
        desk.save(subject, "SCR", "BM", day, marks)
        stage = {"STGDAT": day.isoformat(), "STGLAT": side, "TSIZE": str(person.size), "TSZMOD": "MRI"}
        stage |= {"CT": person.ct, "CN": person.cn, "CNBAS": "IMG" if person.cn == "N0" else "CNB", "CM": "M0"}
        if person.cn != "N0":
            stage["CNLOC"] = ["AX1"]
        desk.save(subject, "SCR", "STG", day, stage)


def _criteria(desk: Desk, subject: Subject, day: date, failed: str | None = None) -> None:
    answers = {f"IN0{n}": "Y" for n in range(1, 7)} | ({failed: "N"} if failed else {})
    desk.save(subject, "SCR", "IE", day, {"IEDAT": day.isoformat(), **answers})


def _attempt(day: date, previous: Subject | None) -> dict[str, str]:
    again = {"RESCR": "Y", "PRVSCR": previous.screening_number} if previous else {"RESCR": "N"}
    return {"SCRDAT": day.isoformat(), **again}


def _enrol(desk: Desk, subject: Subject, person: Profile, day: date) -> None:
    """Eligibility, MDT meeting and the enrolment that issues the number."""
    _criteria(desk, subject, day)
    desk.save(subject, "ENR", "SV", day, {"VISDAT": day.isoformat(), "VISTYP": "SCH", "VISMOD": "CLIN"})
    total = 48 + 4 * person.boost_fractions
    meeting = {"MDTDAT": day.isoformat(), "MDTSPC": ["RO", "MO", "BS", "RAD", "PAT"], "MDTCON": "RTENDO"}
    meeting |= {"MDTRT": "根治性碳离子放疗：全乳及淋巴引流区，原发灶推量", "MDTBST": f"{total}.00", "MDTST": ["ENDO"]}
    meeting |= {"MDTSEQ": "POST", "MDTALT": "已告知手术方案，受试者选择保乳非手术治疗"}
    desk.save(subject, "ENR", "MDT", day, meeting, by=desk.investigator)
    entry = {**_attempt(person.consent, None), "ENRYN": "Y", "ENRDAT": day.isoformat(), "ENRSIT": person.site}
    desk.save(subject, "ENR", "ENR", day, entry, by=desk.investigator)


def _fail(
    desk: Desk, subject: Subject, person: Profile, day: date, reason: str, previous: Subject | None = None
) -> None:
    _criteria(desk, subject, day, "IN05" if reason == "IE" else None)
    entry = {**_attempt(day, previous), "ENRYN": "N", "ENRSIT": person.site, "SFREAS": reason}
    desk.save(subject, "ENR", "ENR", day, entry, by=desk.investigator)
