"""Events and censoring of the time-to-event endpoints (sections 4.3 and 4.5 of the domain specification).

Each endpoint takes what is known of a participant and gives the day, whether it is an event, a competing event or a
censoring, and the situation of section 4.5 that decided. Time is counted in months from the origin, the origin being
day 1.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date

from exports.analysis.competing import CENSORED, COMPETING, EVENT
from exports.survival import months

LOCAL, REGIONAL, DISTANT, CONTRALATERAL, SECOND = "local", "regional", "distant", "contralateral", "second primary"
PROGRESSION = "progression"  # confirmed, of a target or non-target lesion
LUMPECTOMY, MASTECTOMY = "lumpectomy", "mastectomy"
MISSED_IMAGES = 2


@dataclass(frozen=True)
class Occurrence:
    """Something that happened on a day, and the records that say so."""

    day: date
    what: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """Surgery of the treated breast; `for_tumour`: for residual disease or local recurrence."""

    day: date
    kinds: frozenset[str]
    for_tumour: bool = False
    residual: bool | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class History:
    """What is known of one participant for the time-to-event endpoints."""

    origin: date
    cut_off: date
    baseline: bool = True  # an image before the origin
    images: tuple[date, ...] = ()  # adequate, after the origin
    missed_images: tuple[date, ...] = ()  # days on which one was planned and not done
    assessments: tuple[date, ...] = ()  # of the treated breast
    contacts: tuple[date, ...] = ()  # at which it was known whether the breast is in place
    last_alive: date | None = None
    alive_days: tuple[date, ...] = ()  # every day on which the participant is known to have been alive
    failures: tuple[Occurrence, ...] = ()
    primary_progression: tuple[Occurrence, ...] = ()  # confirmed progression of the primary
    other_progression: tuple[Occurrence, ...] = ()  # confirmed progression shown by new lesions only
    operations: tuple[Operation, ...] = ()
    death: Occurrence | None = None
    death_cause: str | None = None
    new_therapy: date | None = None  # outside the plan
    withdrawn_all: date | None = None
    complete_responses: tuple[Occurrence, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """When an endpoint ended for a participant, how, and why."""

    day: date
    cause: int
    why: str
    months: float
    keys: tuple[str, ...] = ()

    @property
    def happened(self) -> bool:
        """Whether it is an event."""
        return self.cause == EVENT


Endpoint = Callable[[History], Outcome]


def _in(history: History, day: date, cause: int, why: str, keys: tuple[str, ...] = ()) -> Outcome:
    day = max(day, history.origin)
    return Outcome(day, cause, why, months((day - history.origin).days), keys)


def _conclude(
    history: History,
    happened: Iterable[tuple[Occurrence, int]],
    followed: date | None,
    why: str,
    known: bool,
) -> Outcome:
    """The first thing that happened, or the censoring: no data, withdrawal, cut-off, or the last follow-up."""
    first, cause = min(happened, key=lambda each: (each[0].day, each[1]), default=(None, CENSORED))
    withdrawn = history.withdrawn_all if (history.withdrawn_all or date.max) <= history.cut_off else None
    if first is not None and (withdrawn is None or first.day <= withdrawn):
        if first.day > history.cut_off:
            return _in(history, history.cut_off, CENSORED, "event after data cut-off", first.keys)
        return _in(history, first.day, cause, first.what, first.keys)
    if not known or followed is None:
        return _in(history, history.origin, CENSORED, "no baseline or no post-baseline data")
    if withdrawn is not None:
        return _in(history, withdrawn, CENSORED, "consent withdrawn")
    return _in(history, min(followed, history.cut_off), CENSORED, why)


def _last(days: Iterable[date], until: date) -> date | None:
    return max((day for day in days if day <= until), default=None)


def _tumour_operations(history: History) -> list[Occurrence]:
    """Surgery of the treated breast for residual or recurrent tumour with tumour in the specimen: local failure."""
    return [
        Occurrence(o.day, "surgery with residual tumour", o.keys)
        for o in history.operations
        if o.kinds & {LUMPECTOMY, MASTECTOMY} and o.for_tumour and o.residual
    ]


def _other_mastectomies(history: History) -> list[Occurrence]:
    return [
        Occurrence(o.day, "mastectomy without tumour", o.keys)
        for o in history.operations
        if MASTECTOMY in o.kinds and not (o.for_tumour and o.residual)
    ]


def _failures(history: History, *kinds: str) -> list[Occurrence]:
    return [failure for failure in history.failures if failure.what in kinds]


def _death(history: History) -> list[Occurrence]:
    return [history.death] if history.death else []


def progression_free(
    history: History, ignore_therapy: bool = False, censor_gaps: bool = False, with_new_cancers: bool = False
) -> Outcome:
    """E7: local, regional or distant failure, confirmed progression, or death; censored at the last adequate image.

    New anticancer therapy outside the plan censors at the last image before it (sensitivity: ignored). An event after
    two or more missed images counts (sensitivity: censored at the last image before the gap). Contralateral and
    second cancers are events in a sensitivity analysis only.
    """
    kinds = (LOCAL, REGIONAL, DISTANT, *((CONTRALATERAL, SECOND) if with_new_cancers else ()))
    found = [*_failures(history, *kinds), *history.primary_progression, *history.other_progression]
    found = [*found, *_tumour_operations(history), *_death(history)]
    first = min((each.day for each in found), default=None)
    therapy = None if ignore_therapy else history.new_therapy
    if therapy and therapy <= history.cut_off and (first is None or first > therapy):
        before = _last(history.images, therapy) or history.origin
        return _in(history, before, CENSORED, "new anticancer therapy")
    if censor_gaps and first is not None and (gap := _gap(history, first)) is not None:
        return _in(history, gap, CENSORED, "event after missed images")
    followed = _last(history.images, history.cut_off)
    return _conclude(history, [(each, EVENT) for each in found], followed, "no event", history.baseline)


def _gap(history: History, event: date) -> date | None:
    """The last image before an event that two or more missed images precede; None without such a gap."""
    before = max((day for day in history.images if day < event), default=history.origin)
    return before if sum(before < day < event for day in history.missed_images) >= MISSED_IMAGES else None


def local_control(history: History, regional: bool = False, censor_gaps: bool = False) -> Outcome:
    """E5 local control, E6 with `regional` locoregional control: death and mastectomy for other reasons compete.

    Residual change without growth is no event. Censored at the last assessment of the breast.
    """
    kinds = (LOCAL, REGIONAL) if regional else (LOCAL,)
    events = [*_failures(history, *kinds), *history.primary_progression, *_tumour_operations(history)]
    first = min((each.day for each in events), default=None)
    if censor_gaps and first is not None and (gap := _gap(history, first)) is not None:
        return _in(history, gap, CENSORED, "event after missed images")
    happened = [(each, EVENT) for each in events]
    happened += [(each, COMPETING) for each in (*_other_mastectomies(history), *_death(history))]
    followed = _last(history.assessments, history.cut_off)
    return _conclude(history, happened, followed, "no event", history.baseline)


def locoregional_control(history: History) -> Outcome:
    """E6."""
    return local_control(history, regional=True)


def distant_free(history: History) -> Outcome:
    """E8: distant failure or death; censored at the last adequate image."""
    found = [(each, EVENT) for each in (*_failures(history, DISTANT), *_death(history))]
    return _conclude(history, found, _last(history.images, history.cut_off), "no event", history.baseline)


def surgery_free(history: History, competing_death: bool = False) -> Outcome:
    """E9: any tumour-directed surgery of the treated breast, or death (which competes in a second version).

    Biopsy and axillary surgery are no events. Censored at the last contact at which the breast was known in place.
    """
    operations = [
        Occurrence(o.day, "surgery of the breast", o.keys)
        for o in history.operations
        if o.kinds & {LUMPECTOMY, MASTECTOMY}
    ]
    found = [(each, EVENT) for each in operations]
    found += [(each, COMPETING if competing_death else EVENT) for each in _death(history)]
    return _conclude(history, found, _last(history.contacts, history.cut_off), "no event", True)


def breast_preservation(history: History, composite: bool = False) -> Outcome:
    """E10: mastectomy of the treated breast for any reason; death competes, or counts in the composite."""
    found = [(Occurrence(o.day, "mastectomy", o.keys), EVENT) for o in history.operations if MASTECTOMY in o.kinds]
    found += [(each, EVENT if composite else COMPETING) for each in _death(history)]
    return _conclude(history, found, _last(history.contacts, history.cut_off), "no event", True)


def overall_survival(history: History) -> Outcome:
    """E11: death from any cause; censored at last known alive, on or before withdrawal of all consent."""
    return _survival(history, [(each, EVENT) for each in _death(history)])


def cancer_specific_survival(history: History, unknown_counts: bool = False) -> Outcome:
    """E12: death from breast cancer; other deaths compete; unknown causes count in a sensitivity analysis."""
    counts = history.death_cause == "breast cancer" or (unknown_counts and history.death_cause in (None, "unknown"))
    return _survival(history, [(each, EVENT if counts else COMPETING) for each in _death(history)])


def _survival(history: History, happened: list[tuple[Occurrence, int]]) -> Outcome:
    if history.withdrawn_all and history.withdrawn_all <= history.cut_off:
        alive = _last((*history.alive_days, *_some(history.last_alive)), history.withdrawn_all)
        found = [each for each in happened if each[0].day <= history.withdrawn_all]
        limited = replace(history, withdrawn_all=None)
        return _conclude(limited, found, alive, "consent withdrawn", alive is not None)
    days = (*history.alive_days, *_some(history.last_alive))
    alive = max((day for day in days), default=None)  # a later day means alive at the cut-off
    known = alive is not None and alive > history.origin
    return _conclude(history, happened, alive, "last known alive", known)


def _some(day: date | None) -> tuple[date, ...]:
    return () if day is None else (day,)


def time_to_response(history: History) -> Outcome:
    """E4: the first image with clinical complete response; local progression, mastectomy and death compete."""
    local = [*_failures(history, LOCAL), *history.primary_progression, *_tumour_operations(history)]
    found = [(each, EVENT) for each in history.complete_responses]
    found += [(each, COMPETING) for each in (*local, *_other_mastectomies(history), *_death(history))]
    followed = _last(history.images, history.cut_off)
    return _conclude(history, found, followed, "last assessment", history.baseline)


def new_cancer(history: History) -> Outcome:
    """E19: contralateral or second primary cancer; death competes."""
    found = [(each, EVENT) for each in _failures(history, CONTRALATERAL, SECOND)]
    found += [(each, COMPETING) for each in _death(history)]
    followed = max((*history.alive_days, *_some(history.last_alive)), default=None)
    return _conclude(history, found, followed, "no event", True)


def first_of(history: History, days: Iterable[Occurrence], assessed: Iterable[date], mastectomy: bool) -> Outcome:
    """E14, E16: the first of some occurrences (late toxicity, lymphoedema) after the origin; death competes, and for
    toxicity of the breast mastectomy does.
    """
    found = [(each, EVENT) for each in days]
    found += [(each, COMPETING) for each in _death(history)]
    if mastectomy:
        found += [
            (Occurrence(o.day, "mastectomy", o.keys), COMPETING) for o in history.operations if MASTECTOMY in o.kinds
        ]
    return _conclude(history, found, _last(assessed, history.cut_off), "no event", True)
