"""Judging one form: skip logic, derivations, checks. The server is the judge; the page only shows the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from design import answers as documents
from design.definitions import CheckDef, ItemDef, ItemGroupDef, Label, StudyDef
from design.dependencies import cross_checks, dependents, derivations, needs, rules_reading, settling_forms
from design.expressions import Expression, TooCostly
from design.operators import compare, truth
from design.record import FormInstance, SubjectRecord, World
from design.types import to_cell

__all__ = [
    "Finding", "Verdict", "cross_checks", "dependents", "evaluate", "evaluate_expression", "listed_rows", "needs",
    "recheck", "rows_for", "settling_forms",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of a check, and where it is shown."""

    check_id: str
    severity: str
    paths: tuple[str, ...]
    label: Label
    form_id: str


@dataclass
class Verdict:
    """What is to be said about a form as it stands."""

    answers: dict[str, Any]
    shown: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    missing_required: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    hidden_answered: list[str] = field(default_factory=list)
    complete: bool = False

    @classmethod
    def empty(cls) -> Verdict:
        """Nothing asked, nothing answered."""
        return cls(answers={})


@dataclass(frozen=True, slots=True)
class Place:
    """One row in which items are asked: a group with a row key, and how many of its items are answered."""

    group: ItemGroupDef
    key: str
    is_listed: bool


def evaluate_expression(study: StudyDef, record: SubjectRecord, rule: Expression, today: date) -> Any:
    """The value of an expression about the participant as a whole (anchor, life cycle); None when not evaluable."""
    world = _world_of(record, study, today)
    world.steps = 0
    try:
        return rule.run(world.nowhere())
    except TooCostly:
        return None


def _world_of(record: SubjectRecord, study: StudyDef, today: date) -> World:
    """The one world in which everything that is asked of a record as it is stored is evaluated."""
    world = record.world
    if world is None or world.study is not study or world.today != today:
        world = record.world = World(study, record, today)
    return world


def evaluate(study: StudyDef, record: SubjectRecord, instance: FormInstance, *, today: date) -> Verdict:
    """Judge an instance against the rest of the participant's record.

    Derived values that are not evaluable are taken out; answers of hidden items stay and are named.
    """
    answers = {group: {row: dict(cells) for row, cells in rows.items()} for group, rows in instance.answers.items()}
    current = replace(instance, answers=answers)
    world = World(study, record.replacing(current), today, judged=current)
    return _Judgement(study, current, world).verdict()


def recheck(
    study: StudyDef,
    record: SubjectRecord,
    instance: FormInstance,
    form_id: str,
    items: frozenset[str],
    event: str | None = None,
    *,
    today: date,
) -> tuple[set[str], list[Finding]] | None:
    """Run again only those checks of an instance that read items of another form which just changed (in `event`).

    `instance` is one of the record's own. Returns the ids of the checks that were run and their findings; None when skip
    logic reads the items too or a derived value is no longer what it was, so that the whole form has to be judged.
    """
    reading = rules_reading(study, instance.form_id, form_id, items, event)
    if reading is None:
        return None
    judgement = _Judgement(study, instance, _world_of(record, study, today))
    if judgement.derives_otherwise(reading.derivations):
        return None
    return {check.id for check in reading.checks}, judgement.rechecked(reading.checks)


class _Judgement:
    def __init__(self, study: StudyDef, current: FormInstance, world: World) -> None:
        self.study, self.current, self.world = study, current, world
        self.form = study.forms[current.form_id]
        self.answers = current.answers
        self.result = Verdict(self.answers)
        self.child_shown: dict[str, bool] = {}

    def verdict(self) -> Verdict:
        for _ in range(3):
            before = {group: {row: dict(cells) for row, cells in rows.items()} for group, rows in self.answers.items()}
            self._derive()
            if before == self.answers:
                break
        places = list(self._places())
        for place in places:
            self._show(place)
        self._check(places)
        self._prune()
        self.result.complete = not self.result.missing_required and bool(self.answers)
        return self.result

    def derives_otherwise(self, derived: list[tuple[ItemDef, ItemGroupDef]]) -> bool:
        """Whether any of these derived items would get another value than it has."""
        for item, group in derived:
            for key in self._rows_with_answers(group):
                if self._derived(item, group, key) != self.answers.get(group.id, {}).get(key, {}).get(item.id):
                    return True
        return False

    def rechecked(self, checks: list[CheckDef]) -> list[Finding]:
        """The findings of some checks only."""
        places = list(self._places())
        for check in checks:
            for place in self._places_of(check, places):
                for item_id in check.items:
                    path = self._path(item_id, place)
                    item = self.study.items[item_id]
                    at = place if item.group_id == place.group.id else Place(self._group_of(item), "1", True)
                    (self.result.shown if self._is_shown(item, at) else self.result.hidden).add(path)
                self._judge(check, place, check.items)
        return self.result.findings

    def _group_of(self, item: ItemDef) -> ItemGroupDef:
        return next(group for group in self.study.forms[item.form_id].groups if group.id == item.group_id)

    def _groups(self) -> Iterator[ItemGroupDef]:
        yield from self.form.groups
        for child in self.form.children:
            yield from self.study.forms[child].groups

    def _places(self) -> Iterator[Place]:
        for group in self._groups():
            if not group.repeats:
                yield Place(group, "1", True)
                continue
            rows = self.answers.get(group.id, {})
            listed = [key for key, _, _ in rows_for(self.study, self.world, self.current, group)]
            for key in listed:
                if not documents.in_error(rows.get(key, {})):
                    yield Place(group, key, True)
            for key, cells in rows.items():
                if key not in listed and not documents.in_error(cells):
                    yield Place(group, key, False)

    def _run(self, rule: Expression, place: Place) -> Any:
        self.world.steps = 0
        group = place.group.id if place.group.repeats else None
        try:
            return rule.run(self.world.scope_of(self.current, group, place.key))
        except TooCostly:
            return None

    def _derive(self) -> None:
        for item, group in derivations(self.study, self.form):
            for key in self._rows_with_answers(group):
                self._set(group.id, key, item.id, self._derived(item, group, key))

    def _rows_with_answers(self, group: ItemGroupDef) -> list[str]:
        """The rows for which something is derived: those listed first, none that is marked in error."""
        if not group.repeats:
            rows = ["1"]
        else:
            listed = [key for key, _, _ in rows_for(self.study, self.world, self.current, group)]
            held = self.answers.get(group.id, {})
            rows = [key for key in listed if key in held] + [key for key in held if key not in listed]
        return [key for key in rows if not documents.in_error(self.answers.get(group.id, {}).get(key, {}))]

    def _derived(self, item: ItemDef, group: ItemGroupDef, key: str) -> Any:
        place = Place(group, key, False)
        if item.derive is None or not self._is_shown(item, place):
            return None
        return to_cell(self._run(item.derive, place), item)

    def _set(self, group: str, row: str, item: str, cell: Any) -> None:
        is_new = row not in self.answers.get(group, {})
        if cell is not None:
            self.answers.setdefault(group, {}).setdefault(row, {})[item] = cell
        elif item in self.answers.get(group, {}).get(row, {}):
            del self.answers[group][row][item]
        else:
            return
        if is_new or self._orders(item):  # cells of known rows are read as they are
            self.world.forget(self.form.id)

    def _orders(self, item: str) -> bool:
        family = (self.form.id, *self.form.children)
        return any(item in self.study.forms[form].order_by for form in family)

    def _is_shown(self, item: ItemDef, place: Place) -> bool:
        if not self._group_shown(place.group):
            return False
        return item.show is None or truth(self._run(item.show, place)) is True

    def _group_shown(self, group: ItemGroupDef) -> bool:
        owner = self.study.forms[group.form_id]
        if owner.show is None:
            return True
        if owner.id not in self.child_shown or owner.under:
            self.child_shown[owner.id] = truth(self._run(owner.show, Place(self.form.groups[0], "1", True))) is True
        return self.child_shown[owner.id]

    def _show(self, place: Place) -> None:
        cells = self.answers.get(place.group.id, {}).get(place.key, {})
        for item in place.group.items:
            path = f"{place.group.id}/{place.key}/{item.id}"
            answered = item.id in cells
            if not self._is_shown(item, place):
                self.result.hidden.add(path)
                if answered and item.derive is None and item.type != "auto":
                    self.result.hidden_answered.append(path)
                continue
            self.result.shown.add(path)
            required = item.required in ("yes", "shown")
            if (
                required
                and not answered
                and item.derive is None
                and item.type != "auto"
                and item.id != place.group.row_item
            ):
                self.result.missing_required.append(path)

    def _check(self, places: list[Place]) -> None:
        for place in places:
            for item in place.group.items:
                if f"{place.group.id}/{place.key}/{item.id}" in self.result.shown:
                    for check in item.checks:
                        self._judge(check, place, (item.id,))
            owner = self.study.forms[place.group.form_id]
            if owner.under:
                for check in owner.checks:
                    self._judge(check, place, check.items)
        for check in (*self.form.checks, *cross_checks(self.study, self.form.id)):
            for place in self._places_of(check, places):
                self._judge(check, place, check.items)
        for child in self.form.children:
            for check in cross_checks(self.study, child):
                for place in places:
                    if place.group.form_id == child:
                        self._judge(check, place, check.items)

    def _places_of(self, check: CheckDef, places: list[Place]) -> Iterable[Place]:
        """A check that speaks of items of a repeating group runs for each of its rows, else once."""
        read = check.rule.names | (check.when.names if check.when else frozenset()) | set(check.items)
        for group in self._groups():
            if group.repeats and any(item.id in read for item in group.items):
                return [place for place in places if place.group.id == group.id]
        return [next((place for place in places if not place.group.repeats), Place(self.form.groups[0], "1", True))]

    def _judge(self, check: CheckDef, place: Place, items: tuple[str, ...]) -> None:
        paths = tuple(self._path(item, place) for item in items)
        if paths and all(path in self.result.hidden for path in paths):
            return
        if place.group.repeats and not self.answers.get(place.group.id, {}).get(place.key):
            return
        if check.when is not None and truth(self._run(check.when, place)) is not True:
            return
        if self._run(check.rule, place) is False:
            self.result.findings.append(Finding(check.id, check.severity, paths, check.label, self.form.id))

    def _path(self, item_id: str, place: Place) -> str:
        group = self.study.items[item_id].group_id
        return f"{group}/{place.key if group == place.group.id else '1'}/{item_id}"

    def _prune(self) -> None:
        for group in list(self.answers):
            self.answers[group] = {row: cells for row, cells in self.answers[group].items() if cells}
            if not self.answers[group]:
                del self.answers[group]


def rows_for(
    study: StudyDef, world: World, instance: FormInstance, group: ItemGroupDef
) -> list[tuple[str, Label, dict[str, str]]]:
    """The pre-listed rows of a group: key, label and table row; empty for rows that people add."""
    source = group.rows
    if source is None:
        return []
    rows = study.tables[source.table].rows
    chosen = list(rows.items())
    if source.column is not None and source.value is not None:
        wanted = source.value.run(world.scope_of(instance))
        chosen = [(key, row) for key, row in chosen if compare("=", row.get(source.column), wanted) is True]
    return [(key, Label(row.get("en") or key, row.get("zh") or key), row) for key, row in chosen]


def listed_rows(
    study: StudyDef, record: SubjectRecord, instance: FormInstance, group: ItemGroupDef, today: date
) -> list[tuple[str, Label, dict[str, str]]]:
    """The pre-listed rows of a group for a page."""
    return rows_for(study, World(study, record.replacing(instance), today), instance, group)
