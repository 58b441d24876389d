"""Whose data a database holds: nobody's, the demonstration's (whole or begun), or real people's."""

from sqlalchemy import select

from models import Change, Study, User, db
from models.change import System

DEMO = System("demo")
FINISHED = "finish demonstration"
EMPTY, BEGUN, WHOLE, REAL = "empty", "begun", "whole", "real"


def state() -> str:
    """What the database holds, as its trail tells: the first change of a demonstration is the demonstration's."""
    used = db.session.scalar(select(User.id).limit(1)) or db.session.scalar(select(Study.id).limit(1))
    by_demo = select(Change.id).where(Change.user_name.startswith("system:demo@")).limit(1)
    if db.session.scalar(by_demo) is None:
        return REAL if used else EMPTY
    return WHOLE if db.session.scalar(by_demo.where(Change.action == FINISHED)) is not None else BEGUN


def finish() -> None:
    """Note that the demonstration is whole: a start that was interrupted before begins anew."""
    with Change(by=DEMO, action=FINISHED, chain="system", about="demo"):
        pass
