"""RECIST twice: the study's own derivations, which judge a form as it is entered, and the analysis, on the same made-up
lesions. Two programs by two hands from one specification (4.2) must not differ.
"""

import random
from datetime import date

import pytest

from exports.analysis import recist
from exports.analysis.recist import Lesion, NewLesion, TimePoint
from tests.crf.screening import form, read, verdict

pytestmark = pytest.mark.req("DAT-10")
VISITS = {"SCR": date(2027, 1, 5), "FU3M": date(2027, 7, 1), "FU6M": date(2027, 10, 1)}
STATUS = {"MEA": recist.MEASURED, "ABS": recist.ABSENT, "TSTM": recist.TOO_SMALL, "NE": recist.NOT_EVALUABLE}
OTHERS = {"PRES": recist.PRESENT, "ABS": recist.ABSENT, "UPD": recist.PROGRESSED, "NE": recist.NOT_EVALUABLE}
CASES = 250


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def targets(dice: random.Random, kinds: list[str], baseline: bool) -> list[dict]:
    """Target lesions at a time point: at baseline measured, later also gone, tiny, or not evaluable."""
    rows = []
    for number, kind in enumerate(kinds, start=1):
        status = "MEA" if baseline else dice.choice(["MEA"] * 6 + ["ABS", "ABS", "TSTM", "NE"])
        size = dice.choice([15, 20, 25.5, 40]) if baseline else dice.choice([0, 4.9, 9.9, 10, 14, 17.8, 18, 21, 24, 30])
        row = {"TLID": f"T0{number}", "TLTYP": kind, "TLSTAT": status, "TLDAT": "2027-07-01"}
        rows.append(row | ({"TLDIA": str(size)} if status == "MEA" else {}))
    return rows


def drawn(seed: int) -> dict[str, dict[str, list]]:
    """Lesions of one made-up participant at each visit."""
    dice = random.Random(seed)
    kinds = [dice.choice(["PRIM", "NODE"]) for _ in range(dice.choice([0, 1, 1, 2, 3]))]
    others = dice.choice([0, 0, 1, 2])
    found = {}
    for visit in VISITS:
        base = visit == "SCR"
        states = ["PRES" if base else dice.choice(["PRES", "ABS", "ABS", "NE", "UPD"]) for _ in range(others)]
        new = (
            {} if base or dice.random() < 0.85 else {"NLEQV": dice.choice("YN"), "NLBX": dice.choice(["Y", "N", "NA"])}
        )
        found[visit] = {"targets": targets(dice, kinds, base), "others": states, "new": [new] if new else []}
    return found


def by_the_study(study, lesions) -> list[tuple]:
    """What the response form derives at each follow-up."""
    done, found = [], []
    for visit, each in lesions.items():
        rows = {str(n): row for n, row in enumerate(each["targets"], 1)}
        states = {
            str(n): {"NTID": f"N0{n}", "NTSTAT": s, "NTDAT": "2027-07-01"} for n, s in enumerate(each["others"], 1)
        }
        new = {str(n): {"NLID": "X01", "NLDAT": "2027-06-20"} | row for n, row in enumerate(each["new"], 1)}
        made = [form(study, "TL", visit, rows={"TLROWS": rows})] if rows else []
        made += [form(study, "NTL", visit, rows={"NTLROWS": states})] if states else []
        if visit != "SCR":
            made.append(form(study, "NEWL", visit, rows={"NEWLROWS": new} if new else {}, NLYN="Y" if new else "N"))
        for instance in made:
            instance = judged(study, instance, done)
            done.append(instance)
        if visit != "SCR":
            answers = verdict(study, form(study, "RSP", visit), done).answers.get("RSP", {}).get("1", {})
            found.append(tuple(answers.get(name) for name in ("RSPTL", "RSPNT", "RSPNEW", "RSPOVD")))
    return found


def judged(study, instance, others):
    """The form with its derived sums."""
    answers = verdict(study, instance, others).answers
    return type(instance)(*[answers if name == "answers" else getattr(instance, name) for name in _fields(instance)])


def _fields(instance) -> list[str]:
    return list(type(instance).__dataclass_fields__)


def by_the_analysis(lesions) -> list[tuple]:
    """What the analysis derives."""
    points = {}
    for visit, each in lesions.items():
        marks = tuple(
            Lesion(
                row["TLID"],
                row["TLTYP"] == "NODE",
                STATUS[row["TLSTAT"]],
                float(row["TLDIA"]) if "TLDIA" in row else None,
            )
            for row in each["targets"]
        )
        new = tuple(
            NewLesion(None, row["NLEQV"] == "Y", {"Y": True, "N": False}.get(row["NLBX"])) for row in each["new"]
        )
        points[visit] = TimePoint(VISITS[visit], marks, tuple(OTHERS[s] for s in each["others"]), new)
    found = recist.assess(points.pop("SCR"), list(points.values()))
    return [(r.target, r.non_target, "Y" if r.new else "N", r.overall) for r in found]


@pytest.mark.parametrize("start", range(0, CASES, 50))
def test_both_programs_agree(study, start):
    for seed in range(start, start + 50):
        lesions = drawn(seed)
        if lesions["SCR"]["targets"] or lesions["SCR"]["others"]:
            assert by_the_analysis(lesions) == by_the_study(study, lesions), (seed, lesions)
