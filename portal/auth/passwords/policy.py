"""Check new passwords against the password policy.

The policy follows NIST SP 800-63B-4, 3.1.1.2: a minimum length, a list of common passwords and words of the context. It
requires no mixture of characters and no periodic change.
"""

import functools
import re
from collections.abc import Iterable
from pathlib import Path

from portal.auth.passwords.hashing import MAX_PASSWORD_LENGTH
from portal.config import DEMO_PASSWORD
from portal.errors import InvalidInput

MIN_PASSWORD_LENGTH = 12
MIN_UNCOMMON_CHARACTERS = 8  # characters left after removing product and personal words
PRODUCT_WORDS = ("kingston", "kingstons", "portal", "password")
MIN_WORD_LENGTH = 3
COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt")


def check_password(password: str, names: Iterable[str], field: str = "password") -> None:
    """Raise InvalidInput (422) for a weak password. `names` are the user's names and email."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise InvalidInput(field, f"must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters")
    if password == DEMO_PASSWORD:
        raise InvalidInput(field, "is the public password of the demo")
    if password.casefold() in common_passwords():
        raise InvalidInput(field, "is one of the most common passwords")
    if len(_without(password.casefold(), personal_words(names))) < MIN_UNCOMMON_CHARACTERS:
        raise InvalidInput(field, "contains little more than your name, your email address or the portal’s name")


def personal_words(names: Iterable[str]) -> list[str]:
    """Return the words that are no secret for this user, the longest first."""
    parts = {part for name in names for part in re.split(r"[\W_0-9]+", name.casefold()) if len(part) >= MIN_WORD_LENGTH}
    return sorted(parts | set(PRODUCT_WORDS), key=lambda word: (-len(word), word))


@functools.cache
def common_passwords() -> frozenset[str]:
    """Return the common passwords in lower case. Comment lines in the file name its source."""
    lines = COMMON_PASSWORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _without(password: str, words: Iterable[str]) -> str:
    for word in words:
        password = password.replace(word, "")
    return re.sub(r"[\W_]+", "", password)
