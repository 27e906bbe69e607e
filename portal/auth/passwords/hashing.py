"""Hashing and checking passwords with argon2id, one at a time in each lane (lanes.py).

One hash takes about 150 ms and 64 MB (RFC 9106's second recommended option, argon2-cffi's default), so a burst of
sign-ins must neither exhaust the memory nor, under gevent, hold up every other request of the worker: the hash runs in
a real thread, where argon2 releases the interpreter. Whoever calls this has no transaction open.
"""

import functools
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.auth.attempt_queue import KNOWN, Lane

MAX_PASSWORD_LENGTH = 200

_hasher = PasswordHasher()


class Checked(NamedTuple):
    """Whether the password was right; `renewed_hash` replaces one that was made with other parameters than today's."""

    is_right: bool
    renewed_hash: str | None = None


def hash_password(password: str) -> str:
    """Raises ComeBackLater (503), as `check` does."""
    return KNOWN.hash_in_turn(lambda: _hasher.hash(password))


def check(password: str, password_hash: str | None, lane: Lane = KNOWN) -> Checked:
    """Whether the password matches; takes the same time without a hash, and then says no."""
    nobodys_hash = _dummy_hash()  # made for everybody, or the first unknown email would take twice as long
    return lane.hash_in_turn(
        lambda: _check(password, password_hash or nobodys_hash, is_somebodys=password_hash is not None)
    )


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@functools.cache
def _dummy_hash() -> str:
    """What an unknown email is checked against, so that it costs the same time as a wrong password."""
    return hash_password("nobody has this password")


def _check(password: str, password_hash: str, *, is_somebodys: bool) -> Checked:
    is_right = _matches(password, password_hash) and is_somebodys
    return Checked(is_right, _hasher.hash(password) if is_right and needs_rehash(password_hash) else None)


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
