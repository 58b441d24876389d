"""The variables of define.xml: types, origins, methods, and value-level metadata by test code and by QNAM."""

from dataclasses import dataclass, field
from typing import Any

from exports.sdtm import data_types
from exports.sdtm.data_types import DataType
from exports.sdtm.dataset import Dataset, DatasetVariable
from exports.sdtm.define_lists import CodeLists
from exports.sdtm.mapping import DomainDef
from exports.sdtm.origins import Origin, Origins
from exports.sdtm.xml_names import DEF, child, defined, describe

CRF_LEAF = "LF.acrf"
MOST_TERMS = 25  # distinct texts of a result that become a code list of their own
# How variables are derived that every domain has alike.
METHODS = {
    "SEQ": "Numbered from 1 for each subject (in TS: each parameter) in the order of the dataset's keys.",
    "DY": "Days from DM.RFSTDTC; the reference start date is day 1, the day before it day -1. Blank for partial dates.",
    "LOBXFL": "Y for the last result of each test (with its location, side and method) before DM.RFXSTDTC.",
    "EPOCH": "The epoch of the last element in SE that had begun; what lies before the first element, or has no date, takes the "
    "epoch of the visit that recorded it. Blank for a partial date that may lie in two epochs.",
    "USUBJID": "STUDYID and the screening number, joined by a full stop.",
}


@dataclass
class Items:
    """Everything about variables that is written once and pointed at."""

    origins: Origins
    lists: CodeLists
    methods: dict[str, str] = field(default_factory=dict)
    wheres: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # OID -> (dataset, variable, value)
    value_lists: dict[str, list[tuple[str, str, str | None]]] = field(default_factory=dict)  # item, where, method
    written: list[dict[str, Any]] = field(default_factory=list)

    def variable(self, dataset: Dataset, domain: DomainDef | None, variable: DatasetVariable) -> str | None:
        """Note one variable; returns its method."""
        origin = self._origin(dataset, domain, variable.name)
        method = self._method(dataset, variable.name, origin)
        self.written.append(
            {
                "oid": item_oid(dataset, variable.name),
                "name": variable.name,
                "type": _type(dataset, variable),
                "label": variable.label,
                "list": self.lists.of_variable(dataset, variable.name, f"CL.{dataset.name}.{variable.name}"),
                "origin": origin,
                "values": self._values(dataset, domain, variable.name),
                "comment": variable.comment,
            }
        )
        return method

    def _origin(self, dataset: Dataset, domain: DomainDef | None, name: str) -> Origin | None:
        if dataset.name.startswith("SUPP"):
            return None if name == "QVAL" else Origin("Assigned")
        if domain is None:
            collected = name.startswith("COVAL") or name == "CODTC"
            return Origin("Collected") if collected else Origin("Derived" if name == "COSEQ" else "Assigned")
        return self.origins.of_variable(domain, name)

    def _method(self, dataset: Dataset, name: str, origin: Origin | None) -> str | None:
        if origin is None or origin.type != "Derived":
            return None
        own = next((word for word in METHODS if name == word or name.endswith(word)), None)
        text = METHODS[own] if own and not origin.how else "; ".join(origin.how)
        if not text:
            return None
        oid = f"MT.{own}" if own and not origin.how else f"MT.{dataset.name}.{name}"
        self.methods[oid] = text
        return oid

    def _values(self, dataset: Dataset, domain: DomainDef | None, name: str) -> str | None:
        """The value list of a variable, by test code or by QNAM."""
        if dataset.name.startswith("SUPP") and name == "QVAL":
            return self._by_qualifier(dataset, domain)
        if domain is None or name.removeprefix(domain.name) not in ("ORRES", "STRESC"):
            return None
        code = f"{domain.name}TESTCD"
        if code not in domain.names:
            return None
        oid = f"VL.{dataset.name}.{name}"
        for test in sorted({value for value in dataset.column(code) if value}):
            texts = [row[name] for row in dataset.rows if row.get(code) == test and row.get(name)]
            if texts:
                self._value_item(dataset, domain, name, code, test, texts, self.origins.of_variable(domain, name, test))
        return oid if oid in self.value_lists else None

    def _by_qualifier(self, dataset: Dataset, domain: DomainDef | None) -> str | None:
        for qnam in sorted({value for value in dataset.column("QNAM") if value}):
            rows = [row for row in dataset.rows if row["QNAM"] == qnam]
            texts = [row["QVAL"] for row in rows]
            origin = self.origins.of_supplement(domain, qnam) if domain else Origin("Assigned")
            if origin.type == "Assigned" and rows[0]["QORIG"] == "CRF":
                origin = Origin("Collected", origin.forms)
            self._value_item(dataset, domain, "QVAL", "QNAM", qnam, texts, origin, rows[0]["QLABEL"])
        return f"VL.{dataset.name}.QVAL"

    def _value_item(
        self,
        dataset: Dataset,
        domain: DomainDef | None,
        name: str,
        by: str,
        value: str,
        texts: list[str],
        origin: Origin,
        label: str | None = None,
    ) -> None:
        oid = f"{item_oid(dataset, name)}.{value}"
        where = f"WC.{dataset.name}.{value}"
        self.wheres[where] = (dataset.name, by, value)
        method = None
        if origin.type == "Derived":
            method = f"MT.{dataset.name}.{name}.{value}"
            self.methods[method] = "; ".join(origin.how) or "Derived on the form."
        kind = data_types.of_texts(texts)
        short = (
            kind.name == "text" and len(set(texts)) <= MOST_TERMS and all(t.isascii() and len(t) < 60 for t in texts)
        )
        title = f"{label or value} ({dataset.name}.{name})"
        codelist = self.lists.of_values(f"CL.{dataset.name}.{name}.{value}", title, texts) if short else None
        self.value_lists.setdefault(f"VL.{dataset.name}.{name}", []).append((oid, where, method))
        self.written.append(
            {"oid": oid, "name": value, "type": kind, "label": label, "list": codelist, "origin": origin}
        )

    def write_items(self, parent: Any) -> None:
        """Every ItemDef."""
        for item in self.written:
            _write_item(parent, item)

    def write_value_lists(self, parent: Any) -> None:
        """Every value list, then every where clause."""
        for oid, entries in self.value_lists.items():
            element = defined(parent, "ValueListDef", OID=oid)
            for place, (item, where, method) in enumerate(entries, start=1):
                ref = child(element, "ItemRef", ItemOID=item, OrderNumber=str(place), Mandatory="No", MethodOID=method)
                defined(ref, "WhereClauseRef", WhereClauseOID=where)
        for oid, (dataset, variable, value) in self.wheres.items():
            element = defined(parent, "WhereClauseDef", OID=oid)
            check = child(element, "RangeCheck", Comparator="EQ", SoftHard="Soft")
            check.set(f"{{{DEF}}}ItemOID", f"IT.{dataset}.{variable}")
            child(check, "CheckValue").text = value


def item_oid(dataset: Dataset, name: str) -> str:
    """The OID of a variable."""
    return f"IT.{dataset.name}.{name}"


def _type(dataset: Dataset, variable: DatasetVariable) -> DataType:
    values = dataset.column(variable.name)
    return data_types.of_values(variable.name, values, variable.is_number, dataset.length(variable.name))


def _write_item(parent: Any, item: dict[str, Any]) -> None:
    kind: DataType = item["type"]
    element = child(
        parent,
        "ItemDef",
        OID=item["oid"],
        Name=item["name"],
        DataType=kind.name,
        Length=str(kind.length) if kind.length else None,
        SignificantDigits=str(kind.digits) if kind.digits else None,
        SASFieldName=item["name"],
    )
    if item.get("comment"):
        element.set(f"{{{DEF}}}CommentOID", f"COM.{item['oid']}")
    if item.get("label"):
        describe(element, item["label"])
    if item.get("list"):
        child(element, "CodeListRef", CodeListOID=item["list"])
    if item.get("origin"):
        _write_origin(element, item["origin"])
    if item.get("values"):
        defined(element, "ValueListRef", ValueListOID=item["values"])


def _write_origin(parent: Any, origin: Origin) -> None:
    source = {"Collected": "Investigator", "Derived": "Sponsor", "Assigned": "Sponsor", "Protocol": "Sponsor"}
    element = defined(parent, "Origin", Type=origin.type, Source=source[origin.type])
    if origin.type == "Collected" and origin.forms:
        ref = defined(element, "DocumentRef", leafID=CRF_LEAF)
        defined(ref, "PDFPageRef", PageRefs=" ".join(origin.forms), Type="NamedDestination")
