"""What may be typed into an item, what is stored of it, and what is said when it cannot be an answer."""

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from design.definitions import ItemDef, Label
from design.types import TYPES, ValueFault, display, parse, read_day, to_cell, to_value
from tests.design.tiny import tiny


def item(kind: str, **more: object) -> ItemDef:
    return ItemDef(id="X", form_id="BASIC", group_id="BASIC", label=Label("X", "X"), type=kind, **more)


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        ("integer", "12", "12"),
        ("integer", " 007 ", "7"),
        ("integer", "１２", "12"),
        ("integer", "-3", "-3"),
        ("number", "12.50", "12.50"),
        ("number", "１２．５", "12.5"),
        ("number", "+1.5", "1.5"),
        ("text", "  two  words ", "two  words"),
        ("text", "ＡＢ１２", "ＡＢ１２"),
        ("text", "右乳\n肿块", "右乳\n肿块"),
        ("date", "2027-03-14", "2027-03-14"),
        ("date", "2027/3/14", "2027-03-14"),
        ("date", "2027.3.14", "2027-03-14"),
        ("date", "20270314", "2027-03-14"),
        ("date", "2027年3月14日", "2027-03-14"),
        ("date", "２０２７－０３－１４", "2027-03-14"),
        ("date", "2028-02-29", "2028-02-29"),
        ("partial_date", "2027", "2027"),
        ("partial_date", "2027年3月", "2027-03"),
        ("partial_date", "2027-3", "2027-03"),
        ("partial_date", "2027年3月14日", "2027-03-14"),
        ("time", "9:30", "09:30"),
        ("time", "09：30", "09:30"),
        ("time", "9时30分", "09:30"),
        ("time", "23:59:58", "23:59:58"),
        ("datetime", "2027/3/14 9:30", "2027-03-14T09:30"),
        ("datetime", "2027-03-14T09:30", "2027-03-14T09:30"),
        ("labvalue", "<0.5", "<0.5"),
        ("labvalue", "5.10", "5.10"),
        ("labvalue", "阴性", "阴性"),
        ("labvalue", "++", "++"),
        ("ref", "LOG/AE/3/2", "LOG/AE/3/2"),
    ],
)
@pytest.mark.req("DAT-17", "DAT-18")
def test_what_is_stored(kind, typed, stored):
    assert parse(typed, item(kind), tiny()) == stored


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("integer", "1.5"),
        ("integer", "1e3"),
        ("integer", "٣"),
        ("integer", "1234567890123"),
        ("integer", "one"),
        ("number", "NaN"),
        ("number", "inf"),
        ("number", "1e309"),
        ("number", "1,5"),
        ("number", "1.2.3"),
        ("number", "0x1"),
        ("number", "1.25"),
        ("number", "٣.١"),
        ("date", "2027-02-29"),
        ("date", "2027-03"),
        ("date", "14.3.2027"),
        ("date", "2027-13-01"),
        ("date", "today"),
        ("partial_date", "2027-13"),
        ("partial_date", "27"),
        ("partial_date", "2027-02-30"),
        ("time", "24:00"),
        ("time", "9"),
        ("time", "09:60"),
        ("datetime", "2027-03-14"),
        ("datetime", "2027-03-14 25:00"),
        ("text", "a\x00b"),
        ("text", "a\x1bb"),
        ("text", "\ud800"),
        ("text", "x" * 11),
        ("labvalue", "x" * 41),
        ("ref", "../etc/passwd"),
        ("ref", "LOG/CM/1"),
    ],
)
def test_what_is_refused_says_what_to_do_in_both_languages(kind, typed):
    asked = item(kind, digits=1, length=10, refers=("AE",))
    with pytest.raises(ValueFault) as caught:
        parse(typed, asked, tiny())
    assert caught.value.label.en.endswith(".")
    assert caught.value.label.zh.endswith("。")


def test_a_code_is_one_of_its_list():
    asked = item("code", codelist="NY")
    assert parse("Y", asked, tiny()) == "Y"
    for typed in ("y", "Yes", "Z"):
        with pytest.raises(ValueFault):
            parse(typed, asked, tiny())


def test_a_choice_may_come_from_a_table():
    assert parse("ALT", item("code", options="tests"), tiny()) == "ALT"


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_nothing_typed_is_no_answer(kind):
    assert parse("", item(kind), tiny()) is None
    assert parse("  ", item(kind), tiny()) is None


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("integer", "12", Decimal(12)),
        ("number", "1.50", Decimal("1.50")),
        ("text", "1", "1"),
        ("code", "Y", "Y"),
        ("date", "2027-03-14", date(2027, 3, 14)),
        ("time", "09:30", time(9, 30)),
        ("datetime", "2027-03-14T09:30", datetime(2027, 3, 14, 9, 30)),
        ("multi", ["A", "B"], ["A", "B"]),
        ("number", {"missing": "ND"}, None),
        ("file", {"file": "0" * 64, "name": "a.png", "size": 1}, None),
        ("number", None, None),
        ("number", "not a number", None),
        ("date", "2027-99-99", None),
        ("partial_date", "2027-01-01-05", None),
    ],
)
def test_what_rules_calculate_with(kind, cell, value):
    assert to_value(cell, item(kind)) == value


@pytest.mark.parametrize(
    ("kind", "digits", "value", "cell"),
    [
        ("number", 1, Decimal("22.16"), "22.2"),
        ("number", 2, Decimal(3), "3.00"),
        ("integer", None, Decimal("27.0"), "27"),
        ("code", None, Decimal("3"), "3"),
        ("code", None, True, "Y"),
        ("date", None, date(2027, 3, 14), "2027-03-14"),
        ("time", None, time(9, 30), "09:30"),
        ("text", None, "x", "x"),
        ("number", 1, None, None),
        ("multi", None, [], None),
    ],
)
def test_a_derived_value_as_it_is_stored(kind, digits, value, cell):
    assert to_cell(value, item(kind, digits=digits)) == cell


def test_what_people_read():
    study = tiny()
    assert display("Y", item("code", codelist="NY"), study, "zh") == "是"
    assert display(["PAIN", "ITCH"], item("multi", codelist="SYMP"), study, "en") == "Pain, Itching"
    assert display({"missing": "UNK"}, item("number"), study, "zh") == "不详"
    assert display("2027-03-14T09:30", item("datetime"), study, "en") == "2027-03-14 09:30"
    assert display({"file": "0" * 64}, item("file"), study, "en") == "0" * 64
    assert display(None, item("text"), study, "en") == ""


@pytest.mark.parametrize(
    ("digits", "derived", "cell", "text"),
    [
        (6, True, "4.500000", "4.5"),
        (4, True, "115.0000", "115"),
        (1, True, "28.0", "28.0"),
        (4, False, "4.5000", "4.5000"),
        (None, True, "100", "100"),
    ],
    ids=["converted", "whole", "measured", "typed", "no decimals"],
)
def test_a_converted_number_claims_no_precision_that_nobody_measured(digits, derived, cell, text):
    made = item("number", digits=digits, derive=object() if derived else None)
    assert display(cell, made, tiny(), "en") == text


@pytest.mark.parametrize("typed", ["2027-03-14", "2027/3/14", "20270314", "２０２７.3.14", "2027年3月14日"])
def test_a_day_is_read_as_people_write_it(typed):
    assert read_day(typed) == date(2027, 3, 14)


@pytest.mark.parametrize("typed", ["", "2027-03", "2027-02-30", "14/03/2027", "0001-01-01"])
def test_what_is_no_day_is_refused(typed):
    with pytest.raises(ValueFault):
        read_day(typed)
