"""From answers to SDTM records, by a mapping in text: a small study whose every value is counted by hand."""

import pytest

from exports import sdtm
from tests.exports.sdtm.tiny_mapping import FILES, build, folder, rows
from tests.exports.two_versions import cells, database, scope


@pytest.fixture
def data(tmp_path):
    with database(tmp_path) as opened:
        yield opened


@pytest.fixture
def person(data):
    """Measured on 3 March, treated on 5 and 6 March, one event with two grades, the pulse not taken."""
    subject = data.subject(number="01-001")
    data.form(subject, "VS", cells(HEIGHT="165.0", PULSE={"missing": "ND"}, SEX="F", ONSET="2027-03-03",
                                   SYMP=["P", "C"], NOTE="稳定"), number=1)  # fmt: skip
    data.form(subject, "LB", {"LB": {"1": {"LBDAT": "2027-03-05"}}})
    grades = {"1": {"AGGR": "1"}, "2": {"AGGR": "2"}}
    data.form(subject, "AE", {"AE": {"1": {"AETERM": "皮炎"}}, "AEG": grades}, name="LOG")
    return subject


@pytest.fixture
def made(data, person, tmp_path):
    return build(data, tmp_path / "sdtm")


def test_a_row_becomes_a_record_for_each_test_that_was_asked(made):
    assert rows(made["VS"], "USUBJID", "VSSEQ", "VSTESTCD", "VSORRES", "VSORRESU", "VSSTRESC", "VSSTRESN") == [
        ("tiny/01-S001", 1, "HEIGHT", "165.0", "cm", "165", 165),
        ("tiny/01-S001", 2, "PULSE", None, None, None, None),
    ]


def test_a_missing_reason_says_not_done_and_why(made):
    assert rows(made["VS"], "VSTESTCD", "VSSTAT", "VSREASND") == [
        ("HEIGHT", None, None),
        ("PULSE", "NOT DONE", "NOT DONE"),
    ]


def test_a_question_without_any_answer_makes_no_record(data, tmp_path):
    data.form(data.subject(), "VS", cells(SEX="F"))
    assert "VS" not in build(data, tmp_path / "sdtm")


def test_study_days_leave_out_day_zero(made):
    assert rows(made["VS"], "VSDTC", "VSDY")[0] == ("2027-03-03", -2)
    assert rows(made["EX"], "EXSTDTC", "EXSTDY") == [("2027-03-05", 1)]


def test_an_epoch_is_that_of_the_element_that_had_begun(made):
    assert rows(made["SE"], "ETCD", "SESTDTC", "SEENDTC") == [
        ("SCR", "2027-03-03", "2027-03-05"),
        ("TRT", "2027-03-05", None),
    ]
    assert made["VS"].rows[0]["EPOCH"] == "SCREENING" and made["EX"].rows[0]["EPOCH"] == "TREATMENT"


def test_the_last_result_before_treatment_is_marked_and_only_that(made):
    assert rows(made["VS"], "VSTESTCD", "VSLOBXFL") == [("HEIGHT", "Y"), ("PULSE", None)]


def test_visits_are_named_as_the_trial_design_names_them_and_logs_are_none(made):
    assert made["VS"].rows[0]["VISITNUM"] == 10 and made["VS"].rows[0]["VISIT"] == "FIRST VISIT"
    assert "VISITNUM" not in made["AE"].rows[0]


def test_a_partial_date_stays_partial_and_has_no_day_and_no_epoch(data, tmp_path):
    subject = data.subject()
    data.form(subject, "VS", cells(HEIGHT="165.0", ONSET="2027-03"))
    data.form(subject, "LB", {"LB": {"1": {"LBDAT": "2027-03-05"}}})
    row = build(data, tmp_path / "sdtm")["VS"].rows[0]
    assert (row["VSDTC"], row["VSDY"], row["EPOCH"]) == ("2027-03", None, None)


def test_a_domain_reads_the_ones_built_before_and_aggregates_over_forms(made):
    assert rows(made["DM"], "SUBJID", "RFSTDTC", "SEX", "COUNT") == [("01-001", "2027-03-05", "F", 1)]


def test_first_and_last_of_a_dataset_follow_its_keys_not_the_order_of_entry(data, tmp_path):
    subject = data.subject()
    for repeat, term in ((1, "b"), (2, "a")):
        data.form(subject, "AE", {"AE": {"1": {"AETERM": term}}}, name="LOG", repeat=repeat)
    assert rows(build(data, tmp_path / "sdtm")["DM"], "FIRST") == [("a",)]


def test_supplemental_qualifiers_point_at_their_record_and_keep_chinese(made):
    assert rows(made["SUPPVS"], "RDOMAIN", "IDVAR", "IDVARVAL", "QNAM", "QVAL", "QORIG")[:2] == [
        ("VS", "VSSEQ", "1", "VSNOTE", "稳定", "CRF"),
        ("VS", "VSSEQ", "1", "PAIN", "Y", "CRF"),
    ]


def test_comments_have_their_date_and_their_record(made):
    assert rows(made["CO"], "RDOMAIN", "IDVAR", "IDVARVAL", "COVAL", "CODTC")[0] == (
        "VS", "VSSEQ", "1", "稳定", "2027-03-03",
    )  # fmt: skip


def test_relrec_pairs_records_that_point_at_each_other_and_datasets_that_share_a_link(made):
    assert rows(made["RELREC"], "RDOMAIN", "IDVAR", "IDVARVAL", "RELTYPE", "RELID") == [
        ("AE", "AESPID", None, "ONE", "D1"),
        ("FA", "FASPID", None, "MANY", "D1"),
        ("FA", "FASEQ", "1", None, "R00001"),
        ("AE", "AESEQ", "1", None, "R00001"),
        ("FA", "FASEQ", "2", None, "R00002"),
        ("AE", "AESEQ", "1", None, "R00002"),
    ]


def test_a_text_over_200_bytes_continues_in_supplemental_qualifiers(data, tmp_path):
    term = "皮" * 150  # 450 bytes
    data.form(data.subject(), "AE", {"AE": {"1": {"AETERM": term}}}, name="LOG")
    made = build(data, tmp_path / "sdtm")
    parts = [row["QVAL"] for row in made["SUPPAE"].rows if row["QNAM"].startswith("AETERM")]
    assert made["AE"].rows[0]["AETERM"] + "".join(parts) == term
    assert all(len(part.encode()) <= 200 for part in [made["AE"].rows[0]["AETERM"], *parts])


def test_a_code_without_a_term_is_reported_not_dropped_in_silence(data, tmp_path):
    data.form(data.subject(), "VS", cells(SEX="M", HEIGHT="170"))
    assert build(data, tmp_path / "sdtm").notes == ["codes.SEX has no term for 'M'"]


def test_what_was_marked_in_error_is_not_exported(data, tmp_path):
    data.form(data.subject(), "AE", {"AE": {"1": {"AETERM": "x"}}}, name="LOG", in_error="wrong participant")
    assert "AE" not in build(data, tmp_path / "sdtm")


def test_all_faults_of_a_mapping_are_found_at_once(tmp_path):
    broken = FILES["vs.toml"].replace('VSTEST = "name"', 'VSTEST = "name +"\nVSWRONG = "name"')
    home = folder(tmp_path, vs=broken.replace('from = "VS"', 'from = "VS"\nwhem = "true"'), standard='order = ["XX"]')
    with pytest.raises(sdtm.MappingFaults) as caught:
        sdtm.build(None, scope(), home)  # type: ignore[arg-type]
    told = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 7
    for part in ("VSTEST", "VSWRONG", "whem", "'XX'", "[ig]", "[ct]", "[usubjid]"):
        assert part in told
