"""The study's design as ODM 1.3.2 metadata: one MetaDataVersion for each published version.

Every text stands in both languages. What ODM has no word for (severity of a check, its rule) is told as a FormalExpression
in the study's own language, so that nothing is dropped.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

from design.definitions import CheckDef, EventDef, FormDef, ItemDef, ItemGroupDef, Label, StudyDef
from exports.odm import oids

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
CONTEXT = "evidentia"  # the language of our expressions
DATA_TYPES = {
    "integer": "integer",
    "number": "float",
    "date": "date",
    "partial_date": "partialDate",
    "time": "partialTime",
    "datetime": "partialDatetime",
}
LONGEST_TEXT = 4_000
EVENT_TYPES = {"scheduled": "Scheduled", "repeating": "Scheduled", "unscheduled": "Unscheduled", "log": "Common"}
SOFT = {"hard": "Hard", "protected": "Hard"}


class Xml:
    """Writes elements one inside the other to a stream (`lxml.etree.xmlfile`)."""

    def __init__(self, stream: Any, namespace: str) -> None:
        self._stream, self._namespace = stream, namespace
        self._names: dict[str, str] = {}

    def _name(self, tag: str) -> str:
        if tag not in self._names:
            self._names[tag] = f"{{{self._namespace}}}{tag}"
        return self._names[tag]

    def inside(self, tag: str, **attributes: Any) -> AbstractContextManager[Any]:
        """An element with content; attributes that are None are left out."""
        found: AbstractContextManager[Any] = self._stream.element(self._name(tag), _texts(attributes))
        return found

    def empty(self, tag: str, **attributes: Any) -> None:
        """An element without content."""
        with self._stream.element(self._name(tag), _texts(attributes)):
            pass

    def text(self, tag: str, content: str, **attributes: Any) -> None:
        """An element that holds a text."""
        with self._stream.element(self._name(tag), _texts(attributes)):
            self._stream.write(content)

    def translated(self, tag: str, label: Label) -> None:
        """An element that holds a text in both languages."""
        with self._stream.element(self._name(tag)):
            for language, text in (("en", label.en), ("zh-CN", label.zh)):
                with self._stream.element(self._name("TranslatedText"), {XML_LANG: language}):
                    self._stream.write(text)


def _texts(attributes: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in attributes.items() if value is not None}


def write_study(xml: Xml, oid: str, studies: list[StudyDef]) -> None:
    """The Study element: names, units, and every version of the design given."""
    newest = studies[-1]
    with xml.inside("Study", OID=oids.study(oid)):
        with xml.inside("GlobalVariables"):
            xml.text("StudyName", newest.id)
            xml.text("StudyDescription", f"{newest.label.en} / {newest.label.zh}")
            xml.text("ProtocolName", newest.protocol)
        _units(xml, studies)
        for study in studies:
            _version(xml, study)


def _units(xml: Xml, studies: list[StudyDef]) -> None:
    units = sorted({unit for study in studies for item in study.items.values() for unit in units_of(study, item)})
    if units:
        with xml.inside("BasicDefinitions"):
            for name in units:
                with xml.inside("MeasurementUnit", OID=oids.unit(name), Name=name):
                    xml.translated("Symbol", Label(name, name))


def units_of(study: StudyDef, item: ItemDef) -> list[str]:
    """The units in which an item can be answered: its own, or those of its rows."""
    return [item.unit] if item.unit else sorted(set(study.row_units(item).values()))


def _version(xml: Xml, study: StudyDef) -> None:
    name = f"{study.label.en}, version {study.version}"
    with xml.inside("MetaDataVersion", OID=oids.version(study.version), Name=name):
        with xml.inside("Protocol"):
            for order, event in enumerate(study.events.values(), start=1):
                mandatory = "Yes" if event.kind == "scheduled" else "No"
                xml.empty("StudyEventRef", StudyEventOID=oids.event(event.id), OrderNumber=order, Mandatory=mandatory)
        for event in study.events.values():
            _event(xml, event)
        forms = [form for form in study.forms.values() if not form.under]
        for form in forms:
            _form(xml, study, form)
        for form in forms:
            for group in groups_of(study, form):
                _group(xml, study, group)
        for item in study.items.values():
            _item(xml, study, item)
        _codelists(xml, study)
        _expressions(xml, study, "ConditionDef", oids.condition, lambda item: item.show)
        _expressions(xml, study, "MethodDef", oids.method, lambda item: item.derive)


def groups_of(study: StudyDef, form: FormDef) -> Iterable[ItemGroupDef]:
    """The item groups of a form and of the child forms whose rows stand in its document."""
    yield from form.groups
    for child in form.children:
        yield from study.forms[child].groups


def _event(xml: Xml, event: EventDef) -> None:
    repeating = "Yes" if event.kind in ("repeating", "unscheduled") else "No"
    kind = EVENT_TYPES[event.kind]
    with xml.inside("StudyEventDef", OID=oids.event(event.id), Name=event.label.en, Repeating=repeating, Type=kind):
        xml.translated("Description", event.label)
        for order, form in enumerate(event.forms, start=1):
            mandatory = "Yes" if form.required else "No"
            xml.empty("FormRef", FormOID=oids.form(form.form_id), OrderNumber=order, Mandatory=mandatory)


def _form(xml: Xml, study: StudyDef, form: FormDef) -> None:
    repeating = "Yes" if form.repeats else "No"
    with xml.inside("FormDef", OID=oids.form(form.id), Name=form.label.en, Repeating=repeating):
        xml.translated("Description", form.label)
        for order, group in enumerate(groups_of(study, form), start=1):
            xml.empty("ItemGroupRef", ItemGroupOID=oids.group(group.id), OrderNumber=order, Mandatory="No")


def _group(xml: Xml, study: StudyDef, group: ItemGroupDef) -> None:
    repeating = "Yes" if group.repeats else "No"
    with xml.inside("ItemGroupDef", OID=oids.group(group.id), Name=group.label.en or group.id, Repeating=repeating):
        xml.translated("Description", group.label)
        for order, item in enumerate(group.items, start=1):
            xml.empty(
                "ItemRef",
                ItemOID=oids.item(item.id),
                OrderNumber=order,
                Mandatory="Yes" if item.required in ("yes", "shown") else "No",
                MethodOID=oids.method(item.id) if item.derive else None,
                CollectionExceptionConditionOID=oids.condition(item.id) if item.show else None,
            )


def _item(xml: Xml, study: StudyDef, item: ItemDef) -> None:
    kind = DATA_TYPES.get(item.type, "text")
    length = item.length or LONGEST_TEXT if kind == "text" else 12 if kind in ("integer", "float") else None
    with xml.inside(
        "ItemDef",
        OID=oids.item(item.id),
        Name=item.id,
        DataType=kind,
        Length=length,
        SignificantDigits=item.digits or 0 if kind == "float" else None,
    ):
        if item.help:
            xml.translated("Description", item.help)
        xml.translated("Question", item.label)
        for unit in units_of(study, item):
            xml.empty("MeasurementUnitRef", MeasurementUnitOID=oids.unit(unit))
        for check in item.checks:
            _check(xml, check)
        for low_or_high, severity in (("hard_range", "Hard"), ("protected_range", "Hard"), ("soft_range", "Soft")):
            _range(xml, item, getattr(item, low_or_high), severity)
        if study.options_for(item) and item.type != "multi":
            xml.empty("CodeListRef", CodeListOID=codelist_of(item))
        if item.sdtm:
            xml.empty("Alias", Context="SDTM", Name=item.sdtm)


def codelist_of(item: ItemDef) -> str:
    """The identifier of the answers an item allows."""
    return oids.codelist(item.codelist) if item.codelist else oids.table(item.options or item.dictionary or "")


def _check(xml: Xml, check: CheckDef) -> None:
    with xml.inside("RangeCheck", SoftHard=SOFT.get(check.severity, "Soft")):
        condition = f"({check.when.source}) implies ({check.rule.source})" if check.when else check.rule.source
        xml.text("FormalExpression", condition, Context=CONTEXT)
        xml.translated("ErrorMessage", check.label)


def _range(xml: Xml, item: ItemDef, limits: tuple[Decimal | None, Decimal | None] | None, severity: str) -> None:
    for comparator, limit in zip(("GE", "LE"), limits or (), strict=False):
        if limit is not None and DATA_TYPES.get(item.type) in ("integer", "float"):
            with xml.inside("RangeCheck", Comparator=comparator, SoftHard=severity):
                xml.text("CheckValue", str(limit))


def _codelists(xml: Xml, study: StudyDef) -> None:
    used: dict[str, tuple[str, dict[str, Label]]] = {
        oids.codelist(each.id): (each.id, each.codes) for each in [*study.codelists.values(), study.missing]
    }
    for item in study.items.values():
        if not item.codelist and (options := study.options_for(item)):
            used[codelist_of(item)] = (item.options or item.dictionary or "", options)
    for oid, (name, codes) in used.items():
        with xml.inside("CodeList", OID=oid, Name=name, DataType="text"):
            for code, label in codes.items():
                with xml.inside("CodeListItem", CodedValue=code):
                    xml.translated("Decode", label)


def _expressions(
    xml: Xml, study: StudyDef, tag: str, oid: Callable[[str], str], found: Callable[[ItemDef], Any]
) -> None:
    for item in study.items.values():
        rule = found(item)
        if rule is None:
            continue
        # A collection exception is true when the item is NOT asked; `show` is true when it is.
        source = f"not ({rule.source})" if tag == "ConditionDef" else rule.source
        kind = {"Type": "Computation"} if tag == "MethodDef" else {}
        with xml.inside(tag, OID=oid(item.id), Name=item.id, **kind):
            xml.translated("Description", item.label)
            xml.text("FormalExpression", source, Context=CONTEXT)
