"""One zip: every file with its hash in the manifest, the trail whole, the same data the same bytes."""

import csv
import hashlib
import io
import zipfile
from datetime import UTC, datetime

import orjson
import pandas as pd
import pytest

from exports import package
from tests.exports.two_versions import cells, database, scope

FIRST, LATER = datetime(2026, 3, 16, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
EVERYTHING = list(package.FORMATS)


@pytest.fixture
def data(tmp_path):
    with database(tmp_path) as opened:
        subject = opened.subject(number="01-001")
        opened.form(subject, "VS", cells(HEIGHT="165.0", SEX="F", NOTE="=1+1 𠮷", PATHNO="B77"), number=1)
        opened.form(opened.subject(2), "VS", cells(SEX="F", SYMP=["P"], HEIGHT={"missing": "NA"}))
        opened.change(
            1,
            [
                {"path": "form_data/1/answers/VS/1/HEIGHT", "old": None, "new": "165.0"},
                {"path": "form_data/1/answers/VS/1/PATHNO", "old": None, "new": "B77"},
                {
                    "path": "form_data/1/answers/VS/1/SEX",
                    "old": {"missing": "UNK"},
                    "new": "F",
                    "source": "x",
                },
            ],
            site_id=1,
            subject_id=subject,
            reason="=first",
        )
        opened.change(2, [{"path": "app_user/1/password_hash", "old": None, "new": "$argon2id$x"}], "system")
        opened.change(3, [], "system", action="sign in")
        opened.change(4, [{"path": "form_data/2/answers/VS/1/SEX", "old": None, "new": "F"}], site_id=2)
        yield opened


def build(data, folder, formats=EVERYTHING, at=FIRST, **more):
    snapshot = package.take(data.connection, scope(**more), formats, folder / "work")
    return package.build(snapshot, formats, folder, at, "1.2.3")


def contents(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def test_there_is_a_folder_for_every_format_and_a_codebook(data, tmp_path):
    names = set(contents(build(data, tmp_path).path))
    expected = {
        "README.txt", "manifest.json", "csv/VS.csv", "parquet/LBROWS.parquet", "spss/AE.sav", "stata/AEG.dta",
        "xpt/vs.xpt", "xpt/names.csv", "excel/tiny.xlsx", "trail/trail.csv", "codebook/variables.csv",
        "codebook/codelists.csv", "codebook/checks.csv", "csv/SUBJECTS.csv", "csv/EVENTS.csv",
        "csv/MISSING.csv",
    }  # fmt: skip
    assert expected <= names


def test_only_the_formats_asked_for_are_made(data, tmp_path):
    folders = {name.split("/")[0] for name in contents(build(data, tmp_path, ["csv"]).path)}
    assert folders == {"README.txt", "manifest.json", "codebook", "csv"}


@pytest.mark.parametrize("formats", [[], ["csv", "pdf"]])
def test_an_unknown_format_or_none_is_refused(data, tmp_path, formats):
    with pytest.raises(ValueError, match="no such export format"):
        build(data, tmp_path, formats)


@pytest.mark.req("CPY-05")
def test_the_manifest_names_every_file_with_its_hash_and_size(data, tmp_path):
    made = build(data, tmp_path)
    files = contents(made.path)
    manifest = orjson.loads(files.pop("manifest.json"))
    assert set(manifest["files"]) == set(files)
    for name, raw in files.items():
        assert manifest["files"][name] == {"sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)}, name
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert made.size == made.path.stat().st_size


def test_the_manifest_says_where_the_data_come_from(data, tmp_path):
    manifest = build(data, tmp_path, site_ids=frozenset({1})).manifest
    assert manifest["study"] == "tiny" and manifest["app_version"] == "1.2.3"
    assert [(version["number"], version["sha256"][:3]) for version in manifest["versions"]] == [
        (1, "111"),
        (2, "222"),
    ]
    assert manifest["chain"] == {"name": "tiny", "seq": 7, "link": "ab" * 32}
    assert manifest["filters"] == {
        "sites": ["01"], "all_sites": False, "records_in_error": False, "identifiers": False,
    }  # fmt: skip
    assert manifest["tables"]["VS"]["rows"] == 1 and manifest["made_at"] == "2026-03-16T00:00:00.000000Z"


@pytest.mark.req("DAT-02", "CPY-05")
def test_the_same_data_give_the_same_bytes_at_any_time(data, tmp_path):
    first = contents(build(data, tmp_path / "a", at=FIRST).path)
    later = contents(build(data, tmp_path / "b", at=LATER).path)
    changed = {name for name in first if first[name] != later[name]}
    assert changed == {"manifest.json"} and list(first) == list(later)
    same = build(data, tmp_path / "c", at=FIRST)
    assert same.sha256 == build(data, tmp_path / "d", at=FIRST).sha256


def test_nothing_but_the_finished_package_stays_in_the_folder(data, tmp_path):
    made = build(data, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == [made.path.name]


def test_a_package_that_fails_leaves_nothing_behind(data, tmp_path, monkeypatch):
    monkeypatch.setattr(package, "_zip", lambda *of: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(data, tmp_path / "out")
    assert not any(path.suffix == ".zip" for path in (tmp_path / "out").rglob("*"))


@pytest.mark.req("AUD-08")
def test_the_trail_has_one_row_per_entry_and_reads_without_code_tables(data, tmp_path):
    made = build(data, tmp_path)
    found = rows(contents(made.path)["trail/trail.csv"])
    assert len(found) == made.manifest["trail_rows"] == 6, "three entries, two single ones, one sign-in without"
    height = found[2] if found[0]["CHAIN"] == "system" else found[0]
    wanted = (
        "SITEID",
        "SUBJECT",
        "EVENT",
        "FORM",
        "GROUP",
        "ROW",
        "ITEM",
        "ITEM_EN",
        "ITEM_ZH",
        "OLD",
        "NEW",
        "REASON",
    )
    assert [height[name] for name in wanted] == [
        "01", "01-S001", "SCR", "VS", "VS", "1", "HEIGHT", "Height", "身高", "", "165.0", "=first",
    ]  # fmt: skip
    sex = next(row for row in found if row["ITEM"] == "SEX" and row["SITEID"] == "01")
    assert (sex["OLD"], sex["NEW"], sex["SOURCE"]) == ("[UNK]", "F", "x")
    assert orjson.loads(sex["OLD_JSON"]) == {"missing": "UNK"} and orjson.loads(sex["NEW_JSON"]) == "F"


@pytest.mark.req("AUD-08")
def test_the_trail_opens_in_pandas_with_text_that_looks_like_missing_values(data, tmp_path):
    raw = contents(build(data, tmp_path).path)["trail/trail.csv"]
    frame = pd.read_csv(io.BytesIO(raw), keep_default_na=False, dtype=str)
    assert len(frame) == 6 and set(frame["ACTION"]) == {"save form", "sign in"}


@pytest.mark.req("PRV-01")
def test_identifiers_and_secrets_keep_their_row_in_the_trail_but_not_their_value(data, tmp_path):
    raw = contents(build(data, tmp_path).path)
    found = rows(raw["trail/trail.csv"])
    assert {row["NEW"] for row in found if row["ITEM"] == "PATHNO" or row["PATH"].endswith("hash")} == {"[withheld]"}
    assert not any(b"B77" in each or b"argon2id" in each for each in raw.values())


def test_a_site_s_package_holds_its_own_trail_only(data, tmp_path):
    found = rows(contents(build(data, tmp_path, site_ids=frozenset({2})).path)["trail/trail.csv"])
    assert [(row["CHAIN"], row["SITEID"]) for row in found] == [("tiny", "02")]


def test_the_codebook_names_every_variable_code_and_check_in_both_languages(data, tmp_path):
    files = contents(build(data, tmp_path, ["csv"]).path)
    variables = {(row["TABLE"], row["VARIABLE"]): row for row in rows(files["codebook/variables.csv"])}
    height = variables["VS", "HEIGHT"]
    assert [height[name] for name in ("TYPE", "LABEL_EN", "LABEL_ZH", "UNIT", "SDTM", "VERSIONS")] == [
        "number", "Height", "身高", "cm", "VS (VSTESTCD=HEIGHT)", "1;2",
    ]  # fmt: skip
    assert variables["VS", "PULSE"]["VERSIONS"] == "1"
    header = next(csv.reader(io.StringIO(files["csv/VS.csv"].decode())))
    assert header == [name for table, name in variables if table == "VS"]
    codes = [row for row in rows(files["codebook/codelists.csv"]) if row["VARIABLE"] == "SEX" and row["CODE"] == "F"]
    assert [(row["LABEL_EN"], row["VERSIONS"]) for row in codes] == [("Female", "1"), ("Woman", "2")]
    checks = rows(files["codebook/checks.csv"])
    assert any(row["ITEMS"] == "HEIGHT" and row["SEVERITY"] == "hard" and row["RULE"] for row in checks)
