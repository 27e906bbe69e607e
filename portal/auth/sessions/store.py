"""Store sign-in sessions in the database. The functions flush; the caller commits.

ACTIVE_SESSION_SQL is the only definition of an active session; presence checks it in its own statements. Functions that
end sessions also notify the profile's event streams, once the transaction has committed.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    DateTime,
    ForeignKey,
    Select,
    String,
    delete,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.auth.models import Profile
from portal.errors import NotSignedIn
from portal.extensions import Model, db
from portal.live import publish
from portal.live.outbox import after_commit
from portal.web.actor import MAX_ADDRESS_LENGTH, MAX_USER_AGENT_LENGTH, RequestOrigin
from portal.web.session_cookie import TOKEN_BYTES, Identity, session_id_of

# When a sign-in session is active: a condition on a row of profiles joined with its row of sign_in_sessions.
ACTIVE_SESSION_SQL = """profiles.is_active AND sign_in_sessions.session_epoch = profiles.session_epoch
    AND sign_in_sessions.ends_at > now()"""
_IS_ACTIVE = text(ACTIVE_SESSION_SQL)
MAX_SESSIONS_PER_PROFILE = 20  # a further sign-in ends the session that has been idle longest
TOUCH_INTERVAL_SECONDS = 60
_read_with_profile: dict[str, Callable[[], str]] = {}


class SignInSession(Model):
    """A browser in which a profile is signed in."""

    __tablename__ = "sign_in_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), index=True)
    session_epoch: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    address: Mapped[str] = mapped_column(String(MAX_ADDRESS_LENGTH), server_default="")
    user_agent: Mapped[str] = mapped_column(String(MAX_USER_AGENT_LENGTH), server_default="")


def begin(profile_id: int, session_epoch: int, origin: RequestOrigin, *, hours: int) -> str:
    """Create a session and return its identity text for the cookie. The token is stored nowhere else. Flushes.

    `session_epoch` must have been read together with the verified credentials. If a new password has incremented the
    epoch meanwhile, the session is never active.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    _evict_least_recently_used(profile_id)
    row = SignInSession(
        id=UUID(session_id_of(token)),
        profile_id=profile_id,
        session_epoch=session_epoch,
        ends_at=func.now() + func.make_interval(0, 0, 0, 0, hours),
        address=origin.address,
        user_agent=origin.user_agent,
    )
    db.session.add(row)
    db.session.flush()
    return f"{profile_id}.{token}"


def read_with_profile(name: str, sql: Callable[[], str]) -> None:
    """Read a SQL scalar over `profiles.id` in the statement that loads the profile of each request.

    For what every page shows: it takes no statement of its own.
    """
    _read_with_profile[name] = sql


def find_active(identity: Identity) -> tuple[Profile, SignInSession, dict[str, Any]] | None:
    """Return the active profile, its session and what is read with them; None if the session is not active."""
    more: list[ColumnElement[Any]] = [literal_column(sql()).label(name) for name, sql in _read_with_profile.items()]
    query = (
        select(Profile, SignInSession, *more)
        .join(SignInSession, SignInSession.profile_id == Profile.id)
        .where(SignInSession.id == UUID(identity.session_id), Profile.id == identity.profile_id, _IS_ACTIVE)
    )
    found = db.session.execute(query).one_or_none()
    return (found[0], found[1], dict(zip(_read_with_profile, found[2:], strict=True))) if found else None


def active_profile(identity: Identity) -> Profile | None:
    """Return the profile as it is now, or None if the session is no longer active. For a response that is streamed."""
    return db.session.scalar(_active_profile(identity).execution_options(populate_existing=True))


def lock_active(identity: Identity, *, to_change: bool = False) -> Profile:
    """Lock the profile and the session until the transaction ends, and return the refreshed profile.

    FOR SHARE waits for a transaction that deactivates the profile, changes its role or ends the session, and then sees
    its result. A transaction that will change the profile passes `to_change`: two transactions that share the row and
    then update it would deadlock. The profile is locked before the session, in the same order as in
    `profiles.end_sessions`. Raises NotSignedIn (401) if the session is no longer active.
    """
    query = _active_profile(identity).with_for_update(
        read=not to_change, key_share=to_change, of=[Profile, SignInSession]
    )
    profile = db.session.scalar(query.execution_options(populate_existing=True))
    if profile is None:
        raise NotSignedIn("Please sign in.")
    return profile


def active_sessions_of(profile: Profile, *, idle_minutes: int) -> Sequence[SignInSession]:
    """Return the profile's active sessions, the most recently used first."""
    query = (
        select(SignInSession)
        .join(Profile, SignInSession.profile_id == Profile.id)
        .where(Profile.id == profile.id, _IS_ACTIVE)
        .where(SignInSession.last_used_at > func.now() - func.make_interval(0, 0, 0, 0, 0, idle_minutes))
        .order_by(SignInSession.last_used_at.desc(), SignInSession.started_at.desc())
    )
    return db.session.scalars(query).all()


def touch(session_id: UUID) -> None:
    """Record that the user has just used the session. Commit at once.

    Of concurrent requests one writes. The commit is asynchronous, so it does not wait for a standby.
    """
    db.session.execute(text("SET LOCAL synchronous_commit = off"))
    due_before = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, TOUCH_INTERVAL_SECONDS)
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.last_used_at < due_before)
        .values(last_used_at=func.now())
        .execution_options(synchronize_session=False)
    )


def end(profile_id: int, session_id: UUID) -> bool:
    """End one session of the profile. Return whether it existed."""
    return _delete(profile_id, SignInSession.id == session_id) > 0


def end_others(profile_id: int, kept_id: UUID) -> int:
    """End all sessions of the profile except one. Return how many ended."""
    return _delete(profile_id, SignInSession.id != kept_id)


def end_all(profile_id: int) -> int:
    """End all sessions of the profile. Return how many ended."""
    return _delete(profile_id)


def end_all_sessions() -> int:
    """End all sessions of all profiles. Return how many ended."""
    return _notify_signed_out(
        db.session.connection().execute(delete(SignInSession).returning(SignInSession.profile_id))
    )


def purge(connection: Connection, idle_minutes: int) -> int:
    """Delete sessions past one of their limits. Return how many. The caller commits."""
    query = text(
        "DELETE FROM sign_in_sessions WHERE ends_at < now()"
        " OR last_used_at < now() - make_interval(mins => :idle_minutes, secs => 2 * :touch_interval_seconds)"
        " RETURNING profile_id"
    )
    parameters = {"idle_minutes": idle_minutes, "touch_interval_seconds": TOUCH_INTERVAL_SECONDS}
    return _notify_signed_out(connection.execute(query, parameters))


def _active_profile(identity: Identity) -> Select[Profile]:
    return (
        select(Profile)
        .join(SignInSession, SignInSession.profile_id == Profile.id)
        .where(SignInSession.id == UUID(identity.session_id), Profile.id == identity.profile_id, _IS_ACTIVE)
    )


def _evict_least_recently_used(profile_id: int) -> None:
    kept = (
        select(SignInSession.id)
        .where(SignInSession.profile_id == profile_id)
        .order_by(SignInSession.last_used_at.desc())
        .limit(MAX_SESSIONS_PER_PROFILE - 1)
    )
    _delete(profile_id, SignInSession.id.not_in(kept))


def _delete(profile_id: int, *conditions: ColumnElement[bool]) -> int:
    statement = delete(SignInSession).where(SignInSession.profile_id == profile_id, *conditions)
    return _notify_signed_out(db.session.connection().execute(statement.returning(SignInSession.profile_id)))


def _notify_signed_out(deleted: CursorResult[int]) -> int:
    """Notify the event streams of the affected profiles after the commit. Return the number of deleted sessions."""
    profile_ids = deleted.scalars().all()
    for profile_id in dict.fromkeys(profile_ids):
        after_commit(partial(publish.signed_out, profile_id=profile_id))
    return len(profile_ids)
