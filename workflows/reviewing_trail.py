"""Reviewing the audit trail (AUD-12): patterns worth a look at a site over a period, and a review that is signed off.

Five patterns, all read from the trail and from nothing else than what it says about answers:

- *after verification*: a save that took marks off, because what had been compared with the source was changed;
- *after signature*: a save that changed a form which somebody had signed before;
- *at night*: a person saved answers between two times of day at the site;
- *many changes*: an answer that was corrected more often than a limit within the period (from that correction on);
- *not delegated*: a person saved answers on a day on which the site's log did not let her enter data; where no log is
  kept here, nobody was let.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Text, select, type_coerce

from models import (
    Change,
    ChangeEntries,
    Delegation,
    Review,
    Signature,
    SignedForm,
    Site,
    Subject,
    TrailReview,
    User,
    db,
)
from models.clock import now
from models.commitments import sorted_json
from workflows import access, delegating
from workflows.refusals import NotFound, Refusal

PATTERNS: dict[str, tuple[str, str]] = {
    "verification": ("Changed after verification", "核查后更改"),
    "signature": ("Changed after signature", "签名后更改"),
    "night": ("Entered at night", "夜间录入"),
    "many": ("One answer changed many times", "同一答案多次更改"),
    "delegation": ("Saved without delegation", "未获授权分工者保存"),
}
DERIVED = "system:derivation"
LONGEST_PERIOD = 731  # days
LONGEST_OUTCOME = 4000
CHUNK = 500


@dataclass(frozen=True)
class Look:
    """What is looked at: a site, a period (both days included), and what counts as night and as many."""

    site: Site
    since: date
    until: date
    night_from: time = time(22)
    night_to: time = time(6)
    most_changes: int = 3

    @property
    def zone(self) -> ZoneInfo:
        """The clock of the site."""
        return ZoneInfo(self.site.timezone)

    def is_night(self, at: datetime) -> bool:
        """Whether it was night at the site; the night may span midnight."""
        clock = at.astimezone(self.zone).time()
        if self.night_from <= self.night_to:
            return self.night_from <= clock < self.night_to
        return clock >= self.night_from or clock < self.night_to


@dataclass(frozen=True)
class Hit:
    """One change in which a pattern was found, and the items of the form that it is about."""

    change_id: int
    receipt: str
    at: datetime
    user_id: int | None
    user_name: str
    form_data_id: int
    paths: tuple[str, ...]


@dataclass(frozen=True)
class _Save:
    """A change of answers: which items of which forms, and the marks that it took off."""

    change: Any
    typed: dict[int, list[tuple[str, bool]]]  # form -> (path, is a correction); derived values left out
    touched: set[int]  # forms of which anything changed
    lost: dict[int, list[str]]  # review -> items that lost their mark


def find(user: User, look: Look) -> dict[str, list[Hit]]:
    """Every pattern with the changes in which it was found, oldest first.

    Raises:
        Forbidden: the role does not review the trail there. Refusal: no period, or one that is too long.
    """
    access.require(user, "review trail", at=look.site)
    if not timedelta(0) <= look.until - look.since < timedelta(LONGEST_PERIOD) or look.most_changes < 1:
        raise Refusal("trail-period", days=LONGEST_PERIOD)
    return _patterns(look)


def _patterns(look: Look) -> dict[str, list[Hit]]:
    rules = _Rules(look)
    found: dict[str, list[Hit]] = {name: [] for name in PATTERNS}
    for save in _saves(look):
        for name, hits in rules.judge(save):
            found[name] += hits
    found["verification"] = _at_forms(look.site, found["verification"])
    return found


def _saves(look: Look) -> Iterator[_Save]:
    """Every change of the period that touched answers: one statement."""
    begin = datetime.combine(look.since, time.min, look.zone)
    end = datetime.combine(look.until + timedelta(days=1), time.min, look.zone)
    columns = (Change.id, Change.seq, Change.link, Change.at, Change.user_id, Change.user_name, ChangeEntries.entries)
    selection = (
        select(*columns)
        .join(ChangeEntries, ChangeEntries.change_id == Change.id)
        .where(Change.site_id == look.site.id, Change.at >= begin, Change.at < end)
        .where(type_coerce(ChangeEntries.entries, Text).contains("/answers/"))
        .order_by(Change.id)
    )
    for row in db.session.execute(selection.execution_options(yield_per=CHUNK)):
        save = _read(row)
        if save.touched:
            yield save


def _read(row: Any) -> _Save:
    save = _Save(row, {}, set(), {})
    for entry in row.entries:
        table, key, column, *path = entry["path"].split("/")
        if (table, column) == ("form_data", "answers"):
            save.touched.add(int(key))
            if entry.get("source") != DERIVED:
                save.typed.setdefault(int(key), []).append(("/".join(path), entry["old"] is not None))
        elif (table, column) == ("review", "verified") and entry["new"] is None and entry.get("source") == DERIVED:
            save.lost.setdefault(int(key), []).append("/".join(path))
    return save


@dataclass
class _Rules:
    """What the patterns need to know beside the trail, and what they remember from save to save."""

    look: Look
    counts: dict[tuple[int, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signed = _signed_since(self.look.site)
        self.delegations = _delegations(self.look.site)

    def judge(self, save: _Save) -> Iterator[tuple[str, list[Hit]]]:
        """The patterns one save shows."""
        yield "verification", [_hit(save, review, paths) for review, paths in save.lost.items()]
        yield (
            "signature",
            [_hit(save, form, _paths(save, form)) for form in save.touched if self._was_signed(save, form)],
        )
        yield "many", list(self._often(save))
        if save.change.user_id is None or not save.typed:
            return
        forms = [_hit(save, form, _paths(save, form)) for form in save.typed]
        if self.look.is_night(save.change.at):
            yield "night", forms
        if not self._is_delegated(save.change.user_id, save.change.at):
            yield "delegation", forms

    def _was_signed(self, save: _Save, form: int) -> bool:
        signed_at = self.signed.get(form)
        return signed_at is not None and signed_at < save.change.at

    def _often(self, save: _Save) -> Iterator[Hit]:
        for form, typed in save.typed.items():
            over = []
            for path, is_correction in typed:
                if is_correction:
                    number = self.counts[form, path] = self.counts.get((form, path), 0) + 1
                    if number > self.look.most_changes:
                        over.append(path)
            if over:
                yield _hit(save, form, over)

    def _is_delegated(self, user_id: int, at: datetime) -> bool:
        day = at.astimezone(self.look.zone).date()
        return any(delegating.covers(each, "enter data", day) for each in self.delegations.get(user_id, ()))


def _paths(save: _Save, form: int) -> list[str]:
    return [path for path, _ in save.typed.get(form, ())]


def _hit(save: _Save, form: int, paths: Sequence[str]) -> Hit:
    change = save.change
    receipt = f"{change.seq}-{change.link[:8]}"
    return Hit(change.id, receipt, change.at, change.user_id, change.user_name, form, tuple(paths))


def _at_forms(site: Site, hits: list[Hit]) -> list[Hit]:
    """Marks are kept beside their form: name the form instead."""
    selection = select(Review.id, Review.form_data_id).join(Subject, Subject.id == Review.subject_id)
    forms = {row[0]: row[1] for row in db.session.execute(selection.where(Subject.site_id == site.id))} if hits else {}
    return [replace(hit, form_data_id=forms[hit.form_data_id]) for hit in hits]


def _signed_since(site: Site) -> dict[int, datetime]:
    """When each form of the site was signed first: one statement."""
    selection = (
        select(SignedForm.form_data_id, Signature.signed_at)
        .join(Signature, Signature.id == SignedForm.signature_id)
        .join(Subject, Subject.id == Signature.subject_id)
        .where(Subject.site_id == site.id)
        .order_by(Signature.signed_at.desc())
    )
    return {row[0]: row[1] for row in db.session.execute(selection)}


def _delegations(site: Site) -> dict[int, list[Delegation]]:
    found: dict[int, list[Delegation]] = {}
    for each in delegating.log_of(site.id):
        found.setdefault(each.user_id, []).append(each)
    return found


def numbers(found: dict[str, list[Hit]]) -> dict[str, list[int]]:
    """Pattern -> numbers of the changes, each once: what a review keeps."""
    return {name: list(dict.fromkeys(hit.change_id for hit in hits)) for name, hits in found.items()}


def fingerprint(found: dict[str, list[Hit]]) -> str:
    """What was shown, so that signing off something else can be refused."""
    return sha256(sorted_json(numbers(found))).hexdigest()[:16]


def sign_off(change: Change, look: Look, shown: str, outcome: str) -> TrailReview:
    """Keep what was found and what the reviewer says about it. `shown` is the fingerprint of what she saw.

    Raises:
        Forbidden, Refusal: who may not; no outcome; something else is found by now.
    """
    access.require(change, "review trail", at=look.site)
    words = outcome.strip()
    if len(words) < 3 or len(words) > LONGEST_OUTCOME or not isinstance(change.by, User):
        raise Refusal("trail-outcome", limit=LONGEST_OUTCOME)
    db.session.scalars(select(Site).where(Site.id == look.site.id).with_for_update()).one()
    found = find(change.by, look)
    if fingerprint(found) != shown:
        raise Refusal("trail-moved")
    _refuse_twice(change.by, look, words)
    limits = {"night": f"{look.night_from:%H:%M}-{look.night_to:%H:%M}", "most_changes": look.most_changes}
    review = TrailReview(
        site_id=look.site.id,
        from_date=look.since,
        to_date=look.until,
        found={**numbers(found), "limits": limits},
        outcome=words,
        reviewer_id=change.by.id,
        reviewer_name=change.by.full_name,
        at=now(),
    )
    db.session.add(review)
    db.session.flush()
    change.about = f"trail_review/{review.id}"
    return review


def _refuse_twice(user: User, look: Look, words: str) -> None:
    selection = select(TrailReview.id).where(
        TrailReview.site_id == look.site.id,
        TrailReview.from_date == look.since,
        TrailReview.to_date == look.until,
        TrailReview.reviewer_id == user.id,
        TrailReview.outcome == words,
    )
    if db.session.scalars(selection.limit(1)).first() is not None:
        raise Refusal("trail-twice")


def list_reviews(user: User) -> list[TrailReview]:
    """The past reviews at the sites whose trail the user reads, newest first."""
    allowed = access.sites_for(user, "view trail")
    selection = select(TrailReview).order_by(TrailReview.id.desc())
    return list(db.session.scalars(selection if allowed is None else selection.where(TrailReview.site_id.in_(allowed))))


def find_review(user: User, review_id: int) -> TrailReview:
    """One such review, or `NotFound`."""
    for found in list_reviews(user):
        if found.id == review_id:
            return found
    raise NotFound


def changes_named(user: User, change_ids: Iterable[int]) -> dict[int, Any]:
    """The changes a review names, for its page: time, person and receipt."""
    access.require(user, "view trail")
    columns = (Change.id, Change.seq, Change.link, Change.at, Change.user_name, Change.subject_id)
    return {row.id: row for row in db.session.execute(select(*columns).where(Change.id.in_(set(change_ids))))}
