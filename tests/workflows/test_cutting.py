"""Data cuts: what was stored at a past instant, rebuilt from the trail, the same for ever."""

import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from exports import tables
from models import DataCut, db, rebuild
from models.change import Change
from models.clock import at
from models.replay import one_state, table_leaves
from tests.clinic import Clinic
from workflows import cutting, exporting, finding, query_places, querying
from workflows.refusals import Forbidden, NotFound, Refusal

START = datetime(2026, 3, 16, 2, 0, tzinfo=UTC)


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    with at(START):
        return Clinic(tmp_path)


def cut(clinic: Clinic, name: str, as_of: datetime, by: str = "dora") -> DataCut:
    with Change(by=clinic.user(by), action="cut data", reason="interim look", chain="small") as change:
        return cutting.make(change, name, as_of)


def scene(clinic: Clinic) -> int:
    """Weight 60 on the first day, a second participant on the second, weight 61 and a query on the third."""
    with at(START + timedelta(hours=1)):
        first = clinic.screen()
        clinic.store(first, "SCR", "VS", {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": "60.0"}}})
    with at(START + timedelta(days=1)):
        clinic.screen("bob")
    with at(START + timedelta(days=2)):
        changed = {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": "61.0", "VSCOM": "with coat"}}}
        clinic.store(first, "SCR", "VS", changed, reason="read again")
    return first


@pytest.mark.req("CPY-05", "AUD-08")
def test_the_database_rebuilt_at_its_head_is_the_database(clinic: Clinic, tmp_path) -> None:
    scene(clinic)
    with clinic.app.app_context(), one_state() as live:
        seq, _link = rebuild.last_change(live, "small", datetime.now(UTC)) or (0, "")
        with rebuild.database(live, "small", seq, tmp_path / "then.sqlite") as then:
            assert dict(table_leaves(then)) == dict(table_leaves(live))
            assert len(dict(table_leaves(then))) > 100


def test_a_cut_shows_what_was_stored_then_and_nothing_later(clinic: Clinic, tmp_path) -> None:
    scene(clinic)
    with clinic.app.app_context():
        found = cut(clinic, "first", START + timedelta(hours=12))
        scope = tables.Scope(1, {version.id: finding.design(version.id) for version in finding.versions()})
        with cutting.opened(found, tmp_path) as then:
            seen = tables.read(then, scope)
        assert list(seen["SUBJECTS"].columns["SCRNO"]) == ["01-S001"]
        assert list(seen["VS"].columns["WEIGHT"]) == ["60.0"]
        with one_state() as live:
            assert list(tables.read(live, scope)["VS"].columns["WEIGHT"]) == ["61.0"]


@pytest.mark.req("CPY-05")
def test_packages_of_a_cut_are_the_same_byte_by_byte_however_much_happens_later(clinic: Clinic) -> None:
    person = scene(clinic)
    with clinic.app.app_context():
        found, user = cut(clinic, "first", START + timedelta(hours=12)), clinic.user("dora")
        formats = ["csv", "excel", "parquet", "spss", "stata", "xpt", "trail"]
        before = exporting.make(user, formats, None, "interim look", found)
        clinic.store(person, "SCR", "VS", {"VS": {"1": {"HEIGHT": "166.0", "WEIGHT": "61.0"}}}, reason="measured again")
        again = exporting.make(clinic.user("dora"), formats, None, "the same", db.session.get_one(DataCut, found.id))
        assert again.sha256 == before.sha256
        assert again.cut_id == found.id and again.manifest["cut"]["seq"] == found.seq
        assert again.manifest["chain"]["link"] == found.link
        with zipfile.ZipFile(exporting.folder() / again.file_name) as archive:
            assert b"165.0" in archive.read("csv/VS.csv") and b"61.0" not in archive.read("csv/VS.csv")
        now = exporting.make(clinic.user("dora"), formats, None, "now")
        assert now.sha256 != again.sha256


@pytest.mark.req("AUD-01")
def test_naming_a_cut_is_a_change_and_needs_the_right_to_export(clinic: Clinic) -> None:
    scene(clinic)
    with clinic.app.app_context():
        with pytest.raises(Forbidden):
            cut(clinic, "hers", START + timedelta(hours=12), by="alice")
        found = cut(clinic, "first", START + timedelta(hours=12))
        change = db.session.query(Change).filter_by(action="cut data").one()
        assert (change.user_name, change.about) == ("dora", f"data_cut/{found.id}")


@pytest.mark.parametrize(
    ("name", "as_of", "code"),
    [
        ("FIRST", START + timedelta(hours=12), "cut-taken"),
        ("a name", START, "cut-name"),
        ("", START, "cut-name"),
        ("later", datetime.now(UTC) + timedelta(days=1), "cut-future"),
        ("early", START - timedelta(days=9), "cut-empty"),
    ],
)
def test_a_cut_that_cannot_be_is_refused(clinic: Clinic, name: str, as_of: datetime, code: str) -> None:
    scene(clinic)
    with clinic.app.app_context():
        cut(clinic, "first", START + timedelta(hours=12))
        with pytest.raises(Refusal) as refused:
            cut(clinic, name, as_of)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-16", datetime(2026, 3, 16, 15, 59, 59, 999999, UTC)),  # the end of the day in Wuwei
        ("2026-03-16T10:00+08:00", datetime(2026, 3, 16, 2, 0, tzinfo=UTC)),
        ("2026-03-16 02:00:00Z", datetime(2026, 3, 16, 2, 0, tzinfo=UTC)),
    ],
)
def test_a_day_means_its_end_and_an_instant_carries_its_offset(clinic: Clinic, text: str, expected: datetime) -> None:
    with clinic.app.app_context():
        assert cutting.instant(text, finding.study()) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("yesterday", "cut-instant"),
        ("2026-03-16T10:00", "cut-instant"),
        ("9999-12-31", "cut-instant"),
        ("2999-01-01", "cut-future"),
    ],
)
def test_what_is_no_past_instant_is_refused(clinic: Clinic, text: str, code: str) -> None:
    with clinic.app.app_context(), pytest.raises(Refusal) as refused:
        cutting.instant(text, finding.study())
    assert refused.value.code == code


def test_a_cut_of_another_trail_is_refused(clinic: Clinic, tmp_path) -> None:
    scene(clinic)
    with clinic.app.app_context():
        found = cut(clinic, "first", START + timedelta(hours=12))
        db.session.expunge(found)
        found.link = "0" * 64
        with pytest.raises(Refusal) as refused, cutting.opened(found, tmp_path):
            pass
        assert refused.value.code == "cut-broken"


def test_the_difference_of_two_cuts_names_who_why_and_the_query(clinic: Clinic) -> None:
    person = scene(clinic)
    with clinic.app.app_context():
        target = query_places.target(clinic.user("mona"), person, "SCR", "VS", 1, ["VS/1/WEIGHT"])
        with Change(by=clinic.user("mona"), action="raise query", subject=person, chain="small") as change:
            number = querying.raise_query(change, target, "With or without the coat?").id
        changed = {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": "61.5", "VSCOM": "with coat"}}}
        clinic.store(person, "SCR", "VS", changed, reason="without the coat")
        first, second = cut(clinic, "first", START + timedelta(hours=12)), cut(clinic, "second", datetime.now(UTC))
        found = cutting.differences(clinic.user("dora"), second, first)
        rows = {item: at for at, item in enumerate(found.columns["ITEM"])}
        weight = {name: values[rows["WEIGHT"]] for name, values in found.columns.items()}
        shown = (weight["SUBJECT"], weight["KIND"], weight["OLD"], weight["NEW"])
        assert shown == ("01-S001", "changed", "60.0", "61.5")
        assert (weight["LAST_BY"], weight["REASON"], weight["CHANGES"]) == ("alice", "without the coat", 2)
        assert (weight["QUERIES"], found.columns["QUERIES"][rows["VSCOM"]]) == (str(number), None)
        assert found.columns["KIND"][rows["VSCOM"]] == "added"
        assert "CONSDAT" in rows, "the second participant came between the cuts"
        assert "HEIGHT" not in rows, "what did not change is not there"


def test_differences_are_fetched_as_files_and_recorded(clinic: Clinic) -> None:
    scene(clinic)
    with clinic.app.app_context():
        first, second = cut(clinic, "first", START + timedelta(hours=12)), cut(clinic, "second", datetime.now(UTC))
        text = cutting.fetch_differences(clinic.user("dora"), first, second, "csv").decode("utf-8-sig")
        assert "read again" in text
        assert cutting.fetch_differences(clinic.user("dora"), first, second, "xlsx")[:2] == b"PK"
        assert db.session.query(Change).filter_by(action="export cut differences").count() == 2
        with pytest.raises(NotFound):
            cutting.named(clinic.user("dora"), "third")
