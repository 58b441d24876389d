"""The pages of an amendment and of deviations, in both languages; what a browser sends while forms are moved."""

import time
from pathlib import Path
from typing import Any

import pytest

from models import clock
from tests.amended import Amended, second
from tests.clinic import NOW


@pytest.fixture
def clinic(tmp_path: Path) -> Any:
    with clock.at(NOW):
        made = Amended.in_folder(tmp_path)
        made.app.config["WTF_CSRF_ENABLED"] = True
        yield made


def inside(clinic: Amended, act: Any) -> Any:
    """Do something in an application context of its own, as a request has one."""
    with clinic.app.app_context():
        return act()


def wait(browser: Any) -> str:
    for _ in range(200):
        page = browser.get("/study/amendments").text
        if "data-job=" not in page:
            return page
        time.sleep(0.1)
    raise AssertionError("the run does not end")


@pytest.mark.req("ACC-11", "AUD-16")
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_amendment_from_dry_run_to_report(clinic: Amended, language: str) -> None:
    subject = clinic.screen()
    inside(clinic, lambda: clinic.vitals(subject))
    inside(clinic, clinic.publish_second)
    dora = clinic.sign_in("dora", language)
    page = dora.get("/study/amendments/2?site=01").text
    assert "PULSE" in page and "VSCOM" in page and "SKIN" in page
    assert "/study/amendments/2/run" not in page
    given = {"site": "01", "from_date": "2026-03-16", "approval": "EC 2026-7"}
    here = "/study/amendments/2?site=01"
    assert dora.post("/study/amendments/2/activate", given, page=here).status_code == 303
    assert (
        dora.post("/study/amendments/2/run", {"site": "01", "reason": "protocol amendment 1"}, page=here).status_code
        == 303
    )
    page = wait(dora)
    assert "/study/amendments/runs/1" in page and "EC 2026-7" in page
    assert "VSCOM" in dora.get("/study/amendments/runs/1").text
    kept = dora.get("/study/amendments/runs/1/file")
    line = "answers kept but no longer asked: VSCOM 1" if language == "en" else "保留但不再询问的答案：VSCOM 1"
    assert kept.mimetype == "text/plain" and line in kept.text and "attachment" in kept.headers["Content-Disposition"]
    assert inside(clinic, lambda: clinic.versions_of(subject)) == {2}
    shown = clinic.sign_in("alice", language).get(f"/participants/{subject}/SCR/VS/1").text
    assert ("No longer asked" if language == "en" else "不再询问") in shown and "tired" in shown


@pytest.mark.req("DAT-09")
def test_a_form_that_is_dropped_stays_readable(clinic: Amended, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version is kept with it, and the run says so."""
    subject = clinic.screen()
    clinic.store(subject, "SCR", "LB", {"LBHEAD": {"1": {"LBPAN": "HEM"}}, "LBROWS": {"WBC": {"LBORRES": "5.1"}}})
    less = {name: text for name, text in second().items() if name != "forms/LB.toml"}
    less["study.toml"] = less["study.toml"].replace(', "LB?"', "")
    monkeypatch.setattr("tests.amended.second", lambda: less)
    inside(clinic, clinic.publish_second)
    inside(clinic, clinic.activate)
    left = inside(clinic, lambda: clinic.amend().report["left_out"])
    assert [(each["form"], each["why"]) for each in left] == [("LB", "no_form")]
    alice, address = clinic.sign_in("alice"), f"/participants/{subject}/SCR/LB/1"
    shown = alice.get(address)
    assert shown.status_code == 200 and "5.1" in shown.text
    person = alice.get(f"/participants/{subject}").text
    assert f'href="{address}"' in person and "/SCR/LB/new" not in person, "linked, and no further instance is offered"
    assert "the later version has no such form" in clinic.sign_in("dora").get("/study/amendments/runs/1").text


@pytest.mark.req("ACC-11")
def test_a_form_of_a_version_that_is_not_active_here_is_refused(clinic: Amended) -> None:
    here, there = clinic.screen(), clinic.screen("bob")
    inside(clinic, clinic.publish_second)
    inside(clinic, clinic.activate)
    assert clinic.sign_in("bob").get(f"/participants/{there}/FU1/MRI/1").status_code == 409
    posted = clinic.sign_in("bob").post(f"/participants/{there}/FU1/MRI/1", {"MRI/1/MRIDAT": "2026-03-16"}, page="/")
    assert posted.status_code == 409
    assert clinic.sign_in("alice").get(f"/participants/{here}/FU1/MRI/1").status_code == 200


def test_what_was_typed_on_the_old_page_is_shown_again(clinic: Amended) -> None:
    subject = clinic.screen()
    inside(clinic, lambda: clinic.vitals(subject))
    inside(clinic, clinic.publish_second)
    inside(clinic, clinic.activate)
    alice, address = clinic.sign_in("alice"), f"/participants/{subject}/SCR/VS/1"
    token, revision = alice.token(address), inside(clinic, lambda: clinic.form(subject).revision)
    inside(clinic, clinic.amend)
    typed = {
        "VS/1/HEIGHT": "171.0",
        "VS/1/WEIGHT": "63.0",
        "VS/1/VSPULSE": "77",
        "VS/1/VSCOM": "new words",
        "VS/1/FEVER": "N",
    }
    sent = {"csrf_token": token, "_revision": str(revision), "_reason": "misread", **typed}
    answer = alice.client.post(address, data=sent)
    assert answer.status_code == 409
    assert all(value in answer.text for value in ("171.0", "63.0", "77", "tired"))
    assert inside(clinic, lambda: clinic.form(subject).answers)["VS"]["1"]["HEIGHT"] == "165.0"
    assert alice.client.post(address, data=sent | {"VS/1/NONE": "1"}).status_code == 400


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_deviation_from_proposal_to_acknowledgement(clinic: Amended, language: str) -> None:
    subject = clinic.screen()
    clinic.store(subject, "FU1", "SV", {"SV": {"1": {"VISDAT": "2026-03-14"}}})
    (number,) = inside(clinic, lambda: [each.id for each in clinic.deviations(subject)])
    address = f"/deviations/{number}"
    alice, ines = clinic.sign_in("alice", language), clinic.sign_in("ines", language)
    assert address in alice.get("/deviations").text and f"{address}/record" in alice.get(address).text
    given = {"category": "VIS", "severity": "MIN", "term": "came early", "day": "2026-03-14"}
    assert alice.post(f"{address}/record", given | {"category": "NO"}, page=address).status_code == 422
    assert alice.post(f"{address}/record", given, page=address).status_code == 303
    assert alice.post(f"{address}/record", given, page=address).status_code == 409
    assert "/LOG/DV/1" in ines.get(address).text
    assert ines.post(f"{address}/acknowledge", {}, page=address).status_code == 303
    shown = alice.get("/deviations?status=acknowledged").text
    assert address in shown and ("Visit window" if language == "en" else "访视超窗") in shown
    listed = alice.get("/deviations/file?format=csv")
    assert listed.mimetype == "text/csv" and "acknowledged" in listed.text and "Visit window,Minor" in listed.text
    assert alice.get("/deviations/file?format=xlsx").data[:2] == b"PK"
    assert alice.get("/deviations/file?format=exe").status_code == 404
    assert clinic.sign_in("bob").get(address).status_code == 404
