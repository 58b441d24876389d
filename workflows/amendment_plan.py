"""What moving a participant's forms to a later study version does to them: read and judged, nothing written.

The dry run and the run both follow this plan, so what the one says is what the other does.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from design import amendments
from design import answers as documents
from design.amendments import Converted
from design.definitions import StudyDef
from design.evaluation import Verdict, evaluate
from design.record import SubjectRecord
from models import FormData, Query, Review, SignedForm, Subject, db
from models.clock import today
from workflows import check_queries, consequences, finding, recording

ROUNDS = consequences.ROUNDS


class Route:
    """The way from every published version to a later one, step by step: each amendment maps from the one before."""

    def __init__(self, target: StudyDef) -> None:
        self.target = target
        self.numbers = {version.id: version.number for version in finding.versions()}

    def number(self, version_id: int) -> int:
        """The number of a stored version."""
        return self.numbers[version_id]

    def steps(self, version_id: int) -> list[StudyDef]:
        """The definitions on the way, the form's own first, the target last."""
        start = self.numbers[version_id]
        between = sorted((number, key) for key, number in self.numbers.items() if start <= number < self.target.version)
        return [*(finding.design(key) for _, key in between), self.target]


@dataclass
class Move:
    """One form as it will be. `is_moving` is false for a form that is there already and is only judged again."""

    data: FormData
    converted: Converted
    is_moving: bool
    answers: dict[str, Any]
    findings: list[dict[str, Any]]
    entry: str
    required: list[str] = field(default_factory=list)  # required now, without an answer
    signatures: int = 0  # that hold now and will not
    marks: int = 0  # of verification that will go

    @property
    def changed(self) -> list[str]:
        """The paths of the answers that will differ."""
        return [path for path, _, _ in documents.diff(self.data.answers, self.answers)]

    @property
    def derived(self) -> list[str]:
        """Those that the system computed anew."""
        return [path for path, _, _ in documents.diff(self.converted.answers, self.answers)]

    @property
    def unsettled(self) -> list[str]:
        """The paths whose verification no longer holds: other values, or the same to another question."""
        same = set(self.converted.moved) | set(self.converted.moved.values())
        lost = [path for path in self.changed if path not in same]
        return [*lost, *(p for p in (*self.converted.recoded, *self.converted.reinterpreted) if p not in lost)]

    @property
    def breaking(self) -> list[str]:
        """What breaks the signatures on the form: changed answers, or answers that mean something else now."""
        return [*self.changed, *self.converted.reinterpreted]

    @property
    def failing(self) -> list[str]:
        """The checks that will fail and did not."""
        before = {check_queries.key_of(self.data, each) for each in self.data.findings}
        return [each["check"] for each in self.findings if check_queries.key_of(self.data, each) not in before]

    @property
    def does_something(self) -> bool:
        """Whether anything is to be written."""
        data = self.data
        same = (self.answers, self.entry, _sorted(self.findings)) == (data.answers, data.entry, _sorted(data.findings))
        return self.is_moving or not same


@dataclass
class Plan:
    """What becomes of one participant."""

    subject: Subject
    record: SubjectRecord
    moves: list[Move] = field(default_factory=list)
    left_out: list[tuple[FormData, str]] = field(default_factory=list)
    queries: int = 0  # that ask about something no longer asked
    opened: int = 0  # that the checks will open, or open again
    closed: int = 0  # that the checks will close

    @property
    def moving(self) -> list[Move]:
        """The forms that change version."""
        return [move for move in self.moves if move.is_moving]


def item_of(path: str) -> str:
    """The item at the end of a path."""
    return path.rsplit("/", 1)[-1]


def plan(subject: Subject, route: Route) -> Plan:
    """Carry all forms of a participant to the target, and judge them there together."""
    forms = recording.forms_of(subject)
    reviews = _reviews(subject)
    planned = Plan(subject, SubjectRecord(instances=[], site="", status=""))
    for data in forms:
        _take(planned, data, reviews.get(data.id), route)
    _judge(planned, forms, route)
    held = _signatures(subject)
    for move in planned.moves:
        if move.breaking or move.entry != move.data.entry:
            move.signatures = held[move.data.id]
        move.marks = _marks_lost(move, reviews.get(move.data.id))
    planned.queries = _queries_on(planned)
    _count_steps(planned)
    return planned


def _take(planned: Plan, data: FormData, review: Review | None, route: Route) -> None:
    number = route.number(data.version_id)
    if number >= route.target.version:
        if number == route.target.version and data.protection == "open":
            planned.moves.append(_move(data, Converted(data.answers), is_moving=False))
        return
    if data.protection != "open":
        planned.left_out.append((data, data.protection))
        return
    is_judged = data.in_error is None and data.entry != "not_done"
    steps = route.steps(data.version_id)
    converted = amendments.convert(data.answers if is_judged else {}, data.form_id, steps)
    if converted is None:
        planned.left_out.append((data, "no_form"))
        return
    frozen = {path for path, _ in documents.iter_cells(review.frozen)} if review else set()
    if frozen & {*converted.moved, *converted.recoded}:
        planned.left_out.append((data, "frozen"))
        return
    if not is_judged:
        converted = Converted(data.answers)
    planned.moves.append(_move(data, converted, is_moving=True))


def _move(data: FormData, converted: Converted, *, is_moving: bool) -> Move:
    return Move(data, converted, is_moving, converted.answers, data.findings, data.entry)


def _judge(planned: Plan, forms: list[FormData], route: Route) -> None:
    """Evaluate until no derived value changes any more: what is derived across forms settles in two rounds."""
    judged = [each for each in planned.moves if each.data.in_error is None and each.data.entry != "not_done"]
    day = today(planned.subject.site.timezone)
    verdicts: dict[int, Verdict] = {}
    for _ in range(ROUNDS):
        planned.record = _record(planned, forms, route.target)
        instances = {each.place: each for held in planned.record.by_form.values() for each in held}
        changed = False
        for move in judged:
            data = move.data
            key = (data.study_event.event_id, data.study_event.repeat, data.form_id, data.repeat)
            verdict = verdicts[data.id] = evaluate(route.target, planned.record, instances[key], today=day)
            changed |= verdict.answers != move.answers
            move.answers = verdict.answers
        if not changed:
            break
    for move in judged:
        verdict = verdicts[move.data.id]
        move.findings = consequences.stored(verdict.findings)
        if _sorted(move.findings) == _sorted(move.data.findings):
            move.findings = move.data.findings
        move.entry = "complete" if verdict.complete else "in_progress"
        if move.is_moving:
            move.required = _required_now(move, verdict, route)


def _record(planned: Plan, forms: list[FormData], target: StudyDef) -> SubjectRecord:
    """The participant as the target version will see her."""
    subject = planned.subject
    ranks = recording.order_of(subject.events, target)
    events = {event.id: event for event in subject.events}
    answers = {move.data.id: move.answers for move in planned.moves}
    instances = [
        recording.instance(
            target,
            events[data.study_event_id],
            ranks[data.study_event_id],
            data.form_id,
            data.repeat,
            answers.get(data.id, data.answers),
            data.in_error is not None,
        )
        for data in forms
        if data.form_id in target.forms
    ]
    return SubjectRecord(instances=instances, site=subject.site.code, status=subject.status)


def _required_now(move: Move, verdict: Verdict, route: Route) -> list[str]:
    """What this version requires and the version before did not, as far as it is not answered."""
    before = finding.design(move.data.version_id).items
    was_complete = move.data.entry == "complete"
    return [
        path
        for path in verdict.missing_required
        if was_complete or item_of(path) not in before or before[item_of(path)].required == "no"
    ]


def _reviews(subject: Subject) -> dict[int, Review]:
    selection = select(Review).where(Review.subject_id == subject.id).execution_options(populate_existing=True)
    return {review.form_data_id: review for review in db.session.scalars(selection)}


def _signatures(subject: Subject) -> Counter[int]:
    """How many signatures hold on each form."""
    selection = select(SignedForm.form_data_id).join(FormData, FormData.id == SignedForm.form_data_id)
    selection = selection.where(FormData.subject_id == subject.id, SignedForm.broken_at.is_(None))
    return Counter(db.session.scalars(selection))


def marks_after(move: Move, review: Review) -> dict[str, Any]:
    """The marks of a form, carried along with answers that only moved."""
    changes: list[tuple[str, Any]] = []
    for before, now in move.converted.moved.items():
        mark = documents.get(review.verified, before)
        if mark is not None:
            changes += [(before, None), (now, mark)]
    return documents.apply(review.verified, changes) if changes else review.verified


def _marks_lost(move: Move, review: Review | None) -> int:
    if review is None or not review.verified:
        return 0
    held = marks_after(move, review)
    return sum(documents.get(held, path) is not None for path in move.unsettled)


def _queries_on(planned: Plan) -> int:
    """Queries that wait and ask about an answer or question that is no longer there."""
    gone = {
        (move.data.study_event_id, move.data.form_id, move.data.repeat): set(move.converted.dropped)
        for move in planned.moving
    }
    if not any(gone.values()):
        return 0
    selection = select(Query).where(Query.subject_id == planned.subject.id, Query.status.in_(check_queries.ACTIVE))
    return sum(
        bool(gone.get((each.study_event_id or 0, each.form_id or "", each.repeat or 1), set()) & set(each.paths))
        for each in db.session.scalars(selection)
    )


def _count_steps(planned: Plan) -> None:
    """What the checks will say about forms that change, as every save has it."""
    written = [move for move in planned.moves if move.does_something]
    if not written:
        return
    held = list(db.session.scalars(select(Query).where(Query.subject_id == planned.subject.id)))
    for move in written:
        data, failed = move.data, {check_queries.key_of(move.data, each) for each in move.data.findings}
        asked = check_queries.of_form(data, held)
        acts = Counter(step.act for step in check_queries.plan(data, move.findings, asked, failed, {*move.changed}))
        planned.opened += acts["open"] + acts["reopen"]
        planned.closed += acts["close"]


def _sorted(findings: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(str((each["check"], each["severity"], list(each["paths"]))) for each in findings)
