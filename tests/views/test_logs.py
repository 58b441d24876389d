"""Nothing that a person typed is in the log, whatever happens to it (SEC-43, PRV-08)."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.clinic import Browser, Clinic
from workflows import entering

CANARY = "kanarienvogel"


@pytest.mark.req("SEC-43", "PRV-08")
def test_a_canary_in_every_field_is_in_no_line_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clinic = Clinic(tmp_path)
    subject = clinic.screen()
    form = f"/participants/{subject}/SCR/VS/1"
    typed = {"VS/1/HEIGHT": f"{CANARY} 165", "VS/1/VSCOM": CANARY, "_revision": "", "_reason": CANARY}
    caplog.set_level(logging.DEBUG)
    alice, otto = clinic.sign_in("alice"), clinic.sign_in("otto")
    stranger = Browser(clinic.app.test_client())
    for _ in range(7):
        stranger.post("/sign-in", {"username": CANARY, "password": f"{CANARY} as password"})
    alice.get("/participants", query_string={"q": CANARY})
    alice.get(f"/participants/{CANARY}", headers={"Referer": f"http://localhost/{CANARY}", "User-Agent": CANARY})
    alice.get(f"{form}/terms", query_string={"dictionary": CANARY, "q": CANARY})
    for step in ("", "/check", "/draft"):
        alice.post(form + step, typed, page=form)
    alice.post(form, {**typed, "VS/1/HEIGHT": "165.0", CANARY: CANARY})
    for _ in range(4):
        alice.get("/users", query_string={"q": CANARY})
    otto.post("/users/new", {"username": CANARY, "full_name": CANARY, "language": "en"})
    otto.post("/users/1/deactivate", {"reason": CANARY}, page="/users/1")

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(entering, "save_form", fail)
    monkeypatch.setattr(clinic.app, "testing", False)
    monkeypatch.setitem(clinic.app.config, "PROPAGATE_EXCEPTIONS", False)
    bob = clinic.sign_in("bob")
    theirs = f"/participants/{clinic.screen('bob', consent=None)}/SCR/VS/1"
    assert bob.post(theirs, {"VS/1/VSCOM": CANARY, "_revision": ""}).status_code == 500
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("evidentia")]
    assert len(lines) > 30 and any("security alert" in line for line in lines)
    assert CANARY not in caplog.text
