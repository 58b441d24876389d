"""The code lists of define.xml: one for each variable (or part of it) that has controlled terms, with the terms in use."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from exports.sdtm.dataset import Dataset
from exports.sdtm.xml_names import DEF, NCI_CODES, child, describe

_NAMES = {"TESTCD": "TEST", "PARMCD": "PARM", "ETCD": "ELEMENT", "ARMCD": "ARM"}


@dataclass
class CodeListDef:
    """One code list: its terms, each with its NCI code (none: an extension by the sponsor) and its decode."""

    oid: str
    name: str
    terms: list[tuple[str, str | None, str | None]]
    alias: str | None = None
    numeric: bool = False


@dataclass
class CodeLists:
    """All code lists, made as variables ask for them."""

    terminology: dict[str, dict[str, Any]]
    made: dict[str, CodeListDef] = field(default_factory=dict)

    def of_variable(self, dataset: Dataset, name: str, oid: str, values: Iterable[Any] | None = None) -> str | None:
        """The code list of a variable; None when it has no controlled terms or no value."""
        variable = dataset.variable(name)
        if not variable.codelist:
            return None
        held = dataset.column(name) if values is None else values
        texts = sorted({str(value) for value in held if value is not None})
        if not texts:
            return None
        decodes = _decodes(dataset, name)
        codes = variable.codelist.split()
        known = [self.terminology[code] for code in codes if code in self.terminology]
        terms = [(text, _code(text, known), decodes.get(text)) for text in texts]
        title = known[0]["name"] if len(known) == 1 else variable.label
        alias = codes[0] if len(codes) == 1 and known else None
        self.made[oid] = CodeListDef(oid, f"{title} ({dataset.name}.{name})", terms, alias)
        return oid

    def of_values(self, oid: str, name: str, values: Iterable[str]) -> str:
        """A code list of the sponsor's own terms."""
        self.made[oid] = CodeListDef(oid, name, [(text, None, None) for text in sorted(set(values))])
        return oid

    def write(self, parent: Any) -> None:
        """Every code list, by its OID."""
        for _, made in sorted(self.made.items()):
            _write(parent, made)


def _decodes(dataset: Dataset, name: str) -> dict[str, str]:
    """What a short code means: the name beside it in the same record."""
    for ending, partner in _NAMES.items():
        if name.endswith(ending):
            other = name.removesuffix(ending) + partner
            if any(variable.name == other for variable in dataset.variables):
                pairs = zip(dataset.column(name), dataset.column(other), strict=True)
                return {code: text for code, text in pairs if code and text}
    return {}


def _code(text: str, lists: list[dict[str, Any]]) -> str | None:
    return next((each["terms"][text] for each in lists if text in each["terms"]), None)


def _write(parent: Any, made: CodeListDef) -> None:
    element = child(parent, "CodeList", OID=made.oid, Name=made.name, DataType="text")
    if made.alias is None:
        element.set(f"{{{DEF}}}IsNonStandard", "Yes")
    else:
        element.set(f"{{{DEF}}}StandardOID", "STD.CT")
    decoded = all(decode for _, _, decode in made.terms)
    for place, (text, code, decode) in enumerate(made.terms, start=1):
        kind = "CodeListItem" if decoded else "EnumeratedItem"
        item = child(element, kind, CodedValue=text, OrderNumber=str(place))
        if made.alias is not None and code is None:
            item.set(f"{{{DEF}}}ExtendedValue", "Yes")
        if decoded:
            describe(item, decode or "", "Decode")
        if code is not None:
            child(item, "Alias", Context=NCI_CODES, Name=code)
    if made.alias is not None:
        child(element, "Alias", Context=NCI_CODES, Name=made.alias)
