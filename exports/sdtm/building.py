"""The datasets of a mapping, from the live tables of a study."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from exports import tables
from exports.sdtm import keys, supplements
from exports.sdtm.dataset import Dataset, DatasetVariable
from exports.sdtm.engine import Record, make_records
from exports.sdtm.mapping import DomainDef, Mapping, read
from exports.sdtm.source import Sources, make
from exports.shape import Table

REFERENCE = ("Trial Design", "Study Reference")
CO = (
    ("STUDYID", "Study Identifier", "Char", "Req", "Identifier"),
    ("DOMAIN", "Domain Abbreviation", "Char", "Req", "Identifier"),
    ("RDOMAIN", "Related Domain Abbreviation", "Char", "Perm", "Record Qualifier"),
    ("USUBJID", "Unique Subject Identifier", "Char", "Req", "Identifier"),
    ("COSEQ", "Sequence Number", "Num", "Req", "Identifier"),
    ("IDVAR", "Identifying Variable", "Char", "Perm", "Record Qualifier"),
    ("IDVARVAL", "Identifying Variable Value", "Char", "Perm", "Record Qualifier"),
    ("COVAL", "Comment", "Char", "Req", "Topic"),
    ("CODTC", "Date/Time of Comment", "Char", "Perm", "Timing"),
    ("CODY", "Study Day of Comment", "Num", "Perm", "Timing"),
)


class Datasets(dict[str, Dataset]):
    """The datasets by name, with the mapping and the study that they come from, and what could not be mapped."""

    def __init__(self, made: dict[str, Dataset], mapping: Mapping, sources: Sources) -> None:
        super().__init__(made)
        self.mapping, self.sources = mapping, sources
        self.notes = sorted(sources.notes)


def build(connection: Connection, scope: tables.Scope, mapping_folder: Path) -> Datasets:
    """The SDTM datasets of the participants in scope.

    Raises:
        MappingFaults: the mapping cannot be used; all its faults.
    """
    mapping = read(mapping_folder)
    return build_from(tables.read(connection, scope), scope, mapping)


def build_from(found: dict[str, Table], scope: tables.Scope, mapping: Mapping) -> Datasets:
    """The same from tables that are already read (a data cut)."""
    sources = make(found, scope.studies)
    records = make_records(mapping, sources)
    for domain in mapping.domains.values():
        supplements.split_texts(domain, records[domain.name])
    keys.finish(mapping, records)
    made: dict[str, Dataset] = {}
    for domain in mapping.domains.values():
        if records[domain.name]:
            made[domain.name] = _dataset(domain, records[domain.name])
            rows = supplements.supplemental(domain, records[domain.name])
            if rows:
                made[f"SUPP{domain.name}"] = _supplemental(domain, rows)
    _add_comments(mapping, records, made)
    relations = supplements.related(mapping, records)
    if relations:
        made["RELREC"] = _relations(relations)
    return Datasets({name: made[name] for name in sorted(made)}, mapping, sources)


def _dataset(domain: DomainDef, made: list[Record]) -> Dataset:
    return Dataset(
        domain.name,
        domain.label,
        domain.class_name,
        domain.structure,
        domain.keys,
        list(domain.variables),
        [{v.name: record.values.get(v.name) for v in domain.variables} for record in made],
        domain.comment,
        reference=domain.class_name in REFERENCE,
    )


def _supplemental(domain: DomainDef, rows: list[dict[str, Any]]) -> Dataset:
    return Dataset(
        f"SUPP{domain.name}",
        f"Supplemental Qualifiers for {domain.name}",
        "Relationship",
        "One record per supplemental qualifier per related parent domain record",
        ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM"),
        list(supplements.variables(supplements.SUPP)),
        rows,
    )


def _relations(rows: list[dict[str, Any]]) -> Dataset:
    return Dataset(
        "RELREC",
        "Related Records",
        "Relationship",
        "One record per related record, group of records or dataset",
        ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "RELID"),
        list(supplements.variables(supplements.RELREC)),
        rows,
    )


def _add_comments(mapping: Mapping, records: dict[str, list[Record]], made: dict[str, Dataset]) -> None:
    found = supplements.comments(mapping, records)
    if not found or "CO" in made:
        return
    found.sort(key=lambda r: (r.values["USUBJID"], r.values["RDOMAIN"], r.place))
    counts: dict[str, int] = {}
    starts = {r.values["USUBJID"]: r.values.get("RFSTDTC") for r in records.get("DM", ())}
    for record in found:
        owner = record.values["USUBJID"]
        record.values["COSEQ"] = counts[owner] = counts.get(owner, 0) + 1
        record.values["CODY"] = keys.study_day(record.values["CODTC"], starts.get(owner))
    facts = [DatasetVariable(*fact) for fact in CO]
    more = max(sum(name.startswith("COVAL") for name in record.values) for record in found)
    at = next(place for place, variable in enumerate(facts) if variable.name == "COVAL") + 1
    facts[at:at] = [DatasetVariable(f"COVAL{n}", f"Comment {n}", "Char", "Perm", "Topic") for n in range(1, more)]
    made["CO"] = Dataset(
        "CO",
        "Comments",
        "Special Purpose",
        "One record per comment per subject",
        ("STUDYID", "USUBJID", "IDVAR", "COVAL", "CODTC"),
        facts,
        [{v.name: record.values.get(v.name) for v in facts} for record in found],
    )
