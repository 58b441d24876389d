"""How a form looks, as far as the definitions alone say: made once and shared."""

from dataclasses import dataclass

from design.definitions import FormDef, ItemDef, ItemGroupDef, Label, StudyDef
from design.units import unit_text

MOST_RADIOS = 5  # more codes than that become a select
SHORT_TEXT = 200
MOST_COLUMNS = 9
WIDTHS = {
    "integer": "num",
    "number": "num",
    "labvalue": "num",
    "date": "date",
    "partial_date": "date",
    "time": "time",
    "datetime": "datetime",
}
HINTS = {
    "date": ("YYYY-MM-DD", "年-月-日"),
    "partial_date": ("YYYY[-MM[-DD]]", "年[-月[-日]]"),
    "time": ("HH:MM", "时:分"),
    "datetime": ("YYYY-MM-DD HH:MM", "年-月-日 时:分"),
}
TABLE_KINDS = {"select", "input", "auto", "derived"}


@dataclass(frozen=True, slots=True)
class Face:
    """One item as the page shows it, before any answer."""

    id: str
    item: ItemDef
    label: str
    help: str
    kind: str  # radio, select, multi, input, area, term, file, check, auto, derived
    options: tuple[tuple[str, str], ...]
    unit: str
    row_units: dict[str, str]  # where the unit depends on the row
    hint: str
    width: str
    mode: str
    required: bool
    may_miss: bool
    dictionary: str


@dataclass(frozen=True, slots=True)
class Block:
    """One group of items: a list of questions, a table of rows, or cards of rows."""

    id: str
    group: ItemGroupDef
    child: FormDef | None
    title: str
    layout: str  # items, table, cards
    faces: tuple[Face, ...]
    row_title: str
    row_labels: dict[str, tuple[str, str]]  # pre-listed rows: key -> label and help


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole form."""

    form: FormDef
    title: str
    blocks: tuple[Block, ...]
    missing: tuple[tuple[str, str], ...]


_MADE: dict[tuple[int, str, str], tuple[StudyDef, Layout]] = {}


def layout_of(study: StudyDef, form: FormDef, language: str) -> Layout:
    """The layout of a form in a language. The study is kept with it, so its identity is a safe key."""
    key = (id(study), form.id, language)
    made = _MADE.get(key)
    if made is None or made[0] is not study:
        made = _MADE[key] = (study, _make(study, form, language))
    return made[1]


def say(label: Label | None, language: str) -> str:
    """A bilingual text of the study in a language; English where the other is empty."""
    return (label.text(language) or label.en) if label else ""


def _make(study: StudyDef, form: FormDef, language: str) -> Layout:
    blocks = [_block(study, group, None, language) for group in form.groups]
    for child in (study.forms[child_id] for child_id in form.children):
        blocks += [_block(study, group, child, language) for group in child.groups]
    missing = tuple((code, say(label, language)) for code, label in study.missing.codes.items())
    return Layout(form, say(form.label, language), tuple(blocks), missing)


def _block(study: StudyDef, group: ItemGroupDef, child: FormDef | None, language: str) -> Block:
    faces = tuple(_face(study, item, language) for item in group.items if item.id != group.row_item or not group.rows)
    repeats = group.repeats or child is not None
    layout = "items"
    if repeats:
        tabular = group.rows is not None or (
            len(faces) <= MOST_COLUMNS and all(_in_table(face).kind in TABLE_KINDS for face in faces)
        )
        layout = "table" if tabular else "cards"
    if layout == "table":
        faces = tuple(_in_table(face) for face in faces)
    title = say(child.label if child else group.label, language)
    return Block(group.id, group, child, title, layout, faces, "", _row_labels(study, group, language))


def _row_labels(study: StudyDef, group: ItemGroupDef, language: str) -> dict[str, tuple[str, str]]:
    if group.rows is None:
        return {}
    rows = study.tables[group.rows.table].rows
    return {
        key: (str(row.get(language) or row.get("en") or key), str(row.get(f"help_{language}") or ""))
        for key, row in rows.items()
    }


def _face(study: StudyDef, item: ItemDef, language: str) -> Face:
    return Face(
        id=item.id,
        item=item,
        label=say(item.label, language),
        help=say(item.help, language),
        kind=_kind(study, item),
        options=_options(study, item, language),
        unit=unit_text(item.unit, language),
        row_units={row: unit_text(unit, language) for row, unit in study.row_units(item).items()},
        hint=HINTS.get(item.type, ("", ""))[language == "zh"],
        width=WIDTHS.get(item.type, "text"),
        mode={"integer": "numeric", "number": "decimal"}.get(item.type, ""),
        required=item.required != "no" and item.derive is None and item.type != "auto",
        may_miss=not item.no_missing and item.derive is None and item.type != "auto",
        dictionary=item.dictionary or "",
    )


def _kind(study: StudyDef, item: ItemDef) -> str:
    if item.derive is not None:
        return "derived"
    if item.type == "code":
        return "radio" if len(study.options_for(item)) <= MOST_RADIOS else "select"
    if item.type == "text":
        return "area" if (item.length or 200) > SHORT_TEXT else "input"
    fixed = {
        "multi": "multi",
        "dictionary": "term",
        "ref": "select",
        "user": "select",
        "file": "file",
        "sign": "check",
        "auto": "auto",
    }
    return fixed.get(item.type, "input")


def _in_table(face: Face) -> Face:
    """In a table a choice is a select and a text is one line."""
    kind = {"radio": "select", "area": "input"}.get(face.kind, face.kind)
    if kind == face.kind:
        return face
    return Face(**{**{name: getattr(face, name) for name in Face.__slots__}, "kind": kind})


def _options(study: StudyDef, item: ItemDef, language: str) -> tuple[tuple[str, str], ...]:
    if item.type == "sign":
        return (("signed", "本人确认" if language == "zh" else "I confirm"),)
    if item.type not in ("code", "multi"):
        return ()
    return tuple((code, say(label, language)) for code, label in study.options_for(item).items())
