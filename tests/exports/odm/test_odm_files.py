"""ODM 1.3.2: files that the schema accepts, whose references all lead somewhere, and that say what the database says."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import odmlib
import orjson
import pytest
from flask import Flask
from lxml import etree
from sqlalchemy import select

from design import answers as documents
from exports import facts
from exports.odm import document
from exports.tables import Scope
from models import ChangeEntries, FormData, db
from models.replay import one_state
from tests.signing import Signing
from workflows import exporting, finding

AS_OF = datetime(2026, 5, 1, tzinfo=UTC)
NS = {"o": document.NAMESPACE}
SCHEMA = Path(odmlib.__file__).parent / "schemas" / "odm" / "1.3.2" / "ODM1-3-2.xsd"
RARE = "𠮷野 <b>&amp;\"'] ]> é 🙂"
REFERENCES = {
    "StudyOID": "Study",
    "MetaDataVersionOID": "MetaDataVersion",
    "StudyEventOID": "StudyEventDef",
    "FormOID": "FormDef",
    "ItemGroupOID": "ItemGroupDef",
    "ItemOID": "ItemDef",
    "CodeListOID": "CodeList",
    "MeasurementUnitOID": "MeasurementUnit",
    "UserOID": "User",
    "LocationOID": "Location",
    "SignatureOID": "SignatureDef",
    "MethodOID": "MethodDef",
    "CollectionExceptionConditionOID": "ConditionDef",
}


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


@pytest.fixture
def clinic(tmp_path: Path, app: Flask) -> Signing:
    """A signed participant with a query, a missing reason, a correction and a rare character; another site's too."""
    made = Signing(tmp_path, app)
    person = made.ready()
    made.sign(person)
    made.vital(person, WEIGHT="61.0", VSCOM=RARE, TEMP={"missing": "ND"})
    made.ask("mona", person, "SCR", "VS", 1, ["VS/1/WEIGHT"], text="Which <one>?")
    made.ready("bob")
    return made


def scope(sites: frozenset[int] | None = None) -> Scope:
    study = finding.study()
    return Scope(study.id, {version.id: finding.design(version.id) for version in finding.versions()}, sites)


def snapshot(path: Path, sites: frozenset[int] | None = None) -> Any:
    with one_state() as connection:
        document.write_snapshot(path, connection, scope(sites), "small", AS_OF)
    return etree.parse(str(path))


def trail(path: Path, sites: frozenset[int] | None = None) -> tuple[Any, int]:
    with one_state() as connection:
        count = document.write_transactional(path, connection, scope(sites), "small", AS_OF)
    return etree.parse(str(path)), count


def dangling(tree: Any) -> set[str]:
    """References that lead nowhere: the schema does not look."""
    defined = {name: {each.get("OID") for each in tree.iterfind(f".//o:{name}", NS)} for name in REFERENCES.values()}
    return {
        f"{each.tag} {name}={each.get(name)}"
        for each in tree.iter()
        for name, target in REFERENCES.items()
        if each.get(name) is not None and each.get(name) not in defined[target]
    }


def values(tree: Any) -> Counter[tuple[str, str, str]]:
    return Counter(
        (subject.get("SubjectKey"), each.get("ItemOID"), each.get("Value") or flag_of(each))
        for subject in tree.iterfind(".//o:SubjectData", NS)
        for each in subject.iterfind(".//o:ItemData", NS)
    )


def flag_of(item: Any) -> str:
    return str(item.findtext(".//o:FlagValue", namespaces=NS))


@pytest.mark.req("CPY-01", "DAT-17")
def test_the_snapshot_is_valid_and_says_exactly_what_the_database_says(clinic, tmp_path, schema) -> None:
    tree = snapshot(tmp_path / "s.xml")
    schema.assertValid(tree)
    assert dangling(tree) == set()
    stored: Counter[tuple[str, str, str]] = Counter()
    for data in db.session.scalars(select(FormData)):
        for path, cell in documents.iter_cells(data.answers):
            told = cell["missing"] if isinstance(cell, dict) else ";".join(cell) if isinstance(cell, list) else cell
            item = data.subject.site.study and path.rsplit("/", 1)[-1]
            if not finding.design(data.version_id).items[item].masked:
                stored[(data.subject.label, f"IT.{item}", told)] += 1
    assert values(tree) == stored
    assert any(value == RARE for _, _, value in stored)


@pytest.mark.req("SIG-02", "CPY-07")
def test_signatures_and_queries_stand_beside_what_they_are_about(clinic, tmp_path) -> None:
    tree = snapshot(tmp_path / "s.xml")
    (signed,) = tree.iterfind(".//o:FormData/o:Signature", NS)
    assert signed.getparent().get("FormOID") == "F.ICF", "the corrected form is signed no more"
    parts = {etree.QName(each).localname for each in signed}
    assert parts == {"UserRef", "LocationRef", "SignatureRef", "DateTimeStamp"}
    (meaning,) = tree.iterfind(".//o:SignatureDef", NS)
    assert meaning.get("Methodology") == "Electronic" and meaning.findtext("o:LegalReason", namespaces=NS)
    comments = [each.text for each in tree.iterfind(".//o:FormData/o:Annotation/o:Comment", NS)]
    assert any("Which <one>?" in text and "(open)" in text for text in comments)


@pytest.mark.req("AUD-03", "AUD-08", "CPY-06")
def test_the_trail_has_one_audit_record_for_every_change_of_an_answer(clinic, tmp_path, schema) -> None:
    tree, count = trail(tmp_path / "t.xml")
    schema.assertValid(tree)
    assert dangling(tree) == set()
    entries = [
        entry
        for stored in db.session.scalars(select(ChangeEntries))
        for entry in stored.entries
        if re.fullmatch(r"form_data/\d+/answers/[^/]+/[^/]+/[^/]+", entry["path"])
    ]
    records = tree.findall(".//o:AuditRecord", NS)
    assert len(records) == count == len(entries) > 10
    weights = list(tree.iterfind(".//o:ItemData[@ItemOID='IT.WEIGHT']", NS))
    first = [(each.get("TransactionType"), each.get("Value")) for each in weights][:2]
    assert first == [("Insert", "60.0"), ("Update", "61.0")]
    update = next(each for each in weights if each.get("TransactionType") == "Update")
    assert update.findtext(".//o:ReasonForChange", namespaces=NS) == "mistyped"
    assert re.fullmatch(r"small/\d+", update.findtext(".//o:SourceID", namespaces=NS) or "")


@pytest.mark.req("AUD-14")
def test_what_the_system_derived_is_the_systems(clinic, tmp_path) -> None:
    tree, _ = trail(tmp_path / "t.xml")
    derived = tree.findall(".//o:ItemData[@ItemOID='IT.BMI']", NS)
    assert derived
    for each in derived:
        assert each.find("o:AuditRecord", NS).get("EditPoint") == "DBAudit"
        assert each.find(".//o:UserRef", NS).get("UserOID") == "USR.system:derivation"


@pytest.mark.req("SEC-19")
def test_a_file_of_one_site_holds_nothing_of_the_other(clinic, tmp_path) -> None:
    one = frozenset({clinic.site("01").id})
    for tree in (snapshot(tmp_path / "s.xml", one), trail(tmp_path / "t.xml", one)[0]):
        text = etree.tostring(tree, encoding="unicode")
        assert "01-S001" in text and "02-S" not in text and "LOC.02" not in text


@pytest.mark.req("CPY-05")
def test_the_same_data_give_the_same_bytes(clinic, tmp_path) -> None:
    for write in (snapshot, trail):
        write(tmp_path / "a.xml")
        write(tmp_path / "b.xml")
        assert (tmp_path / "a.xml").read_bytes() == (tmp_path / "b.xml").read_bytes()


def test_the_design_stands_in_both_languages_with_its_rules(clinic, tmp_path, schema) -> None:
    document.write_metadata(tmp_path / "m.xml", scope(), "small", AS_OF)
    tree = etree.parse(str(tmp_path / "m.xml"))
    schema.assertValid(tree)
    assert dangling(tree) == set()
    study = finding.design(finding.versions()[0].id)
    assert len(tree.findall(".//o:ItemDef", NS)) == len(study.items)
    assert len(tree.findall(".//o:FormDef", NS)) == sum(not form.under for form in study.forms.values())
    for item in tree.iterfind(".//o:ItemDef", NS):
        languages = [each.get(f"{{{document.XML}}}lang") for each in item.iterfind("o:Question/*", NS)]
        assert languages == ["en", "zh-CN"]
    derived = {item.id for item in study.items.values() if item.derive}
    assert {each.get("OID") for each in tree.iterfind(".//o:MethodDef", NS)} == {f"MT.{name}" for name in derived}


def test_an_independent_reader_finds_the_same_items(clinic, tmp_path) -> None:
    from odmlib import odm_loader
    from odmlib.loader import ODMLoader

    for write, file_type in ((snapshot, "Snapshot"), (trail, "Transactional")):
        write(tmp_path / "f.xml")
        loader = ODMLoader(odm_loader.XMLODMLoader())
        loader.open_odm_document(str(tmp_path / "f.xml"))
        root = loader.root()
        assert (root.ODMVersion, root.FileType) == ("1.3.2", file_type)
        keys = {subject.SubjectKey for clinical in root.ClinicalData for subject in clinical.SubjectData}
        assert keys == {"01-S001", "02-S001"}


def test_the_package_holds_odm_and_its_times_are_those_of_the_data(clinic) -> None:
    made = exporting.make(clinic.user("dora"), ["odm", "trail"], None, "for the archive")
    assert {"odm/snapshot.xml", "trail/trail.xml"} <= made.manifest["files"].keys()
    with one_state() as connection:
        assert facts.read(connection, scope()).last_at.year >= 2026
    assert orjson.dumps(made.manifest)
