"""Which browsers have signed in to an account before: a signed cookie, and a row for each browser and profile.

It opens nothing. It only says that tries from these browsers are counted apart from those of strangers, so that a
stranger who locks an account does not lock out its owner (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"). The row holds for the profile's present epoch, so that a new password ends what the old one has made known,
and for KEPT_DAYS after the last sign-in. Called by the sign-in views. Flushes, never commits.
"""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Request
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import ColumnElement, Connection, DateTime, ForeignKey, delete, func, select, text, true
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.wrappers import Response

from portal.auth.models import Profile
from portal.config import Settings
from portal.extensions import Model, db
from portal.web.session_cookie import TOKEN_BYTES, session_id_of

KEPT_DAYS = 180
MAX_PROFILES = 8  # that share one browser; the first to come goes first
MAX_DEVICES = 10  # of one profile; the one that signed in longest ago goes
SALT = "known device"


class KnownDevice(Model):
    """One browser that a profile has signed in with. `id` is made of the cookie's token, which nobody else keeps."""

    __tablename__ = "known_devices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), index=True)
    session_epoch: Mapped[int]
    signed_in_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())


def has_marks(request: Request, settings: Settings) -> bool:
    """Whether any profile has ever signed in with this browser, as far as its cookie tells. No statement."""
    return bool(_tokens(request, settings))


def is_known(request: Request, settings: Settings, profile_id: int) -> bool:
    """Whether the profile has signed in with this browser, and neither a new password nor time has ended that."""
    token = _tokens(request, settings).get(str(profile_id))
    if token is None:
        return False
    query = select(KnownDevice.id).join(Profile, Profile.id == KnownDevice.profile_id)
    query = query.where(
        KnownDevice.id == _id_of(token),
        KnownDevice.profile_id == profile_id,
        KnownDevice.session_epoch == Profile.session_epoch,
        KnownDevice.signed_in_at > func.now() - func.make_interval(0, 0, 0, KEPT_DAYS),
    )
    return db.session.scalar(query) is not None


def trust_device(request: Request, response: Response, settings: Settings, profile: Profile) -> None:
    """Let the browser be known from now on as one of the profile's, under a new name: a copy is soon worth nothing.

    The profile's row is locked, so that of many sign-ins at once no more than MAX_DEVICES are kept.
    """
    tokens = _tokens(request, settings)
    token, before = secrets.token_urlsafe(TOKEN_BYTES), tokens.pop(str(profile.id), None)
    db.session.execute(select(Profile.id).where(Profile.id == profile.id).with_for_update(key_share=True))
    if before is not None:
        _forget(profile.id, KnownDevice.id == _id_of(before))
    db.session.add(KnownDevice(id=_id_of(token), profile_id=profile.id, session_epoch=profile.session_epoch))
    db.session.flush()
    newest = select(KnownDevice.id).where(
        KnownDevice.profile_id == profile.id, KnownDevice.session_epoch == profile.session_epoch
    )
    newest = newest.order_by(KnownDevice.signed_in_at.desc(), KnownDevice.id).limit(MAX_DEVICES)
    _forget(profile.id, KnownDevice.id.not_in(newest))
    tokens[str(profile.id)] = token
    response.set_cookie(
        _cookie_name(settings),
        _serializer(settings).dumps(dict(list(tokens.items())[-MAX_PROFILES:])),
        max_age=KEPT_DAYS * 24 * 3600,
        secure=settings.cookies_are_secure,
        httponly=True,
        samesite="Lax",
    )


def forget_others(request: Request, settings: Settings, profile_id: int) -> None:
    """Let all other browsers be strangers: they have not shown what is asked for from now on."""
    token = _tokens(request, settings).get(str(profile_id))
    _forget(profile_id, KnownDevice.id != _id_of(token) if token else true())


def purge(connection: Connection) -> int:
    """Delete the rows that no longer hold; return how many. The caller commits."""
    query = text("DELETE FROM known_devices WHERE signed_in_at < now() - make_interval(days => :days)")
    return connection.execute(query, {"days": KEPT_DAYS}).rowcount


def _forget(profile_id: int, condition: ColumnElement[bool]) -> None:
    statement = delete(KnownDevice).where(KnownDevice.profile_id == profile_id, condition)
    db.session.execute(statement.execution_options(synchronize_session=False))


def _id_of(token: str) -> UUID:
    return UUID(session_id_of(token))


def _tokens(request: Request, settings: Settings) -> dict[str, str]:
    """Profile's id to the token by which it knows this browser, as the cookie has them."""
    try:
        content: Any = _serializer(settings).loads(request.cookies.get(_cookie_name(settings), ""))
    except BadSignature:
        return {}
    return dict(content)


def _serializer(settings: Settings) -> URLSafeSerializer:
    keys = [*reversed(settings.secret_key_fallbacks), settings.secret_key]  # the last one signs
    return URLSafeSerializer(keys, salt=SALT)


def _cookie_name(settings: Settings) -> str:
    return "__Host-device" if settings.cookies_are_secure else "kingston_device"
