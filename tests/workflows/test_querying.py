"""Queries of people: every transition and every role, places that were never saved, many at once; both databases."""

from itertools import product

import pytest
from sqlalchemy import select

from models import Change, FormData, Query, Site, Subject, clock, db
from tests.asking import ROLE_OF, Asking
from tests.clinic import NOW
from workflows import access, finding, querying, states
from workflows.refusals import Forbidden, NotFound, Refusal

STATUSES = ("open", "answered", "closed", "cancelled")
RAISERS = {"monitor": "mona", "data_manager": "dora", "coder": "carl", "safety": "sara"}
LEADING_TO = {"open": (), "answered": ("answer",), "closed": ("close",), "cancelled": ("cancel",)}


@pytest.fixture
def clinic(app, tmp_path):
    with clock.at(NOW):
        yield Asking(tmp_path, app)


@pytest.mark.req("DAT-12")
def test_every_transition_is_allowed_or_refused_as_the_table_says(clinic) -> None:
    subject = clinic.screen()
    for number, (status, act) in enumerate(product(STATUSES, querying.WHO)):
        query_id = clinic.ask("dora", subject, "SCR", "VS", 1, ["VS/1/HEIGHT"], text=f"Question {number}.")
        for step in LEADING_TO[status]:
            clinic.do("alice" if step == "answer" else "dora", query_id, step)
        said = clinic.said(clinic.queries(subject)[-1])
        who = "alice" if act == "answer" else "dora"
        if (status, act) in states.QUERY:
            assert clinic.do(who, query_id, act, to="investigator") == states.QUERY[status, act]
            said.append((querying.SAID[act], {"alice": "Alice Zhao", "dora": "Dora Sun"}[who]))
        else:
            with pytest.raises(Refusal) as caught:
                clinic.do(who, query_id, act, to="investigator")
            assert caught.value.code == "not-now", (status, act)
        assert clinic.said(clinic.queries(subject)[-1]) == said


# Whose query each role may do what to, written out once more and not computed from the table.
ALLOWED = {
    "nurse": {"answer": "SMDCF", "comment": "SMDCF", "reassign": "SMDCF"},
    "investigator": {"answer": "SMDCF", "comment": "SMDCF", "reassign": "SMDCF"},
    "monitor": {"comment": "SMDCF", "close": "SM", "cancel": "M", "reopen": "SM", "reassign": "SM"},
    "data_manager": {
        "comment": "SMDCF", "close": "SMDCF", "cancel": "MDCF", "reopen": "SMDCF", "reassign": "SMDCF",
    },
    "coder": {"comment": "SMDCF", "cancel": "C", "reopen": "C"},
    "safety": {"comment": "SMDCF", "cancel": "F", "reopen": "F"},
    "statistician": {},
    "inspector": {},
    "administrator": {},
}  # fmt: skip
ORIGINS = {"S": "system", "M": "monitor", "D": "data_manager", "C": "coder", "F": "safety"}


@pytest.mark.req("ACC-01", "ACC-13", "DAT-12")
def test_every_role_may_do_what_the_table_says_and_nothing_else(clinic) -> None:
    subject = clinic.screen()
    clinic.vital(subject, HEIGHT="195.0")
    asked = {"system": clinic.queries(subject)[0].id}
    asked |= {role: clinic.ask(name, subject, "SCR", "VS", 1, text=f"as {role}") for role, name in RAISERS.items()}
    people = {role: name for name, role in ROLE_OF.items() if name not in ("bob", "ines2", "max")}
    assert set(people) == set(access.ROLES)
    for role, act, letter in product(access.ROLES, querying.WHO, ORIGINS):
        query_id, allowed = asked[ORIGINS[letter]], letter in ALLOWED[role].get(act, "")
        with clinic.app.app_context():
            query = db.session.get_one(Query, query_id)
            assert (querying.role_for(clinic.user(people[role]), act, query) == role) is allowed, (role, act, letter)
        if not allowed:
            with pytest.raises(Refusal) as caught:
                clinic.do(people[role], query_id, act, to="investigator")
            assert caught.value.code in ("forbidden", "query-not-yours", "not-found"), (role, act, letter)
    assert all(len(clinic.said(query)) == 1 for query in clinic.queries(subject))


@pytest.mark.req("DAT-12")
def test_the_two_tables_agree() -> None:
    """Who stands in the table of queries holds the action in the table of access."""
    for act, roles in querying.WHO.items():
        for role in roles:
            assert querying.ACTION_OF[act] in access.ACCESS[role], (act, role)


def test_who_may_not_raise_gets_nowhere(clinic) -> None:
    subject = clinic.screen()
    for name in (name for name, role in ROLE_OF.items() if "raise query" not in access.ACCESS[role]):
        with pytest.raises((Forbidden, NotFound)):
            clinic.ask(name, subject, "SCR")
    assert clinic.queries(subject) == []


ANYTHING = [
    (), ("FU1",), ("FU1", "VS", 1), ("SCR", "VS", 1, ["VS/1/HEIGHT"]), ("SCR", "VS", 1, ["VS/1"]),
    ("SCR", "VS", 1, ["VS/1/HEIGHT", "VS/1/WEIGHT"]), ("SCR", "LB", 1, ["LBROWS/WBC/LBORRES"]),
    ("LOG", "AE", 1, ["AEG/1/AEGDAT"]),
]  # fmt: skip
NOWHERE = [
    ("NO",), ("SCR", "NO", 1), ("SCR", "AE", 1), ("LOG", "AEG", 1), ("SCR", "VS", 2), ("SCR", "LB", 3),
    ("SCR", "VS", 1, ["VS/2/HEIGHT"]), ("SCR", "VS", 1, ["VS/1/NO"]), ("SCR", "VS", 1, ["LBROWS/WBC/LBORRES"]),
    ("SCR", "LB", 1, ["LBROWS/XX/LBORRES"]), ("SCR", "VS", 1, ["VS"]), ("SCR", "VS", 1, ["VS/1/HEIGHT/x"]),
    ("SCR", "LB", 1, [f"LBROWS/{n}/LBORRES" for n in range(30)]),
]  # fmt: skip


def test_anything_can_be_asked_about_although_it_was_never_saved(clinic) -> None:
    subject = clinic.screen()
    for place in ANYTHING:
        query_id = clinic.ask("mona", subject, *place, reason_code="missing")
        assert clinic.queries(subject)[-1].paths == (place[3] if len(place) > 3 else [])
        assert clinic.do("alice", query_id, "answer") == "answered"
        assert clinic.do("mona", query_id, "close", "") == "closed"


def test_a_place_nobody_has_is_not_there(clinic) -> None:
    subject = clinic.screen()
    for place in NOWHERE:
        with pytest.raises(NotFound):
            clinic.ask("mona", subject, *place)


@pytest.mark.req("ACC-02", "SEC-19")
def test_another_site_sees_no_query(clinic) -> None:
    query_id = clinic.ask("mona", clinic.screen(), "SCR")
    for name in ("bob", "ines2", "max"):
        with pytest.raises(NotFound):
            clinic.do(name, query_id, "comment")


@pytest.mark.req("DAT-12")
def test_times_and_turns_are_kept(clinic) -> None:
    subject = clinic.screen()
    query_id = clinic.ask("mona", subject, "SCR", text="  Why?  ")
    for step, name in (("answer", "alice"), ("answer", "ines"), ("close", "mona"), ("reopen", "mona")):
        clinic.do(name, query_id, step)
    (query,) = clinic.queries(subject)
    assert (query.status, query.reopened, query.answered_at, query.closed_at) == ("open", 1, None, None)
    assert [message.act for message in query.messages] == ["opened", "answered", "answered", "closed", "reopened"]
    assert [message.role for message in query.messages] == ["monitor", "nurse", "investigator", "monitor", "monitor"]
    assert query.messages[0].text == "Why?"
    assert db.session.scalars(select(Change).where(Change.about == f"query/{query_id}")).all()


def test_what_says_nothing_is_refused(clinic) -> None:
    subject = clinic.screen()
    for text in ("", "   ", "x" * 2001):
        with pytest.raises(Refusal) as caught:
            clinic.ask("mona", subject, "SCR", text=text)
        assert caught.value.code == "query-words"
    for wrong in ({"reason_code": "check"}, {"reason_code": "no"}, {"assignee": "monitor"}):
        with pytest.raises(Refusal):
            clinic.ask("mona", subject, "SCR", **wrong)
    query_id = clinic.ask("mona", subject, "SCR")
    with pytest.raises(Refusal):
        clinic.do("alice", query_id, "answer", " ")
    for to in ("nurse", "monitor", ""):
        with pytest.raises(Refusal) as caught:
            clinic.do("mona", query_id, "reassign", "", to=to)
        assert caught.value.code == "query-assignee"
    with pytest.raises(Refusal):
        clinic.do("mona", query_id, "burn")


def test_the_second_of_two_is_told_and_nothing_is_lost(clinic) -> None:
    subject = clinic.screen()
    query_id = clinic.ask("mona", subject, "SCR")
    clinic.do("alice", query_id, "answer", "Mine.", revision=1)
    with pytest.raises(Refusal) as caught:
        clinic.do("ines", query_id, "answer", "Also mine.", revision=1)
    assert caught.value.code == "query-moved"
    assert [message.text for message in clinic.queries(subject)[0].messages] == ["Please check.", "Mine."]


def test_a_question_sent_twice_is_asked_once(clinic) -> None:
    subject = clinic.screen()
    clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/HEIGHT"])
    with pytest.raises(Refusal) as caught:
        clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/HEIGHT"])
    assert caught.value.code == "query-twice"
    clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/WEIGHT"])
    clinic.ask("dora", subject, "SCR", "VS", 1, ["VS/1/HEIGHT"])
    assert len(clinic.queries(subject)) == 3


@pytest.mark.req("DAT-13")
@pytest.mark.parametrize("thing", [FormData, Subject, Site])
def test_frozen_goes_on_and_locked_does_not(clinic, thing) -> None:
    subject = clinic.screen()
    clinic.vital(subject)
    place = ("SCR", "VS", 1) if thing is FormData else ("SCR",)
    query_id = clinic.ask("mona", subject, *place)
    clinic.protect(thing, "frozen")
    assert clinic.do("alice", query_id, "answer") == "answered"
    clinic.protect(thing, "locked")
    for name, act in (("alice", "answer"), ("mona", "close"), ("mona", "comment")):
        with pytest.raises(Refusal) as caught:
            clinic.do(name, query_id, act)
        assert caught.value.code == "locked"
    with pytest.raises(Refusal):
        clinic.ask("mona", subject, *place, text="And this?")


@pytest.mark.req("ACC-11")
def test_after_an_amendment_drops_the_item_its_queries_are_read_and_closed(clinic) -> None:
    """A person's query stays until people close it; a check that is no more closes its own, and says so."""
    subject = clinic.screen()
    clinic.vital(subject, FEVER="Y", TEMP="20.0")
    mine = clinic.ask("mona", subject, "SCR", "VS", 1, ["VS/1/TEMP"])
    clinic.amend(without="TEMP")
    with clinic.app.app_context():
        assert "TEMP" not in finding.design(clinic.site("01").version_id).items
    clinic.do("alice", mine, "answer")
    clinic.vital(subject, FEVER="Y", WEIGHT="66.0")
    by_check, personal = clinic.queries(subject)
    assert (by_check.check_id, by_check.status, by_check.paths) == ("X03", "closed", ["VS/1/TEMP"])
    assert by_check.messages[-1].text.startswith("The study version no longer has this check.")
    assert (personal.status, personal.paths) == ("answered", ["VS/1/TEMP"])
    assert clinic.do("mona", mine, "close") == "closed"


def test_many_are_answered_and_closed_at_once_one_change_per_participant(clinic) -> None:
    first, second, other = clinic.screen(), clinic.screen(), clinic.screen("bob")
    asked = [clinic.ask("mona", subject, "SCR", text=text) for subject in (first, second, other) for text in "ab"]
    with clinic.app.app_context():
        before = db.session.query(Change).count()
        result = querying.do_many(clinic.user("alice"), dict.fromkeys(asked, 1), "answer", "As in the source.")
        assert (result.done, len(result.receipts), result.refused) == (4, 2, [])
        assert db.session.query(Change).count() == before + 2
    assert {query.status for query in clinic.queries(other)} == {"open"}
    with clinic.app.app_context():
        again = querying.do_many(clinic.user("alice"), dict.fromkeys(asked, 1), "answer", "As in the source.")
        assert (again.done, [refusal.code for _id, refusal in again.refused]) == (0, ["query-moved"] * 4)
        assert db.session.query(Change).count() == before + 2
    with clinic.app.app_context():
        closed = querying.do_many(clinic.user("mona"), {asked[0]: 2, asked[1]: 1, asked[4]: 1}, "close", "")
        assert (closed.done, [query_id for query_id, _why in closed.refused]) == (2, [asked[1]])
        with pytest.raises(Refusal):
            querying.do_many(clinic.user("mona"), {}, "cancel", "x")
        with pytest.raises(Refusal):
            querying.do_many(clinic.user("alice"), {}, "answer", " ")
