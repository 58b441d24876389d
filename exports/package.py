"""One zip with everything: a folder per format, the codebook, the trail, and a manifest with the hash of each
file.

It is written under a temporary name and renamed when it is whole, so nobody can download half of it. Data
files carry no clock time: the same data give the same bytes (CPY-05); only the manifest says when the package
was made.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson
from sqlalchemy import Connection

from exports import (
    as_csv,
    as_excel,
    as_parquet,
    as_spss,
    as_stata,
    as_xpt,
    codebook,
    facts,
    readme,
    sdtm,
    tables,
    trail,
)
from exports.odm import document as odm_document
from exports.shape import Table
from exports.tables import Scope

FORMATS = {
    "csv": ("CSV for analysis (exact values)", "CSV（用于分析，数值原样）"),
    "excel": ("Excel workbook for reading", "Excel工作簿（用于阅读）"),
    "parquet": ("Parquet for R, Python and Julia", "Parquet（R、Python、Julia）"),
    "spss": ("SPSS", "SPSS"),
    "stata": ("Stata", "Stata"),
    "xpt": ("SAS transport version 5", "SAS传输格式第5版"),
    "odm": ("CDISC ODM 1.3.2: design and data", "CDISC ODM 1.3.2：设计与数据"),
    "sdtm": ("CDISC SDTM 3.4: XPT, Dataset-JSON, Define-XML", "CDISC SDTM 3.4：XPT、Dataset-JSON、Define-XML"),
    "trail": ("Audit trail (CSV and ODM)", "稽查轨迹（CSV与ODM）"),
}
STUDIES = Path(__file__).resolve().parent.parent / "crf"
_COMPRESSED_ALREADY = {".xlsx", ".parquet"}
_MANY = {
    "parquet": (as_parquet.write, ".parquet"),
    "spss": (as_spss.write, ".sav"),
    "stata": (as_stata.write, ".dta"),
}


@dataclass(frozen=True)
class Snapshot:
    """What was read in one transaction: nothing more is read while the files are written."""

    scope: Scope
    study_oid: str
    tables: dict[str, Table]
    versions: list[dict[str, Any]]
    site_codes: list[str]
    chain: dict[str, Any]
    trail_rows: Path | None = None
    trail_count: int = 0
    odm: dict[str, Path] = field(default_factory=dict)  # file name -> where it was written while reading
    sdtm: Path | None = None  # the folder of its datasets


@dataclass(frozen=True)
class Package:
    """A finished package on disk."""

    path: Path
    sha256: str
    size: int
    manifest: dict[str, Any] = field(repr=False)


def take(connection: Connection, scope: Scope, formats: Sequence[str], folder: Path) -> Snapshot:
    """Read everything the package needs. The caller gives a connection whose reads see one state of the
    database.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = facts.read(connection, scope)
    rows, count = None, 0
    odm = _take_odm(connection, scope, found, formats, folder)
    submission = _take_sdtm(connection, scope, found, folder) if "sdtm" in formats else None
    if "trail" in formats:
        handle, name = tempfile.mkstemp(prefix=".trail-", suffix=".csv", dir=folder)
        os.close(handle)
        rows = Path(name)
        count = trail.write(connection, scope, found.study_oid, rows)
    return Snapshot(
        scope=scope,
        study_oid=found.study_oid,
        tables=tables.read(connection, scope),
        versions=found.versions,
        site_codes=found.site_codes,
        chain=found.chain,
        trail_rows=rows,
        trail_count=count,
        odm=odm,
        sdtm=submission,
    )


def sdtm_mapping(study_oid: str) -> Path:
    """Where the mapping of a study to SDTM stands; a study without one has no such folder."""
    return STUDIES / study_oid / "sdtm"


def _take_sdtm(connection: Connection, scope: Scope, found: facts.Facts, folder: Path) -> Path | None:
    """The datasets are built from the connection; the only time they name is that of the last change."""
    mapping = sdtm_mapping(found.study_oid)
    if not mapping.is_dir():
        return None
    made = folder / "sdtm"
    sdtm.write(sdtm.build(connection, scope, mapping), made, data_at=found.last_at.isoformat(timespec="seconds"))
    return made


def _take_odm(
    connection: Connection, scope: Scope, found: facts.Facts, formats: Sequence[str], folder: Path
) -> dict[str, Path]:
    """ODM is streamed from the connection to a file. Its times are those of the last change: same data, same bytes."""
    written: dict[str, Path] = {}
    for name, wanted, write in (
        ("snapshot.xml", "odm", odm_document.write_snapshot),
        ("trail.xml", "trail", odm_document.write_transactional),
    ):
        if wanted in formats:
            written[name] = folder / name
            write(written[name], connection, scope, found.study_oid, found.last_at)
    return written


def build(
    snapshot: Snapshot,
    formats: Sequence[str],
    folder: Path,
    made_at: datetime,
    app_version: str,
    cut: dict[str, Any] | None = None,
) -> Package:
    """Write the package into `folder`, where it appears under its final name only when it is whole.

    `cut` is what the manifest says of the data cut that it shows; `made_at` is then the instant of the cut.

    Raises:
        ValueError: an unknown format, or none.
    """
    unknown = set(formats) - set(FORMATS)
    if unknown or not formats:
        raise ValueError(f"no such export format: {', '.join(sorted(unknown)) or 'none given'}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as name:
        work = Path(name)
        more = _write_files(snapshot, formats, work)
        manifest = _manifest(snapshot, formats, work, made_at, app_version) | more | ({"cut": cut} if cut else {})
        (work / "manifest.json").write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
        unfinished = work / "package.part"
        _zip(work, unfinished)
        digest, size = _hash(unfinished), unfinished.stat().st_size
        path = folder / f"{snapshot.study_oid}_{made_at:%Y%m%dT%H%M%S}Z_{digest[:8]}.zip"
        unfinished.replace(path)
    return Package(path, digest, size, manifest)


def _write_files(snapshot: Snapshot, formats: Sequence[str], work: Path) -> dict[str, Any]:
    """All files but the manifest; returns what the manifest says besides about limits of formats."""
    data = list(snapshot.tables.values())
    book = codebook.make(data, snapshot.scope.studies)
    more: dict[str, Any] = {}
    for table in book:
        as_csv.write(table, _in(work, "codebook", f"{table.name.lower()}.csv"))
    (work / "README.txt").write_text(readme.text(formats), encoding="utf-8", newline="\r\n")
    if "csv" in formats:
        for table in data:
            as_csv.write(table, _in(work, "csv", f"{table.name}.csv"))
    for name, (write, ending) in _MANY.items():
        if name in formats:
            _write_each(write, data, work, name, ending)
    if "xpt" in formats:
        more["xpt_names"] = _write_xpt(data, work)
    if "excel" in formats:
        as_excel.write([*book, *data], _in(work, "excel", f"{snapshot.study_oid}.xlsx"), readme.lines())
    for name, written in snapshot.odm.items():
        written.replace(_in(work, "odm" if name == "snapshot.xml" else "trail", name))
    if snapshot.sdtm is not None:
        snapshot.sdtm.replace(work / "sdtm")
    if "trail" in formats and snapshot.trail_rows is not None:
        snapshot.trail_rows.replace(_in(work, "trail", "trail.csv"))
    return more


def _write_each(write: Callable[[Table, Path], None], data: list[Table], work: Path, name: str, ending: str) -> None:
    for table in data:
        write(table, _in(work, name, table.name + ending))


def _write_xpt(data: list[Table], work: Path) -> list[dict[str, Any]]:
    names = as_xpt.short_table_names([table.name for table in data])
    renamed = [
        row for table in data for row in as_xpt.write(table, _in(work, "xpt", f"{names[table.name].lower()}.xpt"))
    ]
    columns = ["table", "variable", "file", "name", "part", "label_en", "label_zh"]
    as_csv.write_rows(_in(work, "xpt", "names.csv"), columns, ([getattr(r, c) for c in columns] for r in renamed))
    return [asdict(row) for row in renamed if row.name != row.variable or row.part > 1]


def _in(work: Path, folder: str, name: str) -> Path:
    (work / folder).mkdir(exist_ok=True)
    return work / folder / name


def _manifest(
    snapshot: Snapshot, formats: Sequence[str], work: Path, made_at: datetime, app_version: str
) -> dict[str, Any]:
    scope = snapshot.scope
    return {
        "study": snapshot.study_oid,
        "versions": snapshot.versions,
        "made_at": made_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "app_version": app_version,
        "formats": [name for name in FORMATS if name in formats],
        "filters": {
            "sites": snapshot.site_codes,
            "all_sites": scope.site_ids is None,
            "records_in_error": scope.with_errors,
            "identifiers": scope.with_masked,
        },
        "chain": snapshot.chain,
        "tables": {
            name: {"rows": table.rows, "variables": len(table.variables)} for name, table in snapshot.tables.items()
        },
        "trail_rows": snapshot.trail_count if "trail" in formats else None,
        "values_of_another_type": sorted(fault for table in snapshot.tables.values() for fault in table.faults),
        "files": {
            path.relative_to(work).as_posix(): {"sha256": _hash(path), "size": path.stat().st_size}
            for path in sorted(work.rglob("*"))
            if path.is_file()
        },
    }


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _zip(work: Path, target: Path) -> None:
    """Files in alphabetical order, each with the same fixed date."""
    files = sorted(path for path in work.rglob("*") if path.is_file())
    with ZipFile(target, "w", allowZip64=True) as archive:
        for path in files:
            entry = ZipInfo(path.relative_to(work).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = ZIP_STORED if path.suffix in _COMPRESSED_ALREADY else ZIP_DEFLATED
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as opened:
                while block := source.read(1 << 20):
                    opened.write(block)
