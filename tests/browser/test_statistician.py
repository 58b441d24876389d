"""A statistician in a real browser: she makes a package, downloads it, and finds in it what its manifest promises."""

import hashlib
import json
import zipfile

import pytest

from models import db
from models.change import Change, System
from tests.chromium import SIZES
from tests.clinic import PASSWORD
from workflows import granting

pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, SIZES]


@pytest.fixture(scope="module")
def statistician(clinic):
    """Somebody who exports from all sites."""
    with clinic.app.app_context(), Change(by=System("tests"), action="create user", chain="system") as change:
        user = granting.create_user(change, "stella", "Stella Wu", PASSWORD, "zh")
        granting.grant(change, user, "statistician", None)
        db.session.flush()
    return "stella"


@pytest.mark.req("CPY-02", "CPY-05")
def test_a_statistician_makes_a_package_and_every_file_in_it_has_the_hash_that_the_manifest_says(
    clinic, sign_in, statistician, size, tmp_path
):
    subject = clinic.screen()
    clinic.store(subject, "SCR", "VS", {"VS": {"1": {"HEIGHT": "171", "WEIGHT": "64.5", "FEVER": "N"}}})
    page = sign_in(statistician, size=size)
    page.click("nav.mainnav a[href='/exports']")
    page.check("input[name=formats][value=csv]")
    page.check("input[name=formats][value=excel]")
    assert page.locator("input[name=sites]:checked").count() == 2
    page.fill("[name=reason]", "期中分析")
    page.click("main form button[type=submit]")
    page.wait_for_selector(".flash-ok")
    line = page.locator("main table tbody tr").first
    shown = line.locator("code").get_attribute("title")
    with page.expect_download() as waiting:
        line.locator("a.btn").click()
    package = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(package)

    assert package.suffix == ".zip" and hashlib.sha256(package.read_bytes()).hexdigest() == shown
    with zipfile.ZipFile(package) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        names = set(archive.namelist()) - {"manifest.json"}
        assert names == set(manifest["files"]) and {name.split("/")[0] for name in names} >= {"csv", "excel"}
        for name in names:
            content = archive.read(name)
            assert manifest["files"][name] == {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        assert b"64.5" in b"".join(archive.read(name) for name in names if name.startswith("csv/"))
    assert manifest["filters"]["sites"] == ["01", "02"]
