"""RECIST 1.1, every row of section 4.2 of the domain specification, computed by hand."""

from datetime import date, timedelta

import pytest

from exports.analysis import recist
from exports.analysis.recist import (
    CR,
    NCNP,
    NE,
    NONE,
    PD,
    PR,
    SD,
    Confirmation,
    Lesion,
    NewLesion,
    Response,
    TimePoint,
)

START = date(2027, 1, 1)


def day(number: int) -> date:
    return START + timedelta(days=number)


def targets(*sizes: float | None, nodal: bool = False) -> tuple[Lesion, ...]:
    return tuple(
        Lesion(f"T{n:02}", nodal, recist.NOT_EVALUABLE if size is None else recist.MEASURED, size)
        for n, size in enumerate(sizes, start=1)
    )


def point(number: int, *sizes: float | None, **more) -> TimePoint:
    return TimePoint(day(number), targets(*sizes), **more)


@pytest.mark.parametrize(
    ("size", "nodal", "thickness", "measurable"),
    [
        (10, False, 5, True),
        (9.9, False, 5, False),  # cT1a-b primaries are non-target
        (10, False, 6, False),
        (15, True, 5, True),
        (14.9, True, 5, False),
        (10, False, None, True),  # by caliper
    ],
)
def test_measurable(size, nodal, thickness, measurable):
    assert recist.is_measurable(size, nodal, thickness) is measurable


@pytest.mark.parametrize(("axis", "kind"), [(15, "target"), (14.9, "non-target"), (10, "non-target"), (9.9, "normal")])
def test_nodes_at_baseline(axis, kind):
    assert recist.classify_node(axis) == kind


@pytest.mark.parametrize(
    ("organs", "too_many"),
    [
        (["breast", "breast", "node", "node", "lung"], False),
        (["breast"] * 3, True),
        (list("abcdef"), True),
        ([], False),
    ],
)
def test_at_most_five_targets_and_two_per_organ(organs, too_many):
    assert recist.too_many(organs) is too_many


@pytest.mark.parametrize(
    ("lesions", "total"),
    [
        (targets(20, 12.5), 32.5),
        (targets(20, None), None),  # any target not evaluable
        ((Lesion("T01", status=recist.TOO_SMALL), Lesion("T02", status=recist.ABSENT)), 5),
        ((Lesion("T01", status=recist.TOO_SMALL, size=3),), 3),  # or the measured value
        ((Lesion("T01", status=recist.SPLIT, size=8), Lesion("T01", status=recist.SPLIT, size=7)), 15),
        ((Lesion("T01", size=30), Lesion("T02", status=recist.MERGED, size=12)), 30),
        ((), None),
    ],
)
def test_sum_of_diameters(lesions, total):
    assert recist.sum_of_diameters(lesions) == total


@pytest.mark.parametrize(
    ("sizes", "baseline", "nadir", "response"),
    [
        ((0, 0), 50, 50, CR),
        ((0, 1), 50, 20, PR),
        ((35,), 50, 50, PR),  # exactly 0.70 x baseline
        ((35.01,), 50, 50, SD),  # unrounded
        ((24,), 50, 20, PR),  # + 20% but only 4 mm: no progression
        ((25,), 50, 20, PD),  # + 25% and 5 mm: before partial response
        ((30,), 50, 25, PD),  # exactly 1.20 x nadir and 5 mm
        ((59.9,), 50, 50, SD),  # below 1.20 x nadir
        ((60,), 50, 50, PD),
        ((10, None), 50, 50, NE),
        ((62, None), 50, 50, PD),  # already proven by the measured part
    ],
)
def test_target_response(sizes, baseline, nadir, response):
    assert recist.target_response(point(90, *sizes), baseline, nadir) == response


def test_nodes_below_10_mm_are_complete_response_though_not_gone():
    found = TimePoint(day(90), (Lesion("T01", status=recist.ABSENT), Lesion("T02", True, size=9.9)))
    assert recist.target_response(found, 40, 40) == CR
    assert recist.target_response(TimePoint(day(90), (Lesion("T02", True, size=10),)), 40, 40) == PR


@pytest.mark.parametrize(
    ("statuses", "response"),
    [
        ((), NONE),
        (("absent", "absent"), CR),
        (("absent", "present"), NCNP),
        (("absent", "ne"), NE),
        (("ne", "progressed"), PD),
    ],
)
def test_non_target_response(statuses, response):
    assert recist.non_target_response(statuses) == response


def test_a_non_target_not_found_again_is_not_evaluable():
    assert recist.non_target_response(("absent",), expected=2) == NE


@pytest.mark.parametrize(
    ("target", "non_target", "new", "overall"),
    [
        (CR, CR, False, CR),
        (CR, NONE, False, CR),
        (CR, NCNP, False, PR),
        (CR, NE, False, PR),
        (PR, NCNP, False, PR),
        (PR, NE, False, PR),
        (PR, NONE, False, PR),
        (SD, CR, False, SD),
        (SD, NCNP, False, SD),
        (SD, NE, False, SD),
        (NE, NCNP, False, NE),
        (NE, NE, False, NE),
        (PD, CR, False, PD),
        (SD, PD, False, PD),
        (None, PD, False, PD),
        (CR, CR, True, PD),
        (None, NONE, True, PD),
        (None, CR, False, CR),  # non-target only
        (None, NCNP, False, NCNP),
        (None, NE, False, NE),
        (None, NONE, False, NE),
    ],
)
def test_overall_response(target, non_target, new, overall):
    assert recist.overall_response(target, non_target, new) == overall


@pytest.mark.parametrize(
    ("lesion", "counts"),
    [
        (NewLesion(), True),
        (NewLesion(equivocal=True), False),
        (NewLesion(equivocal=True, confirmed=True), True),
        (NewLesion(equivocal=True, confirmed=False), False),  # benign on biopsy
    ],
)
def test_only_unequivocal_new_lesions_count(lesion, counts):
    assert lesion.unequivocal is counts


def test_the_nadir_includes_baseline_and_comes_before_the_time_point():
    found = recist.assess(point(0, 40), [point(90, 20), point(180, 26), point(270, 18)])
    assert [(r.sum, r.nadir, r.target) for r in found] == [(20, 40, PR), (26, 20, PD), (18, 20, PR)]
    assert found[1].change == pytest.approx(-35) and found[1].from_nadir == pytest.approx(30)


def test_a_target_that_was_not_looked_at_makes_the_time_point_not_evaluable():
    assert recist.assess(point(0, 40, 20), [point(90, 20)])[0].overall == NE
    assert recist.assess(point(0, 40), [TimePoint(day(90))])[0].target == NE


def test_progression_is_dated_at_the_earliest_image_that_shows_it():
    late = TimePoint(day(95), targets(40), new=(NewLesion(day(91)), NewLesion(day(90), equivocal=True)))
    assert recist.assess(point(0, 40), [late])[0].day == day(91)


def response(number: int, overall: str, unconfirmed: bool = False) -> Response:
    return Response(day(number), None, NONE, False, overall, None, None, None, None, unconfirmed)


EARLY = Confirmation(equivocal_until=day(200))


@pytest.mark.parametrize(
    ("responses", "proven", "on", "equivocal"),
    [
        ([response(100, PD)], [], None, 1),  # equivocal, not confirmed
        ([response(100, PD), response(128, PD)], [], day(100), 0),  # 4 weeks later: dated at the first image
        ([response(100, PD), response(127, PD)], [], None, 2),  # too early
        ([response(100, PD), response(185, PD)], [], None, 2),  # later than 12 weeks
        ([response(100, PD)], [day(110)], day(100), 0),  # biopsy
        ([response(100, PD), response(150, SD)], [], None, 1),
        ([response(201, PD)], [], day(201), 0),  # after 6 months no confirmation
        ([response(201, PD, unconfirmed=True)], [], None, 1),  # its reader waits
    ],
)
def test_progression_in_the_first_months_needs_confirmation(responses, proven, on, equivocal):
    found, waiting = recist.progression(responses, EARLY, proven)
    assert (found.day if found else None) == on and len(waiting) == equivocal


@pytest.mark.parametrize(
    ("responses", "end", "rule", "best"),
    [
        ([response(60, SD), response(120, PR), response(180, CR)], None, Confirmation(), CR),
        ([response(60, SD), response(120, PR), response(180, CR)], day(150), Confirmation(), PR),  # up to surgery
        ([response(55, SD)], None, Confirmation(), NE),  # SD needs 8 weeks
        ([response(56, SD)], None, Confirmation(), SD),
        ([response(40, SD), response(80, PD)], day(80), Confirmation(), PD),
        ([response(60, NCNP)], None, Confirmation(), NCNP),
        ([response(60, NE)], None, Confirmation(), NE),
        ([], None, Confirmation(), NE),
        ([response(60, CR), response(80, CR)], None, Confirmation(response_days=28), SD),  # not confirmed
        ([response(60, CR), response(88, CR)], None, Confirmation(response_days=28), CR),
        ([response(60, CR), response(88, PR)], None, Confirmation(response_days=28), PR),
        ([response(60, PR), response(88, CR)], None, Confirmation(response_days=28), PR),
        ([response(60, PR), response(88, SD)], None, Confirmation(response_days=28), SD),
    ],
)
def test_best_overall_response(responses, end, rule, best):
    assert recist.best_response(responses, START, end, rule) == best


@pytest.mark.parametrize(
    ("palpable", "enhancement", "gone", "nodes", "new", "residual", "code"),
    [
        (False, False, None, [9.9], False, None, "CCR"),
        (False, None, True, [], False, None, "CCR"),  # or the lesion is gone on MRI
        (False, True, True, [], False, None, "CCR"),
        (False, False, None, [], False, False, "CCR"),
        (True, False, None, [], False, None, "NCCR"),
        (False, True, False, [], False, None, "NCCR"),
        (False, False, None, [10], False, None, "NCCR"),
        (False, False, None, [], True, None, "NCCR"),
        (False, False, None, [], False, True, "NCCR"),  # biopsy shows tumour
        (False, None, None, [], False, None, "NE"),  # MRI missing
        (None, False, None, [], False, None, "NE"),
    ],
)
def test_clinical_complete_response(palpable, enhancement, gone, nodes, new, residual, code):
    assert recist.complete_response(palpable, enhancement, gone, nodes, new, residual) == code
