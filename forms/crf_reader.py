"""The walk over what was posted: one method per kind of name."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from flask_babel import gettext as _

from design.answers import ERROR
from design.definitions import ItemDef, StudyDef
from design.types import CONTROL, ValueFault, parse
from forms.crf_layout import say
from forms.crf_places import MOST_ROWS, ROW, Answers, PostedGroup, check_ids

CONTROLS = frozenset({"csrf_token", "_revision", "_reason", "_then", "_add", "_redraw", "_discard"})
MOST_REASON = 500
_SHA = re.compile(r"[0-9a-f]{64}")


class UnknownName(ValueError):
    """Something was posted that this form does not have: refused as a whole, 400 (SEC-20)."""


class Read(Protocol):
    """What the walk fills in: see `CrfInput`."""

    answers: Answers
    errors: dict[str, str]
    posted: dict[str, list[str]]
    revision: int | None
    reason: str | None
    overrides: dict[str, str]
    then: str
    add: str


class Reader:
    """Reads posted names one after the other into a `CrfInput`."""

    def __init__(
        self,
        read: Read,
        places: Mapping[str, PostedGroup],
        study: StudyDef,
        language: str,
        stored: Answers,
        files: Mapping[str, str],
        allowed: Mapping[str, Collection[str]],
    ) -> None:
        self.read, self.places, self.study, self.language = read, places, study, language
        self.stored, self.files, self.allowed = stored, files, allowed

    def take(self, name: str, values: list[str]) -> None:
        """Read one posted name."""
        if name in CONTROLS or name.startswith("_override/"):
            self._control(name, values)
            return
        group_id, slash, rest = name.partition("/")
        row, slash_2, item_id = rest.rpartition("/")
        place = self.places.get(group_id)
        if not (slash and slash_2) or place is None or not self._has_row(place, row):
            raise UnknownName(name)
        if item_id == "~error":
            self._row_error(group_id, row, values)
            return
        item_id, tilde, kind = item_id.partition("~")
        item = place.items.get(item_id)
        if item is None or (tilde and kind not in ("missing", "drop")) or (kind == "drop" and item.type != "file"):
            raise UnknownName(name)
        if ERROR in self.stored.get(group_id, {}).get(row, {}) or kind == "drop":
            return
        path = f"{group_id}/{row}/{item_id}"
        if kind == "missing":
            self._missing(path, item, values)
        else:
            self._value(path, item, values)

    def _has_row(self, place: PostedGroup, row: str) -> bool:
        if not place.repeats:
            return row == "1"
        if place.row_keys is not None:
            return row in place.row_keys
        return ROW.fullmatch(row) is not None and int(row) <= MOST_ROWS

    def _control(self, name: str, values: list[str]) -> None:
        value = values[-1] if values else ""
        if name == "_revision":
            if value and not re.fullmatch(r"[0-9]{1,9}", value):
                raise UnknownName(name)
            self.read.revision = int(value) if value else None
        elif name == "_reason":
            self.read.reason = _sentence_text(value)
        elif name == "_then":
            self.read.then = value
        elif name == "_add":
            if value not in self.places:
                raise UnknownName(name)
            self.read.add = value
        elif name.startswith("_override/"):
            check = name.removeprefix("_override/")
            if check not in check_ids(self.study):
                raise UnknownName(name)
            reason = _sentence_text(value)
            if reason:
                self.read.overrides[check] = reason

    def _row_error(self, group_id: str, row: str, values: list[str]) -> None:
        kept = self.stored.get(group_id, {}).get(row)
        reason = _sentence_text(values[-1] if values else "")
        if not reason or (kept is not None and ERROR in kept):
            return
        if kept is None:
            raise UnknownName(f"{group_id}/{row}/~error")
        if len(reason) < 3:
            self.read.errors[f"{group_id}/{row}/~error"] = _("Give a reason of at least three characters.")
        else:
            self._set(group_id, row, ERROR, reason)

    def _missing(self, path: str, item: ItemDef, values: list[str]) -> None:
        code = values[-1] if values else ""
        if not code:
            return
        group_id, row, item_id = _split(path)
        if code not in self.study.missing.codes or item.no_missing:
            self.read.errors[path] = _("Choose one of the reasons that are offered.")
        elif any(text.strip() for text in self.read.posted.get(path, [])):
            self.read.errors[path] = _("Give either an answer or the reason why there is none, not both.")
        else:
            self._set(group_id, row, item_id, {"missing": code})

    def _value(self, path: str, item: ItemDef, values: list[str]) -> None:
        texts = [text for text in values if text.strip()]
        if not texts or item.type == "file":
            if texts and (_SHA.fullmatch(texts[0]) is None or len(texts) > 1):
                self.read.errors[path] = _("Choose a picture.")
            return
        if path in self.read.errors:
            return
        if item.type != "multi" and len(texts) > 1:
            self.read.errors[path] = _("Give one answer only.")
            return
        try:
            cell = self._cell(item, texts)
        except ValueFault as fault:
            self.read.errors[path] = say(fault.label, self.language)
            return
        group_id, row, item_id = _split(path)
        if item.id in self.allowed and cell not in self.allowed[item.id]:
            self.read.errors[path] = _("Choose one from the list.")
        elif isinstance(self.read.answers.get(group_id, {}).get(row, {}).get(item_id), dict):
            self.read.errors[path] = _("Give either an answer or the reason why there is none, not both.")
        elif cell is not None:
            self._set(group_id, row, item_id, cell)

    def _cell(self, item: ItemDef, texts: list[str]) -> Any:
        if item.type == "dictionary" and item.dictionary:
            texts = [self._term(item.dictionary, texts[0])]
        if item.type != "multi":
            return parse(texts[0].replace("\r\n", "\n"), item, self.study)
        chosen = {parse(text, item, self.study) for text in texts}
        return [code for code in self.study.options_for(item) if code in chosen]

    def _term(self, table: str, text: str) -> str:
        """A code as it is; the exact words of a term become its code."""
        rows = self.study.tables[table].rows
        wanted = text.strip()
        if wanted in rows:
            return wanted
        words = wanted.casefold()
        for key, row in rows.items():
            if words in (str(row.get("en", "")).casefold(), str(row.get("zh", "")).casefold()):
                return key
        return wanted

    def _set(self, group_id: str, row: str, item_id: str, cell: Any) -> None:
        self.read.answers.setdefault(group_id, {}).setdefault(row, {})[item_id] = cell

    def keep_files(self) -> None:
        """A picture stays unless it is taken away or another one was sent."""
        for group_id, place in self.places.items():
            for item in place.items.values():
                if item.type == "file":
                    for row in {
                        *self.stored.get(group_id, {}),
                        *self.read.answers.get(group_id, {}),
                        *self._sent_rows(group_id),
                    }:
                        self._keep_file(group_id, row, item.id)

    def _sent_rows(self, group_id: str) -> list[str]:
        return [path.split("/")[1] for path in self.files if path.startswith(group_id + "/")]

    def _keep_file(self, group_id: str, row: str, item_id: str) -> None:
        path = f"{group_id}/{row}/{item_id}"
        kept = self.stored.get(group_id, {}).get(row, {}).get(item_id)
        typed = self.read.answers.get(group_id, {}).get(row, {}).get(item_id)
        if isinstance(typed, dict):
            return
        if path in self.files:
            self._set(group_id, row, item_id, self.files[path])
        elif isinstance(kept, str) and not any(self.read.posted.get(f"{path}~drop", [])):
            self._set(group_id, row, item_id, kept)

    def keep_rows_in_error(self) -> None:
        """Rows marked in error stay as they are: their answers are those stored, not the browser's."""
        for group_id, rows in self.stored.items():
            for row, cells in rows.items():
                if isinstance(cells, dict) and ERROR in cells:
                    self.read.answers.setdefault(group_id, {})[row] = dict(cells)
        for group_id, rows in self.read.answers.items():
            for row, cells in rows.items():
                kept = self.stored.get(group_id, {}).get(row)
                if ERROR in cells and kept is not None and ERROR not in kept:
                    rows[row] = {**kept, ERROR: cells[ERROR]}


def _split(path: str) -> tuple[str, str, str]:
    group_id, _slash, rest = path.partition("/")
    row, _slash, item_id = rest.rpartition("/")
    return group_id, row, item_id


def _sentence_text(value: str) -> str:
    """A reason as one line, without what cannot be stored."""
    return " ".join(CONTROL.sub(" ", value).split())[:MOST_REASON]
