"""Recognise browsers that have signed in to an account before, by a signed cookie and a row for each profile.

A trusted device grants no access. Its sign-in attempts are only counted apart from those of other browsers. An attacker
who locks an account therefore does not lock out its owner (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). Trust lasts for TRUST_DAYS after the last sign-in, and ends with the profile's session epoch, for example
with a new password. The functions flush; the caller commits.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import ColumnElement, Connection, DateTime, ForeignKey, delete, func, select, text, true
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.wrappers import Response

from portal.auth.models import Profile
from portal.config import Settings
from portal.extensions import Model, db
from portal.web.session_cookie import TOKEN_BYTES, session_id_of

TRUST_DAYS = 180
MAX_PROFILES = 8  # profiles that share one browser; the oldest is dropped
MAX_DEVICES = 10  # devices of one profile; the one that signed in longest ago is dropped
SALT = "known device"


class TrustedDevice(Model):
    """A browser in which a profile has signed in. `id` is derived from the cookie's token, which is stored nowhere."""

    __tablename__ = "known_devices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), index=True)
    session_epoch: Mapped[int]
    signed_in_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


def tokens_in(cookies: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the content of the browser's cookie: each profile's id and its token. Executes no statement."""
    try:
        content: Any = _serializer(settings).loads(cookies.get(_cookie_name(settings), ""))
    except BadSignature:
        return {}
    return dict(content)


def is_trusted(tokens: Mapping[str, str], profile_id: int) -> bool:
    """Return whether the profile has signed in with this browser, in its current epoch and within TRUST_DAYS."""
    token = tokens.get(str(profile_id))
    if token is None:
        return False
    query = select(TrustedDevice.id).join(Profile, Profile.id == TrustedDevice.profile_id)
    query = query.where(
        TrustedDevice.id == _id_of(token),
        TrustedDevice.profile_id == profile_id,
        TrustedDevice.session_epoch == Profile.session_epoch,
        TrustedDevice.signed_in_at > func.now() - func.make_interval(0, 0, 0, TRUST_DAYS),
    )
    return db.session.scalar(query) is not None


def trust_device(tokens: Mapping[str, str], response: Response, settings: Settings, profile: Profile) -> None:
    """Trust the browser for this profile, under a new token. A copy of the previous cookie becomes invalid.

    The profile's row is locked, so that concurrent sign-ins keep at most MAX_DEVICES.
    """
    others = {**tokens}
    token, before = secrets.token_urlsafe(TOKEN_BYTES), others.pop(str(profile.id), None)
    db.session.execute(select(Profile.id).where(Profile.id == profile.id).with_for_update(key_share=True))
    if before is not None:
        _revoke(profile.id, TrustedDevice.id == _id_of(before))
    db.session.add(TrustedDevice(id=_id_of(token), profile_id=profile.id, session_epoch=profile.session_epoch))
    db.session.flush()
    newest = select(TrustedDevice.id).where(
        TrustedDevice.profile_id == profile.id, TrustedDevice.session_epoch == profile.session_epoch
    )
    newest = newest.order_by(TrustedDevice.signed_in_at.desc(), TrustedDevice.id).limit(MAX_DEVICES)
    _revoke(profile.id, TrustedDevice.id.not_in(newest))
    response.set_cookie(
        _cookie_name(settings),
        _serializer(settings).dumps(dict([*others.items(), (str(profile.id), token)][-MAX_PROFILES:])),
        max_age=TRUST_DAYS * 24 * 3600,
        secure=settings.cookies_are_secure,
        httponly=True,
        samesite="Lax",
    )


def revoke_others(tokens: Mapping[str, str], profile_id: int) -> None:
    """Revoke the trust in all other browsers, which have not passed the newly required check."""
    token = tokens.get(str(profile_id))
    _revoke(profile_id, TrustedDevice.id != _id_of(token) if token else true())


def purge(connection: Connection) -> int:
    """Delete the expired rows. Return how many. The caller commits."""
    query = text("DELETE FROM known_devices WHERE signed_in_at < now() - make_interval(days => :days)")
    return connection.execute(query, {"days": TRUST_DAYS}).rowcount


def _revoke(profile_id: int, condition: ColumnElement[bool]) -> None:
    statement = delete(TrustedDevice).where(TrustedDevice.profile_id == profile_id, condition)
    db.session.execute(statement.execution_options(synchronize_session=False))


def _id_of(token: str) -> UUID:
    return UUID(session_id_of(token))


def _serializer(settings: Settings) -> URLSafeSerializer:
    keys = [*reversed(settings.secret_key_fallbacks), settings.secret_key]  # the last one signs
    return URLSafeSerializer(keys, salt=SALT)


def _cookie_name(settings: Settings) -> str:
    return "__Host-device" if settings.cookies_are_secure else "kingston_device"
