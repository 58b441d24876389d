"""Replaying and verifying the audit trail, in entries a second, against the bare reading and hashing of it.

python -m benchmarks.trail [saves]
"""

import hashlib
import sqlite3
import sys
import tempfile
from pathlib import Path

import orjson
from sqlalchemy import func, select

from benchmarks import clinic, design
from benchmarks.timing import HEADING, Line, interleaved
from models import FormData, StudyEvent, db, trail
from models.change import Change, ChangeEntries, System
from models.clock import now


def fill(saves: int) -> int:
    """Save forms of 40 items through the trail, without checks; how many entries that made."""
    events = db.session.scalars(select(StudyEvent).where(StudyEvent.event_id.like("V%"))).all()
    held: dict[int, FormData] = {}
    for number in range(saves):
        event = events[number % len(events)]
        with Change(by=System("benchmark"), action="save form", subject=event.subject_id, chain="bench"):
            data = held.get(event.id)
            if data is None:
                data = FormData(
                    subject_id=event.subject_id, study_event_id=event.id, form_id="BIG", version_id=1, revision=0
                )
                held[event.id] = data
                db.session.add(data)
            data.answers, data.saved_at, data.saved_by = design.document(number), now(), "x"
            data.revision = (data.revision or 0) + 1
    return sum(len(each) for each in db.session.scalars(select(ChangeEntries.entries)))


def bare(path: Path) -> int:
    """Every value and every link hashed once: nothing compared with the tables, no sums, no columns."""
    hashed = 0
    with sqlite3.connect(path) as raw:
        rows = raw.execute("select c.body, e.entries from change c join change_entries e on e.change_id = c.id")
        for body, entries in rows:
            bound = orjson.loads(body)["entries"]
            for entry, (_, old, new, _) in zip(orjson.loads(entries), bound, strict=True):
                for side, expected in (("old", old), ("new", new)):
                    if entry[side] is not None:
                        text = b"\x02" + bytes.fromhex(entry[f"salt_{side}"]) + orjson.dumps(entry[side])
                        hashed += hashlib.sha256(text).hexdigest() == expected
            hashlib.sha256(b"\x00" + body.encode()).hexdigest()
    return hashed


def measure(saves: int, rounds: int = 5) -> list[Line]:
    """Seconds for a million entries."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "trail.db"
        app = clinic.build(f"sqlite:///{path}", Path(name), clinic.NURSES, full=0)
        with app.app_context():
            entries = fill(saves)
            changes = db.session.scalar(select(func.count()).select_from(Change))
            db.session.remove()
            faults = trail.verify_all()
            assert not faults, faults
            works = {"verify": trail.verify_all, "replay": trail.replay, "floor": lambda: bare(path)}
            times = interleaved(works, rounds, warm=1)
            db.engine.dispose()
    million = {work: found / 1000 / entries * 1_000_000 for work, found in times.items()}
    note = f"{entries:,} entries of {changes:,} changes; "
    return [
        Line(f"{work} the whole trail", million[work], million["floor"], 540 / 200, "s/million", note + speed)
        for work in ("verify", "replay")
        for speed in [f"{1_000_000 / million[work]:,.0f} entries/s"]
    ]


def main() -> None:
    """Print the two lines."""
    print(HEADING)
    print(*measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000), sep="\n")


if __name__ == "__main__":
    main()
