"""A form as the page shows it now: the layout, what is stored or was typed, and the verdict on it.

Only attributes that the template reads; no database, no rules. The verdict decides what is shown and what is
wrong.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from design.answers import ERROR
from forms.crf_layout import Block, Face, say
from forms.crf_parts import Field, Page, Row, Say, Section, State
from forms.crf_places import rows_of
from forms.crf_words import Options, severity_words, small_words, text_of

MOST_LISTS = 150


def build(state: State, *, full: bool = False, **page: Any) -> Page:
    """The page of a form; `page` gives addresses, rights and a name. `full` is for those without scripts."""
    says = _says(state)
    rendered: set[str] = set()
    sections = [_section(state, block, says, rendered) for block in state.layout.blocks]
    loose = [each for path, found in says.items() if path not in rendered for each in found]
    missing = state.layout.missing
    options = Markup("<option value=''></option>") + Markup("").join(
        Markup("<option value='{}'>{}</option>").format(code, label) for code, label in missing
    )
    return Page(
        title=state.layout.title,
        sections=sections,
        says=loose,
        missing=missing,
        missing_options=options,
        counts=_counts(state, says),
        lazy=not full and sum(len(row.fields) for section in sections for row in section.rows) > MOST_LISTS,
        words=small_words(),
        severities=severity_words(),
        **page,
    )


def _says(state: State) -> dict[str, list[Say]]:
    """The findings by the path they stand beside: the first on the page, so that each is said once."""
    by_path: dict[str, list[Say]] = {}
    for found in state.findings:
        text = say(found.label, state.language)
        paths = tuple(found.paths)
        said = Say(found.severity, text, found.check_id, state.overrides.get(found.check_id, ""), paths)
        place = next((path for path in paths if path in state.shown), paths[0] if paths else "")
        by_path.setdefault(place, []).append(said)
    return by_path


def _counts(state: State, says: dict[str, list[Say]]) -> dict[str, int]:
    counts = {"hard": len(state.errors), "protected": 0, "soft": 0, "open": len(state.missing_required)}
    for found in says.values():
        for each in found:
            tone = "soft" if each.severity == "cross" else each.severity
            if tone in counts:
                counts[tone] += 1
    return counts


def _section(state: State, block: Block, says: dict[str, list[Say]], rendered: set[str]) -> Section:
    keys = _row_keys(state, block)
    rows = [_row(state, block, key, says, rendered) for key in keys]
    user_rows = block.layout != "items" and not block.row_labels
    shown = any(field.shown for row in rows for field in row.fields) if rows else user_rows
    noun = block.title or state.layout.title
    return Section(
        id=block.id,
        title=block.title if block.title != state.layout.title or len(state.layout.blocks) > 1 else "",
        sub="",
        layout=block.layout,
        columns=block.faces,
        rows=rows,
        row_title=_("No.") if user_rows else "",
        shown=shown,
        always=user_rows,
        can_add=user_rows,
        add_label=_("Add: %(what)s", what=noun),
        nothing=_("None entered.") if user_rows else _("The rows appear when the questions above are answered."),
    )


def _row_keys(state: State, block: Block) -> list[str]:
    if block.layout == "items":
        return ["1"]
    held = rows_of(state.answers, block.id)
    if block.row_labels:
        visible = {path.split("/", 1)[1].rsplit("/", 1)[0] for path in state.shown if path.startswith(block.id + "/")}
        return [key for key in block.row_labels if key in visible or key in held]
    keys = dict.fromkeys([*held, *state.added.get(block.id, [])])
    return sorted(keys, key=lambda key: int(key) if key.isdigit() else 0)


def _row(state: State, block: Block, key: str, says: dict[str, list[Say]], rendered: set[str]) -> Row:
    cells = state.answers.get(block.id, {}).get(key, {})
    stored = state.stored.get(block.id, {}).get(key, {})
    in_error = str(stored.get(ERROR) or "")
    label, text = block.row_labels.get(key, ("", ""))
    fields = [_field(state, block, face, key, cells, stored, says, rendered) for face in block.faces]
    if in_error:
        _fix(fields)
    typed = (state.posted or {}).get(f"{block.id}/{key}/~error", [""])[0]
    name = (
        label
        or state.row_labels.get(f"{block.id}/{key}")
        or (key if block.layout == "table" else f"{block.title} {key}")
    )
    return Row(
        key=key,
        label=name,
        help=text,
        fields=fields,
        shown=any(each.shown for each in fields),
        stored=bool(stored) and not block.row_labels,
        in_error=in_error,
        error_typed="" if in_error else typed,
    )


def _fix(fields: list[Field]) -> None:
    """A row in error can be read and not be changed."""
    for each in fields:
        each.kind, each.may_miss, each.shown, each.missing = (
            "fixed",
            False,
            bool(each.values or each.missing),
            "",
        )


def _field(
    state: State,
    block: Block,
    face: Face,
    key: str,
    cells: Mapping[str, Any],
    stored: Mapping[str, Any],
    says: dict[str, list[Say]],
    rendered: set[str],
) -> Field:
    path = f"{block.id}/{key}/{face.id}"
    rendered.add(path)
    cell = cells.get(face.id)
    values, missing = _typed(state, face, path, cell)
    options = state.choices.get(face.id, face.options) if not face.options else face.options
    found = says.get(path, ())
    error = state.errors.get(path)
    value = values[0] if values else ""
    return Field(
        path=path,
        label=face.label,
        help=face.help,
        kind=face.kind,
        options=options,
        unit=face.row_units.get(key, face.unit),
        hint=face.hint,
        width=face.width,
        mode=face.mode,
        required=face.required,
        may_miss=face.may_miss,
        dictionary=face.dictionary,
        label_ids=f"h-{face.id} r-{block.id}-{key}",
        value=value,
        values=values,
        text=_text(state, face, values, missing, options),
        sha=value if face.kind == "file" and isinstance(cell, str) else "",
        missing=missing,
        missing_text=dict(state.layout.missing).get(missing, "") if missing else "",
        shown=path in state.shown,
        stored=face.id in stored,
        error=error,
        says=list(found),
        classes=_classes(found, error, missing, path in state.missing_required, path in state.asked),
        query=state.queries.get(path),
    )


def _typed(state: State, face: Face, path: str, cell: Any) -> tuple[list[str], str]:
    """What stands in the control: what was typed, to the letter, else the answer."""
    posted = state.posted
    if posted is not None and face.kind not in ("derived", "auto", "file"):
        return [each for each in posted.get(path, []) if each], (posted.get(f"{path}~missing") or [""])[0]
    if isinstance(cell, dict):
        return [], str(cell.get("missing", ""))
    if cell is None:
        return [], ""
    return ([str(each) for each in cell] if isinstance(cell, list) else [str(cell)]), ""


def _text(state: State, face: Face, values: list[str], missing: str, options: Options) -> str:
    """The answer in words, for read-only pages, derived values and chosen terms."""
    if missing:
        return ""
    return text_of(face.item, state.study, values, state.language, options)


def _classes(found: Iterable[Say], error: str | None, missing: str, wanted: bool, asked: bool) -> str:
    names = ["is-missing"] if missing else []
    if error:
        names.append("has-hard")
    for each in found:
        names.append("has-soft" if each.severity == "cross" else f"has-{each.severity}")
    if wanted:
        names.append("is-wanted")
    if asked:
        names.append("is-asked")
    return "".join(f" {name}" for name in dict.fromkeys(names))
