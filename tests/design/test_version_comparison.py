"""What an amendment changed, item by item."""

from design.comparison import compare
from design.reader import load_study
from tests.design.tiny import files, tiny


def kinds(differences):
    return {(difference.kind, difference.path) for difference in differences}


def test_a_version_does_not_differ_from_itself():
    assert compare(tiny(), load_study(files())) == []


def test_the_amendment_adds_a_form_an_item_and_a_code_and_changes_a_parameter():
    found = kinds(compare(tiny(1), tiny(2)))
    assert ("added", "forms/ECG") in found
    assert ("added", "forms/AE/groups/AE/items/AEREL") in found
    assert ("added", "codelists/SYMP/codes/RASH") in found
    assert ("changed", "parameters/MINAGE/value") in found
    assert any(path.startswith("events/FU12M/forms") for _, path in found)
    assert not any(path.startswith("forms/DOSE") for _, path in found)


def test_what_was_added_is_called_by_its_name_in_the_readers_language():
    shown = {lang: {each.path: each.new for each in compare(tiny(1), tiny(2), lang)} for lang in ("en", "zh")}
    assert shown["en"]["forms/ECG"] == tiny(2).forms["ECG"].label.en
    assert shown["zh"]["forms/ECG"] == tiny(2).forms["ECG"].label.zh
    assert not any("catalogue_items" in path for path in shown["en"]), "it only counts what is listed anyway"


def test_backwards_what_was_added_is_removed():
    found = kinds(compare(tiny(2), tiny(1)))
    assert ("removed", "forms/ECG") in found
    assert ("removed", "codelists/SYMP/codes/RASH") in found


def test_a_changed_rule_shows_both_texts():
    text = files()
    text["forms/BASIC.toml"] = text["forms/BASIC.toml"].replace("BMI >= 28", "BMI >= 30")
    text["checks.toml"] = text["checks.toml"].replace("before consent.", "before the consent.")
    found = {difference.path: difference for difference in compare(tiny(), load_study(text))}
    derive = found["forms/BASIC/groups/BASIC/items/OBESE/derive"]
    assert (derive.old, derive.new) == ("if(BMI >= 28, 'Y', 'N')", "if(BMI >= 30, 'Y', 'N')")
    assert "checks/X01/label/en" in found
    assert len(found) == 2
