"""WHEN something may be done: the transition tables of queries and of protection, and what holds where a form stands.

*Frozen*: data cannot change, but queries, verification and signatures go on. *Locked*: nothing goes on. Unlocking
leads back to frozen, so that nobody edits by accident what was just opened.
"""

from typing import Any

from models import Site, StudyEvent, Subject
from workflows.refusals import Refusal

Transitions = dict[tuple[str, str], str]

# (state, act) -> next state; what is not here is refused.
PROTECTION: Transitions = {
    ("open", "freeze"): "frozen",
    ("frozen", "unfreeze"): "open",
    ("open", "lock"): "locked",
    ("frozen", "lock"): "locked",
    ("locked", "unlock"): "frozen",
}
QUERY: Transitions = {
    ("open", "answer"): "answered",
    ("answered", "answer"): "answered",
    ("open", "close"): "closed",
    ("answered", "close"): "closed",
    ("open", "cancel"): "cancelled",
    ("answered", "cancel"): "cancelled",
    ("answered", "reopen"): "open",
    ("closed", "reopen"): "open",
    ("open", "comment"): "open",
    ("answered", "comment"): "answered",
    ("open", "reassign"): "open",
    ("answered", "reassign"): "answered",
}
_RANK = ("open", "frozen", "locked")


def next_state(table: Transitions, state: str, act: str) -> str:
    """The state that an act leads to.

    Raises:
        Refusal: the act is not possible in this state.
    """
    if (state, act) not in table:
        raise Refusal("not-now", state=STATE_WORDS[state], act=ACT_WORDS[act])
    return table[state, act]


def strictest(*states: str) -> str:
    """The protection that holds where several do."""
    return max(states, key=_RANK.index)


def protection_around(subject: Subject, event: StudyEvent | None = None) -> str:
    """What holds for anything new in a visit (or log) of a participant: visit, participant, site and study together."""
    site: Site = subject.site
    held = [subject.protection, site.protection, site.study.protection]
    return strictest(*held, *([event.protection] if event else []))


def refuse_unless_open(state: str) -> None:
    """Data may change only while nothing protects it.

    Raises:
        Refusal: frozen or locked.
    """
    if state != "open":
        raise Refusal(state)


def refuse_locked(state: Any) -> None:
    """Queries, marks and signatures go on while something is frozen, not once it is locked (DAT-13).

    Raises:
        Refusal: locked.
    """
    if state == "locked":
        raise Refusal("locked")


STATE_WORDS: dict[str, tuple[str, str]] = {
    "open": ("open", "开放"),
    "frozen": ("frozen", "已冻结"),
    "locked": ("locked", "已锁定"),
    "answered": ("answered", "已答复"),
    "closed": ("closed", "已关闭"),
    "cancelled": ("cancelled", "已取消"),
}
ACT_WORDS: dict[str, tuple[str, str]] = {
    "freeze": ("frozen", "冻结"),
    "unfreeze": ("unfrozen", "解冻"),
    "lock": ("locked", "锁定"),
    "unlock": ("unlocked", "解锁"),
    "answer": ("answered", "答复"),
    "close": ("closed", "关闭"),
    "cancel": ("cancelled", "取消"),
    "reopen": ("reopened", "重新打开"),
    "comment": ("commented on", "评论"),
    "reassign": ("reassigned", "转派"),
}
