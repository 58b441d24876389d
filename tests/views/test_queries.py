"""Pages of queries: the list of each role, the conversation beside the form, many at once, raising, the figures."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, insert, select

from models import Query, QueryMessage, Subject, db
from models.clock import now
from tests.asking import Asking
from workflows import query_list, query_metrics


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    return Asking.in_folder(tmp_path_factory.mktemp("queries"))


@pytest.fixture
def subject(clinic):
    return clinic.screen()


def label(clinic: Asking, subject: int) -> str:
    with clinic.app.app_context():
        return db.session.get_one(Subject, subject).label


def read(clinic: Asking, query_id: int) -> Query:
    with clinic.app.app_context():
        query = db.session.get_one(Query, query_id)
        db.session.refresh(query, ["messages"])
        db.session.expunge_all()
        return query


def listed(browser, address: str) -> list[int]:
    return [int(number) for number in re.findall(r'name="query" value="(\d+)\.', browser.get(address).text)]


def test_each_role_opens_the_list_at_what_waits_for_it(clinic, subject) -> None:
    number = label(clinic, subject)
    opened, answered = (clinic.ask("mona", subject, "SCR", text=text) for text in ("Open one?", "Answered one?"))
    clinic.do("alice", answered, "answer")
    nurse, monitor = clinic.sign_in("alice"), clinic.sign_in("mona")
    assert opened in listed(nurse, "/queries") and answered not in listed(nurse, "/queries")
    assert answered in listed(monitor, "/queries") and opened not in listed(monitor, "/queries")
    assert set(listed(monitor, f"/queries?status=waiting&participant={number}")) == {opened, answered}
    assert f">{len(listed(nurse, '/queries'))}</span></a>" in nurse.get("/").text


@pytest.mark.parametrize("tongue", ["en", "zh"])
def test_the_value_that_is_asked_about_has_its_unit_once(clinic, subject, tongue) -> None:
    clinic.vital(subject, HEIGHT="172.0")
    query_id = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/HEIGHT"])
    page = clinic.sign_in("mona", tongue).get(f"/queries/{query_id}").text
    assert "172.0 cm" in page and "cm cm" not in page


def test_every_filter_narrows_the_list(clinic, subject) -> None:
    clinic.vital(subject, HEIGHT="195.0")
    personal = clinic.ask("dora", subject, "FU1", "SV", 1, text="Where is 100%_sure?", assignee="investigator")
    (by_check,) = [query.id for query in _of(clinic, subject) if query.check_id]
    browser, number = clinic.sign_in("mona"), label(clinic, subject)
    check = read(clinic, by_check).check_id
    for words, expected in {
        "form=VS": {by_check}, "form=SV": {personal}, f"check={check}": {by_check}, "assignee=investigator": {personal},
        "origin=check": {by_check}, "origin=person": {personal}, "age=7": set(), "q=100%25_sure": {personal},
        "q=100%25xsure": set(), "site=01": {by_check, personal}, "site=02": set(), "status=closed": set(),
    }.items():  # fmt: skip
        found = set(listed(browser, f"/queries?participant={number}&{words}"))
        assert found == expected, words


def _of(clinic: Asking, subject: int) -> list[Query]:
    with clinic.app.app_context():
        return clinic.queries(subject)


@pytest.mark.req("SEC-19")
def test_another_site_sees_nothing_of_a_query(clinic, subject) -> None:
    query_id = clinic.ask("mona", subject, "SCR", text="secret-of-one")
    bob = clinic.sign_in("bob")
    assert "secret-of-one" not in bob.get("/queries?status=all").text
    assert bob.get(f"/queries/{query_id}").status_code == 404
    assert (
        bob.post(f"/queries/{query_id}", {"do": "answer", "text": "x", "revision": "1"}, page="/queries").status_code
        == 404
    )
    bob.post("/queries", {"do": "answer", "text": "x", "query": [f"{query_id}.1"]})
    assert read(clinic, query_id).status == "open"


def test_a_person_answers_and_comes_to_the_next(clinic, subject) -> None:
    number = label(clinic, subject)
    first, second = (clinic.ask("mona", subject, "SCR", "VS", 1, text=text) for text in ("One?", "Two?"))
    alice = clinic.sign_in("alice")
    alice.get(f"/queries?status=open&participant={number}")
    page = f"/queries/{first}"
    answer = alice.post(page, {"do": "answer", "text": "<b>True</b>", "revision": "1", "next": "1"})
    assert (answer.status_code, answer.location) == (303, f"/queries/{second}")
    assert "&lt;b&gt;True&lt;/b&gt;" in alice.get(page).text
    answer = alice.post(f"/queries/{second}", {"do": "answer", "text": "Yes", "revision": "1", "next": "1"})
    assert answer.location == "/queries"
    assert [read(clinic, each).status for each in (first, second)] == ["answered", "answered"]


def test_a_stale_answer_is_refused_and_what_was_typed_stays(clinic, subject) -> None:
    query_id = clinic.ask("mona", subject, "SCR")
    clinic.do("ines", query_id, "comment", "Looking.")
    answer = clinic.sign_in("alice").post(
        f"/queries/{query_id}", {"do": "answer", "text": "typed words", "revision": "1"}
    )
    assert answer.status_code == 409
    assert "Somebody was quicker" in answer.text and "typed words" in answer.text and "Looking." in answer.text
    assert read(clinic, query_id).status == "open"


def test_a_role_that_may_not_close_is_told(clinic, subject) -> None:
    query_id = clinic.ask("dora", subject, "SCR")
    monitor = clinic.sign_in("mona")
    assert 'value="close"' not in monitor.get(f"/queries/{query_id}").text
    answer = monitor.post(f"/queries/{query_id}", {"do": "close", "text": "", "revision": "1"})
    assert answer.status_code == 403 and "another role" in answer.text


def test_the_form_stands_beside_the_conversation_and_a_save_comes_back_to_it(clinic, subject) -> None:
    clinic.vital(subject, HEIGHT="195.0")
    (query,) = _of(clinic, subject)
    alice, form = clinic.sign_in("alice"), f"/participants/{subject}/SCR/VS/1"
    plain, beside = alice.get(form).text, alice.get(f"{form}?query={query.id}").text
    assert f'href="{form}?query={query.id}"' in plain and "has-query" in plain and 'id="talk"' not in plain
    assert 'id="talk"' in beside and "is-asked" in beside
    typed = {"VS/1/HEIGHT": "170.0", "VS/1/WEIGHT": "60.0", "VS/1/FEVER": "N", "_revision": "1", "_reason": "mistyped"}
    saved = alice.post(f"{form}?query={query.id}", typed)
    assert (saved.status_code, saved.location) == (303, f"{form}?query={query.id}")
    assert read(clinic, query.id).status == "closed" and read(clinic, query.id).changed_data
    assert alice.get(f"{form}?query=999999").status_code == 200
    assert 'id="talk"' not in alice.get(f"{form}?query=999999").text


def test_answering_in_the_form_leads_to_the_form_of_the_next(clinic, subject) -> None:
    first, second = (clinic.ask("mona", subject, "SCR", "VS", 1, [f"VS/1/{item}"]) for item in ("HEIGHT", "WEIGHT"))
    alice = clinic.sign_in("alice")
    alice.get(f"/queries?status=open&participant={label(clinic, subject)}")
    answer = alice.post(
        f"/queries/{first}", {"do": "answer", "text": "Yes", "revision": "1", "next": "1", "in_form": "1"}
    )
    assert answer.location == f"/participants/{subject}/SCR/VS/1?query={second}#i-VS/1/WEIGHT"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("item", ("FU1", "VS", ["VS/1/HEIGHT"])), ("form", ("FU1", "VS", [])), ("visit", ("FU1", None, [])),
        ("participant", (None, None, [])),
    ],
)  # fmt: skip
def test_a_monitor_raises_a_query_from_a_form_that_was_never_saved(clinic, subject, scope, expected) -> None:
    monitor, form = clinic.sign_in("mona"), f"/participants/{subject}/FU1/VS/1"
    link = f"/participants/{subject}/queries/new?event=FU1&amp;form=VS&amp;repeat=1&amp;path=VS/1/HEIGHT"
    assert link in monitor.get(form).text
    page = link.replace("&amp;", "&")
    assert "Height" in monitor.get(page).text
    fields = {"event": "FU1", "form": "VS", "repeat": "1", "path": "VS/1/HEIGHT", "scope": scope}
    here = f"/participants/{subject}/queries/new"
    refused = monitor.post(here, fields | {"text": " ", "reason_code": "missing", "to": "nurse"}, page=page)
    assert refused.status_code == 422 and not _of(clinic, subject)
    done = monitor.post(here, fields | {"text": "Why empty?", "reason_code": "missing", "to": "nurse"}, page=page)
    assert done.status_code == 303
    (query,) = _of(clinic, subject)
    with clinic.app.app_context():
        visit = db.session.get_one(Query, query.id).study_event
        assert (visit.key if visit else None, query.form_id, query.paths) == expected


def test_a_row_can_be_asked_about(clinic, subject) -> None:
    monitor, here = clinic.sign_in("mona"), f"/participants/{subject}/queries/new"
    page = f"{here}?event=SCR&form=LB&repeat=1&path=LBROWS/WBC/LBORRES"
    assert 'value="row"' in monitor.get(page).text
    fields = {
        "event": "SCR",
        "form": "LB",
        "repeat": "1",
        "path": "LBROWS/WBC/LBORRES",
        "scope": "row",
        "text": "Both?",
    }
    monitor.post(here, fields | {"reason_code": "other", "to": "nurse"}, page=page)
    assert [query.paths for query in _of(clinic, subject)] == [["LBROWS/WBC"]]


def test_a_nurse_finds_no_way_to_raise_one(clinic, subject) -> None:
    alice = clinic.sign_in("alice")
    assert "queries/new" not in alice.get(f"/participants/{subject}/SCR/VS/1").text
    assert alice.get(f"/participants/{subject}/queries/new").status_code == 403


def test_many_are_answered_at_once_and_what_was_left_is_said(clinic, subject) -> None:
    asked = [clinic.ask("mona", subject, "SCR", text=text) for text in "abc"]
    clinic.do("alice", asked[2], "comment")
    alice = clinic.sign_in("alice")
    ticked = [f"{each}.1" for each in asked]
    done = alice.post("/queries?status=open", {"do": "answer", "text": "As in the source.", "query": ticked})
    assert (done.status_code, done.location) == (303, "/queries?status=open")
    page = alice.get("/queries").text
    assert "2 queries done." in page and "1 query was left as it is:" in page
    assert [read(clinic, each).status for each in asked] == ["answered", "answered", "open"]
    alice.post("/queries", {"do": "answer", "text": "x", "query": ["nonsense", "1.x", "99999999999999.1"]})
    assert "nothing was done" in alice.get("/queries").text


@pytest.mark.req("ACC-11")
def test_a_query_about_a_dropped_item_is_read_with_its_old_label_and_closed(tmp_path) -> None:
    clinic = Asking.in_folder(tmp_path)
    subject = clinic.screen()
    clinic.vital(subject, FEVER="Y", TEMP="38.0")
    query_id = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/TEMP"])
    clinic.amend(without="TEMP")
    monitor = clinic.sign_in("mona")
    page = monitor.get(f"/queries/{query_id}").text
    assert "Temperature" in page and "38.0" in page and "no longer in the form" in page
    form = f"/participants/{subject}/SCR/VS/1"
    assert f"{form}?query={query_id}" in monitor.get(form).text
    assert "Temperature" in monitor.get(f"{form}?query={query_id}").text
    monitor.post(f"/queries/{query_id}", {"do": "close", "text": "", "revision": "1"})
    assert read(clinic, query_id).status == "closed"


def test_the_matrix_and_the_list_of_participants_count_what_waits(clinic, subject) -> None:
    clinic.ask("mona", subject, "SCR", "VS", 1)
    clinic.ask("mona", subject, "FU1")
    alice = clinic.sign_in("alice")
    page = alice.get(f"/participants/{subject}").text
    assert page.count("⚑ 1") == 2 and "2 queries" in page
    assert "2 queries" in alice.get(f"/participants?q={label(clinic, subject)}").text


@pytest.mark.req("DAT-12")
def test_the_figures_are_right(tmp_path) -> None:
    """Two of a check (one changed data and closed itself), one of a person (answered and closed), one cancelled."""
    clinic = Asking.in_folder(tmp_path)
    first, second = clinic.screen(), clinic.screen()
    for subject in (first, second):
        clinic.vital(subject, HEIGHT="195.0")
    clinic.vital(first, HEIGHT="170.0")
    asked = clinic.ask("mona", first, "SCR")
    clinic.do("alice", asked, "answer")
    clinic.do("mona", asked, "close")
    clinic.do("mona", clinic.ask("mona", first, "SCR", text="by mistake"), "cancel")
    with clinic.app.app_context():
        found = query_metrics.read(clinic.user("mona"))
        (check,) = found["check"].values()
        assert (check.total, check.open, check.closed, check.changed, check.share_changed) == (2, 1, 1, 1, 0.5)
        everything = found["all"][""]
        assert (everything.total, everything.open, everything.closed, everything.ages) == (3, 1, 2, [1, 0, 0, 0])
        assert set(found["form"]) == {"VS", None} and everything.days_to_answer < 0.1
        assert query_metrics.read(clinic.user("bob")) == {"all": {}, "site": {}, "form": {}, "check": {}}
    page = clinic.sign_in("mona", "zh").get("/queries/metrics")
    assert page.status_code == 200 and "50 %" in page.text


def test_fifty_thousand_queries_page_in_a_constant_number_of_statements(tmp_path) -> None:
    clinic = Asking.in_folder(tmp_path)
    subject = clinic.screen()
    statements: list[str] = []

    def note(conn, cursor, statement, *_rest) -> None:
        statements.append(statement)

    def cost(address: str) -> int:
        statements.clear()
        assert browser.get(address).status_code == 200
        return len(statements)

    browser = clinic.sign_in("mona")
    clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/HEIGHT"])
    with clinic.app.app_context():
        engine = db.engine
        template = dict(db.session.execute(select(Query.__table__)).mappings().one())
    event.listen(engine, "before_cursor_execute", note)
    rows = [
        template | {"id": number, "raised_at": now() - timedelta(minutes=number), "check_key": None}
        for number in range(10, 50_010)
    ]
    said = {"act": "opened", "text": "Please check.", "at": now(), "by": "Mona Liu", "role": "monitor"}
    with engine.begin() as connection:
        connection.execute(insert(Query.__table__), rows[:60])
        connection.execute(insert(QueryMessage.__table__), [said | {"query_id": row["id"]} for row in rows[:60]])
    few = cost("/queries?status=open")
    with engine.begin() as connection:
        connection.execute(insert(Query.__table__), rows[60:])
        connection.execute(insert(QueryMessage.__table__), [said | {"query_id": row["id"]} for row in rows[60:]])
    assert len(listed(browser, "/queries?status=open")) == query_list.PAGE
    assert cost("/queries?status=open") == cost("/queries?status=open&page=900") == few
    event.remove(engine, "before_cursor_execute", note)
    if engine.dialect.name == "sqlite":  # PostgreSQL chooses by what it counted; all rows are open here
        assert "ix_query_status_site" in plan_of_counting(engine)


def plan_of_counting(engine: Engine) -> str:
    """How SQLite counts what waits at a site."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT count(*) FROM \"query\" WHERE status = 'open' AND site_id IN (1)"
        )
        return " ".join(str(row) for row in rows)


def test_what_is_asked_during_a_monitoring_visit_belongs_to_it(clinic, subject) -> None:
    monitor = clinic.sign_in("max")
    person = clinic.screen("bob")
    opened = monitor.post("/monitoring", {"site": "02", "kind": "remote", "starts_on": "2026-03-16"})
    fields = {"event": "SCR", "scope": "visit", "text": "Seen?", "reason_code": "source", "to": "nurse"}
    page = f"/participants/{person}/queries/new"
    assert monitor.post(page, fields).status_code == 303
    (query,) = _of(clinic, person)
    assert query.visit_id == int(opened.location.rsplit("/", 1)[-1])
