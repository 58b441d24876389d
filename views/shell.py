"""What every page shows around its content: names, navigation, language, and how values are written."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g, request, session
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from models import User
from views.guard import signed_in_user
from workflows import access, finding, query_list

PRODUCT = ("Evidentia", "循证录")
VERSION = "0.1.0"
LANGUAGES = ("zh", "en")
HOME_ZONE = ZoneInfo("Asia/Shanghai")
ASSETS = Path(__file__).resolve().parent.parent / "static"

CHIPS = {
    # what a status looks like: tone and icon; the word beside it always says the same
    "ok": (
        "complete",
        "done",
        "active",
        "enrolled",
        "on_treatment",
        "follow_up",
        "eligible",
        "IN",
        "verified",
    ),
    "warn": ("in_progress", "due", "soft", "open_finding", "EARLY", "frozen", "temporary"),
    "late": ("overdue", "missed", "hard", "protected", "LATE", "in_error", "dead", "refused"),
    "info": ("screening", "consented", "planned", "projected", "cross"),
    "mute": (
        "not_started",
        "not_done",
        "not_applicable",
        "screen_failed",
        "ended",
        "withdrawn",
        "locked",
        "closed",
    ),
}
TONES = {status: tone for tone, statuses in CHIPS.items() for status in statuses}


@dataclass(frozen=True)
class Link:
    """One entry of the main navigation."""

    label: str
    href: str
    current: bool
    count: int = 0  # what waits there


@dataclass(frozen=True)
class Shell:
    """What `base.html` needs."""

    product: str
    version: str
    language: str
    user: User | None
    roles: str
    sites: str
    study: str
    study_version: int | None
    nav: list[Link]
    demo: bool
    here: str
    assets: str


def language() -> str:
    """The language of the page: `zh` or `en`."""
    locale = get_locale()
    return "zh" if locale is None or locale.language == "zh" else "en"


def choose_language() -> str:
    """What the person chose in this session, else her account's language, else her browser's, else
    Chinese.
    """
    chosen = session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    if current_user.is_authenticated:
        return str(current_user.language)
    return request.accept_languages.best_match(LANGUAGES, default="zh") or "zh"


def instant(at: datetime | None, seconds: bool = False) -> str:
    """An instant as people at the sites read a clock, with its offset so that nobody can mistake it
    (AUD-06).
    """
    if at is None:
        return ""
    local = at.astimezone(HOME_ZONE)
    offset = local.strftime("%z")
    clock = "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    return f"{local.strftime(clock)} {offset[:3]}:{offset[3:]}"


def day(value: date | None) -> str:
    """A date as 2026-03-14 in both languages."""
    return value.isoformat() if value else ""


def tone_of(status: str) -> str:
    """The look of a status' chip."""
    return TONES.get(status, "mute")


def role_name(role: str) -> str:
    """A role in the language of the page."""
    return access.ROLES[role][language() == "zh"] if role in access.ROLES else role


def product_name() -> str:
    """The product's name; it stands only here."""
    return PRODUCT[language() == "zh"]


def study_label(thing: Any) -> str:
    """The label of a thing of the study, or a label itself, in the language of the page."""
    label = getattr(thing, "label", thing)
    return str(label.text(language())) if label is not None else ""


def _navigation(user: User) -> list[Link]:
    """The pages of this person's roles, in the order of the work."""
    pages = [
        (None, _("Work list"), "/"),
        ("view participants", _("Participants"), "/participants"),
        ("view queries", _("Queries"), "/queries"),
        ("verify", _("Verification"), "/verification"),
        ("plan verification", _("Verification plans"), "/verification/plans"),
        ("view reviews", _("Monitoring visits"), "/monitoring"),
        ("sign", _("Signing"), "/signing"),
        ("view reviews", _("Freeze and lock"), "/protection"),
        ("view reviews", _("Delegation log"), "/delegation"),
        ("view deviations", _("Deviations"), "/deviations"),
        ("view progress", _("Progress"), "/progress"),
        ("export", _("Exports"), "/exports"),
        ("print", _("Print"), "/print"),
        ("view analysis", _("Analysis"), "/analysis"),
        ("view trail", _("Audit trail"), "/trail"),
        ("review trail", _("Trail review"), "/trail-reviews"),
        ("manage users", _("Users"), "/users"),
        ("view study", _("Study"), "/study"),
    ]
    held = access.actions_of(user)
    path = request.path
    waiting = {"/queries": query_list.waiting_for(user)} if "view queries" in held else {}
    return [
        Link(
            label,
            href,
            path == href if href == "/" else path == href or path.startswith(f"{href}/"),
            waiting.get(href, 0),
        )
        for action, label, href in pages
        if action is None or action in held
    ]


def _sites_of(user: User) -> str:
    """Where the person works: site names, or all of them."""
    grants = [grant for grant in access.active_grants(user) if grant.role not in access.ADMINISTRATIVE]
    if not grants:
        return ""
    if any(grant.site is None for grant in grants):
        return _("all sites")
    return ", ".join(dict.fromkeys(grant.site.name(language()) for grant in grants if grant.site))


def _study() -> tuple[str, int | None]:
    if not finding.has_study():
        return "", None
    version_id = finding.study().current_version_id
    definitions = finding.design(version_id) if version_id else None
    return (study_label(definitions), definitions.version) if definitions else ("", None)


def _is_inside() -> bool:
    """Whether the page belongs to a person who may move on: signed in, and with a password of her own."""
    return current_user.is_authenticated and not current_user.must_change_password


def shell() -> dict[str, Shell]:
    """The variable `shell` of every template. On an error page that comes before the session, nobody is
    signed in.
    """
    inside = not g.get("bare_page", False) and _is_inside()
    user = signed_in_user() if inside else None
    study, version = _study() if user else ("", None)
    return {
        "shell": Shell(
            product=product_name(),
            version=VERSION,
            language=language(),
            user=user,
            roles=", ".join(role_name(role) for role in access.roles_of(user)) if user else "",
            sites=_sites_of(user) if user else "",
            study=study,
            study_version=version,
            nav=_navigation(user) if user else [],
            demo=current_app.config["SETTINGS"].mode == "demo",
            here=request.full_path.rstrip("?") if request.method == "GET" else request.path,
            assets=current_app.config["ASSETS"],
        )
    }


def install(app: Flask) -> None:
    """Give the templates their shell, filters and words."""
    newest = max((path.stat().st_mtime_ns for path in ASSETS.iterdir()), default=0)
    app.config["ASSETS"] = format(newest // 1_000_000, "x")
    app.context_processor(shell)
    app.jinja_env.filters.update(instant=instant, day=day, role_name=role_name, tone=tone_of, label=study_label)
    app.jinja_env.globals.update(language=language)
