"""Calculations of the trial against a second implementation, written from the guidelines and not from the rules (DAT-10).

10,000 generated cases each, ties and missing values among them; the generator prefers the values at which a rule turns.
Everything here counts in whole numbers or fractions, never in the language of the study. The trial asks for no body
surface area and no creatinine clearance: those two are computed by the language from formulas of this file.
"""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from guideline import Lesion, new_lesion, non_target_response, overall_response, target_response
from screening import STUDY, TODAY, form, read

from design.evaluation import World
from design.expressions import Expression, compile_expression
from design.record import FormInstance, SubjectRecord
from design.schedule import plan, window_status
from design.types import to_cell

pytestmark = pytest.mark.req("DAT-10")
CASES = 10_000
VISITS = ("FU3M", "FU6M", "FU12M", "FU18M", "FU24M")


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


class Record:
    """A participant's forms, in which the rule of one item is run at a time."""

    def __init__(self, study: Any, instances: list[FormInstance]) -> None:
        self.study = study
        self.world = World(study, SubjectRecord(instances, "01", "enrolled"), TODAY)

    def run(self, rule: Expression, instance: FormInstance, group: str | None = None, row: str = "1") -> Any:
        """The value of a rule where it stands."""
        self.world.steps = 0
        return rule.run(self.world.scope_of(instance, group, row))

    def derive(self, item_id: str, instance: FormInstance, group: str | None = None, row: str = "1") -> Any:
        """Derive an item, and keep it in the form, where later rules read it."""
        item = self.study.items[item_id]
        cell = to_cell(self.run(item.derive, instance, group, row), item)
        cells = instance.answers[item.group_id][row]
        cells.pop(item_id, None)
        if cell is not None:
            cells[item_id] = cell
        return cell


# ---- RECIST 1.1 ----


def sizes(dice: Random, around: int) -> int:
    """A diameter, often one at which a rule turns: 70 and 120 percent, 5 mm more, 9.9 and 10 mm."""
    turning = [around * 7 // 10, around * 7 // 10 + 1, around * 6 // 5, around * 6 // 5 - 1, around + 50, around + 49]
    return dice.choice([*turning, 99, 100, 0, around, dice.randrange(10, 800)])


def lesions_at(dice: Random, baseline: list[Lesion], last: list[int]) -> list[Lesion]:
    """The target lesions as they may be found at a visit; sometimes one of them is left out."""
    found: list[Lesion] = []
    mood = dice.choice(["MEA", "MEA", "MEA", "ABS", "any"])
    for number, (node, _status, _size) in enumerate(baseline):
        status = mood if mood != "any" else dice.choice(["MEA", "SPL", "TSTM", "ABS", "MRG", "NE"])
        size = sizes(dice, last[number]) if status in ("MEA", "SPL") and dice.random() > 0.02 else None
        found.append((node, status, size))
        last[number] = size or last[number]
    return found[:-1] if dice.random() < 0.05 else found


def as_rows(lesions: list[Lesion]) -> dict[str, Any]:
    """Target lesions as they are entered."""
    rows = {}
    for number, (node, status, size) in enumerate(lesions, 1):
        row = {"TLID": f"T0{number}", "TLTYP": "NODE" if node else "PRIM", "TLSTAT": status, "TLDAT": "2027-07-01"}
        rows[str(number)] = row | ({"TLDIA": f"{size // 10}.{size % 10}"} if size is not None else {})
    return {"TLROWS": rows, "TL": {"1": {}}}


def history(study: Any, dice: Random) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """A participant followed over several visits: what the rules say at each, and what the guideline says."""
    count, others = dice.choice([0, 1, 1, 2, 3]), dice.choice([0, 0, 1, 2])
    baseline = [
        (dice.random() < 0.3, "MEA", dice.choice([150, 200, 300, dice.randrange(150, 600)])) for _ in range(count)
    ]
    last = [size for _, _, size in baseline]
    visits = [(lesions_at(dice, baseline, last), states(dice, others), news(dice)) for _ in VISITS]
    forms = [form(study, "TL", "SCR", rows=as_rows(baseline))] if count else []
    forms += [form(study, "NTL", "SCR", rows=others_rows(["PRES"] * others))] if others else []
    targets = {}
    for event, (lesions, found, new) in zip(VISITS, visits, strict=True):
        targets[event] = form(study, "TL", event, rows=as_rows(lesions))
        forms += [targets[event]] if count else []
        forms += [form(study, "NTL", event, rows=others_rows(found))] if others else []
        forms += [new_form(study, event, new)] if new is not None else []
        forms.append(form(study, "RSP", event, rows={"RSP": {"1": {}}}))
    record = Record(study, forms)
    if count:
        record.derive("TLSOD", forms[0])
    before: list[list[Lesion]] = []
    for event, (lesions, found, new) in zip(VISITS, visits, strict=True):
        if count:
            record.derive("TLSOD", targets[event])
            record.derive("TLNAD", targets[event])
        page = next(each for each in forms if each.form_id == "RSP" and each.event_id == event)
        derived = tuple(record.derive(name, page) for name in ("RSPTL", "RSPNT", "RSPNEW", "RSPOVD"))
        parts = (target_response(baseline, before, lesions), non_target_response(others, found), new_lesion(new))
        yield derived, (*parts, overall_response(*parts))
        before.append(lesions)


def states(dice: Random, count: int) -> list[str]:
    """Non-target lesions at a visit; "" is one whose state was not entered."""
    mood = dice.choice([["ABS"], ["ABS", "PRES"], ["PRES", "NE", ""], ["ABS", "PRES", "UPD"]])
    found = [dice.choice(mood) for _ in range(count)]
    return found[:-1] if dice.random() < 0.05 else found


def others_rows(found: list[str]) -> dict[str, Any]:
    """Non-target lesions as they are entered."""
    rows = {str(n): {"NTID": f"N0{n}"} | ({"NTSTAT": each} if each else {}) for n, each in enumerate(found, 1)}
    return {"NTLROWS": rows}


def news(dice: Random) -> dict[str, str] | None:
    """A new lesion, none ({}), or no answer (None)."""
    kind = dice.random()
    if kind < 0.1:
        return None
    if kind < 0.8:
        return {}
    given = {"NLEQV": dice.choice(["Y", "N", None]), "NLBX": dice.choice(["Y", "N", "NA", None])}
    return {"NLID": "X01"} | {name: value for name, value in given.items() if value}


def new_form(study: Any, event: str, new: dict[str, str]) -> FormInstance:
    """The form of new lesions as it is entered."""
    return form(study, "NEWL", event, rows={"NEWLROWS": {"1": new}} if new else {}, NLYN="Y" if new else "N")


def test_response_at_a_time_point_is_that_of_recist(study) -> None:
    dice, seen, cases = Random(11), set(), 0
    while cases < CASES:
        for derived, expected in history(study, dice):
            assert derived == expected
            seen.add(expected[3])
            cases += 1
    assert seen == {"CR", "PR", "SD", "PD", "NE", "NCNP", None}


# ---- Size of the body ----


def half_up(value: Fraction, digits: int) -> str:
    """A positive fraction, rounded half up, as text."""
    scaled = value * 10**digits
    whole = (scaled.numerator * 2 + scaled.denominator) // (scaled.denominator * 2)
    return f"{whole // 10**digits}.{whole % 10**digits:0{digits}d}"


def test_body_mass_index_takes_the_last_known_height(study) -> None:
    """Weight over the square of the height, to one digit; without any height there is none."""
    dice, seen = Random(12), {True: 0, False: 0}
    first, now = (form(study, "VS", event, rows={"VS": {"1": {}}}) for event in ("SCR", "FU3M"))
    for _ in range(CASES):
        kilos, known, again = dice.randrange(300, 1500), dice.randrange(1300, 2000), dice.randrange(1300, 2000)
        has_known, has_again = dice.random() < 0.7, dice.random() < 0.5
        answer(first, HEIGHT=Decimal(known) / 10 if has_known else None)
        answer(now, WEIGHT=Decimal(kilos) / 10, HEIGHT=Decimal(again) / 10 if has_again else None)
        height = again if has_again else known if has_known else None
        expected = half_up(Fraction(kilos, 10) / Fraction(height, 1000) ** 2, 1) if height else None
        assert Record(study, [first, now]).derive("BMI", now) == expected
        seen[expected is None] += 1
    assert min(seen.values()) > 1000


def answer(page: FormInstance, **given: Decimal | None) -> None:
    """Enter vital signs anew."""
    cells = page.answers["VS"]["1"]
    cells.clear()
    cells.update({name: str(value) for name, value in given.items() if value is not None})


BSA = compile_expression("round(sqrt(WEIGHT * HEIGHT / 3600), 2)")  # Mosteller 1987
CRCL = compile_expression("round((140 - VSAGE) * WEIGHT * 0.85 / (72 * VSCREA), 1)")  # Cockcroft and Gault 1976, women


def test_body_surface_and_creatinine_clearance_by_formulas_of_this_file(study) -> None:
    """The square root is checked by squaring: the rounded area lies within half a hundredth of the true one."""
    dice = Random(13)
    page = form(study, "VS", "SCR", rows={"VS": {"1": {}}})
    record = Record(study, [page])
    for _ in range(CASES):
        kilos, height = dice.randrange(300, 1500), dice.randrange(1300, 2000)
        age, crea = dice.randrange(18, 95), dice.randrange(30, 400)
        answer(page, WEIGHT=Decimal(kilos) / 10, HEIGHT=Decimal(height) / 10)
        square, area = Fraction(kilos * height, 360_000), Fraction(record.run(BSA, page))
        half = Fraction(1, 200)
        assert (area - half) ** 2 <= square < (area + half) ** 2
        creatinine = compile_formula(age, Decimal(crea) / 100)
        clearance = (140 - age) * Fraction(kilos, 10) * Fraction(85, 100) / (72 * Fraction(crea, 100))
        assert str(record.run(creatinine, page)) == half_up(clearance, 1)


def compile_formula(age: int, creatinine: Decimal) -> Expression:
    """The clearance for an age and a creatinine in mg/dL: no form of the trial asks for both in these units."""
    return compile_expression(str(CRCL).replace("VSAGE", str(age)).replace("VSCREA", str(creatinine)))


# ---- Neutrophils ----

LIMITS = {"WW": Fraction(18, 10), "LZ": Fraction(18, 10)}  # lower limit of normal of each laboratory, 10^9/L


def neutropenia(count: Fraction, lower: Fraction) -> str:
    """CTCAE 5.0, neutrophil count decreased; a value on the limit belongs to the milder grade."""
    for grade, limit in (("4", Fraction(1, 2)), ("3", Fraction(1)), ("2", Fraction(3, 2)), ("1", lower)):
        if count < limit:
            return grade
    return "0"


def test_neutrophils_are_standardised_and_graded_as_ctcae_says(study) -> None:
    """Plain numbers only: `<0.5` is kept as reported and has no grade."""
    dice, seen = Random(14), set()
    sheet = form(study, "LB", "FU3M", rows={"LBROWS": {"NEUT": {}}}, LBPAN="HEM", LBDAT="2027-07-01")
    record = Record(study, [form(study, "DM", "SCR", SEX="F"), sheet])
    for _ in range(CASES):
        hundredths = dice.choice([50, 49, 51, 100, 99, 150, 149, 180, 179, 181, dice.randrange(0, 1200)])
        reported = dice.choice([f"{hundredths / 100:.2f}", f"{hundredths / 100:.2f}", f"<{hundredths / 100:.2f}"])
        laboratory = dice.choice(list(LIMITS))
        sheet.answers[study.items["LBNAM"].group_id]["1"]["LBNAM"] = laboratory
        sheet.answers["LBROWS"]["NEUT"] = {"LBORRES": reported, "LBORRESU": "10^9/L"}
        number = record.derive("LBSTRES", sheet, "LBROWS", "NEUT")
        grade = record.derive("LBCTC", sheet, "LBROWS", "NEUT")
        if reported.startswith("<"):
            assert (number, grade) == (None, None)
        else:
            count = Fraction(hundredths, 100)
            assert (Fraction(number), grade) == (count, neutropenia(count, LIMITS[laboratory]))
        seen.add(grade)
    assert seen == {"0", "1", "2", "3", "4", None}


# ---- Windows of visits ----


def months_later(day: date, months: int) -> date:
    """The same day of a later month; the last of it when it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def test_windows_of_visits_are_those_of_the_schedule(study) -> None:
    """Read once more from the text of the schedule; month steps count from the anchor, and clip at the end of a month."""
    text = tomllib.loads((STUDY / "study.toml").read_text(encoding="utf-8"))
    written = {each["id"]: each for each in text["events"] if each["kind"] in ("scheduled", "repeating")}
    for series in text["event_series"]:
        written |= {series["id"].format(n=n): {**series, "offset_months": n} for n in series["months"]}
    names, dice, judged = sorted(text["anchors"]), Random(15), 0
    while judged < CASES:
        anchors = {name: date(2014, 1, 1) + timedelta(days=dice.randrange(8000)) for name in names}
        anchors = {name: day if dice.random() < 0.8 else None for name, day in anchors.items()}
        for found in plan(study, anchors, {}, {"OTV": 6}):
            event = written[found.event_id]
            day = anchors[event["anchor"]] if "anchor" in event else None
            if day is None:
                assert (found.target, found.opens, found.closes) == (None, None, None)
                continue
            days = event.get("offset_days", 0) + (found.repeat - 1) * event.get("step_days", 0)
            target = months_later(day, event.get("offset_months", 0)) + timedelta(days=days)
            before, after = event.get("before", 0), event.get("after", 0)
            assert (found.target, (target - found.opens).days, (found.closes - target).days) == (target, before, after)
            apart = dice.choice([-before - 1, -before, 0, after, after + 1])
            expected = "EARLY" if apart < -before else "LATE" if apart > after else "IN"
            assert window_status(found.opens, found.closes, target + timedelta(days=apart)) == expected
            judged += 1
