"""WHO may do what: one table, role x action, at a site. Default deny (ACC-01).

`require` raises a sentence a person can act on; `may` is its bool twin for templates.
"""

from collections.abc import Iterable

from models import Grant, Site, User
from models.change import Change
from models.clock import now
from workflows.refusals import Forbidden

ROLES: dict[str, tuple[str, str]] = {
    "nurse": ("Research nurse", "研究护士"),
    "investigator": ("Investigator", "研究者"),
    "monitor": ("Monitor", "监查员"),
    "data_manager": ("Data manager", "数据管理员"),
    "coder": ("Medical coder", "医学编码员"),
    "safety": ("Safety officer", "安全性专员"),
    "statistician": ("Statistician", "统计师"),
    "administrator": ("Administrator", "系统管理员"),
    "inspector": ("Inspector", "检查员"),
}

ACTIONS: dict[str, tuple[str, str]] = {
    "view participants": ("see participants", "查看受试者"),
    "view trail": ("read the audit trail", "查看稽查轨迹"),
    "screen": ("screen participants", "筛选受试者"),
    "enter data": ("enter data", "录入数据"),
    "enrol": ("enrol participants", "办理入组"),
    "override check": ("save answers outside the protocol", "保存超出方案的答案"),
    "mark in error": ("mark records in error", "标记错误记录"),
    "schedule visit": ("change visits", "更改访视"),
    "resolve duplicate": ("resolve possible duplicates", "处理疑似重复"),
    "export": ("export data", "导出数据"),
    "view analysis": ("see the analysis", "查看分析"),
    "view study": ("see the study design", "查看研究设计"),
    "manage users": ("manage users", "管理用户"),
    "publish": ("publish study versions", "发布研究版本"),
    "view queries": ("read queries", "查看质疑"),
    "raise query": ("raise queries", "提出质疑"),
    "answer query": ("answer queries", "答复质疑"),
    "close query": ("close queries", "关闭质疑"),
    "view reviews": ("see what was verified and signed", "查看核查与签名情况"),
    "verify": ("verify data against the source", "进行源数据核查"),
    "plan verification": ("plan source verification", "制定源数据核查计划"),
    "monitor site": ("keep monitoring visits", "记录监查访视"),
    "review trail": ("review the audit trail", "审阅稽查轨迹"),
    "freeze": ("freeze data", "冻结数据"),
    "lock": ("lock data", "锁定数据"),
    "unlock": ("ask for unlocking", "申请解锁"),
    "confirm unlock": ("confirm an unlocking", "确认解锁"),
    "sign": ("sign", "签名"),
    "delegate": ("delegate tasks", "授权分工"),
    "amend": ("move data to a later study version", "将数据迁移至新研究版本"),
    "activate version": ("activate a study version at a site", "在中心启用研究版本"),
    "view deviations": ("see protocol deviations", "查看方案偏离"),
    "record deviation": ("record protocol deviations", "记录方案偏离"),
    "acknowledge deviation": ("acknowledge protocol deviations", "确认方案偏离"),
    "print": ("print casebooks", "打印病例报告表"),
    "view progress": ("see the progress of data management", "查看数据管理进度"),
}

_READ = frozenset(
    {
        "view participants",
        "view trail",
        "view study",
        "view queries",
        "view reviews",
        "view deviations",
        "view progress",
    }
)
_SITE_WORK = _READ | {
    "screen", "enter data", "schedule visit", "mark in error", "answer query", "record deviation", "print",
}  # fmt: skip
_INVESTIGATION = {"enrol", "override check", "view analysis", "export", "sign", "delegate", "acknowledge deviation"}
_MONITORING = {"raise query", "close query", "verify", "monitor site", "review trail", "print"}
_DATA_MANAGEMENT = {
    "resolve duplicate", "export", "view analysis", "raise query", "close query", "plan verification", "review trail",
    "freeze", "lock", "unlock", "confirm unlock", "amend", "activate version", "print",
}  # fmt: skip

ACCESS: dict[str, frozenset[str]] = {
    "nurse": frozenset(_SITE_WORK),
    "investigator": frozenset(_SITE_WORK | _INVESTIGATION | {"confirm unlock"}),
    "monitor": frozenset(_READ | _MONITORING),
    "data_manager": frozenset(_READ | _DATA_MANAGEMENT),
    "coder": frozenset({"view participants", "view study", "view queries", "raise query"}),
    "safety": frozenset(_READ | {"view analysis", "raise query"}),
    "statistician": frozenset(_READ | {"export", "view analysis"}),
    "administrator": frozenset({"manage users", "publish", "view study"}),
    "inspector": frozenset(_READ | {"view analysis", "export", "print"}),
}

ADMINISTRATIVE = frozenset({"administrator"})


def active_grants(user: User) -> list[Grant]:
    """The user's grants that hold now; none for a closed account (SEC-14)."""
    at = now()
    return [grant for grant in user.grants if grant.is_active(at)] if user.active else []


def _granting(user: User, action: str, at: Site | int | None) -> Grant | None:
    site_id = at.id if isinstance(at, Site) else at
    for grant in active_grants(user):
        if action in ACCESS[grant.role] and (at is None or grant.site_id is None or grant.site_id == site_id):
            return grant
    return None


def may(user: User, action: str, at: Site | int | None = None) -> bool:
    """Whether the user may do this at the site (`at` omitted: at any site)."""
    return _granting(user, action, at) is not None


def require(by: Change | User, action: str, at: Site | int | None = None) -> Grant | None:
    """The grant that allows the action. Given a `Change`, its role is set from it; the system itself needs none.

    Raises:
        Forbidden: no active grant allows it.
    """
    user = by.by if isinstance(by, Change) else by
    if not isinstance(user, User):
        return None
    grant = _granting(user, action, at)
    if grant is None:
        raise Forbidden(action=ACTIONS[action])
    if isinstance(by, Change):
        by.role = grant.role
    return grant


def sites_for(user: User, action: str) -> set[int] | None:
    """The ids of the sites where the user may do this; None means all of them."""
    allowed = [grant.site_id for grant in active_grants(user) if action in ACCESS[grant.role]]
    return None if None in allowed else {site_id for site_id in allowed if site_id is not None}


def roles_of(user: User) -> list[str]:
    """The roles a user holds now, each once, in the order of the table."""
    held = {grant.role for grant in active_grants(user)}
    return [role for role in ROLES if role in held]


def actions_of(user: User) -> frozenset[str]:
    """Everything the user may do at one site or another."""
    return frozenset().union(*(ACCESS[role] for role in roles_of(user)))


def is_conflict(roles: Iterable[str]) -> bool:
    """Whether the roles mix administration with trial work (ACC-05): administrators enter no data."""
    held = set(roles)
    return bool(held & ADMINISTRATIVE) and bool(held - ADMINISTRATIVE)


def sentence(action: str, language: str) -> str:
    """Why a button is disabled: the same words as the refusal."""
    return Forbidden(action=ACTIONS[action]).text(language)
