"""Everything that can be wrong with a study that reads well: names, codes, tables, circles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from design import amendments
from design.build import Builder
from design.definitions import LOCK_NEEDS, TASKS, CheckDef, FormDef, ItemDef, StudyDef
from design.expressions import BUILTINS, Expression

ITEM_ID = re.compile(r"[A-Z][A-Z0-9_]{0,7}")
AUTO = ("screening_number", "subject_number", "repeat", "event_number", "protocol", "version")
RANGED = ("integer", "number", "labvalue")
KINDS = ("scheduled", "repeating", "unscheduled", "log")


def check(study: StudyDef, builder: Builder) -> None:
    """Note every fault of a study that was read."""
    _ids(study, builder)
    _events(study, builder)
    _deviations(study, builder)
    amendments.check(study, builder)
    for form in study.forms.values():
        for item in form.items:
            _item(study, form, item, builder)
        _form(study, form, builder)
    for file, where, rule, owner in _expressions(study):
        _expression(study, builder, file, where, rule, owner)
    _names(study, builder)
    _checks(study, builder)
    _circles(study, builder)


def _ids(study: StudyDef, builder: Builder) -> None:
    seen: dict[str, str] = {}
    for form in study.forms.values():
        for item in form.items:
            file = f"forms/{form.id}.toml"
            if item.id in seen:
                builder.fault(
                    file, item.id, "S005", f"the item stands in {seen[item.id]} too", "ids are unique in the study"
                )
            seen[item.id] = form.id
            if not ITEM_ID.fullmatch(item.id):
                builder.fault(file, item.id, "S011", "the id is not a variable name", "up to 8 capitals, digits, _")
    checks: dict[str, str] = {}
    for each in _all_checks(study):
        if each.id in checks:
            builder.fault(f"forms/{each.form_id}.toml", each.id, "S005", "the check id stands twice", "ids are unique")
        checks[each.id] = each.form_id


def _all_checks(study: StudyDef) -> Iterator[CheckDef]:
    yield from study.checks
    for form in study.forms.values():
        yield from form.checks
        for item in form.items:
            yield from item.checks


def _deviations(study: StudyDef, builder: Builder) -> None:
    named = study.deviations
    if named is None:
        return
    form = study.forms.get(named.form)
    if form is None or not form.repeats:
        builder.fault(
            "study.toml",
            "deviations.form",
            "S007",
            f"there is no repeating form {named.form!r}",
            "name a form of the log",
        )
        return
    held = {item.id for item in form.items}
    for part in ("term", "date", "category", "severity"):
        if getattr(named, part) not in held:
            where = f"deviations.{part}"
            builder.fault("study.toml", where, "S007", f"{form.id} has no such item", f"name one of {form.id}'s items")


def _events(study: StudyDef, builder: Builder) -> None:
    for event in study.events.values():
        if event.kind not in KINDS:
            builder.fault("study.toml", event.id, "S011", f"unknown kind {event.kind!r}", f"one of {', '.join(KINDS)}")
        if event.anchor and event.anchor not in study.anchors:
            builder.fault("study.toml", event.id, "S007", f"there is no anchor {event.anchor!r}", "add it to [anchors]")
        names = [each.form_id for each in event.forms]
        for name in sorted({name for name in names if names.count(name) > 1}):
            builder.fault("study.toml", event.id, "S005", f"the form {name!r} stands twice", "name it once")
        for each in event.forms:
            if each.form_id not in study.forms:
                builder.fault("study.toml", event.id, "S007", f"there is no form {each.form_id!r}", "add forms/….toml")
    placed = {each.form_id for event in study.events.values() for each in event.forms}
    for form in study.forms.values():
        if form.id not in placed and not form.under:
            builder.fault(f"forms/{form.id}.toml", form.id, "S007", "the form stands in no event", "add it to an event")
    for need in study.rules.lock_needs:
        if need not in LOCK_NEEDS:
            advice = f"one of {', '.join(LOCK_NEEDS)}"
            builder.fault("study.toml", "rules.lock_needs", "S011", f"there is no condition {need!r}", advice)
    if study.rules.enrol is not None and study.rules.enrol_cap not in study.parameters:
        builder.fault("study.toml", "rules.enrol_cap", "S007", "there is no such parameter", "add it to [parameters]")


def _names(study: StudyDef, builder: Builder) -> None:
    """What study.toml names in its rules: items, anchors, the parts of a number."""
    rules = study.rules
    named = [("visit_date", rules.visit_date), ("not_done", rules.not_done)]
    named += [("person_key", name) for name in rules.person_key]
    named += [(event.id, name) for event in study.events.values() for name in (event.visit_date, event.not_done)]
    for where, name in dict.fromkeys(named):
        form_id, _, item_id = (name or "").partition(".")
        if name and (form_id not in study.forms or item_id not in {item.id for item in study.forms[form_id].items}):
            builder.fault("study.toml", where, "S007", f"there is no item {name!r}", "write FORM.ITEM")
    for name in study.projected:
        if name not in study.anchors:
            builder.fault(
                "study.toml", f"projected.{name}", "S007", f"there is no anchor {name!r}", "add it to [anchors]"
            )
    for where, pattern in (("screening_number", rules.screening_number), ("subject_number", rules.subject_number)):
        try:
            differs = pattern.format(site="01", n=1) != pattern.format(site="01", n=2)
        except (KeyError, IndexError, ValueError, AttributeError, TypeError):
            differs = False
        if not differs:
            builder.fault(
                "study.toml", f"rules.{where}", "S011", f"{pattern!r} gives no number", "use {site} and {n:03}"
            )


def _form(study: StudyDef, form: FormDef, builder: Builder) -> None:
    file = f"forms/{form.id}.toml"
    if form.under and form.under not in study.forms:
        builder.fault(file, form.id, "S007", f"there is no form {form.under!r}", "name the parent form")
    for name in (*form.title, *form.order_by):
        if name not in study.items:
            builder.fault(file, form.id, "S007", f"there is no item {name!r}", "title and order_by name items")
    for group in form.groups:
        if group.rows and group.rows.table not in study.tables:
            builder.fault(file, group.id, "S007", f"there is no table {group.rows.table!r}", "add tables/….csv")
        elif group.rows and group.rows.column and group.rows.column not in study.tables[group.rows.table].columns:
            builder.fault(file, group.id, "S007", f"the table has no column {group.rows.column!r}", "name a column")
        if group.row_item and group.row_item not in study.items:
            builder.fault(file, group.id, "S007", f"there is no item {group.row_item!r}", "row_item names an item")


def _delegated(study: StudyDef, form: FormDef, item: ItemDef, builder: Builder) -> None:
    """Who must stand in the delegation log: a person, for a known task, on the day of an item beside it."""
    file = f"forms/{form.id}.toml"
    if item.type != "user":
        builder.fault(file, item.id, "S011", "only a person can be delegated", 'use it with type = "user"')
    if item.delegated not in TASKS:
        builder.fault(file, item.id, "S007", f"there is no task {item.delegated!r}", f"one of {', '.join(TASKS)}")
    on = study.items.get(item.delegated_on or "")
    if on is None or on.type != "date" or (on.form_id, on.group_id) != (item.form_id, item.group_id):
        builder.fault(
            file, item.id, "S007", "delegated_on names no date of the same group", "name the date of signature"
        )


def _has_row_unit(study: StudyDef, item: ItemDef) -> bool:
    group = next(group for group in study.forms[item.form_id].groups if group.id == item.group_id)
    table = study.tables.get(group.rows.table) if group.rows else None
    return table is not None and item.row_unit in table.columns


def _item(study: StudyDef, form: FormDef, item: ItemDef, builder: Builder) -> None:
    file = f"forms/{form.id}.toml"
    if item.row_unit is not None and not _has_row_unit(study, item):
        builder.fault(
            file,
            item.id,
            "S007",
            f"its rows have no column {item.row_unit!r}",
            "name a column of the table of the rows",
        )
    if item.codelist and item.codelist not in study.codelists:
        builder.fault(file, item.id, "S007", f"there is no code list {item.codelist!r}", "add it to codelists.toml")
    for name in (item.options, item.dictionary):
        if name and name not in study.tables:
            builder.fault(file, item.id, "S007", f"there is no table {name!r}", f"add tables/{name}.csv")
    if item.delegated or item.delegated_on:
        _delegated(study, form, item, builder)
    if item.type in ("code", "multi") and not item.codelist and not item.options:
        builder.fault(file, item.id, "S003", "a choice without a list", "give codelist or options")
    if (item.auto and item.auto not in AUTO) or (item.type == "auto" and not item.auto):
        builder.fault(
            file, item.id, "S011", f"the system does not know {item.auto!r}", f"auto is one of {', '.join(AUTO)}"
        )
    if (item.hard_range or item.soft_range or item.protected_range) and item.type not in RANGED:
        builder.fault(
            file, item.id, "S011", f"a range of a {item.type}", f"only for {', '.join(RANGED)}; else use a check"
        )
    _answers(study, file, item, builder)
    if item.type == "dictionary" and not item.dictionary:
        builder.fault(file, item.id, "S003", "a term without a dictionary", "give dictionary")
    for name in item.refers:
        if name not in study.forms:
            builder.fault(file, item.id, "S007", f"there is no form {name!r}", "refers names forms")


def _answers(study: StudyDef, file: str, item: ItemDef, builder: Builder) -> None:
    """A hint and the texts of a derivation must be answers that the item allows."""
    name = item.options or item.dictionary
    if item.type not in ("code", "multi") or (item.codelist or "") not in {*study.codelists, ""}:
        return
    if (name or "") not in {*study.tables, ""}:
        return
    allowed = study.options_for(item)
    texts = [item.default_hint] if item.default_hint else []
    texts += [text for text in (item.derive.results if item.derive else ()) if text]
    for text in dict.fromkeys(texts):
        if text not in allowed:
            builder.fault(
                file, item.id, "S009", f"{item.id} cannot be {text!r}", f"one of {', '.join(list(allowed)[:20])}"
            )


def _expressions(study: StudyDef) -> Iterator[tuple[str, str, Expression, FormDef | None]]:
    for name in ("anchors", "projected", "lifecycle"):
        for key, rule in getattr(study, name).items():
            yield "study.toml", f"{name}.{key}", rule, None
    for name in ("close_events_after", "enrol"):
        rule = getattr(study.rules, name)
        if rule is not None:
            yield "study.toml", f"rules.{name}", rule, None
    if study.amendment is not None and study.amendment.reconsent is not None:
        yield amendments.FILE, "reconsent.given", study.amendment.reconsent.given, None
    for event in study.events.values():
        if event.count is not None:
            yield "study.toml", event.id, event.count, None
    for form in study.forms.values():
        file = f"forms/{form.id}.toml"
        if form.show is not None:
            yield file, form.id, form.show, form
        for group in form.groups:
            if group.rows and group.rows.value is not None:
                yield file, group.id, group.rows.value, form
        for item in form.items:
            for rule in (item.show, item.derive, *(part for check in item.checks for part in (check.rule, check.when))):
                if rule is not None:
                    yield file, item.id, rule, form
        for each in form.checks:
            yield from ((file, each.id, part, form) for part in (each.rule, each.when) if part is not None)
    for each in study.checks:
        form_of = study.forms.get(each.form_id)
        yield from (("checks.toml", each.id, part, form_of) for part in (each.rule, each.when) if part is not None)


def _expression(
    study: StudyDef, builder: Builder, file: str, where: str, rule: Expression, form: FormDef | None
) -> None:
    own = _own_items(study, form)
    for name in sorted(rule.names - set(BUILTINS) - own):
        advice = "write FORM.ITEM or an aggregate" if name in study.items else "check the spelling"
        builder.fault(file, where, "S007", f"{name!r} is no item of this form", f"{advice}; in {rule.source[:100]!r}")
    for name in sorted(rule.forms - set(study.forms)):
        builder.fault(file, where, "S007", f"there is no form {name!r}", f"in {rule.source[:100]!r}")
    for owner, name in sorted(set(rule.qualified) | set(rule.scoped)):
        if owner in study.forms and name not in BUILTINS and name not in _own_items(study, study.forms[owner]):
            builder.fault(
                file, where, "S007", f"{owner} has no item {name!r}", f"in {rule.source[:100]!r}; this.{name}?"
            )
    for owner, name in sorted(rule.single):
        if owner in study.forms and name in study.items and not _is_single(study, study.forms[owner], name):
            advice = f"write last({owner}.{name}) or same_event({owner}.{name})"
            builder.fault(
                file, where, "S007", f"{owner}.{name} has more than one value", f"{advice}; in {rule.source[:60]!r}"
            )
    for name in sorted(rule.parameters - set(study.parameters)):
        builder.fault(file, where, "S007", f"there is no parameter {name!r}", "add it to [parameters]")
    for table, column in rule.lookups:
        if table not in study.tables:
            builder.fault(file, where, "S007", f"there is no table {table!r}", f"add tables/{table}.csv")
        elif column is not None and column not in study.tables[table].columns:
            builder.fault(file, where, "S007", f"table {table!r} has no column {column!r}", "check the spelling")
    for name in sorted(rule.events - set(study.events)):
        builder.fault(file, where, "S007", f"there is no event {name!r}", f"in {rule.source[:100]!r}")
    _codes(study, builder, file, where, rule)


def _is_single(study: StudyDef, form: FormDef, item_id: str) -> bool:
    """Whether a participant has one value of an item: the form stands in one event, once, and the item in no rows."""
    events = [event for event in study.events.values() if any(each.form_id == form.id for each in event.forms)]
    in_rows = any(group.repeats and any(item.id == item_id for item in group.items) for group in form.groups)
    return len(events) == 1 and events[0].kind in ("scheduled", "log") and not (form.repeats or form.under or in_rows)


def _own_items(study: StudyDef, form: FormDef | None) -> set[str]:
    if form is None:
        return set()
    family = [form, *(study.forms[child] for child in form.children)]
    if form.under and form.under in study.forms:
        family.append(study.forms[form.under])
        family += [study.forms[child] for child in study.forms[form.under].children]
    return {item.id for each in family for item in each.items}


def _codes(study: StudyDef, builder: Builder, file: str, where: str, rule: Expression) -> None:
    for name, text in rule.comparisons:
        item = study.items.get(name)
        if item is None or item.type not in ("code", "multi"):
            continue
        if (item.codelist and item.codelist not in study.codelists) or (
            item.options and item.options not in study.tables
        ):
            continue
        if text and text not in study.options_for(item):
            builder.fault(
                file,
                where,
                "S009",
                f"{name} is never {text!r}",
                f"one of {', '.join(list(study.options_for(item))[:20])}",
            )


def _checks(study: StudyDef, builder: Builder) -> None:
    for each in study.checks:
        if each.form_id not in study.forms:
            builder.fault(
                "checks.toml", each.id, "S007", f"there is no form {each.form_id!r}", "form is where it is shown"
            )
    for each in _all_checks(study):
        for name in each.items:
            if name not in study.items:
                builder.fault(
                    f"forms/{each.form_id}.toml", each.id, "S007", f"there is no item {name!r}", "items names items"
                )


def _circles(study: StudyDef, builder: Builder) -> None:
    reads = {
        item.id: {name for name in item.derive.names if name != item.id}
        for form in study.forms.values()
        for item in form.items
        if item.derive is not None
    }
    for start in reads:
        seen: set[str] = set()
        pending = [start]
        while pending:
            for name in reads.get(pending.pop(), ()):
                if name == start:
                    where = study.items[start].form_id
                    builder.fault(
                        f"forms/{where}.toml", start, "S010", "the derivation reads itself", "break the circle"
                    )
                    pending = []
                    break
                if name in reads and name not in seen:
                    seen.add(name)
                    pending.append(name)
