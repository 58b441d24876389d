"""The registry: every output of section 4.10, in both languages, traceable, named by its parameters, and kept as files."""

import re
from datetime import datetime

import openpyxl
import pypdfium2
import pytest
from defusedxml.ElementTree import fromstring

from exports.analysis import outputs, printing, rendering, workbook
from exports.analysis.registry import REGISTRY, cell, make
from tests.exports.analysis.hand import day, row, treated, trial

PLANNED = {
    "T1": 4,
    "T2": 5,
    "T3": 5,
    "T4": 4,
    "T5": 6,
    "T6": 10,
    "T7": 4,
    "T8": 4,
    "T9": 2,
}


@pytest.fixture(scope="module")
def made():
    """Two treated participants, one of whom responded and had an event of each kind."""
    also = [
        ("TLROWS", row(event="SCR", ROW="1", TLID="T01", TLTYP="PRIM", TLSTAT="MEA", TLDIA="20", TLDAT=day(-20))),
        ("TLROWS", row(event="FU6M", ROW="1", TLID="T01", TLTYP="PRIM", TLSTAT="ABS", TLDAT=day(210))),
        ("RSP", row(event="FU6M", RSPCCR="CCR", RSPDAT=day(210), RSPOVI="CR")),
        ("IM", row(event="FU6M", IMMOD="MRI", IMDAT=day(210))),
        ("AE", row(event="LOG", AECTCT="10061103", AETERM="=1+1", AESTDAT=day(20), AERELRT="DEF", AESER="Y")),
        ("AEG", row(event="LOG", ROW="1", AGSTDAT=day(20), AGGR="3")),
        ("REC", row(event="LOG", RECTYP="LOC", RECDAT=day(300), RECFLD="IN")),
        ("DV", row(event="LOG", DVCAT="VIS", DVTERM="=HYPERLINK()", DVSTDAT=day(3), DVSEV="MIN", DVIMP="N")),
    ]
    rows = [*treated("01-S001", also=also), *treated("02-S001")]
    visits = [("SCR", day(-20), "done"), ("FU6M", day(210), "done")]
    people = [{"SCRNO": "01-S001", "visits": visits}, {"SCRNO": "02-S001", "visits": visits[:1]}]
    return trial(rows, people)


@pytest.mark.parametrize("group", PLANNED)
def test_every_table_of_the_specification_is_registered(group):
    assert [id for id in outputs.ids() if id.startswith(group)] == [
        f"{group}.{n}" for n in range(1, PLANNED[group] + 1)
    ]


def test_every_listing_and_figure_of_the_specification_is_registered():
    for kind, last in (("L", 16), ("F", 12)):
        numbers = {int(id[1:].partition(".")[0]) for id in outputs.ids() if id[0] == kind}
        assert numbers == set(range(1, last + 1))


@pytest.mark.parametrize("id", list(REGISTRY))
def test_an_output_has_both_languages_whole_rows_and_a_cut_off(made, id):
    found = make(made, id)
    assert all(len(each) == len(found.columns) for each in found.rows)
    assert all(text.en and text.zh for text in rendering.texts(found))
    assert found.title.en != found.title.zh and re.search("[一-鿿]", found.title.zh)
    assert found.footnotes[-1].en.startswith("Data cut-off 2029-12-31")


@pytest.mark.parametrize("id", list(REGISTRY))
def test_a_cell_that_counts_somebody_can_be_traced(made, id):
    known = {key.partition("/")[0] for key in ("01-S001/", "02-S001/")}
    for each in make(made, id).rows:
        for found in each:
            assert all(key.partition("/")[0] in known for key in found.keys)
            if re.match(r"[1-9]\d* \(\d", found.text.en):
                assert found.keys, (id, found)


@pytest.mark.parametrize("id", list(REGISTRY))
def test_parameters_are_named_in_the_footnotes(made, id):
    notes = {note.en for note in make(made, id).footnotes}
    for name in REGISTRY[id].parameters:
        assert made.parameters[name].text("en") in notes


@pytest.mark.parametrize("id", [id for id in REGISTRY if id.startswith("F")])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_figure_is_an_svg_that_a_screen_reader_can_name(made, id, language):
    svg = make(made, id).draw(language)
    root = fromstring(svg)
    title = next(each for each in root if each.tag.endswith("title"))
    assert title.text and root.attrib["role"] == "img" and "nan" not in svg


def test_counts_by_hand(made):
    rows = {each[0].text.en: each[1] for each in make(made, "T1.1").rows}
    assert rows["Enrolled"].text.en == "2 (100.0%)" and rows["Enrolled"].number == 2
    cells = {each[0].text.en: [c.text.en for c in each] for each in make(made, "T4.3").rows}
    assert cells["By 6 months"][1:4] == ["1/2", "50.0%", "1.3% – 98.7%"]
    failure = make(made, "T5.2").rows[0]
    assert failure[0].text.zh == "局部" and "01-S001/LOG.1/REC.1" in failure[1].keys


def test_complete_response_is_tested_once_the_study_states_a_null_rate():
    assert make(trial(treated()), "T4.3").rows[0][4].text.en == "–"
    found = make(trial(treated(), values={"null_rate": 0.5}), "T4.3")
    assert found.rows[0][4].text.en == "1.0000" and any("= 0.5" in note.en for note in found.footnotes)


def test_a_parameter_changes_the_output_and_its_footnote():
    also = [
        ("AE", row(event="LOG", AECTCT="10016256", AESTDAT=day(100), AERELRT="DEF")),
        ("AEG", row(event="LOG", ROW="1", AGSTDAT=day(100), AGGR="3")),
    ]
    for days, shown in ((90, "0 (0.0%)"), (120, "1 (100.0%)")):
        found = make(trial(treated(also=also), values={"dlt_days": days}), "T6.9")
        limited = next(each for each in found.rows if each[0].text.en.startswith("With dose-limiting"))
        assert limited[1].text.en == shown
        assert any(f"Dose-limiting until (days) = {days}" in note.en for note in found.footnotes)


def test_a_trial_without_anybody_gives_empty_outputs():
    empty = trial([], subjects=[{"SCRNO": "01-S001", "STATUS": "screening"}])
    for id in REGISTRY:
        found = make(empty, id)
        assert rendering.html(found, "en")
        if found.draw:
            fromstring(found.draw("zh"))


def test_html_names_the_records_of_a_cell_and_escapes(made):
    page = rendering.html(make(made, "L4"), "zh")
    assert 'data-keys="01-S001/LOG.1/DV.1"' in page and "列表 L4" in page
    assert "=HYPERLINK()" in page
    assert "<script" not in rendering.html(make(made, "L12"), "en")


@pytest.mark.req("SEC-33")
def test_csv_is_exact_and_keeps_its_sources(made):
    text = rendering.as_csv(make(made, "L4"), "en")
    assert ",=HYPERLINK()," in text and "01-S001/LOG.1/DV.1" in text and text.splitlines()[0].endswith("Source records")


@pytest.mark.req("SEC-33")
def test_the_workbook_has_a_sheet_each_and_the_sources_and_no_formula(made, tmp_path):
    chosen = [make(made, id) for id in ("T1.1", "L4", "F3")]
    for name in ("a.xlsx", "b.xlsx"):
        workbook.write(chosen, tmp_path / name, "en")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Contents", "T1.1", "L4", "F3", "SOURCES"]
    kinds = {each.data_type for sheet in book for line in sheet.iter_rows() for each in line}
    assert "f" not in kinds
    sources = [line for line in book["SOURCES"].iter_rows(values_only=True) if line[0] == "L4"]
    place = sources[0]
    assert book["L4"][f"{place[2]}{place[1]}"].value == "01-001" and place[3] == "01-S001/LOG.1/DV.1"


@pytest.mark.parametrize(("language", "words"), [("en", "Best overall response"), ("zh", "最佳总体疗效")])
def test_the_pdf_prints_tables_and_figures_in_both_languages(made, tmp_path, language, words):
    chosen = [make(made, id) for id in ("T4.2", "F3", "F5", "F6.2", "F8.1")]
    document = pypdfium2.PdfDocument(printing.write(chosen, "study", language, datetime(2026, 1, 1)))
    pages = [page.get_textpage().get_text_range() for page in document]
    assert len(pages) == 5 and words in pages[0]
    assert "01-001" in pages[2]


def test_nothing_is_a_dash():
    assert cell(None).text.en == "–" and cell("").text.zh == "–" and cell(0).text.en == "0"
