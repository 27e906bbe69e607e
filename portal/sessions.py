"""What the sign-in session holds, and how long it lasts.

The session is Flask's signed cookie. Its signature carries a time: a cookie older than the idle limit is
worth nothing (OWASP ASVS 5.0, 7.3.1), and only what a person does signs it anew. Beats and other calls
that a page makes by itself never do, so an unattended screen signs out (presence rule 8). A page that reads itself
again to show what somebody else has saved says so with BACKGROUND_HEADER.

Read by `auth` and `presence`. Must not import either.
"""

import time
from datetime import timedelta
from typing import Any, NamedTuple

from flask import Flask, Request, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadData

from portal.config import Settings
from portal.errors import NotSignedIn

IDENTITY_KEY = "_user_id"  # Flask-Login's
BACKGROUND_ENDPOINTS = {"static", "auth.session_state", "health.healthz", "health.readyz"}
BACKGROUND_BLUEPRINTS = {"presence", "drafts", "client_changes"}
BACKGROUND_HEADER = "X-Background"


class Identity(NamedTuple):
    """Who the session says is calling. Worthless until the database has agreed to the epoch."""

    profile_id: int
    session_epoch: int


class SessionInterface(SecureCookieSessionInterface):
    """Flask's own signed cookie, in which only being signed in grows old.

    A sign-in page that was open all night still holds a good CSRF token.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        try:
            content, signed_at = opened(app, request.cookies.get(self.get_cookie_name(app)) or "")
        except BadData:
            return self.session_class()
        return self.session_class({} if IDENTITY_KEY in content and is_too_old(app, signed_at) else content)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Not where a page reads itself again: a message that waits for a person's next page must not go with that."""
        return BACKGROUND_HEADER not in request.headers and super().should_set_cookie(app, session)


def opened(app: Flask, cookie: str) -> tuple[dict[str, Any], float]:
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
    app.before_request(_prolong)


def start(identity_text: str) -> None:
    """Begin a sign-in session with nothing of an earlier one in it, against session fixation."""
    session.clear()
    session[IDENTITY_KEY] = identity_text
    session.permanent = True


def identity() -> Identity:
    """The caller by the sign-in session alone, without a query. Raises NotSignedIn (401)."""
    return parse_identity(session.get(IDENTITY_KEY))


def parse_identity(text: object) -> Identity:
    """Read `<profile id>.<session epoch>`. Raises NotSignedIn (401)."""
    try:
        profile_id, epoch = str(text).split(".")
        return Identity(int(profile_id), int(epoch))
    except ValueError:
        raise NotSignedIn("Please sign in.") from None


def _prolong() -> None:
    by_a_person = request.endpoint not in BACKGROUND_ENDPOINTS and request.blueprint not in BACKGROUND_BLUEPRINTS
    if by_a_person and IDENTITY_KEY in session:
        session.modified = True
