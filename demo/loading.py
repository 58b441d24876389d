"""Load the trial: the stories of all participants advance together, day by day, in one simulated calendar."""

import gc
import heapq
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

from flask import current_app
from sqlalchemy import select
from tqdm import tqdm

from demo import origin, oversight, people, profiles
from demo.keeping import Calendar, Desk
from demo.office import Office
from demo.screening import story
from models import Study, clock, db
from models.change import Change, System
from workflows import publishing
from workflows.refusals import Refusal

STUDY = Path(__file__).resolve().parent.parent / "crf" / "carbon-breast" / "v1"
Story = tuple[date, Generator[date, None, None]]  # its first day, and what happens on it and later


def load(participants: int = 42, *, folder: Path = STUDY, quiet: bool = False, until: date | None = None) -> None:
    """Publish the study, create its people, and let `participants` be enrolled and followed up to the last day.

    Raises:
        Refusal: in production, where no invented person and no published password belongs; the database is in use.
    """
    if current_app.config["SETTINGS"].mode == "production":
        raise Refusal("demo-production")
    if origin.state() != origin.EMPTY:
        raise Refusal("demo-not-empty")
    end = until or profiles.LAST_DAY
    calendar = Calendar(profiles.FIRST_DAY)
    with clock.at(calendar.tick()):
        oid = publishing.check(folder).study.id
        with Change(by=System("demo"), action="publish", chain=oid, about=folder.name) as change:
            publishing.publish(change, folder)
        study = db.session.scalars(select(Study)).one()
        users = people.create(list(study.sites))
    towns = {"01": "wuwei", "02": "lanzhou"}
    desks = {
        site.code: Desk(
            study.oid,
            site,
            users[f"nurse.{towns[site.code]}"],
            users[f"investigator.{towns[site.code]}"],
            Random(profiles.SEED + int(site.code)),
            calendar,
        )
        for site in study.sites
    }
    offices = [
        Office(
            replace(desk, dice=Random(profiles.SEED + 100 + int(code))),
            users[f"monitor.{towns[code]}"],
            users["datamanager"],
            Random(profiles.SEED + 200 + int(code)),
            calendar.day,
            end,
            leads=code == min(desks),
        )
        for code, desk in desks.items()
    ]
    persons = profiles.draw(participants)
    stories = [(person.consent, story(desks[person.site], person)) for person in persons if person.consent <= end]
    stories = [(calendar.day, oversight.story(office)) for office in offices] + stories
    with _patient_collector():
        _run(stories, desks, calendar, end, quiet)
    origin.finish()


@contextmanager
def _patient_collector() -> Iterator[None]:
    """Look for cycles of garbage rarely: definitions and rows live long, and searching them took a sixth of the time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _run(stories: list[Story], desks: dict[str, Desk], calendar: Calendar, end: date, quiet: bool) -> None:
    """Always go on with the story whose next day comes first; stop each one at the end of the simulation."""
    queue = [(day, number) for number, (day, _) in enumerate(stories)]
    heapq.heapify(queue)
    span = (end - calendar.day).days
    bar = tqdm(total=span, desc="Making the demonstration trial", unit=" days", disable=quiet, file=sys.stderr)
    while queue:
        day, number = heapq.heappop(queue)
        bar.update(max(0, (day - calendar.day).days))
        calendar.turn_to(day)
        following = next(stories[number][1], None)
        if following is not None and following <= end:
            heapq.heappush(queue, (max(following, calendar.day), number))
        bar.set_postfix(saves=sum(desk.saves for desk in desks.values()), refresh=False)
    bar.close()
