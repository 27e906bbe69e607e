"""The sign-in sessions as the database keeps them: begun, listed, noted as used, ended. Flushes, never commits.

The cookie is in portal.web.session_cookie. A session is active while its row exists, its epoch is the profile's and
`ends_at` is in the future;
presence checks the same in every statement (presence.statements.CALLER). Whatever ends a session also rings its
profile's live streams, once that is committed.
"""

import secrets
from collections.abc import Sequence
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
    String,
    delete,
    func,
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

MAX_SESSIONS_PER_PROFILE = 20  # of one profile; the one that has been idle longest goes
TOUCH_INTERVAL_SECONDS = 60


class SignInSession(Model):
    """One browser that a profile is signed in with."""

    __tablename__ = "sign_in_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), index=True)
    session_epoch: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    address: Mapped[str] = mapped_column(String(MAX_ADDRESS_LENGTH), server_default="")
    user_agent: Mapped[str] = mapped_column(String(MAX_USER_AGENT_LENGTH), server_default="")


def begin(profile_id: int, session_epoch: int, whence: RequestOrigin, *, hours: int) -> str:
    """Begin a session and return its identity text for the cookie: the only time that anybody sees the token.

    `session_epoch` is the one that was read together with what the person has proved: where a new password has raised
    it meanwhile, the session never holds. Flushes.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    _evict_least_recently_used(profile_id)
    row = SignInSession(
        id=UUID(session_id_of(token)),
        profile_id=profile_id,
        session_epoch=session_epoch,
        ends_at=func.now() + func.make_interval(0, 0, 0, 0, hours),
        address=whence.address,
        user_agent=whence.user_agent,
    )
    db.session.add(row)
    db.session.flush()
    return f"{profile_id}.{token}"


def find_active(identity: Identity) -> tuple[Profile, SignInSession] | None:
    """The active profile whose session this is, or None when it has been ended, by whatever end."""
    query = (
        select(Profile, SignInSession)
        .join(SignInSession, SignInSession.profile_id == Profile.id)
        .where(SignInSession.id == UUID(identity.session_id), Profile.id == identity.profile_id, *_IS_ACTIVE)
    )
    found = db.session.execute(query).one_or_none()
    return (found[0], found[1]) if found else None


def hold(identity: Identity, *, to_change: bool = False) -> Profile:
    """Read the profile anew and keep it, and the session, as they are until the transaction ends.

    `to_change` is for a transaction that changes the profile itself: two that share the row would wait for each other.
    FOR SHARE waits for a transaction that is deactivating the profile, changing its role or ending the session, and
    finds what that transaction has left. The profile is locked before the session, as `operations.end_sessions` does.
    Raises NotSignedIn (401) when the session holds no longer.
    """
    query = (
        select(Profile)
        .join(SignInSession, SignInSession.profile_id == Profile.id)
        .where(SignInSession.id == UUID(identity.session_id), Profile.id == identity.profile_id, *_IS_ACTIVE)
        .with_for_update(read=not to_change, key_share=to_change, of=[Profile, SignInSession])
    )
    profile = db.session.scalar(query.execution_options(populate_existing=True))
    if profile is None:
        raise NotSignedIn("Please sign in.")
    return profile


def sessions_of(profile: Profile, *, idle_minutes: int) -> Sequence[SignInSession]:
    """Those that still hold, the latest used first."""
    query = (
        select(SignInSession)
        .join(Profile, SignInSession.profile_id == Profile.id)
        .where(Profile.id == profile.id, *_IS_ACTIVE)
        .where(SignInSession.last_used_at > func.now() - func.make_interval(0, 0, 0, 0, 0, idle_minutes))
        .order_by(SignInSession.last_used_at.desc(), SignInSession.started_at.desc())
    )
    return db.session.scalars(query).all()


def touch(session_id: UUID) -> None:
    """A person has just used it. Of many requests at once, one writes. Commit at once: that waits for no standby."""
    db.session.execute(text("SET LOCAL synchronous_commit = off"))
    a_while_ago = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, TOUCH_INTERVAL_SECONDS)
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.last_used_at < a_while_ago)
        .values(last_used_at=func.now())
        .execution_options(synchronize_session=False)
    )


def end(profile_id: int, session_id: UUID) -> bool:
    """End one session of the profile's; whether there was one."""
    return _delete(profile_id, SignInSession.id == session_id) > 0


def end_others(profile_id: int, kept: UUID) -> int:
    """End all sessions of the profile's but one; how many."""
    return _delete(profile_id, SignInSession.id != kept)


def end_all(profile_id: int) -> int:
    """End every session of the profile's; how many."""
    return _delete(profile_id)


def end_all_sessions() -> int:
    """End every session of every profile; how many."""
    return _notify_signed_out(
        db.session.connection().execute(delete(SignInSession).returning(SignInSession.profile_id))
    )


def purge(connection: Connection, idle_minutes: int) -> int:
    """Delete what can no longer hold; return how many. The caller commits."""
    query = text(
        "DELETE FROM sign_in_sessions WHERE ends_at < now()"
        " OR last_used_at < now() - make_interval(mins => :idle_minutes, secs => 2 * :noted_every_seconds)"
        " RETURNING profile_id"
    )
    parameters = {"idle_minutes": idle_minutes, "noted_every_seconds": TOUCH_INTERVAL_SECONDS}
    return _notify_signed_out(connection.execute(query, parameters))


_IS_ACTIVE = (
    Profile.is_active,
    SignInSession.session_epoch == Profile.session_epoch,
    SignInSession.ends_at > func.now(),
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


def _notify_signed_out(deleted: CursorResult[Any]) -> int:
    """Tell the streams of those whose sessions were deleted, once that is committed; return how many sessions."""
    profile_ids = deleted.scalars().all()
    for profile_id in dict.fromkeys(profile_ids):
        after_commit(partial(publish.signed_out, profile_id=profile_id))
    return len(profile_ids)
