"""Hash and check passwords with argon2id, one at a time in each queue (attempt_queue.py).

One hash takes about 150 ms and 64 MB (RFC 9106's second recommended option, argon2-cffi's default). A burst of sign-ins
must not exhaust the memory, nor block the other requests of a gevent worker. The hash therefore runs in a native
thread, in which argon2 releases the GIL. Callers must have no transaction open.
"""

import functools
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.auth.attempt_queue import TRUSTED_BROWSERS, AttemptQueue

MAX_PASSWORD_LENGTH = 200

_hasher = PasswordHasher()


class PasswordCheck(NamedTuple):
    """The result of a check. `renewed_hash` replaces a hash that was made with outdated parameters."""

    is_correct: bool
    renewed_hash: str | None = None


def hash_password(password: str) -> str:
    """Return the hash of a password. Raises ServiceBusy (503)."""
    return TRUSTED_BROWSERS.run_one_at_a_time(lambda: _hasher.hash(password))


def check_hash(password: str, password_hash: str | None, queue: AttemptQueue = TRUSTED_BROWSERS) -> PasswordCheck:
    """Check whether the password matches the hash. Without a hash the check fails after the same time.

    Raises ServiceBusy (503).
    """
    dummy_hash = _dummy_hash()  # computed in any case, or the first unknown email would take twice as long
    return queue.run_one_at_a_time(
        lambda: _check(password, password_hash or dummy_hash, has_hash=password_hash is not None)
    )


def needs_rehash(password_hash: str) -> bool:
    """Return whether the hash was made with outdated parameters."""
    return _hasher.check_needs_rehash(password_hash)


@functools.cache
def _dummy_hash() -> str:
    """Return a hash to check unknown emails against, so that they take as long as a wrong password."""
    return hash_password("password of no profile")


def _check(password: str, password_hash: str, *, has_hash: bool) -> PasswordCheck:
    is_correct = _matches(password, password_hash) and has_hash
    return PasswordCheck(is_correct, _hasher.hash(password) if is_correct and needs_rehash(password_hash) else None)


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
