"""A monitor in a real browser: she reads the audit trail, narrows it down, and follows one value through its changes."""

import pytest

from tests.chromium import SIZES

pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, SIZES]


@pytest.fixture
def subject(clinic):
    """A participant whose weight was corrected with a reason."""
    made = clinic.screen()
    vitals = {"HEIGHT": "165", "FEVER": "N"}
    clinic.store(made, "SCR", "VS", {"VS": {"1": {**vitals, "WEIGHT": "60.5"}}})
    clinic.store(made, "SCR", "VS", {"VS": {"1": {**vitals, "WEIGHT": "61.5"}}}, reason="抄写错误")
    return made


def rows(page):
    return page.locator("table.trail > tbody > tr")


def cell(row, number):
    return row.locator(f"> td:nth-child({number})")


@pytest.mark.req("AUD-03", "AUD-09", "AUD-10")
def test_a_monitor_filters_the_trail_and_reads_the_history_of_an_item(sign_in, subject, size):
    page = sign_in("mona", size=size)
    page.click("nav.mainnav a[href='/trail']")
    before = rows(page).count()
    page.select_option("#f-who", label="Alice Zhao (alice)")
    page.select_option("#f-what", label="保存表单")
    page.select_option("#f-participant", str(subject))
    page.click(".toolbar button[type=submit]")
    page.wait_for_url(lambda address: "who=" in address)
    assert 0 < rows(page).count() < before
    for row in rows(page).all():
        assert "Alice Zhao" in cell(row, 2).inner_text() and cell(row, 3).inner_text() == "保存表单"
    latest = rows(page).first
    assert "筛选 · 生命体征" in cell(latest, 4).inner_text() and "form_data" not in page.inner_text("main")
    assert "抄写错误" in cell(latest, 5).inner_text()
    latest.locator("details summary").click()
    for words in ("体重", "60.5", "61.5"):
        assert words in cell(latest, 5).inner_text()

    page.goto(f"/participants/{subject}/SCR/VS/1")
    page.click("[data-path='VS/1/WEIGHT'] a[href*='/history']")
    page.wait_for_url(lambda address: "/history?item=" in address)
    table = page.locator("main table")
    assert [table.locator(mark).all_inner_texts() for mark in (".old", ".new")] == [["60.5"], ["60.5", "61.5"]]
    assert "Alice Zhao" in table.inner_text() and "抄写错误" in table.inner_text()


@pytest.mark.req("AUD-09")
def test_days_are_typed_as_people_write_them(sign_in, subject, size):
    page = sign_in("mona", size=size)
    page.goto("/trail")
    assert rows(page).count() > 0
    page.fill("#f-since", "2001年1月1日")
    page.fill("#f-until", "20010102")
    page.press("#f-until", "Enter")
    page.wait_for_url(lambda address: "until=20010102" in address)
    assert rows(page).count() == 0 and page.locator(".empty").is_visible()
    page.fill("#f-until", "明天")
    page.press("#f-until", "Enter")
    page.wait_for_selector(".flash-warn")
