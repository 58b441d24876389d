"""The trial's analysis table: every expression compiles and every item it names is asked by the trial."""

from pathlib import Path

import pytest

from design.expressions import compile_expression
from design.reader import read_study

STUDY = read_study(Path(__file__).resolve().parents[2] / "crf" / "carbon-breast" / "v1")
ROWS = STUDY.tables["analysis"].rows
NEEDED = {
    "enrolled_on", "enrolment_cap", "tte_origin", "death", "last_alive", "withdrawn_all", "progression",
    "images", "new_therapy", "dose_planned", "dose_delivered", "response", "complete_response",
    "complete_response_code", "response_unevaluated", "adverse_event", "adverse_event_grade", "adverse_event_start",
}  # fmt: skip


def test_the_table_has_every_key_that_the_summary_needs():
    assert set(ROWS) >= NEEDED


@pytest.mark.parametrize("key", [key for key, row in ROWS.items() if row["kind"] == "expression"])
def test_an_expression_names_only_items_of_the_trial(key):
    rule = compile_expression(ROWS[key]["expression"])
    assert rule.items <= set(STUDY.items), sorted(rule.items - set(STUDY.items))
    assert {form for form, _ in rule.qualified} <= set(STUDY.forms)


@pytest.mark.parametrize("key", [key for key, row in ROWS.items() if row["kind"] == "column"])
def test_a_column_is_an_item_of_its_form(key):
    form, _, item = ROWS[key]["expression"].partition(".")
    assert STUDY.items[item].form_id == form


@pytest.mark.parametrize("key", ROWS)
def test_every_definition_has_a_sentence_in_both_languages_and_a_source(key):
    assert all(ROWS[key][column] for column in ("en", "zh", "source"))
