"""Tables, listings and figures of the real trial: made from its data, kept as a package, traced to records."""

import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from models import Change, User, clock, db
from models.change import Change as Doing
from tests.workflows.test_enrolling import consent, desks  # noqa: F401 - the fixture
from workflows import cutting, exporting, reporting
from workflows.refusals import Forbidden, NotFound, Refusal
from workflows.reporting import Chosen


def person(name: str) -> User:
    return db.session.query(User).filter_by(username=name).one()


@pytest.fixture
def trial(desks):  # noqa: F811
    """A screened participant at each site."""
    reporting._read.clear()
    for desk in desks.values():
        consent(desk, desk.screen(), desk.calendar.day)
    return desks


def test_every_output_can_be_made_and_speaks_both_languages(trial) -> None:
    contents = {language: reporting.contents(language) for language in ("en", "zh")}
    assert len(contents["en"]) == len(contents["zh"]) >= 70
    for id, _kind, _title in contents["en"]:
        made = reporting.one(person("statistician"), id, Chosen())
        assert reporting.heading(made, "en") != reporting.heading(made, "zh")
        assert id in reporting.fragment(made, "zh")


def test_a_filter_leaves_the_others_out_and_a_site_role_sees_its_site_only(trial) -> None:
    everybody = reporting.values(person("statistician"))
    assert everybody["site"] == ["01", "02"]
    assert reporting.values(person("investigator.wuwei"))["site"] == ["01"]
    listing = reporting.one(person("statistician"), "L1", Chosen(site="02"))
    assert {row[0].text.en[:2] for row in listing.rows} <= {"02"}
    with pytest.raises(NotFound):
        reporting.one(person("statistician"), "T99", Chosen())
    with pytest.raises(Forbidden):
        reporting.one(person("nurse.wuwei"), "L1", Chosen())


@pytest.mark.req("CPY-05", "AUD-10")
def test_the_package_of_a_cut_is_the_same_byte_by_byte_and_is_recorded(trial, tmp_path) -> None:
    user = person("statistician")
    with Doing(by=user, action="cut data", reason="interim", chain="carbon-breast") as change:
        cut = cutting.make(change, "c1", datetime.now(UTC))
    first = reporting.package(user, "zh", "interim look", cut, tmp_path / "a.zip")
    desk = trial["01"]
    with clock.at(datetime.now(UTC) + timedelta(hours=1)):
        desk.screen()
    again = reporting.package(person("statistician"), "zh", "interim look", cut, tmp_path / "b.zip")
    assert again == first and (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    names = set(zipfile.ZipFile(tmp_path / "a.zip").namelist())
    assert {"outputs.pdf", "outputs.xlsx", "html/t1-1.html", "csv/l1.csv", "datasets/ADSL.csv"} <= names
    made = db.session.query(Change).filter_by(action="export outputs").all()
    assert len(made) == 2 and made[0].about == "a.zip"
    with pytest.raises(Refusal):
        reporting.package(user, "zh", " ", cut, tmp_path / "c.zip")
    assert not (tmp_path / "c.zip").exists()


@pytest.mark.req("CPY-05")
def test_sdtm_of_a_cut_is_part_of_a_package_and_the_same_whenever_it_is_made(trial) -> None:
    with Doing(by=person("statistician"), action="cut data", reason="interim", chain="carbon-breast") as change:
        cut = cutting.make(change, "c1", datetime.now(UTC))
    made = [exporting.make(person("statistician"), ["sdtm"], None, "interim look", cut) for _ in range(2)]
    assert made[0].sha256 == made[1].sha256
    files = made[0].manifest["files"]
    assert {"sdtm/dm.xpt", "sdtm/json/dm.json", "sdtm/define.xml"} <= files.keys()
