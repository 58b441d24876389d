"""What is measured again and again: vital signs, breast, laboratory, images, lesions, arms, toxicity, questionnaires."""

from datetime import date
from typing import Any

from demo.keeping import Desk
from demo.profiles import Profile
from models import Subject
from workflows import finding

ANALYTES = {
    "WBC": (5.6, 0.9), "NEUT": (3.4, 0.6), "LYM": (1.7, 0.3), "HGB": (131, 8), "PLAT": (228, 35),
    "ALT": (21, 6), "AST": (20, 5), "BILI": (11, 3), "CREAT": (62, 8), "UREA": (4.9, 0.8), "ALB": (44, 2),
    "ALP": (72, 12), "GGT": (22, 6), "LDH": (178, 20), "GLUC": (5.3, 0.5), "K": (4.1, 0.2), "SODIUM": (140, 2),
    "CA": (2.35, 0.07), "CEA": (2.1, 0.8), "CA15_3AG": (14, 5), "CA125AG": (13, 4), "TSH": (2.2, 0.7),
    "T3FR": (4.8, 0.5), "T4FR": (15.8, 1.6), "PT": (11.8, 0.5), "APTT": (29, 2), "INR": (1.0, 0.05),
}  # fmt: skip
WHOLE = {"HGB", "PLAT", "ALT", "AST", "CREAT", "ALB", "ALP", "GGT", "LDH", "SODIUM"}
STILL_OPEN = 0.4  # of the mistyped weights: their query waits for an answer
NOT_DONE = 0.04  # a sample that was lost, an examination that was not held: what the checks are for
FALLING = {"WBC": 0.045, "NEUT": 0.04, "LYM": 0.11, "PLAT": 0.02}


def vital_signs(desk: Desk, subject: Subject, event: str, person: Profile, day: date, weight: float) -> None:
    """Vital signs of a visit; one weight in twenty is mistyped, and most of those are corrected with a reason."""
    dice = desk.dice
    values = {
        "WEIGHT": f"{weight:.1f}",
        "TEMP": f"{dice.uniform(36.2, 36.9):.1f}",
        "PULSE": str(dice.randint(62, 92)),
        "RESP": str(dice.randint(14, 20)),
        "SYSBP": str(dice.randint(104, 142)),
        "DIABP": str(dice.randint(62, 88)),
        "OXYSAT": str(dice.randint(95, 99)),
    }
    if event == "SCR":
        values["HEIGHT"] = f"{person.height}.0"
    if dice.random() < 0.05:
        mistyped = {**values, "WEIGHT": f"{weight + 10:.1f}"}
        desk.save(subject, event, "VS", day, mistyped)
        if event != "SCR" and dice.random() < STILL_OPEN:
            return
        desk.save(subject, event, "VS", day, {"WEIGHT": values["WEIGHT"]}, repeat=1, reason="与原始记录核对后更正")
    else:
        desk.save(subject, event, "VS", day, values)


def breast(desk: Desk, subject: Subject, event: str, person: Profile, day: date, *, palpable: bool, size: int) -> None:
    """Examination of both breasts."""
    quiet = {"BEPALP": "N", "BESKIN": "N", "BENIP": "N", "BEAXPAL": "N", "BESCV": "N"}
    treated = {**quiet, "BELAT": person.side, "BEPALP": "Y" if palpable else "N"}
    if palpable:
        treated |= {"BELD": f"{size}.0", "BEPD": f"{max(1, size - 4)}.0"}
    desk.save(subject, event, "BE", day, {"BEROWS": {"1": treated, "2": {**quiet, "BELAT": person.other_side}}})


def laboratory(desk: Desk, subject: Subject, event: str, panel: str, day: date, week: int = 0) -> None:
    """One panel of one sample; blood counts fall a little during treatment. The sample of another hospital comes in
    other units now and then."""
    study = finding.design_for(subject.site)
    home = {"01": "WW", "02": "LZ"}[subject.site.code]
    rows: dict[str, dict[str, Any]] = {}
    for test, row in study.tables["lab"].rows.items():
        if row["panel"] != panel:
            continue
        if row["kind"] == "text":
            rows[test] = {"LBORRES": "阴性"}
            continue
        if test not in ANALYTES:
            rows[test] = {"LBORRES": {"missing": "ND"}}
            continue
        mean, spread = ANALYTES[test]
        value = max(mean * 0.25, desk.dice.gauss(mean, spread) * (1 - FALLING.get(test, 0) * min(week, 6)))
        shown = f"{value:.0f}" if test in WHOLE else f"{value:.2f}"
        rows[test] = {"LBORRES": shown, "LBORRESU": row["unit"]}
        limits = study.tables["lab_ranges"].rows.get(f"{home}|{test}|F", {})
        if limits and not float(limits["low"] or 0) <= float(shown) <= float(limits["high"] or shown):
            rows[test]["LBCLSIG"] = "ANCS"
    if panel == "TUM" and desk.dice.random() < 0.3:
        rows["CEA"]["LBORRES"] = "<0.5"
    head = {"LBPAN": panel, "LBDAT": day.isoformat(), "LBTIM": "08:10", "LBNAM": home}
    desk.save(subject, event, "LB", day, {**head, "LBROWS": rows})


def expected(subject: Subject, event: str) -> dict[str, str]:
    """What the schedule of assessments expects at a visit: `{"HEM": "Y", "MRI": "", …}`."""
    return finding.design_for(subject.site).tables["expected"].rows.get(event, {})


def panels(desk: Desk, subject: Subject, event: str, day: date) -> None:
    """The laboratory panels of a visit; now and then a sample is lost."""
    due = expected(subject, event)
    for panel in ("HEM", "CHE", "TUM", "THY", "VIR", "COA"):
        if due.get(panel) == "Y" and (event == "SCR" or desk.dice.random() > NOT_DONE):
            laboratory(desk, subject, event, panel, day)


def images(desk: Desk, subject: Subject, event: str, day: date, *, enhancing: bool, also: tuple[str, ...] = ()) -> None:
    """The imaging of a visit, `also` what the schedule does not ask for; now and then an examination is not held."""
    due = expected(subject, event)
    for modality, region in (("MRI", "BRE"), ("CT", "CHE"), ("US", "BRE"), ("MG", "BRE")):
        is_due = due.get(modality) == "Y" and (event == "SCR" or desk.dice.random() > NOT_DONE)
        if not is_due and modality not in also:
            continue
        image = {"IMMOD": modality, "IMREG": region, "IMDAT": day.isoformat(), "IMOUT": "N"}
        image |= {"IMCON": "Y" if modality in ("MRI", "CT") else "N", "IMRDR": desk.investigator.username}
        if modality == "MRI":
            image |= {"IMFIELD": "3.0", "IMTHK": "1.0", "IMBIRAD": "6", "IMENH": "Y" if enhancing else "N"}
        if modality == "CT":
            image["IMTHK"] = "5.0"
        desk.save(subject, event, "IM", day, image)


def lymphoedema(desk: Desk, subject: Subject, event: str, person: Profile, day: date, swollen: float = 1.0) -> None:
    """Circumferences of both arms; `swollen` is how much thicker the affected one is."""
    arm = 24.0 + person.index % 4
    circumference = {
        "LEHNDA": f"{16 * swollen:.1f}", "LEFARA": f"{arm * swollen:.1f}", "LEUARA": f"{(arm + 4) * swollen:.1f}",
        "LEHNDU": "16.0", "LEFARU": f"{arm:.1f}", "LEUARU": f"{arm + 4:.1f}", "LEH1": "15.0", "LEH2": "20.0",
    }  # fmt: skip
    head = {"LEDAT": day.isoformat(), "LEMETH": "TAPE", "LEDOM": "R", "LEISL": "1" if swollen > 1 else "0"}
    desk.save(subject, event, "LE", day, {**head, "LESYM": "N", **circumference})


def lesion(desk: Desk, subject: Subject, event: str, person: Profile, day: date, size: float, status: str) -> None:
    """The target lesion at a time point; a lesion under 10 mm at baseline is a non-target one (RECIST 1.1)."""
    iso = day.isoformat()
    if person.size >= 10:
        row = {"TLID": "T01", "TLLOC": "BRE", "TLLAT": person.side, "TLDESC": "外上象限肿块", "TLTYP": "PRIM"}
        row |= {"TLMETH": "MRI", "TLDAT": iso, "TLSTAT": status}
        if status == "MEA":
            row["TLDIA"] = f"{size:.1f}"
        desk.save(subject, event, "TL", day, {"TLROWS": {"1": row}})
    else:
        state = "PRES" if status == "MEA" else "ABS"
        row = {"NTID": "N01", "NTLOC": "BRE", "NTDESC": "小于10 mm的原发灶", "NTDAT": iso, "NTSTAT": state}
        desk.save(subject, event, "NTL", day, {"NTLROWS": {"1": row}})


def toxicity(
    desk: Desk,
    subject: Subject,
    event: str,
    form: str,
    day: date,
    grades: dict[str, int],
    ae: dict[str, str] | None = None,
    week: int | None = None,
) -> None:
    """Grades of every term of list A (form OTV) or B (form LTX); a term not named has grade 0.

    `grades` and `ae` (reference to the adverse event) are keyed by the English term.
    """
    study = finding.design_for(subject.site)
    column, prefix = ("list_a", "OT") if form == "OTV" else ("list_b", "LT")
    rows = {}
    for code, row in study.tables["toxicity"].rows.items():
        if row[column] != "Y":
            continue
        grade = grades.get(row["en"], 0)
        cells = {f"{prefix}GR": str(grade)}
        if grade:
            cells[f"{prefix}REL"] = "PROB"
            if form == "LTX":
                cells |= {"LTINF": "Y", "LTTRT": "N"}
            if ae and row["en"] in ae:
                cells[f"{prefix}AEREF"] = ae[row["en"]]
        rows[code] = cells
    head = {f"{prefix}DAT": day.isoformat()} | ({"OTWK": str(week)} if week else {})
    desk.save(subject, event, form, day, {**head, f"{form}ROWS": rows})


def questionnaire(desk: Desk, subject: Subject, event: str, day: date) -> None:
    """QLQ-C30 and BR23 answers, with skipped items here and there (a skipped answer is never filled in)."""
    dice = desk.dice
    c30 = {f"Q{n:02}": dice.choice("1112") for n in range(1, 29)} | {
        "Q29": dice.choice("567"),
        "Q30": dice.choice("567"),
    }
    br23 = {f"B{n}": dice.choice("1123") for n in range(31, 54)}
    for condition, conditional in (("B34", "B35"), ("B45", "B46")):  # asked only after hair loss, only when active
        if br23[condition] == "1":
            del br23[conditional]
    if dice.random() < 0.2:
        c30["Q26"] = {"missing": "NASK"}
    head = {"QSDAT": day.isoformat(), "QSMOD": "SELF"}
    desk.save(subject, event, "C30", day, {**head, **c30})
    desk.save(subject, event, "BR23", day, br23)
