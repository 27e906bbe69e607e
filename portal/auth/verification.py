"""Verify passwords and codes. Each attempt is counted, and the count committed, before the input is checked.

This is the only place where a request commits more than once. A count committed at the end of the request would let
many concurrent attempts through. No transaction is open while an attempt waits or a password is hashed, so attempts
hold no connection that pages need. Each failure is recorded in the audit log.
"""

import logging
import secrets
import time
from collections import deque

from flask import request

from portal import audit
from portal.audit import Event
from portal.auth import profiles, throttle, trusted_devices
from portal.auth.attempt_queue import CODES, TRUSTED_BROWSERS, UNKNOWN_BROWSERS, AttemptQueue
from portal.auth.authentication import authenticate
from portal.auth.mfa import one_time_codes, totp
from portal.auth.models import Profile
from portal.auth.passwords import hashing
from portal.auth.sessions import store
from portal.auth.throttle import (
    ADDRESS,
    CODE,
    DEVICE,
    REAUTHENTICATION,
    TRUSTED_CODE,
    ThrottleDecision,
    ThrottleSubject,
)
from portal.config import Settings
from portal.errors import InvalidInput, ServiceBusy, TooManyAttempts
from portal.extensions import db
from portal.web import session_cookie
from portal.web.actor import Actor, request_origin
from portal.web.proxies import network_of

logger = logging.getLogger(__name__)
WRONG_PASSWORD = "is not your password"  # noqa: S105
NO_PROFILE_ID = 0  # no profile has this id
# How long recent wrong passwords from unknown browsers took in this process, including the wait in the queue.
_recent_check_seconds: deque[float] = deque(maxlen=8)


def verify_password(email: str, password: str, settings: Settings) -> Profile | None:
    """Return the profile, or None. Unknown, wrong, deactivated and locked look the same and take the same time.

    Raises TooManyAttempts (429) only where it reveals nothing about an account: for an address that tried too many
    accounts, and to the account's own trusted devices. Raises ServiceBusy (503). Commits the attempt.
    """
    trusted_id = _trusted_profile_id(email, settings)
    subjects = throttle.sign_in_subjects(email, request_origin().address, trusted_id)
    if trusted_id is not None:
        with TRUSTED_BROWSERS.slot(str(trusted_id)):
            decision = _register(subjects, reveal={DEVICE})
            return _authenticate(email, password, subjects, decision, TRUSTED_BROWSERS, settings)
    started = time.monotonic()
    with UNKNOWN_BROWSERS.slot(network_of(request_origin().address)):
        decision = _register(subjects, reveal={ADDRESS})
        if not decision.is_admitted:
            logger.info("sign-in rejected: too many attempts at one account")
            _wait_as_long_as_a_check(password, started)
            return None
        profile = _authenticate(email, password, subjects, decision, UNKNOWN_BROWSERS, settings)
        if profile is None:
            _recent_check_seconds.append(time.monotonic() - started)
        return profile


def verify_second_factor(profile: Profile, typed: str, settings: Settings) -> str | None:
    """Return the kind of the second-factor code, or None if it is incorrect. Commits the attempt.

    Raises TooManyAttempts (429).
    """
    subject = _code_subject(profile, settings)
    with CODES.slot(subject.key):
        decision = _register((subject,), reveal={CODE, TRUSTED_CODE})
        kind = totp.consume_code(profile.id, typed, settings)
        if kind is None:
            _audit_failure(profile.id, "code", decision)
        else:
            throttle.reset_failures((subject,))
        return kind


def confirm_enrolment(profile: Profile, typed: str, settings: Settings) -> list[str]:
    """Activate the second factor with its first code. Return the recovery codes. Revokes the trust in other browsers.

    Raises InvalidInput (422), TooManyAttempts (429). Commits the attempt.
    """
    subject = _code_subject(profile, settings)
    with CODES.slot(subject.key):
        _register((subject,), reveal={CODE, TRUSTED_CODE})
        recovery_codes = totp.confirm_enrolment(profile.id, typed, settings)
        throttle.reset_failures((subject,))
        trusted_devices.revoke_others(request, settings, profile.id)
        return recovery_codes


def reauthenticate(profile: Profile, password: str) -> None:
    """Verify the password before a sensitive action, then lock the session until the commit.

    Raises InvalidInput (422), TooManyAttempts (429), ServiceBusy (503), or NotSignedIn (401) if the session ended
    while the password was hashed.
    """
    with TRUSTED_BROWSERS.slot(str(profile.id)):
        _check_current_password(profile, password)
    store.lock_active(session_cookie.identity(), to_change=True)


def reauthenticate_for_new_password(profile: Profile, password: str, new_password: str) -> str:
    """Reauthenticate, and return the hash of the new password. Raises InvalidInput (422) also for a weak password."""
    names = profile.names
    with TRUSTED_BROWSERS.slot(str(profile.id)):
        _check_current_password(profile, password)
        new_hash = profiles.new_password_hash(new_password, names)
    store.lock_active(session_cookie.identity(), to_change=True)
    return new_hash


def set_password_with_code(email: str, code: str, new_password: str) -> Profile | None:
    """Set a password with a one-time code. Return None if the email or code is incorrect. Commits the attempt.

    Known and unknown emails execute the same statements. Raises InvalidInput (422) for a weak password, which does not
    use up the code, TooManyAttempts (429), ServiceBusy (503).
    """
    subject = ThrottleSubject(ADDRESS, network_of(request_origin().address))
    with UNKNOWN_BROWSERS.slot(subject.name):
        _register((subject,), reveal={ADDRESS})
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


def _trusted_profile_id(email: str, settings: Settings) -> int | None:
    """Return the profile with this email if it trusts the browser. Without a cookie this executes no statement."""
    if not trusted_devices.has_tokens(request, settings):
        return None
    profile = profiles.find_by_email(email)
    return profile.id if profile and trusted_devices.is_trusted(request, settings, profile.id) else None


def _authenticate(
    email: str,
    password: str,
    subjects: tuple[ThrottleSubject, ...],
    decision: ThrottleDecision,
    queue: AttemptQueue,
    settings: Settings,
) -> Profile | None:
    try:
        account, profile = authenticate(email, password, is_demo=settings.is_demo, queue=queue)
    except ServiceBusy:
        throttle.refund(subjects)
        db.session.commit()
        raise
    if profile is not None:
        throttle.reset_failures(subjects)
    elif account is None:
        _audit_failure(None, "unknown email", decision)
    else:
        _audit_failure(account.profile_id, "password" if account.is_active else "deactivated", decision)
    return profile


def _wait_as_long_as_a_check(password: str, started: float) -> None:
    """Wait as long as checking a wrong password takes at present, so that the time does not reveal the lock."""
    if _recent_check_seconds:
        time.sleep(max(0.0, secrets.choice(_recent_check_seconds) - (time.monotonic() - started)))
    else:
        hashing.check_hash(password, None, UNKNOWN_BROWSERS)
        _recent_check_seconds.append(time.monotonic() - started)


def _code_subject(profile: Profile, settings: Settings) -> ThrottleSubject:
    is_trusted = trusted_devices.is_trusted(request, settings, profile.id)
    return throttle.code_subject(profile.id, is_trusted=is_trusted)


def _check_current_password(profile: Profile, password: str) -> None:
    """Verify the current password. Leaves no transaction open."""
    profile_id, password_hash = profile.id, profile.password_hash
    subject = ThrottleSubject(REAUTHENTICATION, str(profile_id))
    decision = _register((subject,), reveal={REAUTHENTICATION})
    if not hashing.check_hash(password, password_hash).is_correct:
        _audit_failure(profile_id, "password again", decision)
        raise InvalidInput("current_password", WRONG_PASSWORD)
    throttle.reset_failures((subject,))
    db.session.commit()


def _register(subjects: tuple[ThrottleSubject, ...], *, reveal: set[throttle.ThrottleKind]) -> ThrottleDecision:
    decision = throttle.register_attempt(subjects)
    db.session.commit()
    throttle.trim_if_grown()
    db.session.commit()
    if decision.blocked & reveal:
        logger.info("too many attempts: %s", ", ".join(sorted(kind.name for kind in decision.blocked)))
        raise TooManyAttempts(decision.wait_seconds)
    return decision


def _audit_failure(profile_id: int | None, wrong: str, decision: ThrottleDecision) -> None:
    details: dict[str, str | int] = {"wrong": wrong}
    if decision.next_wait_seconds:
        details["blocked_seconds"] = decision.next_wait_seconds
    audit.record(Event.SIGN_IN_FAILED, Actor(None, request_origin()), profile_id=profile_id, **details)
    db.session.commit()
