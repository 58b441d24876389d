"""What an installation asks of passwords beyond length and blocklist: named profiles, because the rules conflict.

`nist` follows NIST SP 800-63B-4 and OWASP ASVS 6.2.5 and 6.2.10, which forbid composition rules and forced
changes. `cn-mlps3` follows GB/T 22239-2019 level 3 and CFDA 2016 No. 112, which ask for both: three of four
kinds of characters, a change every 90 days, and none of the last five passwords (SEC-04, CN-07). Hospitals in
China use the second; that it deviates from ASVS is recorded in docs/adr/0008-password-profiles.md.
"""

from dataclasses import dataclass
from datetime import timedelta

SHORTEST = 15  # the password is the only factor: NIST SP 800-63B-4


@dataclass(frozen=True)
class PasswordProfile:
    """`kinds`: how many of lower case, upper case, digits and other characters there must be; `history`: how many
    former passwords may not come back; `lifetime`: after which a password must be changed.
    """

    name: str
    shortest: int = SHORTEST
    kinds: int = 1
    history: int = 1
    lifetime: timedelta | None = None


NIST = PasswordProfile("nist")
CN_MLPS3 = PasswordProfile("cn-mlps3", kinds=3, history=5, lifetime=timedelta(days=90))
PROFILES = {profile.name: profile for profile in (NIST, CN_MLPS3)}
LONGEST_HISTORY = max(profile.history for profile in PROFILES.values())


def kinds_of(password: str) -> int:
    """How many of the four kinds a password has; a Chinese character counts with the signs."""
    found = {
        "lower" if "a" <= each <= "z" else "upper" if "A" <= each <= "Z" else "digit" if "0" <= each <= "9" else "other"
        for each in password
    }
    return len(found)
