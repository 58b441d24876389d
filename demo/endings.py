"""How a participant leaves the study: death, withdrawal, loss, or ten years completed."""

from collections.abc import Generator
from datetime import date, timedelta

from demo.filling import working_day
from demo.keeping import Desk
from demo.profiles import Profile
from models import Subject

AFTER = {  # plot: month after which the plot ends regular visits
    "death_cancer": 42, "death_other": 6, "withdraw_visits": 12, "withdraw_all": 6, "lost": 18,
}  # fmt: skip


def end(desk: Desk, subject: Subject, person: Profile, target: date, key: str) -> Generator[date, None, None]:
    """What is learned, and when, after the visit that did not take place at `target`."""
    day = working_day(target + timedelta(days=40))
    yield day
    if person.plot == "death_cancer":
        _death(desk, subject, day, (target - timedelta(days=20)).isoformat(), "BC", "乳腺癌肝转移 C50.9", "EMR")
    elif person.plot == "death_other":
        _death(desk, subject, day, (target - timedelta(days=20)).isoformat()[:7], "CV", "急性心肌梗死 I21.9", "FAM")
    elif person.plot == "lost":
        yield from _lost(desk, subject, day, key)
    else:
        scope = "ALL" if person.plot == "withdraw_all" else "VIS"
        desk.save(subject, "LOG", "EOS", day, {"EOSRS": "WDC", "EOSDAT": day.isoformat(), "EOSWDS": scope})


def completed(desk: Desk, subject: Subject, day: date) -> None:
    """The last visit after 120 months is the regular end."""
    desk.save(subject, "LOG", "EOS", day, {"EOSRS": "COMP", "EOSDAT": day.isoformat()})


def _death(desk: Desk, subject: Subject, day: date, died: str, cause: str, words: str, source: str) -> None:
    """The hospital knows the day, relatives often only the month (edge case 35); the study ends on the day known."""
    iso = day.isoformat()
    known = {"DTHDAT": died, "DTHCAUS": cause, "DTHSPEC": words, "DTHBC": "Y" if cause == "BC" else "N"}
    desk.save(subject, "LOG", "SS", day, {"SSDAT": iso, "SSVIT": "DEAD", "SSSRC": source})
    desk.save(subject, "LOG", "DD", day, {**known, "DTHSRC": source})
    desk.save(subject, "LOG", "EOS", day, {"EOSRS": "DTH", "EOSDAT": died if len(died) == 10 else iso})


def _lost(desk: Desk, subject: Subject, day: date, key: str) -> Generator[date, None, None]:
    """Three telephone calls, then the family: at least three attempts by at least two modes before she counts as lost."""
    desk.miss(subject, key, "未到院，电话联系不上")
    call = desk.unscheduled(subject).key
    visit = {"VISDAT": day.isoformat(), "VISTYP": "UNS", "VISREAS": "失访追踪：三次拨打本人电话均无人接听"}
    desk.save(subject, call, "SV", day, {**visit, "VISMOD": "TEL"})
    unknown = {"SSDAT": day.isoformat(), "SSVIT": "UNK", "SSSRC": "TEL", "SSTRY": "3"}
    desk.save(subject, call, "SS", day, unknown)
    later = working_day(day + timedelta(days=30))
    yield later
    asked = {"SSDAT": later.isoformat(), "SSVIT": "UNK", "SSSRC": "FAM", "SSTRY": "5"}
    desk.save(subject, "LOG", "SS", later, asked)
    desk.save(subject, "LOG", "EOS", later, {"EOSRS": "LTF", "EOSDAT": later.isoformat()})
