"""What an amendment does to answers that are there already: `amendment.toml` read, checked, and applied to a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from design import answers as documents
from design import shapes
from design.answers import Answers
from design.build import Builder
from design.definitions import AmendmentDef, FormDef, ItemDef, ReconsentDef, StudyDef

FILE = "amendment.toml"
DEFAULTS = ("prospective", "retrospective")


def gate(files: dict[str, dict[str, Any]], amendment: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The form files with what needs a new consent shown only once that is given: one mechanism with skip logic."""
    wanted = (amendment or {}).get("reconsent")
    if not isinstance(wanted, dict) or not isinstance(wanted.get("given"), str):
        return files
    forms, items = set(wanted.get("forms", ())), set(wanted.get("items", ()))
    gated = {}
    for name, document in files.items():
        if document.get("id") in forms:
            document = _only_if(wanted["given"], document)
        raw = document.get("items")
        if isinstance(raw, list) and any(each.get("id") in items for each in raw):
            shown = [_only_if(wanted["given"], each) if each.get("id") in items else each for each in raw]
            document = document | {"items": shown}
        gated[name] = document
    return gated


def _only_if(given: str, document: dict[str, Any]) -> dict[str, Any]:
    show = document.get("show")
    return document | {"show": f"({given}) and ({show})" if show else given}


def read(document: dict[str, Any], builder: Builder) -> AmendmentDef:
    """`amendment.toml`; its faults are noted."""
    builder.keys(FILE, "-", document, shapes.AMENDMENT_KEYS)
    wanted, reconsent = document.get("reconsent"), None
    if isinstance(wanted, dict):
        builder.keys(FILE, "reconsent", wanted, shapes.RECONSENT_KEYS)
        given = builder.expression(FILE, "reconsent.given", wanted.get("given"))
        if given is None:
            builder.fault(FILE, "reconsent.given", "S003", "nothing says when it is given", "write an expression")
        else:
            names = {key: tuple(wanted.get(key, ())) for key in ("forms", "items", "events")}
            reconsent = ReconsentDef(given, **names)
    return AmendmentDef(
        replaces=int(document.get("replaces", 0)),
        default=str(document.get("default", "prospective")),
        moved=dict(document.get("moved", {})),
        recoded={name: dict(codes) for name, codes in document.get("recoded", {}).items()},
        reworded=tuple(document.get("reworded", ())),
        reconsent=reconsent,
    )


def check(study: StudyDef, builder: Builder) -> None:
    """Note every name in `amendment.toml` that this version does not have."""
    amendment = study.amendment
    if amendment is None:
        return
    if not 0 < amendment.replaces < study.version:
        builder.fault(FILE, "replaces", "S011", "it is no earlier version", "name the number of the version before")
    if amendment.default not in DEFAULTS:
        builder.fault(FILE, "default", "S011", f"unknown {amendment.default!r}", f"one of {', '.join(DEFAULTS)}")
    for where, kind, name in _unknown(study, amendment):
        builder.fault(FILE, where, "S007", f"there is no {kind} {name!r}", "name what this version has")
    for old in amendment.moved:
        if old in study.items:
            builder.fault(FILE, f"moved.{old}", "S005", "the item is still there", "move only items that are gone")


def _unknown(study: StudyDef, amendment: AmendmentDef) -> Iterator[tuple[str, str, str]]:
    for old, new in amendment.moved.items():
        if new not in study.items:
            yield f"moved.{old}", "item", new
    for name, codes in amendment.recoded.items():
        if name not in study.codelists:
            yield f"recoded.{name}", "code list", name
            continue
        for old, new in codes.items():
            if new not in study.codelists[name].codes:
                yield f"recoded.{name}.{old}", "code", str(new)
    for name in amendment.reworded:
        if name not in study.items:
            yield "reworded", "item", name
    gated = amendment.reconsent
    if gated is not None:
        for part, known in (("forms", study.forms), ("items", study.items), ("events", study.events)):
            for name in getattr(gated, part):
                if name not in known:
                    yield f"reconsent.{part}", part.removesuffix("s"), name


@dataclass
class Converted:
    """A document as the later version holds it, and what became of its cells."""

    answers: Answers
    moved: dict[str, str] = field(default_factory=dict)  # path before -> path now
    recoded: list[str] = field(default_factory=list)  # paths now
    dropped: list[str] = field(default_factory=list)  # kept where they were, no longer asked
    reinterpreted: list[str] = field(default_factory=list)  # same answer, to what no longer means the same


def convert(answers: Answers, form_id: str, versions: Sequence[StudyDef]) -> Converted | None:
    """Carry a form's answers through successive versions; None when one of them no longer has the form.

    Nothing is ever thrown away: what a version no longer asks stays in the document under its old path.
    """
    result = Converted(answers)
    for old, new in pairwise(versions):
        if form_id not in new.forms or form_id not in old.forms:
            return None
        result = _step(result, form_id, old, new)
    return result


def _step(before: Converted, form_id: str, old: StudyDef, new: StudyDef) -> Converted:
    amendment = new.amendment or AmendmentDef(old.version)
    asked = {item.id: item for item in document_items(new, new.forms[form_id])}
    was = {item.id: item for item in document_items(old, old.forms[form_id])}
    names = {now: then for then, now in before.moved.items()}
    after = Converted(before.answers, dict(before.moved), [], list(before.dropped), [])
    changes: list[tuple[str, Any]] = []
    for path, cell in documents.iter_cells(before.answers):
        _group, row, item_id = path.split("/")
        if item_id.startswith("_") or item_id not in was:
            continue
        item = asked.get(amendment.moved.get(item_id, item_id))
        if item is None:
            after.dropped.append(path)
            continue
        now = f"{item.group_id}/{row if _repeats(new, item) else '1'}/{item.id}"
        if now != path:
            changes.append((path, None))
            after.moved[names.get(path, path)] = now
        coded = _recode(cell, amendment.recoded.get(item.codelist or "", {}))
        if coded != cell:
            after.recoded.append(now)
        elif item.id not in amendment.reworded and _meaning(old, was[item_id], cell) != _meaning(new, item, cell):
            after.reinterpreted.append(now)
        if now != path or coded != cell:
            changes.append((now, coded))
    renamed = {path: after.moved.get(names.get(path, path), path) for path in (*before.recoded, *before.reinterpreted)}
    after.recoded += [renamed[path] for path in before.recoded]
    after.reinterpreted += [renamed[path] for path in before.reinterpreted]
    if changes:
        after.answers = documents.apply(before.answers, changes)
    return after


def document_items(study: StudyDef, form: FormDef) -> Iterator[ItemDef]:
    """The items of a form's document: its own and those of its child forms."""
    yield from form.items
    for child in form.children:
        yield from study.forms[child].items


def _repeats(study: StudyDef, item: ItemDef) -> bool:
    return next(group.repeats for group in study.forms[item.form_id].groups if group.id == item.group_id)


def _recode(cell: Any, codes: dict[str, str]) -> Any:
    if isinstance(cell, list):
        return list(dict.fromkeys(codes.get(each, each) for each in cell))
    return codes.get(cell, cell) if isinstance(cell, str) else cell


def _meaning(study: StudyDef, item: ItemDef, cell: Any) -> tuple[Any, ...]:
    """What an answer says to who reads it: the question, its unit, and the words of the chosen codes."""
    given = cell if isinstance(cell, list) else [cell] if isinstance(cell, str) else []
    options = study.options_for(item)
    return item.label, item.type, item.unit, tuple(options.get(each) for each in given) if options else ()


def retained(study: StudyDef, form: FormDef, answers: Answers) -> dict[str, Any]:
    """The answers in a document that its version no longer asks, by path: readable, and kept by every later save."""
    asked = {item.id for item in document_items(study, form)}
    return {
        path: cell
        for path, cell in documents.iter_cells(answers)
        if path.rsplit("/", 1)[-1] not in asked and not path.rsplit("/", 1)[-1].startswith("_")
    }
