"""The files: read back by independent readers, valid by their schemas, the same bytes for the same data."""

import json
from pathlib import Path

import odmlib
import pandas as pd
import pytest
from lxml import etree

from exports import sdtm
from tests.exports.sdtm.json_schema import faults
from tests.exports.sdtm.tiny_mapping import build
from tests.exports.two_versions import cells, database

STANDARDS = Path("/work/shared/standards")
SCHEMA = Path(odmlib.__file__).parent / "schemas" / "define" / "2.1" / "define2-1-0.xsd"
POINTERS = {
    "ItemOID", "MethodOID", "CodeListOID", "ValueListOID", "WhereClauseOID", "CommentOID", "StandardOID",
    "ArchiveLocationID", "leafID",
}  # fmt: skip


@pytest.fixture
def made(tmp_path):
    with database(tmp_path) as data:
        subject = data.subject(number="01-001")
        data.form(subject, "VS", cells(HEIGHT="165.5", SEX="F", ONSET="2027-03", NOTE="稳定 <b>&"), number=1)
        data.form(subject, "LB", {"LB": {"1": {"LBDAT": "2027-03-05"}}})
        data.form(subject, "AE", {"AE": {"1": {"AETERM": "皮炎"}}, "AEG": {"1": {"AGGR": "1"}}}, name="LOG")
        yield build(data, tmp_path / "mapping")


def test_transport_files_read_back_equal_by_another_reader(made, tmp_path):
    sdtm.write(made, tmp_path, ["xpt"])
    for name, dataset in made.items():
        read = pd.read_sas(tmp_path / f"{name.lower()}.xpt", format="xport", encoding="utf-8")
        assert list(read.columns) == [variable.name for variable in dataset.variables]
        for variable in dataset.variables:
            held = [value or None for value in dataset.column(variable.name)]
            back = [None if pd.isna(value) or value == "" else value for value in read[variable.name]]
            assert back == held, (name, variable.name)


def test_dataset_json_follows_its_schema_and_holds_every_row(made, tmp_path):
    path = STANDARDS / "dataset-json-1.1.schema.json"
    if not path.exists():
        pytest.skip("the Dataset-JSON schema is not at hand")
    schema = json.loads(path.read_text("utf-8"))
    sdtm.write(made, tmp_path, ["json"])
    for name, dataset in made.items():
        document = json.loads((tmp_path / "json" / f"{name.lower()}.json").read_text("utf-8"))
        assert list(faults(document, schema, schema)) == []
        assert document["records"] == len(document["rows"]) == len(dataset.rows)
        assert document["rows"][0] == [dataset.rows[0][variable.name] for variable in dataset.variables]


def test_define_xml_is_valid_and_every_reference_leads_somewhere(made, tmp_path):
    sdtm.write(made, tmp_path, ["define"])
    document = etree.parse(str(tmp_path / "define.xml"))
    schema = etree.XMLSchema(etree.parse(str(SCHEMA)))
    assert schema.validate(document), schema.error_log
    elements = list(document.getroot().iter())
    named = [value for each in elements for key, value in each.attrib.items() if key in ("OID", "ID")]
    assert len(named) == len(set(named))
    for element in elements:
        for key, value in element.attrib.items():
            if etree.QName(key).localname in POINTERS:
                assert value in named, (key, value)


def test_define_xml_says_where_values_come_from(made, tmp_path):
    sdtm.write(made, tmp_path, ["define"])
    names = {"o": "http://www.cdisc.org/ns/odm/v1.3", "d": "http://www.cdisc.org/ns/def/v2.1"}
    root = etree.parse(str(tmp_path / "define.xml")).getroot()

    def origin(oid: str) -> tuple:
        found = root.xpath(f"//o:ItemDef[@OID='{oid}']/d:Origin", namespaces=names)[0]
        return (found.get("Type"), found.xpath("string(.//d:PDFPageRef/@PageRefs)", namespaces=names))

    assert origin("IT.VS.VSORRES") == ("Collected", "VS")
    assert origin("IT.AE.AETERM") == ("Collected", "AE")
    assert origin("IT.VS.VSSEQ") == ("Derived", "")
    assert origin("IT.VS.VSTESTCD") == ("Assigned", "")
    assert origin("IT.SUPPVS.QVAL.VSNOTE") == ("Collected", "VS")
    kinds = root.xpath("//o:ItemDef[@OID='IT.VS.VSORRES.HEIGHT']/@DataType", namespaces=names)
    assert kinds == ["float"]  # value level: this result is a number with digits
    assert root.xpath("//o:ItemDef[@OID='IT.VS.VSDTC']/@DataType", namespaces=names) == ["partialDate"]
    extended = root.xpath("//o:CodeList[@OID='CL.VS.VSTESTCD']/*[@d:ExtendedValue='Yes']", namespaces=names)
    assert extended == []


@pytest.mark.req("CPY-05")
def test_the_same_data_give_the_same_bytes(made, tmp_path):
    for folder in ("one", "two"):
        sdtm.write(made, tmp_path / folder)
    one, two = (
        {p.relative_to(tmp_path / f): p.read_bytes() for p in (tmp_path / f).rglob("*.*")} for f in ("one", "two")
    )
    assert one == two and len(one) == 2 * len(made) + 1
