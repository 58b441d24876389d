"""Keeping what was typed and not saved: hers alone, never exported, not part of the record (AUD-17)."""

from typing import Any

from sqlalchemy import delete, select

from models import Draft, User, db
from models.change import Change
from models.clock import now


def keep(user: User, place: str, posted: dict[str, Any]) -> None:
    """Keep what the user typed at a place, in place of what was kept before."""
    draft = db.session.get(Draft, (user.id, place))
    if draft is None:
        draft = Draft(user_id=user.id, place=place, posted=posted, at=now())
        db.session.add(draft)
    draft.posted, draft.at = posted, now()
    db.session.commit()


def find(user: User, place: str) -> Draft | None:
    """What this user, and nobody else, left typed at a place."""
    return db.session.scalars(select(Draft).where(Draft.user_id == user.id, Draft.place == place)).first()


def settle(change: Change, place: str) -> None:
    """Forget the draft in the change that saves it: it is gone exactly when its answers are stored."""
    if isinstance(change.by, User):
        db.session.execute(delete(Draft).where(Draft.user_id == change.by.id, Draft.place == place))


def discard(user: User, place: str) -> None:
    """Throw the draft away."""
    db.session.execute(delete(Draft).where(Draft.user_id == user.id, Draft.place == place))
    db.session.commit()
