"""RECIST 1.1 (Eisenhauer et al., Eur J Cancer 2009;45:228-247) once more, from the guideline and not from the rules of the study.

Diameters are whole tenths of a millimetre, so that nothing is rounded.
"""

from __future__ import annotations

Lesion = tuple[bool, str, int | None]  # whether it is a node; its status; its diameter


def evaluable(lesion: Lesion) -> int | None:
    """What a lesion adds to the sum: 5 mm when too small to measure, nothing when gone or merged, None when unknown."""
    _node, status, size = lesion
    return {"TSTM": 50, "ABS": 0, "MRG": 0, "NE": None}.get(status, size)


def gone(lesion: Lesion) -> bool:
    """Disappeared; a node when its short axis is below 10 mm."""
    node, status, size = lesion
    if status in ("ABS", "MRG"):
        return True
    if status == "TSTM":
        return node
    return size is not None and (size == 0 or (node and size < 100))


def target_response(baseline: list[Lesion], before: list[list[Lesion]], now: list[Lesion]) -> str | None:
    """Complete response first, then progression from the smallest sum so far, then partial response from baseline."""
    if not baseline:
        return None
    if len(now) >= len(baseline) and all(evaluable(each) is not None and gone(each) for each in now):
        return "CR"
    sums = [total for each in (baseline, *before) if (total := whole_sum(each, len(baseline))) is not None]
    measured = sum(evaluable(each) or 0 for each in now)
    if measured * 5 >= min(sums) * 6 and measured - min(sums) >= 50:
        return "PD"
    total = whole_sum(now, len(baseline))
    if total is None:
        return "NE"
    return "PR" if total * 10 <= sums[0] * 7 else "SD"


def whole_sum(lesions: list[Lesion], expected: int) -> int | None:
    """The sum of diameters, when every lesion can be evaluated."""
    sizes = [evaluable(each) for each in lesions]
    return sum(each or 0 for each in sizes) if len(sizes) >= expected and None not in sizes else None


def non_target_response(baseline: int, now: list[str]) -> str:
    """Of the lesions that are followed without measuring."""
    if not baseline:
        return "NA"
    if "UPD" in now:
        return "PD"
    if "NE" in now or "" in now or len(now) < baseline:
        return "NE"
    return "CR" if set(now) == {"ABS"} else "NCNP"


def new_lesion(found: dict[str, str] | None) -> str | None:
    """One that is definite, or was confirmed; a benign biopsy rules it out. None: the question is not answered."""
    if found is None:
        return None
    if not found or found.get("NLBX") == "N":
        return "N"
    return "Y" if found.get("NLEQV") in (None, "N") or found.get("NLBX") == "Y" else "N"


def overall_response(target: str | None, non_target: str, new: str | None) -> str | None:
    """Tables 1 and 2 of the guideline; nothing but progression is said before new lesions are answered for."""
    if "PD" in (target, non_target) or new == "Y":
        return "PD"
    if new is None:
        return None
    if target is None:
        return None if non_target == "NA" else non_target
    return "PR" if target == "CR" and non_target not in ("CR", "NA") else target
