"""What a password must be, and how it is kept.

Length and a blocklist first: at least 15 characters because the password is the only factor (NIST SP
800-63B-4), at most 256, every character counts, nothing is cut off or changed (SEC-02); whatever the
installation's profile asks comes on top (SEC-04). Kept as Argon2id with at least 19 MiB and two passes, and
hashed anew when these parameters rise (SEC-01).
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workflows.password_profiles import NIST, SHORTEST, PasswordProfile, kinds_of
from workflows.refusals import Refusal

LONGEST = 256
FEWEST_DIFFERENT = 6
LONGEST_NAME = 100
BLOCKLIST = Path(__file__).with_name("blocklist.txt")

# What anybody could guess here: the product, the trial, the place, the disease, the treatment (SEC-03).
CONTEXT_WORDS = (
    "evidentia", "xunzhenglu", "carbon", "carbonion", "breast", "cancer", "radiotherapy", "radiation",
    "hadron",
    "heavyion", "protofield", "wuwei", "gansu", "lanzhou", "china", "hospital", "center", "centre", "nurse",
    "doctor",
    "investigator", "monitor", "administrator", "statistician", "inspector", "clinical", "trial", "study",
    "patient",
    "participant", "ctcae", "recist", "tamoxifen", "letrozole", "trastuzumab", "temporary", "welcome",
    "武威", "甘肃", "兰州", "重离子", "碳离子", "乳腺癌", "医院", "放疗", "研究", "试验", "护士", "医生",
    "密码", "循证录",
)  # fmt: skip

LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "01234567890",
    "1qaz2wsx3edc4rfv5tgb",
)

TOO_SHORT = (
    "Too short: use at least {count} characters. Several words in a row are easy to remember.",
    "密码太短：至少{count}个字符。可使用几个词连成的短语，便于记忆。",
)
TOO_LONG = ("Too long: use at most {count} characters.", "密码太长：最多{count}个字符。")
COMMON = (
    "This password, or what it is built from, is on the list of common passwords. Choose another one.",
    "该密码或其组成部分在常用密码名单中，请另选。",
)
CONTEXT = (
    "Mostly words that anybody here would guess (name, hospital, trial). Choose other words.",
    "密码主要由容易被猜到的词组成（姓名、医院、试验），请换用其他词。",
)
PLAIN = ("Too few different characters, or a run of the keyboard. Choose another one.",
         "密码中不同字符太少，或为键盘顺序字符，请另选。")  # fmt: skip
TOO_FEW_KINDS = (
    "Use at least {count} of these four: lower-case letters, capitals, digits, other characters or spaces.",
    "须至少包含以下四类字符中的{count}类：小写字母、大写字母、数字、其他字符或空格。",
)

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def name_key(username: str) -> str:
    """The form in which user names are compared: one person cannot pass for another by look-alike letters."""
    return unicodedata.normalize("NFKC", username.strip()).casefold()[:LONGEST_NAME]


def hash_password(password: str) -> str:
    """The Argon2id hash of a password, with its own salt."""
    return _hasher.hash(password)


def is_right(password_hash: str, password: str) -> bool:
    """Whether the password is the one that was hashed."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@lru_cache(maxsize=1)
def _dummy_hash() -> str:
    return hash_password("nobody has this password")


def spend_time(password: str) -> None:
    """Take as long as a real comparison, so that unknown names cannot be told by the clock."""
    is_right(_dummy_hash(), password)


@lru_cache(maxsize=1)
def _blocked() -> frozenset[str]:
    lines = BLOCKLIST.read_text(encoding="utf-8").splitlines()
    return frozenset(_plain(line) for line in lines if line and not line.startswith("#"))


def _plain(text: str) -> str:
    """Lower case, without look-alike digits, spaces and signs: the form in which guesses are compared."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(LEET)
    return re.sub(r"[\W_]+", "", folded)


def check(password: str, names: Iterable[str] = (), profile: PasswordProfile = NIST) -> None:
    """Whether a new password may be used; `names` are the person's own names, `profile` the installation's.

    Raises:
        Refusal: it may not, with the reason and what to do.
    """
    if len(password) < profile.shortest:
        raise _weak(TOO_SHORT, profile.shortest)
    if len(password) > LONGEST:
        raise _weak(TOO_LONG, LONGEST)
    if kinds_of(password) < profile.kinds:
        raise _weak(TOO_FEW_KINDS, profile.kinds)
    if len(set(password.casefold())) < FEWEST_DIFFERENT or _is_run(password):
        raise _weak(PLAIN)
    if any(form in _blocked() or _is_built_of(form, _blocked()) for form in _forms(password)):
        raise _weak(COMMON)
    if _left_over(_plain(password), [*CONTEXT_WORDS, *names]) < SHORTEST // 2:
        raise _weak(CONTEXT)


def _forms(password: str) -> set[str]:
    """The password as it stands, without signs and digits around it, and without any: what may be a listed
    word.
    """
    letters = re.sub(r"[\W\d_]+", "", password.casefold())
    return {_plain(password), _plain(re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password)), letters}


def _weak(sentence: tuple[str, str], count: int = 0) -> Refusal:
    return Refusal("password-weak", why=(sentence[0].format(count=count), sentence[1].format(count=count)))


def _is_run(password: str) -> bool:
    """Whether it is a piece of the keyboard or the alphabet, once or several times, forwards or backwards."""
    folded = re.sub(r"[\W_]+", "", password.casefold())
    rows = [row for run in RUNS for row in (run, run[::-1])]
    pieces = re.findall("|".join(sorted({row[i : i + 4] for row in rows for i in range(len(row) - 3)})), folded)
    return len(folded) == 0 or sum(map(len, pieces)) >= len(folded) - 3


def _is_built_of(plain: str, words: frozenset[str]) -> bool:
    """Whether it is one listed word repeated, or a few listed words one after the other."""
    for size in range(4, len(plain) // 2 + 1):
        if len(plain) % size == 0 and plain[:size] * (len(plain) // size) == plain:
            return True
    reached = {0}
    for end in range(1, len(plain) + 1):
        if any(plain[start:end] in words for start in reached if end - start >= 4):
            reached.add(end)
    return len(plain) in reached


def _left_over(plain: str, words: Iterable[str]) -> int:
    """How many characters remain when words that anybody would guess, and all digits, are taken out."""
    rest = plain
    for word in sorted({_plain(word) for word in words} - {""}, key=len, reverse=True):
        if len(word) > 1:
            rest = rest.replace(word, "")
    return len(re.sub(r"\d", "", rest))
