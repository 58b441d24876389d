"""Reading a study version from its folder or from stored text: TOML and CSV in, a linted `StudyDef` out."""

from __future__ import annotations

import csv
import hashlib
import io
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from design import amendments, linter, shapes
from design.build import Builder
from design.definitions import (
    LOCK_NEEDS,
    CodeList,
    DeviationForm,
    EventDef,
    EventForm,
    Label,
    ParameterDef,
    Rules,
    SiteDef,
    StudyDef,
    Table,
)
from design.faults import StudyFaults

SUFFIXES = (".toml", ".csv")
MAX_FILE = 4_000_000


def read_files(folder: Path) -> dict[str, str]:
    """The text of every file of a version's folder, by relative path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in SUFFIXES and path.stat().st_size <= MAX_FILE:
            found[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
    return found


def hash_files(files: dict[str, str]) -> str:
    """SHA-256 over the sorted paths and texts (line ends as LF), the same on every system."""
    digest = hashlib.sha256()
    for path in sorted(files):
        text = files[path].replace("\r\n", "\n").encode()
        digest.update(f"{path}\x00{len(text)}\x00".encode())
        digest.update(text)
    return digest.hexdigest()


def read_study(folder: Path | str) -> StudyDef:
    """Read, check and compile the study version in a folder.

    Raises:
        StudyFaults: every fault at once.
    """
    return load_study(read_files(Path(folder)))


def load_study(files: dict[str, str]) -> StudyDef:
    """The same from text in memory (the database stores it so)."""
    builder = Builder()
    documents = {name: _parse(name, text, builder) for name, text in files.items() if name.endswith(".toml")}
    head = documents.pop("study.toml", None)
    if head is None:
        builder.fault("study.toml", "-", "S001", "study.toml is not there", "add it; see crf/README.md")
        raise StudyFaults(builder.faults)
    tables = {name: _table(name, text, builder) for name, text in files.items() if name.endswith(".csv")}
    study = _study(head, documents, {table.id: table for table in tables.values()}, builder)
    linter.check(study, builder)
    if builder.faults:
        raise StudyFaults(builder.faults)
    return study


def _parse(name: str, text: str, builder: Builder) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        builder.fault(name, "-", "S001", str(error), "correct the TOML at this place")
        return {}


def _table(name: str, text: str, builder: Builder) -> Table:
    reader = csv.DictReader(io.StringIO(text))
    columns = tuple(reader.fieldnames or ())
    table_id = name.rsplit("/", 1)[-1].removesuffix(".csv")
    rows: dict[str, dict[str, str]] = {}
    if not columns or columns[0] != "key":
        builder.fault(name, "-", "S003", "the first column is not `key`", "name the first column key")
        return Table(table_id, columns, rows)
    for row in reader:
        key = (row.get("key") or "").strip()
        if not key:
            continue
        if key in rows:
            builder.fault(name, key, "S005", "the key stands twice", "keys are unique in a table")
        rows[key] = {column: (value or "").strip() for column, value in row.items() if column}
    return Table(table_id, columns, rows)


def _study(
    head: dict[str, Any], documents: dict[str, dict[str, Any]], tables: dict[str, Table], builder: Builder
) -> StudyDef:
    codelists = _codelists(documents.pop("codelists.toml", {}), builder)
    checks_file = documents.pop("checks.toml", {})
    builder.keys("checks.toml", "-", checks_file, shapes.CHECKS_FILE_KEYS)
    amendment = documents.pop(amendments.FILE, None)
    documents = amendments.gate(documents, amendment)
    forms = builder.forms({name: doc for name, doc in documents.items() if name.startswith("forms/")})
    for name in documents:
        if not name.startswith("forms/"):
            builder.fault(name, "-", "S002", "the file belongs to nothing", "forms stand in forms/, tables in tables/")
    at = "study.toml"
    builder.keys(at, "-", head, shapes.STUDY_KEYS)
    rules = head.get("rules", {})
    builder.keys(at, "rules", rules, shapes.RULES_KEYS)
    missing = codelists.get(head.get("missing", ""), CodeList("", {}))
    if not missing.codes:
        builder.fault(
            at, "missing", "S007", "the code list of missing reasons is not there", "name one of codelists.toml"
        )
    return StudyDef(
        id=str(head.get("id", "")),
        version=int(head.get("version", 0)),
        label=builder.label(at, "study", head),
        protocol=str(head.get("protocol", "")),
        languages=tuple(head.get("languages", ("en", "zh"))),
        missing=missing,
        parameters=_parameters(head.get("parameters", {}), builder),
        sites=_sites(head.get("sites", []), builder),
        anchors=builder.expressions(at, "anchors", head.get("anchors", {})),
        projected=builder.expressions(at, "projected", head.get("projected", {})),
        lifecycle=builder.expressions(at, "lifecycle", head.get("lifecycle", {})),
        rules=Rules(
            close_events_after=builder.expression(at, "rules.close_events_after", rules.get("close_events_after")),
            enrol=builder.expression(at, "rules.enrol", rules.get("enrol")),
            enrol_cap=rules.get("enrol_cap", "ENR_CAP"),
            screening_number=rules.get("screening_number", "{site}-S{n:03}"),
            subject_number=rules.get("subject_number", "{site}-{n:03}"),
            person_key=tuple(rules.get("person_key", ())),
            visit_date=rules.get("visit_date"),
            not_done=rules.get("not_done"),
            lock_needs=tuple(rules.get("lock_needs", LOCK_NEEDS)),
        ),
        events=_events(head, rules, builder),
        forms=forms,
        codelists=codelists,
        tables=tables,
        checks=tuple(builder.checks("checks.toml", checks_file.get("checks", []), None)),
        deviations=_deviations(head, builder),
        amendment=amendments.read(amendment, builder) if amendment is not None else None,
    )


def _deviations(head: dict[str, Any], builder: Builder) -> DeviationForm | None:
    named = head.get("deviations")
    if not named:
        return None
    builder.keys("study.toml", "deviations", named, shapes.DEVIATION_KEYS)
    return DeviationForm(**{key: str(named.get(key, "")) for key in shapes.DEVIATION_KEYS})


def _codelists(document: dict[str, Any], builder: Builder) -> dict[str, CodeList]:
    lists = {}
    for name, codes in document.items():
        if not isinstance(codes, dict) or not all(isinstance(label, dict) for label in codes.values()):
            advice = 'write CODE = { en = "…", zh = "…" } under [LIST]'
            builder.fault("codelists.toml", name, "S011", "the code list is no table of codes", advice)
            continue
        for code, label in codes.items():
            builder.keys("codelists.toml", f"{name}.{code}", label, shapes.LABEL_KEYS)
        labels = {code: builder.label("codelists.toml", f"{name}.{code}", label) for code, label in codes.items()}
        lists[name] = CodeList(name, labels)
    return lists


def _parameters(document: dict[str, Any], builder: Builder) -> dict[str, ParameterDef]:
    found = {}
    for name, each in document.items():
        builder.keys("study.toml", name, each, shapes.PARAMETER_KEYS)
        note = Label(each["note_en"], each.get("note_zh", "")) if "note_en" in each else None
        label = builder.label("study.toml", name, each)
        found[name] = ParameterDef(name, each.get("value"), bool(each.get("assumed", False)), label, note)
    return found


def _sites(document: list[dict[str, Any]], builder: Builder) -> dict[str, SiteDef]:
    found = {}
    for each in document:
        builder.keys("study.toml", "sites", each, shapes.SITE_KEYS)
        code = str(each.get("code"))
        label = builder.label("study.toml", "sites", each)
        found[code] = SiteDef(code, label, each.get("timezone", "Asia/Shanghai"))
    return found


def _events(head: dict[str, Any], rules: dict[str, Any], builder: Builder) -> dict[str, EventDef]:
    found: dict[str, EventDef] = {}
    for each in head.get("events", []):
        builder.keys("study.toml", str(each.get("id", "?")), each, shapes.EVENT_KEYS)
    for series in head.get("event_series", []):
        builder.keys("study.toml", str(series.get("id", "?")), series, shapes.SERIES_KEYS)
    raw = [*head.get("events", []), *(each for series in head.get("event_series", []) for each in _series(series))]
    for each in sorted(raw, key=lambda one: (one.get("kind") == "log", one.get("number", 0))):
        where = str(each.get("id", "?"))
        if where in found:
            builder.fault("study.toml", where, "S005", "the event stands twice", "give it another id")
        forms = [(name.rstrip("?*+"), not name.endswith("?")) for name in each.get("forms", ())]
        found[where] = EventDef(
            id=where,
            number=int(each.get("number", 0)),
            label=builder.label("study.toml", where, each),
            kind=each.get("kind", "scheduled"),
            anchor=each.get("anchor"),
            offset_days=int(each.get("offset_days", 0)),
            offset_months=int(each.get("offset_months", 0)),
            before=int(each.get("before", 0)),
            after=int(each.get("after", 0)),
            count=builder.expression("study.toml", f"{where}.count", each.get("count")),
            step_days=int(each.get("step_days", 7)),
            forms=tuple(EventForm(name, required) for name, required in forms),
            visit_date=each.get("visit_date", rules.get("visit_date")),
            not_done=each.get("not_done", rules.get("not_done")),
        )
    return found


def _series(series: dict[str, Any]) -> list[dict[str, Any]]:
    events = []
    extra = series.get("forms_at", {})
    for month in series.get("months", []):
        one = {key: value for key, value in series.items() if key not in ("months", "forms_at")}
        for key in ("id", "en", "zh"):
            one[key] = str(one.get(key, "")).replace("{n}", str(month))
        one["number"] = int(series.get("number", 0)) + month
        one["offset_months"] = month
        added = [
            name
            for months, names in extra.items()
            if str(month) in months.replace(" ", "").split(",")
            for name in names
        ]
        one["forms"] = [*series.get("forms", []), *added]
        events.append(one)
    return events
