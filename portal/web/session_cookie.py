"""What the sign-in session holds, and how long it lasts.

The session is Flask's signed cookie with the profile's id and a random token. The database keeps a row for each
(auth/sessions/store.py), by which it is revoked and has its absolute limit. The idle limit is the cookie's own: its
signature carries a time, a cookie older than the limit is worth nothing (OWASP ASVS 5.0.0, 7.3.1), and only what a
person does signs it anew, which is exact to the second and writes nothing. Beats and other calls that a page makes by
itself never do, so an unattended screen signs out (presence rule 8). A page that reads itself again to show what
somebody else has saved says so with BACKGROUND_HEADER.

Read by `auth` and `presence`. Must not import either.
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

IDENTITY_KEY = "_user_id"  # Flask-Login's
BACKGROUND_ENDPOINTS = {"static", "auth.session_state", "health.healthz", "health.readyz", "health.show_metrics"}
BACKGROUND_BLUEPRINTS = {"presence", "drafts", "client_changes", "client_text_merges", "client_same_parts"}
BACKGROUND_HEADER = "X-Background"
SECOND_STEP_KEY = "second_step"
SECOND_STEP_SECONDS = 600
TOKEN_BYTES = 16  # 128 bits, of a cryptographic source (OWASP ASVS 5.0.0, 7.2.3)
IDENTITY = re.compile(r"(?P<profile_id>[1-9][0-9]{0,8})\.(?P<token>[A-Za-z0-9_-]{22})", re.ASCII)


class Identity(NamedTuple):
    """Who the session says is calling. Worthless until the database has found that session, as every statement asks."""

    profile_id: int
    session_id: str


class SessionInterface(SecureCookieSessionInterface):
    """Flask's own signed cookie, in which only being signed in grows old.

    A sign-in page that was open all night still holds a good CSRF token.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        try:
            content, signed_at = decode_cookie(app, request.cookies.get(self.get_cookie_name(app)) or "")
        except BadData:
            return self.session_class()
        g.signed_at = signed_at
        return self.session_class({} if IDENTITY_KEY in content and is_too_old(app, signed_at) else content)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Not where a page reads itself again: a message that waits for a person's next page must not go with that."""
        return BACKGROUND_HEADER not in request.headers and super().should_set_cookie(app, session)


def decode_cookie(app: Flask, cookie: str) -> tuple[dict[str, Any], float]:
    """What a session cookie holds and when it was signed, in seconds since 1970. Raises BadData for a forged one."""
    serializer: Any = SessionInterface().get_signing_serializer(app)
    content, signed_at = serializer.loads(cookie, return_timestamp=True)
    return content, signed_at.timestamp()


def is_too_old(app: Flask, signed_at: float) -> bool:
    """Whether nobody has done anything in the sign-in session for longer than the idle limit."""
    return time.time() - signed_at > app.permanent_session_lifetime.total_seconds()


def init_sessions(app: Flask, settings: Settings) -> None:
    """Set the cookie's name, flags and life, and let what a person does prolong it."""
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
    """Begin a sign-in session with nothing of an earlier one in it, against session fixation."""
    session.clear()
    session[IDENTITY_KEY] = identity_text
    session.permanent = True


def await_second_step(profile_id: int, session_epoch: int) -> None:
    """The password was right, the code is still to come: nobody is signed in, whatever was in the session before."""
    session.clear()
    session[SECOND_STEP_KEY] = [profile_id, session_epoch, int(time.time())]


def second_step() -> tuple[int, int]:
    """The profile and the epoch whose password was right a moment ago. Raises NotSignedIn (401)."""
    match session.get(SECOND_STEP_KEY):
        case [int(profile_id), int(epoch), int(at)] if 0 <= time.time() - at <= SECOND_STEP_SECONDS:
            return profile_id, epoch
    raise NotSignedIn("Please sign in.")


def identity() -> Identity:
    """The caller by the sign-in session alone, without a query. Raises NotSignedIn (401)."""
    return parse_identity(session.get(IDENTITY_KEY))


def seconds_left() -> float:
    """How much longer the session of this request lasts if nobody does anything: for what outlives the request."""
    return float(g.signed_at) + current_app.permanent_session_lifetime.total_seconds() - time.time()


def parse_identity(text: object) -> Identity:
    """Read `<profile id>.<token>`. Raises NotSignedIn (401)."""
    match = IDENTITY.fullmatch(str(text))
    if match is None:
        raise NotSignedIn("Please sign in.")
    return Identity(int(match["profile_id"]), session_id_of(match["token"]))


def session_id_of(token: str) -> str:
    """The key of the session's row: half of the token's SHA-256, so that the row does not tell the token."""
    return str(UUID(bytes=hashlib.sha256(token.encode()).digest()[:16]))


def is_user_activity() -> bool:
    """Whether the request is what a person does, not what an open page does by itself."""
    return (
        request.endpoint not in BACKGROUND_ENDPOINTS
        and request.blueprint not in BACKGROUND_BLUEPRINTS
        and BACKGROUND_HEADER not in request.headers
    )


def _extend_idle_timeout() -> None:
    if is_user_activity() and IDENTITY_KEY in session:
        session.modified = True
