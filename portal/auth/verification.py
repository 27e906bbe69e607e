"""Proving who one is, for the views: each try is counted, and that is committed, before what was typed is looked at.

The one place where a request commits more than once: a count that waited for the end of the request would let a
thousand tries at once through. No transaction is open while a try waits or a password is hashed, so that tries, however
many, hold no connection that a page needs. Whatever fails is in the audit.
"""

import logging
import secrets
import time
from collections import deque

from flask import request

from portal import audit
from portal.audit import Event
from portal.auth import profiles, throttle, trusted_devices
from portal.auth.attempt_queue import CODES, KNOWN, STRANGERS, Lane
from portal.auth.authentication import authenticate
from portal.auth.mfa import one_time_codes, totp
from portal.auth.models import Profile
from portal.auth.passwords import hashing
from portal.auth.sessions import store
from portal.auth.throttle import ADDRESS, CODE, DEVICE, KNOWN_CODE, REAUTHENTICATION, ThrottleDecision, ThrottleSubject
from portal.config import Settings
from portal.errors import InvalidInput, ServiceBusy, TooManyAttempts
from portal.extensions import db
from portal.web import session_cookie
from portal.web.actor import Actor, request_origin
from portal.web.proxies import network_of

logger = logging.getLogger(__name__)
WRONG_PASSWORD = "is not your password"  # noqa: S105
NOBODY = 0  # no profile has this id
# How long wrong passwords of strangers have taken in this process of late, the wait for their turn included.
_usual_seconds: deque[float] = deque(maxlen=8)


def verify_password(email: str, password: str, settings: Settings) -> Profile | None:
    """The profile, or None: unknown, wrong, deactivated and locked look the same and take the same time.

    Raises TooManyAttempts (429) where it says nothing of an account: for all accounts tried from one address, and to
    the account's own trusted devices. Raises ServiceBusy (503). Commits the try.
    """
    known_id = _known_here(email, settings)
    subjects = throttle.subjects_of_sign_in(email, request_origin().address, known_id)
    if known_id is not None:
        with KNOWN.place(str(known_id)):
            verdict = _register(subjects, tell={DEVICE})
            return _authenticated(email, password, subjects, verdict, KNOWN, settings)
    began = time.monotonic()
    with STRANGERS.place(network_of(request_origin().address)):
        verdict = _register(subjects, tell={ADDRESS})
        if not verdict.is_admitted:
            logger.info("sign-in refused: too many tries at one account")
            _wait_as_usual(password, began)
            return None
        profile = _authenticated(email, password, subjects, verdict, STRANGERS, settings)
        if profile is None:
            _usual_seconds.append(time.monotonic() - began)
        return profile


def verify_second_factor(profile: Profile, typed: str, settings: Settings) -> str | None:
    """Which kind of code was typed as a second factor, or None. Raises TooManyAttempts (429). Commits the try."""
    subject = _subject_of_code(profile, settings)
    with CODES.place(subject.key):
        verdict = _register((subject,), tell={CODE, KNOWN_CODE})
        kind = totp.consume_code(profile.id, typed, settings)
        if kind is None:
            _audit_failure(profile.id, "code", verdict)
        else:
            throttle.reset_failures((subject,))
        return kind


def confirm_enrolment(profile: Profile, typed: str, settings: Settings) -> list[str]:
    """Set the second factor up with its first code; returns the recovery codes. Other browsers are strangers again.

    Raises InvalidInput (422) or TooManyAttempts (429). Commits the try.
    """
    subject = _subject_of_code(profile, settings)
    with CODES.place(subject.key):
        _register((subject,), tell={CODE, KNOWN_CODE})
        recovery_codes = totp.confirm_enrolment(profile.id, typed, settings)
        throttle.reset_failures((subject,))
        trusted_devices.forget_others(request, settings, profile.id)
        return recovery_codes


def reauthenticate(profile: Profile, password: str) -> None:
    """Before what a stolen session must not do: the session still holds, and until the commit nothing ends it.

    Raises InvalidInput (422), TooManyAttempts (429), ServiceBusy (503), or NotSignedIn (401) if the session ended
    while the password was hashed.
    """
    with KNOWN.place(str(profile.id)):
        _prove_again(profile, password)
    store.hold(session_cookie.identity(), to_change=True)


def by_password_for_a_new_one(profile: Profile, password: str, new_password: str) -> str:
    """As `reauthenticate`; returns the hash of the new password. Raises InvalidInput (422) also for a weak one."""
    names = profile.names
    with KNOWN.place(str(profile.id)):
        _prove_again(profile, password)
        new_hash = profiles.new_password_hash(new_password, names)
    store.hold(session_cookie.identity(), to_change=True)
    return new_hash


def by_password_code(email: str, code: str, new_password: str) -> Profile | None:
    """Set the password of who was given a one-time code; None where that is wrong, after the same statements for all.

    Raises InvalidInput (422) for a weak password, which does not use the code up, TooManyAttempts (429), ServiceBusy
    (503). Commits the try.
    """
    subject = ThrottleSubject(ADDRESS, network_of(request_origin().address))
    with STRANGERS.place(subject.name):
        _register((subject,), tell={ADDRESS})
        found = profiles.find_by_email(email)
        profile_id, names = (found.id, found.names) if found else (NOBODY, ())
        is_right = one_time_codes.is_one(profile_id, one_time_codes.PASSWORD, code)
        db.session.rollback()
        if not is_right:
            return None
        new_hash = profiles.new_password_hash(new_password, names)
        throttle.refund((subject,))
        if not one_time_codes.consume(profile_id, one_time_codes.PASSWORD, code):
            db.session.rollback()
            return None
        profile = profiles.profile_with_id(profile_id)
        profiles.set_password_hash(profile, new_hash)
        return profile


def _known_here(email: str, settings: Settings) -> int | None:
    """The id of the account that has signed in with this browser. A browser without a mark costs no statement."""
    if not trusted_devices.has_marks(request, settings):
        return None
    profile = profiles.find_by_email(email)
    return profile.id if profile and trusted_devices.is_known(request, settings, profile.id) else None


def _authenticated(
    email: str,
    password: str,
    subjects: tuple[ThrottleSubject, ...],
    verdict: ThrottleDecision,
    lane: Lane,
    settings: Settings,
) -> Profile | None:
    try:
        account, profile = authenticate(email, password, is_demo=settings.is_demo, lane=lane)
    except ServiceBusy:
        throttle.refund(subjects)
        db.session.commit()
        raise
    if profile is not None:
        throttle.reset_failures(subjects)
    elif account is None:
        _audit_failure(None, "unknown email", verdict)
    else:
        _audit_failure(account.profile_id, "password" if account.is_active else "deactivated", verdict)
    return profile


def _wait_as_usual(password: str, began: float) -> None:
    """Take as long as a wrong password does just now, without a hash: how long tells nobody that none was looked at."""
    if _usual_seconds:
        time.sleep(max(0.0, secrets.choice(_usual_seconds) - (time.monotonic() - began)))
    else:
        hashing.check(password, None, STRANGERS)
        _usual_seconds.append(time.monotonic() - began)


def _subject_of_code(profile: Profile, settings: Settings) -> ThrottleSubject:
    is_known = trusted_devices.is_known(request, settings, profile.id)
    return throttle.subject_of_code(profile.id, is_known=is_known)


def _prove_again(profile: Profile, password: str) -> None:
    """Leaves no transaction open."""
    profile_id, password_hash = profile.id, profile.password_hash
    subject = ThrottleSubject(REAUTHENTICATION, str(profile_id))
    verdict = _register((subject,), tell={REAUTHENTICATION})
    if not hashing.check(password, password_hash).is_right:
        _audit_failure(profile_id, "password again", verdict)
        raise InvalidInput("current_password", WRONG_PASSWORD)
    throttle.reset_failures((subject,))
    db.session.commit()


def _register(subjects: tuple[ThrottleSubject, ...], *, tell: set[throttle.ThrottleKind]) -> ThrottleDecision:
    verdict = throttle.register_attempt(subjects)
    db.session.commit()
    throttle.keep_bounded()
    db.session.commit()
    if verdict.blocked & tell:
        logger.info("too many tries: %s", ", ".join(sorted(kind.name for kind in verdict.blocked)))
        raise TooManyAttempts(verdict.wait_seconds)
    return verdict


def _audit_failure(profile_id: int | None, wrong: str, verdict: ThrottleDecision) -> None:
    about: dict[str, str | int] = {"wrong": wrong}
    if verdict.next_wait_seconds:
        about["blocked_seconds"] = verdict.next_wait_seconds
    audit.record(Event.SIGN_IN_FAILED, Actor(None, request_origin()), profile_id=profile_id, **about)
    db.session.commit()
