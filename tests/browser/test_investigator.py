"""A signing session in a real browser, in both languages: list, casebook, password, a correction, what changed, again."""

import re

import pytest

from tests.chromium import LAPTOP, TABLET
from tests.clinic import PASSWORD

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser]
VITALS = {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N"}}}
WORDS = {
    "en": {"form": "Vital signs", "since": "Changed since the last signature", "superseded": "superseded",
           "meaning": "approve them as accurate", "reason": "misread the scale", "signed": "2 forms signed",
           "again": "1 form signed", "wrong": "User name or password is not right"},
    "zh": {"form": "生命体征", "since": "上次签名后的更改", "superseded": "已失效",
           "meaning": "确认其准确、完整并与源数据一致", "reason": "看错体重秤", "signed": "已签署 2 份表单",
           "again": "已签署 1 份表单", "wrong": "用户名或密码不正确"},
}  # fmt: skip


def sign(page, password=PASSWORD):
    """User name and password, and the button: nothing is remembered from the time before."""
    assert page.input_value("#username") == page.input_value("#password") == ""
    page.fill("#username", "ines")
    page.fill("#password", password)
    page.click("#sign button[type=submit]")


def correct(page, subject, weight, reason):
    """The nurse corrects the weight on the form, and says why."""
    page.goto(f"/participants/{subject}/SCR/VS/1")
    page.locator("[id='i-VS/1/WEIGHT']").fill(weight)
    page.fill("#reason", reason)
    page.keyboard.press("Control+s")
    page.wait_for_selector(".flash-ok, .flash-warn")


def is_wide(page):
    """Whether anything stands out of the window at the side."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.req("SIG-01", "SIG-06", "SIG-09", "SIG-13")
@pytest.mark.parametrize(("language", "size"), [("zh", LAPTOP), ("en", TABLET)], ids=["zh", "en"])
def test_a_signing_session(clinic, sign_in, watch, language, size):
    tongue, words, expect = {"zh": "zh-CN"}.get(language, language), WORDS[language], playwright.expect
    watch.expected = ["Failed to load resource: the server responded with a status of 401"]
    subject = clinic.screen("alice")
    clinic.store(subject, "SCR", "VS", VITALS)

    page = sign_in("ines", language=tongue, size=size)
    page.goto("/signing")
    page.locator(f"a[href='/signing/{subject}']").first.click()
    casebook = page.locator("main")
    for shown in (words["form"], "165.0 cm", "60.0 kg", "2026-03-10"):
        expect(casebook).to_contain_text(shown)
    expect(page.locator("[name=shown]:checked")).to_have_count(2)
    assert not is_wide(page)
    sign(page, "not the password at all")
    expect(page.locator("body")).to_contain_text(words["wrong"])
    sign(page)
    expect(page.locator(".flash-ok")).to_contain_text(words["signed"])
    page.goto("/signing")
    expect(page.locator(f"a[href='/signing/{subject}']")).to_have_count(0)

    correct(sign_in("alice", language=tongue), subject, "61.5", words["reason"])
    page.reload()
    page.locator(f"a[href='/signing/{subject}']").first.click()
    expect(page.locator("[name=shown]")).to_have_count(1)
    since = page.locator("section.card", has=page.locator("[name=shown]"))
    for shown in (words["since"], "60.0", "61.5", words["reason"], "alice"):
        expect(since).to_contain_text(shown)
    assert not is_wide(page)
    sign(page)
    expect(page.locator(".flash-ok")).to_contain_text(words["again"])

    page.goto(f"/participants/{subject}/SCR/VS/1")
    told = page.locator("#signatures").inner_text()
    assert told.count("Ines Wang") == told.count(words["meaning"]) == 2
    assert told.count(words["superseded"]) == 1 and len(re.findall(r"\+08:00", told)) >= 2
    page.goto(f"/participants/{subject}/SCR/ICF/1")
    expect(page.locator("#signatures")).not_to_contain_text(words["superseded"])
