"""Scores of the questionnaires: half rule, directions, conditional scales, prorated sums."""

from __future__ import annotations

import pytest
from screening import at, read, verdict

pytestmark = pytest.mark.req("DAT-10")


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read()


def answers(prefix: str, numbers: range, value: str = "1", **more: str) -> dict:
    """The same answer to every item, except some."""
    return {f"{prefix}{n:02}": value for n in numbers} | more


def scores(study, form: str, values: dict) -> dict:
    """The scores of a questionnaire."""
    return verdict(study, at(study, f"{form} FU6M", values)).answers.get(form, {}).get("1", {})


def test_best_answers_give_best_scores(study):
    found = scores(study, "C30", answers("Q", range(1, 29), Q29="7", Q30="7"))
    high = {"C30QL", "C30PF", "C30RF", "C30EF", "C30CF", "C30SF"}
    wanted = {each: "100.00" if each in high else "0.00" for each in found if each.startswith("C30")}
    assert {each: found[each] for each in wanted} == wanted
    assert len(wanted) == 15


@pytest.mark.parametrize(
    ("scale", "items", "score"),
    [
        ("C30PF", {"Q01": "2", "Q02": "2", "Q03": "1", "Q04": "1", "Q05": "1"}, "86.67"),
        ("C30FA", {"Q10": "2", "Q12": "3", "Q18": "2"}, "44.44"),
        ("C30QL", {"Q29": "5", "Q30": "6"}, "75.00"),
        ("C30EF", {"Q21": "4", "Q22": "4", "Q23": "4", "Q24": "4"}, "0.00"),
        ("C30CF", {"Q20": "2", "Q25": "1"}, "83.33"),
        ("C30FI", {"Q28": "3"}, "66.67"),
    ],
)
def test_scale_scores_of_c30(study, scale, items, score):
    assert scores(study, "C30", items)[scale] == score


@pytest.mark.parametrize(
    ("items", "score"),
    [({"Q01": "1", "Q02": "2", "Q03": "3"}, "66.67"), ({"Q01": "1", "Q02": "2"}, None)],
    ids=["3 of 5", "2 of 5"],
)
def test_a_scale_is_scored_when_half_of_its_items_are_answered(study, items, score):
    assert scores(study, "C30", items).get("C30PF") == score


def test_exactly_half_is_enough_and_a_missing_reason_is_no_answer(study):
    found = scores(study, "C30", {"Q06": "2", "Q07": {"missing": "NASK"}, "Q21": "1", "Q22": "3"})
    assert (found["C30RF"], found["C30EF"]) == ("66.67", "66.67")


def test_sexual_functioning_and_enjoyment_are_worded_positively(study):
    found = scores(study, "BR23", {"B44": "4", "B45": "4", "B46": "4", "B39": "4", "B40": "4", "B41": "4", "B42": "4"})
    assert (found["BRSEF"], found["BRSEE"], found["BRBI"]) == ("100.00", "100.00", "0.00")


@pytest.mark.parametrize(("before", "scored"), [("1", False), ("2", True)])
def test_conditional_scales_of_br23_need_their_condition(study, before, scored):
    found = scores(study, "BR23", {"B34": before, "B35": "3", "B45": before, "B46": "3"})
    assert ("BRHL" in found, "BRSEE" in found) == (scored, scored)


@pytest.mark.parametrize(
    ("items", "score"),
    [({"B31": "2", "B32": "2", "B33": "2", "B34": "2"}, "33.33"), ({"B31": "2", "B32": "2", "B33": "2"}, None)],
)
def test_systemic_side_effects_of_br23_leave_out_item_35(study, items, score):
    assert scores(study, "BR23", items | {"B35": "4"}).get("BRST") == score


WELL = {"FGP": (7, "0"), "FGS": (7, "4"), "FGE": (6, "0"), "FGF": (7, "4"), "FB": (9, "0"), "FP": (2, "0")}
BEST = {
    f"{name}{n}": value for name, (count, value) in WELL.items() for n in range(1, count + 1) if name != "FP" or n == 2
}
BEST |= {"FGE2": "4", "FB4": "4", "FB9": "4"}


def test_fact_b_at_its_best(study):
    found = scores(study, "FACT", BEST)
    wanted = {
        "FBPWB": "28.00", "FBSWB": "28.00", "FBEWB": "24.00", "FBFWB": "28.00", "FBBCS": "40.00",
        "FBFACTG": "108.00", "FBTOTAL": "148.00", "FBTOI": "96.00",
    }  # fmt: skip
    assert {name: found.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(("left_out", "score"), [(2, "24.00"), (3, None)])
def test_a_fact_subscale_needs_more_than_half_of_its_items(study, left_out, score):
    gone = {f"FGE{n}" for n in range(3, 3 + left_out)}
    found = scores(study, "FACT", {name: each for name, each in BEST.items() if name not in gone})
    assert found.get("FBEWB") == score


def test_a_declined_sexual_item_is_prorated(study):
    assert scores(study, "FACT", BEST | {"FGS7": {"missing": "NASK"}})["FBSWB"] == "28.00"


@pytest.mark.parametrize(("left_out", "total"), [(7, "148.00"), (8, None)])
def test_the_fact_total_needs_80_percent_of_the_items(study, left_out, total):
    gone = [f"FGP{n}" for n in (1, 2, 3)] + [f"FGS{n}" for n in (1, 2, 3)] + ["FGF1", "FGF2"]
    found = scores(study, "FACT", {name: each for name, each in BEST.items() if name not in gone[:left_out]})
    assert found.get("FBTOTAL") == total


def test_a_questionnaire_not_done_asks_for_the_reason_instead_of_the_items(study):
    empty = verdict(study, at(study, "C30 FU6M", {"QSND": "REF"}))
    assert "C30/1/Q01" in empty.hidden and "C30/1/QSND" in empty.shown
    begun = verdict(study, at(study, "C30 FU6M", {"QSND": "REF", "Q05": "1"}))
    assert "C30/1/Q01" in begun.shown and "C30/1/QSND" in begun.hidden
