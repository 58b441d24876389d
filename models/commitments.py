"""The hashes of the audit trail: canonical JSON, salted commitments, leaves and links.

Canonical JSON here is what RFC 8785 asks for, although orjson makes no such promise in general. The two could
differ in how fractions are written, in integers beyond 2^53, and in the order of keys outside the Basic
Multilingual Plane. `canonical` therefore takes no fractions (a measured value is text, exactly as entered),
and the bodies of changes and the documents of a study use ASCII keys and small integers. What is left (sorted
keys, no white space, UTF-8, escapes only for `"`, `\\` and control characters) is the same in both; a test
compares it with another implementation.
"""

import hashlib
import os
from typing import Any

import orjson

ALGORITHM = "sha256"
BODY_VERSION = 1
ZEROS = "0" * 64  # what the first change of a chain names as its predecessor
SALT_BYTES = 16


def canonical(value: Any) -> bytes:
    """A JSON value as its one canonical text.

    Raises:
        TypeError: the value holds something that is not text, a whole number, a bool, None, a list or a dict.
    """
    if type(value) is not str and _has_fraction(value):
        raise TypeError("numbers with a fraction are stored as text")
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def sorted_json(value: Any) -> bytes:
    """The same text for what is known to hold no fractions: a body, or what was read from the trail."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _has_fraction(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return False
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return isinstance(value, float)
    return any(type(each) is not str and _has_fraction(each) for each in value)


def new_salts(count: int) -> list[bytes]:
    """Fresh random salts; one call to the operating system for all of them."""
    noise = os.urandom(SALT_BYTES * count)
    return [noise[start : start + SALT_BYTES] for start in range(0, len(noise), SALT_BYTES)]


def commit(salt: bytes, text: bytes) -> str:
    """What binds to a value without telling it: the salt keeps `yes` and `no` from being guessed."""
    return hashlib.sha256(b"\x02" + salt + text).hexdigest()


def leaf_of(body: bytes) -> str:
    """The hash of one change's body."""
    return hashlib.sha256(b"\x00" + body).hexdigest()


def link_of(prev: str, leaf: str) -> str:
    """The hash that ties a change to the one before it."""
    return hashlib.sha256(b"\x03" + bytes.fromhex(prev) + bytes.fromhex(leaf)).hexdigest()
