"""The rule language cannot be made to run code, to crash or to run for ever."""

from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from design.expressions import MAX_DEPTH, MAX_LENGTH, ExpressionFault, compile_expression
from tests.design.tiny import form, value

pytestmark = pytest.mark.req("SEC-27")

WORDS = st.sampled_from(
    [
        "a",
        "DOSE",
        "any(",
        "count(",
        "min(",
        "sum(",
        "lookup(",
        "matches(",
        "at(",
        "previous(",
        "case(",
        "where",
        "this",
        "param",
        ".",
        ",",
        "(",
        ")",
        "+",
        "-",
        "*",
        "/",
        "=",
        "<>",
        "<=",
        "and",
        "or",
        "not",
        "in",
        "'x'",
        '"y"',
        "'",
        "1",
        "2.5",
        "true",
        "today",
        "中",
        "\x00",
        "__class__",
        "**",
        "[",
        "]",
        "{",
        "}",
        ";",
        ":",
        "lambda",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_words_in_any_order_compile_or_are_faults(source):
    compiles_or_fails(source)


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=200))
def test_any_text_compiles_or_is_a_fault(source):
    compiles_or_fails(source)


def compiles_or_fails(source: str) -> None:
    """Nothing but an expression or an ExpressionFault may come of a text."""
    try:
        compile_expression(source)
    except ExpressionFault as fault:
        assert str(fault)


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os').system('id')",
        "().__class__",
        "x.__class__.__mro__.y",
        "9**9**9",
        "open('/etc/passwd')",
        "eval('1')",
        "exec('1')",
        "getattr(a, 'b')",
        "[x for x in y]",
        "lambda: 1",
        "a; b",
        "a = b = c",
        "{{7*7}}",
        "f'{a}'",
        "a if b else c",
        "a := 1",
        "`id`",
        "$(id)",
        "x[0]",
        "1_000",
        "1e9",
        "0x10",
        "~1",
        "a % b",
        "a ^ b",
    ],
)
def test_what_is_not_in_the_grammar_is_refused(source):
    with pytest.raises(ExpressionFault):
        compile_expression(source)


@pytest.mark.parametrize(
    "source",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "abs(" * 900 + "1" + ")" * 900,
        "(" * 1_990 + "1" + ")" * 1_990,
        "1 + " * 5_000 + "1",
    ],
)
def test_depth_and_length_are_bounded(source):
    start = perf_counter()
    with pytest.raises(ExpressionFault):
        compile_expression(source)
    assert perf_counter() - start < 1


def test_the_bounds_leave_room_for_honest_rules():
    nested = "(" * (MAX_DEPTH - 1) + "1" + ")" * (MAX_DEPTH - 1)
    assert value(nested) == 1
    assert value(" or ".join(["1 = 2"] * 60 + ["1 = 1"])) is True
    assert len(" + ".join(["100"] * 400)) < MAX_LENGTH


def test_rules_over_rules_over_rows_stop():
    doses = [form("DOSE", {"DOSDAT": "2027-01-01", "AMOUNT": "1"}, "WEEK", repeat=k) for k in range(1, 301)]
    inner = "count(DOSE where AMOUNT = 1)"
    for _ in range(3):
        inner = f"count(DOSE where AMOUNT = 1 and {inner} > 0)"
    start = perf_counter()
    assert value(inner, *doses) is None
    assert perf_counter() - start < 2


def test_one_rule_that_stops_does_not_stop_the_next():
    doses = [form("DOSE", {"DOSDAT": "2027-01-01", "AMOUNT": "1"}, "WEEK", repeat=k) for k in range(1, 301)]
    assert value("count(DOSE where count(DOSE where count(DOSE where AMOUNT = 1) > 0) > 0)", *doses) is None
    assert value("count(DOSE where AMOUNT = 1)", *doses) == 300


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a*)*b", "(a+){20}b", r"(a)\1", "(?=a)a", "a" * 201])
def test_patterns_that_could_run_for_ever_are_not_run(pattern):
    start = perf_counter()
    with suppress(ExpressionFault):
        assert value(f"matches('{'a' * 60}!', '{pattern}')") is None
    assert perf_counter() - start < 1
