"""An amendment in a real browser, in both languages: compare, dry run, activate, move; then the nurse works under it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from tests.amended import Amended
from tests.chromium import LAPTOP, TABLET

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser]
VITALS = {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N", "VSPULSE": "70", "SYMPT": ["P"]}
WORDS = {
    "en": {"added": "Skin dose", "gated": "Breast scan", "moved": "Pulse", "dropped": "Comment",
           "kept": "No longer asked", "file": "answers recoded: SYMPT 1", "comment": "tired"},
    "zh": {"added": "皮肤剂量", "gated": "乳腺检查", "moved": "脉搏", "dropped": "备注",
           "kept": "不再询问", "file": "重新编码的答案：SYMPT 1", "comment": "疲劳"},
}  # fmt: skip


@pytest.fixture
def clinic(tmp_path: Path) -> Amended:
    """A clinic of its own: a version is activated only once."""
    return Amended.in_folder(tmp_path)


@pytest.fixture
def server(clinic: Amended) -> Iterator[str]:
    """The address of its application."""
    made = make_server("127.0.0.1", 0, clinic.app, threaded=True)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.port}"
    made.shutdown()
    thread.join()


def is_wide(page) -> bool:
    """Whether anything stands out of the window at the side."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.req("ACC-07", "ACC-11", "AUD-16", "DAT-09")
@pytest.mark.parametrize(("language", "size"), [("zh", LAPTOP), ("en", TABLET)], ids=["zh", "en"])
def test_an_amendment_day(clinic, sign_in, watch, language, size):
    tongue, words, expect = {"zh": "zh-CN"}.get(language, language), WORDS[language], playwright.expect
    subject = clinic.screen()
    with clinic.app.app_context():
        clinic.store(subject, "SCR", "VS", {"VS": {"1": VITALS | {"VSCOM": words["comment"]}}})
        clinic.publish_second()

    manager = sign_in("dora", language=tongue, size=size)
    manager.goto("/study/amendments")
    manager.click("a[href='/study/amendments/2?site=01']")
    impact = manager.inner_text("main")
    assert all(words[each] in impact for each in ("added", "gated", "moved", "dropped"))
    assert not is_wide(manager)
    expect(manager.locator("[name=reason]")).to_have_count(0)  # nothing moves before the site works under it
    manager.fill("[name=from_date]", "2026-03-16")
    manager.fill("[name=approval]", "EC 2026-7")
    manager.locator("form[action$='/activate'] button[type=submit]").click()
    manager.wait_for_selector(".flash-ok")
    expect(manager.locator("form[action$='/activate']")).to_have_count(0)
    manager.fill("[name=reason]", "protocol amendment 1" if language == "en" else "方案修订1")
    manager.locator("form[action$='/run'] button[type=submit]").click()
    manager.wait_for_selector("a[href='/study/amendments/runs/1']")
    manager.wait_for_selector("tr[data-job]", state="detached")  # the page looks for itself
    expect(manager.locator("tr:has(a[href='/study/amendments/runs/1']) .chip")).to_have_count(1)
    assert not is_wide(manager)
    manager.click("a[href='/study/amendments/runs/1']")
    assert words["dropped"] in manager.inner_text("main")
    with manager.expect_download() as kept:
        manager.click("a[href$='/runs/1/file']")
    assert words["file"] in Path(kept.value.path()).read_text(encoding="utf-8-sig")

    nurse, vital = sign_in("alice", language=tongue, size=size), f"/participants/{subject}/SCR/VS/1"
    nurse.goto(vital)
    expect(nurse.locator("[id='i-VS/1/SKIN']")).to_be_visible()
    expect(nurse.locator("[data-path='VS/1/MOLE']")).to_be_hidden()
    expect(nurse.locator("[id='i-VS/1/PULSE']")).to_have_value("70")
    retained = nurse.locator("section.card", has_text=words["kept"])
    expect(retained).to_contain_text(words["comment"])
    nurse.fill("[id='i-VS/1/SKIN']", "40.5")
    nurse.keyboard.press("Control+s")
    nurse.wait_for_selector(".flash-ok, .flash-warn")
    nurse.goto(f"/participants/{subject}")
    expect(nurse.locator(f"a[href='/participants/{subject}/FU1/MRI/1']")).to_have_count(0)

    nurse.goto(f"/participants/{subject}/SCR/ICF/1")
    nurse.fill("[id='i-ICF/1/CONSVER']", "2")
    nurse.keyboard.press("Control+s")
    nurse.wait_for_selector(".flash-ok, .flash-warn")
    nurse.goto(vital)
    expect(nurse.locator("[data-path='VS/1/MOLE']")).to_be_visible()
    nurse.goto(f"/participants/{subject}")
    nurse.click(f"a[href='/participants/{subject}/FU1/MRI/1']")
    nurse.fill("[id='i-MRI/1/MRIDAT']", "2026-03-16")
    nurse.keyboard.press("Control+s")
    nurse.wait_for_selector(".flash-ok, .flash-warn")
    stored = clinic.answers(subject, "SCR", "VS")["VS"]["1"]
    assert (stored["SKIN"], stored["VSCOM"], stored["SYMPT"]) == ("40.5", words["comment"], ["PN"])
    assert clinic.answers(subject, "FU1", "MRI") == {"MRI": {"1": {"MRIDAT": "2026-03-16"}}}
