"""What the browser may send for a form: posted names and texts in, an answers document and sentences out.

A lean parser over the definitions instead of one WTForms field per item: it walks over what was posted, once.
Names: `<group>/<row>/<ITEM>` value (repeated for a multi item) · `…~missing` why there is none ·
`…~drop` take the file away · `<group>/<row>/~error` why a row is in error · `_revision`, `_reason`, `_then`,
`_add`, `_override/<CHECK>`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from design.definitions import FormDef, StudyDef
from forms.crf_places import ROW, Answers, places_of
from forms.crf_reader import Reader, UnknownName

__all__ = ["CrfInput", "Posted", "UnknownName"]

Posted = Mapping[str, list[str]]


@dataclass
class CrfInput:
    """What was posted, read: `answers` what could be read, `errors` a sentence per path that could not."""

    answers: Answers = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    posted: dict[str, list[str]] = field(default_factory=dict)
    revision: int | None = None
    reason: str | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    then: str = ""
    add: str = ""

    @classmethod
    def read(
        cls,
        form: FormDef,
        study: StudyDef,
        posted: Posted,
        *,
        language: str = "en",
        stored: Answers | None = None,
        files: Mapping[str, str] | None = None,
        allowed: Mapping[str, Collection[str]] | None = None,
    ) -> "CrfInput":
        """Read a posted form.

        `stored` is the document that is saved now: rows in error and kept files come from it. `files` are
        hashes of the files sent along, by path. `allowed` are the values a reference or user item may
        take, by item.

        Raises:
            UnknownName: a posted name does not belong to this form.
        """
        read = cls(posted={name: list(values) for name, values in posted.items() if name != "csrf_token"})
        reader = Reader(read, places_of(study, form), study, language, stored or {}, files or {}, allowed or {})
        for name, values in posted.items():
            reader.take(name, values)
        reader.keep_files()
        reader.keep_rows_in_error()
        return read

    def blank_rows(self) -> dict[str, list[str]]:
        """Rows that are on the page and have no answer yet, by group."""
        found: dict[str, list[str]] = {}
        for name in self.posted:
            group, _slash, rest = name.partition("/")
            row = rest.rpartition("/")[0]
            if row and ROW.fullmatch(row) and row not in self.answers.get(group, {}):
                rows = found.setdefault(group, [])
                if row not in rows:
                    rows.append(row)
        return found
