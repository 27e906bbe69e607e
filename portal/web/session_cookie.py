"""Read and write the session cookie, and enforce the idle limit.

The session is Flask's signed cookie with the profile's id and a random token. The database has a row for each session
(auth/sessions/store.py), which revokes it and holds its absolute limit. The idle limit is in the cookie: its signature
contains a time, and a cookie older than the limit is rejected (OWASP ASVS 5.0.0, 7.3.1). Only user activity renews the
signature, which is exact to the second and needs no write. Heartbeats and other background requests of a page never do,
so an unattended screen is signed out (presence rule 8). A page that reloads itself to show the change of another user
sends BACKGROUND_HEADER.

Must not import `auth` or `presence`.
"""

import hashlib
import re
import time
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask, Request, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadData

from portal.config import Settings
from portal.errors import NotSignedIn

IDENTITY_KEY = "_user_id"  # the key that Flask-Login uses
BACKGROUND_ENDPOINTS = {
    "static",
    "auth.session_state",
    "record_import.progress",
    "health.healthz",
    "health.readyz",
    "health.show_metrics",
}
BACKGROUND_BLUEPRINTS = {
    "presence",
    "drafts",
    "client_changes",
    "client_text_merges",
    "client_same_parts",
    "client_visits",
}
BACKGROUND_HEADER = "X-Background"
SECOND_STEP_KEY = "second_step"
SECOND_STEP_SECONDS = 600
TOKEN_BYTES = 16  # 128 bits, of a cryptographic source (OWASP ASVS 5.0.0, 7.2.3)
IDENTITY = re.compile(r"(?P<profile_id>[1-9][0-9]{0,8})\.(?P<token>[A-Za-z0-9_-]{22})", re.ASCII)


class Identity(NamedTuple):
    """The caller according to the cookie. It proves nothing until the database has found the session."""

    profile_id: int
    session_id: str


class SessionInterface(SecureCookieSessionInterface):
    """Flask's signed cookie, in which only the sign-in expires. The CSRF token of an old sign-in page stays valid."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        try:
            content, signed_at = decode_cookie(app, request.cookies.get(self.get_cookie_name(app)) or "")
        except BadData:
            return self.session_class()
        g.signed_at = signed_at
        return self.session_class({} if IDENTITY_KEY in content and is_too_old(app, signed_at) else content)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Return False for background requests: a flash message must stay until the user opens the next page."""
        return BACKGROUND_HEADER not in request.headers and super().should_set_cookie(app, session)


def decode_cookie(app: Flask, cookie: str) -> tuple[dict[str, Any], float]:
    """Return the content of a session cookie and its signature time, in seconds since 1970. Raises BadData."""
    serializer: Any = SessionInterface().get_signing_serializer(app)
    content, signed_at = serializer.loads(cookie, return_timestamp=True)
    return content, signed_at.timestamp()


def is_too_old(app: Flask, signed_at: float) -> bool:
    """Return whether the last user activity is longer ago than the idle limit."""
    return time.time() - signed_at > app.permanent_session_lifetime.total_seconds()


def init_sessions(app: Flask, settings: Settings) -> None:
    """Set the cookie's name, flags and lifetime, and let user activity extend the idle time."""
    app.config.update(
        SESSION_COOKIE_NAME="__Host-session" if settings.cookies_are_secure else "kingston_session",
        SESSION_COOKIE_SECURE=settings.cookies_are_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(minutes=settings.idle_minutes),
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.session_interface = SessionInterface()
    app.before_request(_extend_idle_timeout)


def start(identity_text: str) -> None:
    """Start a sign-in session without any content of an earlier one, against session fixation."""
    session.clear()
    session[IDENTITY_KEY] = identity_text
    session.permanent = True


def await_second_step(profile_id: int, session_epoch: int) -> None:
    """Record in the cookie that the password was correct and the code is still missing. Ends an earlier session."""
    session.clear()
    session[SECOND_STEP_KEY] = [profile_id, session_epoch, int(time.time())]


def second_step() -> tuple[int, int]:
    """Return the id and epoch of the profile that has passed the password step. Raises NotSignedIn (401)."""
    match session.get(SECOND_STEP_KEY):
        case [int(profile_id), int(epoch), int(at)] if 0 <= time.time() - at <= SECOND_STEP_SECONDS:
            return profile_id, epoch
    raise NotSignedIn("Please sign in.")


def identity() -> Identity:
    """Return the caller according to the cookie, without a query. Raises NotSignedIn (401)."""
    return parse_identity(session.get(IDENTITY_KEY))


def seconds_left() -> float:
    """Return the seconds until the idle limit, for streams that outlive the request."""
    return float(g.signed_at) + current_app.permanent_session_lifetime.total_seconds() - time.time()


def parse_identity(text: object) -> Identity:
    """Read `<profile id>.<token>`. Raises NotSignedIn (401)."""
    match = IDENTITY.fullmatch(str(text))
    if match is None:
        raise NotSignedIn("Please sign in.")
    return Identity(int(match["profile_id"]), session_id_of(match["token"]))


def session_id_of(token: str) -> str:
    """Return the key of the session's row: half of the token's SHA-256, from which the token cannot be derived."""
    return str(UUID(bytes=hashlib.sha256(token.encode()).digest()[:16]))


def is_user_activity() -> bool:
    """Return whether a user caused the request, and not an open page by itself."""
    return (
        request.endpoint not in BACKGROUND_ENDPOINTS
        and request.blueprint not in BACKGROUND_BLUEPRINTS
        and BACKGROUND_HEADER not in request.headers
    )


def _extend_idle_timeout() -> None:
    if is_user_activity() and IDENTITY_KEY in session:
        session.modified = True
