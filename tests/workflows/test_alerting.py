"""Unauthorised attempts are noticed at once, and telling of them breaks nothing (ACC-10)."""

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from models import SecurityEvent, clock, db
from tests.clinic import NOW, PASSWORD, Browser, Clinic
from workflows import alerting, mailing
from workflows.mailing import MailServer
from workflows.refusals import Forbidden


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


class Postbox(socketserver.ThreadingTCPServer):
    """A mail server that accepts every mail and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.arrived = threading.Event()
        super().__init__(("127.0.0.1", 0), Talk)


class Talk(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a sender needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = list(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(b"".join(lines).decode())  # type: ignore[attr-defined]
                self.server.arrived.set()  # type: ignore[attr-defined]
            self.wfile.write(b"250 ok\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with Postbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def mail_to(clinic: Clinic, port: int) -> None:
    server = MailServer("127.0.0.1", "edc@hospital.example", "it@hospital.example", port, starttls=False)
    clinic.app.config["SETTINGS"] = replace(clinic.app.config["SETTINGS"], mail=server)


def attempt(clinic: Clinic, name: str = "alice", password: str = "wrong wrong wrong") -> Any:
    return Browser(clinic.app.test_client()).post("/sign-in", {"username": name, "password": password})


def alerts(clinic: Clinic) -> list[tuple[str, str]]:
    with clinic.app.app_context():
        return [(alert.kind, alert.who) for alert in alerting.alerts(clinic.user("otto"))]


@pytest.mark.req("ACC-10")
def test_the_sixth_bad_sign_in_makes_one_alert(clinic: Clinic) -> None:
    for _ in range(5):
        attempt(clinic)
    assert alerts(clinic) == []
    for _ in range(3):
        attempt(clinic)
    assert alerts(clinic) == [("sign-in-paused", "Alice Zhao")]


@pytest.mark.req("ACC-10", "AUD-10")
def test_an_unknown_name_is_alerted_by_its_address_and_not_kept(clinic: Clinic) -> None:
    for _ in range(6):
        attempt(clinic, "my secret typed as name")
    assert alerts(clinic) == [("sign-in-paused", "")]
    with clinic.app.app_context():
        event = db.session.scalars(select(SecurityEvent)).one()
        assert (event.about, event.address) == ("address/127.0.0.1", "127.0.0.1")


@pytest.mark.req("ACC-10", "SEC-18")
def test_three_refused_actions_make_one_alert(clinic: Clinic) -> None:
    alice = clinic.sign_in("alice")
    for _ in range(2):
        assert alice.get("/users").status_code == 403
    assert alerts(clinic) == []
    for _ in range(2):
        alice.get("/exports")
    assert alerts(clinic) == [("access-refused", "Alice Zhao")]


@pytest.mark.req("ACC-10")
def test_what_lies_a_quarter_of_an_hour_apart_does_not_add_up_and_a_new_row_alerts_again(clinic: Clinic) -> None:
    for minutes in (0, 8, 16, 24):
        with clock.at(NOW + timedelta(minutes=minutes)):
            clinic.sign_in("alice").get("/users")
    assert alerts(clinic) == []
    for minutes in (60, 61, 62, 63, 90, 91, 92):
        with clock.at(NOW + timedelta(minutes=minutes)):
            clinic.sign_in("alice").get("/users")
    assert len(alerts(clinic)) == 2


@pytest.mark.req("ACC-10", "SEC-19")
def test_trying_numbers_of_others_is_noticed_and_typing_errors_are_not(clinic: Clinic) -> None:
    alice = clinic.sign_in("alice")
    for number in range(12):
        alice.get(f"/no-such-page-{number}")
    assert alerts(clinic) == []
    for number in range(10):
        assert alice.get(f"/participants/{9000 + number}").status_code == 404
    assert alerts(clinic) == [("not-found", "Alice Zhao")]


@pytest.mark.req("ACC-10", "SEC-50")
def test_the_security_contact_gets_a_mail_without_personal_data(clinic: Clinic, postbox: Postbox) -> None:
    mail_to(clinic, postbox.server_address[1])
    for _ in range(6):
        attempt(clinic)
    assert postbox.arrived.wait(60)
    (mail,) = postbox.mails
    assert "To: it@hospital.example" in mail and "Subject: Security alert 1" in mail
    for leak in ("alice", "Alice", "127.0.0.1", "wrong"):
        assert leak not in mail


@pytest.mark.req("ACC-10")
def test_a_mail_server_that_does_not_answer_breaks_nothing(clinic: Clinic, caplog: pytest.LogCaptureFixture) -> None:
    mail_to(clinic, 1)
    for _ in range(6):
        answer = attempt(clinic)
    assert answer.status_code == 429
    for thread in threading.enumerate():
        if thread.name == "mail":
            thread.join(30)
    assert "mail not sent: ConnectionRefusedError" in caplog.text
    assert alerts(clinic) == [("sign-in-paused", "Alice Zhao")]


@pytest.mark.req("ACC-10")
def test_a_register_that_cannot_be_written_breaks_nothing(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("INSERT", {}, Exception("locked"))

    alice = clinic.sign_in("alice")
    monkeypatch.setattr(alerting, "_store", fail)
    answer = alice.get("/users")
    assert answer.status_code == 403 and "Not allowed" in answer.text


@pytest.mark.req("ACC-10", "ACC-01")
def test_only_administrators_read_the_register(clinic: Clinic) -> None:
    for _ in range(6):
        attempt(clinic)
    page = clinic.sign_in("otto").get("/users/alerts").text
    assert "Sign-in paused" in page and "Alice Zhao" in page and "No mail server is set" in page
    assert "登录失败次数过多" in clinic.sign_in("otto", "zh").get("/users/alerts").text
    assert clinic.sign_in("mona").get("/users/alerts").status_code == 403
    with clinic.app.app_context(), pytest.raises(Forbidden):
        alerting.alerts(clinic.user("mona"))


@pytest.mark.req("ACC-10")
def test_events_that_became_no_alert_are_forgotten_and_alerts_stay(clinic: Clinic) -> None:
    with clock.at(NOW), clinic.app.app_context():
        alerting.note("access-refused", "app_user/1", "192.0.2.1")
        alerting.note("sign-in-paused", "app_user/1", "192.0.2.1")
    with clock.at(NOW + timedelta(days=3)), clinic.app.app_context():
        alerting.note("access-refused", "app_user/2", "192.0.2.1")
        assert [event.kind for event in db.session.scalars(select(SecurityEvent).order_by(SecurityEvent.id))] == [
            "sign-in-paused",
            "access-refused",
        ]


@pytest.mark.req("SEC-50")
@pytest.mark.parametrize("subject", ["Alert\nBcc: all@example.org", "Alert\r\nX: y"])
def test_a_header_cannot_be_smuggled_in(subject: str) -> None:
    with pytest.raises(ValueError):
        mailing.compose(MailServer("h", "a@b", "c@d"), subject, "text")


@pytest.mark.req("ACC-10")
def test_right_after_an_alert_the_person_keeps_the_session_she_has(clinic: Clinic) -> None:
    """An attacker's failures cost the owner no open session (SEC-05)."""
    browser = clinic.sign_in("alice")
    for _ in range(7):
        attempt(clinic)
    assert attempt(clinic, password=PASSWORD).status_code == 429
    assert browser.get("/participants").status_code == 200


@pytest.mark.req("ACC-10", "AUD-04", "SEC-41")
def test_a_trail_that_cannot_be_written_makes_an_alert(clinic: Clinic) -> None:
    with clinic.app.app_context(), db.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_authorizer(None)
        (name,) = driver.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' LIMIT 1").fetchone()
        driver.execute(f"DROP TRIGGER {name}")
    client = clinic.app.test_client()
    assert [client.get("/healthz").status_code for _ in range(2)] == [503, 503]
    with clinic.app.app_context():
        found = db.session.scalars(select(SecurityEvent)).all()
        assert [(event.kind, event.is_alert) for event in found] == [("trail-unavailable", True)]
