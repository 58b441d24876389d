"""Faults that the language once had: each test says what is right, so that none comes back."""

from decimal import Decimal
from time import perf_counter

import pytest

from design.answers import get
from design.evaluation import dependents, evaluate, evaluate_expression
from design.expressions import ExpressionFault, compile_expression
from design.faults import StudyFaults
from design.reader import load_study
from design.types import ValueFault, parse, to_cell
from tests.design.tiny import TODAY, files, form, record, tiny, value


@pytest.mark.parametrize("source", ["if(true)", "round()", "has()", "case()", "years(today)", "matches('x')"])
def test_a_call_with_too_few_arguments_is_a_fault(source):
    with pytest.raises(ExpressionFault):
        compile_expression(source)


@pytest.mark.parametrize("pattern", ["(a", "(a|aa)+b", "(a+)+b", "a*a*a*a*b", "(a?){20}b", "(?=a)a"])
def test_a_pattern_that_is_wrong_or_dangerous_is_a_fault_of_the_study(pattern):
    with pytest.raises(ExpressionFault):
        compile_expression(f"matches(INITIALS, '{pattern}')")


@pytest.mark.req("SEC-27")
def test_alternation_in_a_repeat_does_not_run_for_ever():
    start = perf_counter()
    assert value(f"matches('{'a' * 34}!', '(a|aa)' + '+b')") is None
    assert perf_counter() - start < 1


def test_a_long_sum_within_the_length_limit_is_calculated():
    assert value("+".join(["1"] * 1_500)) == 1_500


@pytest.mark.parametrize(
    "source",
    [
        "round(1.5, 'a')",
        "min_of(today, 1)",
        "mean_answered(1 / 0, 1)",
        "round(99999999999999999999999999 * 9999, 2)",
        "matches('a', '(' + 'a')",
    ],
)
def test_a_value_of_the_wrong_kind_is_not_evaluable(source):
    assert value(source) is None


def test_two_codes_that_are_numerals_are_ordered_as_numbers():
    assert value("'10' > '9'") is True


def test_a_date_compares_with_a_text_that_is_a_date():
    assert value("today >= '2014-01-01'") is True


@pytest.mark.parametrize("text", ["1_000", "1e5", "１２"])
def test_number_reads_plain_numbers_only(text):
    assert value(f"number('{text}')") is None


@pytest.mark.parametrize("source", ["sum(DOSE)", "max(CONS)", "any(AE.AETERM where true)", "every(AE)"])
def test_an_aggregate_that_says_nothing_is_a_fault(source):
    with pytest.raises(ExpressionFault):
        compile_expression(source)


def test_the_missing_reason_of_another_form_is_found():
    assert value("reason(CONS.ENTER)", form("CONS", {"ENTER": {"missing": "UNK"}})) == "UNK"


def test_a_derived_number_is_rounded_half_up():
    assert to_cell(Decimal("0.25"), tiny().item("BMI")) == "0.3"


def test_a_derived_number_of_any_size_can_be_stored():
    assert to_cell(Decimal("1e40"), tiny().item("BMI")) is None


@pytest.mark.parametrize("typed", ["9999-12-31", "0001-01-01", "1027-03-14"])
def test_a_year_that_cannot_be_is_refused(typed):
    with pytest.raises(ValueFault):
        parse(typed, tiny().item("VISDAT"), tiny())


@pytest.mark.parametrize("typed", ["a\x85b", "a\x9bb", "a\ufffeb"])
def test_c1_controls_are_refused(typed):
    with pytest.raises(ValueFault):
        parse(typed, tiny().item("NOTDONE"), tiny())


def test_the_natural_order_of_child_rows_is_their_own():
    text = files()
    text["forms/AEG.toml"] = text["forms/AEG.toml"].replace('title = "GRDAT"', 'order_by = "GRDAT"')
    text["forms/AE.toml"] = text["forms/AE.toml"].replace("max(AEG.GRGRADE)", "last(AEG.GRGRADE)")
    rows = {"AEG": {"1": {"GRDAT": "2027-03-05", "GRGRADE": "3"}, "2": {"GRDAT": "2027-03-01", "GRGRADE": "1"}}}
    event = form("AE", {"AETERM": "x"}, "LOG", rows=rows)
    verdict = evaluate(load_study(text), record(), event, today=TODAY)
    assert get(verdict.answers, "AE/1/AEWORST") == "3"


def test_the_natural_order_of_numbers_is_by_size():
    text = files()
    text["forms/DOSE.toml"] = text["forms/DOSE.toml"].replace('order_by = "DOSDAT"', 'order_by = "AMOUNT"')
    doses = [form("DOSE", {"AMOUNT": amount}, "WEEK", repeat=k) for k, amount in enumerate(("10", "9"), start=1)]
    rule = compile_expression("last(DOSE.AMOUNT)")
    assert evaluate_expression(load_study(text), record(*doses), rule, TODAY) == 10


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("codelists.toml", "[NY]\n", 'X = "a"\n[NY]\n'),
        ("codelists.toml", 'Y = { en = "Yes", zh = "是" }', 'Y = "Yes"'),
        ("study.toml", "version = 1", 'version = "x"'),
        ("study.toml", "months = [6, 12]", 'months = "x"'),
        ("forms/AE.toml", 'title = "AETERM"', "title = 3"),
        ("forms/AE.toml", 'id = "AE"', "id = " + "[" * 3_000),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_fault(file, old, new):
    text = files()
    with pytest.raises(StudyFaults):
        load_study({**text, file: text[file].replace(old, new, 1)})


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("forms/AE.toml", 'zh = "不良事件"', 'zh = "Adverse event"'),
        ("forms/AE.toml", 'type = "text"\nlength = 100', 'type = "auto"\nauto = "zzz"'),
        ("forms/AE.toml", 'codelist = "NY"\nrequired', 'codelist = "NY"\ndefault_hint = "ZZ"\nrequired'),
        ("forms/AE.toml", "length = 100\nrequired = true", 'length = 100\nrequired = "maybe"'),
        ("forms/AE.toml", "length = 100", 'length = 100\nhard = "1..2"'),
        ("forms/BASIC.toml", "'Y', 'N')", "'Q', 'N')"),
        ("study.toml", 'visit_date = "BASIC.VISDAT"', 'visit_date = "BASIC.NOPE"'),
        ("study.toml", '"CONS.INITIALS", ', '"CONS.NOPE", '),
        ("study.toml", '"{site}-S{n:03}"', '"{zzz}-S{n:03}"'),
        ("study.toml", "[projected]\nEND", "[projected]\nENX"),
        ("study.toml", 'code = "01"', 'code = "01"\nbad = 1'),
        ("study.toml", '["BASIC", "DOSE"]', '["BASIC", "DOSE", "BASIC"]'),
        ("checks.toml", "DOSDAT >= CONS.CONSDAT", "DOSDAT >= BASIC.VISDAT"),
    ],
)
def test_a_mistake_that_should_be_a_fault(file, old, new):
    text = files()
    assert old in text[file]
    with pytest.raises(StudyFaults):
        load_study({**text, file: text[file].replace(old, new)})


def test_a_rule_that_counts_a_form_is_run_again_when_a_row_is_added():
    text = files()
    text["forms/CONS.toml"] = text["forms/CONS.toml"].replace('"AGE >= param.MINAGE"', '"AGE >= 18 or not any(AE)"')
    assert "CONS" in dependents(load_study(text), "AE", frozenset({"AETERM"}))
