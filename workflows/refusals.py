"""Every way the system says no to a person: a code that is never reused and a sentence that says what to do.

The sentences stand here in both languages because they belong to the rules, not to a page: the same words serve the
page, the tooltip of a disabled button and the command line.
"""

from datetime import datetime
from typing import Any

SENTENCES: dict[str, tuple[int, str, str]] = {
    # code: (HTTP status, English, Chinese)
    "not-found": (404, "There is nothing at this address.", "该地址下没有内容。"),
    "forbidden": (
        403,
        "Your role does not allow you to {action} here. Ask an administrator if you need it.",
        "您的角色无权在此{action}。如有需要，请联系管理员。",
    ),
    "no-study": (
        409,
        "No study has been published yet. An administrator must publish one first.",
        "尚未发布任何研究，请管理员先发布研究。",
    ),
    "stale": (
        409,
        "Saved by {by} at {at} since you opened it. Nothing of yours was stored; compare, then save again.",
        "您打开后，{by}已于{at}保存了此表单。您的内容尚未保存，请核对后再次保存。",
    ),
    "invalid": (
        422,
        "Some answers cannot be right. Correct the marked items; nothing was saved yet.",
        "部分答案不可能成立。请更正标记的项目；目前未保存任何内容。",
    ),
    "reason-needed": (
        422,
        "You are changing a saved answer. Say why (at least three characters).",
        "您正在更改已保存的答案，请填写更改原因（至少三个字符）。",
    ),
    "override-needed": (
        422,
        "Some answers are outside the protocol. If they are true, give a reason beside each and save again.",
        "部分答案超出方案规定。如属实，请在每项旁填写原因后再次保存。",
    ),
    "override-not-yours": (
        403,
        "Answers outside the protocol must be saved by an investigator, with a reason.",
        "超出方案规定的答案须由研究者填写原因后保存。",
    ),
    "enrolment-closed": (
        409,
        "Enrolment is closed: all {cap} places are taken. Record the participant as not enrolled.",
        "入组已满：{cap}个名额均已使用。请将该受试者记录为未入组。",
    ),
    "not-eligible": (
        409,
        "Not eligible: a criterion is not met. Correct it or record a screen failure.",
        "不符合入组条件。请更正或记录为筛选失败。",
    ),
    "frozen": (
        409,
        "This form is frozen; its data cannot change. Ask a data manager to unfreeze it.",
        "此表单已冻结，数据不可更改。请联系数据管理员解冻。",
    ),
    "locked": (
        409,
        "This form is locked. Nothing can change until a data manager unlocks it.",
        "此表单已锁定。解锁前不可更改。",
    ),
    "in-error": (
        409,
        "This record was marked in error and can no longer be edited.",
        "该记录已标记为错误，不可再编辑。",
    ),
    "not-expected": (409, "This form does not belong to this visit.", "此表单不属于该访视。"),
    "needs-consent": (
        409,
        "Consent comes first: enter the informed consent log before any other form.",
        "须先知情同意：请先填写知情同意记录，再填写其他表单。",
    ),
    "no-repeat": (409, "This form exists once per visit and is already there.", "该表单每次访视仅一份，且已存在。"),
    "presence-needed": (
        409,
        "This form needs the participant in clinic; the visit was {mode}.",
        "此表单要求受试者到院；本次访视方式为{mode}。",
    ),
    "withdrawn": (
        409,
        "The participant withdrew all data use on {date}; nothing dated later may be entered.",
        "受试者已于{date}撤回全部数据使用，此后日期的数据不得录入。",
    ),
    "rescreen-limit": (
        409,
        "Re-screening is allowed {limit} time(s); this person has reached the limit.",
        "重新筛选最多{limit}次，该受试者已达上限。",
    ),
    "rescreen-not-failed": (
        409,
        "Only a participant whose screening failed can be screened again.",
        "只有筛选失败的受试者才能重新筛选。",
    ),
    "unknown-user": (404, "There is no such user.", "没有该用户。"),
    "name-taken": (
        409,
        "This user name is or was in use. Choose another one; names are never reused.",
        "该用户名已被使用过。用户名不可重复使用，请另选。",
    ),
    "password-weak": (422, "{why}", "{why}"),
    "sign-in-refused": (
        401,
        "User name or password is not right, or the account is closed. Try again.",
        "用户名或密码不正确，或账户已停用。请重试。",
    ),
    "sign-in-paused": (
        429,
        "Too many attempts. Wait {minutes} minutes and try again.",
        "尝试次数过多，请等待{minutes}分钟后再试。",
    ),
    "last-administrator": (
        409,
        "This is the last administrator. Give the role to somebody else first.",
        "这是最后一位系统管理员，请先将该角色授予他人。",
    ),
    "bad-token": (
        403,
        "The one-time token is not right, or the first administrator exists already.",
        "一次性令牌不正确，或首位系统管理员已存在。",
    ),
    "duty-conflict": (
        409,
        "Administrators enter no trial data, and trial staff administer nothing.",
        "管理员不录入试验数据，试验人员不承担管理职责。",
    ),
    "bad-reason": (422, "Give a reason of at least three characters.", "请填写至少三个字符的原因。"),
    "bad-date": (422, "Enter a date like 2026-03-14.", "请输入日期，例如 2026-03-14。"),
    "study-faults": (422, "The study definition has faults; nothing was published.", "研究定义有错误，未发布。"),
    "not-sealed": (
        409,
        "Version {version} is not sealed, or its files changed after sealing. Seal a new version.",
        "版本{version}未封存，或封存后文件被更改。请封存新版本。",
    ),
    "already-published": (
        409,
        "Version {version} is already published and never changes.",
        "版本{version}已发布，不可更改。",
    ),
    "trail-unavailable": (
        503,
        "The audit trail cannot be written, so nothing was saved. Tell the administrator.",
        "稽查轨迹无法写入，因此未保存任何内容。请通知管理员。",
    ),
    "file-refused": (
        422,
        "Only JPEG or PNG pictures up to {limit} MB are accepted here.",
        "此处仅接受不超过{limit} MB的JPEG或PNG图片。",
    ),
}


class Refusal(Exception):
    """A person asked for something the rules do not allow; nothing was changed."""

    code = "forbidden"

    def __init__(self, code: str | None = None, **values: Any) -> None:
        self.code = code or self.code
        self.status, self._en, self._zh = SENTENCES[self.code]
        self.values = values
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """The sentence in a language; values given as `(en, zh)` pairs are chosen alike."""
        chinese = language.startswith("zh")
        chosen = {key: value[chinese] if isinstance(value, tuple) else value for key, value in self.values.items()}
        return (self._zh if chinese else self._en).format(**chosen)


class NotFound(Refusal):
    """Not there, or not for this person: the two cannot be told apart."""

    code = "not-found"


class Forbidden(Refusal):
    """The person's roles do not allow the action here."""

    code = "forbidden"


class ReasonNeeded(Refusal):
    """A saved answer changes and nobody said why (AUD-07)."""

    code = "reason-needed"


class EnrolmentClosed(Refusal):
    """All places are taken (X08)."""

    code = "enrolment-closed"


class Stale(Refusal):
    """Somebody saved the form since this person opened it (FLT-11)."""

    code = "stale"

    def __init__(self, saved_by: str, saved_at: datetime, at_text: str, differences: list[tuple[str, Any, Any]]):
        super().__init__(by=saved_by, at=at_text)
        self.saved_by, self.saved_at, self.differences = saved_by, saved_at, differences


class Invalid(Refusal):
    """Hard findings: the answers cannot be true together."""

    code = "invalid"

    def __init__(self, findings: list[Any]):
        super().__init__()
        self.findings = findings


class OverrideNeeded(Refusal):
    """Protected findings without a reason."""

    code = "override-needed"

    def __init__(self, findings: list[Any]):
        super().__init__()
        self.findings = findings
