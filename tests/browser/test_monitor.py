"""A monitoring day in a real browser, in both languages: begin a visit, verify, take back, ask, finish, read the report."""

import pytest

from tests.chromium import LAPTOP, TABLET

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser]
VITALS = {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N"}}}
WORDS = {
    "en": ("4 items", "Vital signs", "1 mark lost since", "1 raised"),
    "zh": ("4项", "生命体征", "失去1个标记", "提出1条"),
}
TYPED = {
    "en": ("wrong sheet", "Which scale?", "Consent seen."),
    "zh": ("看错页", "用的哪台秤？", "已查看知情同意书。"),
}


@pytest.mark.req("DAT-11")
@pytest.mark.parametrize(("language", "size"), [("zh", LAPTOP), ("en", TABLET)], ids=["zh", "en"])
def test_a_monitoring_day(clinic, sign_in, language, size):
    tongue, (mistake, question, summary) = {"zh": "zh-CN"}.get(language, language), TYPED[language]
    subject = clinic.screen("alice")
    clinic.store(subject, "SCR", "VS", VITALS)
    page = sign_in("mona", language=tongue, size=size)
    page.goto("/monitoring")
    page.select_option("[name=site]", "01")
    page.click("main form button[type=submit]")
    visit = page.url
    page.goto("/verification")
    page.click(f"a[href='/verification/{subject}/SCR']")
    page.check("[name=item][value$=' VS/1/HEIGHT']")
    page.click("button[value=ticked]")
    playwright.expect(page.locator("tr.is-verified")).to_have_count(1)
    page.click("button[value=all]")
    playwright.expect(page.locator("tr.is-verified")).to_have_count(4)
    playwright.expect(page.locator("button[value=all]")).to_have_count(0)
    page.check("[name=marked][value$=' VS/1/FEVER']")
    page.click(".sdv-bar summary")
    page.fill("[name=reason]", mistake)
    page.press("[name=reason]", "Enter")  # takes back, and verifies nothing
    playwright.expect(page.locator("tr.is-verified")).to_have_count(3)
    page.locator("a[href*='queries/new'][href*='HEIGHT']").click()
    page.fill("textarea", question)
    page.locator("main form button[type=submit]").last.click()
    page.goto(visit)
    page.fill("[name=present]", "Alice Zhao")
    page.fill("[name=summary]", summary)
    page.click("button[value=finish]")
    assert all(words in page.inner_text("article.report") for words in WORDS[language])
    playwright.expect(page.locator("[name=summary]")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    nurse = sign_in("alice", language=tongue)
    nurse.goto(visit)
    assert nurse.inner_text("article.report") == page.inner_text("article.report")
