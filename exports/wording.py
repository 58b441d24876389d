"""The words of the summary, English and Chinese."""

WORDS: dict[str, tuple[str, str]] = {
    "enrolment": ("Enrolment", "入组进度"),
    "disposition": ("Disposition", "受试者分布"),
    "adverse_events": ("Adverse events by term and highest grade", "按术语与最高级别的不良事件"),
    "dose": ("Delivered dose against plan", "实际剂量与计划剂量"),
    "response": ("Response at each visit", "各访视疗效"),
    "os": ("Overall survival", "总生存"),
    "pfs": ("Progression-free survival", "无进展生存"),
    "date": ("Date", "日期"),
    "month": ("Month", "月份"),
    "enrolled_in_month": ("Enrolled in the month", "当月入组"),
    "enrolled_so_far": ("Enrolled so far", "累计入组"),
    "participants": ("Participants", "受试者数"),
    "planned": ("Planned: {n}", "计划：{n}"),
    "screened": ("Screened", "已筛选"),
    "failed": ("Screen failures", "筛选失败"),
    "enrolled": ("Enrolled", "已入组"),
    "treated": ("Treated (full analysis set)", "已治疗（全分析集）"),
    "now": ("Now: {status}", "目前：{status}"),
    "what": ("Group", "分组"),
    "term": ("Term", "术语"),
    "grade": ("Grade {n}", "{n}级"),
    "ungraded": ("Not graded", "未分级"),
    "any": ("Any", "合计"),
    "percent": ("%", "%"),
    "participant": ("Participant", "受试者"),
    "delivered": ("Delivered, Gy(RBE)", "实际，Gy(RBE)"),
    "planned_dose": ("Planned, Gy(RBE)", "计划，Gy(RBE)"),
    "of_plan": ("Delivered of planned, %", "实际/计划，%"),
    "visit": ("Visit", "访视"),
    "assessed": ("Assessed", "已评价"),
    "complete": ("Complete response, n / evaluated", "完全缓解，例数/可评价"),
    "interval": ("95% exact interval", "95%精确区间"),
    "months": ("Months from the first fraction", "距首次照射月数"),
    "survival": ("Survival", "生存率"),
    "event_free": ("Free of progression", "无进展率"),
    "at_risk": ("At risk", "风险人数"),
    "events": ("Events", "事件数"),
    "estimate": ("Estimate", "估计值"),
    "limits": ("95% interval (log-log)", "95%置信区间（log-log）"),
    "median": ("Median: {value}", "中位数：{value}"),
    "not_reached": ("not reached", "未达到"),
    "months_value": ("{value} months", "{value}个月"),
    "km_text": (
        "Kaplan-Meier curve: {n} participants, {events} events. {median}.",
        "Kaplan-Meier曲线：{n}例，{events}个事件。{median}。",
    ),
    "enrolment_text": ("{n} of {cap} participants enrolled.", "已入组{n}例，计划{cap}例。"),
    "ae_text": ("{n} terms in {treated} treated participants.", "{treated}例已治疗受试者，共{n}个术语。"),
    "dose_text": ("Delivered and planned dose of {n} participants.", "{n}例受试者的实际与计划剂量。"),
    "response_text": ("Overall response at {n} visits.", "{n}个访视的总体疗效。"),
    "method_km": (
        "Months are (date - first fraction + 1) / 30.4375. Kaplan-Meier with log-log 95% limits.",
        "月数 =（日期 - 首次照射 + 1）/ 30.4375。Kaplan-Meier估计，log-log法95%置信区间。",
    ),
    "method_source": (
        "Statistical conventions of the study; to be confirmed by the statistician",
        "研究统计约定；待统计师确认",
    ),
    "provisional": (
        "Live data, not cleaned and not locked: for orientation, not for decisions or publication.",
        "实时数据，未清理、未锁定：仅供了解进展，不用于决策或发表。",
    ),
}


def words(language: str) -> dict[str, str]:
    """All words in one language."""
    place = 1 if language.startswith("zh") else 0
    return {key: pair[place] for key, pair in WORDS.items()}
