"""Namespaces of define.xml and the few ways in which its elements are made."""

from typing import Any

from lxml import etree

ODM = "http://www.cdisc.org/ns/odm/v1.3"
DEF = "http://www.cdisc.org/ns/def/v2.1"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"
NCI_CODES = "nci:ExtCodeID"


def child(parent: Any, name: str, **attributes: str | None) -> Any:
    """A child element of ODM; attributes of None are left out."""
    return etree.SubElement(parent, f"{{{ODM}}}{name}", {k: v for k, v in attributes.items() if v is not None})


def defined(parent: Any, name: str, **attributes: str | None) -> Any:
    """A child element of define.xml's own namespace."""
    return etree.SubElement(parent, f"{{{DEF}}}{name}", {k: v for k, v in attributes.items() if v is not None})


def describe(parent: Any, text: str, name: str = "Description", language: str = "en") -> Any:
    """A text in a language."""
    element = child(parent, name)
    translated = child(element, "TranslatedText")
    translated.set(f"{{{XML}}}lang", language)
    translated.text = text
    return element
