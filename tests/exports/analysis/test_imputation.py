"""Partial and missing dates, every row of section 4.8 of the domain specification."""

from datetime import date

import pytest

from exports.analysis import imputation
from exports.analysis.imputation import Day

F1 = date(2027, 3, 14)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2027-05-02", None, Day(date(2027, 5, 2))),
        ("2027-05", None, Day(date(2027, 5, 1), "D")),
        ("2027-03", None, Day(F1, "D")),  # month of the first fraction
        ("2027-03", "2027-03-10", Day(date(2027, 3, 1), "D")),  # ended before it
        ("2026", None, Day(date(2026, 1, 1), "M")),
        ("2027", None, Day(F1, "M")),  # year of the first fraction
        ("2027", "2027-02", Day(date(2027, 1, 1), "M")),
        (None, None, Day(F1, "Y")),  # worst case, flagged
    ],
)
def test_start_of_an_event(start, end, found):
    assert imputation.event_start(start, F1, end) == found


def test_without_a_first_fraction_a_missing_start_stays_missing():
    assert imputation.event_start(None, None) is None


@pytest.mark.parametrize(
    ("end", "caps", "found"),
    [
        ("2027-05", (), Day(date(2027, 5, 31), "D")),
        ("2027", (), Day(date(2027, 12, 31), "M")),
        ("2027", (date(2027, 8, 8), None, date(2027, 9, 9)), Day(date(2027, 8, 8), "M")),  # death, EOS, cut-off
        ("2027-05-05", (date(2027, 8, 8),), Day(date(2027, 5, 5))),
        (None, (F1,), None),
    ],
)
def test_end_of_an_event(end, caps, found):
    assert imputation.event_end(end, *caps) == found


def test_medication_is_taken_as_concomitant_when_unsure():
    assert imputation.medication("2027", "2027-02") == (date(2027, 1, 1), date(2027, 2, 28))
    assert imputation.medication(None, None) == (None, None)


@pytest.mark.parametrize(
    ("text", "alive", "found"),
    [
        ("2029-06-05", date(2029, 6, 1), Day(date(2029, 6, 5))),
        ("2029-06", date(2029, 5, 2), Day(date(2029, 6, 1), "D")),
        ("2029-06", date(2029, 6, 10), Day(date(2029, 6, 11), "D")),  # the day after last known alive
        ("2029", date(2028, 6, 10), Day(date(2029, 1, 1), "M")),
        ("2029", date(2029, 6, 10), Day(date(2029, 6, 11), "M")),
        ("2029", None, Day(date(2029, 1, 1), "M")),
        (None, date(2029, 6, 10), None),
    ],
)
def test_death(text, alive, found):
    assert imputation.death(text, alive) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11", Day(date(2026, 11, 15), "D")),
        ("2026", Day(date(2026, 7, 1), "M")),
        ("2026-11-03", Day(date(2026, 11, 3))),
    ],
)
def test_diagnosis(text, found):
    assert imputation.diagnosis(text) == found


def test_recurrence_is_never_imputed_but_bounded():
    assert imputation.recurrence("2029-06") == Day(date(2029, 6, 1), "D")
    assert imputation.recurrence("2029-06", latest=True) == Day(date(2029, 6, 30), "D")


def test_the_course_stays_open_while_a_fraction_has_no_date():
    assert imputation.last_fraction([F1, date(2027, 4, 1)]) == date(2027, 4, 1)
    assert imputation.last_fraction([F1, None]) is None and imputation.last_fraction([]) is None


@pytest.mark.parametrize("text", ["", "soon", "2027-13", "2027-02-30", None])
def test_what_is_no_date_is_missing(text):
    assert imputation.parse(text) is None and imputation.flag(text) == "Y"
