"""Load, start and end the sign-in session of the current request, and record its use."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from flask import g, session
from flask_login import current_user
from sqlalchemy import select

from portal import clock
from portal.auth.models import Profile
from portal.auth.sessions import store
from portal.auth.sessions.store import TOUCH_INTERVAL_SECONDS, SignInSession
from portal.config import Settings
from portal.config.current import current_settings
from portal.errors import NotSignedIn
from portal.extensions import db
from portal.web import session_cookie
from portal.web.actor import request_origin
from portal.web.session_cookie import IDENTITY_KEY, is_user_activity, parse_identity


def profile_of_session(identity_text: str) -> Profile | None:
    """Return the active profile of a sign-in session, or None if the session has ended. Flask-Login's user loader."""
    try:
        identity = parse_identity(identity_text)
    except NotSignedIn:
        return None
    found = store.find_active(identity)
    if found is None:
        return None
    profile, g.sign_in_session, g.read_with_profile = found
    # Detached from the ORM session: after a rollback the ORM would reload the row, which may be deleted by then.
    db.session.expunge(g.sign_in_session)
    return profile


def start_session(profile: Profile, settings: Settings) -> None:
    """Sign the browser in as the profile, after ending its previous session. Flushes."""
    end_session()
    identity_text = store.begin(profile.id, profile.session_epoch, request_origin(), hours=settings.session_hours)
    session_cookie.start(identity_text)


def end_session() -> None:
    """End the session that the browser's cookie names, if any, and clear the cookie. Flushes."""
    with suppress(NotSignedIn):
        identity = session_cookie.identity()
        store.end(identity.profile_id, UUID(identity.session_id))
    session.clear()


def current_session() -> SignInSession:
    """Return the sign-in session of the current request. Raises NotSignedIn (401)."""
    if not current_user.is_authenticated:
        raise NotSignedIn("Please sign in.")
    row: SignInSession = g.sign_in_session
    return row


def profile_with_epoch(profile_id: int, session_epoch: int) -> Profile:
    """Return the active profile if its epoch is still `session_epoch`. Raises NotSignedIn (401)."""
    query = select(Profile).where(Profile.id == profile_id, Profile.session_epoch == session_epoch, Profile.is_active)
    profile = db.session.scalar(query)
    if profile is None:
        raise NotSignedIn("Please sign in.")
    return profile


def seconds_left(settings: Settings, *, is_extended: bool = False) -> dict[str, int]:
    """Return the seconds until the idle limit and until the absolute limit of the session.

    `is_extended` says that the current request restarts the idle time.
    """
    at = clock.now()
    idle = settings.idle_minutes * 60
    used_at = at.timestamp() if is_extended else g.get("signed_at", at.timestamp())
    return {
        "seconds_idle": max(0, round(used_at + idle - at.timestamp())),
        "seconds_left": max(0, round((current_session().ends_at - at).total_seconds())),
    }


def page_seconds_left() -> dict[str, int]:
    """Return `seconds_left` for the page being rendered. A background reload does not extend the idle time."""
    return seconds_left(current_settings(), is_extended=is_user_activity())


def touch_session() -> None:
    """Record user activity in the session's row, at most once a minute and in a transaction of its own."""
    if IDENTITY_KEY not in session or not is_user_activity() or not current_user.is_authenticated:
        return
    row: SignInSession = g.sign_in_session
    if clock.now() - row.last_used_at > timedelta(seconds=TOUCH_INTERVAL_SECONDS):
        store.touch(row.id)
        db.session.commit()
