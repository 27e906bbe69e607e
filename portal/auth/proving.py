"""Proving who one is, for the views: each try is counted, and that is committed, before what was typed is looked at.

The one place where a request commits more than once: a count that waited for the end of the request would let a
thousand tries at once through. Whatever fails is in the audit.
"""

import logging

from flask import current_app, request

from portal import audit
from portal.audit import Event
from portal.auth import known_devices, operations, passwords, second_factor, throttle
from portal.auth.models import Profile
from portal.auth.throttle import ADDRESS, CODE, DEVICE, PASSWORD_AGAIN, Subject, Verdict
from portal.config import Settings
from portal.errors import ComeBackLater, InvalidInput, TooManyTries
from portal.extensions import db
from portal.proxies import network_of
from portal.whence import Actor, whence

logger = logging.getLogger(__name__)
NOT_YOUR_PASSWORD = "is not your password"  # noqa: S105


def by_password(email: str, password: str) -> Profile | None:
    """The profile, or None: unknown, wrong, deactivated and locked look the same and cost the same one hash.

    Raises TooManyTries (429) where it says nothing of an account: for all accounts tried from one address, and to the
    account's own known browser. Raises ComeBackLater (503). Commits the try.
    """
    settings: Settings = current_app.config["SETTINGS"]
    found = operations.find_by_email(email)
    device = known_devices.device_of(request, settings, found.id if found else None)
    subjects = throttle.subjects_of_sign_in(email, whence().address, device)
    verdict = _count(subjects, tell={ADDRESS, DEVICE})
    try:
        profile = operations.authenticate(email, password, is_demo=settings.is_demo)
    except ComeBackLater:
        if verdict.is_admitted:
            throttle.give_back(subjects)
            db.session.commit()
        raise
    if not verdict.is_admitted:
        logger.info("sign-in refused: too many tries at one account")
        db.session.rollback()
        return None
    if profile is None:
        _note_failure(operations.find_by_email(email), "password", verdict)
        return None
    throttle.forgive(subjects)
    return profile


def by_code(profile: Profile, typed: str, settings: Settings) -> str | None:
    """Which kind of code was typed as a second factor, or None. Raises TooManyTries (429). Commits the try."""
    subjects = (Subject(CODE, str(profile.id)),)
    verdict = _count(subjects, tell={CODE})
    kind = second_factor.take_code(profile.id, typed, settings)
    if kind is None:
        _note_failure(profile, "code", verdict)
    else:
        throttle.forgive(subjects)
    return kind


def by_first_code(profile: Profile, typed: str, settings: Settings) -> list[str]:
    """Set the second factor up with its first code; returns the recovery codes.

    Raises InvalidInput (422) or TooManyTries (429). Commits the try.
    """
    subjects = (Subject(CODE, str(profile.id)),)
    _count(subjects, tell={CODE})
    recovery_codes = second_factor.confirm(profile.id, typed, settings)
    throttle.forgive(subjects)
    return recovery_codes


def by_password_again(profile: Profile, password: str) -> None:
    """Before what a stolen session must not do. Raises InvalidInput (422), TooManyTries (429), ComeBackLater (503)."""
    subjects = (Subject(PASSWORD_AGAIN, str(profile.id)),)
    verdict = _count(subjects, tell={PASSWORD_AGAIN})
    if not passwords.is_right_password(password, profile.password_hash):
        _note_failure(profile, "password again", verdict)
        raise InvalidInput("current_password", NOT_YOUR_PASSWORD)
    throttle.forgive(subjects)


def count_by_address() -> None:
    """For what is tried without an account: raises TooManyTries (429). Commits the try."""
    _count((Subject(ADDRESS, network_of(whence().address)),), tell={ADDRESS})


def forgive_address() -> None:
    """The last of those was none."""
    throttle.give_back((Subject(ADDRESS, network_of(whence().address)),))


def _count(subjects: tuple[Subject, ...], *, tell: set[throttle.Kind]) -> Verdict:
    verdict = throttle.admit(subjects)
    db.session.commit()
    if verdict.blocked & tell:
        logger.info("too many tries: %s", ", ".join(sorted(kind.name for kind in verdict.blocked)))
        raise TooManyTries(verdict.wait_seconds)
    return verdict


def _note_failure(profile: Profile | None, wrong: str, verdict: Verdict) -> None:
    about: dict[str, str | int] = {"wrong": wrong}
    if profile is None:
        about = {"wrong": "unknown e-mail"}
    elif not profile.is_active:
        about = {"wrong": "deactivated"}
    if verdict.next_wait_seconds:
        about["blocked_seconds"] = verdict.next_wait_seconds
    profile_id = profile.id if profile else None
    audit.record(Event.SIGN_IN_FAILED, Actor(None, whence()), profile_id=profile_id, **about)
    db.session.commit()
