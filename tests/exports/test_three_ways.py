"""A copy is a copy (CPY-01): database, ODM file and CSV tables hold the same answers, each read by a reader of its own.

The readers share nothing with the writers: ODM and CSV are read from the zip as anybody would read them, with the design
that the ODM file itself carries. What one of them left out, changed or added shows as a difference of two dictionaries.
"""

import csv
import io
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from flask import Flask
from lxml import etree
from sqlalchemy import select

from exports import casebook
from models import Change, ChangeEntries, FormData, Subject, db
from tests.pictures import png
from tests.signing import Signing
from workflows import casebooks, entering, exporting, finding

NS = {"o": "http://www.cdisc.org/ns/odm/v1.3"}
Key = tuple[str, str, int, str, int, str, str, str]  # participant, visit and repeat, form and repeat, group, row, item
Cells = dict[Key, tuple[str, str]]  # "value" or "missing", and which
KEYS = {"STUDYID", "SITEID", "SUBJID", "SCRNO", "VISIT", "EVENT", "REPEAT", "FORM_REPEAT", "ROW"}
VITALS = {
    "VSDAT": "2026-03", "HEIGHT": "165.5", "WEIGHT": "61.5", "FEVER": "Y", "TEMP": "38.2", "SYMPT": ["P", "C"],
    "VSCOM": "=1+1, \"q\"; 𠮷 <b>&", "VSPULSE": "72", "VSTIM": {"missing": "UNK"},
}  # fmt: skip
LAB = {"WBC": {"LBORRES": "5.1", "LBCS": "N"}, "HGB": {"LBORRES": {"missing": "ND"}}}
GRADES = {"1": {"AEGDAT": "2026-03-12", "AEGGR": "2"}, "2": {"AEGDAT": "2026-03-14", "AEGGR": "1"}}


@pytest.fixture
def clinic(tmp_path: Path, app: Flask) -> Signing:
    """Every kind of item, missing reasons, corrections, a row and a form in error, a form not done; two sites."""
    made = Signing(tmp_path, app)
    subject = made.subject = made.screen()  # type: ignore[attr-defined]
    made.store(subject, "SCR", "VS", {"VS": {"1": {**VITALS, "WEIGHT": "65.1", "TEMP": {"missing": "NASK"}}}})
    made.store(subject, "SCR", "VS", {"VS": {"1": VITALS}}, reason="digits swapped")
    made.store(subject, "SCR", "LB", {"LBHEAD": {"1": {"LBPAN": "HEM"}}, "LBROWS": LAB}, repeat=None)
    chemistry = {"LBHEAD": {"1": {"LBPAN": "CHE"}}, "LBROWS": {"ALT": {"LBORRES": "<5"}}}
    made.store(subject, "SCR", "LB", chemistry, repeat=None)
    event = {"AETERM": "10061103", "AESTDAT": "2026", "AEBY": "alice"}
    made.store(subject, "LOG", "AE", {"AE": {"1": event}, "AEG": GRADES}, repeat=None)
    wrong = {**GRADES, "2": {**GRADES["2"], "_error": "another person"}}
    made.store(subject, "LOG", "AE", {"AE": {"1": event}, "AEG": wrong}, reason="another person")
    made.store(subject, "LOG", "AE", {"AE": {"1": {"AETERM": "10037087", "AERELTO": "LOG/AE/1"}}}, repeat=None)
    picture = {"PHO/1/PHOF": (io.BytesIO(png(7)), "left.png"), "_revision": ""}
    assert made.sign_in("alice").post(f"/participants/{subject}/SCR/PHO/1", picture).status_code == 303
    not_done(made, subject, "FU1", "VS", "NA")
    other = made.ready("bob", weight="70.0")
    made.vital(other, "bob", VSCOM="of another person")
    made.vital(other, "bob")
    made.store(other, "FU1", "VS", {"VS": {"1": {"HEIGHT": "170.0"}}}, name="bob")
    place_in_error(made, other)
    return made


def not_done(clinic: Signing, subject: int, event: str, form: str, why: str) -> None:
    """Record that a whole form was not done."""
    place = finding.place(clinic.user("alice"), subject, event, form, 1)
    with Change(by=clinic.user("alice"), action="not done", subject=place.subject, chain="small") as change:
        entering.mark_not_done(change, place, why)


def place_in_error(clinic: Signing, subject: int) -> None:
    """Mark the form of the follow-up visit in error."""
    place = finding.place(clinic.user("bob"), subject, "FU1", "VS", 1)
    with Change(
        by=clinic.user("bob"), action="mark in error", reason="wrong", subject=place.subject, chain="small"
    ) as c:
        entering.mark_in_error(c, place)


@pytest.fixture
def copy(clinic: Signing) -> zipfile.ZipFile:
    """What leaves the house."""
    made = exporting.make(clinic.user("dora"), ["csv", "odm", "trail"], None, "for the archive")
    return zipfile.ZipFile(exporting.open_file(clinic.user("dora"), made))


def told(cell: Any) -> tuple[str, str]:
    """A stored cell as every copy must tell it."""
    if isinstance(cell, dict):
        return ("missing", cell["missing"]) if "missing" in cell else ("value", cell["file"])
    return "value", ";".join(cell) if isinstance(cell, list) else cell


def of_database() -> Cells:
    """All answers that count: not those in forms or rows marked in error."""
    found: Cells = {}
    for data in db.session.scalars(select(FormData).where(FormData.in_error.is_(None))):
        event = data.study_event
        place = (data.subject.label, event.event_id, event.repeat, data.form_id, data.repeat)
        for group, rows in data.answers.items():
            for row, cells in rows.items():
                if "_error" not in cells:
                    found |= {(*place, group, row, item): told(cell) for item, cell in cells.items()}
    return found


def oid(element: Any, name: str) -> str:
    return str(element.get(name)).split(".", 1)[1]


def of_odm(tree: Any) -> Cells:
    """Every ItemData of the snapshot, and the flag of a form that was not done."""
    found: Cells = {}
    for subject in tree.iterfind(".//o:ClinicalData/o:SubjectData", NS):
        for event in subject.iterfind("o:StudyEventData", NS):
            for form in event.iterfind("o:FormData", NS):
                place = (
                    subject.get("SubjectKey"), oid(event, "StudyEventOID"), int(event.get("StudyEventRepeatKey", 1)),
                    oid(form, "FormOID"), int(form.get("FormRepeatKey", 1)),
                )  # fmt: skip
                flag = form.findtext("o:Annotation/o:Flag/o:FlagValue", namespaces=NS)
                found |= {(*place, "_form", "1", "_not_done"): ("missing", flag)} if flag else {}
                for group in form.iterfind("o:ItemGroupData", NS):
                    row = group.get("ItemGroupRepeatKey", "1")
                    for item in group.iterfind("o:ItemData", NS):
                        key = (*place, oid(group, "ItemGroupOID"), row, oid(item, "ItemOID"))
                        assert key not in found
                        found[key] = cell_of(item)
    return found


def cell_of(item: Any) -> tuple[str, str]:
    if item.get("IsNull") == "Yes":
        return "missing", item.findtext("o:Annotation/o:Flag/o:FlagValue", namespaces=NS)
    return "value", item.get("Value")


def groups_of(tree: Any) -> tuple[dict[str, str], dict[str, str]]:
    """From the design that the ODM file carries: item -> its group, group -> its form."""

    def whole_of(whole: str, part: str) -> dict[str, str]:
        found = [
            (ref, each) for each in tree.iterfind(f".//o:{whole}Def", NS) for ref in each.iterfind(f"o:{part}Ref", NS)
        ]
        return {oid(ref, f"{part}OID"): oid(each, "OID") for ref, each in found}

    return whole_of("ItemGroup", "Item"), whole_of("Form", "ItemGroup")


def rows_of(copy: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(copy.read(name).decode("utf-8"), newline="")))


def of_csv(copy: zipfile.ZipFile, tree: Any) -> Cells:
    """The tables of the forms, the list of missing answers, and the forms that were not done."""
    groups, forms = groups_of(tree)
    found: Cells = {}

    def place(row: dict[str, str], form: str) -> tuple[str, str, int, str, int]:
        return row["SUBJID"] or row["SCRNO"], row["EVENT"], int(row["REPEAT"]), form, int(row["FORM_REPEAT"])

    for name in copy.namelist():
        table = name.removeprefix("csv/").removesuffix(".csv")
        if not name.startswith("csv/") or table in ("SUBJECTS", "EVENTS", "FORMS", "MISSING", "QUERIES"):
            continue
        for row in rows_of(copy, name):
            for item in (set(row) & set(groups)) - KEYS:
                key = (*place(row, forms[groups[item]]), groups[item], row["ROW"] or "1", item)
                if row[item] != "":
                    found[key] = "value", row[item]
                elif row.get(f"{item}_MISS"):
                    found[key] = "missing", row[f"{item}_MISS"]
    listed = {
        (*place(row, forms[groups[row["ITEM"]]]), groups[row["ITEM"]], row["ROW"] or "1", row["ITEM"]): row["REASON"]
        for row in rows_of(copy, "csv/MISSING.csv")
    }
    assert listed == {key: code for key, (kind, code) in found.items() if kind == "missing"}
    for row in rows_of(copy, "csv/FORMS.csv"):
        if row["NOT_DONE"]:
            found[(*place(row, row["FORM"]), "_form", "1", "_not_done")] = "missing", row["NOT_DONE"]
    return found


@pytest.mark.req("CPY-01", "DAT-04", "DAT-17")
def test_database_odm_and_csv_hold_the_same_answers(clinic: Signing, copy: zipfile.ZipFile) -> None:
    tree = etree.fromstring(copy.read("odm/snapshot.xml"))
    stored = of_database()
    assert {item for *_, item in stored} >= {*VITALS, "BMI", "LBORRES", "LBCS", "PHOF", "AERELTO", "AEBY", "_not_done"}
    assert {code for kind, code in stored.values() if kind == "missing"} == {"UNK", "ND", "NA"}
    assert of_odm(tree) == stored
    assert of_csv(copy, tree) == stored


def trail_of_database() -> Counter[tuple[Any, ...]]:
    """Every old -> new of an answer: where, what, who, when, why, and in which change."""
    forms = {str(data.id): data for data in db.session.scalars(select(FormData))}
    found: Counter[tuple[Any, ...]] = Counter()
    selection = select(Change, ChangeEntries).join(ChangeEntries, ChangeEntries.change_id == Change.id)
    for change, body in db.session.execute(selection):
        for entry in body.entries:
            parts = entry["path"].split("/")
            if parts[0] == "form_data" and parts[2] == "answers" and len(parts) == 6 and not parts[5].startswith("_"):
                data = forms[parts[1]]
                place = (data.subject.label, data.study_event.event_id, data.form_id, data.repeat, *parts[3:])
                kind = "Insert" if entry["old"] is None else "Remove" if entry["new"] is None else "Update"
                who = entry.get("source") or str(change.user_id)
                what = ("null", "") if entry["new"] is None else told(entry["new"])
                at = change.at.astimezone(UTC).replace(microsecond=0)
                found[*place, kind, *what, who, at, body.reason, f"{change.chain}/{change.seq}"] += 1
    return found


def trail_of_odm(tree: Any) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for item in tree.iterfind(".//o:ClinicalData//o:ItemData", NS):
        group, form, event, subject = list(item.iterancestors())[:4]
        place = (
            subject.get("SubjectKey"), oid(event, "StudyEventOID"), oid(form, "FormOID"), int(form.get("FormRepeatKey")),
            oid(group, "ItemGroupOID"), group.get("ItemGroupRepeatKey"), oid(item, "ItemOID"),
        )  # fmt: skip
        kind, cell = cell_of(item)
        record = item.find("o:AuditRecord", NS)
        found[
            *place, item.get("TransactionType"), *(("null", "") if cell is None else (kind, cell)),
            oid(record.find("o:UserRef", NS), "UserOID"),
            datetime.fromisoformat(record.findtext("o:DateTimeStamp", namespaces=NS)),
            record.findtext("o:ReasonForChange", namespaces=NS), record.findtext("o:SourceID", namespaces=NS),
        ] += 1  # fmt: skip
    return found


@pytest.mark.req("CPY-01", "AUD-08", "CPY-06")
def test_the_trail_of_the_odm_file_is_the_trail_of_the_database(clinic: Signing, copy: zipfile.ZipFile) -> None:
    stored = trail_of_database()
    assert trail_of_odm(etree.fromstring(copy.read("trail/trail.xml"))) == stored
    assert {each[7] for each in stored} == {"Insert", "Update", "Remove"} and stored.total() > 40


def squeezed(text: str) -> str:
    """A text without the white space at which a table breaks its lines."""
    return "".join(text.split())


UNITS = {"HEIGHT": "cm", "WEIGHT": "kg", "BMI": "kg/m²", "TEMP": "°C"}
WORDS = {
    "en": {
        "FEVER": "Yes", "SYMPT": "Pain, Cough", "LBPAN": "Haematology", "CHE": "Chemistry", "N": "No",
        "WBC": "White cells", "HGB": "Haemoglobin", "ALT": "ALT",
        "10061103": "Dermatitis radiation", "10037087": "Pruritus",
        "UNK": "Unknown", "ND": "Not done", "NA": "Not applicable",
    },
    "zh": {
        "FEVER": "是", "SYMPT": "疼痛、咳嗽", "LBPAN": "血常规", "CHE": "生化", "N": "否",
        "WBC": "白细胞", "HGB": "血红蛋白", "ALT": "谷丙转氨酶",
        "10061103": "放射性皮炎", "10037087": "瘙痒",
        "UNK": "不详", "ND": "未做", "NA": "不适用",
    },
}  # fmt: skip


def in_words(item: str, cell: tuple[str, str], language: str) -> str:
    """How an answer must read on paper, from lists of this file."""
    words, (kind, value) = WORDS[language], cell
    if kind == "missing" or item in ("AETERM", "LBCS", "LBTEST") or value == "CHE":
        return words[value]
    return words.get(item, f"{value}{UNITS.get(item, '')}".replace("𠮷", "[U+20BB7]"))


@pytest.mark.req("CPY-01")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_casebook_of_a_participant_holds_all_her_answers(clinic: Signing, language: str) -> None:
    """As many times as they were given, those that were marked in error too."""
    subject = db.session.get_one(Subject, clinic.subject)  # type: ignore[attr-defined]
    made = casebooks.gather(subject, language, with_identifiers=True, with_history=False)
    pages = pypdfium2.PdfDocument(casebook.draw(made, datetime(2026, 5, 1, tzinfo=UTC)))
    text = squeezed("".join(page.get_textpage().get_text_bounded() for page in pages))
    hers = {key: cell for key, cell in of_database().items() if key[0] == subject.label}
    wanted = Counter(squeezed(in_words(key[-1], cell, language)) for key, cell in hers.items())
    assert len(hers) > 25
    assert {words: text.count(words) for words, count in wanted.items() if text.count(words) < count} == {}
    assert squeezed(GRADES["2"]["AEGDAT"]) in text and "anotherperson" in text, "what is in error is not left out"
