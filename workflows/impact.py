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


def between(old: StudyVersion, new: StudyVersion) -> list[Difference]:
    """What differs between two published versions."""
    return compare(finding.design(old.id), finding.design(new.id))


def at_site(site: Site, target: StudyDef) -> SiteImpact:
    """The dry run at one site on the data as they are now; writes nothing."""
    stored = select(func.count()).select_from(FormData).join(Subject, Subject.id == FormData.subject_id)
    count = db.session.scalar(stored.where(Subject.site_id == site.id)) or 0
    return SiteImpact(site, count, amending.dry_run(site, target))


def at_sites(user: User, target: StudyDef) -> list[SiteImpact]:
    """The same for every site where the user may see participants."""
    return [at_site(site, target) for site in finding.sites(user, "view participants")]


LINES = (
    ("moved", "answers moved to another item"),
    ("recoded", "answers recoded"),
    ("dropped", "answers kept but no longer asked"),
    ("derived", "derived values computed anew"),
    ("reinterpreted", "answers whose question or code reads differently"),
    ("required", "required now, without an answer"),
    ("checks", "checks that newly fail"),
)


def as_lines(report: Report) -> list[str]:
    """A report as the command line prints it."""
    lines = [
        f"{report.participants} participants, {report.forms} forms to move; {report.incomplete} no longer complete",
        f"{report.signatures} signatures would break, {report.marks} verification marks would go, "
        f"{report.queries} queries ask about what is dropped",
    ]
    for name, words in LINES:
        found = getattr(report, name)
        if found:
            lines.append(f"{words}: " + ", ".join(f"{key} {count}" for key, count in sorted(found.items())))
    for each in report.left_out:
        lines.append(f"not moved ({each['why']}): {each['subject']} {each['event']} {each['form']} {each['repeat']}")
    return lines
