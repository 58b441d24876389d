"""Each format gives back what was put in: exactly in CSV, typed elsewhere, and never as a formula."""

import csv
import time
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest
from openpyxl import load_workbook

from exports import as_csv, as_excel, as_parquet, as_spss, as_stata, as_xpt
from exports.shape import Code, Table, Variable

PAYLOADS = [
    "=1+1",
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://example.invalid","x")',
    "#N/A",
    "#REF!",
    '"=1+1"',
    "=1+1;x",
]
CHINESE = [
    "武威重离子中心",
    "𠮷野家",
    "é combined",
    "👩🏽‍⚕️ emoji",
    "１２０",
    'a "quoted", text',
    "two\r\nlines",
    " spaces ",
]


def table(columns: dict[str, list], kinds: dict[str, str] | None = None) -> Table:
    """A table whose columns are text unless `kinds` says otherwise."""
    kinds = kinds or {}
    variables = [Variable(name, kinds.get(name, "text"), f"{name} label", f"{name}标签", item=name) for name in columns]
    return Table("TAB", "A table", "一个表", variables, columns)


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.req("SEC-33", "DAT-17")
def test_csv_gives_back_every_text_exactly(tmp_path):
    texts = PAYLOADS + CHINESE
    as_csv.write(table({"A": list(texts), "B": ["x"] * len(texts)}), tmp_path / "t.csv")
    assert [row[0] for row in read_csv(tmp_path / "t.csv")[1:]] == texts
    raw = (tmp_path / "t.csv").read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf") and raw.endswith(b"\r\n")


@pytest.mark.req("DAT-04")
def test_the_code_NA_is_a_text_and_not_an_empty_field(tmp_path):
    as_csv.write(table({"A": ["NA", None, "ND"], "B": ["1", "2", "3"]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b"A,B\r\nNA,1\r\n,2\r\nND,3\r\n"


def test_numbers_keep_their_trailing_zeros_in_csv_and_are_numbers_elsewhere(tmp_path):
    made = table({"W": ["63.50", "-2.3", None]}, {"W": "number"})
    as_csv.write(made, tmp_path / "t.csv")
    assert [row[0] if row else "" for row in read_csv(tmp_path / "t.csv")[1:]] == ["63.50", "-2.3", ""]
    assert made.frame["W"].dtype == "float64"
    assert made.frame["W"].tolist()[:2] == [63.5, -2.3]


def test_columns_are_typed_in_the_frame():
    made = table(
        {"I": ["1", None], "D": ["1988-07-01", None], "T": ["a", None], "M": ["2026-01-02T03:04:05", None]},
        {"I": "integer", "D": "date", "M": "datetime"},
    )
    assert [str(kind) for kind in made.frame.dtypes] == ["Int64", "datetime64[us]", "str", "datetime64[us]"]
    assert made.frame["D"][0] == pd.Timestamp("1988-07-01")
    assert made.arrow["D"].to_pylist()[1] is None


def test_a_value_that_does_not_fit_its_type_is_named_and_stays_exact_in_csv(tmp_path):
    made = table({"W": ["1.5", "about 3"]}, {"W": "number"})
    assert made.arrow["W"].to_pylist() == [1.5, None]
    assert made.faults == ["TAB.W, row 2: not a number"]
    as_csv.write(made, tmp_path / "t.csv")
    assert "about 3" in (tmp_path / "t.csv").read_text()


@pytest.mark.req("SEC-33", "SEC-34")
def test_a_workbook_holds_no_formula_whatever_was_typed(tmp_path):
    path = tmp_path / "t.xlsx"
    numbers = ["-2.3", "-5"] + [None] * (len(PAYLOADS) - 2)
    as_excel.write([table({"A": list(PAYLOADS), "N": numbers}, {"N": "number"})], path, [("=1+1", "@x")])
    with zipfile.ZipFile(path) as archive:
        assert not any(b"<f>" in archive.read(name) or b"<f " in archive.read(name) for name in archive.namelist())
    sheet = load_workbook(path)["TAB"]
    cells = [sheet.cell(row, 1) for row in range(2, len(PAYLOADS) + 2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in cells] == list(PAYLOADS), "carriage returns too"
    assert [sheet.cell(row, 2).value for row in (2, 3)] == [-2.3, -5]
    assert {sheet.cell(row, 2).data_type for row in (2, 3)} == {"n"}


@pytest.mark.req("DAT-17")
def test_a_workbook_keeps_chinese_and_makes_control_characters_visible(tmp_path):
    texts = ["武威", "𠮷", "👩🏽‍⚕️", "a\x01b\x1f", "x" * 40_000]
    as_excel.write([table({"A": texts})], tmp_path / "t.xlsx", [])
    sheet = load_workbook(tmp_path / "t.xlsx")["TAB"]
    values = [sheet.cell(row, 1).value for row in range(2, 7)]
    assert values[:4] == ["武威", "𠮷", "👩🏽‍⚕️", "a␁b␟"]
    assert len(values[4]) == as_excel.LONGEST_TEXT and values[4].endswith(as_excel.CUT)


def test_rows_beyond_a_sheet_go_on_in_the_next_and_names_stay_unique(tmp_path):
    long_name = Table("A" * 40, "x", "x", [Variable("A", "text", "A", "A")], {"A": [str(n) for n in range(5)]})
    as_excel.write([long_name, long_name], tmp_path / "t.xlsx", [], most_rows=3)
    book = load_workbook(tmp_path / "t.xlsx")
    assert len(book.sheetnames) == len(set(book.sheetnames)) == 1 + 3 + 3
    assert max(map(len, book.sheetnames)) <= 31
    values = [row[0] for name in book.sheetnames[1:4] for row in book[name].iter_rows(min_row=2, values_only=True)]
    assert values == ["0", "1", "2", "3", "4"]
    assert all(book[name].freeze_panes == "A2" for name in book.sheetnames[1:])


def test_dates_before_1900_and_numbers_of_more_than_15_digits_stay_text_in_a_workbook(tmp_path):
    made = table({"D": ["1899-12-31", "1988-07-01"], "N": ["1234567890.1234567", "1.5"]}, {"D": "date", "N": "number"})
    as_excel.write([made], tmp_path / "t.xlsx", [])
    sheet = load_workbook(tmp_path / "t.xlsx")["TAB"]
    assert sheet["A2"].value == "1899-12-31" and sheet["A3"].value.isoformat() == "1988-07-01T00:00:00"
    assert sheet["B2"].value == "1234567890.1234567" and sheet["B3"].value == 1.5


def test_parquet_keeps_types_and_labels(tmp_path):
    as_parquet.write(
        table({"A": ["武威", "NA", None], "N": ["1.50", None, "2"]}, {"N": "number"}), tmp_path / "t.parquet"
    )
    read = pq.read_table(tmp_path / "t.parquet")
    assert read["A"].to_pylist() == ["武威", "NA", None] and read["N"].to_pylist() == [1.5, None, 2.0]
    assert read.schema.field("A").metadata[b"label_zh"] == "A标签".encode()


SEX = (Code("F", "Female", "女"), Code("M", "Male", "男"))
FLAG = (Code("0", "No", "否"), Code("1", "Yes", "是"))


def coded() -> Table:
    variables = [
        Variable("SEX", "text", "Sex", "性别", item="SEX", codes=SEX),
        Variable(
            "GR",
            "text",
            "Grade",
            "分级",
            item="GR",
            codes=tuple(Code(str(n), f"G{n}", f"{n}级") for n in range(4)),
        ),
        Variable("HOT", "integer", "Hot", "热", item="HOT", codes=FLAG),
        Variable("D", "date", "Date", "日期", item="D"),
        Variable("T", "text", "Text", "文本", item="T"),
    ]
    columns = {
        "SEX": ["F", None],
        "GR": ["3", "0"],
        "HOT": [1, None],
        "D": ["1988-07-01", None],
        "T": ["𠮷", "NA"],
    }
    return Table("TAB", "A table", "一个表", variables, columns)


def test_spss_has_labels_of_variables_and_codes_in_both_languages(tmp_path):
    as_spss.write(coded(), tmp_path / "t.sav")
    frame, meta = pyreadstat.read_sav(tmp_path / "t.sav")
    assert meta.column_names_to_labels["SEX"] == "Sex · 性别"
    assert meta.variable_value_labels["SEX"] == {"F": "Female · 女", "M": "Male · 男"}
    assert frame["T"].tolist() == ["𠮷", "NA"] and frame["D"][0].isoformat() == "1988-07-01"


def test_stata_has_labels_and_a_numbered_twin_of_every_coded_item(tmp_path):
    as_stata.write(coded(), tmp_path / "t.dta")
    frame, meta = pyreadstat.read_dta(tmp_path / "t.dta")
    assert meta.variable_value_labels["SEX_N"] == {1: "F = Female · 女", 2: "M = Male · 男"}
    assert frame["SEX"].tolist() == ["F", ""] and frame["SEX_N"][0] == 1
    assert frame["GR_N"].tolist() == [3, 0], "codes that are whole numbers keep them"
    assert pd.read_stata(tmp_path / "t.dta", convert_categoricals=False)["T"].tolist() == ["𠮷", "NA"]


def test_xpt_is_read_by_another_program_with_short_unique_names(tmp_path):
    long = "长" * 150  # 450 bytes: three pieces of at most 200
    variables = [
        Variable("AETERM", "text", "Reported term", "不良事件名称", item="AETERM"),
        Variable("AETERM_MISS", "text", "Reason", "原因", role="missing", item="AETERM"),
        Variable("AETERM_MIXED", "text", "Other", "其他"),
        Variable("W", "number", "x" * 60, "x"),
    ]
    made = Table("TAB", "t", "t", variables, {
        "AETERM": [long, "NA"], "AETERM_MISS": [None, "ND"], "AETERM_MIXED": ["a", "b"],
        "W": ["-2.30", None]})  # fmt: skip
    renamed = as_xpt.write(made, tmp_path / "t.xpt")
    names = [row.name for row in renamed]
    assert len(set(names)) == len(names) and max(map(len, names)) <= 8
    frame = pd.read_sas(tmp_path / "t.xpt", format="xport", encoding="utf-8")
    pieces = [row.name for row in renamed if row.variable == "AETERM"]
    assert "".join(frame[piece][0] for piece in pieces) == long and len(pieces) == 3
    assert frame[pieces[0]][1] == "NA"
    number = next(row.name for row in renamed if row.variable == "W")
    assert frame[number][0] == pytest.approx(-2.3)


def test_xpt_file_names_are_short_and_unique():
    names = as_xpt.short_table_names(["LABORATORYRESULTS", "LABORATORYOTHER", "AE"])
    assert len(set(names.values())) == 3 and max(map(len, names.values())) <= 8 and names["AE"] == "AE"


@pytest.mark.req("DAT-02", "CPY-05")
def test_the_same_data_give_the_same_bytes_in_every_format(tmp_path):
    folders = []
    for year in ("2026", "2031"):
        folder = tmp_path / year
        folder.mkdir()
        for write, name in (
            (as_csv.write, "t.csv"), (as_parquet.write, "t.parquet"), (as_spss.write, "t.sav"),
            (as_stata.write, "t.dta"), (as_xpt.write, "t.xpt"),
        ):  # fmt: skip
            write(coded(), folder / name)
        as_excel.write([coded()], folder / "t.xlsx", [("a", "b")])
        folders.append(folder)
        time.sleep(1.1)  # formats that keep the time of writing keep seconds
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes(), path.name


@pytest.mark.parametrize("write, name", [
    (as_csv.write, "e.csv"), (as_parquet.write, "e.parquet"), (as_spss.write, "e.sav"),
    (as_stata.write, "e.dta"), (as_xpt.write, "e.xpt"),
])  # fmt: skip
def test_a_table_without_rows_is_written(tmp_path, write, name):
    empty = coded()
    empty.columns = {key: [] for key in empty.columns}
    write(empty, tmp_path / name)
    assert (tmp_path / name).stat().st_size > 0


@pytest.mark.parametrize("module, read", [(as_spss, pyreadstat.read_sav), (as_stata, pyreadstat.read_dta)])
def test_long_labels_and_long_texts_fit_the_limits_of_statistics_programs(tmp_path, module, read):
    label_en, label_zh, text = "A long question " * 20, "很长的问题" * 40, "长文本 text " * 300
    codes = (Code("1", "b" * 200, "长" * 80), Code("2", "b", "短"))
    variables = [
        Variable("A", "text", label_en, label_zh, item="A"),
        Variable("B", "text", label_zh, label_zh, item="B", codes=codes),
    ]
    made = Table("TAB", label_en, label_zh, variables, {"A": [text.strip(), None], "B": ["1", None]})
    module.write(made, tmp_path / "t")
    frame, _ = read(tmp_path / "t")
    assert frame["A"][0] == text.strip() and frame["B"][0] == "1"
