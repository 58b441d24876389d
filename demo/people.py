"""The demonstration's users: one per role and treatment centre."""

from dataclasses import dataclass

from models import Site, User
from models.change import Change, System
from workflows import granting

PASSWORD = "plum-river-lantern-42"


@dataclass(frozen=True)
class Person:
    """An invented user: sign-in name, name on the page, role, and the centre (None: all)."""

    username: str
    full_name: str
    role: str
    site: str | None
    language: str = "zh"


PEOPLE = (
    Person("nurse.wuwei", "李春梅", "nurse", "01"),
    Person("nurse.lanzhou", "马晓燕", "nurse", "02"),
    Person("investigator.wuwei", "王建国", "investigator", "01"),
    Person("investigator.lanzhou", "张志远", "investigator", "02"),
    Person("monitor.wuwei", "陈静", "monitor", "01"),
    Person("monitor.lanzhou", "刘洋", "monitor", "02"),
    Person("datamanager", "赵敏", "data_manager", None),
    Person("coder", "孙丽", "coder", None),
    Person("safety", "周涛", "safety", None),
    Person("statistician", "吴凡", "statistician", None, "en"),
    Person("administrator", "郑强", "administrator", None),
    Person("inspector", "冯雪", "inspector", None, "en"),
)


def create(sites: list[Site]) -> dict[str, User]:
    """Create every demonstration user with her grant; by sign-in name."""
    by_code = {site.code: site for site in sites}
    users: dict[str, User] = {}
    for person in PEOPLE:
        with Change(by=System("demo"), action="create user", chain="system", about=person.username) as change:
            user = granting.create_user(change, person.username, person.full_name, PASSWORD, person.language)
            granting.grant(change, user, person.role, by_code.get(person.site or ""))
        users[person.username] = user
    return users


def credentials() -> str:
    """What the start prints: who can sign in, and with what."""
    lines = [f"  {person.username:22} {person.role}" for person in PEOPLE]
    return "Demonstration users (password for all: " + PASSWORD + ")\n" + "\n".join(lines)
