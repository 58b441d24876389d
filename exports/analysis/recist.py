"""RECIST 1.1: time-point response and best overall response.

Source: Eisenhauer EA et al. Eur J Cancer 2009;45:228-247, as section 4.2 of the trial's domain specification applies
it (paired breasts are one organ, all nodes together one organ; confirmation is a parameter).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

CR, PR, SD, PD, NE, NCNP, NONE = "CR", "PR", "SD", "PD", "NE", "NCNP", "NA"
ORDER = (CR, PR, SD, NCNP, PD, NE)  # from best to worst
MEASURED, TOO_SMALL, ABSENT, NOT_EVALUABLE, SPLIT, MERGED = "measured", "too small", "absent", "ne", "split", "merged"
PRESENT, PROGRESSED = "present", "progressed"
TOO_SMALL_MM = 5.0
MOST_TARGETS, MOST_PER_ORGAN = 5, 2
NODE_NORMAL_MM, NODE_MEASURABLE_MM, MEASURABLE_MM, THICKEST_SLICE_MM = 10.0, 15.0, 10.0, 5.0
SMALLEST_GROWTH_MM = 5.0
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Lesion:
    """A target lesion at a time point: longest diameter, of a node the short axis (mm).

    A part of a split lesion carries the id of its parent.
    """

    id: str
    nodal: bool = False
    status: str = MEASURED
    size: float | None = None
    day: date | None = None

    @property
    def contribution(self) -> float | None:
        """What the lesion adds to the sum of diameters; None when it cannot be evaluated."""
        if self.status in (ABSENT, MERGED):
            return 0.0
        if self.status == NOT_EVALUABLE:
            return None
        if self.status == TOO_SMALL and self.size is None:
            return TOO_SMALL_MM
        return self.size


@dataclass(frozen=True)
class NewLesion:
    """A lesion that was not there at baseline. An equivocal one counts when confirmed, never when benign."""

    day: date | None = None
    equivocal: bool = False
    confirmed: bool | None = None  # by biopsy or the next scan; None: not known

    @property
    def unequivocal(self) -> bool:
        """Whether it proves progression."""
        return self.confirmed is not False and (not self.equivocal or self.confirmed is True)


@dataclass(frozen=True)
class TimePoint:
    """What was found at one time point; `targets` empty when there are none at baseline."""

    day: date
    targets: tuple[Lesion, ...] = ()
    non_targets: tuple[str, ...] = ()  # status of each
    new: tuple[NewLesion, ...] = ()
    expected_targets: int | None = None  # as many as at baseline; fewer found are not evaluable
    expected_non_targets: int | None = None
    unconfirmed: bool = False  # progression that its reader waits to see confirmed


@dataclass(frozen=True)
class Response:
    """The response at one time point and the sums behind it."""

    day: date
    target: str | None
    non_target: str
    new: bool
    overall: str
    sum: float | None
    nadir: float | None
    change: float | None  # percent from baseline
    from_nadir: float | None  # percent
    unconfirmed: bool = False


def is_measurable(size: float, nodal: bool = False, slice_mm: float | None = None) -> bool:
    """Whether a lesion can be a target: 10 mm, a node 15 mm in its short axis, in slices of at most 5 mm."""
    least = NODE_MEASURABLE_MM if nodal else MEASURABLE_MM
    return size >= least and (slice_mm is None or slice_mm <= THICKEST_SLICE_MM)


def classify_node(short_axis: float) -> str:
    """A node at baseline: `target` from 15 mm, `non-target` from 10 mm, else `normal`."""
    if short_axis >= NODE_MEASURABLE_MM:
        return "target"
    return "non-target" if short_axis >= NODE_NORMAL_MM else "normal"


def too_many(organs: Iterable[str]) -> bool:
    """Whether targets chosen at baseline exceed five in all or two in one organ."""
    counts = Counter(organs)
    return sum(counts.values()) > MOST_TARGETS or max(counts.values(), default=0) > MOST_PER_ORGAN


def sum_of_diameters(targets: Sequence[Lesion], expected: int | None = None) -> float | None:
    """The sum, unrounded; None when any target cannot be evaluated. Parts of a split lesion add up."""
    values = [lesion.contribution for lesion in targets]
    known = [value for value in values if value is not None]
    missing = expected is not None and len({lesion.id for lesion in targets}) < expected
    return None if missing or not targets or len(known) < len(values) else sum(known)


def target_response(point: TimePoint, baseline: float | None, nadir: float | None) -> str | None:
    """Target response; None without targets. Progression goes before everything but complete response."""
    if not point.targets and not point.expected_targets:
        return None
    total = sum_of_diameters(point.targets, point.expected_targets)
    if total is not None and _all_gone(point.targets):
        return CR
    measured = sum(lesion.contribution or 0.0 for lesion in point.targets)
    if point.targets and nadir is not None and _has_grown(measured, nadir):
        return PD  # also proven by the measured part alone
    if total is None or baseline is None:
        return NE
    return PR if total <= 0.70 * baseline + _ROUNDING else SD


def _has_grown(total: float, nadir: float) -> bool:
    return total >= 1.20 * nadir - _ROUNDING and total - nadir >= SMALLEST_GROWTH_MM - _ROUNDING


def _all_gone(targets: Sequence[Lesion]) -> bool:
    parts: dict[tuple[str, bool], float] = defaultdict(float)
    for lesion in targets:
        parts[(lesion.id, lesion.nodal)] += lesion.contribution or 0.0
    return all(size < NODE_NORMAL_MM if nodal else size == 0 for (_, nodal), size in parts.items())


def non_target_response(statuses: Sequence[str], expected: int | None = None) -> str:
    """Non-target response: progression is unequivocal; not evaluable when any was not assessed; `NA` without any."""
    if PROGRESSED in statuses:
        return PD
    if not statuses and not expected:
        return NONE
    if NOT_EVALUABLE in statuses or (expected is not None and len(statuses) < expected):
        return NE
    return CR if all(status == ABSENT for status in statuses) else NCNP


def overall_response(target: str | None, non_target: str, new: bool) -> str:
    """The matrix of RECIST 1.1 (tables 1 and 2 of Eisenhauer 2009). Without targets the non-target response decides."""
    if PD in (target, non_target) or new:
        return PD
    if target is None:
        return NE if non_target == NONE else non_target
    if target == CR:
        return CR if non_target in (CR, NONE) else PR
    return target


def assess(baseline: TimePoint, points: Sequence[TimePoint]) -> list[Response]:
    """The response at every time point in the order of days; the nadir includes baseline and grows with time."""
    base = sum_of_diameters(baseline.targets)
    nadir, found = base, []
    expected = len({lesion.id for lesion in baseline.targets})
    for point in sorted(points, key=lambda each: each.day):
        point = _complete(point, expected, len(baseline.non_targets))
        total = sum_of_diameters(point.targets, point.expected_targets)
        target = target_response(point, base, nadir)
        non_target = non_target_response(point.non_targets, point.expected_non_targets)
        new = any(lesion.unequivocal for lesion in point.new)
        overall = overall_response(target, non_target, new)
        day = _day_of(point, target, overall)
        changes = (_percent(total, base), _percent(total, nadir))
        found.append(Response(day, target, non_target, new, overall, total, nadir, *changes, point.unconfirmed))
        if total is not None:
            nadir = total if nadir is None else min(nadir, total)
    return found


def _complete(point: TimePoint, targets: int, non_targets: int) -> TimePoint:
    return TimePoint(
        point.day, point.targets, point.non_targets, point.new, targets or None, non_targets or None, point.unconfirmed
    )


def _day_of(point: TimePoint, target: str | None, overall: str) -> date:
    """The day of a response: the time point's; of progression the earliest image that shows it."""
    if overall != PD:
        return point.day
    days = [lesion.day for lesion in point.new if lesion.unequivocal and lesion.day]
    if target == PD:
        days += [lesion.day for lesion in point.targets if lesion.day]
    return min(days, default=point.day)


def _percent(total: float | None, reference: float | None) -> float | None:
    return None if total is None or not reference else 100 * (total - reference) / reference


@dataclass(frozen=True)
class Confirmation:
    """What the study asks of a response before it counts; each is a study parameter."""

    response_days: int = 0  # CR and PR are confirmed by a second one so many days later; 0: not asked
    progression_days: int = 28  # progression in the first months is confirmed after so many days …
    progression_latest: int = 84  # … and by so many
    equivocal_until: date | None = None  # the last day on which progression waits for confirmation
    stable_days: int = 56  # stable disease counts from so many days after the origin


def progression(
    responses: Sequence[Response], rule: Confirmation, proven: Sequence[date] = ()
) -> tuple[Response | None, list[Response]]:
    """The progression that counts, dated at its first image, and those that stay equivocal.

    Within the equivocal months it counts when a biopsy (`proven`) or an image in the confirmation interval shows it
    again; when confirmed its day is that of the first image.
    """
    equivocal: list[Response] = []
    shown = [response for response in responses if response.overall == PD]
    for response in shown:
        if rule.equivocal_until is None or response.day > rule.equivocal_until:
            if not response.unconfirmed:
                return response, equivocal
            equivocal.append(response)
            continue
        first, last = (response.day + timedelta(d) for d in (rule.progression_days, rule.progression_latest))
        again = any(first <= other.day <= last for other in shown)
        if again or any(response.day <= day <= last for day in proven):
            return response, equivocal
        equivocal.append(response)
    return None, equivocal


def best_response(responses: Sequence[Response], origin: date, end: date | None, rule: Confirmation) -> str:
    """The best response from the first assessment to `end` (progression, surgery or new therapy, included).

    Stable disease needs `stable_days` from the origin. Where confirmation is asked, CR or PR needs a second one at
    least as good `response_days` later; without it it counts as stable disease when late enough.
    """
    counted = [r for r in responses if end is None or r.day <= end]
    codes = [_counted(response, counted, origin, rule) for response in counted]
    return min(codes, key=ORDER.index, default=NE)


def _counted(response: Response, responses: Sequence[Response], origin: date, rule: Confirmation) -> str:
    code = response.overall
    if code in (CR, PR) and rule.response_days:
        good = (CR,) if code == CR else (CR, PR)
        due = response.day + timedelta(rule.response_days)
        if not any(other.day >= due and other.overall in good for other in responses):
            code = PR if code == CR and _confirmed_partial(response, responses, due) else SD
    if code in (SD, NCNP) and (response.day - origin).days < rule.stable_days:
        return NE
    return code


def _confirmed_partial(response: Response, responses: Sequence[Response], due: date) -> bool:
    return any(other.day >= due and other.overall in (CR, PR) for other in responses)


def complete_response(
    palpable: bool | None,
    enhancement: bool | None,
    lesion_gone: bool | None,
    nodes: Sequence[float],
    new: bool,
    residual: bool | None = None,
) -> str:
    """Clinical complete response (proposal of section 4.2): `CCR`, `NCCR`, or `NE` when MRI or palpation is missing.

    `residual` is the biopsy at that time point when one was done: True when it shows tumour.
    """
    imaging = None if enhancement is None and lesion_gone is None else enhancement is False or lesion_gone is True
    if palpable or imaging is False or new or residual or any(size >= NODE_NORMAL_MM for size in nodes):
        return "NCCR"
    return NE if imaging is None or palpable is None else "CCR"
