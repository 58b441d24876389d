"""Settings from the environment; nothing else reads `os.environ`.

In production the server does not start with a weak secret or with cookies that may travel unencrypted
(SEC-17).
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url

from workflows.mailing import MailServer
from workflows.password_profiles import CN_MLPS3, NIST, PROFILES

MODES = ("production", "demo", "test")
SHORTEST_SECRET = 32
FEWEST_DIFFERENT = 12
DEFAULT_SECRETS = ("change", "secret", "default", "example", "password")
LOOPBACK = ("127.0.0.1", "localhost")
ROOT = Path(__file__).resolve().parent


class SettingsFault(Exception):
    """The environment asks for something unsafe or unreadable; the sentence says what to set."""


@dataclass(frozen=True)
class Settings:
    """What differs between installations. `mode` is production, demo (invented data, this computer only) or
    test.
    """

    database_url: str
    secret_key: str = field(repr=False)
    mode: str = "production"
    instance_dir: Path = ROOT / "var"
    host: str = "127.0.0.1"
    port: int = 8000
    idle_minutes: int = 20
    absolute_hours: int = 12
    session_cookie_secure: bool = True
    trusted_hosts: tuple[str, ...] = ()
    trusted_proxies: int = 0
    content_limit: int = 16 * 1024 * 1024
    form_limit: int = 4 * 1024 * 1024
    form_parts: int = 8000
    password_profile: str = CN_MLPS3.name
    mail: MailServer | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise SettingsFault(f"MODE must be one of {', '.join(MODES)}, not {self.mode!r}.")
        if self.mode == "demo" and self.host not in LOOPBACK:
            raise SettingsFault("The demonstration answers on this computer only: leave HOST at 127.0.0.1.")
        if self.mode == "production":
            self._refuse_weak_secret()
            if not self.session_cookie_secure:
                raise SettingsFault("SESSION_COOKIE_SECURE must stay on in production: cookies travel by HTTPS only.")
        if not (0 < self.idle_minutes <= 60 and 0 < self.absolute_hours <= 24):
            raise SettingsFault("IDLE_MINUTES must be 1 to 60 and ABSOLUTE_HOURS 1 to 24.")
        if self.password_profile not in PROFILES:
            raise SettingsFault(
                f"PASSWORD_PROFILE must be one of {', '.join(PROFILES)}, not {self.password_profile!r}."
            )

    def _refuse_weak_secret(self) -> None:
        secret = self.secret_key
        is_default = any(word in secret.lower() for word in DEFAULT_SECRETS)
        if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_DIFFERENT or is_default:
            raise SettingsFault(
                f"SECRET_KEY must be at least {SHORTEST_SECRET} random characters. "
                'Make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'
            )

    @property
    def hosts(self) -> list[str] | None:
        """The host names that may be asked for; the demonstration answers on this computer only."""
        return list(LOOPBACK) if self.mode == "demo" else list(self.trusted_hosts) or None

    def make_private(self) -> None:
        """Create the folder of the installation (mode 700) and the SQLite file (600) before the database does, which
        would let everybody on the computer read them. A file that is there already is closed to others as well.
        """
        self.instance_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.sqlite_file
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if each.is_file() and each.stat().st_uid == os.getuid():
                each.chmod(0o600)

    @property
    def sqlite_file(self) -> Path | None:
        """The database file; a relative one stands in the folder of the installation."""
        url = make_url(self.database_url)
        if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":", "file:")):
            return None
        return self.instance_dir / url.database

    @property
    def cookie_name(self) -> str:
        """`__Host-` binds a cookie to this host and to HTTPS; browsers refuse the prefix without `Secure`."""
        return "__Host-session" if self.session_cookie_secure else "session"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment.

        Raises:
            SettingsFault: a value is missing, unreadable or unsafe for the mode.
        """
        mode = environ.get("MODE", "production")
        usual = ROOT / "var" / "demo" if mode == "demo" else ROOT / "var"  # invented and real data never share a folder
        folder = Path(environ.get("INSTANCE_DIR", usual)).resolve()
        secret = environ.get("SECRET_KEY") or (_own_secret(folder) if mode == "production" else "")
        return cls(
            database_url=environ.get("DATABASE_URL") or f"sqlite:///{folder / 'study.db'}",
            secret_key=secret or ("demonstration" if mode == "demo" else ""),
            mode=mode,
            instance_dir=folder,
            host=environ.get("HOST", "127.0.0.1"),
            port=_whole(environ, "PORT", 8000),
            idle_minutes=_whole(environ, "IDLE_MINUTES", 20),
            absolute_hours=_whole(environ, "ABSOLUTE_HOURS", 12),
            session_cookie_secure=_yes(environ, "SESSION_COOKIE_SECURE", mode == "production"),
            trusted_hosts=tuple(environ.get("TRUSTED_HOSTS", "").split()),
            trusted_proxies=_whole(environ, "TRUSTED_PROXIES", 0),
            password_profile=environ.get("PASSWORD_PROFILE", _usual_profile(mode)),
            mail=_mail(environ),
        )


def _own_secret(folder: Path) -> str:
    """The installation's own secret: made at the first start, kept beside the data, readable by the owner
    only.
    """
    path = folder / "secret_key"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _usual_profile(mode: str) -> str:
    """The hospital's; the demonstration's people have had their passwords since 2015 and keep them."""
    return NIST.name if mode == "demo" else CN_MLPS3.name


def _mail(environ: Mapping[str, str]) -> MailServer | None:
    """Where alerts are mailed; None when no server is set."""
    host = environ.get("SMTP_HOST", "")
    if not host:
        return None
    sender, contact = environ.get("SMTP_FROM", ""), environ.get("SECURITY_CONTACT", "")
    for name, address in (("SMTP_FROM", sender), ("SECURITY_CONTACT", contact)):
        if "@" not in address or any(character <= " " for character in address):
            raise SettingsFault(f"{name} must be a mail address when SMTP_HOST is set, not {address!r}.")
    return MailServer(
        host=host,
        sender=sender,
        security_contact=contact,
        port=_whole(environ, "SMTP_PORT", 25),
        starttls=_yes(environ, "SMTP_STARTTLS", True),
        user=environ.get("SMTP_USER", ""),
        password=environ.get("SMTP_PASSWORD", ""),
    )


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise SettingsFault(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _yes(environ: Mapping[str, str], name: str, default: bool) -> bool:
    text = environ.get(name, "yes" if default else "no").lower()
    if text not in ("yes", "no", "true", "false", "1", "0"):
        raise SettingsFault(f"{name} must be yes or no, not {text!r}.")
    return text in ("yes", "true", "1")
