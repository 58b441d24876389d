"""What is to be compared with the source: verification plans per site, the sample they draw, and how far it is.

The date of a visit decides which plan holds for it: the latest that begins on or before it. A visit without a date
(adverse events and other logs) follows the plan in force today. Without a plan everything is asked. What nobody typed
(derived and automatic items, keys of rows) is never asked; nor is what is empty or was marked in error.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from secrets import token_hex
from typing import Any

import orjson
from sqlalchemy import Text, select, type_coerce

from design import answers as documents
from design.definitions import ItemDef, StudyDef
from models import FormData, Review, SdvPlan, Site, StudyEvent, Subject, User, db
from models.change import Change
from models.clock import now, today
from workflows import access, finding
from workflows.refusals import Refusal

SCOPES: dict[str, tuple[str, str]] = {
    "all": ("All items", "全部项目"),
    "critical": ("Critical items only", "仅关键项目"),
    "none": ("Nothing", "不核查"),
}
CHUNK = 1000
NO_PLAN = 0  # stands for "no plan: everything" where a plan's id is counted by


def add_plan(
    change: Change,
    site: Site,
    from_date: date,
    scope: str,
    percent: int = 100,
    seed: str = "",
    exempt: Sequence[str] = (),
) -> SdvPlan:
    """Decide what is verified at a site from a day on. Plans are added, never changed: what held when stays readable.

    Without a `seed` one is drawn. Only the scope `all` can be for a sample; the others get critical items.

    Raises:
        Forbidden, Refusal: who may not; no reason; unknown scope or item; a share that is none; the same plan twice.
    """
    access.require(change, "plan verification", at=site)
    if len((change.reason or "").strip()) < 3:
        raise Refusal("bad-reason")
    if scope not in SCOPES or not 0 <= percent <= 100 or (scope != "all" and percent != 100):
        raise Refusal("sdv-plan")
    known = _verifiable_ids(finding.design_for(site))
    exempt = sorted(set(exempt))
    if unknown := [item_id for item_id in exempt if item_id not in known]:
        raise Refusal("sdv-unknown-items", items=", ".join(unknown[:10]))
    _refuse_same(site, from_date, scope, percent, seed, exempt)
    plan = SdvPlan(
        site_id=site.id,
        from_date=from_date,
        scope=scope,
        percent=percent,
        seed=seed or token_hex(8),
        exempt=exempt,
        created_at=now(),
        created_by=change.by.full_name if isinstance(change.by, User) else change.name,
    )
    db.session.add(plan)
    db.session.flush()
    change.about = f"sdv_plan/{plan.id}"
    return plan


def _refuse_same(site: Site, from_date: date, scope: str, percent: int, seed: str, exempt: list[str]) -> None:
    """The request that was sent twice: the plan that already holds from that day says the same."""
    db.session.scalars(select(Site).where(Site.id == site.id).with_for_update()).one()
    last = next((plan for plan in reversed(_plans([site.id])) if plan.from_date == from_date), None)
    if last is None or (seed and seed != last.seed):
        return
    if (last.scope, last.percent, last.exempt) == (scope, percent, exempt):
        raise Refusal("sdv-plan-twice")


def _plans(site_ids: Iterable[int] | None) -> list[SdvPlan]:
    selection = select(SdvPlan).order_by(SdvPlan.site_id, SdvPlan.from_date, SdvPlan.id)
    return list(db.session.scalars(selection if site_ids is None else selection.where(SdvPlan.site_id.in_(site_ids))))


def list_plans(user: User) -> list[SdvPlan]:
    """All plans of the user's sites, by site and day."""
    allowed = access.sites_for(user, "view reviews")
    return _plans(allowed)


def is_sampled(plan: SdvPlan, screening_number: str) -> bool:
    """Whether a participant is among the `percent` verified in full.

    sha256(seed + screening number) as a number below 2^256, against percent/100 of that: anyone can draw it again, and
    nobody's part in it depends on who else is in the study.
    """
    drawn = int.from_bytes(sha256(f"{plan.seed}{screening_number}".encode()).digest(), "big")
    return drawn * 100 < plan.percent << 256


def is_verifiable(study: StudyDef, item: ItemDef) -> bool:
    """Whether somebody typed it: only that can be compared with a source."""
    return item.id in _verifiable_ids(study)


def _verifiable_ids(study: StudyDef) -> frozenset[str]:
    return study.remembered(("typed items",), lambda: frozenset(_typed(study)))


def _typed(study: StudyDef) -> Iterator[str]:
    for form in study.forms.values():
        rows = {group.row_item for group in form.groups}
        for item in form.items:
            if item.type != "auto" and item.derive is None and item.id not in rows:
                yield item.id


@dataclass(frozen=True)
class Asking:
    """What a plan asks of one participant: the scope that holds for her, and what is exempt."""

    plan: SdvPlan | None
    scope: str
    exempt: frozenset[str]

    def items(self, study: StudyDef) -> frozenset[str]:
        """The ids of the items that are to be verified where they have an answer."""
        return study.remembered(("asked", self.scope, self.exempt), lambda: self._find(study))

    def _find(self, study: StudyDef) -> frozenset[str]:
        if self.scope == "none":
            return frozenset()
        typed = _verifiable_ids(study) - self.exempt
        return typed if self.scope == "all" else frozenset(each for each in typed if study.items[each].critical)

    @property
    def plan_id(self) -> int:
        """The plan's id; `NO_PLAN` without one."""
        return self.plan.id if self.plan else NO_PLAN


@dataclass
class Plans:
    """The plans of some sites, read once, and what they ask of whom."""

    by_site: dict[int, list[SdvPlan]]
    today: dict[int, date]
    _found: dict[tuple[int, str], Asking] = field(default_factory=dict)

    @classmethod
    def of(cls, sites: Iterable[Site]) -> "Plans":
        """Read the plans of these sites: one statement."""
        days = {site.id: today(site.timezone) for site in sites}
        by_site: dict[int, list[SdvPlan]] = {}
        for plan in _plans(list(days)):
            by_site.setdefault(plan.site_id, []).append(plan)
        return cls(by_site, days)

    def asking(self, site_id: int, visit_date: date | None, screening_number: str) -> Asking:
        """What holds for a participant's visit on a date."""
        day = visit_date or self.today[site_id]
        holding = [plan for plan in self.by_site.get(site_id, ()) if plan.from_date <= day]
        plan = holding[-1] if holding else None
        key = (plan.id if plan else NO_PLAN, screening_number)
        if key not in self._found:
            self._found[key] = _asking(plan, screening_number)
        return self._found[key]

    def of_visit(self, subject: Subject, event: StudyEvent) -> Asking:
        """What holds in one visit of a participant."""
        return self.asking(subject.site_id, event.visit_date, subject.screening_number)


def _asking(plan: SdvPlan | None, screening_number: str) -> Asking:
    if plan is None:
        return Asking(None, "all", frozenset())
    scope = plan.scope if plan.scope != "all" or is_sampled(plan, screening_number) else "critical"
    return Asking(plan, scope, frozenset(plan.exempt))


def paths_of(answers: dict[str, Any], items: frozenset[str]) -> list[str]:
    """Where a form holds these items with an answer or a missing reason; rows in error count for nothing."""
    return [
        f"{group}/{row}/{item}"
        for group, rows in answers.items()
        for row, cells in rows.items()
        if not documents.in_error(cells)
        for item in cells
        if item in items
    ]


@dataclass(slots=True)
class Tally:
    """How many items a plan asks for, and how many of them carry a mark."""

    asked: int = 0
    verified: int = 0

    @property
    def left(self) -> int:
        """What still has to be verified."""
        return self.asked - self.verified

    @property
    def percent(self) -> int:
        """The share that is verified, rounded down: 100 only when nothing is left."""
        return 100 if not self.asked else self.verified * 100 // self.asked

    def add(self, other: "Tally") -> None:
        """Count another one in."""
        self.asked += other.asked
        self.verified += other.verified


def tally(answers: dict[str, Any], marks: dict[str, Any] | None, items: frozenset[str]) -> Tally:
    """Count one form. Sets of keys instead of paths, because half a million marks are counted on a page."""
    asked = verified = 0
    for group, rows in answers.items():
        marked = marks.get(group, {}) if marks else {}
        for row, cells in rows.items():
            if documents.in_error(cells):
                continue
            wanted = items & cells.keys()
            if wanted:
                asked += len(wanted)
                if row in marked:
                    verified += len(wanted & marked[row].keys())
    return Tally(asked, verified)


@dataclass(frozen=True)
class Counted:
    """One form and what is left in it."""

    form_data_id: int
    subject_id: int
    site_id: int
    study_event_id: int
    plan_id: int
    tally: Tally


class _Remembered:
    """The counts of forms whose documents are still the same text, so that only what changed is read again.

    The documents themselves are compared by their 64-bit hashes; nothing is ever shown from here without the documents
    having been fetched in the same statement.
    """

    def __init__(self, most: int = 200_000) -> None:
        self._most = most
        self._found: dict[int, tuple[Any, Tally]] = {}

    def tally(self, form_data_id: int, answers: str, marks: str | None, items: frozenset[str]) -> Tally:
        """Count one form from the text of its documents."""
        key = (hash(answers), hash(marks), hash(items))
        held = self._found.get(form_data_id)
        if held is not None and held[0] == key:
            return held[1]
        counted = tally(orjson.loads(answers), orjson.loads(marks) if marks else None, items)
        if len(self._found) >= self._most:
            self._found.clear()
        self._found[form_data_id] = (key, counted)
        return counted


_remembered = _Remembered()
_COLUMNS = (
    FormData.id,
    FormData.subject_id,
    FormData.study_event_id,
    FormData.version_id,
    type_coerce(FormData.answers, Text).label("answers"),
    type_coerce(Review.verified, Text).label("verified"),
    StudyEvent.visit_date,
    Subject.site_id,
    Subject.screening_number,
)


def count(sites: Sequence[Site], subject_ids: Sequence[int] | None = None) -> Iterator[Counted]:
    """Every form of some sites (or participants) with what its plan asks: one statement for all, one for the plans."""
    plans = Plans.of(sites)
    selection = (
        select(*_COLUMNS)
        .join(Subject, Subject.id == FormData.subject_id)
        .join(StudyEvent, StudyEvent.id == FormData.study_event_id)
        .outerjoin(Review, Review.form_data_id == FormData.id)
        .where(FormData.in_error.is_(None), Subject.site_id.in_([site.id for site in sites]))
    )
    if subject_ids is not None:
        selection = selection.where(FormData.subject_id.in_(subject_ids))
    asked: dict[tuple[int, str, frozenset[str]], frozenset[str]] = {}
    for row in db.session.execute(selection.execution_options(yield_per=CHUNK)):
        asking = plans.asking(row.site_id, row.visit_date, row.screening_number)
        key = (row.version_id, asking.scope, asking.exempt)
        if key not in asked:
            asked[key] = asking.items(finding.design(row.version_id))
        counted = _remembered.tally(row.id, row.answers, row.verified, asked[key])
        yield Counted(row.id, row.subject_id, row.site_id, row.study_event_id, asking.plan_id, counted)


def progress(sites: Sequence[Site]) -> dict[tuple[int, int], Tally]:
    """How far every plan is, by site and plan (`NO_PLAN`: visits before the first one); always counted, never kept."""
    found: dict[tuple[int, int], Tally] = {}
    for each in count(sites):
        found.setdefault((each.site_id, each.plan_id), Tally()).add(each.tally)
    return found
