"""Queries of checks: opened, closed and reopened by saves, one per place, check and row; on both databases."""

import pytest
from sqlalchemy import event, select

from models import Change, ChangeEntries, FormData, QueryMessage, clock, db, trail
from tests.asking import Asking
from tests.clinic import NOW
from tests.small_study import study
from workflows import check_queries


@pytest.fixture
def clinic(app, tmp_path):
    with clock.at(NOW):
        yield Asking(tmp_path, app)


def states(clinic: Asking, subject: int, check: str | None = None) -> list[tuple[str | None, str]]:
    return [(query.check_id, query.status) for query in clinic.queries(subject, check)]


@pytest.mark.req("DAT-12")
def test_a_soft_finding_opens_one_query_and_never_a_second(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    clinic.vital(subject, HEIGHT="195.0", WEIGHT="70.0")
    (query,) = clinic.queries(subject)
    assert (query.status, query.paths, query.raised_by) == ("open", ["VS/1/HEIGHT"], "system:check")
    assert (query.form_id, query.repeat, query.assignee, query.reason_code) == ("VS", 1, "nurse", "check")
    assert clinic.said(query) == [("opened", "system:check")]
    english, chinese = query.messages[0].text.split("\n")
    assert english and chinese and english != chinese


@pytest.mark.req("DAT-12")
def test_it_closes_by_itself_and_the_same_row_reopens(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    clinic.vital(subject, HEIGHT="170.0")
    (query,) = clinic.queries(subject)
    assert (query.status, query.changed_data, query.closed_at) == ("closed", True, NOW)
    clinic.vital(subject, HEIGHT="196.0")
    (query,) = clinic.queries(subject)
    assert (query.status, query.reopened, query.closed_at) == ("open", 1, None)
    assert clinic.said(query) == [(act, "system:check") for act in ("opened", "closed", "reopened")]


def test_an_accepted_value_is_not_asked_about_twice_but_another_one_is(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    (query,) = clinic.queries(subject)
    clinic.do("alice", query.id, "answer", "Measured twice, true.")
    clinic.do("mona", query.id, "close")
    clinic.vital(subject, HEIGHT="195.0", WEIGHT="70.0")
    assert states(clinic, subject) == [(query.check_id, "closed")]
    clinic.vital(subject, HEIGHT="198.0", WEIGHT="70.0")
    assert states(clinic, subject) == [(query.check_id, "open")]


def test_an_accepted_finding_is_asked_about_again_after_it_passed_in_between(clinic) -> None:
    """Another form's change makes it pass and fail again; no answer of its own changes."""
    subject = clinic.screen()
    clinic.vital(subject, VSDAT="2026-03-05")
    (query,) = clinic.queries(subject, "X01")
    clinic.do("mona", query.id, "close", "")
    for day, status in (("2026-03-04", "closed"), ("2026-03-10", "open")):
        clinic.store(subject, "SCR", "ICF", {"ICF": {"1": {"CONSDAT": day}}}, reason="wrong day")
        assert states(clinic, subject, "X01") == [("X01", status)]


def test_a_protected_value_saved_with_a_reason_asks_the_investigator(clinic) -> None:
    subject = clinic.screen()
    answers = {"VS": {"1": {"HEIGHT": "225.0", "WEIGHT": "60.0", "FEVER": "N"}}}
    (check,) = [each.id for each in study().items["HEIGHT"].checks if each.severity == "protected"]
    clinic.store(subject, "SCR", "VS", answers, name="ines", overrides={check: "Marfan syndrome"})
    protected = [query for query in clinic.queries(subject) if query.reason_code == "protocol"]
    assert [(query.assignee, query.status) for query in protected] == [("investigator", "open")]
    assert all("Marfan syndrome" in line for line in protected[0].messages[0].text.split("\n"))


def test_a_cross_check_opens_a_query_at_the_other_form_that_spans_items(clinic) -> None:
    """The consent is corrected; the vital signs now lie before it."""
    subject = clinic.screen()
    clinic.vital(subject, VSDAT="2026-03-10")
    assert states(clinic, subject) == []
    clinic.store(subject, "SCR", "ICF", {"ICF": {"1": {"CONSDAT": "2026-03-12"}}}, reason="wrong day")
    (query,) = clinic.queries(subject)
    assert (query.check_id, query.form_id, query.paths) == ("X01", "VS", ["VS/1/VSDAT", "VS/1/WEIGHT"])
    clinic.store(subject, "SCR", "ICF", {"ICF": {"1": {"CONSDAT": "2026-03-09"}}}, reason="wrong day")
    assert states(clinic, subject) == [("X01", "closed")]


def test_each_row_has_its_own_query(clinic) -> None:
    subject = clinic.screen()
    rows = {"1": {"AEGDAT": "2026-03-01", "AEGGR": "1"}, "2": {"AEGDAT": "2026-03-02", "AEGGR": "2"}}
    document = {"AE": {"1": {"AETERM": "10061103"}}, "AEG": rows}
    clinic.store(subject, "LOG", "AE", document, repeat=None)
    assert states(clinic, subject) == [("X02", "open"), ("X02", "open")]
    rows["2"]["AEGDAT"] = "2026-03-11"
    clinic.store(subject, "LOG", "AE", document, reason="mistyped")
    found = {query.paths[0]: (query.status, query.changed_data) for query in clinic.queries(subject)}
    assert found == {"AEG/1/AEGDAT": ("open", False), "AEG/2/AEGDAT": ("closed", True)}


@pytest.mark.req("DAT-04")
def test_nothing_fires_on_a_hidden_item_and_hiding_one_closes_its_query(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, FEVER="Y", TEMP="20.0")
    assert states(clinic, subject) == [("X03", "open")]
    clinic.vital(subject, FEVER="N", TEMP="20.0")
    assert states(clinic, subject) == [("X03", "closed")]


def test_a_form_in_error_cancels_what_checks_asked_and_tells_people_once(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    mine = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/WEIGHT"])
    clinic.error(subject, "SCR", "VS")
    by_check, personal = clinic.queries(subject)
    assert (by_check.status, personal.status, personal.id) == ("cancelled", "open", mine)
    assert clinic.said(by_check)[-1] == ("cancelled", "system:check")
    assert clinic.said(personal) == [("opened", "Mona Liu"), ("commented", "system:check")]
    clinic.store(subject, "SCR", "ICF", {"ICF": {"1": {"CONSDAT": "2026-03-12"}}}, reason="wrong day")
    assert len(clinic.said(clinic.queries(subject)[1])) == 2


ASKED = [
    (("SCR", "VS", 1, ["VS/1/WEIGHT"]), True),
    (("SCR", "VS", 1, ["VS/1"]), True),
    (("SCR", "VS", 1), True),
    (("SCR",), True),
    ((), True),
    (("SCR", "VS", 1, ["VS/1/HEIGHT"]), False),
    (("FU1",), False),
    (("SCR", "ICF", 1), False),
]


@pytest.mark.req("DAT-12")
def test_a_persons_query_notes_that_its_data_changed(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject)
    for place, _changes in ASKED:
        clinic.ask("mona", subject, *place)
    clinic.vital(subject, WEIGHT="61.0")
    assert [query.changed_data for query in clinic.queries(subject)] == [changes for _place, changes in ASKED]


def linked(clinic: Asking) -> list[list[int] | None]:
    """The queries that each correction of vital signs names in the trail, oldest first."""
    db.session.rollback()
    selection = select(ChangeEntries.detail).join(Change, Change.id == ChangeEntries.change_id)
    found = db.session.scalars(selection.where(ChangeEntries.reason == "mistyped").order_by(Change.id))
    return [(detail or {}).get("queries") for detail in found]


@pytest.mark.req("DAT-12")
def test_every_correction_names_the_queries_it_answers(clinic) -> None:
    """The ids stand in the trail of each change, not of the first alone; a closed query is not among them."""
    subject = clinic.screen()
    clinic.vital(subject)
    about, other = (clinic.ask("mona", subject, "SCR", "VS", 1, [f"VS/1/{item}"]) for item in ("WEIGHT", "HEIGHT"))
    whole = clinic.ask("dora", subject, "SCR", "VS", 1)
    clinic.vital(subject, WEIGHT="61.0")
    clinic.vital(subject, WEIGHT="62.0")
    clinic.do("dora", whole, "close")
    clinic.vital(subject, WEIGHT="63.0", HEIGHT="166.0")
    clinic.vital(subject, WEIGHT="63.0", HEIGHT="166.0", VSCOM="seated")
    assert linked(clinic) == [None, [about, whole], [about, whole], [about, other], None]
    assert trail.verify_all() == [], "what a change names is bound by its hash"


@pytest.mark.req("DAT-12")
def test_a_correction_that_closes_the_query_of_a_check_names_it(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    (query,) = clinic.queries(subject)
    clinic.vital(subject, HEIGHT="170.0")
    assert clinic.queries(subject)[0].status == "closed"
    assert linked(clinic) == [None, [query.id]]


@pytest.mark.req("DAT-12")
def test_a_change_after_closing_is_no_yield(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject)
    clinic.do("mona", clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/WEIGHT"]), "close")
    clinic.vital(subject, WEIGHT="61.0")
    assert clinic.queries(subject)[0].changed_data is False


@pytest.mark.req("AUD-14")
def test_the_trail_names_the_system_although_the_nurse_saved(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    entries = db.session.scalars(select(ChangeEntries).order_by(ChangeEntries.change_id.desc())).first().entries
    ours = [entry for entry in entries if entry["path"].startswith(("query/", "query_message/"))]
    assert ours and all(entry.get("source") == "system:derivation" for entry in ours)
    typed = [entry for entry in entries if entry["path"].endswith("/HEIGHT")]
    assert typed and not any(entry.get("source") for entry in typed)
    assert {message.by_id for message in db.session.scalars(select(QueryMessage))} == {None}


def test_a_save_reads_the_queries_with_one_statement(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0", VSDAT="2026-03-05")
    seen: list[str] = []

    def note(conn, cursor, statement, *_rest) -> None:
        plain = " ".join(statement.replace('"', "").split())  # SQLite has a keyword QUERY
        if " FROM query WHERE" in plain:
            seen.append(plain)

    with clinic.app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        clinic.vital(subject, HEIGHT="195.0", VSDAT="2026-03-05", WEIGHT="64.0")
        event.remove(db.engine, "before_cursor_execute", note)
    reading = [each for each in seen if "query.subject_id = " in each]
    by_the_trail = [each for each in seen if "query.id IN" in each or "query.id = " in each]
    assert (len(reading), len(by_the_trail), len(seen)) == (1, 1, 2)


def test_a_key_names_the_place_the_check_and_the_rows() -> None:
    data = FormData(study_event_id=7, form_id="LB", repeat=2)
    found = {"check": "LB1", "paths": ["LBHEAD/1/LBPAN", "LBROWS/WBC/LBORRES", "LBROWS/WBC/LBCS"]}
    assert check_queries.key_of(data, found) == "7/LB/2/LB1/LBHEAD/1+LBROWS/WBC"
