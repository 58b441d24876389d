"""The delegation log: who writes it, what it allows on which day, and whom a form may name."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from models import clock, db
from models.change import Change, System
from tests.clinic import NOW
from tests.signing import Signing
from workflows import delegating, finding, publishing
from workflows.refusals import Forbidden, Refusal

START, STOP = date(2026, 3, 1), date(2026, 3, 10)


class Named(Signing):
    """A study whose consent form names an investigator and the day on which she signed."""

    def _publish(self, folder: Path, number: int = 1, without: str = "") -> None:
        super()._publish(folder, number, without)
        home = folder / "crf" / "named" / "v2"
        source = folder / "crf" / "small" / "v1"
        for path in source.rglob("*.*"):
            text = path.read_text(encoding="utf-8").replace("version = 1", "version = 2")
            if path.name == "ICF.toml":
                text += ITEMS
            target = home / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        publishing.seal(home)
        with Change(by=System("tests"), action="publish", chain="small") as change:
            publishing.publish(change, home)
            for site in finding.study().sites:
                site.version_id = finding.study().current_version_id or 0


ITEMS = """
[[items]]
id = "ICFINV"
en = "Consenting investigator"
zh = "知情研究者"
type = "user"
delegated = "consent"
delegated_on = "ICFIDT"
[[items]]
id = "ICFIDT"
en = "Signed on"
zh = "签署日期"
type = "date"
"""


@pytest.fixture
def clinic(tmp_path: Path, app: Flask) -> Any:
    with clock.at(NOW):
        yield Signing(tmp_path, app)


def refused(code: str, act: Any, *args: Any, **more: Any) -> None:
    with pytest.raises(Refusal) as caught:
        act(*args, **more)
    assert caught.value.code == code


def end(clinic: Signing, name: str, line: int, last: date, reason: str = "left the ward") -> None:
    with Change(by=clinic.user(name), action="end delegation", reason=reason, chain="small") as change:
        found = next(each for each in delegating.log_of(clinic.site("01").id) if each.id == line)
        delegating.end(change, found, last)


def may(clinic: Signing, name: str, task: str, day: date) -> bool:
    db.session.rollback()
    try:
        delegating.require_delegated(clinic.user(name), task, clinic.site("01").id, day)
    except Refusal:
        return False
    return True


@pytest.mark.req("SIG-11")
def test_a_line_holds_from_its_first_to_its_last_day(clinic: Signing) -> None:
    assert may(clinic, "alice", "enter data", START), "no log is kept yet"
    clinic.delegate("ines", "ines", "sign", "consent")
    clinic.delegate("ines", "alice", "enter data", start=START, stop=STOP)
    held = [
        may(clinic, "alice", "enter data", date(2026, month, day)) for month, day in [(2, 28), (3, 1), (3, 10), (3, 11)]
    ]
    assert held == [False, True, True, False]
    assert not may(clinic, "alice", "sign", START)


@pytest.mark.req("ACC-04", "SIG-11")
def test_an_ended_line_stays_in_the_log_and_allows_nothing_later(clinic: Signing) -> None:
    clinic.delegate("ines", "ines", "sign")
    line = clinic.delegate("ines", "alice", "enter data", start=START)
    refused("bad-reason", end, clinic, "ines", line, STOP, " x ")
    refused("delegation-period", end, clinic, "ines", line, date(2026, 2, 1))
    end(clinic, "ines", line, STOP)
    refused("delegation-ended", end, clinic, "ines", line, STOP)
    assert may(clinic, "alice", "enter data", STOP) and not may(clinic, "alice", "enter data", date(2026, 3, 11))
    assert len(delegating.log_of(clinic.site("01").id)) == 2


@pytest.mark.req("ACC-01")
@pytest.mark.parametrize("name", ["alice", "mona", "dora", "otto", "ines2"])
def test_only_the_investigator_of_the_site_delegates(clinic: Signing, name: str) -> None:
    with pytest.raises(Forbidden):
        clinic.delegate(name, name, "sign")


def test_the_principal_investigator_opens_the_log_and_nobody_extends_her_own_part(clinic: Signing) -> None:
    refused("delegation-first", clinic.delegate, "ines", "alice", "enter data")
    refused("delegation-tasks", clinic.delegate, "ines", "ines", "fly")
    refused("delegation-tasks", clinic.delegate, "ines", "ines")
    refused("delegation-period", clinic.delegate, "ines", "ines", "sign", start=STOP, stop=START)
    line = clinic.delegate("ines", "ines", "sign")
    refused("delegation-twice", clinic.delegate, "ines", "ines", "sign")
    refused("delegation-person", clinic.delegate, "ines", "bob", "enter data")
    assert delegating.principal_of(clinic.site("01")) == clinic.user("ines").id
    end(clinic, "ines", line, date(2026, 3, 1))
    assert delegating.principal_of(clinic.site("01")) is None


def test_a_monitor_verifies_by_her_role_and_its_period(clinic: Signing) -> None:
    clinic.delegate("ines", "ines", "sign")
    assert may(clinic, "mona", "verify", clock.today())
    assert not may(clinic, "mona", "verify", date(2000, 1, 1)), "before her role began"
    assert not may(clinic, "max", "verify", clock.today()), "monitor of another site"
    assert not may(clinic, "mona", "sign", clock.today())


@pytest.mark.req("SIG-11", "ACC-07")
def test_a_form_names_only_who_was_delegated_on_the_day(tmp_path: Path, app: Flask) -> None:
    with clock.at(NOW):
        clinic = Named(tmp_path, app)
        subject = clinic.screen(consent=None)

        def consent(**cells: str) -> None:
            answers = {"ICF": {"1": {"CONSDAT": "2026-03-10"} | cells}}
            clinic.store(subject, "SCR", "ICF", answers, reason="mistyped")

        consent(ICFINV="ines", ICFIDT="2026-03-10")
        clinic.delegate("ines", "ines", "sign", start=START)
        consent(ICFINV="ines", ICFIDT="2026-03-10", CONSDAT="2026-03-09")  # what was said before is not asked again
        refused("not-delegated", consent, ICFINV="ines", ICFIDT="2026-03-11")
        clinic.delegate("ines", "ines", "consent", start=date(2026, 3, 5), stop=STOP)
        refused("not-delegated", consent, ICFINV="ines", ICFIDT="2026-03-11")
        refused("not-delegated", consent, ICFINV="alice", ICFIDT="2026-03-10")
        refused("delegated-without-date", consent, ICFINV="ines")
        consent(ICFINV="ines", ICFIDT="2026-03-09")
        assert clinic.answers(subject, "SCR", "ICF")["ICF"]["1"]["ICFIDT"] == "2026-03-09"
        db.session.rollback()
