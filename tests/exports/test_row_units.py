"""A standardised laboratory result carries the unit of its row into every export (DAT-02)."""

from pathlib import Path

import pytest

from design.definitions import StudyDef
from design.faults import StudyFaults
from design.reader import load_study, read_study
from exports import columns
from exports.layout import ItemColumn
from tests import small_study

HOME = Path(__file__).resolve().parents[2] / "crf" / "carbon-breast" / "v1"


@pytest.fixture(scope="module")
def study() -> StudyDef:
    return read_study(HOME)


@pytest.mark.req("DAT-02")
def test_each_row_has_its_own_unit_and_a_missing_result_has_none(study: StudyDef) -> None:
    column = ItemColumn("LBSTRES", {1: study.items["LBSTRES"]})
    built = columns.build(column, ("4.5", "121", None), [1, 1, 1], {1: study}, ["WBC", "HGB", "PLT"])
    assert list(built.columns["LBSTRES_UNIT"]) == ["10^9/L", "g/L", None]


def test_every_numeric_test_of_the_laboratory_table_has_a_unit(study: StudyDef) -> None:
    units = study.row_units(study.items["LBSTRES"])
    assert set(units) >= {key for key, row in study.tables["lab"].rows.items() if row["kind"] == "number"}
    assert study.unit_of(study.items["HEIGHT"], "1") == study.items["HEIGHT"].unit


def test_a_unit_column_that_the_table_lacks_is_a_fault() -> None:
    files = small_study.files()
    files["forms/LB.toml"] = files["forms/LB.toml"].replace(
        'type = "labvalue"\n', 'type = "labvalue"\nrow_unit = "nowhere"\n', 1
    )
    with pytest.raises(StudyFaults) as found:
        load_study(files)
    assert any("nowhere" in str(fault) for fault in found.value.faults)
