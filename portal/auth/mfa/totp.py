"""Implement the second factor: time-based codes of an authenticator app (TOTP, RFC 6238), each accepted once.

A second factor is active once its first code has been confirmed. Codes of the previous and next 30 seconds are accepted
too, for phones whose clocks are slightly wrong. The functions flush; the caller commits.
"""

from datetime import datetime
from typing import NamedTuple

import pyotp
from sqlalchemy import BigInteger, DateTime, ForeignKey, String, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal import clock
from portal.auth.mfa import one_time_codes
from portal.auth.mfa.encryption import decrypt_for, encrypt_for
from portal.auth.models import Profile
from portal.config import Settings
from portal.errors import InvalidInput
from portal.extensions import Model, db

ISSUER = "Kingston's Portal"
ALLOWED_STEP_DRIFT = 1
APP_CODE, RECOVERY_CODE = "app code", "recovery code"
WRONG_CODE = "is not the code that the app shows at the moment"


class SecondFactor(Model):
    """A profile's second factor. `secret` is encrypted; `last_step` is the 30-second step of the last accepted code."""

    __tablename__ = "second_factors"

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(String(255))
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_step: Mapped[int] = mapped_column(BigInteger, server_default="0")


def is_set_up(profile_id: int) -> bool:
    conditions = (SecondFactor.profile_id == profile_id, SecondFactor.confirmed_at.is_not(None))
    return db.session.scalar(select(SecondFactor.profile_id).where(*conditions)) is not None


def is_required(profile: Profile, settings: Settings) -> bool:
    """Return whether the profile's role must sign in with a second factor."""
    return settings.second_factor == "everyone" or (settings.second_factor == "admins" and profile.has_oversight)


def begin_enrolment(profile_id: int, settings: Settings) -> None:
    """Create a secret that awaits its first code. It replaces an unconfirmed secret, never an active one."""
    secret = encrypt_for(profile_id, pyotp.random_base32(), settings)
    statement = insert(SecondFactor).values(profile_id=profile_id, secret=secret)
    statement = statement.on_conflict_do_update(
        constraint="pk_second_factors",
        set_={"secret": secret, "last_step": 0},
        where=SecondFactor.confirmed_at.is_(None),
    )
    db.session.execute(statement.execution_options(synchronize_session=False))


def pending_secret(profile_id: int, settings: Settings) -> str | None:
    """Return the secret that awaits its first code, or None."""
    found = _secret(profile_id, settings, is_confirmed=False)
    return found.plain if found else None


def provisioning_uri(profile: Profile, secret: str) -> str:
    """Return the URI from which an authenticator app reads the secret. The QR code contains it."""
    return pyotp.TOTP(secret).provisioning_uri(name=profile.email, issuer_name=ISSUER)


def confirm_enrolment(profile_id: int, code: str, settings: Settings) -> list[str]:
    """Activate the second factor with its first code. Return the recovery codes. Raises InvalidInput (422)."""
    secret = _secret(profile_id, settings, is_confirmed=False)
    if secret is None or not _consume(profile_id, secret, code):
        raise InvalidInput("code", WRONG_CODE)
    db.session.execute(
        update(SecondFactor)
        .where(SecondFactor.profile_id == profile_id)
        .values(confirmed_at=func.now())
        .execution_options(synchronize_session=False)
    )
    return one_time_codes.create_recovery_codes(profile_id)


def consume_code(profile_id: int, typed: str, settings: Settings) -> str | None:
    """Consume a code. Return its kind, APP_CODE or RECOVERY_CODE, or None if it is incorrect."""
    plain = "".join(typed.split())
    if len(plain) == 6 and plain.isascii() and plain.isdigit():
        secret = _secret(profile_id, settings, is_confirmed=True)
        return APP_CODE if secret and _consume(profile_id, secret, plain) else None
    return RECOVERY_CODE if one_time_codes.consume(profile_id, one_time_codes.RECOVERY, typed) else None


def remove(profile_id: int) -> bool:
    """Remove the second factor and its recovery codes. Return whether the profile had one."""
    one_time_codes.discard(profile_id, one_time_codes.RECOVERY)
    statement = delete(SecondFactor).where(SecondFactor.profile_id == profile_id)
    removed: int = db.session.execute(statement.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    return removed > 0


class _Secret(NamedTuple):
    encrypted: str
    plain: str


def _secret(profile_id: int, settings: Settings, *, is_confirmed: bool) -> _Secret | None:
    state = SecondFactor.confirmed_at.is_not(None) if is_confirmed else SecondFactor.confirmed_at.is_(None)
    encrypted = db.session.scalar(select(SecondFactor.secret).where(SecondFactor.profile_id == profile_id, state))
    plain = decrypt_for(profile_id, encrypted, settings) if encrypted else None
    return _Secret(encrypted, plain) if encrypted and plain else None


def _consume(profile_id: int, secret: _Secret, code: str) -> bool:
    """Accept the code if it is correct and newer than the last one. Of two concurrent requests one succeeds."""
    totp = pyotp.TOTP(secret.plain)
    try:
        step = totp.verify_and_get_timecode(
            "".join(code.split()), for_time=clock.now(), valid_window=ALLOWED_STEP_DRIFT
        )
    except pyotp.OTPVerificationError:
        return False
    statement = (
        update(SecondFactor)
        .where(SecondFactor.profile_id == profile_id, SecondFactor.secret == secret.encrypted)
        .where(SecondFactor.last_step < step)
        .values(last_step=step)
        .execution_options(synchronize_session=False)
    )
    updated: int = db.session.execute(statement).rowcount  # type: ignore[attr-defined]
    return updated == 1
