"""Creating the first account of an installation: there is no default account, only a one-time token
(SEC-11).
"""

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Protocol

from models import User
from models.change import Change
from workflows import granting, signing_in
from workflows.refusals import Refusal

HASH_FILE = "first_administrator"


class Folder(Protocol):
    """Whatever knows the folder of the installation: the settings."""

    @property
    def instance_dir(self) -> Path:
        """Where the installation keeps its own files."""


def new_token(settings: Folder) -> str | None:
    """A new one-time token for creating the first administrator; None once anybody has an account.

    Only its hash is stored, in a file that the owner alone can read. A new token makes the former one
    worthless.
    """
    if signing_in.has_users():
        return None
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(24)
    path = settings.instance_dir / HASH_FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(_hash(token))
    return token


def is_token(settings: Folder, token: str) -> bool:
    """Whether this is the token that was made last."""
    path = settings.instance_dir / HASH_FILE
    return path.is_file() and hmac.compare_digest(path.read_text(), _hash(token.strip()))


def withdraw_token(settings: Folder) -> None:
    """The token is used up."""
    (settings.instance_dir / HASH_FILE).unlink(missing_ok=True)


def create(
    change: Change, settings: Folder, token: str, username: str, full_name: str, password: str, language: str
) -> User:
    """The first account, made by the system for whoever holds the one-time token.

    Raises:
        Refusal: there is an account already, the token is not the one made last, or the password is weak.
    """
    if signing_in.has_users() or not is_token(settings, token):
        raise Refusal("bad-token")
    user = granting.create_user(change, username, full_name, password, language, must_change=False)
    granting.grant(change, user, "administrator")
    change.about = f"app_user/{user.id}"
    return user


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
