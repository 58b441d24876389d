"""What is measured again and again: vital signs, breast, laboratory, lesions, toxicity grades, questionnaires."""

from datetime import date

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
FALLING = {"WBC": 0.045, "NEUT": 0.04, "LYM": 0.11, "PLAT": 0.02}


def vital_signs(desk: Desk, subject: Subject, event: str, person: Profile, day: date, weight: float) -> None:
    """Vital signs of a visit; one in nine weights is mistyped and corrected with a reason."""
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
    if dice.random() < 0.11:
        mistyped = {**values, "WEIGHT": f"{weight + 10:.1f}"}
        desk.save(subject, event, "VS", day, mistyped)
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
    rows = {}
    for test, row in study.tables["lab"].rows.items():
        if row["panel"] != panel:
            continue
        if test not in ANALYTES:
            rows[test] = {"LBORRES": {"missing": "ND"}}
            continue
        mean, spread = ANALYTES[test]
        value = max(mean * 0.25, desk.dice.gauss(mean, spread) * (1 - FALLING.get(test, 0) * min(week, 6)))
        shown = f"{value:.0f}" if test in WHOLE else f"{value:.2f}"
        rows[test] = {"LBORRES": shown, "LBORRESU": row["unit"]}
    if panel == "TUM" and desk.dice.random() < 0.3:
        rows["CEA"]["LBORRES"] = "<0.5"
    home = {"01": "WW", "02": "LZ"}[subject.site.code]
    head = {"LBPAN": panel, "LBDAT": day.isoformat(), "LBTIM": "08:10", "LBNAM": home}
    desk.save(subject, event, "LB", day, {**head, "LBROWS": rows})


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
    br23 = {f"B{n}": dice.choice("1123") for n in range(31, 54) if n not in (35, 46)}
    if dice.random() < 0.2:
        c30["Q26"] = {"missing": "NASK"}
    head = {"QSDAT": day.isoformat(), "QSMOD": "SELF"}
    desk.save(subject, event, "C30", day, {**head, **c30})
    desk.save(subject, event, "BR23", day, br23)
