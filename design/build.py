"""Building definitions from parsed text; what is wrong is noted and reading goes on, so that all faults come at once."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from design.definitions import CheckDef, FormDef, ItemDef, ItemGroupDef, Label, RowSource
from design.expressions import Expression, ExpressionFault, compile_expression
from design.faults import Fault
from design.shapes import CHECK_KEYS, FORM_KEYS, GROUP_KEYS, ITEM_KEYS, Keys
from design.types import TYPES

HAN = re.compile(r"[\u3400-\u9fff]")
UNTRANSLATED = re.compile(r"[A-Za-z]{3,} [a-z]{3,}")
SEVERITIES = ("hard", "protected", "soft", "cross", "warning")
RANGE_WORDS = {
    "hard": ("cannot be right; check the value and its unit", "不可能成立，请核对数值与单位"),
    "protected": ("is outside the protocol", "超出方案规定"),
    "soft": ("is unusual; check it against the source", "数值异常，请与原始记录核对"),
}
Range = tuple[Decimal | None, Decimal | None]


class Builder:
    """Collects faults while it turns parsed text into definitions."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, file: str, item: str, code: str, message: str, advice: str) -> None:
        """Note a fault and go on."""
        self.faults.append(Fault(file, item, code, message, advice))

    def keys(self, file: str, item: str, document: dict[str, Any], allowed: Keys) -> None:
        """Every key must be a known one with a value of its kind; a value of another kind is taken out."""
        for key in list(document):
            if key not in allowed:
                self.fault(file, item, "S002", f"unknown key {key!r}", f"known: {', '.join(sorted(allowed))}")
            elif not allowed[key][1](document[key]):
                wanted = allowed[key][0]
                self.fault(file, item, "S011", f"{key} cannot be {str(document.pop(key))[:60]!r}", f"give {wanted}")

    def label(self, file: str, item: str, document: dict[str, Any]) -> Label:
        """A text in both languages."""
        en, zh = str(document.get("en", "")).strip(), str(document.get("zh", "")).strip()
        if not en or not zh:
            self.fault(file, item, "S004", "a text is not in both languages", "give en and zh")
        elif UNTRANSLATED.search(zh) and not HAN.search(zh):
            self.fault(file, item, "S004", f"the Chinese text {zh[:60]!r} is English", "translate zh")
        return Label(en, zh)

    def expression(self, file: str, item: str, source: Any) -> Expression | None:
        """A compiled expression, None without one."""
        if source is None:
            return None
        try:
            return compile_expression(str(source))
        except ExpressionFault as fault:
            self.fault(file, item, "S008", str(fault), f"in {str(source)[:120]!r}")
            return None

    def expressions(self, file: str, item: str, document: dict[str, Any]) -> dict[str, Expression]:
        """Named expressions, in order."""
        found = {name: self.expression(file, f"{item}.{name}", text) for name, text in document.items()}
        return {name: rule for name, rule in found.items() if rule is not None}

    def checks(
        self, file: str, raw: list[dict[str, Any]], form_id: str | None, own: str | None = None
    ) -> list[CheckDef]:
        """Checks of an item, a form or of the cross-form file."""
        found = []
        for each in raw:
            self.keys(file, str(each.get("id", "?")), each, CHECK_KEYS)
            where = str(each.get("id", "?"))
            severity = each.get("severity", "cross" if form_id is None else "")
            if severity not in SEVERITIES:
                self.fault(file, where, "S011", f"unknown severity {severity!r}", f"one of {', '.join(SEVERITIES)}")
            rule = self.expression(file, where, each.get("rule", ""))
            if rule is None:
                continue
            items = tuple(each.get("items", (own,) if own else ()))
            label = self.label(file, where, each)
            when = self.expression(file, where, each.get("when"))
            found.append(CheckDef(where, severity, rule, when, label, form_id or str(each.get("form", "")), items))
        return found

    def forms(self, documents: dict[str, dict[str, Any]]) -> dict[str, FormDef]:
        """All forms, child forms attached to their parents."""
        children: dict[str, list[str]] = {}
        for file, document in documents.items():
            self.keys(file, str(document.get("id", "")), document, FORM_KEYS)
            for group in document.get("groups", ()):
                self.keys(file, str(group.get("id", "")), group, GROUP_KEYS)
            for item in document.get("items", ()):
                self.keys(file, str(item.get("id", "")), item, ITEM_KEYS)
            if document.get("under"):
                children.setdefault(document["under"], []).append(str(document.get("id", file)))
        forms = {}
        for file, document in documents.items():
            form = self._form(file, document, tuple(children.get(str(document.get("id")), ())))
            if form.id in forms:
                self.fault(file, form.id, "S005", "the form stands twice", "give it another id")
            forms[form.id] = form
        return forms

    def _form(self, file: str, document: dict[str, Any], children: tuple[str, ...]) -> FormDef:
        form_id = str(document.get("id", ""))
        if file != f"forms/{form_id}.toml":
            self.fault(file, form_id, "S003", "the file's name is not the form's id", f"name it forms/{form_id}.toml")
        under = document.get("under")
        raw_groups = document.get("groups") or []
        if under or not raw_groups:
            raw_groups = [
                {"id": form_id, "en": document.get("en", ""), "zh": document.get("zh", ""), "repeats": bool(under)}
            ]
        raw_items = document.get("items", [])
        first = raw_groups[0].get("id", form_id)
        by_group: dict[str, list[ItemDef]] = {str(group.get("id")): [] for group in raw_groups}
        for raw in raw_items:
            group_id = form_id if under else str(raw.get("group", first))
            if group_id not in by_group:
                self.fault(file, str(raw.get("id")), "S007", f"there is no group {group_id!r}", "add it to [[groups]]")
                continue
            by_group[group_id] += self._items(file, raw, form_id, group_id)
        groups = tuple(self._group(file, raw, form_id, tuple(by_group[str(raw.get("id"))])) for raw in raw_groups)
        return FormDef(
            id=form_id,
            label=self.label(file, form_id, document),
            repeats=bool(document.get("repeats", False)),
            under=under,
            show=self.expression(file, form_id, document.get("show")),
            title=_names(document.get("title")),
            order_by=_names(document.get("order_by")),
            groups=groups,
            checks=tuple(self.checks(file, document.get("checks", []), form_id)),
            children=children,
            catalogue_items=len(raw_items),
        )

    def _group(self, file: str, raw: dict[str, Any], form_id: str, items: tuple[ItemDef, ...]) -> ItemGroupDef:
        group_id = str(raw.get("id", ""))
        source = None
        if raw.get("rows"):
            table, _, condition = str(raw["rows"]).partition(" where ")
            column, _, value = condition.partition("=")
            rule = self.expression(file, group_id, value.strip()) if condition else None
            source = RowSource(table.strip(), column.strip() or None, rule)
        repeats = bool(raw.get("repeats", False)) or source is not None
        label = self.label(file, group_id, raw)
        return ItemGroupDef(group_id, form_id, label, repeats, source, raw.get("row_item"), items)

    def _items(self, file: str, raw: dict[str, Any], form_id: str, group_id: str) -> list[ItemDef]:
        item_id = str(raw.get("id", ""))
        if "members" not in raw:
            return [self._item(file, raw, form_id, group_id, item_id, raw, raw.get("derive"), None)]
        members = raw["members"]
        derives = members if isinstance(members, dict) else dict.fromkeys(members)
        labels, found = raw.get("labels", {}), []
        for number, (member, derive) in enumerate(derives.items(), start=1):
            words = labels.get(member) or {
                language: str(raw.get(language, "")).replace("{n}", str(number)).replace("{member}", member)
                for language in ("en", "zh")
            }
            found.append(self._item(file, raw, form_id, group_id, member, words, derive, item_id))
        return found

    def _item(
        self,
        file: str,
        raw: dict[str, Any],
        form_id: str,
        group_id: str,
        item_id: str,
        words: dict[str, Any],
        derive: str | None,
        family: str | None,
    ) -> ItemDef:
        kind = str(raw.get("type", ""))
        if kind not in TYPES:
            self.fault(file, item_id, "S006", f"unknown type {kind!r}", f"one of {', '.join(TYPES)}")
        ranges = {name: self._range(file, item_id, raw.get(name)) for name in RANGE_WORDS}
        checks = self.checks(file, raw.get("checks", []), form_id, own=item_id)
        label = self.label(file, item_id, words)
        for name, bounds in ranges.items():
            if bounds is not None:
                checks.append(self._range_check(form_id, item_id, kind, name, bounds, label))
        required = raw.get("required", False)
        return ItemDef(
            id=item_id,
            form_id=form_id,
            group_id=group_id,
            label=label,
            type=kind,
            codelist=raw.get("codelist"),
            options=raw.get("options"),
            dictionary=raw.get("dictionary"),
            refers=tuple(raw.get("refers", ())),
            auto=raw.get("auto"),
            unit=raw.get("unit"),
            row_unit=raw.get("row_unit"),
            digits=raw.get("digits"),
            length=raw.get("length"),
            required="yes" if required is True else "shown" if required == "shown" else "no",
            no_missing=bool(raw.get("no_missing", False)),
            show=self.expression(file, item_id, raw.get("show")),
            derive=self.expression(file, item_id, derive),
            checks=tuple(checks),
            default_hint=raw.get("default_hint"),
            critical=bool(raw.get("critical", False)),
            masked=bool(raw.get("masked", False)),
            help=Label(raw["help_en"], raw.get("help_zh", "")) if "help_en" in raw else None,
            sdtm=str(raw.get("sdtm", "")),
            family=family,
            hard_range=ranges["hard"],
            protected_range=ranges["protected"],
            soft_range=ranges["soft"],
            delegated=raw.get("delegated"),
            delegated_on=raw.get("delegated_on"),
        )

    def _range(self, file: str, item_id: str, text: str | None) -> Range | None:
        if text is None:
            return None
        low, dots, high = str(text).partition("..")
        try:
            bounds = tuple(Decimal(part) if part.strip() else None for part in (low.strip(), high.strip()))
        except InvalidOperation:
            bounds = (None, None)
        if not dots or bounds == (None, None):
            self.fault(
                file, item_id, "S011", f"the range {text!r} cannot be read", 'write "low..high", "low.." or "..high"'
            )
            return None
        return bounds[0], bounds[1]

    def _range_check(self, form_id: str, item_id: str, kind: str, name: str, bounds: Range, label: Label) -> CheckDef:
        """The check behind `hard = "100..220"`, with a sentence that names the limits."""
        low, high = bounds
        value = f"number({item_id})" if kind == "labvalue" else item_id
        parts = [f"{value} >= {low}"] * (low is not None) + [f"{value} <= {high}"] * (high is not None)
        rule = compile_expression(" and ".join(parts).replace(">= -", ">= 0 - ").replace("<= -", "<= 0 - "))
        en, zh = RANGE_WORDS[name]
        limits = f"{low if low is not None else ''}–{high if high is not None else ''}"
        words = Label(f"{label.en} {en} (limits {limits}).", f"{label.zh}{zh}（界限 {limits}）。")
        return CheckDef(f"{item_id}-{name[0].upper()}", name, rule, None, words, form_id, (item_id,))


def _names(text: str | list[str] | None) -> tuple[str, ...]:
    if not text:
        return ()
    return tuple(part.strip() for part in (text if isinstance(text, list) else text.split(",")))
