"""Events and censoring: section 4.5 of the domain specification, row by row and endpoint by endpoint."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from exports.analysis import events
from exports.analysis.competing import CENSORED, COMPETING, EVENT
from exports.analysis.events import LUMPECTOMY, MASTECTOMY, History, Occurrence, Operation

F1 = date(2027, 1, 1)


def day(number: int) -> date:
    return F1 + timedelta(days=number)


def at(number: int, what: str = events.LOCAL) -> Occurrence:
    return Occurrence(day(number), what)


def surgery(number: int, kind: str, for_tumour: bool = False, residual: bool | None = False) -> Operation:
    return Operation(day(number), frozenset({kind}), for_tumour, residual)


# Followed without any event: images to day 300, breast assessed to 310, contact to 320, alive to 330, cut-off 1000.
FOLLOWED = History(
    F1,
    day(1000),
    images=(day(100), day(200), day(300)),
    assessments=(day(100), day(310)),
    contacts=(day(100), day(320)),
    last_alive=day(330),
    alive_days=(day(0), day(100), day(200), day(300), day(330)),
)
EMPTY = History(F1, day(1000), alive_days=(F1,), last_alive=F1)
DEATH = at(400, "death")
PFS, LC, FREE, OS = events.progression_free, events.local_control, events.surgery_free, events.overall_survival
ROWS = [
    # situation, history, then day and cause for PFS, LC, surgery-free, OS (None: the row does not say)
    (
        "event before any post-baseline image",
        replace(EMPTY, failures=(at(50),), death=at(60, "death"), operations=(surgery(50, MASTECTOMY, True, True),)),
        ((50, EVENT), (50, EVENT), (50, EVENT), (60, EVENT)),
    ),
    (
        "no event, still followed",
        FOLLOWED,
        ((300, CENSORED), (310, CENSORED), (320, CENSORED), (330, CENSORED)),
    ),
    (
        "mastectomy without tumour",
        replace(FOLLOWED, operations=(surgery(150, MASTECTOMY),)),
        ((300, CENSORED), (150, COMPETING), (150, EVENT), (330, CENSORED)),
    ),
    (
        "lumpectomy with residual tumour",
        replace(FOLLOWED, operations=(surgery(150, LUMPECTOMY, True, True),)),
        ((150, EVENT), (150, EVENT), (150, EVENT), (330, CENSORED)),
    ),
    (
        "new anticancer therapy outside the plan",
        replace(FOLLOWED, new_therapy=day(250), failures=(at(280),)),
        ((200, CENSORED), (280, EVENT), (320, CENSORED), (330, CENSORED)),
    ),
    (
        "two consecutive missed images, then event",
        replace(FOLLOWED, missed_images=(day(400), day(500)), failures=(at(550),)),
        ((550, EVENT), (550, EVENT), None, None),
    ),
    (
        "death without failure",
        replace(FOLLOWED, death=DEATH),
        ((400, EVENT), (400, COMPETING), (400, EVENT), (400, EVENT)),
    ),
    (
        "equivocal progression not confirmed",
        FOLLOWED,
        ((300, CENSORED), (310, CENSORED), None, None),
    ),
    (
        "no baseline",
        replace(FOLLOWED, baseline=False),
        ((0, CENSORED), (0, CENSORED), None, None),
    ),
    (
        "no post-baseline data",
        EMPTY,
        ((0, CENSORED), (0, CENSORED), (0, CENSORED), (0, CENSORED)),
    ),
    (
        "consent withdrawn, scope ALL",
        replace(FOLLOWED, withdrawn_all=day(250), death=DEATH),
        ((250, CENSORED), (250, CENSORED), (250, CENSORED), (200, CENSORED)),
    ),
    (
        "event after data cut-off",
        replace(FOLLOWED, cut_off=day(350), failures=(at(360),), death=DEATH, operations=(surgery(360, LUMPECTOMY),)),
        ((350, CENSORED), (350, CENSORED), (350, CENSORED), (350, CENSORED)),
    ),
]


@pytest.mark.parametrize(("situation", "history", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_every_row_of_the_table(situation, history, expected):
    for endpoint, told in zip((PFS, LC, FREE, OS), expected, strict=True):
        if told is not None:
            found = endpoint(history)
            assert ((found.day - F1).days, found.cause) == told, (situation, endpoint.__name__, found)


def test_lost_to_follow_up_is_censored_like_no_event():
    """Survival keeps counting until last known alive, which may be later than the last image."""
    lost = replace(FOLLOWED, alive_days=(day(100), day(700)), last_alive=day(700))
    assert (PFS(lost).day, OS(lost).day) == (day(300), day(700))


def test_sensitivity_of_new_therapy_and_of_missed_images():
    therapy = replace(FOLLOWED, new_therapy=day(250), failures=(at(280),))
    assert PFS(therapy, ignore_therapy=True).happened
    gap = replace(FOLLOWED, missed_images=(day(400), day(500)), failures=(at(550),))
    found = PFS(gap, censor_gaps=True)
    assert (found.day, found.cause) == (day(300), CENSORED)
    assert events.local_control(gap, censor_gaps=True).day == day(300)
    one = replace(gap, missed_images=(day(400),))
    assert PFS(one, censor_gaps=True).happened


def test_new_therapy_after_the_event_changes_nothing():
    assert PFS(replace(FOLLOWED, new_therapy=day(290), failures=(at(280),))).day == day(280)


def test_last_known_alive_beyond_the_cut_off_is_censored_there():
    assert OS(replace(FOLLOWED, cut_off=day(320))).day == day(320)


@pytest.mark.parametrize(
    ("what", "local", "locoregional", "distant", "progression", "cancer"),
    [
        (events.LOCAL, EVENT, EVENT, CENSORED, EVENT, CENSORED),
        (events.REGIONAL, CENSORED, EVENT, CENSORED, EVENT, CENSORED),
        (events.DISTANT, CENSORED, CENSORED, EVENT, EVENT, CENSORED),
        (events.CONTRALATERAL, CENSORED, CENSORED, CENSORED, CENSORED, EVENT),
        (events.SECOND, CENSORED, CENSORED, CENSORED, CENSORED, EVENT),
    ],
)
def test_which_failure_is_an_event_of_which_endpoint(what, local, locoregional, distant, progression, cancer):
    history = replace(FOLLOWED, failures=(at(200, what),))
    assert LC(history).cause == local
    assert events.locoregional_control(history).cause == locoregional
    assert events.distant_free(history).cause == distant
    assert PFS(history).cause == progression
    assert PFS(history, with_new_cancers=True).cause == EVENT
    assert events.new_cancer(history).cause == cancer


def test_confirmed_progression_of_the_primary_is_local_failure():
    history = replace(FOLLOWED, primary_progression=(at(200, events.PROGRESSION),))
    assert PFS(history).happened and LC(history).happened


@pytest.mark.parametrize(
    ("operation", "local", "preserved"),
    [
        (surgery(150, MASTECTOMY, True, True), EVENT, EVENT),  # residual tumour
        (surgery(150, MASTECTOMY, True, False), COMPETING, EVENT),
        (surgery(150, MASTECTOMY, True, None), COMPETING, EVENT),
        (surgery(150, LUMPECTOMY, False, True), CENSORED, CENSORED),  # for another reason
        (surgery(150, "axillary"), CENSORED, CENSORED),
    ],
)
def test_surgery_in_local_control_and_preservation(operation, local, preserved):
    history = replace(FOLLOWED, operations=(operation,))
    assert LC(history).cause == local
    assert events.breast_preservation(history).cause == preserved


def test_axillary_surgery_is_no_event_of_surgery_free_preservation():
    assert FREE(replace(FOLLOWED, operations=(surgery(150, "axillary"),))).cause == CENSORED


def test_death_competes_or_counts_as_the_endpoint_says():
    history = replace(FOLLOWED, death=DEATH)
    assert events.surgery_free(history, competing_death=True).cause == COMPETING
    assert events.breast_preservation(history).cause == COMPETING
    assert events.breast_preservation(history, composite=True).cause == EVENT
    assert events.distant_free(history).cause == EVENT


@pytest.mark.parametrize(
    ("cause", "main", "sensitivity"),
    [
        ("breast cancer", EVENT, EVENT),
        ("other", COMPETING, COMPETING),
        ("unknown", COMPETING, EVENT),
        (None, COMPETING, EVENT),
    ],
)
def test_cancer_specific_survival(cause, main, sensitivity):
    history = replace(FOLLOWED, death=DEATH, death_cause=cause)
    assert events.cancer_specific_survival(history).cause == main
    assert events.cancer_specific_survival(history, unknown_counts=True).cause == sensitivity


@pytest.mark.parametrize(
    ("more", "on", "cause"),
    [
        ({"complete_responses": (at(200, "ccr"),)}, 200, EVENT),
        ({"complete_responses": (at(200, "ccr"),), "failures": (at(150),)}, 150, COMPETING),
        ({"operations": (surgery(150, MASTECTOMY),)}, 150, COMPETING),
        ({"death": DEATH}, 400, COMPETING),
        ({}, 300, CENSORED),
    ],
)
def test_time_to_complete_response(more, on, cause):
    found = events.time_to_response(replace(FOLLOWED, **more))
    assert ((found.day - F1).days, found.cause) == (on, cause)


def test_first_late_toxicity_with_mastectomy_and_death_competing():
    history = replace(FOLLOWED, operations=(surgery(150, MASTECTOMY),))
    seen = [at(200, "grade 2")]
    assert events.first_of(history, seen, history.assessments, mastectomy=True).cause == COMPETING
    assert events.first_of(history, seen, history.assessments, mastectomy=False).day == day(200)
    assert events.first_of(FOLLOWED, [], FOLLOWED.assessments, mastectomy=False).day == day(310)


def test_months_count_the_origin_as_day_one_and_never_run_backwards():
    assert PFS(EMPTY).months == pytest.approx(1 / 30.4375)
    early = events.progression_free(replace(FOLLOWED, failures=(at(-5),)))
    assert early.day == F1 and early.happened


def test_on_the_same_day_the_event_goes_before_what_competes():
    history = replace(FOLLOWED, failures=(at(150),), death=at(150, "death"))
    assert LC(history).cause == EVENT
