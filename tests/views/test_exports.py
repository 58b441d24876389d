"""The export and analysis pages."""

import io
import re
import zipfile

import pytest

from models import Change, Export, db
from tests.clinic import Clinic


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    made = Clinic(tmp_path_factory.mktemp("exports"))
    made.screen("alice")
    made.screen("bob")
    return made


def post(browser, **more):
    return browser.post("/exports", {"formats": ["csv"], "sites": ["01", "02"], "reason": "interim"} | more)


def test_a_package_is_made_and_can_be_downloaded(clinic):
    dora = clinic.sign_in("dora")
    assert post(dora).status_code == 303
    page = dora.get("/exports").text
    address = re.search(r'href="(/exports/\d+/file)"', page)[1]
    answer = dora.get(address)
    assert answer.mimetype == "application/zip" and answer.data[:2] == b"PK"
    assert "attachment" in answer.headers["Content-Disposition"]
    with clinic.app.app_context():
        actions = [change.action for change in db.session.query(Change).filter(Change.action.like("%export%"))]
    assert actions == ["export", "download export"]


@pytest.mark.parametrize("field, value", [("formats", []), ("sites", []), ("reason", ""), ("formats", ["pdf"])])
def test_an_incomplete_or_unknown_choice_is_refused_on_the_same_page(clinic, field, value):
    answer = post(clinic.sign_in("dora"), **{field: value})
    assert answer.status_code == 422 and 'class="error"' in answer.text


@pytest.mark.req("SEC-19")
def test_an_investigator_sees_and_may_choose_her_own_site_only(clinic):
    ines = clinic.sign_in("ines")
    post(clinic.sign_in("dora"))
    page = ines.get("/exports").text
    assert 'value="01"' in page and 'value="02"' not in page and "/file" not in page
    assert post(ines).status_code == 422
    with clinic.app.app_context():
        export_id = db.session.query(Export.id).first()[0]
    assert ines.get(f"/exports/{export_id}/file").status_code == 404


@pytest.mark.req("ACC-01")
@pytest.mark.parametrize("name", ["alice", "mona", "otto"])
def test_who_may_not_export_is_refused(clinic, name):
    browser = clinic.sign_in(name)
    assert browser.get("/exports").status_code == 403


def test_a_study_without_an_analysis_table_says_so(clinic):
    assert "defines no analysis" in clinic.sign_in("dora").get("/analysis").text


@pytest.mark.req("ACC-01")
def test_a_nurse_does_not_see_the_analysis(clinic):
    assert clinic.sign_in("alice").get("/analysis").status_code == 403


@pytest.mark.req("AUD-17")
def test_a_draft_leaves_in_no_export(tmp_path):
    clinic = Clinic(tmp_path)
    subject = clinic.screen("alice")
    form = f"/participants/{subject}/SCR/VS/1"
    kept = {"VS/1/HEIGHT": "165.0", "VS/1/VSCOM": "canary half way", "_revision": ""}
    assert clinic.sign_in("alice").post(f"{form}/draft", kept, page=form).status_code == 200
    dora = clinic.sign_in("dora")
    every = ["csv", "excel", "trail"]
    assert post(dora, formats=every).status_code == 303
    package = zipfile.ZipFile(io.BytesIO(dora.get("/exports/1/file").data))
    inside = [package.read(name) for name in package.namelist()]
    inside += [
        z.read(n)
        for raw in inside
        if raw[:2] == b"PK"
        for z in [zipfile.ZipFile(io.BytesIO(raw))]
        for n in z.namelist()
    ]
    assert len(inside) > 5 and not any(b"canary" in each for each in inside)
    assert "canary half way" in clinic.sign_in("alice").get(form).text
