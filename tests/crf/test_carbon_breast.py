"""The carbon-ion breast trial, read as text: counts, names and numbers that must agree between its files."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "crf" / "carbon-breast" / "v1"
FOLLOW_UP = [1, 3, 6, 12, *range(18, 121, 6)]
GRADES = ("g1", "g2", "g3", "g4", "g5")


def toml(name: str) -> dict:
    """One file of the study version."""
    return tomllib.loads((STUDY / name).read_text(encoding="utf-8"))


def table(name: str) -> dict[str, dict[str, str]]:
    """One lookup table, by key."""
    with (STUDY / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row["key"]: row for row in csv.DictReader(file)}


def events() -> dict[str, dict]:
    """Every event by id, the series of follow-up visits written out."""
    study = toml("study.toml")
    found = {event["id"]: event for event in study["events"]}
    for series in study["event_series"]:
        for month in series["months"]:
            forms = list(series["forms"])
            for months, more in series.get("forms_at", {}).items():
                if str(month) in months.split(","):
                    forms += more
            found[series["id"].format(n=month)] = {
                **series,
                "number": series["number"] + month,
                "offset_months": month,
                "forms": forms,
            }
    return found


@pytest.fixture(scope="module")
def forms() -> dict[str, dict]:
    """Every form by id."""
    paths = sorted((STUDY / "forms").glob("*.toml"))
    read = [tomllib.loads(path.read_text(encoding="utf-8")) for path in paths]
    return {form["id"]: form for form in read}


def test_the_linter_finds_no_fault():
    command = [sys.executable, "-m", "design", str(STUDY)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_catalogue_has_55_forms_and_563_items(forms):
    assert len(forms) == 55
    assert sum(len(form["items"]) for form in forms.values()) == 563


def test_there_are_111_code_lists_and_every_code_has_both_languages():
    lists = toml("codelists.toml")
    assert len(lists) == 111
    assert all(code["en"] and code["zh"] for codes in lists.values() for code in codes.values())
    assert len(lists["ETHCN"]) == 58
    assert list(lists["KPS"]) == [str(value) for value in range(100, -1, -10)]


def test_every_cross_form_check_is_written_or_stands_in_the_open_points():
    written = {check["id"][:3] for check in toml("checks.toml")["checks"]}
    open_points = (STUDY.parent / "OPEN.md").read_text(encoding="utf-8")
    wanted = {f"X{number:02d}" for number in range(1, 71)}
    missing = {name for name in wanted - written if not re.search(rf"^\| {name} \|", open_points, re.M)}
    assert not missing
    assert wanted & written >= wanted - {"X03", "X08", "X70"}


def test_every_check_speaks_both_languages_and_has_its_own_id():
    checks = toml("checks.toml")["checks"]
    assert len({check["id"] for check in checks}) == len(checks)
    assert all(check["en"] and check["zh"] for check in checks)


def test_the_questions_to_the_investigator_are_open():
    parameters = toml("study.toml")["parameters"]
    for number in range(1, 15):
        assert parameters[f"QUESTION_P{number}"]["assumed"] is True
        assert parameters[f"QUESTION_P{number}"]["value"] == ""


def test_only_what_the_announcement_states_is_not_assumed():
    parameters = toml("study.toml")["parameters"]
    stated = {name for name, parameter in parameters.items() if not parameter["assumed"]}
    assert stated == {
        "ENR_CAP",
        "AGE_MIN",
        "AGE_MAX",
        "ELIG_T",
        "ELIG_N",
        "ELIG_M",
        "RX_WBN_DOSE",
        "RX_TOT_MIN",
        "RX_TOT_MAX",
    }


def test_follow_up_runs_22_visits_to_120_months():
    found = events()
    visits = [event for name, event in found.items() if re.fullmatch(r"FU\d+M", name)]
    assert sorted(event["number"] - 200 for event in visits) == FOLLOW_UP
    assert all(event["anchor"] == "EOT" for event in visits)


@pytest.mark.parametrize(
    ("event", "form"),
    [
        ("FU18M", "LB"),
        ("FU66M", "IM"),
        ("FU72M", "TL"),
        ("FU24M", "CV"),
        ("FU60M", "CV"),
        ("FU120M", "CV"),
        ("FU24M", "C30"),
        ("EOT", "RTEND"),
        ("OTV", "LB"),
        ("SCR", "OTV"),
        ("SCR", "LTX"),
        ("PLN", "PREG"),
    ],
)
def test_forms_required_at_a_visit(event, form):
    assert form in events()[event]["forms"]


@pytest.mark.parametrize(
    ("event", "form"), [("FU66M", "LB"), ("FU18M", "C30"), ("FU36M", "CV"), ("FU1M", "C30"), ("FU18M", "RP")]
)
def test_forms_that_do_not_stand_at_a_visit(event, form):
    assert form not in events()[event]["forms"]


def test_every_form_stands_in_an_event_or_under_a_form_that_does(forms):
    placed = {form.rstrip("?") for event in events().values() for form in event["forms"]}
    assert placed <= set(forms)
    for name, form in forms.items():
        assert name in placed or form.get("under") in placed, name


def test_the_window_check_repeats_the_windows_of_the_schedule():
    rule = next(check["rule"] for check in toml("checks.toml")["checks"] if check["id"] == "X62")
    limits = [(int(number), int(days)) for number, days in re.findall(r"event_number <?= (\d+), (\d+)", rule)]
    last = int(re.search(r"event_number <= 260, 30, (\d+)\)", rule)[1])
    for event in events().values():
        if not 200 < event["number"] <= 320:
            continue
        number = event["number"]
        days = next((d for n, d in limits if number == n or (n == 260 and 206 < number <= n)), last)
        assert event["before"] == event["after"] == days


def test_toxicity_terms_have_the_grades_of_the_dictionary():
    dictionary = table("ctcae")
    for code, term in table("toxicity").items():
        assert dictionary[code]["en"] == term["en"]
        assert [dictionary[code][grade] for grade in GRADES] == [term[grade] for grade in GRADES]
        assert (term["g0"], term["gNE"]) == ("Y", "Y")


def test_the_dictionary_has_every_term_in_both_languages():
    dictionary = table("ctcae")
    assert len(dictionary) == 837
    assert all(re.search(r"[\u4e00-\u9fff]", term["zh"]) for term in dictionary.values())
    assert dictionary["10061103"]["zh"] == "放射性皮炎"


def test_every_unit_of_an_analyte_has_a_factor_and_the_standard_unit_is_one():
    factors, units = table("lab_units"), toml("codelists.toml")["LBUNIT"]
    for name, analyte in table("lab").items():
        for unit in filter(None, analyte["units"].split(";")):
            assert unit in units
            assert float(factors[f"{name}|{unit}"]["factor"]) > 0
        if analyte["unit"]:
            assert float(factors[f"{name}|{analyte['unit']}"]["factor"]) == 1


def test_every_number_of_the_home_laboratories_has_a_range():
    ranges = table("lab_ranges")
    for name, analyte in table("lab").items():
        if analyte["kind"] == "number" and analyte["panel"] != "HOR":  # hormone ranges follow the cycle
            for key in (f"{laboratory}|{name}|{sex}" for laboratory in ("WW", "LZ") for sex in "FM"):
                assert float(ranges[key]["low"]) < float(ranges[key]["high"])


def test_dosimetry_rows_name_structures_that_exist():
    structures = table("rois")
    for key, row in table("dvh").items():
        assert key == f"{row['roi']}.{row['metric']}"
        assert structures[row["roi"]]["type"] == row["type"]
