"""Who is signed in with the present request: Flask-Login's loader, and the note that a person has used the session.

Registered by `init_auth`. `current_session()` is for the views of this package.
"""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from flask import current_app, g, session
from flask_login import current_user
from sqlalchemy import select

from portal import clock
from portal.auth.models import Profile
from portal.auth.sessions import store
from portal.auth.sessions.store import TOUCH_INTERVAL_SECONDS, SignInSession
from portal.config import Settings
from portal.errors import NotSignedIn
from portal.extensions import db
from portal.web import session_cookie
from portal.web.actor import request_origin
from portal.web.session_cookie import IDENTITY_KEY, is_user_activity, parse_identity


def profile_of_session(identity_text: str) -> Profile | None:
    """The active profile that a sign-in session belongs to, or None when it has been ended (Flask-Login's loader)."""
    try:
        identity = parse_identity(identity_text)
    except NotSignedIn:
        return None
    found = store.find_active(identity)
    if found is None:
        return None
    profile, g.sign_in_session = found
    # Kept as it was read: an ended session's row is gone, and reading it anew after a rollback would fail.
    db.session.expunge(g.sign_in_session)
    return profile


def start_session(profile: Profile, settings: Settings) -> None:
    """Sign the present browser in as the profile; what it was signed in as before ends. Flushes."""
    end_session()
    identity_text = store.begin(profile.id, profile.session_epoch, request_origin(), hours=settings.session_hours)
    session_cookie.start(identity_text)


def end_session() -> None:
    """End the session that the browser's cookie names, if any, and forget the cookie. Flushes."""
    with suppress(NotSignedIn):
        identity = session_cookie.identity()
        store.end(identity.profile_id, UUID(identity.session_id))
    session.clear()


def current_session() -> SignInSession:
    """The session of the present request. Raises NotSignedIn (401)."""
    if not current_user.is_authenticated:
        raise NotSignedIn("Please sign in.")
    row: SignInSession = g.sign_in_session
    return row


def profile_at(profile_id: int, session_epoch: int) -> Profile:
    """The active profile whose epoch is still this one. Raises NotSignedIn (401)."""
    query = select(Profile).where(Profile.id == profile_id, Profile.session_epoch == session_epoch, Profile.is_active)
    profile = db.session.scalar(query)
    if profile is None:
        raise NotSignedIn("Please sign in.")
    return profile


def seconds_left(settings: Settings, *, is_prolonged: bool = False) -> dict[str, int]:
    """Until the idle limit, unless somebody does something, and until the absolute limit, whatever anybody does."""
    at = clock.now()
    idle = settings.idle_minutes * 60
    used_at = at.timestamp() if is_prolonged else g.get("signed_at", at.timestamp())
    return {
        "seconds_idle": max(0, round(used_at + idle - at.timestamp())),
        "seconds_left": max(0, round((current_session().ends_at - at).total_seconds())),
    }


def seconds_left_here() -> dict[str, int]:
    """For the page that is being drawn: a person has asked for it, unless it reads itself again."""
    return seconds_left(current_app.config["SETTINGS"], is_prolonged=is_user_activity())


def touch_session() -> None:
    """Before each request: what a person does is noted, at most once a minute, in a transaction of its own."""
    if IDENTITY_KEY not in session or not is_user_activity() or not current_user.is_authenticated:
        return
    row: SignInSession = g.sign_in_session
    if clock.now() - row.last_used_at > timedelta(seconds=TOUCH_INTERVAL_SECONDS):
        store.touch(row.id)
        db.session.commit()
