"""A study is made from text only: the tiny study and its amendment are read, and mean what they say."""

from datetime import date
from decimal import Decimal
from time import perf_counter

import pytest

from design.answers import get
from design.evaluation import listed_rows
from design.reader import hash_files, load_study, read_files, read_study
from tests.design.tiny import FOLDER, TODAY, files, form, judge, record, tiny, value

CARBON = FOLDER.parents[2] / "crf" / "carbon-breast" / "v1"


def test_a_second_study_needs_no_code():
    study = read_study(FOLDER / "v1")
    assert {path.suffix for path in FOLDER.rglob("*") if path.is_file()} == {".toml", ".csv"}
    assert (study.id, study.version, study.protocol) == ("tiny", 1, "1.0")
    assert list(study.events) == ["SCR", "WEEK", "FU6M", "FU12M", "LOG"]
    assert set(study.forms) == {"AE", "AEG", "BASIC", "CONS", "DOSE", "LAB", "QOL"}
    assert study.parameters["MINAGE"].assumed
    assert not study.parameters["PLACES"].assumed


def test_the_amendment_adds_a_form_and_an_item_without_code():
    study = tiny(2)
    assert study.forms["ECG"].items[0].id == "QTC"
    assert study.item("AEREL").form_id == "AE"
    assert [each.form_id for each in study.events["FU12M"].forms] == ["BASIC", "LAB", "QOL", "ECG"]
    event = form("AE", {"AETERM": "x", "AESTDAT": "2027-03-01", "AESER": "N"}, "LOG")
    assert judge(event, version=2).missing_required == ["AE/1/AEREL"]
    assert judge(event, version=1).missing_required == []


def test_text_in_memory_reads_like_a_folder():
    assert load_study(files()).items.keys() == read_study(FOLDER / "v1").items.keys()


def test_the_hash_follows_the_text_and_nothing_else():
    text = files()
    shuffled = dict(reversed(list(text.items())))
    windows = {name: content.replace("\n", "\r\n") for name, content in text.items()}
    assert hash_files(text) == hash_files(shuffled) == hash_files(windows)
    assert hash_files(text) != hash_files(files(2))
    assert hash_files({**text, "checks.toml": text["checks.toml"] + " "}) != hash_files(text)
    moved = {("forms/ZZ.toml" if name == "forms/AE.toml" else name): content for name, content in text.items()}
    assert hash_files(moved) != hash_files(text)


def test_only_text_is_read(tmp_path):
    (tmp_path / "forms").mkdir()
    (tmp_path / "study.toml").write_text("id = 'x'", encoding="utf-8")
    (tmp_path / "run.py").write_text("raise SystemExit", encoding="utf-8")
    assert set(read_files(tmp_path)) == {"study.toml"}


def test_items_belong_to_their_form_and_group():
    study = tiny()
    assert study.form_of("LBRES").id == "LAB"
    assert study.item("LBRES").group_id == "LBROWS"
    assert [group.repeats for group in study.forms["LAB"].groups] == [False, True]
    assert study.forms["AE"].children == ("AEG",)
    assert study.forms["AEG"].groups[0].repeats
    assert study.document_form("AEG").id == "AE"
    assert study.options_for(study.item("LBTEST"))["ALT"].text("zh") == "丙氨酸氨基转移酶"
    assert list(study.options_for(study.item("SYMPT"))) == ["PAIN", "ITCH"]


def test_a_family_is_one_catalogue_item_and_many_items():
    quality = tiny().forms["QOL"]
    assert quality.catalogue_items == 2
    assert [item.id for item in quality.items] == ["Q1", "Q2", "Q3", "Q4", "QMEAN", "QDONE"]
    assert quality.items[2].label.text("en") == "Question 3"
    assert quality.items[2].label.text("zh") == "问题3"
    assert quality.items[4].label.text("en") == "Mean of the answers"
    assert quality.items[4].derive is not None
    assert {item.family for item in quality.items} == {"Q1_Q4", "QSCORES"}


def test_a_series_of_visits_is_written_out():
    events = tiny().events
    assert (events["FU6M"].number, events["FU6M"].offset_months, events["FU6M"].label.zh) == (
        206,
        6,
        "随访6个月",
    )
    assert [each.form_id for each in events["FU6M"].forms] == ["BASIC"]
    assert [each.form_id for each in events["FU12M"].forms] == ["BASIC", "LAB", "QOL"]


def test_forms_of_an_event_are_required_or_optional():
    assert [(each.form_id, each.required) for each in tiny().events["SCR"].forms] == [
        ("BASIC", True),
        ("CONS", True),
        ("LAB", False),
    ]


def test_a_range_is_a_check_and_is_known_as_a_range():
    height = tiny().item("HEIGHT")
    assert height.hard_range == (Decimal(50), Decimal(250))
    assert [check.severity for check in height.checks] == ["hard", "soft"]


def test_rows_come_from_the_table():
    study = tiny()
    group = study.forms["LAB"].groups[1]
    rows = listed_rows(study, record(), form("LAB", {"LBPAN": "HEM"}), group, TODAY)
    assert [(key, label.text("en"), row["unit"]) for key, label, row in rows] == [
        ("HGB", "Haemoglobin", "g/L"),
        ("WBC", "White cells", "10^9/L"),
    ]
    assert listed_rows(study, record(), form("LAB", {}), group, TODAY) == []


@pytest.mark.parametrize(
    ("text", "expected"), [("min(CONS.CONSDAT) + 28", date(2027, 3, 1)), ("max(DOSE.DOSDAT)", None)]
)
def test_anchors_are_expressions_about_the_participant(text, expected):
    assert value(text, form("CONS", {"CONSDAT": "2027-02-01"})) == expected


def test_a_form_is_judged_in_milliseconds():
    basic = form("BASIC", {"VISDAT": "2027-05-01", "HEIGHT": "160", "WEIGHT": "60", "SYMPT": ["PAIN"], "PAINGR": "1"})
    judge(basic)
    start = perf_counter()
    for _ in range(20):
        assert get(judge(basic).answers, "BASIC/1/BMI") == "23.4"
    assert (perf_counter() - start) / 20 < 0.01


def test_the_whole_breast_study_is_read_in_time():
    text = read_files(CARBON)
    start = perf_counter()
    load_study(text)
    assert perf_counter() - start < 5  # 0.5 s alone; the bound leaves room for a busy machine
