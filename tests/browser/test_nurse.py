"""A nurse at work in a real browser: a screening visit in Chinese, entered and corrected."""

import pytest

from models import SignInSession, db
from tests.chromium import SIZES
from tests.clinic import PASSWORD

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, SIZES]


@pytest.fixture
def page(sign_in, size):
    """The nurse of site 01, signed in, in Chinese."""
    return sign_in("alice", size=size)


def item(page, path):
    return page.locator(f"[data-path='{path}']")


def field(page, path):
    return page.locator(f"[id='i-{path}']")


def save(page, address):
    page.keyboard.press("Control+s")
    page.wait_for_url(address)
    page.wait_for_selector(".flash-ok, .flash-warn")


def test_a_nurse_enters_a_screening_visit_in_chinese_and_corrects_it(clinic, page):
    page.goto("/participants/new")
    page.click("main button[type=submit]")
    page.wait_for_url("**/participants/*")
    here = page.url
    page.click(".fcell >> text=知情同意")
    field(page, "ICF/1/CONSDAT").fill("2026-03-10")
    save(page, f"{here}/SCR/ICF/1")

    page.goto(f"{here}/SCR/VS/1")
    expect = playwright.expect
    expect(page.locator("h1")).to_contain_text("生命体征")
    expect(item(page, "VS/1/TEMP")).to_be_hidden()
    page.keyboard.type("2026-03")  # the cursor stands in the first field, Enter goes on
    page.keyboard.press("Enter")
    page.keyboard.type("１６５.５")
    page.keyboard.press("Enter")
    page.keyboard.type("60.5")
    expect(page.locator("output[data-derived='VS/1/BMI']")).to_have_text("22.1")
    page.keyboard.press("Enter")
    page.keyboard.press("1")  # first answer of the list
    expect(item(page, "VS/1/TEMP")).to_be_visible()
    field(page, "VS/1/TEMP").fill("很高")
    expect(item(page, "VS/1/TEMP").locator(".say-hard")).to_contain_text("数字")
    assert page.evaluate("document.activeElement.name") == "VS/1/TEMP", "the cursor stays where she types"
    field(page, "VS/1/TEMP").fill("37.9")
    expect(item(page, "VS/1/TEMP").locator(".say")).to_have_count(0)
    page.locator("[data-path='VS/1/VSTIM'] summary").click()
    page.locator("[name='VS/1/VSTIM~missing']").select_option("UNK")
    expect(item(page, "VS/1/VSTIM").locator(".why-text")).to_have_text("不详")
    save(page, f"{here}/SCR/VS/1")

    expect(page.locator("#reason-box")).to_be_hidden()
    field(page, "VS/1/WEIGHT").fill("61.5")
    expect(page.locator("#reason-box")).to_be_visible()
    page.fill("#reason", "抄写错误")
    save(page, f"{here}/SCR/VS/1")
    item(page, "VS/1/WEIGHT").locator("a.tool").click()
    table = page.locator("main table")
    for words in ("60.5", "61.5", "抄写错误"):
        expect(table).to_contain_text(words)
    subject_id = int(here.rsplit("/", 1)[1])
    stored = clinic.answers(subject_id, "SCR", "VS")["VS"]["1"]
    assert (stored["HEIGHT"], stored["WEIGHT"], stored["TEMP"]) == ("165.5", "61.5", "37.9")
    assert stored["VSTIM"] == {"missing": "UNK"}


@pytest.mark.req("FLT-32", "SEC-13", "SEC-51")
def test_a_session_that_ends_while_she_types_costs_her_nothing(clinic, page, watch):
    watch.expected = ["Failed to load resource: the server responded with a status of 40"]
    subject = clinic.screen()
    page.goto(f"/participants/{subject}/SCR/VS/1")
    field(page, "VS/1/HEIGHT").fill("158")
    field(page, "VS/1/VSCOM").fill("打字中")
    with clinic.app.app_context():
        db.session.query(SignInSession).delete()
        db.session.commit()
    page.keyboard.press("Control+s")
    page.wait_for_selector("dialog.again[open]")
    page.fill("dialog.again [name=password]", "not the password")
    page.click("dialog.again button")
    playwright.expect(page.locator("[data-said]")).not_to_be_empty()
    page.fill("dialog.again [name=password]", PASSWORD)
    page.click("dialog.again button")
    page.wait_for_selector(".flash-ok, .flash-warn")
    assert clinic.answers(subject, "SCR", "VS")["VS"]["1"]["VSCOM"] == "打字中"
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_rows_appear_with_the_panel_and_when_she_asks_for_them(clinic, page):
    subject = clinic.screen()
    page.goto(f"/participants/{subject}/SCR/LB/new")
    page.check("[name='LBHEAD/1/LBPAN'][value=HEM]")
    field(page, "LBROWS/WBC/LBORRES").fill("5.1")
    page.goto(f"/participants/{subject}/LOG/AE/new")
    field(page, "AE/1/AETERM").fill("瘙")
    page.wait_for_selector(".terms li")
    field(page, "AE/1/AETERM").press("Enter")
    playwright.expect(item(page, "AE/1/AETERM").locator(".term-name")).to_have_text("瘙痒")
    page.click("button[name=_add]")
    field(page, "AEG/1/AEGDAT").fill("2026-03-12")
    field(page, "AEG/1/AEGGR").fill("2")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".flash-ok")
    assert clinic.answers(subject, "LOG", "AE")["AEG"] == {"1": {"AEGDAT": "2026-03-12", "AEGGR": "2"}}


def test_what_was_typed_is_kept_when_she_leaves(clinic, page):
    subject = clinic.screen()
    page.goto(f"/participants/{subject}/SCR/VS/1")
    field(page, "VS/1/VSCOM").fill("中断")
    playwright.expect(page.locator("#draft-note")).not_to_be_empty(timeout=9000)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/participants")
    page.goto(f"/participants/{subject}/SCR/VS/1")
    assert field(page, "VS/1/VSCOM").input_value() == "中断"
