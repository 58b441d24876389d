"""An administrator in a real browser: she opens an account, gives a role, and the new person starts to work."""

import pytest

from models import User, db
from tests.chromium import SIZES

pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, SIZES]
NEW_PASSWORD = "Seven grey cranes over 9 dams"


@pytest.mark.req("ACC-01", "SEC-04")
def test_an_administrator_opens_an_account_gives_a_role_and_the_new_person_signs_in(
    clinic, sign_in, watch, size, request
):
    name = f"nina.{request.node.callspec.id}"
    watch.expected = ["Failed to load resource: the server responded with a status of 422"]  # the faulty date
    page = sign_in("otto", size=size)
    page.click("nav.mainnav a[href='/users']")
    page.click("main a[href='/users/new']")
    page.fill("[name=full_name]", "倪娜")
    page.fill("[name=username]", name)
    page.click("main form button[type=submit]")
    page.wait_for_selector(".flash-ok code")
    temporary = page.inner_text(".flash-ok code")
    page.goto("/users")
    page.click(f"main tr:has-text('{name}') a")
    page.select_option("[name=role]", label="研究护士")
    page.select_option("[name=site]", value="01")
    page.fill("[name=starts_on]", "很快")
    page.fill("[name=reason]", "授权分工表第4行")
    page.click("form[action$='/grants'] button[type=submit]")
    page.wait_for_selector(".has-error .error")
    page.fill("[name=starts_on]", "")
    page.fill("[name=ends_on]", "2199/12/31")
    page.click("form[action$='/grants'] button[type=submit]")
    page.wait_for_selector(".chip-accent")
    given = page.locator("main table").first.inner_text()
    assert "研究护士" in given and "一号中心" in given and "2199-12-31" in given and "2200" not in given
    with clinic.app.app_context():
        grants = db.session.query(User).filter_by(username=name).one().grants
        assert [(grant.role, grant.site.code) for grant in grants] == [("nurse", "01")]

    hers = sign_in(name, password=temporary, size=size)
    assert hers.url.endswith("/password"), "a temporary password opens nothing but the page that changes it"
    hers.fill("[name=current]", temporary)
    hers.fill("[name=new]", NEW_PASSWORD)
    hers.fill("[name=again]", NEW_PASSWORD)
    hers.click("main form button[type=submit]")
    hers.wait_for_url(lambda address: "password" not in address)
    assert hers.locator("nav.mainnav a[href='/participants']").is_visible()
    assert hers.locator("nav.mainnav a[href='/users']").count() == 0
