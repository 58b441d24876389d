"""Exporting: who may, which sites, and that every package and every download is in the trail."""

import threading
import zipfile

import orjson
import pytest
from flask import Flask
from sqlalchemy import func, select

from models import Change, ChangeEntries, Export, db, rebuild
from models.change import System
from models.clock import now
from models.replay import one_state, table_leaves
from tests.small_study import files
from workflows import enrolling, entering, exporting, finding, granting, publishing
from workflows.refusals import Forbidden, NotFound, Refusal

PASSWORD = "quiet river 42 lanterns"
PEOPLE = {
    "dora": ("data_manager", None),
    "ines": ("investigator", "01"),
    "bob": ("nurse", "02"),
    "otto": ("administrator", None),
}


class House:
    """A study with one participant at each of two sites, and named people."""

    def __init__(self, app: Flask, folder) -> None:
        self.app = app
        home = folder / "crf" / "small" / "v1"
        for name, text in files().items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text, encoding="utf-8")
        publishing.seal(home)
        with Change(by=System("tests"), action="publish", chain="small") as change:
            publishing.publish(change, home)
        sites = {site.code: site for site in finding.study().sites}
        with Change(by=System("tests"), action="create user") as change:
            self.people = {}
            for name, (role, code) in PEOPLE.items():
                user = granting.create_user(change, name, name.title(), PASSWORD, "en")
                granting.grant(change, user, role, sites.get(code) if code else None)
                self.people[name] = user
        for code, note in (("01", "2026-03-01"), ("02", "2026-03-02")):
            with Change(by=System("tests"), action="screen", site=sites[code], chain="small") as change:
                subject = enrolling.screen(change, sites[code])
            with Change(by=System("tests"), action="save form", subject=subject, chain="small") as change:
                place = finding.place(self.people["dora"], subject.id, "SCR", "ICF", None)
                entering.save_form(change, place, {"ICF": {"1": {"CONSDAT": note}}}, None)

    def make(self, name: str, formats=("csv",), sites=None, reason="interim look") -> Export:
        return exporting.make(self.people[name], list(formats), sites, reason)


@pytest.fixture
def house(app, tmp_path) -> House:
    return House(app, tmp_path)


def changes(action: str) -> list[Change]:
    return list(db.session.scalars(select(Change).where(Change.action == action)))


def read(export: Export, name: str) -> str:
    with zipfile.ZipFile(exporting.folder() / export.file_name) as archive:
        return archive.read(name).decode()


@pytest.mark.req("AUD-10", "CPY-05")
def test_an_export_is_recorded_with_who_why_and_the_hash(house):
    export = house.make("dora")
    change = changes("export")[0]
    kept = db.session.get(ChangeEntries, change.id)
    assert change.user_id == house.people["dora"].id and change.role == "data_manager"
    assert kept.reason == "interim look" and kept.detail["sha256"] == export.sha256
    assert export.manifest["tables"]["ICF"]["rows"] == 2 and export.site_codes == ["01", "02"]


@pytest.mark.req("SEC-19")
def test_a_site_s_investigator_exports_her_site_only(house):
    export = house.make("ines")
    assert export.site_codes == ["01"]
    assert "2026-03-01" in read(export, "csv/ICF.csv") and "2026-03-02" not in read(export, "csv/ICF.csv")
    with pytest.raises(NotFound):
        house.make("ines", sites=["02"])


@pytest.mark.req("ACC-01")
@pytest.mark.parametrize("name", ["bob", "otto"])
def test_who_may_not_export_gets_nothing_and_leaves_no_file(house, name):
    with pytest.raises(Forbidden):
        house.make(name)
    assert not list(exporting.folder().glob("*")) if exporting.folder().exists() else True
    assert db.session.scalars(select(Export)).first() is None


def test_an_export_needs_a_reason(house):
    with pytest.raises(Refusal):
        house.make("dora", reason="  ")


@pytest.mark.req("AUD-10")
def test_a_download_is_recorded_before_it_leaves(house):
    export = house.make("dora")
    path = exporting.open_file(house.people["dora"], export)
    assert path.is_file() and changes("download export")[0].about == f"export/{export.id}"


@pytest.mark.req("SEC-19")
def test_a_package_with_more_sites_than_hers_is_not_found(house):
    export = house.make("dora")
    with pytest.raises(NotFound):
        exporting.open_file(house.people["ines"], export)
    assert changes("download export") == []


@pytest.mark.req("CPY-05")
def test_a_file_that_was_changed_on_disk_is_not_given_out(house):
    export = house.make("dora")
    path = exporting.folder() / export.file_name
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(NotFound):
        exporting.open_file(house.people["dora"], export)


def test_the_manifest_s_chain_head_is_the_last_change_before_the_export(house):
    before = db.session.scalars(select(Change).where(Change.chain == "small").order_by(Change.seq.desc())).first()
    link, seq = before.link, before.seq
    manifest = orjson.loads(read(house.make("dora"), "manifest.json"))
    assert (manifest["chain"]["seq"], manifest["chain"]["link"]) == (seq, link)


@pytest.mark.req("AUD-08")
def test_the_trail_of_all_sites_has_every_entry_of_the_database(house):
    counts = [len(entries) or 1 for entries in db.session.scalars(select(ChangeEntries.entries))]
    export = house.make("dora", ["trail"])
    assert export.manifest["trail_rows"] == sum(counts)


@pytest.mark.req("SEC-44")
def test_files_are_written_outside_any_transaction(house, monkeypatch):
    """While a package is written, somebody else can save."""
    written = threading.Event()
    build = exporting.package.build

    def slow(*of, **more):
        def save() -> None:
            with house.app.app_context():
                user = finding.study()  # a read of its own
                with Change(by=System("tests"), action="note", chain=user.oid):
                    pass
                written.set()

        thread = threading.Thread(target=save)
        thread.start()
        thread.join(5)
        return build(*of, **more)

    monkeypatch.setattr(exporting.package, "build", slow)
    house.make("dora")
    assert written.is_set()


def test_when_the_trail_cannot_be_written_there_is_no_file(house, monkeypatch):
    def refuse(self, *of):
        raise RuntimeError("no trail")

    monkeypatch.setattr(Change, "_write", refuse)
    with pytest.raises(RuntimeError):
        house.make("dora")
    assert [path for path in exporting.folder().rglob("*") if path.is_file()] == []


@pytest.mark.req("AUD-08", "CPY-05")
def test_the_rows_rebuilt_from_the_trail_are_the_rows_of_the_database(house: House, tmp_path) -> None:
    with one_state() as live:
        seq, _link = rebuild.last_change(live, "small", now()) or (0, "")
        with rebuild.database(live, "small", seq, tmp_path / "then.sqlite") as then:
            assert dict(table_leaves(then)) == dict(table_leaves(live))
            assert then.scalar(select(func.count()).select_from(Change)) == live.scalar(
                select(func.count()).select_from(Change)
            )
