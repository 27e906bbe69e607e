"""Create and consume one-time codes: recovery codes for a lost phone, and codes with which a user chooses a password.

Each code has 138 random bits, so a fast hash is sufficient (OWASP ASVS 5.0.0, 6.5.2 and 11.5.1). Consuming a code is a
DELETE, so of two concurrent requests one succeeds. The functions flush; the caller commits.
"""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    DateTime,
    ForeignKey,
    LargeBinary,
    String,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Model, db

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without easily confused characters
LENGTH, GROUP = 28, 4
RECOVERY, PASSWORD = "recovery", "password"
RECOVERY_CODES = 8
PASSWORD_CODE_HOURS = 24


class OneTimeCode(Model):
    """A code that has not been used. A code whose `expires_at` is None never expires."""

    __tablename__ = "one_time_codes"
    __table_args__ = (CheckConstraint("purpose IN ('recovery', 'password')", name="purpose"),)

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(10), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def create_recovery_codes(profile_id: int) -> list[str]:
    """Replace the profile's recovery codes and return the new ones. Only their hashes are stored."""
    return _replace(profile_id, RECOVERY, RECOVERY_CODES, hours=None)


def create_password_code(profile_id: int) -> str:
    """Create a code to choose a password with, valid for 24 hours. It replaces an earlier one."""
    [code] = _replace(profile_id, PASSWORD, 1, hours=PASSWORD_CODE_HOURS)
    return code


def is_valid(profile_id: int, purpose: str, typed: str) -> bool:
    """Return whether the code is valid, without consuming it."""
    return db.session.scalar(select(OneTimeCode.profile_id).where(*_matches(profile_id, purpose, typed))) is not None


def consume(profile_id: int, purpose: str, typed: str) -> bool:
    """Consume the code. Return whether it was valid. Upper case, spaces and hyphens are ignored."""
    statement = delete(OneTimeCode).where(*_matches(profile_id, purpose, typed))
    deleted: int = db.session.execute(statement.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    return deleted == 1


def discard(profile_id: int, purpose: str) -> None:
    conditions = (OneTimeCode.profile_id == profile_id, OneTimeCode.purpose == purpose)
    db.session.execute(delete(OneTimeCode).where(*conditions).execution_options(synchronize_session=False))


def count_recovery_codes(profile_id: int) -> int:
    conditions = (OneTimeCode.profile_id == profile_id, OneTimeCode.purpose == RECOVERY)
    return db.session.scalar(select(func.count()).select_from(OneTimeCode).where(*conditions)) or 0


def _matches(profile_id: int, purpose: str, typed: str) -> tuple[ColumnElement[bool], ...]:
    return (
        OneTimeCode.profile_id == profile_id,
        OneTimeCode.purpose == purpose,
        OneTimeCode.code_hash == _hash(typed),
        or_(OneTimeCode.expires_at.is_(None), OneTimeCode.expires_at > func.now()),
    )


def _replace(profile_id: int, purpose: str, count: int, *, hours: int | None) -> list[str]:
    discard(profile_id, purpose)
    codes = [_new_code() for _ in range(count)]
    expires_at = None if hours is None else func.now() + func.make_interval(0, 0, 0, 0, hours)
    db.session.add_all(
        OneTimeCode(profile_id=profile_id, purpose=purpose, code_hash=_hash(code), expires_at=expires_at)
        for code in codes
    )
    db.session.flush()
    return codes


def _new_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(letters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def _hash(typed: str) -> bytes:
    plain = "".join(letter for letter in typed.lower() if letter.isalnum())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).digest()
