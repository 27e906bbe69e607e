"""Hashing and checking passwords with argon2id, a bounded number at a time.

One hash takes about 150 ms and 64 MB (RFC 9106's second recommended option, argon2-cffi's default), so a
burst of sign-ins must neither exhaust the memory nor, under gevent, hold up every other request of the
worker: the hash runs in one of few real threads, where argon2 releases the interpreter. Who does not get one of them
in time is told to come again.
"""

import functools
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import ComeBackLater

MOST_HASHES_AT_ONCE = 2
LONGEST_WAIT_SECONDS = 5.0
MAX_LENGTH = 200

_hasher = PasswordHasher()
_places = threading.BoundedSemaphore(MOST_HASHES_AT_ONCE)
_T = TypeVar("_T")


def hash_password(password: str) -> str:
    """Raises ComeBackLater (503), as `is_right_password` does."""
    return _bounded(lambda: _hasher.hash(password))


def is_right_password(password: str, password_hash: str | None) -> bool:
    """Whether the password matches; takes the same time without a hash, and then says no."""
    nobodys_hash = _nobodys_hash()
    return _bounded(lambda: _matches(password, password_hash or nobodys_hash)) and password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@functools.cache
def _nobodys_hash() -> str:
    """What an unknown e-mail is checked against, so that it costs the same time as a wrong password."""
    return hash_password("nobody has this password")


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _bounded(work: Callable[[], _T]) -> _T:
    if not _places.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise ComeBackLater("Too many people are signing in just now. Please try again in a moment.")
    try:
        return _in_real_thread(work)
    finally:
        _places.release()


def _in_real_thread(work: Callable[[], _T]) -> _T:
    gevent = sys.modules.get("gevent")
    if gevent is None:
        return work()
    result: _T = gevent.get_hub().threadpool.apply(work)
    return result
