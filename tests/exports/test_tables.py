"""Tidy tables: what stands in which column, and what is left out."""

from datetime import date

import pytest

from exports import tables
from tests.exports.two_versions import cells, column, database, scope


@pytest.fixture
def data(tmp_path):
    with database(tmp_path) as opened:
        yield opened


def read(data, **more):
    return tables.read(data.connection, scope(**more))


KEYS = ["STUDYID", "SITEID", "SUBJID", "SCRNO", "VISIT", "VISITNUM", "EVENT", "REPEAT", "FORM_REPEAT", "ROW"]


def test_keys_come_first_and_items_follow_in_the_order_of_the_crf(data):
    subject = data.subject(number="01-001")
    data.form(subject, "VS", cells(HEIGHT="165.0"))
    table = read(data)["VS"]
    names = [variable.name for variable in table.variables]
    assert names[:11] == [*KEYS, "STUDY_VERSION"]
    values = [name for variable in table.variables if (name := variable.name) and variable.role == "value"]
    assert values == ["HEIGHT", "PULSE", "SEX", "ONSET", "SYMP", "NOTE"]
    row = [column(table, key)[0] for key in [*KEYS, "STUDY_VERSION"]]
    assert row == ["tiny", "01", "01-001", "01-S001", "Screening", 10, "SCR", 1, 1, None, 2]


@pytest.mark.req("DAT-02")
def test_a_number_keeps_its_text_its_type_and_its_unit(data):
    data.form(data.subject(), "VS", cells(HEIGHT="165.0"))
    table = read(data)["VS"]
    assert column(table, "HEIGHT") == ["165.0"] and column(table, "HEIGHT_UNIT") == ["cm"]
    assert table.frame["HEIGHT"].tolist() == [165.0]


@pytest.mark.req("DAT-04")
def test_blank_and_each_missing_reason_are_four_distinct_encodings(data):
    for answer in (
        {},
        {"HEIGHT": {"missing": "ND"}},
        {"HEIGHT": {"missing": "NA"}},
        {"HEIGHT": {"missing": "UNK"}},
    ):
        data.form(data.subject(), "VS", cells(NOTE="x", **answer))
    made = read(data)
    assert column(made["VS"], "HEIGHT") == [None] * 4
    assert column(made["VS"], "HEIGHT_MISS") == [None, "ND", "NA", "UNK"]
    assert column(made["VS"], "HEIGHT_UNIT") == [None] * 4
    assert list(zip(column(made["MISSING"], "SCRNO"), column(made["MISSING"], "REASON_EN"), strict=True)) == [
        ("01-S002", "Not done"), ("01-S003", "Not applicable"), ("01-S004", "Unknown"),
    ]  # fmt: skip


@pytest.mark.req("AUD-16", "DAT-02")
def test_two_versions_stand_side_by_side_each_with_its_own_labels(data):
    data.form(data.subject(), "VS", cells(SEX="F", PULSE="72"), number=1)
    data.form(data.subject(), "VS", cells(SEX="F"), number=2)
    table = read(data)["VS"]
    assert column(table, "STUDY_VERSION") == [1, 2]
    assert column(table, "PULSE") == ["72", None]
    assert column(table, "SEX") == ["F", "F"]
    assert column(table, "SEX_EN") == ["Female", "Woman"] and column(table, "SEX_ZH") == ["女", "女"]
    sex = next(variable for variable in table.variables if variable.name == "SEX")
    assert [(code.code, code.en, code.versions) for code in sex.codes] == [
        ("F", "Female", (1,)), ("M", "Male", (1, 2)), ("F", "Woman", (2,)),
    ]  # fmt: skip


def test_partial_dates_stay_as_collected_beside_the_days_they_may_mean(data):
    for text in ("2024", "2024-02", "2024-02-03"):
        data.form(data.subject(), "VS", cells(ONSET=text))
    table = read(data)["VS"]
    assert column(table, "ONSET") == ["2024", "2024-02", "2024-02-03"]
    assert table.arrow["ONSET_EARLIEST"].to_pylist() == [date(2024, 1, 1), date(2024, 2, 1), date(2024, 2, 3)]
    assert table.arrow["ONSET_LATEST"].to_pylist() == [
        date(2024, 12, 31),
        date(2024, 2, 29),
        date(2024, 2, 3),
    ]


def test_several_answers_become_flags_that_are_empty_where_nothing_was_answered(data):
    data.form(data.subject(), "VS", cells(SYMP=["P", "C"]))
    data.form(data.subject(), "VS", cells(SYMP=["C"]))
    data.form(data.subject(), "VS", cells(SYMP={"missing": "UNK"}))
    table = read(data)["VS"]
    assert column(table, "SYMP") == ["P;C", "C", None]
    assert column(table, "SYMP__P") == [1, 0, None] and column(table, "SYMP__C") == [1, 1, None]
    assert column(table, "SYMP_MISS") == [None, None, "UNK"]


def test_rows_of_a_group_are_rows_of_their_own_table_with_their_labels(data):
    answers = {
        "LB": {"1": {"LBDAT": "2026-03-01"}},
        "LBROWS": {"WBC": {"LBRES": "5.10"}, "HGB": {"LBRES": "<0.5"}},
    }
    data.form(data.subject(), "LB", answers)
    made = read(data)
    assert column(made["LB"], "LBDAT") == ["2026-03-01"] and "LBRES" not in made["LB"].columns
    rows = made["LBROWS"]
    assert column(rows, "ROW") == ["WBC", "HGB"]
    assert column(rows, "ROW_EN") == ["White cells", "Haemoglobin"]
    assert column(rows, "LBRES") == ["5.10", "<0.5"] and column(rows, "LBRES_NUM") == ["5.10", None]


def test_a_child_form_has_its_own_table_keyed_by_its_parent(data):
    subject = data.subject()
    for repeat, grades in ((1, ["2", "3"]), (2, ["1"])):
        rows = {str(n): {"AGGR": grade} for n, grade in enumerate(grades, start=1)}
        data.form(subject, "AE", {"AE": {"1": {"AETERM": "skin"}}, "AEG": rows}, "LOG", repeat=repeat)
    made = read(data)
    assert column(made["AE"], "FORM_REPEAT") == [1, 2]
    keys = [column(made["AEG"], key) for key in ("FORM_REPEAT", "ROW", "AGGR")]
    assert list(zip(*keys, strict=True)) == [(1, "1", "2"), (1, "2", "3"), (2, "1", "1")]


def test_records_and_rows_in_error_are_left_out_unless_asked_for(data):
    subject = data.subject()
    data.form(subject, "AE", {"AE": {"1": {"AETERM": "wrong"}}}, "LOG", in_error="other person")
    rows = {"1": {"AGGR": "1"}, "2": {"AGGR": "2", "_error": "typed twice"}}
    data.form(subject, "AE", {"AE": {"1": {"AETERM": "skin"}}, "AEG": rows}, "LOG", repeat=2)
    made = read(data)
    assert column(made["AE"], "AETERM") == ["skin"] and column(made["AEG"], "ROW") == ["1"]
    assert "IN_ERROR" not in made["AE"].columns and made["FORMS"].rows == 1
    asked = read(data, with_errors=True)
    assert column(asked["AE"], "IN_ERROR") == ["other person", None]
    assert column(asked["AEG"], "IN_ERROR") == [None, "typed twice"] and asked["FORMS"].rows == 2


@pytest.mark.req("PRV-01")
def test_identifiers_are_left_out_unless_asked_for(data):
    data.form(data.subject(), "VS", cells(PATHNO="B2026-1"))
    assert not any(name.startswith("PATHNO") for name in read(data)["VS"].columns)
    assert column(read(data, with_masked=True)["VS"], "PATHNO") == ["B2026-1"]


@pytest.mark.req("SEC-19")
def test_only_the_sites_in_scope_are_read(data):
    for site in (1, 2):
        data.form(data.subject(site), "VS", cells(NOTE=f"site {site}"))
    made = read(data, site_ids=frozenset({2}))
    assert column(made["VS"], "NOTE") == ["site 2"]
    assert column(made["SUBJECTS"], "SITEID") == ["02"] and set(column(made["EVENTS"], "SITEID")) == {"02"}
    assert column(made["FORMS"], "SITEID") == ["02"]


def test_a_form_that_was_not_done_has_no_row_but_a_state_with_its_reason(data):
    not_done = {"_form": {"1": {"_not_done": {"missing": "ND"}}}}
    data.form(data.subject(), "VS", not_done, entry="not_done")
    made = read(data)
    assert made["VS"].rows == 0
    assert column(made["FORMS"], "ENTRY") == ["not_done"] and column(made["FORMS"], "NOT_DONE") == ["ND"]


def test_the_number_of_statements_depends_on_forms_not_on_participants(data):
    def statements(participants: int) -> int:
        for _ in range(participants):
            data.form(data.subject(), "VS", cells(HEIGHT="165.0"))
        data.statements.clear()
        read(data)
        return len([each for each in data.statements if each.startswith("SELECT")])

    assert statements(1) == statements(20)


def test_rows_are_ordered_by_participant_visit_and_repeat(data):
    first, second = data.subject(), data.subject()
    for subject, repeat in ((second, 1), (first, 2), (first, 1)):
        data.form(subject, "AE", {"AE": {"1": {"AETERM": "x"}}}, "LOG", repeat=repeat)
    table = read(data)["AE"]
    assert list(zip(column(table, "SCRNO"), column(table, "FORM_REPEAT"), strict=True)) == [
        ("01-S001", 1), ("01-S001", 2), ("01-S002", 1),
    ]  # fmt: skip


def test_an_item_named_like_a_key_gives_way_to_the_key(data):
    data.form(data.subject(number="01-001"), "AE", {"AE": {"1": {"AETERM": "x", "SUBJID": "shown"}}}, "LOG")
    table = read(data)["AE"]
    names = [variable.name for variable in table.variables]
    assert len(names) == len(set(names))
    assert column(table, "SUBJID") == ["01-001"] and column(table, "AE_SUBJID") == ["shown"]


def test_a_flag_of_a_code_has_a_name_that_every_program_takes(data):
    data.form(data.subject(), "AE", {"AE": {"1": {"AETERM": "x", "SITES": ["L-1"]}}}, "LOG")
    table = read(data)["AE"]
    assert column(table, "SITES__L_1") == [0] and column(table, "SITES__L_1_2") == [1]
    assert column(table, "SITES") == ["L-1"]
