"""The pages of a monitor: what is left, a visit beside its values, plans, monitoring visits, reviews of the trail."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from models import FormData, MonitoringVisit, Review, SdvPlan, TrailReview, db
from models.change import Change, System
from tests.clinic import Browser, Clinic

LOOK = {"site": "01", "since": "2026-01-01", "until": "2027-12-31", "night_from": "22:00", "night_to": "06:00",
        "most_changes": "3"}  # fmt: skip
VITALS = {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N"}


class Ward:
    """A participant with a form, her visit's page and the monitor's browser."""

    def __init__(self, folder: Path) -> None:
        self.clinic = Clinic(folder)
        self.subject = self.clinic.screen("alice")
        self.clinic.store(self.subject, "SCR", "VS", {"VS": {"1": VITALS}})
        self.mona = self.clinic.sign_in("mona")
        self.page = f"/verification/{self.subject}/SCR"

    def marks(self) -> set[str]:
        with self.clinic.app.app_context():
            found: set[str] = set()
            for review in db.session.scalars(select(Review)):
                found |= {item for rows in review.verified.values() for cells in rows.values() for item in cells}
            return found

    def shown(self, browser: Browser | None = None) -> list[str]:
        page = (browser or self.mona).get(self.page).text.partition('id="take-back"')[0]
        return [unescape(text) for text in re.findall(r'name="shown" value="([^"]*)"', page)]

    def post(self, **data: Any) -> Any:
        return self.mona.post(self.page, data, follow_redirects=True)


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path)


@pytest.mark.req("DAT-11")
def test_a_visit_is_verified_at_a_stroke(ward: Ward) -> None:
    start = ward.mona.get("/verification").text
    assert f'href="{ward.page}">Screening <b>4</b>' in start
    page = ward.mona.get(ward.page).text
    assert "Verify all 4 items shown" in page and "165.0 cm" in page and "Body mass index" not in page
    assert re.search(r'href="/participants/\d+/queries/new\?event=SCR&amp;form=VS&amp;repeat=1&amp;path=VS', page)
    answer = ward.post(do="all", shown=ward.shown())
    assert "4 items verified." in answer.text and "Verify all" not in answer.text
    assert ward.marks() == {"CONSDAT", *VITALS}
    assert "nothing left" in ward.mona.get("/verification").text
    assert "Nothing is left to verify" in unescape(ward.post(do="all", shown=ward.shown()).text)


def test_what_is_ticked_is_verified_and_taken_back(ward: Ward) -> None:
    shown = ward.shown()
    form = shown[1].split(" ")[0]
    ward.post(do="ticked", shown=shown, item=[f"{form} VS/1/HEIGHT", f"{form} VS/1/FEVER"])
    assert ward.marks() == {"HEIGHT", "FEVER"}
    refused = ward.post(do="withdraw", shown=ward.shown(), marked=[f"{form} VS/1/FEVER"], reason="")
    assert "Give a reason" in refused.text and ward.marks() == {"HEIGHT", "FEVER"}
    ward.post(do="withdraw", shown=ward.shown(), marked=[f"{form} VS/1/FEVER"], reason="wrong sheet")
    assert ward.marks() == {"HEIGHT"}


@pytest.mark.req("DAT-11")
def test_a_form_that_changed_since_it_was_shown_is_left_out_with_a_sentence(ward: Ward) -> None:
    shown = ward.shown()
    ward.clinic.store(ward.subject, "SCR", "VS", {"VS": {"1": {**VITALS, "WEIGHT": "61.0"}}}, reason="misread")
    answer = unescape(ward.post(do="all", shown=shown).text)
    assert "1 item verified." in answer
    assert "Left out: Vital signs. Alice Zhao changed this form since it was shown" in answer
    assert ward.marks() == {"CONSDAT"}


@pytest.mark.parametrize(
    "data",
    [{}, {"do": "all"}, {"do": "all", "shown": "x"}, {"do": "all", "shown": "1 1 nonsense"}, {"do": "all", "shown": "9" * 30},
     {"do": "withdraw", "shown": "1 1", "marked": "1 A/1/B", "reason": "words"}, {"do": "ticked", "item": "1 VS/1/HEIGHT"},
     {"do": "all", "shown": "1 1 ICF/1/NOPE"}, {"do": "all", "shown": "1 1 VS/1/HEIGHT/x"}],
)  # fmt: skip
def test_nonsense_marks_nothing_and_breaks_nothing(ward: Ward, data: dict[str, str]) -> None:
    assert ward.mona.post(ward.page, data).status_code == 303
    assert ward.marks() == set()
    elsewhere = ward.mona.post(ward.page, {"do": "all", "shown": "987654 1 VS/1/HEIGHT"})
    assert elsewhere.status_code == 303 and ward.marks() == set()


def test_the_form_page_shows_the_marks_to_everyone_and_the_button_to_monitors(ward: Ward) -> None:
    form = f"/participants/{ward.subject}/SCR/VS/1"
    page = ward.mona.get(form).text
    assert "0 of 3 items that the plan asks for are verified." in page and "Verify 3 items of this form" in page
    shown = re.findall(r'name="shown" value="([^"]*)"', page)
    answer = ward.mona.post(ward.page, {"do": "all", "shown": shown, "back": form})
    assert (answer.status_code, answer.location) == (303, form)
    alice = ward.clinic.sign_in("alice").get(form).text
    assert "3 of 3 items that the plan asks for are verified." in alice and "Height · 165.0 cm · Mona Liu" in alice
    assert "of this form</button>" not in alice
    away = ward.mona.post(ward.page, {"do": "all", "shown": shown, "back": "https://elsewhere.example/"})
    assert away.location == ward.page


def test_the_workspace_costs_the_same_for_one_and_for_many(ward: Ward) -> None:
    def statements() -> int:
        read: list[str] = []
        with ward.clinic.app.app_context():
            engine = db.engine

        def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            read.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            assert ward.mona.get("/verification").status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(read)

    ward.mona.get("/verification")
    few = statements()
    for _ in range(6):
        ward.clinic.store(ward.clinic.screen("alice"), "SCR", "VS", {"VS": {"1": VITALS}})
    assert statements() == few


def test_a_plan_is_added_and_its_progress_shown(ward: Ward) -> None:
    dora = ward.clinic.sign_in("dora")
    given = {"site": "01", "from_date": "2026-01-01", "scope": "all", "percent": "100", "exempt": "FEVER, WEIGHT",
             "reason": "agreed in March"}  # fmt: skip
    page = dora.post("/verification/plans", given, follow_redirects=True).text
    assert "0 / 2 · 0 %" in page and '<code class="small">FEVER</code>' in page
    with ward.clinic.app.app_context():
        assert db.session.scalars(select(SdvPlan)).one().exempt == ["FEVER", "WEIGHT"]
    assert "Verify all 2 items shown" in ward.mona.get(ward.page).text
    ward.post(do="all", shown=ward.shown())
    assert ward.marks() == {"CONSDAT", "HEIGHT"}
    assert "2 / 2 · 100 %" in ward.mona.get("/verification/plans").text
    for wrong in (
        {"percent": "120"},
        {"from_date": "soon"},
        {"exempt": "NOPE"},
        {"reason": ""},
        {"scope": "critical", "percent": "5"},
    ):
        assert dora.post("/verification/plans", {**given, **wrong}).status_code == 422
    assert ward.mona.client.post("/verification/plans").status_code == 403


def test_a_monitoring_day(ward: Ward) -> None:
    """Open, verify inside, write, finish; the report reads the same for the nurse, in both languages, and stays."""
    opened = ward.mona.post("/monitoring", {"site": "01", "kind": "on_site", "starts_on": "2026-03-16"})
    assert "belongs to your open monitoring visit" in ward.mona.get(ward.page).text
    ward.post(do="all", shown=ward.shown())
    assert "4 items" in ward.mona.get(opened.location).text
    words = {"present": "Alice Zhao", "summary": "Consent seen <b>", "actions": "", "ends_on": "2026-03-17"}
    early = ward.mona.post(opened.location, {**words, "summary": "", "do": "finish"})
    assert early.status_code == 422 and "Write who was present" in early.text
    assert ward.mona.post(opened.location, {**words, "do": "note"}).status_code == 303
    assert ward.mona.post(opened.location, {**words, "do": "finish"}).status_code == 303
    again = ward.mona.post(opened.location, {**words, "do": "finish"}, page="/monitoring")
    assert again.status_code == 409 and "no longer changes" in again.text
    english = ward.clinic.sign_in("alice").get(opened.location).text
    chinese = ward.clinic.sign_in("ines", "zh").get(opened.location).text
    assert "Consent seen &lt;b&gt;" in english and "4 items" in english and "Vital signs" in english
    assert "监查访视报告" in chinese and "4项" in chinese and "生命体征" in chinese
    assert "Finish the visit" not in english
    assert ward.clinic.sign_in("bob").get(opened.location).status_code == 404
    with ward.clinic.app.app_context():
        assert db.session.scalars(select(MonitoringVisit)).one().report["verified"]["items"] == 4


@pytest.mark.req("AUD-12")
def test_a_review_of_the_trail_is_signed_off(ward: Ward) -> None:
    ward.post(do="all", shown=ward.shown())
    ward.clinic.store(ward.subject, "SCR", "VS", {"VS": {"1": {**VITALS, "WEIGHT": "61.0"}}}, reason="misread")
    page = ward.mona.get("/trail-reviews", query_string=LOOK).text
    section = page.partition("Changed after verification")[2].partition("Changed after signature")[0]
    assert "Alice Zhao" in section and "Weight" in section and "/SCR/VS/1/history" in section
    shown = re.search(r'name="shown" value="(\w+)"', page)
    assert shown
    short = ward.mona.post("/trail-reviews", {**LOOK, "shown": shown[1], "outcome": "x"}, page="/verification/plans")
    assert short.status_code == 422
    done = ward.mona.post("/trail-reviews", {**LOOK, "shown": shown[1], "outcome": "Explained."}, follow_redirects=True)
    assert "Explained." in done.text and "22:00-06:00" in done.text
    with ward.clinic.app.app_context():
        review = db.session.scalars(select(TrailReview)).one()
        assert (review.reviewer_name, len(review.found["verification"])) == ("Mona Liu", 1)
    assert "Explained." in ward.clinic.sign_in("ines").get("/trail-reviews").text
    assert "Explained." not in ward.clinic.sign_in("bob").get("/trail-reviews").text


@pytest.mark.parametrize("wrong", [{"since": "x"}, {"night_from": "25:00"}, {"most_changes": "0"}, {"since": "2028-01-01"},
                                   {"since": "2000-01-01"}])  # fmt: skip
def test_a_look_that_cannot_be_is_refused_on_the_page(ward: Ward, wrong: dict[str, str]) -> None:
    assert ward.mona.get("/trail-reviews", query_string=LOOK | wrong).status_code == 422
    assert ward.mona.get("/trail-reviews", query_string=LOOK | {"site": "99"}).status_code == 404


def test_a_locked_form_is_shown_and_not_offered(ward: Ward) -> None:
    with ward.clinic.app.app_context(), Change(by=System("tests"), action="lock", chain="small"):
        db.session.scalars(select(FormData).where(FormData.form_id == "VS")).one().protection = "locked"
    page = ward.mona.get(ward.page).text
    assert "165.0 cm" in page and "Verify 1 item shown" in page and page.count(" disabled>") == 3
    assert [text.split(" ")[2:] for text in ward.shown()] == [["ICF/1/CONSDAT"]]
    assert "of this form</button>" not in ward.mona.get(f"/participants/{ward.subject}/SCR/VS/1").text
