"""What reads what: which rules have to be judged again after a save, and in which order derivations run."""

from __future__ import annotations

from dataclasses import dataclass

from design.definitions import CheckDef, FormDef, ItemDef, ItemGroupDef, StudyDef
from design.expressions import Expression


def cross_checks(study: StudyDef, form_id: str) -> list[CheckDef]:
    """The cross-form checks whose findings are shown on a form."""
    return study.remembered(("cross", form_id), lambda: [check for check in study.checks if check.form_id == form_id])


def derivations(study: StudyDef, form: FormDef) -> list[tuple[ItemDef, ItemGroupDef]]:
    """The derived items of a form and its children, each after those it reads."""
    return study.remembered(("derivations", form.id), lambda: _in_order(study, form))


def _in_order(study: StudyDef, form: FormDef) -> list[tuple[ItemDef, ItemGroupDef]]:
    groups = [*form.groups, *(group for child in form.children for group in study.forms[child].groups)]
    pending = {item.id: (item, group) for group in groups for item in group.items if item.derive is not None}
    reads = {name: item.derive.items if item.derive else frozenset() for name, (item, _) in pending.items()}
    ordered: list[tuple[ItemDef, ItemGroupDef]] = []
    while pending:
        ready = [name for name in pending if not reads[name] & (pending.keys() - {name})]
        for name in ready or list(pending):
            ordered.append(pending.pop(name))
    return ordered


def needs(study: StudyDef, form_id: str) -> frozenset[str]:
    """The forms whose documents the rules of a form read."""
    return study.remembered(
        ("needs", form_id),
        lambda: frozenset(
            study.document_form(form).id
            for rule in _rules(study, form_id)
            for form in rule.forms
            if form in study.forms
        ),
    )


def dependents(
    study: StudyDef, form_id: str, changed_items: frozenset[str] | None = None, event: str | None = None
) -> dict[str, bool]:
    """The forms whose derivations or checks read this form (or just these items of it), in study order.

    `event` is where the change stands; rules that read the form in another named event only are left out. The value
    says how far: True, instances in any event; False, only those in the same event.
    """
    if changed_items and len(changed_items) > 1:  # found item by item: any mixture of items may change in one save
        found: dict[str, bool] = {}
        for item in changed_items:
            for other, reach in dependents(study, form_id, frozenset((item,)), event).items():
                found[other] = found.get(other, False) or reach
        return {other: found[other] for other in study.forms if other in found}
    key = ("dependents", form_id, changed_items, event)
    return study.remembered(key, lambda: _dependents(study, form_id, changed_items, event))


def _dependents(study: StudyDef, form_id: str, items: frozenset[str] | None, event: str | None) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for other in study.forms.values():
        if other.under:
            continue
        for rule in _rules(study, other.id):
            reach = _reach(study, rule, form_id, items, event)
            if reach is not None:
                found[other.id] = found.get(other.id, False) or reach
    return found


def _reach(
    study: StudyDef, rule: Expression, form_id: str, items: frozenset[str] | None, event: str | None = None
) -> bool | None:
    """Whether a rule reads what changed: None, not at all; False, in its own event; True, in any event."""
    names = {form_id, *study.forms[form_id].children}
    reach: bool | None = None
    if rule.forms & names and (items is None or rule.items & items or not rule.items or rule.counted & names):
        pinned = {where for form, where in rule.pinned if form in names}
        if rule.anywhere & names or (pinned and (event is None or event in pinned)):
            reach = True
        elif rule.beside & names:
            reach = False
    if items is None or items & _date_items(study, form_id):  # the date of the event changes with them
        if any(name == "event_date" for _, name in rule.scoped):
            return True
        if "event_date" in rule.names:
            reach = bool(reach)
    return reach


def _date_items(study: StudyDef, form_id: str) -> frozenset[str]:
    """The items of a form that give the date of an event."""

    def find() -> frozenset[str]:
        named = {event.visit_date for event in study.events.values()} | {study.rules.visit_date}
        parts = [name.partition(".") for name in named if name]
        return frozenset(item for form, _, item in parts if form == form_id)

    return study.remembered(("date items", form_id), find)


@dataclass(frozen=True)
class Reading:
    """The rules of a form that read something: its derivations and its checks."""

    derivations: list[tuple[ItemDef, ItemGroupDef]]
    checks: list[CheckDef]


def rules_reading(
    study: StudyDef, judged: str, form_id: str, items: frozenset[str], event: str | None = None
) -> Reading | None:
    """The derivations and checks of a form that read items of another; None when skip logic reads them too."""
    key = ("reading", judged, form_id, items, event)
    return study.remembered(key, lambda: _rules_reading(study, judged, form_id, items, event))


def _rules_reading(
    study: StudyDef, judged: str, form_id: str, items: frozenset[str], event: str | None
) -> Reading | None:
    if len(items) > 1:
        return _together([rules_reading(study, judged, form_id, frozenset((item,)), event) for item in items])

    def reads(rule: Expression | None) -> bool:
        return rule is not None and _reach(study, rule, form_id, items, event) is not None

    checks: list[CheckDef] = []
    for each in (judged, *study.forms[judged].children):
        form = study.forms[each]
        if reads(form.show) or any(reads(item.show) for item in form.items):
            return None
        own = (*(check for item in form.items for check in item.checks), *form.checks, *cross_checks(study, each))
        checks += [check for check in own if reads(check.rule) or reads(check.when)]
    derived = [(item, group) for item, group in derivations(study, study.forms[judged]) if reads(item.derive)]
    return Reading(derived, checks)


def _together(readings: list[Reading | None]) -> Reading | None:
    derived: dict[str, tuple[ItemDef, ItemGroupDef]] = {}
    checks: dict[str, CheckDef] = {}
    for each in readings:
        if each is None:
            return None
        derived |= {item.id: (item, group) for item, group in each.derivations}
        checks |= {check.id: check for check in each.checks}
    return Reading(list(derived.values()), list(checks.values()))


def _rules(study: StudyDef, form_id: str) -> list[Expression]:
    def find() -> list[Expression]:
        rules: list[Expression | None] = []
        for each in (form_id, *study.forms[form_id].children):
            form = study.forms[each]
            rules.append(form.show)
            for item in form.items:
                rules += [item.show, item.derive]
                rules += [part for check in item.checks for part in (check.rule, check.when)]
            checks = (*form.checks, *cross_checks(study, each))
            rules += [part for check in checks for part in (check.rule, check.when)]
        return [rule for rule in rules if rule is not None]

    return study.remembered(("rules", form_id), find)


def settling_forms(study: StudyDef) -> frozenset[str]:
    """The forms that decide a participant's status, number and schedule."""

    def find() -> frozenset[str]:
        rules = [*study.anchors.values(), *study.projected.values(), *study.lifecycle.values()]
        rules += [rule for rule in (study.rules.close_events_after, study.rules.enrol) if rule is not None]
        if study.amendment is not None and study.amendment.reconsent is not None:
            rules.append(study.amendment.reconsent.given)
        rules += [event.count for event in study.events.values() if event.count is not None]
        named = {study.document_form(form).id for rule in rules for form in rule.forms}
        dates = [name for event in study.events.values() for name in (event.visit_date, event.not_done) if name]
        return frozenset(named | {item.partition(".")[0] for item in (*study.rules.person_key, *dates)})

    return study.remembered(("settling",), find)
