"""`amendment.toml`: what it may say, what it hides, and how a document is carried through successive versions."""

from datetime import date

import pytest

from design import amendments
from design.definitions import StudyDef
from design.evaluation import evaluate
from design.faults import StudyFaults
from design.reader import load_study
from design.record import FormInstance, SubjectRecord
from tests import amended

TODAY = date(2026, 3, 16)
ANSWERS = {
    "VS": {
        "1": {"HEIGHT": "165.0", "VSPULSE": "70", "SYMPT": ["P", "F"], "VSCOM": "tired", "WEIGHT": {"missing": "ND"}}
    }
}


def third(**texts: str) -> dict[str, str]:
    """A version after the second: the pulse moves once more, and what is given of the vital signs is replaced."""
    found = amended.second() | {"amendment.toml": 'replaces = 2\n[moved]\nPULSE = "RATE"\n'}
    found["study.toml"] = found["study.toml"].replace("version = 2", "version = 3")
    vital = found["forms/VS.toml"].replace('id = "PULSE"', 'id = "RATE"')
    for old, new in texts.items():
        assert old in vital
        vital = vital.replace(old, new)
    return found | {"forms/VS.toml": vital}


def through(*files: dict[str, str]) -> list[StudyDef]:
    return [load_study(each) for each in files]


def test_a_document_is_carried_and_nothing_is_lost() -> None:
    done = amendments.convert(ANSWERS, "VS", through(amended.first(), amended.second()))
    assert done is not None
    assert done.answers["VS"]["1"] == {
        "HEIGHT": "165.0", "PULSE": "70", "SYMPT": ["PN", "F"], "VSCOM": "tired", "WEIGHT": {"missing": "ND"},
    }  # fmt: skip
    assert done.moved == {"VS/1/VSPULSE": "VS/1/PULSE"}
    assert (done.recoded, done.dropped, done.reinterpreted) == (["VS/1/SYMPT"], ["VS/1/VSCOM"], [])
    assert ANSWERS["VS"]["1"]["VSPULSE"] == "70", "the stored document is not touched"


def test_versions_are_gone_through_one_after_the_other() -> None:
    done = amendments.convert(ANSWERS, "VS", through(amended.first(), amended.second(), third()))
    assert done is not None and done.answers["VS"]["1"]["RATE"] == "70" and "PULSE" not in done.answers["VS"]["1"]
    assert done.moved == {"VS/1/VSPULSE": "VS/1/RATE"} and done.dropped == ["VS/1/VSCOM"]


def test_other_words_change_the_meaning_unless_the_amendment_says_not() -> None:
    versions = through(amended.second(), third(Height="Body height"))
    done = amendments.convert({"VS": {"1": {"HEIGHT": "165.0"}}}, "VS", versions)
    assert done is not None and done.reinterpreted == ["VS/1/HEIGHT"] and done.answers["VS"]["1"] == {"HEIGHT": "165.0"}
    files = third(Height="Body height")
    files["amendment.toml"] = 'reworded = ["HEIGHT"]\n' + files["amendment.toml"]
    said = amendments.convert({"VS": {"1": {"HEIGHT": "165.0"}}}, "VS", through(amended.second(), files))
    assert said is not None and said.reinterpreted == []


def test_a_form_that_a_version_no_longer_has_is_not_carried() -> None:
    assert amendments.convert(ANSWERS, "GONE", through(amended.first(), amended.second())) is None


@pytest.mark.parametrize(("consent", "asked"), [("1", False), ("2", True)])
def test_skip_logic_hides_what_waits_for_a_consent(consent: str, asked: bool) -> None:
    study = load_study(amended.second())
    icf = _instance("ICF", {"ICF": {"1": {"CONSVER": consent}}})
    vital, scan = _instance("VS", {"VS": {"1": {"HEIGHT": "165.0"}}}), _instance("MRI", {})
    record = SubjectRecord(instances=[icf, vital, scan])
    shown = evaluate(study, record, vital, today=TODAY).shown | evaluate(study, record, scan, today=TODAY).shown
    assert ("VS/1/MOLE" in shown, "MRI/1/MRIDAT" in shown) == (asked, asked) and "VS/1/SKIN" in shown


def _instance(form_id: str, answers: dict) -> FormInstance:
    return FormInstance(form_id, "SCR", 1, 10.0, None, 10, 1, answers)


@pytest.mark.parametrize(
    ("text", "where", "code"),
    [
        ("replaces = 2\n", "replaces", "S011"),
        ('replaces = 1\ndefault = "later"\n', "default", "S011"),
        ('replaces = 1\n[moved]\nVSPULSE = "NOWHERE"\n', "moved.VSPULSE", "S007"),
        ('replaces = 1\n[moved]\nHEIGHT = "WEIGHT"\n', "moved.HEIGHT", "S005"),
        ('replaces = 1\n[recoded.NOLIST]\nA = "B"\n', "recoded.NOLIST", "S007"),
        ('replaces = 1\n[recoded.SYMP]\nP = "XX"\n', "recoded.SYMP.P", "S007"),
        ('replaces = 1\nreworded = ["NOTHING"]\n', "reworded", "S007"),
        ('replaces = 1\n[reconsent]\nforms = ["MRI"]\n', "reconsent.given", "S003"),
        ('replaces = 1\n[reconsent]\ngiven = "true"\nforms = ["NOFORM"]\n', "reconsent.forms", "S007"),
        ('replaces = 1\n[reconsent]\ngiven = "any(ICF where NOITEM = 1)"\n', "reconsent.given", "S007"),
        ("replaces = 1\nsurprise = 1\n", "-", "S002"),
    ],
)
def test_every_fault_is_named(text: str, where: str, code: str) -> None:
    with pytest.raises(StudyFaults) as caught:
        load_study(amended.second() | {"amendment.toml": text})
    found = [(each.item, each.code) for each in caught.value.faults if each.file == "amendment.toml"]
    assert (where, code) in found


@pytest.mark.parametrize(
    ("old", "new"),
    [('form = "DV"', 'form = "VS"'), ('form = "DV"', 'form = "NO"'), ('term = "DVTERM"', 'term = "HEIGHT"')],
)
def test_the_form_of_deviations_must_be_there(old: str, new: str) -> None:
    files = amended.first()
    files["study.toml"] = files["study.toml"].replace(old, new)
    with pytest.raises(StudyFaults) as caught:
        load_study(files)
    assert caught.value.faults[0].item.startswith("deviations.")
