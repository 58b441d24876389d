"""Pages, saves and live checks over HTTP, by one person and by eight at once."""

import threading
import time
from collections.abc import Callable

from flask import Flask
from sqlalchemy import event

from benchmarks.clinic import FEW, NURSES, PASSWORD
from benchmarks.serving import Browser, Typist
from benchmarks.timing import Line, interleaved, percentile
from models import db

FORM = "/participants/{who}/V{visit:02}/BIG/1"


def typist(port: int, number: int = 1, ours: bool = True, visit: int = 5) -> Typist:
    """A nurse with a form of her own open."""
    address = FORM.format(who=number, visit=visit) if ours else f"/form/{number}"
    return Typist(Browser(port, f"nurse{number}"), address, ours)


def one_person(small: int, large: int, floor: int, rounds: int, many: int) -> list[Line]:
    """Opening, saving, checking, lists, and the same among many participants: all of them in turn."""
    mine, crowd, least = typist(small), typist(large), typist(floor, ours=False)
    works: dict[str, Callable[[], object]] = {
        "open": mine.open,
        "open, floor": least.open,
        "open, crowd": crowd.open,
        "save": mine.save,
        "save, floor": least.save,
        "save, crowd": crowd.save,
        "check": mine.check,
        "matrix": lambda: mine.browser.get("/participants/1"),
        "list": lambda: mine.browser.get("/participants"),
        "work": lambda: mine.browser.get("/"),
        "list, crowd": lambda: crowd.browser.get("/participants"),
    }
    times = interleaved(works, rounds)
    # The work list of many participants takes seconds: fewer turns, beside the page it is compared with.
    slow = interleaved({"work": lambda: crowd.browser.get("/"), "open": mine.open}, max(2, rounds // 20), warm=1)
    pairs = [
        ("form page of 40 items : minimal page", "open", "open, floor", 1.5),
        ("audited save : minimal save with 40 audit rows", "save", "save, floor", 2.0),
        ("live check : save", "check", "save", 1.0),
        ("one participant, 40 visits x forms : form page", "matrix", "open", 1.5),
        (f"list of participants, {FEW} : form page", "list", "open", 1.5),
        (f"work list, {FEW} participants : form page", "work", "open", 1.5),
        (f"form page, {many:,} participants : {FEW}", "open, crowd", "open", 1.2),
        (f"save, {many:,} participants : {FEW}", "save, crowd", "save", 1.2),
        (f"list of participants, {many:,} : form page", "list, crowd", "open", 1.5),
    ]
    lines = [Line(what, times[ours], times[base], target) for what, ours, base, target in pairs]
    return [*lines, Line(f"work list, {many:,} participants : form page", slow["work"], slow["open"], 1.5)]


def eight_at_once(port: int, seconds: float, what: str, ours: bool = True) -> list[Line]:
    """Every nurse saves a form of another participant, again and again. The floor's own spread has no target."""
    people = [typist(port, number, ours, visit=6) for number in range(1, NURSES + 1)]
    times: list[float] = []
    until = time.monotonic() + seconds

    def work(person: Typist) -> None:
        while time.monotonic() < until:
            start = time.perf_counter()
            person.save()
            times.append((time.perf_counter() - start) * 1000)

    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    middle = percentile(times, 0.5)
    note = f"{len(times) / seconds:.0f} saves/s"
    return [
        Line(f"8 at once, {what}: p95 : p50", percentile(times, 0.95), middle, 4.0 if ours else None, note=note),
        Line(f"8 at once, {what}: worst : p50", max(times), middle, 10.0 if ours else None),
    ]


def statements(app: Flask, address: str) -> int:
    """How many SQL statements a page takes, for a person signed in already."""
    with app.app_context():
        engine = db.engine
    client, seen = app.test_client(), []
    app.config["WTF_CSRF_ENABLED"] = False
    client.post("/sign-in", data={"username": "nurse1", "password": PASSWORD})
    client.get(address)

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    answer = client.get(address)
    event.remove(engine, "before_cursor_execute", count)
    assert answer.status_code == 200, f"{address} answered {answer.status_code}"
    return len(seen)


def counts(small: Flask, large: Flask, many: int) -> list[Line]:
    """The number of statements must not depend on how many participants there are."""
    pages = {
        "form page": FORM.format(who=1, visit=5),
        "one participant": "/participants/1",
        "list of participants": "/participants",
        "work list": "/",
    }
    return [
        Line(f"SQL statements, {name}: {many:,} : {FEW}", statements(large, path), statements(small, path), 1.0, "")
        for name, path in pages.items()
    ]
