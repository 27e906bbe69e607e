"""Whether an email and a password belong together, without a transaction while the password is hashed.

What is read before the hash is compared with what is there after it: a password that was replaced meanwhile, or a
profile that was deactivated, lets nobody in.
"""

from typing import NamedTuple

from sqlalchemy import select, update

from portal.auth import profiles
from portal.auth.attempt_queue import KNOWN, Lane
from portal.auth.models import Profile
from portal.auth.passwords import hashing
from portal.config import DEMO_PASSWORD
from portal.extensions import db


class Account(NamedTuple):
    """What a password is checked against, as it was before the hash."""

    profile_id: int
    password_hash: str | None
    session_epoch: int
    is_active: bool


class Answer(NamedTuple):
    """`account` is the one of the email, if there is one; `profile` is None unless the password opens it."""

    account: Account | None
    profile: Profile | None


def authenticate(email: str, password: str, *, is_demo: bool, lane: Lane = KNOWN) -> Answer:
    """Unknown, wrong and deactivated look and take the same. Raises ComeBackLater (503).

    Outside demo mode the demo's public password opens nothing, even in a database that a demo has filled. Ends the
    present transaction, and begins a new one only where the password is right.
    """
    account = _account_of(email)
    db.session.rollback()
    checked = hashing.check(password, account.password_hash if account else None, lane)
    is_refused = password == DEMO_PASSWORD and not is_demo
    if account is None or not checked.is_right or not account.is_active or is_refused:
        return Answer(account, None)
    return Answer(account, _still(account, checked.renewed_hash))


def _account_of(email: str) -> Account | None:
    profile = profiles.find_by_email(email)
    if profile is None:
        return None
    return Account(profile.id, profile.password_hash, profile.session_epoch, profile.is_active)


def _still(account: Account, renewed_hash: str | None) -> Profile | None:
    """The profile, if nothing of the account has changed since. Puts the renewed hash in place of the old one."""
    unchanged = (
        Profile.id == account.profile_id,
        Profile.password_hash == account.password_hash,
        Profile.session_epoch == account.session_epoch,
        Profile.is_active,
    )
    if renewed_hash is None:
        return db.session.scalar(select(Profile).where(*unchanged))
    return db.session.scalar(update(Profile).where(*unchanged).values(password_hash=renewed_hash).returning(Profile))
