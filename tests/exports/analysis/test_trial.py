"""From hand-made tables to participants: dates, sets, response, history, toxicity, and the frames."""

from datetime import date, timedelta

import pytest

from exports.analysis import events, frames
from exports.analysis.competing import CENSORED, COMPETING, EVENT
from exports.analysis.records import Record
from tests.exports.analysis.hand import CUT_OFF, EOT, F1, day, row, table, treated, trial


def lesions(size: str, event: str, when: str, new: str = "N") -> list:
    return [
        ("TLROWS", row(event=event, ROW="1", TLID="T01", TLTYP="PRIM", TLSTAT="MEA", TLDIA=size, TLDAT=when)),
        ("NEWL", row(event=event, NLYN=new)),
        ("IM", row(event=event, IMMOD="MRI", IMDAT=when)),
    ]


def outcome(made, code):
    found = {person.subject: each for person, each in made.outcomes(code)}["01-S001"]
    return (found.day - F1).days, found.cause


def test_dates_and_sets_of_a_treated_participant():
    person = trial(treated(also=lesions("20", "SCR", day(-20)) + lesions("10", "FU3M", day(120)))).people[0]
    assert (person.origin, person.end, len(person.fractions)) == (F1, EOT, 20)
    assert person.sets == {"SCR", "ENR", "FAS", "SAF", "RES", "PPS"}


def test_who_was_never_treated_is_enrolled_but_not_in_the_full_analysis_set():
    person = trial([("ENR", row(event="ENR", ENRYN="Y", ENRDAT=day(0)))]).people[0]
    assert person.sets == {"SCR", "ENR"} and person.origin is None and person.history is None


def test_the_course_stays_open_without_its_completion_form():
    rows = [each for each in treated() if each[0] != "RTEND"]
    person = trial(rows).people[0]
    assert person.end is None and "FAS" in person.sets and "PPS" not in person.sets


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (("DV", row(DVIMP="Y")), False),
        (("DV", row(DVIMP="N")), True),
    ],
)
def test_a_deviation_that_affects_evaluability_leaves_the_per_protocol_set(change, kept):
    made = trial(treated(also=[*lesions("20", "SCR", day(-20)), *lesions("10", "FU3M", day(120)), change]))
    assert ("PPS" in made.people[0].sets) is kept


def test_origin_is_a_parameter():
    made = trial(treated(), values={"origin": "enrolment"})
    assert made.people[0].origin == F1 - timedelta(days=10) and made.people[0].first_fraction == F1


def test_response_is_derived_from_the_lesions():
    also = [*lesions("20", "SCR", day(-20)), *lesions("13", "FU3M", day(120)), *lesions("0", "FU6M", day(210))]
    person = trial(treated(also=also)).people[0]
    assert [each.response.overall for each in person.assessments] == ["PR", "CR"]
    assert person.best == "CR" and "01-S001/FU3M.1/TLROWS.1.1" in person.assessments[0].keys


def test_the_investigators_response_counts_when_the_study_says_so():
    also = [*lesions("20", "SCR", day(-20)), *lesions("13", "FU3M", day(120))]
    also += [("RSP", row(event="FU3M", RSPOVI="SD", RSPDAT=day(120)))]
    assert trial(treated(also=also)).people[0].best == "PR"
    assert trial(treated(also=also), values={"response_by": "investigator"}).people[0].best == "SD"


def test_early_progression_counts_once_confirmed_and_at_its_first_image():
    growing = [*lesions("20", "SCR", day(-20)), *lesions("30", "FU1M", day(60))]
    made = trial(treated(also=growing))
    assert outcome(made, "PFS") == (60, CENSORED) and len(made.people[0].equivocal) == 1
    confirmed = trial(treated(also=[*growing, *lesions("32", "FU3M", day(100))]))
    assert outcome(confirmed, "PFS") == (60, EVENT) and outcome(confirmed, "LC") == (60, EVENT)


def test_new_lesions_alone_are_progression_but_no_local_failure():
    also = [*lesions("20", "SCR", day(-20)), *lesions("18", "FU12M", day(400), new="Y")]
    also += [("NEWLROWS", row(event="FU12M", ROW="1", NLID="X01", NLDAT=day(400), NLEQV="N"))]
    made = trial(treated(also=also))
    assert outcome(made, "PFS") == (400, EVENT) and outcome(made, "LC")[1] == CENSORED


def test_recurrence_surgery_and_death_reach_the_endpoints():
    also = [
        ("REC", row(event="LOG", RECTYP="REG", RECDAT=day(300))),
        ("SURG", row(event="LOG", SUDAT=day(350), SULAT="L", SUTYP="MRM;RECO", SURSN="TOX", SUPATH="N")),
        ("DD", row(event="LOG", DTHDAT=day(500), DTHCAUS="CV")),
    ]
    made = trial(treated(also=also))
    assert outcome(made, "LRC") == (300, EVENT) and outcome(made, "LC") == (350, COMPETING)
    assert outcome(made, "SFBP") == (350, EVENT) and outcome(made, "BP") == (350, EVENT)
    assert outcome(made, "OS") == (500, EVENT) and outcome(made, "BCSS") == (500, COMPETING)


def test_surgery_of_the_other_breast_is_no_event():
    also = [("SURG", row(event="LOG", SUDAT=day(350), SULAT="R", SUTYP="MAST", SURSN="CBC"))]
    assert outcome(trial(treated(also=also)), "BP")[1] == CENSORED


def test_a_partial_date_of_death_is_after_last_known_alive():
    also = [
        ("SS", row(event="LOG", SSVIT="ALIVE", SSDAT="2028-06-10", SSLKA="2028-06-10")),
        ("DD", row(event="LOG", DTHDAT="2028-06", DTHCAUS="BC")),
    ]
    made = trial(treated(also=also))
    assert made.people[0].history.death.day == date(2028, 6, 11)


def test_missed_images_are_planned_visits_that_were_not_done():
    visits = [("FU3M", day(120), "missed"), ("FU6M", day(210), "not_done"), ("FU12M", day(400), "done")]
    made = trial(treated(), subjects=[{"SCRNO": "01-S001", "visits": visits}])
    assert made.people[0].history.missed_images == (F1 + timedelta(days=120), F1 + timedelta(days=210))


def toxic(*steps: tuple[int, str], term: str = "10061103", **more) -> list:
    start = day(steps[0][0])
    event = ("AE", row(event="LOG", AECTCT=term, AESTDAT=start, AERELRT="DEF", **more))
    grades = [("AEG", row(event="LOG", ROW=str(n), AGSTDAT=day(d), AGGR=g)) for n, (d, g) in enumerate(steps, start=1)]
    return [event, *grades]


def test_adverse_events_with_their_grade_history_and_dose_limit():
    made = trial(treated(also=toxic((20, "2"), (30, "3"), (40, "2"), AEENDAT=day(60))))
    person = made.people[0]
    assert [each.highest for each in made.safety.emergent(person)] == [3]
    assert made.safety.limiting(person) == []  # dermatitis, grade 2 within 4 weeks
    slow = trial(treated(also=toxic((20, "3"), (60, "2"))))
    assert len(slow.safety.limiting(slow.people[0])) == 1


def test_the_acute_limit_is_a_parameter():
    rows = treated(also=toxic((100, "2"), AEENDAT=day(110)))
    for days, flag in ((90, "N"), (120, "Y")):
        made = frames.adverse(trial(rows, values={"acute_days": days}))
        assert made.columns["ACUTEFL"] == [flag]


def test_late_toxicity_is_above_baseline_and_after_the_limit():
    def late(event: str, when: int, grade: str) -> list:
        header = ("LTX", row(event=event, LTDAT=day(when)))
        return [header, ("LTXROWS", row(event=event, ROW="1", LTTERM="10065798", LTGR=grade))]

    rows = treated(also=[*late("SCR", -10, "0"), *late("FU1M", 60, "2"), *late("FU12M", 400, "2")])
    found = trial(rows).late_toxicity(2)[0][1]
    assert ((found.day - F1).days, found.cause) == (400, EVENT)
    before = treated(also=[*late("SCR", -10, "2"), *late("FU12M", 400, "2")])
    assert trial(before).late_toxicity(2)[0][1].cause == CENSORED


def test_mastectomy_competes_with_late_toxicity_of_the_breast_only():
    also = [
        ("LTX", row(event="FU12M", LTDAT=day(400))),
        ("LTXROWS", row(event="FU12M", ROW="1", LTTERM="10065798", LTGR="2")),
        ("SURG", row(event="LOG", SUDAT=day(350), SULAT="L", SUTYP="MAST", SURSN="TOX")),
    ]
    made = trial(treated(also=also))
    assert made.late_toxicity(2)[0][1].cause == EVENT
    assert made.late_toxicity(2, of_breast=True)[0][1].cause == COMPETING


def test_every_frame_has_keys_and_traces_its_rows():
    also = [*lesions("20", "SCR", day(-20)), *lesions("10", "FU3M", day(120)), *toxic((20, "2"))]
    for frame in frames.make(trial(treated(also=also))):
        assert not frame.faults and frame.rows, frame.name
        assert len(frame.frame) == frame.rows and not frame.faults, frame.name
        assert all(frame.columns["SRCKEYS"]), frame.name
        assert all(v.en and v.zh for v in frame.variables), frame.name


def test_adtte_codes_the_three_ways_to_end():
    also = [("DD", row(event="LOG", DTHDAT=day(500), DTHCAUS="CV"))]
    frame = frames.times(trial(treated(also=also)))
    found = dict(zip(frame.columns["PARAMCD"], frame.columns["CNSR"], strict=True))
    assert (found["OS"], found["LC"]) == (0, 2)
    assert frames.times(trial(treated())).columns["CNSR"][0] == 1


def test_a_fraction_is_one_row_of_exposure_with_the_cumulative_dose():
    frame = frames.exposure(trial(treated(fractions=3)))
    assert frame.columns["CUMDOSE"] == ["3.00", "6.00", "9.00"] and frame.columns["ASTDY"][0] == 1


def test_a_record_reads_dates_numbers_and_answers():
    made = trial(treated(also=[("REC", row(event="LOG", RECTYP="LOC", RECDAT=day(3)))]))
    record = made.records.of("failure", "01-S001")[0]
    assert isinstance(record, Record) and record.says("type", events.LOCAL) and record.codes["type"] == "LOC"
    assert record.day() == F1 + timedelta(days=3) and record.number("date") is None
    assert record.key == "01-S001/LOG.1/REC.1"


def test_only_the_participants_asked_for_are_in_the_trial():
    rows = [*treated("01-S001"), *treated("02-S001")]
    made = trial(rows)
    assert len(made.people) == 2 and made.cut_off == CUT_OFF
    assert table("RTFX").rows == 0
