"""Who may open which address: the declared matrix against what really happens, for every address and role
(ACC-01).
"""

from itertools import count
from pathlib import Path

import pytest

from models.change import Change, System
from tests.clinic import PASSWORD, Browser, Clinic
from views.guard import Rule, guard, matrix
from workflows import access, granting

VALUES = {
    "subject_id": 1, "event_key": "SCR", "form_id": "VS", "repeat": "1", "user_id": 1, "grant_id": 1, "query_id": 1,
    "export_id": 1,
    "visit_id": 1, "review_id": 1, "number": 1, "job_id": 1,
    "deviation_id": 1, "run_id": 1, "output_id": "T1.1",
    "change_id": 1, "code": "en", "sha256": "0" * 64, "filename": "app.css", "name": "x", "path": "x",
}  # fmt: skip


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    made = Clinic(tmp_path_factory.mktemp("matrix"))
    made.screen("alice")
    with made.app.app_context(), Change(by=System("tests"), action="create user") as change:
        for role in access.ROLES:
            user = granting.create_user(change, f"as-{role}", f"As {role.title()}", PASSWORD, "en")
            granting.grant(change, user, role)
        granting.create_user(change, "as-nobody", "As Nobody", PASSWORD, "en")
    return made


@pytest.fixture(scope="module")
def browsers(clinic: Clinic) -> dict[str, Browser]:
    return {role: clinic.sign_in(f"as-{role}") for role in [*access.ROLES, "nobody"]}


def addresses(clinic: Clinic) -> list[tuple[str, str, str]]:
    """Endpoint, method and a real address of everything the application answers."""
    adapter = clinic.app.url_map.bind("localhost")
    found = []
    for rule in clinic.app.url_map.iter_rules():
        values = {name: VALUES[name] for name in rule.arguments}
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((rule.endpoint, method, adapter.build(rule.endpoint, values, method=method)))
    return found


@pytest.mark.req("ACC-01")
def test_every_address_is_declared(clinic: Clinic) -> None:
    undeclared = [endpoint for endpoint, rule in matrix(clinic.app).items() if rule is None]
    assert undeclared == []


@pytest.mark.req("ACC-01")
def test_only_these_are_public(clinic: Clinic) -> None:
    public = {endpoint for endpoint, rule in matrix(clinic.app).items() if rule and rule.public}
    assert public == {
        "static", "healthz", "signing_in.sign_in", "signing_in.switch_language",
        "signing_in.create_first_administrator",
    }  # fmt: skip


@pytest.mark.req("ACC-01", "SEC-18")
@pytest.mark.parametrize("role", [*access.ROLES, "nobody"])
def test_observed_equals_declared(clinic: Clinic, browsers: dict[str, Browser], role: str) -> None:
    """403 exactly where the role lacks the action; posts go without a token, so that nothing is ever done."""
    allowed = access.ACCESS.get(role, frozenset())
    rules, browser, wrong = matrix(clinic.app), browsers[role], []
    for endpoint, method, address in addresses(clinic):
        rule = rules[endpoint]
        if rule is None or rule.action is None:
            continue
        status = browser.client.open(address, method=method).status_code
        if (status == 403) is (rule.action in allowed):
            wrong.append(f"{role} {method} {endpoint}: {status}")
    assert wrong == []


@pytest.mark.req("ACC-01")
def test_nobody_gets_anywhere_without_signing_in(clinic: Clinic) -> None:
    client, rules = clinic.app.test_client(), matrix(clinic.app)
    for endpoint, method, address in addresses(clinic):
        rule = rules[endpoint]
        if rule and not rule.public:
            answer = client.open(address, method=method)
            assert (answer.status_code, answer.location.split("?")[0]) == (303, "/sign-in"), endpoint


@pytest.mark.req("SEC-21")
def test_no_post_works_without_the_token(clinic: Clinic, browsers: dict[str, Browser]) -> None:
    rules = matrix(clinic.app)
    for endpoint, method, address in addresses(clinic):
        rule = rules[endpoint]
        if method == "GET" or rule is None or rule.public:
            continue
        role = next((role for role in access.ROLES if rule.action is None or rule.action in access.ACCESS[role]), "")
        assert browsers[role].client.open(address, method=method).status_code == 400, f"{method} {endpoint}"


@pytest.mark.req("ACC-13")
def test_the_inspector_can_write_nothing() -> None:
    writing = {
        "screen",
        "enter data",
        "enrol",
        "override check",
        "mark in error",
        "schedule visit",
        "manage users",
        "publish",
    }
    assert not access.ACCESS["inspector"] & writing
    assert "view trail" in access.ACCESS["inspector"]


@pytest.mark.req("ACC-05")
def test_administrators_enter_nothing_and_trial_staff_administer_nothing() -> None:
    administrative = {"manage users", "publish"}
    for role, actions in access.ACCESS.items():
        if role in access.ADMINISTRATIVE:
            assert not actions & {"enter data", "screen", "view participants", "export"}
        else:
            assert not actions & administrative


@pytest.mark.req("ACC-01")
def test_an_address_nobody_declared_is_refused(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    clinic.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = clinic.sign_in("mona").get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "asked",
    [{}, {"public": True, "signed_in": True}, {"action": "fly"}, {"public": True, "action": "export"}],
)
def test_a_declaration_that_means_nothing_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        guard(**asked)  # type: ignore[arg-type]


def test_a_rule_with_an_action_asks_for_a_sign_in() -> None:
    numbers = count()

    @guard(action="export")
    def view() -> int:
        return next(numbers)

    assert view.rule == Rule(signed_in=True, action="export")  # type: ignore[attr-defined]
