"""The numbers of the summary against a few participants that can be counted by hand."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from exports import charts, figures, linked_charts
from exports.figures import Person
from exports.shape import Table, Variable

F1 = date(2025, 1, 1)


def day(number: int) -> date:
    """A day counted from the first fraction."""
    return F1 + timedelta(number)


def person(name: str, enrolled: bool = True, status: str = "follow_up", **values) -> Person:
    return Person(name, f"S{name}", "01", status, enrolled, {"tte_origin": F1, **values})


def table(**columns) -> Table:
    return Table("T", "T", "T", [Variable(name, "text", name, name) for name in columns], columns)


def test_enrolment_lists_enrolled_participants_by_date():
    people = [
        person("2", enrolled_on=day(5)),
        person("1", enrolled_on=day(1)),
        person("3", False, enrolled_on=day(2)),
    ]
    assert figures.enrolment(people) == [day(1), day(5)]


def test_disposition_adds_up():
    people = [person("1"), person("2", status="dead"), person("3", False, "screen_failed", tte_origin=None)]
    people.append(person("4", status="enrolled", tte_origin=None))
    found = figures.disposition(people)
    assert (found.screened, found.failed, found.enrolled, found.treated) == (4, 1, 3, 2)
    assert sum(found.statuses.values()) == found.screened


def test_an_adverse_event_counts_each_participant_once_with_her_highest_grade():
    events = table(
        SCRNO=["S1", "S1", "S2", "S2", "S9"],
        TERM=["skin", "skin", "skin", "fatigue", "skin"],
        GRADE=["2", "3", "1", None, "5"],
        START_LATEST=["2025-01-10", "2025-02-01", None, "2025-01-31", "2025-02-01"],
    )
    grades = events.columns["GRADE"]
    found = figures.adverse_events([person("1"), person("2")], events, "TERM", grades, "START")
    assert [(row.code, row.by_grade) for row in found] == [
        ("skin", (1, 0, 1, 0, 0, 0)),
        ("fatigue", (0, 0, 0, 0, 0, 1)),
    ]


def test_the_grade_of_an_event_is_the_highest_in_its_grade_history():
    keys = {"EVENT": ["LOG"] * 2, "REPEAT": [1, 1], "FORM_REPEAT": [1, 2]}
    events = table(SCRNO=["S1", "S1"], **keys)
    history = table(SCRNO=["S1"] * 3, EVENT=["LOG"] * 3, REPEAT=[1] * 3, FORM_REPEAT=[1, 1, 2], GR=["1", "3", "NE"])
    assert figures.highest_grades(events, history, "GR") == ["3", None]


def test_an_event_that_ended_its_possible_start_before_treatment_is_not_emergent():
    events = table(SCRNO=["S1", "S1"], TERM=["a", "b"], GRADE=["1", "1"], START_LATEST=["2024-12-31", "2025-01-31"])
    assert [row.code for row in figures.adverse_events([person("1")], events, "TERM", ["1", "1"], "START")] == ["b"]


def test_dose_is_a_percentage_of_the_plan():
    rows = figures.doses([person("1", dose_delivered=72.0, dose_planned=76.0), person("2")])
    assert rows[0].percent == pytest.approx(94.7368, abs=1e-3) and rows[1].percent is None


def test_response_counts_the_last_assessment_of_each_visit():
    found = figures.responses(
        [person("1"), person("2"), person("3")],
        table(
            SCRNO=["S1", "S1", "S2", "S3", "S1"],
            VISITNUM=[203, 203, 203, 203, 206],
            EVENT=["FU3M"] * 4 + ["FU6M"],
            VISIT=["3 months"] * 4 + ["6 months"],
            OV=["SD", "PR", "PR", "NE", "CR"],
            CC=["NCCR", "NCCR", "CCR", "NE", "CCR"],
        ),
        "OV", "CC", "CCR", ["NE"],
    )  # fmt: skip
    assert [(point.event, point.codes, point.complete, point.evaluated) for point in found] == [
        ("FU3M", {"PR": 2, "NE": 1}, 1, 2),
        ("FU6M", {"CR": 1}, 1, 1),
    ]
    assert found[0].interval == pytest.approx((0.0126, 0.9874), abs=1e-4)


def test_overall_survival_ends_at_death_or_last_known_alive():
    people = [
        person("1", death=day(100), last_alive=day(90)),
        person("2", last_alive=day(200)),
        person("3", last_alive=day(300), withdrawn_all=day(50)),
        person("4", death=day(900), last_alive=day(250)),  # after the cut-off: not known yet
        person("5", tte_origin=None, death=day(3)),  # never treated: not in the set
    ]
    curve = figures.overall_survival(people, cut_off=day(400))
    assert (curve.participants, curve.events) == (4, 1)
    assert [round(month * 30.4375) for month in curve.censored] == [51, 201, 251]
    assert curve.steps[0].survival == pytest.approx(2 / 3), "three were at risk when the first died"


def test_progression_free_survival_censors_at_the_last_adequate_image():
    people = [
        person("1", progression=day(100), death=day(150)),
        person("2", death=day(80)),
        person("3", images=[day(30), day(120)]),
        person("4", images=[day(30), day(120)], new_therapy=day(60), progression=day(90)),
        person("5"),  # no image at all: censored on day 1
    ]
    curve = figures.progression_free_survival(people, cut_off=day(400))
    assert curve.events == 2
    assert [round(month * 30.4375) for month in curve.censored] == [1, 31, 121]
    assert [round(step.month * 30.4375) for step in curve.steps] == [81, 101]
    assert [step.survival for step in curve.steps] == pytest.approx([2 / 3, 1 / 3])


CHARTS = {
    "enrolment": charts.enrolment([day(1), day(40)], 42, "T <x>", "d", "x", "y", "cap"),
    "enrolment of nobody": charts.enrolment([], None, "T", "d", "x", "y", ""),
    "survival": charts.survival(
        "os", figures.overall_survival([person("1", death=day(9)), person("2", last_alive=day(90))], day(99)),
        "T", "d", "x", "y", "at risk"),
    "survival of nobody": charts.survival("os", figures.overall_survival([], day(1)), "T", "d", "", "", ""),
    "stacked": charts.stacked("k", [("a & b", (1, 0, 2))], ["1", "2", "3"], charts.GRADES, "T", "d", "x"),
    "stacked, empty": charts.stacked("k", [], [], charts.GRADES, "T", "d", "x"),
    "dose": charts.dose([("01", 72.0, 76.0), ("02", None, None)], ("a", "b"), "T", "d", "x"),
}  # fmt: skip


@pytest.mark.parametrize(("first", "last", "expected"), [
    ("2025-01-15", "2025-02-14", "2025-02-01"),
    ("2025-01-01", "2025-03-01", "2025-01-01 2025-02-01 2025-03-01"),
    ("2025-02-02", "2026-03-31", "2025-04-01 2025-07-01 2025-10-01 2026-01-01"),
    ("2024-01-01", "2026-12-31", "2024-01-01 2024-07-01 2025-01-01 2025-07-01 2026-01-01 2026-07-01"),
    ("2020-05-01", "2026-06-30", "2021-01-01 2022-01-01 2023-01-01 2024-01-01 2025-01-01 2026-01-01"),
])  # fmt: skip
def test_ticks_of_time_stand_where_a_month_quarter_half_or_year_begins(first, last, expected):
    found = charts.month_starts(date.fromisoformat(first), date.fromisoformat(last))
    assert [str(each) for each in found] == expected.split()


def test_the_axis_of_enrolment_names_months():
    drawn = charts.enrolment([date(2025, 1, 17), date(2025, 12, 9)], None, "T", "d", "x", "y", "")
    assert re.findall(r">(\d{4}-\d\d\S*)</text>", drawn) == ["2025-01", "2025-04", "2025-07", "2025-10"]


@pytest.mark.parametrize(("count", "expected"), [
    (2, ["2025-02", "2025-03"]),
    (12, ["2025-04", "2025-07", "2025-10", "2026-01"]),
    (24, ["2025-04", "2025-07", "2025-10", "2026-01", "2026-04", "2026-07", "2026-10", "2027-01"]),
])  # fmt: skip
def test_months_of_a_course_are_named_where_a_quarter_begins(count, expected):
    months = [f"{2025 + (1 + place) // 12}-{(1 + place) % 12 + 1:02}" for place in range(count)]
    words = linked_charts.Words("T", "d")
    rows = [[linked_charts.Part(1, "") for _ in months]]
    for drawn in (
        linked_charts.course("c", months, [0.5] * count, "#000000", words),
        linked_charts.columns("c", months, rows, [linked_charts.Series("S", "#000000")], words),
    ):
        assert re.findall(r">(\d{4}-\d\d\S*)</text>", drawn) == expected


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_is_well_formed_has_a_spoken_title_and_no_inline_style(chart):
    root = ElementTree.fromstring(CHARTS[chart])
    names = {element.get("id"): element for element in root.iter() if element.get("id")}
    assert root.get("role") == "img"
    assert all(names[each].text for each in root.get("aria-labelledby").split())
    assert not any(element.get("style") for element in root.iter())
    assert "nan" not in CHARTS[chart] and "None" not in CHARTS[chart]
