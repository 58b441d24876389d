"""Every address that accepts anything but GET leaves exactly the changes declared here (AUD-01).

A new address without a line in `DONE` or `NO_DATA` fails the first test: say what it must leave in the trail.
"""

import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from models import Change, ChangeEntries, Deviation, FormData, Grant, Query, Subject, db
from models.change import System
from tests.amended import Amended
from tests.clinic import PASSWORD, Browser, Clinic
from tests.pictures import png

NEW = "violet tractor under 3 snows"
VS = {"VS/1/HEIGHT": "165.0", "VS/1/WEIGHT": "60.5", "VS/1/FEVER": "N"}


class Scene:
    """A clinic, a participant with one saved form, and who does it."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.subject = clinic.screen("alice")
        self.here = f"/participants/{self.subject}"
        clinic.store(self.subject, "SCR", "VS", {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": "60.0"}}})
        with clinic.app.app_context():
            self.bob = clinic.user("bob").id
            self.grant = db.session.scalars(select(Grant.id).where(Grant.user_id == self.bob)).one()

        clinic.store(self.subject, "FU1", "SV", {"SV": {"1": {"VISDAT": "2026-03-14"}}})
        with clinic.app.app_context():
            self.deviation = f"/deviations/{db.session.scalars(select(Deviation.id)).one()}"
            clinic.publish_second()  # type: ignore[attr-defined]

    def settle(self, name: str, step: str, **given: str) -> Any:
        return self.by(name).post(f"{self.deviation}/{step}", given, page=self.deviation)

    def recorded(self) -> Any:
        given = {"category": "VIS", "severity": "MIN", "term": "came early", "day": "2026-03-14"}
        return self.settle("alice", "record", **given)

    def acknowledged(self) -> Any:
        self.recorded()
        return self.settle("ines", "acknowledge")

    def activated(self) -> Any:
        given = {"site": "01", "from_date": "2026-03-01", "approval": "EC 2026-7"}
        return self.by("dora").post("/study/amendments/2/activate", given, page="/study/amendments/2?site=01")

    def amended(self) -> Any:
        self.activated()
        dora, given = self.by("dora"), {"site": "01", "reason": "protocol amendment 1"}
        answer = dora.post("/study/amendments/2/run", given, page="/study/amendments/2?site=01")
        for _ in range(200):
            if "data-job=" not in dora.get("/study/amendments").text:
                break
            time.sleep(0.1)
        return answer

    def by(self, name: str) -> Browser:
        return self.clinic.sign_in(name)

    def account(self, step: str, **more: str) -> Any:
        page = f"/users/{self.bob}"
        return self.by("otto").post(f"{page}/{step}", {"reason": "left the ward", **more}, page=page)

    def correct(self) -> Any:
        data = {**VS, "VS/1/WEIGHT": "61.0", "_revision": "1", "_reason": "misread the scale"}
        return self.by("alice").post(f"{self.here}/SCR/VS/1", data)

    def printed(self) -> Any:
        ines = self.by("ines")
        answer = ines.post("/print", {"sites": "01"})
        for _ in range(200):
            if "/file" in ines.get("/print").text:
                break
            time.sleep(0.1)
        return answer

    def verified(self) -> Any:
        page = f"/verification/{self.subject}/SCR"
        with self.clinic.app.app_context():
            data = db.session.scalars(select(FormData).where(FormData.form_id == "VS")).one()
            shown = f"{data.id} {data.revision} VS/1/HEIGHT VS/1/WEIGHT"
        return self.by("mona").post(page, {"do": "all", "shown": shown})

    def visiting(self, finish: bool) -> Any:
        mona = self.by("mona")
        answer = mona.post("/monitoring", {"site": "01", "kind": "on_site", "starts_on": "2026-03-16"})
        if finish:
            words = {"do": "finish", "present": "Alice", "summary": "Seen.", "ends_on": "2026-03-17"}
            return mona.post(answer.location, words)
        return answer

    def delegated(self, end: bool) -> Any:
        ines = self.by("ines")
        with self.clinic.app.app_context():
            person = self.clinic.user("ines").id
        line = {"site": "01", "person": str(person), "task": ["sign"], "starts_on": "2026-03-01"}
        answer = ines.post("/delegation", line)
        ending = {"site": "01", "line": "1", "last_day": "2026-03-02", "reason": "left the ward"}
        return ines.post("/delegation/end", ending, page="/delegation") if end else answer

    def signed(self) -> Any:
        page = f"/signing/{self.subject}"
        ines = self.by("ines")
        shown = ines.get(page).text.partition('name="shown" value="')[2].partition('"')[0]
        words = {"meaning": "approve", "statement": "1", "username": "ines", "password": PASSWORD}
        return ines.post(page, {"shown": shown, **words})

    def protected(self, *steps: str) -> Any:
        """Freeze or lock the consent form; ask for unlocking; decide."""
        with self.clinic.app.app_context():
            form = db.session.scalars(select(FormData).where(FormData.form_id == "VS")).one().id
            if "unlock" in steps:
                with Change(by=System("tests"), action="lock", chain="small"):
                    db.session.get_one(FormData, form).protection = "locked"
        answer = None
        for step in steps:
            scope = {"kind": "form", "form": str(form)}
            more = {
                "apply": {**scope, "act": "freeze"},
                "items": {"form": str(form), "act": "freeze", "path": "VS/1/WEIGHT"},
                "unlock": {**scope, "reason": "late result"},
                "decide": {"request": "1", "decision": "confirm"},
            }[step]
            by = self.by("ines" if step == "decide" else "dora")
            answer = by.post(f"/protection/{step}", more, page="/protection")
        return answer

    def not_the_same(self) -> Any:
        """Dora says that a possible duplicate is another person."""
        with self.clinic.app.app_context(), Change(by=System("tests"), action="raise alert", chain="small"):
            subject = db.session.scalars(select(Subject).order_by(Subject.id)).first()
            subject.possible_duplicate, subject.person_key = True, "k"
        return self.by("dora").post(f"{self.here}/duplicate", {"reason": "asked both sites"}, page=self.here)

    def reviewed(self) -> Any:
        period = {"site": "01", "since": "2026-01-01", "until": "2026-01-02"}
        limits = {"night_from": "22:00", "night_to": "06:00", "most_changes": "3"}
        mona = self.by("mona")
        page = mona.get("/trail-reviews", query_string=period | limits).text
        shown = page.partition('name="shown" value="')[2].partition('"')[0]
        return mona.post("/trail-reviews", {**period, **limits, "shown": shown, "outcome": "Nothing found."})

    def asked(self, then: str = "") -> Any:
        """Mona asks about a form; then she closes it, or Alice answers it in the list."""
        words = {"event": "SCR", "form": "VS", "repeat": "1", "scope": "form", "text": "Please compare.", "to": "nurse"}
        page = f"{self.here}/queries/new"
        answer = self.by("mona").post(page, {**words, "reason_code": "other"})
        with self.clinic.app.app_context():
            query = db.session.scalars(select(Query.id).order_by(Query.id.desc())).first()
        if then == "act":
            return self.by("mona").post(f"/queries/{query}", {"do": "close", "text": "Seen.", "revision": "1"})
        if then == "bulk":
            ticked = {"query": f"{query}.1", "do": "answer", "text": "Compared."}
            return self.by("alice").post("/queries", ticked)
        return answer

    def reopened(self) -> Any:
        self.account("deactivate")
        return self.account("reactivate")


Deed = Callable[[Scene], Any]

# endpoint -> what is done there, and the actions that it leaves, in order, sign-ins left out
DONE: dict[str, tuple[Deed, list[str]]] = {
    "deviations.record": (lambda s: s.recorded(), ["record deviation"]),
    "deviations.dismiss": (lambda s: s.settle("alice", "dismiss", reason="allowed"), ["dismiss deviation"]),
    "deviations.acknowledge": (lambda s: s.acknowledged(), ["record deviation", "acknowledge deviation"]),
    "amendments.activate": (lambda s: s.activated(), ["activate version", "renew schedule"]),
    "amendments.run": (
        lambda s: s.amended(),
        ["activate version", "renew schedule", "start amendment", "amend", "finish amendment"],
    ),
    "signing_in.sign_out": (lambda s: s.by("alice").post("/sign-out", {}, page="/"), ["sign out"]),
    "signing_in.password": (
        lambda s: s.by("alice").post("/password", {"current": PASSWORD, "new": NEW, "again": NEW}),
        ["change password"],
    ),
    "security.end_others": (
        lambda s: s.by("alice").post("/sessions/end-others", {}, page="/sessions"),
        ["sign out elsewhere"],
    ),
    "participants.screen": (lambda s: s.by("alice").post("/participants/new", {"site": "01"}), ["screen"]),
    "participants.visits": (
        lambda s: s.by("alice").post(f"{s.here}/visits", {"do": "unscheduled"}, page=s.here),
        ["add visit"],
    ),
    "participants.dismiss_duplicate": (lambda s: s.not_the_same(), ["resolve duplicate"]),
    "forms.save": (lambda s: s.correct(), ["save form"]),
    "forms.mark_in_error": (
        lambda s: s.by("alice").post(
            f"{s.here}/SCR/VS/1/error", {"reason": "other patient", "_revision": "1"}, page=f"{s.here}/SCR/VS/1"
        ),
        ["mark in error"],
    ),
    "forms.mark_not_done": (
        lambda s: s.by("alice").post(f"{s.here}/SCR/PHO/1/not-done", {"missing": "ND"}, page=f"{s.here}/SCR/PHO/1"),
        ["mark not done"],
    ),
    "exports.make": (
        lambda s: s.by("dora").post("/exports", {"formats": ["csv"], "sites": ["01"], "reason": "interim"}),
        ["export"],
    ),
    "cuts.make": (
        lambda s: s.by("dora").post(
            "/exports/cuts",
            {"name": "c1", "as_of": datetime.now(UTC).isoformat(), "reason": "interim"},
        ),
        ["cut data"],
    ),
    "printing.start": (lambda s: s.printed(), ["print casebook"]),
    "verification.verify": (lambda s: s.verified(), ["verify"]),
    "verification.add_plan": (
        lambda s: s.by("dora").post(
            "/verification/plans",
            {"site": "01", "from_date": "2026-03-01", "scope": "all", "percent": "20", "reason": "risk"},
        ),
        ["plan verification"],
    ),
    "monitoring.open_visit": (lambda s: s.visiting(False), ["open monitoring visit"]),
    "monitoring.write": (lambda s: s.visiting(True), ["open monitoring visit", "finish monitoring visit"]),
    "delegation.delegate": (lambda s: s.delegated(False), ["delegate"]),
    "delegation.end": (lambda s: s.delegated(True), ["delegate", "end delegation"]),
    "signing.sign": (lambda s: s.signed(), ["sign"]),
    "protection.apply": (lambda s: s.protected("apply"), ["freeze"]),
    "protection.items": (lambda s: s.protected("items"), ["freeze items"]),
    "protection.unlock": (lambda s: s.protected("unlock"), ["ask to unlock"]),
    "protection.decide": (lambda s: s.protected("unlock", "decide"), ["ask to unlock", "confirm unlock"]),
    "queries.create": (lambda s: s.asked(), ["raise query"]),
    "queries.act": (lambda s: s.asked("act"), ["raise query", "close query"]),
    "queries.bulk": (lambda s: s.asked("bulk"), ["raise query", "answer query"]),
    "trail_reviews.sign_off": (lambda s: s.reviewed(), ["review trail"]),
    "users.new": (
        lambda s: s.by("otto").post("/users/new", {"username": "nina", "full_name": "Nina Hu", "language": "en"}),
        ["create user"],
    ),
    "users.add_grant": (lambda s: s.account("grants", role="nurse", site="01"), ["grant role"]),
    "users.end_grant": (lambda s: s.account(f"grants/{s.grant}/end"), ["end grant"]),
    "users.deactivate": (lambda s: s.account("deactivate"), ["deactivate user"]),
    "users.reactivate": (lambda s: s.reopened(), ["deactivate user", "reactivate user"]),
    "users.end_sessions": (lambda s: s.account("sessions/end"), ["end sessions"]),
    "users.reset_password": (lambda s: s.account("password"), ["reset password"]),
}

# Addresses that change no data, and why; sign-in and first administrator are shown in test_signing_in.
NO_DATA = {
    "outputs.make": "begins a job; the package it makes leaves `export outputs` (workflows/test_reporting.py)",
    "signing_in.sign_in": "leaves `sign in` or `sign in refused`",
    "signing_in.create_first_administrator": "only before anybody has an account",
    "signing_in.switch_language": "changes the session only",
    "signing_in.confirm": "changes the session only; a wrong password leaves `sign in refused`",
    "forms.check": "tells the verdict on what is typed",
    "forms.draft": "keeps what is typed for its author alone; becomes data when she saves (AUD-17)",
}
NEEDS_REASON = {"forms.save", "forms.mark_in_error", "exports.make", "cuts.make", "verification.add_plan"} | {
    name for name in DONE if name.startswith("users.") and name != "users.new"
}
REASONED = {
    "resolve duplicate",
    "dismiss deviation",
    "start amendment",
    "amend",
    "deactivate user",
    "end delegation",
    "ask to unlock",
}
OF_A_SITE = {"participants.screen", "participants.visits", "forms.save", "forms.mark_in_error", "forms.mark_not_done"}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Amended.in_folder(tmp_path)
    made.app.config["WTF_CSRF_ENABLED"] = True
    return Scene(made)


def after(scene: Scene, before: int) -> list[tuple[Change, ChangeEntries]]:
    selection = select(Change, ChangeEntries).join(ChangeEntries, ChangeEntries.change_id == Change.id)
    rows = db.session.execute(selection.where(Change.id > before).order_by(Change.id)).all()
    ours = [row for row in rows if not row[0].user_name.startswith("system:tests")]
    return [(change, body) for change, body in ours if change.action != "sign in"]


def last(scene: Scene) -> int:
    with scene.clinic.app.app_context():
        return db.session.scalar(select(func.max(Change.id))) or 0


@pytest.mark.req("AUD-01")
def test_every_address_that_writes_says_what_it_leaves(scene: Scene) -> None:
    rules = scene.clinic.app.url_map.iter_rules()
    writing = {rule.endpoint for rule in rules if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}}
    assert writing - set(DONE) - set(NO_DATA) == set(), "declare in DONE what these leave in the trail"
    assert (set(DONE) | set(NO_DATA)) - writing == set(), "these addresses are gone"


@pytest.mark.req("AUD-01", "AUD-11")
@pytest.mark.parametrize("endpoint", DONE)
def test_what_is_done_leaves_exactly_these_changes(scene: Scene, endpoint: str) -> None:
    deed, expected = DONE[endpoint]
    before = last(scene)
    answer = deed(scene)
    assert answer.status_code in (200, 303), answer.text
    with scene.clinic.app.app_context():
        found = after(scene, before)
        assert [change.action for change, _ in found] == expected
        for change, body in found:
            assert change.user_id is not None and change.user_name and change.at and change.about
            assert (body.reason is not None) is (endpoint in NEEDS_REASON or change.action in REASONED)
            if endpoint in OF_A_SITE:
                subject = db.session.get(Subject, change.subject_id) if change.subject_id else None
                assert change.role == "nurse" and change.site_id == scene.clinic.site("01").id
                assert subject is not None or endpoint == "participants.screen"


@pytest.mark.req("AUD-01", "AUD-03")
def test_a_correction_names_old_and_new(scene: Scene) -> None:
    before = last(scene)
    scene.correct()
    with scene.clinic.app.app_context():
        ((_, body),) = after(scene, before)
        entries = {entry["path"].split("/answers/")[-1]: (entry["old"], entry["new"]) for entry in body.entries}
        assert entries["VS/1/WEIGHT"] == ("60.0", "61.0")
        assert "VS/1/HEIGHT" not in entries
        assert body.reason == "misread the scale"


@pytest.mark.req("AUD-01")
def test_what_changes_no_data_leaves_nothing(scene: Scene) -> None:
    alice, form = scene.by("alice"), f"{scene.here}/SCR/VS/1"
    before = last(scene)
    alice.post("/language/zh", {}, page="/")
    alice.post("/confirm", {"password": PASSWORD})
    for step in ("check", "draft"):
        assert alice.post(f"{form}/{step}", {**VS, "_revision": "1"}, page=form).status_code == 200
    assert last(scene) == before


@pytest.mark.req("AUD-10", "PRV-06")
def test_looking_at_a_picture_is_recorded(scene: Scene) -> None:
    alice, form = scene.by("alice"), f"{scene.here}/SCR/PHO/1"
    alice.post(form, {"PHO/1/PHOF": (io.BytesIO(png(77)), "breast.png"), "_revision": ""})
    sha = scene.clinic.answers(scene.subject, "SCR", "PHO")["PHO"]["1"]["PHOF"]
    mona, before = scene.by("mona"), last(scene)
    assert mona.get(f"{form}/file/{sha}").data == png(77)
    assert mona.get(f"{form}/file/{'0' * 64}").status_code == 404
    with scene.clinic.app.app_context():
        ((change, body),) = after(scene, before)
        found = (change.action, change.user_name, change.role, change.subject_id, body.detail)
        assert found == ("view file", "mona", "monitor", scene.subject, {"sha256": sha})


@pytest.mark.req("AUD-06")
def test_nobody_sets_the_time_of_a_change(scene: Scene) -> None:
    """Forged headers and fields: what does not belong to the form is refused, and the server's clock counts."""
    alice, form = scene.by("alice"), f"{scene.here}/SCR/VS/1"
    before, forged = last(scene), {"Date": "Mon, 01 Jan 2001 00:00:00 GMT", "X-Timestamp": "2001-01-01T00:00:00Z"}
    typed = {**VS, "VS/1/WEIGHT": "61.0", "_revision": "1", "_reason": "misread the scale"}
    for name in ("at", "saved_at", "created_at", "VS/1/at"):
        assert alice.post(form, {**typed, name: "2001-01-01T00:00:00.000000Z"}, headers=forged).status_code in (
            400,
            422,
        )
    assert last(scene) == before
    assert alice.post(form, typed, headers=forged).status_code == 303
    with scene.clinic.app.app_context():
        ((change, _),) = after(scene, before)
        assert change.at.year > 2020
