"""The verdict on what she types, as the page's script reads it."""

from typing import Any

from design import answers as documents
from forms.crf_layout import say
from forms.crf_parts import State
from forms.crf_words import text_of


def as_json(state: State, posted_names: list[str]) -> dict[str, Any]:
    """Shown and hidden paths, derived values, findings in words, what is required, what is a correction.

    `redraw` names the groups whose pre-listed rows are no longer those on the page.
    """
    on_page = sorted({name.partition("~")[0] for name in posted_names if name.count("/") > 1})
    return {
        "shown": sorted(state.shown),
        "hidden": [path for path in on_page if path not in state.shown and not path.endswith("/")]
        + _hidden_derived(state),
        "derived": _derived(state),
        "findings": [*_errors(state), *_findings(state)],
        "missing_required": sorted(state.missing_required),
        "corrected": corrected(state),
        "redraw": _redraw(state, on_page),
    }


def _errors(state: State) -> list[dict[str, Any]]:
    return [
        {"check": "", "severity": "hard", "paths": [path], "text": sentence, "override": ""}
        for path, sentence in state.errors.items()
    ]


def _findings(state: State) -> list[dict[str, Any]]:
    return [
        {
            "check": found.check_id,
            "severity": found.severity,
            "paths": list(found.paths),
            "text": say(found.label, state.language),
            "override": state.overrides.get(found.check_id, ""),
        }
        for found in state.findings
    ]


def _system_paths(state: State) -> list[tuple[str, Any]]:
    """Every path the system fills, with its item."""
    return [
        (f"{block.id}/{row}/{face.id}", face)
        for block in state.layout.blocks
        for face in block.faces
        if face.kind in ("derived", "auto")
        for row in (["1"] if block.layout == "items" else state.answers.get(block.id, {}))
    ]


def _hidden_derived(state: State) -> list[str]:
    return [path for path, _face in _system_paths(state) if path not in state.shown]


def _derived(state: State) -> dict[str, str]:
    found = {}
    for path, face in _system_paths(state):
        group, _slash, rest = path.partition("/")
        row, _slash, item = rest.rpartition("/")
        cell = state.answers.get(group, {}).get(row, {}).get(item)
        values = (
            []
            if cell is None or isinstance(cell, dict)
            else [str(each) for each in cell]
            if isinstance(cell, list)
            else [str(cell)]
        )
        found[path] = text_of(face.item, state.study, values, state.language)
    return found


def corrected(state: State) -> list[str]:
    """Saved answers of a person that would change: they need a reason (AUD-07)."""
    automatic = {path for path, _face in _system_paths(state)}
    return [
        path
        for path, old, _new in documents.diff(state.stored, state.answers)
        if old is not None and path not in automatic
    ]


def _redraw(state: State, on_page: list[str]) -> list[str]:
    groups = []
    for block in state.layout.blocks:
        if block.row_labels:
            head = block.id + "/"
            wanted = {path[len(head) :].rsplit("/", 1)[0] for path in state.shown if path.startswith(head)}
            present = {path[len(head) :].rsplit("/", 1)[0] for path in on_page if path.startswith(head)}
            if wanted - present:
                groups.append(block.id)
    return groups
