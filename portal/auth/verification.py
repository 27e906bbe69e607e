"""Verify passwords and codes. Each attempt is counted before the input is checked (attempts.py).

No transaction is open while a blocked attempt waits or a password is hashed. Each failure is recorded in the audit log.
After a success the caller commits.
"""

import logging
import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from portal.auth import profiles, throttle, trusted_devices
from portal.auth.attempt_queue import CODES, TRUSTED_BROWSERS, UNKNOWN_BROWSERS, AttemptQueue
from portal.auth.attempts import Attempt, Browser, counted_attempt
from portal.auth.authentication import authenticate
from portal.auth.mfa import one_time_codes, totp
from portal.auth.models import Profile
from portal.auth.passwords import hashing
from portal.auth.sessions import store
from portal.auth.throttle import ADDRESS, CODE, DEVICE, REAUTHENTICATION, TRUSTED_CODE, ThrottleSubject
from portal.config import Settings
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web.actor import RequestOrigin
from portal.web.proxies import network_of
from portal.web.session_cookie import Identity

logger = logging.getLogger(__name__)
WRONG_PASSWORD = "is not your password"  # noqa: S105
NO_PROFILE_ID = 0  # no profile has this id
# How long recent wrong passwords from unknown browsers took in this process, including the wait in the queue.
_recent_check_seconds: deque[float] = deque(maxlen=8)


def verify_password(email: str, password: str, browser: Browser, settings: Settings) -> Profile | None:
    """Return the profile, or None. Unknown, wrong, deactivated and locked look the same and take the same time.

    Raises TooManyAttempts (429) only where it reveals nothing about an account: for an address that tried too many
    accounts, and to the account's own trusted devices. Raises ServiceBusy (503).
    """
    trusted_id, origin = _trusted_profile_id(email, browser), browser.origin
    subjects = throttle.sign_in_subjects(email, origin.address, trusted_id)
    if trusted_id is not None:
        with counted_attempt(TRUSTED_BROWSERS, str(trusted_id), subjects, origin, reveal={DEVICE}) as attempt:
            return _authenticate(email, password, attempt, TRUSTED_BROWSERS, settings)
    started = time.monotonic()
    with counted_attempt(UNKNOWN_BROWSERS, network_of(origin.address), subjects, origin, reveal={ADDRESS}) as attempt:
        if not attempt.decision.is_admitted:
            logger.info("sign-in rejected: too many attempts at one account")
            _wait_as_long_as_a_check(password, started)
            return None
        profile = _authenticate(email, password, attempt, UNKNOWN_BROWSERS, settings)
        if profile is None:
            _recent_check_seconds.append(time.monotonic() - started)
        return profile


def verify_second_factor(profile: Profile, typed: str, browser: Browser, settings: Settings) -> str | None:
    """Return the kind of the second-factor code, or None if it is incorrect. Raises TooManyAttempts (429)."""
    profile_id = profile.id
    with _counted_code(profile, browser) as attempt:
        kind = totp.consume_code(profile_id, typed, settings)
        if kind is None:
            attempt.fail(profile_id, "code")
        else:
            attempt.succeed()
        return kind


def confirm_enrolment(profile: Profile, typed: str, browser: Browser, settings: Settings) -> list[str]:
    """Activate the second factor with its first code. Return the recovery codes. Revokes the trust in other browsers.

    Raises InvalidInput (422), TooManyAttempts (429).
    """
    profile_id = profile.id
    with _counted_code(profile, browser) as attempt:
        recovery_codes = totp.confirm_enrolment(profile_id, typed, settings)
        attempt.succeed()
        trusted_devices.revoke_others(browser.device_tokens, profile_id)
        return recovery_codes


def reauthenticate(profile: Profile, password: str, session: Identity, origin: RequestOrigin) -> None:
    """Verify the password before a sensitive action, then lock the session until the commit.

    Raises InvalidInput (422), TooManyAttempts (429), ServiceBusy (503), or NotSignedIn (401) if the session ended
    while the password was hashed.
    """
    with _reauthenticated(profile, password, session, origin):
        pass


def reauthenticate_for_new_password(
    profile: Profile, password: str, new_password: str, session: Identity, origin: RequestOrigin
) -> str:
    """Reauthenticate, and return the hash of the new password. Raises InvalidInput (422) also for a weak password."""
    names = profile.names
    with _reauthenticated(profile, password, session, origin):
        new_hash = profiles.new_password_hash(new_password, names)
    return new_hash


def set_password_with_code(email: str, code: str, new_password: str, origin: RequestOrigin) -> Profile | None:
    """Set a password with a one-time code. Return None if the email or code is incorrect.

    Known and unknown emails execute the same statements. Raises InvalidInput (422) for a weak password, which does not
    use up the code, TooManyAttempts (429), ServiceBusy (503).
    """
    subject = ThrottleSubject(ADDRESS, network_of(origin.address))
    with counted_attempt(UNKNOWN_BROWSERS, subject.name, (subject,), origin, reveal={ADDRESS}):
        found = profiles.find_by_email(email)
        profile_id, names = (found.id, found.names) if found else (NO_PROFILE_ID, ())
        is_valid = one_time_codes.is_valid(profile_id, one_time_codes.PASSWORD, code)
        db.session.rollback()
        if not is_valid:
            return None
        new_hash = profiles.new_password_hash(new_password, names)
        throttle.refund((subject,))
        if not one_time_codes.consume(profile_id, one_time_codes.PASSWORD, code):
            db.session.rollback()
            return None
        profile = profiles.profile_with_id(profile_id)
        profiles.set_password_hash(profile, new_hash)
        return profile


def _trusted_profile_id(email: str, browser: Browser) -> int | None:
    """Return the profile with this email if it trusts the browser. Without a token this executes no statement."""
    if not browser.device_tokens:
        return None
    profile = profiles.find_by_email(email)
    return profile.id if profile and trusted_devices.is_trusted(browser.device_tokens, profile.id) else None


def _authenticate(
    email: str, password: str, attempt: Attempt, queue: AttemptQueue, settings: Settings
) -> Profile | None:
    account, profile = authenticate(email, password, is_demo=settings.is_demo, queue=queue)
    if profile is not None:
        attempt.succeed()
    elif account is None:
        attempt.fail(None, "unknown email")
    else:
        attempt.fail(account.profile_id, "password" if account.is_active else "deactivated")
    return profile


def _wait_as_long_as_a_check(password: str, started: float) -> None:
    """Wait as long as checking a wrong password takes at present, so that the time does not reveal the lock."""
    if _recent_check_seconds:
        time.sleep(max(0.0, secrets.choice(_recent_check_seconds) - (time.monotonic() - started)))
    else:
        hashing.check_hash(password, None, UNKNOWN_BROWSERS)
        _recent_check_seconds.append(time.monotonic() - started)


def _counted_code(profile: Profile, browser: Browser) -> AbstractContextManager[Attempt]:
    """Count an attempt at a second-factor code, by whether the profile trusts the browser."""
    is_trusted = trusted_devices.is_trusted(browser.device_tokens, profile.id)
    subject = throttle.code_subject(profile.id, is_trusted=is_trusted)
    return counted_attempt(CODES, subject.key, (subject,), browser.origin, reveal={CODE, TRUSTED_CODE})


@contextmanager
def _reauthenticated(profile: Profile, password: str, session: Identity, origin: RequestOrigin) -> Iterator[None]:
    """Verify the profile's current password before the block, and lock the session after it until the commit.

    The block holds the slot and no transaction, so it may hash.
    """
    profile_id, password_hash = profile.id, profile.password_hash
    subject = ThrottleSubject(REAUTHENTICATION, str(profile_id))
    with counted_attempt(TRUSTED_BROWSERS, subject.name, (subject,), origin, reveal={REAUTHENTICATION}) as attempt:
        if not hashing.check_hash(password, password_hash).is_correct:
            attempt.fail(profile_id, "password again")
            raise InvalidInput("current_password", WRONG_PASSWORD)
        attempt.succeed()
        db.session.commit()
        yield
    store.lock_active(session, to_change=True)
