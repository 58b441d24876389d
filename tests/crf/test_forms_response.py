"""Response by RECIST 1.1 from lesions as they are entered, and every row of the matrix of overall response."""

from __future__ import annotations

from typing import Any

import pytest
from screening import form, judged, log, read, verdict

from design.record import FormInstance

pytestmark = pytest.mark.req("DAT-10")


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def mass(number: int, size: str | None, status: str = "MEA", day: str = "2027-07-01", kind: str = "PRIM") -> dict:
    """A target lesion."""
    row = {"TLID": f"T0{number}", "TLTYP": kind, "TLSTAT": status, "TLDAT": day, "TLLOC": "BRE", "TLLAT": "L"}
    return row | ({"TLDIA": size} if size is not None else {})


def node(number: int, size: str, **more: str) -> dict:
    """A node as target."""
    return mass(number, size, kind="NODE", **more)


def targets(study, event: str, *lesions: dict) -> FormInstance:
    """Target lesions at a time point."""
    return form(study, "TL", event, rows={"TLROWS": {str(n): each for n, each in enumerate(lesions, 1)}})


def others(study, event: str, *states: str, day: str = "2027-07-01") -> FormInstance:
    """Non-target lesions N01, N02 … at a time point."""
    rows = {str(n): {"NTID": f"N0{n}", "NTSTAT": each, "NTDAT": day} for n, each in enumerate(states, 1)}
    return form(study, "NTL", event, rows={"NTLROWS": rows})


def fresh(study, event: str = "FU3M", **lesion: str) -> FormInstance:
    """New lesions: none, or one."""
    rows = {"NEWLROWS": {"1": {"NLID": "X01", "NLDAT": "2027-06-20"} | lesion}} if lesion else {}
    return form(study, "NEWL", event, rows=rows, NLYN="Y" if lesion else "N")


def settled(study, *instances: FormInstance) -> list[FormInstance]:
    """The lesion forms in order of time, each with its sums."""
    done: list[FormInstance] = []
    for each in instances:
        done.append(judged(study, each, done))
    return done


def response(study, *instances: FormInstance, event: str = "FU3M") -> dict[str, Any]:
    """What the response form derives at a time point."""
    return verdict(study, form(study, "RSP", event), settled(study, *instances)).answers.get("RSP", {}).get("1", {})


def target_response(study, baseline: list[dict], now: list[dict], between: list[dict] | None = None) -> str | None:
    """The target response at six months, perhaps after another time point."""
    found = [targets(study, "SCR", *baseline)]
    if between is not None:
        found.append(targets(study, "FU3M", *between))
    return response(study, *found, targets(study, "FU6M", *now), event="FU6M").get("RSPTL")


CASES = {
    "all gone": ([mass(1, "20")], [mass(1, None, "ABS")], None, "CR"),
    "node below 10 mm": ([mass(1, "20"), node(2, "18")], [mass(1, "0"), node(2, "9.9")], None, "CR"),
    "node of 10 mm": ([mass(1, "20"), node(2, "18")], [mass(1, "0"), node(2, "10")], None, "PR"),
    "a mass too small to measure is not gone": ([mass(1, "20")], [mass(1, None, "TSTM")], None, "PR"),
    "70 percent": ([mass(1, "20")], [mass(1, "14")], None, "PR"),
    "above 70 percent": ([mass(1, "20")], [mass(1, "14.1")], None, "SD"),
    "20 percent and 5 mm over the nadir": ([mass(1, "30")], [mass(1, "30")], [mass(1, "25")], "PD"),
    "20 percent but less than 5 mm": ([mass(1, "20")], [mass(1, "14.9")], [mass(1, "10")], "SD"),
    "5 mm but less than 20 percent": ([mass(1, "40")], [mass(1, "35.9")], [mass(1, "30")], "SD"),
    "progression before partial response": ([mass(1, "40")], [mass(1, "15")], [mass(1, "10")], "PD"),
    "back after it was gone": ([mass(1, "20")], [mass(1, "6")], [mass(1, None, "ABS")], "PD"),
    "not evaluable": ([mass(1, "20"), mass(2, "12")], [mass(1, "10"), mass(2, None, "NE")], None, "NE"),
    "the measured part proves progression": ([mass(1, "20"), mass(2, "12")], [mass(1, "40"), mass(2, None, "NE")], None, "PD"),
    "a lesion left out": ([mass(1, "20"), mass(2, "12")], [mass(1, "10")], None, "NE"),
    "merged": ([mass(1, "20"), mass(2, "12")], [mass(1, "32"), mass(2, None, "MRG")], None, "SD"),
    "split": ([mass(1, "20")], [mass(1, "13", "SPL")], None, "PR"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_target_response(study, name):
    baseline, now, between, wanted = CASES[name]
    assert target_response(study, baseline, now, between) == wanted


@pytest.mark.parametrize(
    ("states", "wanted"),
    [
        (("ABS", "ABS"), "CR"), (("ABS", "PRES"), "NCNP"), (("ABS", "NE"), "NE"), (("NE", "UPD"), "PD"),
        (("ABS",), "NE"), ((), "NE"),
    ],
)  # fmt: skip
def test_non_target_response(study, states, wanted):
    found = response(study, others(study, "SCR", "PRES", "PRES"), others(study, "FU3M", *states))
    assert found["RSPNT"] == wanted


@pytest.mark.parametrize(
    ("lesion", "wanted"),
    [
        ({}, "N"), ({"NLEQV": "N"}, "Y"), ({"NLEQV": "Y"}, "N"), ({"NLEQV": "Y", "NLBX": "Y"}, "Y"),
        ({"NLEQV": "Y", "NLBX": "N"}, "N"), ({"NLEQV": "N", "NLBX": "NA"}, "Y"),
    ],
)  # fmt: skip
def test_a_new_lesion_counts_unless_it_is_equivocal_or_benign(study, lesion, wanted):
    assert response(study, fresh(study, **lesion))["RSPNEW"] == wanted


TARGET = {
    "CR": [mass(1, None, "ABS")],
    "PR": [mass(1, "10")],
    "SD": [mass(1, "20")],
    "PD": [mass(1, "30")],
    "NE": [mass(1, None, "NE")],
}
NON_TARGET = {"CR": ("ABS",), "NCNP": ("PRES",), "NE": ("NE",), "PD": ("UPD",), None: None}
# Target, non-target (None: none at baseline), overall; without new lesions. The rows of the matrix in order.
MATRIX = [
    *[("CR", each, "CR") for each in ("CR", None)],
    *[("CR", each, "PR") for each in ("NCNP", "NE")],
    *[("PR", each, "PR") for each in ("CR", "NCNP", "NE", None)],
    *[("SD", each, "SD") for each in ("CR", "NCNP", "NE", None)],
    *[("NE", each, "NE") for each in ("CR", "NCNP", "NE", None)],
    *[("PD", each, "PD") for each in ("CR", "NCNP", "NE", "PD", None)],
    *[(each, "PD", "PD") for each in ("CR", "PR", "SD", "NE")],
    *[(None, each, each) for each in ("CR", "NCNP", "NE", "PD")],
]


def lesions(study, target: str | None, non_target: str | None) -> list[FormInstance]:
    """Lesions at baseline and at three months that give these responses."""
    found = []
    if target is not None:
        found += [targets(study, "SCR", mass(1, "20")), targets(study, "FU3M", *TARGET[target])]
    if non_target is not None:
        found += [others(study, "SCR", "PRES"), others(study, "FU3M", *NON_TARGET[non_target])]
    return found


@pytest.mark.parametrize(("target", "non_target", "overall"), MATRIX)
def test_overall_response_without_a_new_lesion(study, target, non_target, overall):
    found = response(study, *lesions(study, target, non_target), fresh(study))
    assert (found.get("RSPTL"), found["RSPNT"]) == (target, non_target or "NA")
    assert found["RSPOVD"] == overall


@pytest.mark.parametrize(("target", "non_target"), [(one, two) for one, two, _ in MATRIX])
def test_an_unequivocal_new_lesion_is_progression_whatever_else(study, target, non_target):
    assert response(study, *lesions(study, target, non_target), fresh(study, NLEQV="N"))["RSPOVD"] == "PD"


def test_overall_response_waits_for_the_answer_about_new_lesions(study):
    assert "RSPOVD" not in response(study, *lesions(study, "PR", None))
    assert response(study, *lesions(study, "PD", None))["RSPOVD"] == "PD"


def test_response_is_dated_by_the_latest_image_of_the_time_point(study):
    image = form(study, "IM", "FU3M", IMMOD="CT", IMDAT="2027-07-06")
    now = targets(study, "FU3M", mass(1, "10", day="2027-07-02"))
    found = response(
        study,
        targets(study, "SCR", mass(1, "20")),
        now,
        others(study, "FU3M", "PRES", day="2027-07-04"),
        fresh(study),
        image,
    )
    assert found["RSPDAT"] == "2027-07-06"


def test_progression_is_dated_by_the_earliest_image_that_shows_it(study):
    now = targets(study, "FU3M", mass(1, "30", day="2027-07-02"), mass(2, "30", day="2027-07-05"))
    found = response(study, targets(study, "SCR", mass(1, "20"), mass(2, "20")), now, fresh(study))
    assert (found["RSPOVD"], found["RSPDAT"]) == ("PD", "2027-07-02")
    confirmed = fresh(study, NLEQV="Y", NLBX="Y", NLDAT="2027-04-30")
    assert (
        response(study, targets(study, "SCR", mass(1, "20"), mass(2, "20")), now, confirmed)["RSPDAT"] == "2027-04-30"
    )


@pytest.mark.parametrize(("end", "asked"), [("2027-01-01", True), ("2026-12-31", False)])
def test_progression_within_six_months_of_treatment_may_be_equivocal(study, end, asked):
    record = [*settled(study, *lesions(study, "PD", None), fresh(study)), form(study, "RTEND", "EOT", RTENDAT=end)]
    assert ("RSP/1/RSPUNC" in verdict(study, form(study, "RSP", "FU3M"), record).shown) is asked


def test_two_lesion_forms_of_other_time_points_do_not_matter(study):
    later = targets(study, "FU12M", mass(1, "60"))
    found = response(
        study, targets(study, "SCR", mass(1, "20")), targets(study, "FU3M", mass(1, "10")), later, fresh(study)
    )
    assert found["RSPOVD"] == "PR"


def test_a_recurrence_in_the_log_does_not_change_the_derived_response(study):
    record = log(study, "REC", 1, RECTYP="LOC", RECDAT="2027-07-01")
    assert response(study, *lesions(study, "SD", None), fresh(study), record)["RSPOVD"] == "SD"
