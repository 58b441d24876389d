"""What has to be judged again after a save, and finding rows without looking at all of them."""

from threading import Thread

import pytest

from design.comparison import compare
from design.dependencies import dependents, rules_reading
from design.expressions import compile_expression
from design.reader import load_study
from tests.design.tiny import files, form, tiny, value

RULE = '"DOSDAT >= CONS.CONSDAT"'


def with_rule(rule: str):
    text = files()
    text["checks.toml"] = text["checks.toml"].replace(RULE, f'"{rule}"')
    return load_study(text)


def test_a_rule_that_reads_the_date_of_its_event_follows_the_date_of_the_visit():
    own = with_rule("DOSDAT >= event_date")
    assert dependents(own, "BASIC", frozenset({"VISDAT"}))["DOSE"] is False
    reading = rules_reading(own, "DOSE", "BASIC", frozenset({"VISDAT"}))
    assert reading is not None and [check.id for check in reading.checks] == ["X01"]
    others = with_rule("any(BASIC where event_date < this.DOSDAT)")
    assert dependents(others, "BASIC", frozenset({"VISDAT"}))["DOSE"] is True
    assert "DOSE" not in dependents(tiny(), "BASIC", frozenset({"VISDAT"}))


def test_rows_found_by_event_and_key_are_the_rows_that_a_search_finds():
    labs = [
        form("LAB", {"LBPAN": "CHE"}, event, rows={"LBROWS": {"ALT": {"LBRES": result}}})
        for event, result in (("SCR", "10"), ("WEEK", "20"), ("FU12M", "30"))
    ]
    for condition in ("event = 'WEEK' and row = 'ALT'", "'WEEK' = event and LBPAN = 'CHE'", "(event = 'WEEK')"):
        assert compile_expression(f"last(LAB.LBRES where {condition})").run is not None
        assert value(f"last(LAB.LBRES where {condition})", *labs) == "20"
        assert value(f"count(LAB.LBRES where not not ({condition}))", *labs) == 1
    assert value("count(LAB.LBRES where event = 'WEEK' or row = 'ALT')", *labs) == 3
    assert value("every(LAB where event = 'WEEK')", *labs) is False
    assert value("count(LAB.LBRES where event = this.row)", *labs) == 0


def test_emptying_the_memory_of_a_study_in_another_thread_does_no_harm():
    study = load_study(files())
    going = True

    def empty() -> None:
        while going:
            study._cache.clear()

    thread = Thread(target=empty)
    thread.start()
    try:
        for _ in range(2_000):
            assert "DOSE" in dependents(study, "CONS", frozenset({"CONSDAT"}))
    finally:
        going = False
        thread.join()


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('en = "Tiny study"', 'en = "Small study"', "label/en"),
        ('+ 28"', '+ 35"', "projected/END"),
        ("max(AE.AEDTH)", "min(AE.AEDTH)", "rules/close_events_after"),
        ('missing = "ND"', 'missing = "NY"', "missing"),
    ],
)
def test_a_change_of_study_toml_is_told(old, new, path):
    text = files()
    text["study.toml"] = text["study.toml"].replace(old, new, 1)
    assert [difference.path for difference in compare(tiny(), load_study(text))] == [path]


def test_what_the_study_does_not_know_at_run_time_is_not_evaluable():
    assert value("param.NOPE") is None
    assert value("lookup('nope', 'x', 'y')") is None
    assert value("max(NOPE.X)") is None
    assert value("NOPE.X") is None
