"""The rules of the carbon-ion breast trial at work on small made-up records."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from design.evaluation import evaluate, evaluate_expression
from design.reader import read_study
from design.record import FormInstance, SubjectRecord

STUDY = Path(__file__).parents[2] / "crf" / "carbon-breast" / "v1"
TODAY = date(2028, 6, 1)
ORDER = {"LOG": 0, "SCR": 10, "ENR": 20, "PLN": 30, "RTD": 100, "OTV": 101, "EOT": 190}
FRACTION = {"FXPL": "PLN/RTPL/1", "FXSTAT": "DEL", "FXDOSE": "3.0", "FXMACH": "WW1"}


@pytest.fixture(scope="module")
def study():
    """The study version as read."""
    return read_study(STUDY)


def form(study, form_id: str, event: str, repeat: int = 1, rows: dict | None = None, **values: Any) -> FormInstance:
    """An instance with the given values; `rows` is {group: {row: {item: value}}}."""
    number = ORDER.get(event) or (200 + int(event[2:-1]) if event.startswith("FU") else 990)
    answers: dict[str, Any] = defaultdict(dict)
    for name, value in values.items():
        answers[study.items[name].group_id].setdefault("1", {})[name] = value
    for group, found in (rows or {}).items():
        answers[group] = found
    return FormInstance(form_id, event, 1, number, None, number, repeat, dict(answers))


def consent(study, day: str = "2027-01-04", **more: Any) -> FormInstance:
    """A signed first consent."""
    return form(study, "ICF", "LOG", ICFTYP="INIT", DSSTDAT=day, **more)


def fractions(study, *days: str, **more: Any) -> list[FormInstance]:
    """One fraction per day."""
    return [
        form(study, "RTFX", "RTD", k, FXDAT=day, FXNO=str(k), **{**FRACTION, **more}) for k, day in enumerate(days, 1)
    ]


def prescription(study) -> list[FormInstance]:
    """16 and 8 fractions, five a week."""
    return [
        form(
            study,
            "RTRX",
            "PLN",
            1,
            RXCRS="1",
            RXPH="WBN",
            RXLAT="L",
            RXDOSE="48.0",
            RXNFX="16",
            RXDPF="3.0",
            RXFPW="5",
        ),
        form(
            study,
            "RTRX",
            "PLN",
            2,
            RXCRS="1",
            RXPH="BST",
            RXLAT="L",
            RXDOSE="32.0",
            RXNFX="8",
            RXDPF="4.0",
            RXFPW="5",
        ),
    ]


def value(study, rule, instances: list[FormInstance], today: date = TODAY, status: str = "screening") -> Any:
    """The value of a rule about the participant."""
    return evaluate_expression(study, SubjectRecord(instances, "01", status), rule, today)


def found(
    study, judged: FormInstance, others: list[FormInstance], today: date = TODAY, status: str = "screening"
) -> set[str]:
    """The ids of the checks that find something in an instance."""
    record = SubjectRecord([*others, judged], "01", status)
    return {finding.check_id for finding in evaluate(study, record, judged, today=today).findings}


def test_end_of_treatment_is_known_only_when_the_course_is_declared_over(study):
    given = fractions(study, "2027-03-01", "2027-03-02", "2027-03-03")
    assert value(study, study.anchors["EOT"], given) is None
    over = [*given, form(study, "RTEND", "EOT", RTSTAT="DISC", RTDECDT="2027-03-05")]
    assert value(study, study.anchors["EOT"], over) == date(2027, 3, 3)


def test_without_any_fraction_the_decision_is_the_anchor(study):
    record = [form(study, "RTEND", "EOT", RTSTAT="NSTART", RTDECDT="2027-03-05")]
    assert value(study, study.anchors["EOT"], record) == date(2027, 3, 5)


@pytest.mark.parametrize(("first", "expected"), [("2027-03-01", date(2027, 4, 1)), ("2027-03-04", date(2027, 4, 6))])
def test_24_fractions_are_projected_over_weekends(study, first, expected):
    record = [*prescription(study), *fractions(study, first)]
    assert value(study, study.projected["EOT"], record) == expected


def test_weekly_visits_stand_on_fridays_and_grow_with_the_course(study):
    record = [*prescription(study), *fractions(study, "2027-03-02")]
    assert value(study, study.anchors["WEEK1"], record) == date(2027, 3, 5)
    assert value(study, study.events["OTV"].count, record) == 5
    longer = [*prescription(study), *fractions(study, "2027-03-02", "2027-04-13")]
    assert value(study, study.events["OTV"].count, longer) == 7


def test_death_of_which_only_the_month_is_known_closes_the_visits_of_that_month(study):
    record = [form(study, "DD", "LOG", DTHDAT="2027-09")]
    assert value(study, study.rules.close_events_after, record) == date(2027, 9, 1)


def test_stopping_treatment_only_keeps_the_visits(study):
    record = [form(study, "EOS", "LOG", EOSRS="WDC", EOSDAT="2027-09-10", EOSWDS="TRT")]
    assert value(study, study.rules.close_events_after, record) is None
    assert value(study, study.lifecycle["withdrawn"], record) is False


def test_full_withdrawal_closes_the_visits_and_is_a_status(study):
    record = [form(study, "EOS", "LOG", EOSRS="WDC", EOSDAT="2027-09-10", EOSWDS="ALL")]
    assert value(study, study.rules.close_events_after, record) == date(2027, 9, 10)
    assert value(study, study.lifecycle["withdrawn"], record) is True


def test_x05_stage_outside_the_criterion(study):
    judged = form(study, "IE", "SCR", IN03="Y")
    assert "X05" in found(study, judged, [form(study, "STG", "SCR", CT="T2", CN="N2b", CM="M0")])
    assert "X05" not in found(study, judged, [form(study, "STG", "SCR", CT="T2", CN="N2a", CM="M0")])


@pytest.mark.parametrize(("start", "asked"), [("2026-12", True), ("2027-01", False), ("2027-02", False)])
def test_x06_therapy_before_consent_is_found_only_when_certain(study, start, asked):
    judged = form(study, "IE", "SCR", IN04="Y")
    therapy = form(study, "ST", "LOG", STSTDAT=start)
    prior = form(study, "PTH", "SCR", PTENDO="N", PTTARG="N", PTCHEM="N")
    assert ("X06" in found(study, judged, [consent(study), therapy, prior])) is asked


def test_x07_enrolment_is_blocked_but_a_later_correction_is_a_finding(study):
    failed = form(study, "IE", "SCR", IN05="N", IEDAT="2027-01-05")
    enrolment = form(study, "ENR", "ENR", ENRYN="Y", ENRDAT="2027-01-10")
    assert "X07" in found(study, enrolment, [failed])
    assert "X07" not in found(study, enrolment, [failed], status="enrolled")
    assert "X07A" in found(study, failed, [enrolment], status="enrolled")


def test_x10_staged_side_without_pathology(study):
    judged = form(study, "STG", "SCR", STGLAT="R")
    assert "X10" in found(study, judged, [form(study, "BCH", "SCR", BCLAT="L")])
    assert "X10" not in found(study, judged, [form(study, "BCH", "SCR", BCLAT="R")])


@pytest.mark.parametrize(("size", "stage", "asked"), [("20", "T1c", False), ("21", "T1c", True), ("50", "T2", False)])
def test_x11_size_and_stage(study, size, stage, asked):
    assert ("X11" in found(study, form(study, "STG", "SCR", TSIZE=size, CT=stage), [])) is asked


@pytest.mark.parametrize(("fixed", "asked"), [("Y", True), ("N", False)])
def test_x12_reads_every_side_of_the_examination(study, fixed, asked):
    sides = {"BEROWS": {"1": {"BELAT": "R", "BEAXFIX": "N"}, "2": {"BELAT": "L", "BEAXFIX": fixed}}}
    judged = form(study, "STG", "SCR", STGLAT="L", CN="N1")
    assert ("X12" in found(study, judged, [form(study, "BE", "SCR", rows=sides)])) is asked


def test_x15_fraction_before_the_plan_was_approved(study):
    plan = form(study, "RTPL", "PLN", PLDAT="2027-03-03", PLMACH="WW1", PLAPP="APP")
    enrolled = form(study, "ENR", "ENR", ENRYN="Y", ENRDAT="2027-02-01")
    assert "X15" in found(study, fractions(study, "2027-03-02")[0], [plan, enrolled])
    assert "X15" not in found(study, fractions(study, "2027-03-03")[0], [plan, enrolled])


def test_x23_sessions_may_not_overlap_but_may_touch(study):
    first = fractions(study, "2027-03-01", FXSTTIM="09:00", FXENTIM="09:30")[0]
    for start, blocked in (("09:29", True), ("09:30", False)):
        second = form(study, "RTFX", "RTD", 2, **FRACTION, FXDAT="2027-03-01", FXSTTIM=start, FXENTIM="10:00")
        assert ("X23" in found(study, second, [first])) is blocked


def test_x24_another_machine_needs_its_own_plan(study):
    plan = form(study, "RTPL", "PLN", PLMACH="WW1", PLAPP="APP", PLDAT="2027-02-20")
    assert "X24" in found(study, fractions(study, "2027-03-01", FXMACH="LZ1")[0], [plan])
    assert "X24" not in found(study, fractions(study, "2027-03-01")[0], [plan])


@pytest.mark.parametrize(
    ("days", "interruption", "asked"),
    [
        (("2027-03-05", "2027-03-08"), None, False),
        (("2027-03-05", "2027-03-09"), None, True),
        (("2027-03-05", "2027-03-09"), ("2027-03-08", "2027-03-08"), False),
        (("2027-04-30", "2027-05-03"), None, False),
        (("2027-12-31", "2028-01-04"), None, True),
        (("2027-09-30", "2027-10-04"), None, False),
    ],
    ids=[
        "weekend",
        "missing Monday",
        "explained Monday",
        "over Labour Day",
        "New Year on Saturday",
        "National Day",
    ],
)
def test_x20_missing_treatment_day(study, days, interruption, asked):
    given = fractions(study, *days)
    others = [given[0]]
    if interruption:
        others.append(form(study, "RTINT", "LOG", RISTDAT=interruption[0], RIENDAT=interruption[1]))
    assert ("X20" in found(study, given[1], others)) is asked


@pytest.mark.parametrize(("grade", "blocked"), [("3", True), ("2", False), ("NE", False), ("0", False)])
def test_x30_a_grade_that_does_not_exist_is_refused(study, grade, blocked):
    judged = form(study, "LTX", "FU3M", rows={"LTXROWS": {"10043189": {"LTGR": grade}}}, LTDAT="2027-07-01")
    assert ("X30A" in found(study, judged, [])) is blocked


@pytest.mark.parametrize(
    ("term", "grade", "asked"), [("10061103", "2", False), ("10061103", "3", True), ("10037087", "2", True)]
)
def test_x31_a_graded_toxicity_needs_its_adverse_event(study, term, grade, asked):
    judged = form(study, "OTV", "OTV", rows={"OTVROWS": {term: {"OTGR": grade}}}, OTDAT="2027-03-19")
    event = form(
        study,
        "AE",
        "LOG",
        AECTCT="10061103",
        AEONGO="Y",
        AESTDAT="2027-03-10",
        rows={"AEG": {"1": {"AGSTDAT": "2027-03-10", "AGGR": "2"}}},
    )
    assert ("X31" in found(study, judged, [event])) is asked


def test_x45_complete_response_with_a_node_in_the_second_row(study):
    lesions = {
        "TLROWS": {
            "1": {"TLID": "T01", "TLTYP": "PRIM", "TLDIA": "0"},
            "2": {"TLID": "T02", "TLTYP": "NODE", "TLDIA": "10"},
        }
    }
    judged = form(study, "RSP", "FU6M", RSPCCR="CCR")
    assert "X45" in found(study, judged, [form(study, "TL", "FU6M", rows=lesions)])
    lesions["TLROWS"]["2"]["TLDIA"] = "9"
    assert "X45" not in found(study, judged, [form(study, "TL", "FU6M", rows=lesions)])


def test_x40_a_baseline_target_without_status_is_found_once(study):
    baseline = form(study, "TL", "SCR", rows={"TLROWS": {"1": {"TLID": "T01"}, "2": {"TLID": "T02"}}})
    judged = form(study, "TL", "FU6M", rows={"TLROWS": {"1": {"TLID": "T01"}}})
    record = SubjectRecord([baseline, judged], "01")
    findings = [each.check_id for each in evaluate(study, record, judged, today=TODAY).findings]
    assert findings.count("X40") == 1


@pytest.mark.parametrize(("death", "blocked"), [("2027-08-15", True), ("2027-08", False), ("2027-07", True)])
def test_x50_blocks_only_what_is_certainly_after_death(study, death, blocked):
    judged = form(study, "PS", "FU3M", PSDAT="2027-08-20")
    assert ("X50B" in found(study, judged, [form(study, "DD", "LOG", DTHDAT=death)])) is blocked


@pytest.mark.parametrize(("scope", "blocked"), [("ALL", True), ("VIS", False)])
def test_x53_nothing_dated_after_a_full_withdrawal(study, scope, blocked):
    left = form(study, "EOS", "LOG", EOSRS="WDC", EOSDAT="2027-08-01", EOSWDS=scope)
    judged = form(study, "PS", "FU3M", PSDAT="2027-08-20")
    assert any(name.startswith("X53") for name in found(study, judged, [left])) is blocked


@pytest.mark.parametrize(
    ("day", "asked"),
    [("2027-09-08", True), ("2027-09-09", False), ("2027-10-21", False), ("2027-10-22", True)],
)
def test_x62_six_months_after_the_last_day_of_march_are_the_last_of_september(study, day, asked):
    over = [*fractions(study, "2027-03-31"), form(study, "RTEND", "EOT", RTSTAT="COMP", RTENDAT="2027-03-31")]
    judged = form(study, "SV", "FU6M", VISDAT=day, VISMOD="CLIN")
    assert ("X62" in found(study, judged, [*over, consent(study)])) is asked


@pytest.mark.req("PRV-01")
@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("seen at home", False),
        ("call 13812345678 please", True),
        ("ID 62230119700101123X", True),
        ("accession 1381234567890", False),
        ("两行\n13812345678", True),
    ],
)
def test_x69_identifiers_in_free_text(study, text, asked):
    judged = form(study, "DV", "LOG", DVTERM=text, DVCAPA="none")
    assert any(name.startswith("X69") for name in found(study, judged, [])) is asked


def test_v07_the_mri_of_a_visit_is_asked_two_weeks_later(study):
    judged = form(study, "SV", "FU6M", VISDAT="2027-10-01", VISMOD="CLIN")
    assert "V07" in found(study, judged, [])
    assert "V07" not in found(study, judged, [], today=date(2027, 10, 10))
    assert "V07" not in found(study, judged, [form(study, "IM", "FU6M", IMMOD="MRI")])
