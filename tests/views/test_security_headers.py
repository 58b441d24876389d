"""What every answer carries, and what requests are refused before they reach a view."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from app import create_app
from models import db
from models.change import TrailUnavailable
from settings import Settings
from tests.clinic import Browser, Clinic
from views import home


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return Clinic(tmp_path_factory.mktemp("headers"))


@pytest.fixture(scope="module")
def mona(clinic: Clinic) -> Browser:
    return clinic.sign_in("mona")


ANSWERS = [
    ("/sign-in", 303),
    ("/", 200),
    ("/nothing-here", 404),
    ("/users", 403),
    ("/healthz", 200),
    ("/trail", 200),
]


@pytest.mark.req("SEC-23", "SEC-24", "SEC-25")
@pytest.mark.parametrize(("address", "status"), ANSWERS)
def test_every_answer_closes_the_browsers_doors(mona: Browser, address: str, status: int) -> None:
    answer = mona.get(address)
    assert answer.status_code == status
    policy = answer.headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.req("SEC-23")
def test_the_nonce_is_new_each_time_and_on_every_script(mona: Browser) -> None:
    nonces = set()
    for _ in range(3):
        answer = mona.get("/")
        nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        assert nonce
        nonces.add(nonce[1])
        scripts = re.findall(r"<script[^>]*>", answer.text)
        assert scripts
        assert all(f'nonce="{nonce[1]}"' in script for script in scripts)
        assert " style=" not in answer.text
        assert not re.search(r"\son\w+=", answer.text)
    assert len(nonces) == 3


def production(tmp_path: Path) -> Flask:
    app = create_app(
        Settings(
            database_url=f"sqlite:///{tmp_path / 'study.db'}",
            secret_key="Zq8w-3kP0vR7t2Lm9xYc5bNf1aHj6dGu",
            instance_dir=tmp_path,
            trusted_hosts=("study.example",),
        )
    )
    with app.app_context():
        db.create_all()
    return app


@pytest.mark.req("SEC-24")
def test_hsts_in_production(tmp_path: Path) -> None:
    answer = production(tmp_path).test_client().get("/healthz", base_url="https://study.example")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_a_foreign_host_name_is_refused(tmp_path: Path) -> None:
    answer = production(tmp_path).test_client().get("/healthz", base_url="https://evil.example")
    assert answer.status_code == 400


@pytest.mark.req("SEC-40")
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT"])
def test_trace_is_off(mona: Browser, method: str) -> None:
    assert mona.client.open("/", method=method).status_code == 405


@pytest.mark.req("SEC-28")
def test_too_many_parts_or_bytes_are_refused_and_a_large_form_is_not(clinic: Clinic) -> None:
    client = clinic.app.test_client()
    many = {f"f{number}": "x" for number in range(10_000)}
    answer = client.post("/sign-in", data=many, content_type="multipart/form-data")
    assert answer.status_code == 413
    answer = client.post("/sign-in", data=b"x" * (17 * 1024 * 1024), content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    with clinic.app.test_request_context("/", method="POST", data={f"G/{n}/ITEM": "1" for n in range(1500)}) as context:
        assert len(context.request.form) == 1500


@pytest.mark.req("SEC-40", "SEC-43")
def test_an_unforeseen_error_shows_an_id_and_logs_no_value(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = clinic.sign_in("mona")

    def break_down(*_: Any) -> None:
        raise ValueError("canary-1988-07-06 in /srv/secret SELECT * FROM subject")

    monkeypatch.setattr(home.reminding, "visits_due", break_down)
    monkeypatch.setattr(clinic.app, "testing", False)
    monkeypatch.setitem(clinic.app.config, "PROPAGATE_EXCEPTIONS", False)
    with caplog.at_level(logging.INFO):
        answer = browser.get("/")
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.text
    assert answer.headers["X-Request-ID"] in caplog.text
    for leak in ("canary", "SELECT", "/srv", "Traceback", "ValueError"):
        assert leak not in answer.text
    assert "canary" not in caplog.text


@pytest.mark.req("SEC-41")
@pytest.mark.parametrize(
    "failure", [TrailUnavailable("IntegrityError"), OperationalError("INSERT", {}, Exception("locked"))]
)
def test_when_the_trail_cannot_be_written_what_was_typed_is_still_there(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    browser = clinic.sign_in("otto")

    def fail(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr("views.users.granting.create_user", fail)
    answer = browser.post("/users/new", {"username": "nina", "full_name": "Nina Hu", "language": "en"})
    assert answer.status_code == 503
    assert "Nina Hu" in answer.text
    assert "nothing was saved" in answer.text
    with clinic.app.app_context():
        assert "nina" not in [user.username for user in db.session.query(home.User)]


@pytest.mark.req("SEC-43", "PRV-08")
def test_the_request_log_holds_no_address_and_no_name(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="evidentia"):
        browser = clinic.sign_in("mona")
        browser.get("/trail?since=2026-01-01&about=canary")
    assert "/trail" in caplog.text
    for leak in ("canary", "2026-01-01", "Mona", "mona", "lanterns"):
        assert leak not in caplog.text.replace("test_", "")


@pytest.mark.req("SEC-51")
def test_no_script_keeps_anything_in_the_browser() -> None:
    for path in (Path(__file__).parents[2] / "static").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for store in ("localStorage.", "sessionStorage.", "indexedDB", "caches.open"):
            assert store not in text, path.name


@pytest.mark.req("SEC-22")
def test_templates_mark_nothing_as_safe_but_what_is_listed() -> None:
    """A line break of ours, and the charts, whose texts `exports.charts` escapes itself."""
    charts = {(f"{page}/index.html", "section.chart|safe") for page in ("analysis", "progress")}  # our own SVG
    allowed = {("users/index.html", '"<br>"|safe'), *charts}
    folder = Path(__file__).parents[2] / "templates"
    for path in folder.rglob("*.html"):
        text, name = path.read_text(encoding="utf-8"), str(path.relative_to(folder))
        uses = {(name, use) for use in re.findall(r'[\w."<>]+ *\| *safe', text)}
        assert uses <= allowed, name
        assert "autoescape false" not in text, name
