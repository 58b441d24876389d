"""The calendar: months clamped to their end and counted from the anchor, and dates known only in part."""

from datetime import date

import pytest

from design.dates import PartialDate, add_months, whole_months, whole_years
from design.operators import compare

pytestmark = pytest.mark.req("DAT-18")


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", 48, "2032-02-29"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-01-31", 1, "2027-02-28"),
        ("2027-01-31", 2, "2027-03-31"),
        ("2027-03-31", -1, "2027-02-28"),
        ("2027-12-15", 1, "2028-01-15"),
        ("2027-12-15", 120, "2037-12-15"),
        ("2027-05-05", 0, "2027-05-05"),
    ],
)
def test_months_are_clamped_to_the_end_of_the_month(start, months, end):
    assert add_months(day(start), months) == day(end)


def test_months_count_from_the_anchor_and_not_from_the_month_before():
    anchor = day("2027-01-31")
    assert add_months(add_months(anchor, 1), 1) == day("2027-03-28")
    assert add_months(anchor, 2) == day("2027-03-31")


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        ("2000-02-29", "2027-02-27", 26),
        ("2000-02-29", "2027-02-28", 27),
        ("2000-02-29", "2028-02-28", 27),
        ("2000-02-29", "2028-02-29", 28),
        ("1970-06-01", "2027-05-31", 56),
        ("1970-06-01", "2027-06-01", 57),
        ("1970-06-01", "1970-06-01", 0),
    ],
)
def test_completed_years(born, on, years):
    assert whole_years(day(born), day(on)) == years


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2027-01-31", "2027-02-28", 1),
        ("2027-01-31", "2027-02-27", 0),
        ("2027-03-15", "2027-01-15", -2),
        ("2027-03-15", "2027-01-16", -1),
    ],
)
def test_completed_months(start, end, months):
    assert whole_months(day(start), day(end)) == months


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2027", "2027-01-01", "2027-12-31"),
        ("2028-02", "2028-02-01", "2028-02-29"),
        ("2027-02", "2027-02-01", "2027-02-28"),
        ("2027-03-14", "2027-03-14", "2027-03-14"),
    ],
)
def test_a_partial_date_is_every_day_it_may_be(text, earliest, latest):
    partial = PartialDate.parse(text)
    assert (partial.earliest, partial.latest) == (day(earliest), day(latest))
    assert partial.is_complete is (earliest == latest)


@pytest.mark.parametrize("text", ["", "27", "2027-13", "2027-02-29", "2027-01-01-05", "２０２７", "x"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError):
        PartialDate.parse(text)


@pytest.mark.parametrize(
    ("left", "sign", "right", "expected"),
    [
        ("2027-03", "<", "2027-04", True),
        ("2027-03", "<", "2027-03-31", None),
        ("2027-03", "<=", "2027-03-31", True),
        ("2027-03", "<", "2027-03-01", False),
        ("2027-03", ">", "2027-03-01", None),
        ("2027-03", ">=", "2027-03-01", True),
        ("2027", ">", "2026-12-31", True),
        ("2027", "<", "2027-06", None),
        ("2027", "=", "2027", None),
        ("2027-03", "=", "2027-04", False),
        ("2027-03", "<>", "2027-04", True),
        ("2027-03", "<>", "2027-03-05", None),
        ("2027-03-05", "=", "2027-03-05", True),
        ("2027-03-05", "<", "2027-03-05", False),
    ],
)
def test_partial_dates_compare_as_intervals(left, sign, right, expected):
    a, b = PartialDate.parse(left), PartialDate.parse(right)
    assert compare(sign, a, b) is expected
    if b.is_complete:
        assert compare(sign, a, b.earliest) is expected
