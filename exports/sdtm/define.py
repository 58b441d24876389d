"""Define-XML 2.1: what the datasets hold, where it comes from, and how it was derived."""

from pathlib import Path
from typing import Any

from lxml import etree

from exports.sdtm.building import Datasets
from exports.sdtm.dataset import Dataset
from exports.sdtm.dataset_json import STAMP
from exports.sdtm.define_items import CRF_LEAF, Items, item_oid
from exports.sdtm.define_lists import CodeLists
from exports.sdtm.mapping import DomainDef, Mapping
from exports.sdtm.origins import Origins
from exports.sdtm.xml_names import DEF, ODM, XLINK, child, defined, describe

CLASSES = {
    "Special-Purpose": "SPECIAL PURPOSE",
    "Special Purpose": "SPECIAL PURPOSE",
    "Findings About": "FINDINGS",
    "Study Reference": "STUDY REFERENCE",
}


def document(datasets: Datasets, data_at: str | None = None) -> bytes:
    """define.xml of the datasets."""
    mapping, standard = datasets.mapping, datasets.mapping.standard
    study = standard.get("name", datasets.sources.newest.id)
    root = etree.Element(f"{{{ODM}}}ODM", nsmap={None: ODM, "def": DEF, "xlink": XLINK})
    stamp = data_at or STAMP
    for name, value in {
        "FileType": "Snapshot",
        "FileOID": f"{study}.define",
        "ODMVersion": "1.3.2",
        "CreationDateTime": stamp,
        "AsOfDateTime": stamp,
        "Originator": "eCRF",
        f"{{{DEF}}}Context": "Submission",
    }.items():
        root.set(name, value)
    element = child(root, "Study", OID=f"STDY.{study}")
    _globals(element, study, standard)
    version = child(element, "MetaDataVersion", OID=f"MDV.{study}", Name=f"SDTM of {study}")
    version.set("Description", f"SDTM datasets by SDTMIG {standard['ig']}")
    version.set(f"{{{DEF}}}DefineVersion", "2.1.0")
    if "comment" in standard:
        version.set(f"{{{DEF}}}CommentOID", "COM.MDV")
    _standards(version, standard)
    defined(defined(version, "AnnotatedCRF"), "DocumentRef", leafID=CRF_LEAF)
    _datasets(version, datasets, mapping)
    _leaf(version, CRF_LEAF, standard.get("annotated_crf", "acrf.pdf"), "Annotated CRF")
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _globals(parent: Any, study: str, standard: dict[str, Any]) -> None:
    element = child(parent, "GlobalVariables")
    child(element, "StudyName").text = study
    child(element, "StudyDescription").text = standard.get("description", study)
    child(element, "ProtocolName").text = standard.get("protocol", study)


def _standards(parent: Any, standard: dict[str, Any]) -> None:
    element = defined(parent, "Standards")
    defined(element, "Standard", OID="STD.IG", Name="SDTMIG", Type="IG", Version=standard["ig"], Status="Final")
    terms = defined(element, "Standard", OID="STD.CT", Name="CDISC/NCI", Type="CT")
    for name, value in (("PublishingSet", "SDTM"), ("Version", standard["ct"]), ("Status", "Final")):
        terms.set(name, value)


def _datasets(parent: Any, datasets: Datasets, mapping: Mapping) -> None:
    """Groups before items in the notes, value lists before groups in the file."""
    items = Items(Origins(datasets.sources.studies), CodeLists(mapping.terminology))
    groups = [_group(dataset, mapping, items) for dataset in datasets.values()]
    items.write_value_lists(parent)
    for group in groups:
        parent.append(group)
    items.write_items(parent)
    items.lists.write(parent)
    for oid, text in sorted(items.methods.items()):
        method = child(parent, "MethodDef", OID=oid, Name=oid.removeprefix("MT."), Type="Computation")
        describe(method, text)
    if "comment" in mapping.standard:
        describe(defined(parent, "CommentDef", OID="COM.MDV"), mapping.standard["comment"])
    for dataset in datasets.values():
        if dataset.comment:
            describe(defined(parent, "CommentDef", OID=f"COM.{dataset.name}"), dataset.comment)
        for variable in dataset.variables:
            if variable.comment:
                oid = f"COM.{item_oid(dataset, variable.name)}"
                describe(defined(parent, "CommentDef", OID=oid), variable.comment)


def _group(dataset: Dataset, mapping: Mapping, items: Items) -> Any:
    domain = mapping.domains.get(dataset.name) or mapping.domains.get(dataset.name.removeprefix("SUPP"))
    own = dataset.name.removeprefix("SUPP") if dataset.name.startswith("SUPP") else dataset.name
    holder = etree.Element("holder", nsmap={None: ODM, "def": DEF, "xlink": XLINK})
    group = child(
        holder,
        "ItemGroupDef",
        OID=f"IG.{dataset.name}",
        Name=dataset.name,
        Domain=own,
        SASDatasetName=dataset.name,
        Repeating="No" if dataset.keys[-1] == "USUBJID" else "Yes",
        IsReferenceData="Yes" if dataset.reference else "No",
        Purpose="Tabulation",
    )
    group.set(f"{{{DEF}}}Structure", dataset.structure)
    group.set(f"{{{DEF}}}ArchiveLocationID", f"LF.{dataset.name}")
    if own in mapping.standard.get("custom", ()):
        group.set(f"{{{DEF}}}IsNonStandard", "Yes")
    else:
        group.set(f"{{{DEF}}}StandardOID", "STD.IG")
    if dataset.comment:
        group.set(f"{{{DEF}}}CommentOID", f"COM.{dataset.name}")
    describe(group, dataset.label)
    _refs(group, dataset, domain, items)
    kind = CLASSES.get(dataset.class_name, dataset.class_name.upper())
    defined(group, "Class", Name=kind)
    _leaf(group, f"LF.{dataset.name}", f"{dataset.name.lower()}.xpt", f"{dataset.name.lower()}.xpt")
    holder.remove(group)
    return group


def _refs(group: Any, dataset: Dataset, domain: DomainDef | None, items: Items) -> None:
    for place, variable in enumerate(dataset.variables, start=1):
        method = items.variable(dataset, domain, variable)
        child(
            group,
            "ItemRef",
            ItemOID=item_oid(dataset, variable.name),
            OrderNumber=str(place),
            Mandatory="Yes" if variable.core == "Req" else "No",
            KeySequence=str(dataset.keys.index(variable.name) + 1) if variable.name in dataset.keys else None,
            MethodOID=method,
            Role=variable.role or None,
        )


def _leaf(parent: Any, oid: str, file: str, title: str) -> None:
    leaf = defined(parent, "leaf", ID=oid)
    leaf.set(f"{{{XLINK}}}href", file)
    defined(leaf, "title").text = title


def write(datasets: Datasets, folder: Path, data_at: str | None = None) -> Path:
    """Write define.xml into the folder of the datasets."""
    path = folder / "define.xml"
    path.write_bytes(document(datasets, data_at))
    return path
