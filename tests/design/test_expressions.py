"""What an expression means: three values, exact numbers, partly known dates, aggregates over other forms."""

from datetime import date, time
from decimal import Decimal

import pytest

from design.expressions import BUILTINS, ExpressionFault, compile_expression
from design.functions import FUNCTIONS
from tests.design.tiny import FOLDER, form, value

UNKNOWN = "CONS.ENTER"  # no such instance is stored: not evaluable
DOSES = (
    form("DOSE", {"DOSDAT": "2027-02-01", "AMOUNT": "3.10"}, "WEEK", repeat=1),
    form("DOSE", {"DOSDAT": "2027-01-01", "AMOUNT": "5"}, "WEEK", repeat=2),
    form("DOSE", {"DOSDAT": "2027-03-01"}, "WEEK", week=2),
    form("DOSE", {"DOSDAT": "2027-04-01", "AMOUNT": "100"}, "WEEK", week=3, in_error=True),
)
EVENTS = (
    form("AE", {"AETERM": "Rash", "AESTDAT": "2027-03", "AESER": "N"}, "LOG"),
    form("AE", {"AETERM": "Fall", "AESTDAT": "2027-02-03", "AESER": "Y"}, "LOG", repeat=2),
)


@pytest.mark.parametrize(
    ("a", "b", "conjunction", "disjunction"),
    [
        ("true", "true", True, True),
        ("true", "false", False, True),
        ("true", None, None, True),
        ("false", "false", False, False),
        ("false", None, False, None),
        (None, None, None, None),
    ],
)
def test_and_and_or_are_kleenes(a, b, conjunction, disjunction):
    a, b = (side or f"{UNKNOWN} = 'Y'" for side in (a, b))
    assert value(f"{a} and {b}") is value(f"{b} and {a}") is conjunction
    assert value(f"{a} or {b}") is value(f"{b} or {a}") is disjunction


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("not true", False),
        (f"not ({UNKNOWN} = 'Y')", None),
        ("not not true", True),
        ("1 + 2 * 3 = 7", True),
        ("(1 + 2) * 3 = 9", True),
        ("10 - 3 - 2", Decimal(5)),
        ("8 / 2 / 2", Decimal(2)),
        ("-2 * -3", Decimal(6)),
        ("0.1 + 0.2 = 0.3", True),
        ("1 / 0", None),
        ("1 / 0 = 1", None),
        ("true or false and false", True),
        ("not true or true", True),
        ("not 1 = 2", True),
        ("1 <> 2", True),
        ("'A' in ('A', 'B')", True),
        ("'C' not in ('A', 'B')", True),
        (f"{UNKNOWN} in ('Y')", None),
        (f"'Y' in ('Y', {UNKNOWN})", True),
        (f"'N' in ('Y', {UNKNOWN})", None),
        ("'3' = 3", True),
        ("'3' < 10", True),
        ("'a' = 3", False),
        ("'a' < 3", None),
        ("\"it is\" + ' so'", "it is so"),
        (f"{UNKNOWN} + 1", None),
        (f"{UNKNOWN} = {UNKNOWN}", None),
        ("param.MINAGE + 1", Decimal(19)),
        ("today", date(2027, 6, 1)),
        ("today + 30", date(2027, 7, 1)),
        ("today - 1 < today", True),
        ("today - add_days(today, -10)", Decimal(10)),
        ("true + 1", None),
        ("site", "01"),
        ("status = 'screening'", True),
    ],
)
def test_operators(source, expected):
    assert value(source) == expected
    assert type(value(source)) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if(1 < 2, 'a', 'b')", "a"),
        (f"if({UNKNOWN} = 'Y', 'a', 'b')", None),
        (f"case({UNKNOWN} = 'Y', 'a', 2 > 1, 'b', 'c')", "b"),
        ("case(1 > 2, 'a', 'c')", "c"),
        ("case(1 > 2, 'a')", None),
        (f"coalesce({UNKNOWN}, 'x')", "x"),
        (f"known(1, {UNKNOWN})", False),
        ("known(1, 2)", True),
        (f"missing({UNKNOWN})", True),
        (f"count_answered(1, {UNKNOWN}, 'x')", Decimal(2)),
        ("round(2.5)", Decimal(3)),
        ("round(0.125, 2)", Decimal("0.13")),
        ("round(-2.5)", Decimal(-3)),
        ("floor(-1.5)", Decimal(-2)),
        ("ceil(1.01)", Decimal(2)),
        ("abs(-3)", Decimal(3)),
        ("sqrt(9)", Decimal(3)),
        ("sqrt(-1)", None),
        ("min_of(3, 1, 2)", Decimal(1)),
        (f"max_of(3, {UNKNOWN})", None),
        ("sum_of(1, '2', 3)", Decimal(6)),
        (f"sum_of(1, {UNKNOWN})", None),
        (f"mean_answered(0.5, 1, 3, {UNKNOWN}, {UNKNOWN})", Decimal(2)),
        (f"mean_answered(0.5, 1, {UNKNOWN}, {UNKNOWN}, {UNKNOWN})", None),
        ("length('四个汉字')", Decimal(4)),
        ("contains('abc', 'bc')", True),
        ("upper('ab')", "AB"),
        ("matches('AB', '[A-Z]{2,4}')", True),
        ("matches('ABx', '[A-Z]{2,4}')", False),
        ("number('5.1')", Decimal("5.1")),
        ("number('<5.1')", None),
        ("number('阴性')", None),
        ("text(2.50)", "2.50"),
        ("text(3)", "3"),
        ("text(today)", "2027-06-01"),
        ("code('Y')", "Y"),
        ("floor(pi * 100)", Decimal(314)),
        ("weekday(today)", Decimal(2)),
        ("week(today, add_days(today, 6))", Decimal(1)),
        ("week(today, add_days(today, 5))", Decimal(0)),
        ("lookup('tests', 'ALT', 'high')", Decimal(40)),
        ("lookup('tests', 'ALT', 'low')", None),
        ("lookup('tests', 'HGB', 'unit')", "g/L"),
        ("lookup('tests', 'ZZZ', 'unit')", None),
    ],
)
def test_functions(source, expected):
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("count(DOSE)", Decimal(3)),
        ("count(DOSE.AMOUNT)", Decimal(2)),
        ("count(DOSE where AMOUNT > 4)", Decimal(1)),
        ("sum(DOSE.AMOUNT)", Decimal("8.10")),
        ("sum(DOSE.AMOUNT where AMOUNT > 99)", Decimal(0)),
        ("min(DOSE.AMOUNT)", Decimal("3.10")),
        ("max(DOSE.DOSDAT)", date(2027, 3, 1)),
        ("max(DOSE.DOSDAT where AMOUNT > 99)", None),
        ("mean(DOSE.AMOUNT)", Decimal("4.05")),
        ("first(DOSE.AMOUNT)", Decimal(5)),  # natural order is the date of the dose
        ("last(DOSE.DOSDAT)", date(2027, 3, 1)),
        ("date_of(first(DOSE.DOSDAT)) in list(DOSE.DOSDAT)", True),
        ("distinct(DOSE.AMOUNT)", Decimal(2)),
        ("any(DOSE where AMOUNT = 5)", True),
        ("any(DOSE where AMOUNT > 99)", False),  # the one in error is never seen
        ("every(DOSE where DOSDAT < today)", True),
        ("every(DOSE where AMOUNT < 4)", False),
        ("any(LAB)", False),
        ("count(LAB)", Decimal(0)),
        ("min(LAB.LBRES)", None),
        ("count(AE where AESER = 'Y' and any(DOSE where DOSDAT < today))", Decimal(1)),
        ("count(DOSE where event = 'WEEK' and event_number = 101)", Decimal(1)),
        ("at('WEEK', DOSE.AMOUNT)", Decimal(5)),
    ],
)
def test_aggregates(source, expected):
    assert value(source, *DOSES, *EVENTS) == expected


def test_group_rows_and_child_rows_are_iterated_and_rows_in_error_are_not():
    lab = form(
        "LAB",
        {"LBPAN": "HEM"},
        rows={"LBROWS": {"HGB": {"LBRES": "100"}, "WBC": {"LBRES": "4", "_error": "wrong tube"}}},
    )
    event = form("AE", {"AETERM": "x"}, "LOG", rows={"AEG": {"1": {"GRGRADE": "1"}, "2": {"GRGRADE": "3"}}})
    assert value("count(LAB where known(LBRES))", lab) == 1
    assert value("any(LAB where row = 'HGB' and number(LBRES) < 110 and LBPAN = 'HEM')", lab) is True
    assert value("max(AEG.GRGRADE)", event) == "3"
    assert value("count(AEG where AETERM = 'x')", event) == 2


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "count(AE where AESTDAT < add_days(today, -91))",
            Decimal(1),
        ),  # 2027-03 may be before or after 2 March
        ("count(AE where AESTDAT <= add_days(today, -62))", Decimal(2)),  # 31 March: certainly not later
        ("earliest(first(AE.AESTDAT))", date(2027, 3, 1)),
        ("latest(first(AE.AESTDAT))", date(2027, 3, 31)),
        ("days(first(AE.AESTDAT), today)", None),
    ],
)
def test_partial_dates_decide_only_when_certain(source, expected):
    assert value(source, *EVENTS) == expected


def test_a_bare_item_of_another_form_is_its_only_value():
    consent = form("CONS", {"CONSDAT": "2027-01-02", "ENTER": {"missing": "UNK"}})
    assert value("CONS.CONSDAT", consent) == date(2027, 1, 2)
    assert value("CONS.ENTER", consent) is None
    assert value("CONS.ENTER = 'Y'", consent) is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("years(CONS.BRTHDAT, CONS.CONSDAT)", Decimal(27)),
        ("months(CONS.BRTHDAT, CONS.CONSDAT)", Decimal(324)),
    ],
)
def test_a_birthday_on_29_february_counts_on_the_28th(source, expected):
    assert value(source, form("CONS", {"CONSDAT": "2027-02-28", "BRTHDAT": "2000-02-29"})) == expected
    assert value(source, form("CONS", {"CONSDAT": "2027-02-27", "BRTHDAT": "2000-02-29"})) == expected - 1


def test_times_and_their_distance():
    minutes = FUNCTIONS["minutes"]
    node = minutes([lambda _: time(9, 30), lambda _: time(11, 0)], [None, None])
    assert node(None) == 90


def test_an_expression_tells_what_it_reads():
    rule = compile_expression(
        "AGE > 3 and any(DOSE where DOSDAT < this.CONSDAT) and at('SCR', CONS.ENTER) = 'Y' and param.P = 1"
    )
    assert rule.items == {"AGE", "DOSDAT", "CONSDAT", "ENTER"}
    assert rule.forms == {"DOSE", "CONS"}
    assert rule.parameters == {"P"}
    assert rule.events == {"SCR"}
    assert {"any", "at"} <= rule.functions


@pytest.mark.parametrize(
    ("source", "position"),
    [
        ("", "empty"),
        ("1 +", "the end"),
        ("(1", "')'"),
        ("a b", "at 3"),
        ("a ! b", "'! b'"),
        ("'open", "at 1"),
        ("a not b", "in"),
        ("frobnicate(1)", "frobnicate"),
        ("1 < 2 < 3", "at 7"),
        ("a.b.c", "at 4"),
        ("x where y", "at 3"),
        ("and", "value"),
        ("lookup('t', 1)", "lookup"),
    ],
)
def test_a_fault_says_where_and_what(source, position):
    with pytest.raises(ExpressionFault) as caught:
        compile_expression(source)
    assert position in str(caught.value)


def test_every_function_and_name_stands_in_the_guide():
    guide = (FOLDER.parents[2] / "crf" / "README.md").read_text(encoding="utf-8")
    words = [
        *FUNCTIONS,
        *BUILTINS,
        "any",
        "every",
        "count",
        "sum",
        "mean",
        "first",
        "last",
        "list",
        "distinct",
        "same_event",
        "at",
        "previous",
    ]
    assert [word for word in words if word not in guide] == []
