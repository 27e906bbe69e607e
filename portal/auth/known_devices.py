"""Which browsers have signed in to an account before: a signed cookie that outlives the sign-in session.

It opens nothing. It only says that tries from this browser are counted by themselves, so that a stranger who locks an
account does not lock out its owner (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). Called by the
sign-in views.
"""

import secrets
from typing import Any

from flask import Request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from portal.config import Settings

KEPT_SECONDS = 180 * 24 * 3600
MOST_PROFILES = 8  # that share one browser; the first to come goes first
SALT = "known device"


def device_of(request: Request, settings: Settings, profile_id: int | None) -> str | None:
    """What names this browser to the throttle, where the profile has signed in with it before."""
    nonce = _nonces(request, settings).get(str(profile_id))
    return f"{profile_id}:{nonce}" if nonce else None


def remember(request: Request, response: Response, settings: Settings, profile_id: int) -> None:
    """Let the browser be known from now on as one of the profile's, under a new name: a copy is soon worth nothing."""
    nonces = _nonces(request, settings)
    nonces.pop(str(profile_id), None)
    nonces[str(profile_id)] = secrets.token_urlsafe(16)
    newest = dict(list(nonces.items())[-MOST_PROFILES:])
    response.set_cookie(
        _cookie_name(settings),
        _serializer(settings).dumps(newest),
        max_age=KEPT_SECONDS,
        secure=settings.cookies_are_secure,
        httponly=True,
        samesite="Lax",
    )


def _nonces(request: Request, settings: Settings) -> dict[str, str]:
    try:
        content: Any = _serializer(settings).loads(request.cookies.get(_cookie_name(settings), ""))
    except BadSignature:
        return {}
    return dict(content)


def _serializer(settings: Settings) -> URLSafeSerializer:
    keys = [key for key in (settings.old_secret_key, settings.secret_key) if key]  # the last one signs
    return URLSafeSerializer(keys, salt=SALT)


def _cookie_name(settings: Settings) -> str:
    return "__Host-device" if settings.cookies_are_secure else "kingston_device"
