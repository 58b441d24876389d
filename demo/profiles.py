"""Who the invented participants are and what happens to them, drawn from a seed."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

SEED = 20260131
FIRST_DAY = date(2015, 3, 2)
LAST_DAY = date(2026, 9, 30)

# Each edge case happens to at least two persons, and to one of those who come early enough to live through it.
PLOTS = {
    1: "bilateral",
    2: "lost",
    3: "death_cancer",
    4: "transfer",
    5: "missed_visits",
    6: "withdraw_all",
    7: "partial_fraction",
    8: "distant_failure",
    9: "withdraw_visits",
    10: "local_failure",
    11: "stopped_early",
    12: "lost",
    13: "missed_visits",
    14: "withdraw_visits",
    15: "bilateral",
    16: "death_other",
    17: "transfer",
    18: "severe_dermatitis",
    19: "severe_dermatitis",
    20: "pneumonitis",
    22: "withdraw_all",
    24: "wrong_record",
    26: "partial_fraction",
    31: "holiday_gap",
}

FAILURES = ("IE", "WDC", "PHYS", "TECH", "IE")


@dataclass(frozen=True)
class Profile:
    """One invented person: where and when, her tumour, her treatment, and the plot of her story."""

    index: int
    site: str
    consent: date
    birth: date
    initials: str
    side: str
    size: int
    ct: str
    cn: str
    er: int
    pr: int
    her2: str
    ki67: int
    boost_fractions: int
    height: int
    weight: float
    menopausal: bool
    plot: str
    failure: str | None = None

    @property
    def sides(self) -> list[str]:
        """The breasts that are treated: two when both are affected (edge case 11)."""
        return [self.side, self.other_side] if self.plot == "bilateral" else [self.side]

    @property
    def other_side(self) -> str:
        """The breast on the other side; not treated unless both are affected."""
        return "R" if self.side == "L" else "L"


def _ct(size: int) -> str:
    for limit, code in ((5, "T1a"), (10, "T1b"), (20, "T1c"), (50, "T2")):
        if size <= limit:
            return code
    return "T3"


def _letters(dice: Random) -> str:
    return "".join(dice.choice("BCDFGHJLMQSWXYZ") for _ in range(dice.choice((2, 3, 3))))


def _profile(index: int, consent: date, dice: Random, plot: str, failure: str | None = None) -> Profile:
    size = dice.randint(8, 46)
    age_days = dice.randint(34 * 365, 63 * 365)
    er = dice.choice((0, 5, 60, 80, 90, 90))
    return Profile(
        index=index,
        site="01" if dice.random() < 0.64 else "02",
        consent=consent,
        birth=consent - timedelta(days=age_days),
        initials=_letters(dice),
        side=dice.choice("LR"),
        size=size,
        ct=_ct(size),
        cn=dice.choice(("N0", "N0", "N0", "N1", "N1", "N2a")),
        er=er,
        pr=dice.choice((0, 10, 30, 60, 80)) if er else 0,
        her2=dice.choice(("0", "1", "1", "2", "3")),
        ki67=dice.choice((8, 12, 15, 25, 30, 45)),
        boost_fractions=dice.choice((6, 7, 8)),
        height=dice.randint(150, 172),
        weight=round(dice.uniform(48, 78), 1),
        menopausal=age_days > 51 * 365,
        plot=plot,
        failure=failure,
    )


def draw(participants: int = 42, seed: int = SEED) -> list[Profile]:
    """The people of the trial in order of consent: `participants` who are enrolled, and screen failures among them.

    Enrolment grows denser over the years; the first ones have their ten years of follow-up behind them.
    """
    dice = Random(seed)
    span = (LAST_DAY - FIRST_DAY).days - 40
    shares = sorted(1 - dice.random() ** 2.6 for _ in range(participants))
    shares[0] = 0.0
    people = [
        _profile(i, FIRST_DAY + timedelta(days=int(span * share)), dice, PLOTS.get(i, "plain"))
        for i, share in enumerate(shares)
    ]
    for number in range(max(1, participants // 8)):
        day = FIRST_DAY + timedelta(days=int(span * (number + 0.6) / (participants // 8 + 1)))
        reason = FAILURES[number % len(FAILURES)]
        plot = "rescreened" if number == 3 else "plain"
        people.append(_profile(100 + number, day, dice, plot, reason))
    return sorted(people, key=lambda person: (person.consent, person.index))
