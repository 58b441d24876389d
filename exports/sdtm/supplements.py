"""What hangs on other records: SUPP--, CO and RELREC, and texts that are too long for one variable."""

from typing import Any

from exports.sdtm.dataset import LONGEST_TEXT, DatasetVariable
from exports.sdtm.engine import Record
from exports.sdtm.mapping import DomainDef, Mapping
from exports.shape import shorten

_QUALIFIERS = "Supplemental Qualifiers"
SUPP = (
    ("STUDYID", "Study Identifier", "Req", "Identifier"),
    ("RDOMAIN", "Related Domain Abbreviation", "Req", "Identifier"),
    ("USUBJID", "Unique Subject Identifier", "Req", "Identifier"),
    ("IDVAR", "Identifying Variable", "Exp", "Identifier"),
    ("IDVARVAL", "Identifying Variable Value", "Exp", "Identifier"),
    ("QNAM", "Qualifier Variable Name", "Req", "Topic"),
    ("QLABEL", "Qualifier Variable Label", "Req", "Synonym Qualifier"),
    ("QVAL", "Data Value", "Req", "Result Qualifier"),
    ("QORIG", "Origin", "Req", "Record Qualifier"),
    ("QEVAL", "Evaluator", "Exp", "Record Qualifier"),
)
RELREC = (
    ("STUDYID", "Study Identifier", "Req", "Identifier"),
    ("RDOMAIN", "Related Domain Abbreviation", "Req", "Identifier"),
    ("USUBJID", "Unique Subject Identifier", "Exp", "Identifier"),
    ("IDVAR", "Identifying Variable", "Req", "Identifier"),
    ("IDVARVAL", "Identifying Variable Value", "Exp", "Identifier"),
    ("RELTYPE", "Relationship Type", "Exp", "Record Qualifier"),
    ("RELID", "Relationship Identifier", "Req", "Record Qualifier"),
)
CODELISTS = {"RDOMAIN": "C66734", "RELTYPE": "C78737"}


def variables(facts: tuple[tuple[str, str, str, str], ...]) -> tuple[DatasetVariable, ...]:
    """The variables of a relationship dataset."""
    return tuple(
        DatasetVariable(name, label, "Char", core, role, CODELISTS.get(name)) for name, label, core, role in facts
    )


def split_texts(domain: DomainDef, made: list[Record]) -> None:
    """A text over 200 bytes: the first part stays, the others become supplemental qualifiers NAME1, NAME2, …"""
    labels = {variable.name: variable.label for variable in domain.variables if not variable.is_number}
    for record in made:
        for name, text in list(record.values.items()):
            if name in labels and isinstance(text, str) and len(text.encode()) > LONGEST_TEXT:
                first, *others = pieces(text)
                record.values[name] = first
                for number, piece in enumerate(others, start=1):
                    qnam = f"{name[: 8 - len(str(number))]}{number}"
                    record.supplements.append((qnam, f"{labels[name]} {number}"[:40], piece, "CRF", ""))


def pieces(text: str) -> list[str]:
    """A text in parts of at most 200 bytes, cut behind a blank where there is one, never inside a character."""
    found = []
    while len(text.encode()) > LONGEST_TEXT:
        part = shorten(text, LONGEST_TEXT)
        at = part.rfind(" ")
        part = part[: at + 1] if at > len(part) // 2 else part
        found.append(part.rstrip())
        text = text[len(part) :].lstrip()
    return [*found, text] if text else found


def supplemental(domain: DomainDef, made: list[Record]) -> list[dict[str, Any]]:
    """The rows of a domain's SUPP dataset."""
    sequence = f"{domain.name}SEQ"
    by = sequence if sequence in domain.names else ""
    rows = []
    for record in made:
        for qnam, label, value, origin, evaluator in record.supplements:
            parts = pieces(value)
            for number, part in enumerate(parts):
                name = qnam if number == 0 else f"{qnam[: 8 - len(str(number))]}{number}"
                rows.append(
                    {
                        "STUDYID": record.values["STUDYID"],
                        "RDOMAIN": domain.name,
                        "USUBJID": record.values["USUBJID"],
                        "IDVAR": by or None,
                        "IDVARVAL": str(record.values[sequence]) if by else None,
                        "QNAM": name,
                        "QLABEL": label if number == 0 else f"{label[:37]} {number}",
                        "QVAL": part,
                        "QORIG": origin,
                        "QEVAL": evaluator or None,
                    }
                )
    return rows


def comments(mapping: Mapping, records: dict[str, list[Record]]) -> list[Record]:
    """The records of CO: each comment with the record that it is about."""
    found: list[Record] = []
    for name in sorted(mapping.domains):
        for record in records[name]:
            for text, on in record.comments:
                values: dict[str, Any] = {
                    "STUDYID": record.values["STUDYID"],
                    "DOMAIN": "CO",
                    "RDOMAIN": name,
                    "USUBJID": record.values["USUBJID"],
                    "IDVAR": f"{name}SEQ",
                    "IDVARVAL": str(record.values[f"{name}SEQ"]),
                    "CODTC": on,
                }
                for number, part in enumerate(pieces(text)):
                    values["COVAL" if number == 0 else f"COVAL{number}"] = part
                found.append(Record(record.subject, values, len(found)))
    return found


def related(mapping: Mapping, records: dict[str, list[Record]]) -> list[dict[str, Any]]:
    """The rows of RELREC: datasets that share a link, then records that point at each other.

    Datasets come first: their rows are half blank, and readers of short records lose such a row at the end of a file.
    """
    rows: list[dict[str, Any]] = []
    for place, relation in enumerate(mapping.standard.get("relationships", ()), start=1):
        if all(records.get(side["domain"]) for side in relation["sides"]):
            rows.extend(_dataset_row(records, side, f"D{place}") for side in relation["sides"])
    by_ref = _by_reference(records)
    number = 0
    for name, made in sorted(records.items()):
        for record in made:
            for target in (each for link in record.links for each in by_ref.get((record.subject, link), ())):
                if target[1] is not record:
                    number += 1
                    rows.extend(_row(domain, each, f"R{number:05}") for domain, each in ((name, record), target))
    return rows


def _by_reference(records: dict[str, list[Record]]) -> dict[tuple[str | None, str], list[tuple[str, Record]]]:
    """The records that came from each form instance or row, by the reference that forms use."""
    found: dict[tuple[str | None, str], list[tuple[str, Record]]] = {}
    for name, made in sorted(records.items()):
        for record in made:
            if record.ref and f"{name}SEQ" in record.values:
                found.setdefault((record.subject, record.ref), []).append((name, record))
    return found


def _row(domain: str, record: Record, relation: str) -> dict[str, Any]:
    return {
        "STUDYID": record.values["STUDYID"],
        "RDOMAIN": domain,
        "USUBJID": record.values["USUBJID"],
        "IDVAR": f"{domain}SEQ",
        "IDVARVAL": str(record.values[f"{domain}SEQ"]),
        "RELTYPE": None,
        "RELID": relation,
    }


def _dataset_row(records: dict[str, list[Record]], side: dict[str, str], relation: str) -> dict[str, Any]:
    study = records[side["domain"]][0].values["STUDYID"]
    return {
        "STUDYID": study,
        "RDOMAIN": side["domain"],
        "USUBJID": None,
        "IDVAR": side["by"],
        "IDVARVAL": None,
        "RELTYPE": side["type"],
        "RELID": relation,
    }
