"""Whatever is wrong with a study is said at once: which file, which item, which code, what to do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from design import build, faults, linter, reader
from design.faults import CODES, StudyFaults
from design.reader import load_study, read_study
from tests.design.tiny import FOLDER, files

ROOT = FOLDER.parents[2]


def faults_after(file: str, old: str, new: str) -> list[faults.Fault]:
    """The faults of the tiny study after one replacement in one file."""
    text = files()
    assert old in text[file], f"{old!r} is not in {file}"
    with pytest.raises(StudyFaults) as caught:
        load_study({**text, file: text[file].replace(old, new)})
    return caught.value.faults


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "item"),
    [
        ("forms/AE.toml", 'id = "AE"', "id = AE", "S001", "-"),
        ("forms/AE.toml", 'title = "AETERM"', 'tittle = "AETERM"', "S002", "AE"),
        ("forms/AE.toml", "length = 100", "lenght = 100", "S002", "AETERM"),
        ("forms/LAB.toml", 'rows = "tests', 'row = "tests', "S002", "LBROWS"),
        ("study.toml", 'kind = "log"', 'kind = "log"\nsort = 1', "S002", "LOG"),
        ("study.toml", "assumed = false", "asumed = false", "S002", "PLACES"),
        ("study.toml", 'enrol_cap = "PLACES"', 'cap = "PLACES"', "S002", "rules"),
        ("checks.toml", 'severity = "cross"', 'severety = "cross"', "S002", "X01"),
        ("tables/tests.csv", "key,panel", "code,panel", "S003", "-"),
        ("forms/BASIC.toml", 'codelist = "GRADE"\nshow', "show", "S003", "PAINGR"),
        ("forms/AE.toml", 'zh = "事件"', "", "S004", "AETERM"),
        ("forms/AE.toml", 'zh = "不良事件"', 'zh = " "', "S004", "AE"),
        ("codelists.toml", 'Y = { en = "Yes", zh = "是" }', 'Y = { en = "Yes" }', "S004", "NY.Y"),
        ("checks.toml", 'zh = "给药日期早于知情同意。请更正给药日期或知情同意日期。"', "", "S004", "X01"),
        ("forms/AEG.toml", 'id = "GRDAT"', 'id = "AETERM"', "S005", "AETERM"),
        ("checks.toml", '"X02"', '"X01"', "S005", "X01"),
        ("study.toml", 'id = "LOG"', 'id = "SCR"', "S005", "SCR"),
        ("tables/tests.csv", "WBC,", "HGB,", "S005", "HGB"),
        ("forms/AE.toml", 'type = "text"', 'type = "string"', "S006", "AETERM"),
        ("forms/AE.toml", 'codelist = "NY"', 'codelist = "YN"', "S007", "AESER"),
        ("forms/LAB.toml", 'options = "tests"', 'options = "test"', "S007", "LBTEST"),
        ("forms/LAB.toml", "tests where panel = LBPAN", "test where panel = LBPAN", "S007", "LBROWS"),
        ("forms/LAB.toml", "tests where panel = LBPAN", "tests where pannel = LBPAN", "S007", "LBROWS"),
        ("forms/LAB.toml", 'row_item = "LBTEST"', 'row_item = "LBTESTS"', "S007", "LBROWS"),
        ("forms/LAB.toml", 'group = "LBHEAD"', 'group = "HEAD"', "S007", "LBPAN"),
        ("forms/AE.toml", 'title = "AETERM"', 'title = "AETRM"', "S007", "AE"),
        ("forms/AEG.toml", 'under = "AE"', 'under = "EA"', "S007", "AEG"),
        ("forms/AE.toml", "AESER = 'Y'", "AESERR = 'Y'", "S007", "AEDTH"),
        ("forms/AE.toml", "AESER = 'Y'", "HEIGHT > 1", "S007", "AEDTH"),
        ("forms/AE.toml", "max(AEG.GRGRADE)", "max(AEQ.GRGRADE)", "S007", "AEWORST"),
        ("forms/AE.toml", "max(AEG.GRGRADE)", "max(AEG.GRADE)", "S007", "AEWORST"),
        ("forms/DOSE.toml", "DOSDAT <= this.DOSDAT", "DOSDAT <= this.DOSE", "S007", "TOTAL"),
        ("forms/CONS.toml", "param.MINAGE", "param.MINIMUM", "S007", "AGE"),
        ("forms/LAB.toml", "lookup('tests', row, 'high')", "lookup('test', row, 'high')", "S007", "LBHIGH"),
        ("forms/LAB.toml", "lookup('tests', row, 'high')", "lookup('tests', row, 'hi')", "S007", "LBHIGH"),
        ("forms/BASIC.toml", "previous(BASIC.WEIGHT)", "at('SCREEN', BASIC.WEIGHT)", "S007", "WTCHG"),
        ("checks.toml", 'form = "AE"', 'form = "EA"', "S007", "X02"),
        ("checks.toml", 'items = ["AESTDAT"]', 'items = ["AESTDT"]', "S007", "X02"),
        ("study.toml", 'anchor = "END"', 'anchor = "FINISH"', "S007", "FU6M"),
        ("study.toml", '"LAB?"', '"LAN?"', "S007", "SCR"),
        ("study.toml", '"AE?"', "", "S007", "AE"),
        ("study.toml", 'enrol_cap = "PLACES"', 'enrol_cap = "PLACE"', "S007", "rules.enrol_cap"),
        ("study.toml", 'missing = "ND"', 'missing = "NOD"', "S007", "missing"),
        ("forms/BASIC.toml", "has(SYMPT, 'PAIN')", "has(SYMPT 'PAIN')", "S008", "PAINGR"),
        ("forms/BASIC.toml", "abs(WTCHG) <= 10", "absolute(WTCHG) <= 10", "S008", "B02"),
        ("study.toml", 'START = "min(CONS.CONSDAT)"', 'START = "min(CONS.CONSDAT"', "S008", "anchors.START"),
        ("forms/BASIC.toml", "has(SYMPT, 'PAIN')", "has(SYMPT, 'PAINN')", "S009", "PAINGR"),
        ("forms/AE.toml", "AESER = 'Y'", "AESER = 'T9'", "S009", "AEDTH"),
        ("forms/AE.toml", "AESER = 'Y'", "AESER in ('Y', 'T9')", "S009", "AEDTH"),
        ("forms/AE.toml", "AESER = 'Y'", "'T9' = AESER", "S009", "AEDTH"),
        ("checks.toml", "AESER = 'Y'", "any(AE where AESER = 'T9')", "S009", "X02"),
        ("forms/BASIC.toml", '"round(WEIGHT', '"number(OBESE) + round(WEIGHT', "S010", "BMI"),
        ("forms/BASIC.toml", 'hard = "50..250"', 'hard = "50-250"', "S011", "HEIGHT"),
        ("forms/BASIC.toml", 'severity = "soft"', 'severity = "mild"', "S011", "B02"),
        ("forms/BASIC.toml", 'id = "HEIGHT"', 'id = "height"', "S011", "height"),
        ("forms/BASIC.toml", 'id = "NOTDONE"', 'id = "NOTDONEXX"', "S011", "NOTDONEXX"),
        ("study.toml", 'kind = "log"', 'kind = "diary"', "S011", "LOG"),
    ],
)
def test_each_fault_has_its_code_and_place(file, old, new, code, item):
    found = faults_after(file, old, new)
    assert (code, item) in {(fault.code, fault.item) for fault in found}
    assert all(fault.message and fault.advice and fault.file for fault in found)


def test_all_faults_come_at_once():
    text = files()
    text["forms/AE.toml"] = (
        text["forms/AE.toml"].replace('zh = "事件"', "").replace('codelist = "NY"', 'codelist = "YN"')
    )
    text["forms/CONS.toml"] = text["forms/CONS.toml"].replace("param.MINAGE", "param.NOPE")
    text["checks.toml"] = text["checks.toml"].replace("DOSDAT >=", "DOSDAT >>")
    with pytest.raises(StudyFaults) as caught:
        load_study(text)
    assert {(fault.file, fault.code) for fault in caught.value.faults} == {
        ("forms/AE.toml", "S004"),
        ("forms/AE.toml", "S007"),
        ("forms/CONS.toml", "S007"),
        ("checks.toml", "S008"),
    }
    assert str(len(caught.value.faults)) in str(caught.value)


def test_without_a_study_file_there_is_no_study(tmp_path):
    with pytest.raises(StudyFaults):
        read_study(tmp_path)


def test_every_code_that_is_used_is_in_the_list():
    used = set()
    for module in (build, linter, reader):
        used |= set(re.findall(r'"(S\d{3})"', Path(module.__file__).read_text(encoding="utf-8")))
    assert used == set(CODES)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "design", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_the_command_says_that_there_is_no_fault():
    done = run(str(FOLDER / "v1"))
    assert done.returncode == 0
    assert "tiny v1: 7 forms" in done.stdout


def test_the_command_prints_every_fault_and_can_look_at_one_form(tmp_path):
    for name, text in files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        changed = text.replace("param.MINAGE", "param.NOPE").replace("AESER = 'Y'", "AESER = 'T9'")
        (tmp_path / name).write_text(changed, encoding="utf-8")
    everything, one = run(str(tmp_path)), run(str(tmp_path), "--form", "CONS")
    assert everything.returncode == one.returncode == 1
    assert "forms/AE.toml [AEDTH] S009" in everything.stdout
    assert "forms/CONS.toml [AGE] S007" in everything.stdout
    assert "forms/AE.toml" not in one.stdout
    assert "forms/CONS.toml [AGE] S007" in one.stdout
