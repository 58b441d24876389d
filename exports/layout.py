"""From the definitions of all study versions to the tables of an export: which, with which columns, in which
order.

One table per form (its header items), one per repeating group, one per child form. Versions stand side by
side: a column for every item that any of them asks, in the order of the newest, with items that were dropped
kept in place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from design.definitions import FormDef, ItemDef, ItemGroupDef, StudyDef
from exports.shape import Code

# Names that stand in every table; an item of the same name (the subject number of a form) gives way.
RESERVED = {
    "STUDYID",
    "SITEID",
    "SUBJID",
    "SCRNO",
    "VISIT",
    "VISITNUM",
    "EVENT",
    "REPEAT",
    "FORM_REPEAT",
    "ROW",
}
RESERVED |= {"ROW_EN", "ROW_ZH", "STUDY_VERSION", "IN_ERROR"}


@dataclass
class ItemColumn:
    """One item over all versions: its definition in each (by version number)."""

    id: str
    definitions: dict[int, ItemDef] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its column's name: its id, with the form's before it where a key of every table has that name."""
        return f"{self.newest.form_id}_{self.id}" if self.id in RESERVED else self.id

    @property
    def newest(self) -> ItemDef:
        """The latest definition: gives label, unit and type."""
        return self.definitions[max(self.definitions)]

    @property
    def kind(self) -> str:
        """Its type; text when the versions do not agree on one that holds both."""
        kinds = {definition.type for definition in self.definitions.values()}
        if len(kinds) == 1:
            return kinds.pop()
        return "number" if kinds == {"integer", "number"} else "text"


@dataclass
class TableLayout:
    """One table: a form's header items, or the rows of one repeating group (`group` set)."""

    name: str
    form_id: str
    en: str
    zh: str
    group: str | None
    columns: list[ItemColumn]
    row_labels: dict[str, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def row_order(self) -> dict[str, int]:
        """The place of each row that is listed from a table."""
        return {row: place for place, row in enumerate(self.row_labels)}


def plan(versions: Sequence[StudyDef], with_masked: bool = False) -> list[TableLayout]:
    """All tables, form by form, in the order of the newest version."""
    versions = sorted(versions, key=lambda study: study.version)
    forms = merge_order([list(study.forms) for study in versions])
    layouts: list[TableLayout] = []
    taken: set[str] = set()
    for form_id in forms:
        defined = [(study, study.forms[form_id]) for study in versions if form_id in study.forms]
        if defined[-1][1].under:  # a child form is a repeating group of its parent's document
            continue
        layouts.extend(_of_form(form_id, defined, taken, with_masked))
    return layouts


def _of_form(
    form_id: str, defined: list[tuple[StudyDef, FormDef]], taken: set[str], with_masked: bool
) -> Iterable[TableLayout]:
    newest = defined[-1][1]
    header = [(study.version, [i for g in form.groups if not g.repeats for i in g.items]) for study, form in defined]
    columns = _columns(header, with_masked)
    repeating = merge_order([[group.id for group in form.groups if group.repeats] for _, form in defined])
    children = merge_order(
        [[child.id for child in study.forms.values() if child.under == form_id] for study, _ in defined]
    )
    taken.add(form_id)
    if columns or not (repeating or children):
        yield TableLayout(form_id, form_id, newest.label.en, newest.label.zh, None, columns)
    for group_id in [*repeating, *(child for child in children if child not in repeating)]:
        yield _of_group(form_id, group_id, defined, taken, with_masked)


def _of_group(
    form_id: str, group_id: str, defined: list[tuple[StudyDef, FormDef]], taken: set[str], with_masked: bool
) -> TableLayout:
    items, labels, rows = [], ("", ""), {}
    for study, form in defined:
        owner = form if any(group.id == group_id for group in form.groups) else study.forms.get(group_id)
        if owner is None:
            continue
        groups = [g for g in owner.groups if g.id == group_id or owner.id == group_id]
        items.append((study.version, [item for group in groups for item in group.items]))
        label = owner.label if owner.id == group_id else groups[0].label
        labels = (label.en, label.zh)
        rows.update(_row_labels(study, groups[0]))
    name = group_id if group_id not in taken else f"{form_id}_{group_id}"
    taken.add(name)
    return TableLayout(name, form_id, *labels, group_id, _columns(items, with_masked), rows)


def _row_labels(study: StudyDef, group: ItemGroupDef) -> dict[str, tuple[str, str]]:
    """Labels of rows that are listed from a table."""
    table = study.tables.get(group.rows.table) if group.rows is not None else None
    return {key: (row.get("en", ""), row.get("zh", "")) for key, row in table.rows.items()} if table else {}


def _columns(by_version: list[tuple[int, list[ItemDef]]], with_masked: bool) -> list[ItemColumn]:
    columns: dict[str, ItemColumn] = {}
    order = merge_order([[item.id for item in items] for _, items in by_version])
    for version, items in by_version:
        for item in items:
            columns.setdefault(item.id, ItemColumn(item.id)).definitions[version] = item
    # Masked once is masked always: no identifier becomes public because a later version forgot the mark.
    kept = [columns[item_id] for item_id in order]
    return [c for c in kept if with_masked or not any(d.masked for d in c.definitions.values())]


def merge_order(lists: Sequence[Sequence[str]]) -> list[str]:
    """One order for several: the last list's, with what only earlier ones have put behind what stood before
    it.
    """
    merged = list(lists[-1]) if lists else []
    for earlier in reversed(lists[:-1]):
        for place, name in enumerate(earlier):
            if name not in merged:
                before = next((merged.index(other) for other in reversed(earlier[:place]) if other in merged), -1)
                merged.insert(before + 1, name)
    return merged


def codes_of(study: StudyDef, item: ItemDef) -> dict[str, tuple[str, str]]:
    """The allowed answers of a coded item and their labels in one version; empty for other types."""
    return {code: (label.en, label.zh) for code, label in study.options_for(item).items()}


def merged_codes(column: ItemColumn, studies: dict[int, StudyDef]) -> tuple[Code, ...]:
    """Every code any version allows, each with the labels of each version in which they differ."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for version, definition in sorted(column.definitions.items()):
        for code, (en, zh) in codes_of(studies[version], definition).items():
            found.setdefault((code, en, zh), []).append(version)
    return tuple(Code(code, en, zh, tuple(versions)) for (code, en, zh), versions in found.items())
