"""What an amendment does to the data of each site: the dry run, with how much is there."""

from dataclasses import dataclass

from sqlalchemy import func, select

from design.comparison import Difference, compare
from design.definitions import StudyDef
from models import FormData, Site, StudyVersion, Subject, User, db
from workflows import amending, finding
from workflows.amendment_report import Report


@dataclass(frozen=True)
class SiteImpact:
    """One site: what is there under earlier versions, and what the move would do to it."""

    site: Site
    forms: int
    report: Report


def between(old: StudyVersion, new: StudyVersion, language: str = "en") -> list[Difference]:
    """What differs between two published versions, in the reader's language."""
    return compare(finding.design(old.id), finding.design(new.id), language)


def at_site(site: Site, target: StudyDef) -> SiteImpact:
    """The dry run at one site on the data as they are now; writes nothing."""
    stored = select(func.count()).select_from(FormData).join(Subject, Subject.id == FormData.subject_id)
    count = db.session.scalar(stored.where(Subject.site_id == site.id)) or 0
    return SiteImpact(site, count, amending.dry_run(site, target))


def at_sites(user: User, target: StudyDef) -> list[SiteImpact]:
    """The same for every site where the user may see participants."""
    return [at_site(site, target) for site in finding.sites(user, "view participants")]


COUNTS = (
    ("participants", "participants whose forms move", "涉及的受试者"),
    ("forms", "forms that move", "迁移的表单"),
    ("incomplete", "forms no longer complete", "不再完整的表单"),
    ("signatures", "signatures that no longer hold", "失效的签名"),
    ("marks", "verification marks that go", "取消的核查标记"),
    ("opened", "queries that checks open", "核查提出的质疑"),
    ("closed", "queries that checks close", "核查关闭的质疑"),
    ("queries", "queries on what is no longer asked (they stay open)", "涉及不再询问内容的质疑（保持打开）"),
)
LINES = (
    ("moved", "answers moved to another item", "移至其他条目的答案"),
    ("recoded", "answers recoded", "重新编码的答案"),
    ("dropped", "answers kept but no longer asked", "保留但不再询问的答案"),
    ("derived", "derived values computed anew", "重新计算的衍生值"),
    ("reinterpreted", "answers whose question or code reads differently", "问题或代码文字已变的答案"),
    ("required", "required now, without an answer", "现为必填但未填"),
    ("checks", "checks that newly fail", "新触发的核查"),
)
WHY = {
    "frozen": ("frozen", "已冻结"),
    "locked": ("locked", "已锁定"),
    "no_form": ("the later version has no such form", "新版本无此表单"),
}


def as_lines(report: Report, language: str = "en") -> list[str]:
    """A report as text, for the command line and as a file; zeros are said as well, they were counted."""
    place = int(language.startswith("zh"))
    colon, comma = (": ", ", ") if not place else ("：", "、")
    lines = [f"{words[place]}{colon}{getattr(report, name)}" for name, *words in COUNTS]
    for name, *words in LINES:
        found = getattr(report, name)
        if found:
            lines.append(words[place] + colon + comma.join(f"{key} {count}" for key, count in sorted(found.items())))
    for each in report.left_out:
        why = WHY[each["why"]][place] if each["why"] in WHY else each["why"]
        told = f"{each['subject']} {each['event']} {each['form']} {each['repeat']}"
        lines.append(f"未迁移（{why}）：{told}" if place else f"not moved ({why}): {told}")
    return lines
