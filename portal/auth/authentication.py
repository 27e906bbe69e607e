"""Check an email and a password, without an open transaction while the password is hashed.

The account is read before hashing and compared with its state afterwards. The check fails if the password was replaced
or the profile was deactivated in between.
"""

from typing import NamedTuple

from sqlalchemy import select, update

from portal.auth import profiles
from portal.auth.attempt_queue import TRUSTED_BROWSERS, AttemptQueue
from portal.auth.models import Profile
from portal.auth.passwords import hashing
from portal.config import DEMO_PASSWORD
from portal.extensions import db


class Account(NamedTuple):
    """The state of an account before hashing."""

    profile_id: int
    password_hash: str | None
    session_epoch: int
    is_active: bool


class AuthenticationResult(NamedTuple):
    """`account` is the account with the email, if any. `profile` is None unless the password is correct."""

    account: Account | None
    profile: Profile | None


def authenticate(
    email: str, password: str, *, is_demo: bool, queue: AttemptQueue = TRUSTED_BROWSERS
) -> AuthenticationResult:
    """Check the email and password. Raises ServiceBusy (503).

    An unknown email, a wrong password and a deactivated profile give the same result in the same time. Outside demo
    mode the public demo password is always rejected, even in a database that was filled by a demo. Ends the current
    transaction, and begins a new one only if the password is correct.
    """
    account = _find_account(email)
    db.session.rollback()
    check = hashing.check_hash(password, account.password_hash if account else None, queue)
    is_demo_password_rejected = password == DEMO_PASSWORD and not is_demo
    if account is None or not check.is_correct or not account.is_active or is_demo_password_rejected:
        return AuthenticationResult(account, None)
    return AuthenticationResult(account, _reload_if_unchanged(account, check.renewed_hash))


def _find_account(email: str) -> Account | None:
    profile = profiles.find_by_email(email)
    if profile is None:
        return None
    return Account(profile.id, profile.password_hash, profile.session_epoch, profile.is_active)


def _reload_if_unchanged(account: Account, renewed_hash: str | None) -> Profile | None:
    """Return the profile if the account has not changed since it was read. Store the renewed hash, if any."""
    unchanged = (
        Profile.id == account.profile_id,
        Profile.password_hash == account.password_hash,
        Profile.session_epoch == account.session_epoch,
        Profile.is_active,
    )
    if renewed_hash is None:
        return db.session.scalar(select(Profile).where(*unchanged))
    return db.session.scalar(update(Profile).where(*unchanged).values(password_hash=renewed_hash).returning(Profile))
