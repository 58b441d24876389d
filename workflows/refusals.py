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
    "no-duplicate": (
        409,
        "There is no possible duplicate any more. Open the participant again.",
        "已不存在疑似重复，请重新打开该受试者。",
    ),
    "demo-production": (
        409,
        "This is a real installation: the demonstration is not loaded here. Start it with `make demo`.",
        "本系统为正式环境，不可载入演示数据。请使用 make demo 启动演示。",
    ),
    "demo-not-empty": (
        409,
        "The database is not empty; nothing was loaded. Use another DATABASE_URL or INSTANCE_DIR.",
        "数据库非空，未载入任何数据。请更换 DATABASE_URL 或 INSTANCE_DIR。",
    ),
    "not-principal": (
        403,
        "Only the principal investigator of the site, as its delegation log says, acknowledges deviations.",
        "仅本中心授权分工表所载的主要研究者可确认方案偏离。",
    ),
    "no-sdtm": (
        409,
        "This study has no mapping to SDTM. Add the folder sdtm beside its versions.",
        "本研究没有SDTM映射，请在其版本旁添加 sdtm 文件夹。",
    ),
    "no-analysis": (
        409,
        "This study declares no analysis. Add analysis.toml to its folder.",
        "本研究未声明统计分析，请在其文件夹中添加 analysis.toml。",
    ),
    "cut-instant": (
        422,
        "Give a past day (2027-03-14) or an instant with its offset (2027-03-14T18:00+08:00).",
        "请填写过去的日期（2027-03-14）或带时区的时间（2027-03-14T18:00+08:00）。",
    ),
    "cut-future": (
        422,
        "A cut shows what was stored. Choose a day or an instant that is past.",
        "数据截点只能取过去的时间，请选择已过去的日期或时间。",
    ),
    "cut-name": (
        422,
        "Name the cut with 1 to 40 Latin letters, digits, dots, hyphens or underscores.",
        "数据截点名称须为1至40个拉丁字母、数字、点、连字符或下划线。",
    ),
    "cut-taken": (
        409,
        "There is a cut named {name} already. Choose another name.",
        "已有名为{name}的数据截点，请另取名称。",
    ),
    "cut-empty": (
        409,
        "Nothing was stored yet at that time. Choose a later one.",
        "该时间之前尚无任何数据，请选择更晚的时间。",
    ),
    "cut-broken": (
        409,
        "The audit trail is no longer the one that was cut. Tell an administrator: run `audit verify`.",
        "稽查轨迹与截点时不一致。请通知管理员运行 audit verify。",
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
    "item-frozen": (
        409,
        "Some items of this form are frozen and cannot change. Put back what they held, or ask a data manager.",
        "此表单的部分项目已冻结，不可更改。请恢复其原值，或联系数据管理员。",
    ),
    "locked": (
        409,
        "This form is locked. Nothing can change until a data manager unlocks it.",
        "此表单已锁定。解锁前不可更改。",
    ),
    "not-now": (
        409,
        "It is {state}, so it cannot be {act} now. Open the page again to see its present state.",
        "当前状态为“{state}”，不能{act}。请重新打开页面查看当前状态。",
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
    "job-running": (
        409,
        "This is being made already; wait until it is done.",
        "该任务正在进行，请等待其完成。",
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
    "query-moved": (
        409,
        "Somebody was quicker: this query is {state} now. Read the conversation, then decide again.",
        "他人已先处理：该质疑现为“{state}”。请阅读对话后再作决定。",
    ),
    "query-not-yours": (
        403,
        "This query was raised by another role. Only that role or a data manager may do this; you can comment.",
        "该质疑由其他角色提出，仅该角色或数据管理员可执行此操作；您可以评论。",
    ),
    "query-words": (
        422,
        "Write what you want to say, at most {limit} characters.",
        "请填写内容，最多{limit}个字符。",
    ),
    "query-assignee": (422, "Choose another role than the one that is asked now.", "请选择与当前不同的被询问角色。"),
    "query-twice": (
        409,
        "You asked the same question here already and it is still open.",
        "您已在此处提出相同的质疑，且仍未关闭。",
    ),
    "sdv-moved": (
        409,
        "{by} changed this form since it was shown, so nothing in it was marked. Look at it again, then verify.",
        "此表单显示后已被{by}更改，因此未标记其中任何项目。请重新查看后再核查。",
    ),
    "sdv-empty": (
        422,
        "An item without an answer or missing reason cannot be verified.",
        "没有答案或缺失原因的项目不能核查。",
    ),
    "sdv-derived": (
        422,
        "Derived and automatic items are not compared with the source.",
        "派生和自动填写的项目无需与源数据核对。",
    ),
    "sdv-nothing": (
        409,
        "Nothing is left to verify here: everything the plan asks for is marked already.",
        "此处没有待核查的项目：计划要求的项目均已标记。",
    ),
    "sdv-no-mark": (409, "None of these items is marked as verified.", "这些项目均未标记为已核查。"),
    "sdv-plan": (
        422,
        "Choose what is verified, and a share of participants from 0 to 100; only all items can be for a sample.",
        "请选择核查范围，受试者比例为0至100；仅“全部项目”可按抽样核查。",
    ),
    "sdv-unknown-items": (
        422,
        "These are not items that can be verified: {items}.",
        "以下不是可核查的项目：{items}。",
    ),
    "sdv-plan-twice": (
        409,
        "The plan that holds from that day says the same already.",
        "该日起生效的计划内容已经相同。",
    ),
    "visit-open": (
        409,
        "You have a monitoring visit open at this site. Finish it first.",
        "您在该中心已有未结束的监查访视，请先结束。",
    ),
    "visit-not-yours": (
        403,
        "This monitoring visit is another monitor's. Only she can write in it and finish it.",
        "该监查访视属于另一位监查员，仅其本人可记录和结束。",
    ),
    "visit-finished": (
        409,
        "This monitoring visit is finished; its report no longer changes.",
        "该监查访视已结束，报告不再更改。",
    ),
    "visit-summary": (
        422,
        "Write who was present and a summary before you finish the visit.",
        "结束访视前，请填写在场人员和小结。",
    ),
    "visit-dates": (422, "A visit cannot end before it starts.", "访视不能在开始之前结束。"),
    "visit-words": (422, "Write at most {limit} characters in a field.", "每项最多填写{limit}个字符。"),
    "trail-period": (
        422,
        "Choose a period of at most {days} days, and a limit of at least one change.",
        "请选择不超过{days}天的时段，更改次数上限至少为1。",
    ),
    "trail-outcome": (
        422,
        "Write what you conclude (three to {limit} characters).",
        "请填写审阅结论（3至{limit}个字符）。",
    ),
    "trail-moved": (
        409,
        "The trail shows something else by now. Read the list again, then sign it off.",
        "稽查轨迹现已有变化，请重新阅读列表后再签署。",
    ),
    "trail-twice": (
        409,
        "You signed off this review already, in the same words.",
        "您已用相同的结论签署过此次审阅。",
    ),
    "delegation-tasks": (422, "Choose at least one task of the list.", "请至少选择一项列表中的任务。"),
    "delegation-period": (
        422,
        "The last day must not lie before the first, nor after the day on which it ends anyway.",
        "截止日期不得早于开始日期，也不得晚于原定截止日期。",
    ),
    "delegation-person": (
        422,
        "This person has no role of site work at this site. An administrator must give one first.",
        "该人员在本中心没有研究工作角色，请先由管理员授予角色。",
    ),
    "delegation-first": (
        409,
        "The log has no principal investigator now. She writes herself in first; then she delegates to others.",
        "授权分工表目前没有主要研究者。请主要研究者先登记本人，再授权他人。",
    ),
    "delegation-principal": (
        403,
        "Only the principal investigator of the site changes its delegation log.",
        "只有本中心主要研究者可更改授权分工表。",
    ),
    "delegation-twice": (409, "This line stands in the log already.", "授权分工表中已有相同记录。"),
    "delegation-ended": (409, "This delegation was ended already.", "该授权已终止。"),
    "not-delegated": (
        403,
        "{name} is not delegated to {task} on {day}. The principal investigator can change the delegation log.",
        "{name}在{day}未获授权：{task}。可由主要研究者更新授权分工表。",
    ),
    "delegated-without-date": (
        422,
        "Say on which day {name} signed: the delegation log is asked for that day.",
        "请填写{name}的签署日期，以便核对授权分工表。",
    ),
    "protect-nothing": (
        409,
        "There is nothing here that could be {act} now. The list says why.",
        "目前没有可{act}的内容，原因见列表。",
    ),
    "unlock-two": (
        403,
        "Unlocking needs two persons: somebody else must confirm what you asked for.",
        "解锁须由两人完成：请由他人确认您的申请。",
    ),
    "unlock-asked": (409, "Unlocking this has been asked for already.", "已有解锁申请。"),
    "unlock-decided": (409, "This request was decided already.", "该申请已处理。"),
    "sign-nothing": (
        409,
        "Nothing was signed: no form that was shown can be signed now. Open the page again.",
        "未签署任何表单：所示表单目前均不可签署。请重新打开页面。",
    ),
    "sign-moved": (
        409,
        "Saved by {by} since you opened the page, so it was not signed. Look at it again.",
        "您打开页面后{by}保存了此表单，因此未签署。请重新核对。",
    ),
    "sign-incomplete": (409, "Not complete yet: it cannot be signed.", "表单尚未完成，不能签署。"),
    "sign-queries": (409, "It has open queries: answer them first, then sign.", "存在未答复的质疑，请先答复再签署。"),
    "sign-already": (409, "You signed this already and nothing changed since.", "您已签署，此后没有更改。"),
    "sign-meaning": (422, "Choose what your signature means from the list.", "请从列表中选择签名含义。"),
    "sign-statement": (
        409,
        "The statement above the signature has changed. Read it again, then sign.",
        "签名声明已更新，请重新阅读后签署。",
    ),
    "no-version": (404, "Version {number} has not been published.", "第{number}版尚未发布。"),
    "version-inactive": (
        409,
        "Version {number} is not active at site {site} yet: activate it once the ethics committee has approved it.",
        "第{number}版尚未在{site}中心启用：请在伦理批准后启用。",
    ),
    "version-not-later": (
        409,
        "The site works under this version or a later one already.",
        "该中心已在使用此版本或更高版本。",
    ),
    "approval-needed": (
        422,
        "Give the reference and date of the ethics approval.",
        "请填写伦理批件号及启用日期。",
    ),
    "needs-reconsent": (
        409,
        "The participant has not consented to this amendment yet: record her consent in the consent log first.",
        "受试者尚未就本次修订再次签署知情同意，请先在知情同意记录中登记。",
    ),
    "deviation-settled": (
        409,
        "Somebody settled this deviation already, or its cause was corrected. Open the list again.",
        "该方案偏离已处理，或其原因已更正。请重新打开列表。",
    ),
    "deviation-no-form": (
        409,
        "This study version does not say which form records deviations.",
        "当前研究版本未指定记录方案偏离的表单。",
    ),
    "deviation-not-recorded": (
        409,
        "Only a recorded deviation is acknowledged, and only once.",
        "仅可确认已记录且未确认的方案偏离。",
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
