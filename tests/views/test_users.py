"""Accounts, grants, and who had access when."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models import Change, Grant, User, clock, db
from tests.clinic import PASSWORD, Browser, Clinic
from views import shell


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


@pytest.fixture
def otto(clinic: Clinic) -> Browser:
    return clinic.sign_in("otto")


def create(otto: Browser, name: str = "nina", full_name: str = "Nina Hu") -> Any:
    return otto.post("/users/new", {"username": name, "full_name": full_name, "language": "en"})


def give(otto: Browser, user_id: int, **values: str) -> Any:
    data = {"role": "nurse", "site": "01", "reason": "delegation log line 4", **values}
    return otto.post(f"/users/{user_id}/grants", data, page=f"/users/{user_id}")


def id_of(clinic: Clinic, name: str) -> int:
    with clinic.app.app_context():
        return clinic.user(name).id


def actions(clinic: Clinic) -> list[str]:
    with clinic.app.app_context():
        found = db.session.scalars(select(Change.action).where(Change.chain == "system").order_by(Change.id))
        return [action for action in found if action != "sign in"]


@pytest.mark.req("AUD-10", "ACC-04")
def test_the_life_of_an_account_leaves_one_change_per_step(clinic: Clinic, otto: Browser) -> None:
    before = len(actions(clinic))
    page = create(otto)
    temporary = re.search(r'<code class="strong">([^<]+)</code>', page.text)
    assert temporary
    nina = id_of(clinic, "nina")
    give(otto, nina)
    browser = Browser(clinic.app.test_client())
    browser.post("/sign-in", {"username": "nina", "password": temporary[1]})
    new = "violet tractor under 3 snows"
    browser.post("/password", {"current": temporary[1], "new": new, "again": new})
    for step in ("sessions/end", "password", "deactivate", "reactivate"):
        otto.post(f"/users/{nina}/{step}", {"reason": "end of rotation"}, page=f"/users/{nina}")
    assert actions(clinic)[before:] == [
        "create user", "grant role", "change password", "end sessions", "reset password", "deactivate user",
        "reactivate user",
    ]  # fmt: skip


def test_a_name_is_never_reused_even_in_other_letters(clinic: Clinic, otto: Browser) -> None:
    otto.post(f"/users/{id_of(clinic, 'bob')}/deactivate", {"reason": "left"}, page="/users")
    answer = create(otto, "BOB")
    assert answer.status_code == 409
    assert "never reused" in answer.text


@pytest.mark.req("ACC-05")
def test_administration_and_trial_work_do_not_mix(clinic: Clinic, otto: Browser) -> None:
    assert give(otto, id_of(clinic, "otto")).status_code == 409
    assert give(otto, id_of(clinic, "alice"), role="administrator", site="").status_code == 409


def test_the_last_administrator_stays(clinic: Clinic, otto: Browser) -> None:
    me = id_of(clinic, "otto")
    assert otto.post(f"/users/{me}/deactivate", {"reason": "tired"}, page=f"/users/{me}").status_code == 409


@pytest.mark.req("AUD-07")
@pytest.mark.parametrize("reason", ["", "   ", "x"])
def test_an_account_changes_only_with_a_reason(clinic: Clinic, otto: Browser, reason: str) -> None:
    bob = id_of(clinic, "bob")
    answer = otto.post(f"/users/{bob}/deactivate", {"reason": reason}, page=f"/users/{bob}")
    assert answer.status_code == 422
    with clinic.app.app_context():
        assert clinic.user("bob").active


@pytest.mark.req("SEC-20")
def test_fields_that_do_not_belong_are_refused(clinic: Clinic, otto: Browser) -> None:
    bob = id_of(clinic, "bob")
    answer = otto.post(f"/users/{bob}/deactivate", {"reason": "left", "created_at": "2020"}, page=f"/users/{bob}")
    assert answer.status_code == 400
    with clinic.app.app_context():
        assert clinic.user("bob").active


@pytest.mark.req("SEC-16")
def test_managing_users_asks_for_the_password_after_a_while(clinic: Clinic) -> None:
    otto, begin = clinic.sign_in("otto"), clock.now()
    for minutes in (15, 30):
        with clock.at(begin + timedelta(minutes=minutes)):
            otto.get("/users")
    bob = id_of(clinic, "bob")
    with clock.at(begin + timedelta(minutes=35)):
        answer = otto.post(f"/users/{bob}/deactivate", {"reason": "left"}, page=f"/users/{bob}")
        assert answer.status_code == 401
        with clinic.app.app_context():
            assert clinic.user("bob").active
        assert otto.post("/confirm", {"password": "wrong wrong wrong"}).status_code == 401
        assert otto.post("/confirm", {"password": PASSWORD}).status_code == 303
        otto.post(f"/users/{bob}/deactivate", {"reason": "left"}, page=f"/users/{bob}")
        with clinic.app.app_context():
            assert not clinic.user("bob").active


@pytest.mark.req("AUD-10")
def test_who_had_access_on_a_date(clinic: Clinic, otto: Browser) -> None:
    """Twenty grants with their own begin and end; the page of each day names exactly those that held."""
    create(otto)
    nina = id_of(clinic, "nina")
    for number in range(4):
        begin, end = f"2030-01-{1 + 5 * number:02}", f"2030-01-{6 + 6 * number:02}"
        assert give(otto, nina, starts_on=begin, ends_on=end).status_code == 303
    with clinic.app.app_context():
        grants = [(g.starts_at, g.ends_at) for g in db.session.scalars(select(Grant).where(Grant.user_id == nina))]
    assert len(grants) == 4
    for day in range(1, 31):
        begin = datetime(2030, 1, day, tzinfo=UTC) - timedelta(hours=8)
        held = sum(start < begin + timedelta(days=1) and end > begin for start, end in grants)
        page = otto.get(f"/users/access?on=2030-01-{day:02}").text
        assert page.count('<td class="mono">nina</td>') == held, day


@pytest.mark.req("AUD-10")
def test_a_role_is_shown_with_the_last_day_it_holds(clinic: Clinic, otto: Browser) -> None:
    """As it was asked for; one that is taken back, with the instant."""
    create(otto)
    nina, last = id_of(clinic, "nina"), "2099-12-31"
    give(otto, nina, ends_on=last)
    for address in (f"/users/{nina}", f"/users/access?on={last}"):
        page = otto.get(address).text
        assert f'<td class="date">{last}</td>' in page and "2100" not in page
    assert 'class="mono">nina<' not in otto.get("/users/access?on=2100-01-01").text
    with clock.at(clock.now() + timedelta(minutes=1)):
        at = shell.instant(clock.now())
        otto.post(f"/users/{nina}/grants/{grant_of(clinic, nina)}/end", {"reason": "left"}, page=f"/users/{nina}")
        assert f'<td class="date">{at}</td>' in otto.get(f"/users/{nina}").text.partition("Until")[2]


def grant_of(clinic: Clinic, user_id: int) -> int:
    with clinic.app.app_context():
        return db.session.scalars(select(Grant.id).where(Grant.user_id == user_id)).one()


@pytest.mark.req("SEC-22")
def test_a_name_is_text_and_never_markup(clinic: Clinic, otto: Browser) -> None:
    create(otto, "xss", '<img src=x onerror="alert(1)">')
    for address in ("/users", f"/users/{id_of(clinic, 'xss')}"):
        page = otto.get(address).text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


def test_the_list_shows_everybody(clinic: Clinic, otto: Browser) -> None:
    page = otto.get("/users").text
    with clinic.app.app_context():
        for user in db.session.scalars(select(User)):
            assert user.full_name in page
