"""1,000,000 values from the database to tidy tables to CSV, against the floor built beside it in the same
run.

    python -m benchmarks.export [forms]

The floor reads one JSON document per form with orjson into a DataFrame and lets pandas write it: no types,
labels, missing reasons, units, versions or order. The target is at most twice the floor.
"""

import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pandas as pd
from sqlalchemy import create_engine

from design.reader import load_study
from exports import as_csv, tables
from exports.tables import Scope
from models import db

ITEMS, SUBJECTS, ROUNDS = 40, 50, 5
KINDS = ("number", "code", "text", "date", "integer")
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
LISTS = """[ND]
ND = { en = "Not done", zh = "未做" }
UNK = { en = "Unknown", zh = "不详" }
[NY]
Y = { en = "Yes", zh = "是" }
N = { en = "No", zh = "否" }
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
    """Create the schema and as many forms, by plain SQL."""
    engine = create_engine(f"sqlite:///{path}")
    db.metadata.create_all(engine)
    engine.dispose()
    cells = {f"I{n:02}": VALUES[KINDS[n % len(KINDS)]] for n in range(ITEMS)}
    cells["I07"] = {"missing": "ND"}
    answers, at = orjson.dumps({"BIG": {"1": cells}}).decode(), "2026-01-01T00:00:00.000000Z"
    with sqlite3.connect(path) as raw:
        raw.execute("insert into study(id, oid, secret, current_version_id) values (1, 'bench', 'x', 1)")
        raw.execute(
            "insert into study_version(id, study_id, number, sha256, files, published_at)"
            " values (1, 1, 1, 'x', '{}', ?)",
            (at,),
        )
        raw.execute(
            "insert into site(id, study_id, code, name_en, name_zh, timezone, version_id)"
            " values (1, 1, '01', 'Site', '中心', 'Asia/Shanghai', 1)"
        )
        for n in range(1, SUBJECTS + 1):
            raw.execute(
                "insert into subject(id, study_id, site_id, screening_number, status, possible_duplicate,"
                " created_at)"
                " values (?, 1, 1, ?, 'screening', 0, ?)",
                (n, f"01-S{n:03}", at),
            )
            raw.execute(
                "insert into study_event(id, subject_id, event_id, repeat, position, projected, state)"
                " values (?, ?, 'LOG', 1, 1, 0, 'planned')",
                (n, n),
            )
        raw.executemany(
            "insert into form_data(subject_id, study_event_id, form_id, repeat, version_id, entry,"
            " protection, answers, findings, overrides, revision, saved_at, saved_by)"
            " values (?, ?, 'BIG', ?, 1, 'complete', 'open', ?, '[]', '{}', 1, ?, 'x')",
            ((n % SUBJECTS + 1, n % SUBJECTS + 1, n // SUBJECTS + 1, answers, at) for n in range(forms)),
        )


def floor(path: Path, out: Path) -> None:
    """The least work that gives a CSV of the same values."""
    with sqlite3.connect(path) as raw:
        rows = raw.execute(
            "select s.screening_number, f.repeat, f.answers from form_data f join subject s on s.id = f.subject_id"
        )
        names = [f"I{number:02}" for number in range(ITEMS)]
        records = [(who, n, *map(orjson.loads(text)["BIG"]["1"].get, names)) for who, n, text in rows]
    pd.DataFrame(records, columns=["SCRNO", "REPEAT", *names], dtype=object).to_csv(out, index=False)


def measure(work: Callable[[], None]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Interleave the two, print the medians and their ratio."""
    forms = int(sys.argv[1]) if len(sys.argv) > 1 else 25_000
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

        runs = [(measure(lambda: floor(path, out)), measure(ours)) for _ in range(ROUNDS)]
        engine.dispose()
    least, mine = (statistics.median(times) for times in zip(*runs, strict=True))
    print(f"{forms * ITEMS:,} values: floor {least:.2f} s, export {mine:.2f} s")
    print(f"ratio {mine / least:.2f} (target: at most 2.0)")


if __name__ == "__main__":
    main()
