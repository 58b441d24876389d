"""1,000,000 values from the database to tidy tables to CSV, against the floor built beside it in the same
run.

    python -m benchmarks.export [forms]

The floor reads one JSON document per form with orjson into a DataFrame and lets pandas write it: no types,
labels, missing reasons, units, versions or order. The target is at most twice the floor.
"""

import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
from sqlalchemy import create_engine, insert

from benchmarks.design import ITEMS, KINDS, LISTS
from benchmarks.timing import HEADING, Line, interleaved
from design.reader import load_study
from exports import as_csv, tables
from exports.tables import Scope
from models import FormData, Site, Study, StudyEvent, StudyVersion, Subject, db
from models.clock import now

SUBJECTS = 50
STUDY = """id = "bench"
version = 1
en = "Benchmark"
zh = "基准"
protocol = "1.0"
languages = ["en", "zh"]
missing = "ND"
[[sites]]
code = "01"
en = "Site"
zh = "中心"
timezone = "Asia/Shanghai"
[[events]]
id = "LOG"
number = 1
en = "Log"
zh = "记录"
kind = "log"
forms = ["BIG*"]
"""
EXTRA = {"number": 'digits = 1\nunit = "cm"\n', "code": 'codelist = "NY"\n', "text": "length = 200\n"}
VALUES = {"number": "120.5", "code": "Y", "text": "自述无不适", "date": "2026-03-14", "integer": "42"}


def files() -> dict[str, str]:
    """A study of one form of 40 items."""
    form = 'id = "BIG"\nen = "Big form"\nzh = "大表"\nrepeats = true\n'
    for number in range(ITEMS):
        kind = KINDS[number % len(KINDS)]
        form += f'[[items]]\nid = "I{number:02}"\nen = "Item {number}"\nzh = "条目{number}"\ntype = "{kind}"\n'
        form += EXTRA.get(kind, "")
    return {"study.toml": STUDY, "codelists.toml": LISTS, "checks.toml": "", "forms/BIG.toml": form}


def fill(path: Path, forms: int) -> None:
    """Create the schema and as many forms, straight into the tables."""
    engine = create_engine(f"sqlite:///{path}")
    db.metadata.create_all(engine)
    cells: dict[str, Any] = {f"I{n:02}": VALUES[KINDS[n % len(KINDS)]] for n in range(ITEMS)}
    cells["I07"] = {"missing": "ND"}
    people = range(1, SUBJECTS + 1)
    site = {"code": "01", "name_en": "Site", "name_zh": "中心", "timezone": "Asia/Shanghai", "version_id": 1}
    data = {"form_id": "BIG", "version_id": 1, "entry": "complete", "answers": {"BIG": {"1": cells}}}
    data |= {"revision": 1, "saved_at": now(), "saved_by": "x"}
    person = {"study_id": 1, "site_id": 1, "created_at": now()}
    made: dict[Any, list[dict[str, Any]]] = {
        Study: [{"id": 1, "oid": "bench", "secret": "x", "current_version_id": 1}],
        StudyVersion: [{"id": 1, "study_id": 1, "number": 1, "sha256": "x", "files": {}, "published_at": now()}],
        Site: [{"id": 1, "study_id": 1, **site}],
        Subject: [{"id": n, "screening_number": f"01-S{n:03}", **person} for n in people],
        StudyEvent: [{"id": n, "subject_id": n, "event_id": "LOG", "repeat": 1, "position": 1} for n in people],
        FormData: [
            {"subject_id": who, "study_event_id": who, "repeat": n // SUBJECTS + 1, **data}
            for n in range(forms)
            for who in [n % SUBJECTS + 1]
        ],
    }
    with engine.begin() as connection:
        for model, rows in made.items():
            connection.execute(insert(model.__table__), rows)
    engine.dispose()


def floor(path: Path, out: Path) -> None:
    """The least work that gives a CSV of the same values."""
    with sqlite3.connect(path) as raw:
        rows = raw.execute(
            "select s.screening_number, f.repeat, f.answers from form_data f join subject s on s.id = f.subject_id"
        )
        names = [f"I{number:02}" for number in range(ITEMS)]
        records = [(who, n, *map(orjson.loads(text)["BIG"]["1"].get, names)) for who, n, text in rows]
    pd.DataFrame(records, columns=["SCRNO", "REPEAT", *names], dtype=object).to_csv(out, index=False)


def line(forms: int, rounds: int = 5) -> Line:
    """Interleave the two; medians in seconds."""
    study = load_study(files())
    with tempfile.TemporaryDirectory() as name:
        path, out = Path(name) / "bench.db", Path(name) / "out.csv"
        fill(path, forms)
        engine = create_engine(f"sqlite:///{path}")

        def ours() -> None:
            with engine.connect() as connection:
                made = tables.read(connection, Scope(1, {1: study}))
            for table in made.values():
                as_csv.write(table, out.with_name(f"{table.name}.csv"))

        times = interleaved({"floor": lambda: floor(path, out), "ours": ours}, rounds, warm=1)
        engine.dispose()
    what = f"export of {forms * ITEMS:,} values to CSV : bare read and write"
    return Line(what, times["ours"] / 1000, times["floor"] / 1000, 2.0, "s")


def main() -> None:
    """Print the line."""
    print(HEADING)
    print(line(int(sys.argv[1]) if len(sys.argv) > 1 else 25_000))


if __name__ == "__main__":
    main()
