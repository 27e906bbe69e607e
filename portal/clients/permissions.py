"""Who may see and change which client: loaded and authorised in one step. Every read and write starts here.

A restricted client is seen by its adviser, those granted and administrators; for everybody else it does not exist.
The rule stands here twice, for SQLAlchemy and as text for presence; a test compares them. Readers change nothing.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, or_, select, text, true
from sqlalchemy.orm import aliased

from portal import page_kinds
from portal.auth import Profile
from portal.auth.sessions import store as sign_in_sessions
from portal.clients.records.models import Client, ClientGrant
from portal.errors import NotAllowed, NotFound
from portal.extensions import db
from portal.live.outbox import after_commit
from portal.presence import removal, sql
from portal.web.session_cookie import Identity

CLIENT_NOT_FOUND = "There is no such client, or you do not have access to it."
# The rule of `visible_to` as a SQL condition, for the beat: see pages.PageKind.
# Not EXISTS: with a thousand clients the planner turns that into a hash of all of them, made anew at each beat.
VISIBLE_SQL = """(
    SELECT NOT clients.is_restricted OR caller.role = 'admin' OR clients.adviser_id = caller.id OR EXISTS (
        SELECT FROM client_grants WHERE client_grants.client_id = clients.id AND client_grants.profile_id = caller.id)
    FROM clients WHERE clients.id = page.number) IS TRUE"""
# How many clients the caller sees as an administrator and would not see otherwise.
ADMIN_ONLY_SQL = """(
    SELECT count(*) FROM clients
    WHERE is_restricted AND adviser_id IS DISTINCT FROM caller.id AND NOT EXISTS (
        SELECT FROM client_grants WHERE client_grants.client_id = clients.id AND profile_id = caller.id))"""
# The rule of Profile.may_write, likewise.
EDITABLE_SQL = "caller.role IN ('adviser', 'admin')"
# The number that rises with every accepted change of the client, its people, products and valuations.
VERSION_SQL = "(SELECT version FROM clients WHERE clients.id = page.number)"


class Caller(NamedTuple):
    """Who writes: the profile as the request found it, and the sign-in session that it came with."""

    profile: Profile
    session: Identity


def visible_to(profile: Profile, client: Any = Client) -> ColumnElement[bool]:
    """The condition that `client`, the table or an alias of it, is for this profile to see."""
    if profile.role == "admin":
        return true()
    granted = exists().where(ClientGrant.client_id == client.id, ClientGrant.profile_id == profile.id)
    return or_(~client.is_restricted, client.adviser_id == profile.id, granted)


def client_for(profile: Profile, client_id: int, *, write: bool = False) -> Client:
    """The client, for this profile. Raises NotFound (404), or NotAllowed (403) for a reader who would write.

    One statement, whether the client is not there or not for the profile: they take the same time.
    """
    client = db.session.scalar(_visible(profile, client_id))
    if client is None:
        raise NotFound(CLIENT_NOT_FOUND)
    if write and not profile.may_write:
        raise NotAllowed("Your role lets you look at clients but not change them.")
    return client


def client_with_names(profile: Profile, client_id: int, more: ColumnElement[Any]) -> tuple[Client, Any]:
    """As `client_for`, with `more`, by the same statement as the profiles of its adviser and of who changed it last."""
    adviser, editor = aliased(Profile), aliased(Profile)
    query = (
        _visible(profile, client_id)
        .add_columns(adviser, editor, more)
        .outerjoin(adviser, adviser.id == Client.adviser_id)
        .outerjoin(editor, editor.id == Client.updated_by)
    )
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound(CLIENT_NOT_FOUND)
    client, *people, found = row
    named = {person.id: person for person in people if person is not None}
    db.session.info.setdefault("named", {}).update(named)  # for queries.name_of
    return client, found


def lock(client_id: int) -> None:
    """Hold the client's row until the transaction ends and read it anew, for an operator, who may change every client.

    FOR NO KEY UPDATE, so that a row which only refers to the client need not wait. Raises NotFound (404).
    """
    _lock(select(Client).where(Client.id == client_id))


def lock_for(caller: Caller, client_id: int, *, to_grant: bool = False) -> frozenset[str]:
    """Hold the client's row as `lock` does; return the columns that the caller may not change of it as it is now.

    The lock selects with the permission, so that nobody holds up, or waits for, a client that is not theirs. After a
    wait PostgreSQL looks at the row again, but at grants, profile and session as they were before: those are read by
    statements of their own, which see all that was committed meanwhile. While the row is held, nobody changes a grant.
    Raises NotSignedIn (401), NotFound (404) or NotAllowed (403).
    """
    _lock(_visible(caller.profile, client_id))
    profile = sign_in_sessions.lock_active(caller.session)
    client = (
        client_for_access_management(profile, client_id) if to_grant else client_for(profile, client_id, write=True)
    )
    return readonly_columns(profile, client)


def is_seen_by(caller: Identity, client_id: int) -> bool:
    """Whether the session holds and its profile sees the client, by one statement that reads all of it anew."""
    asked = f"""
        SELECT EXISTS (
            SELECT FROM ({sql.caller(":profile_id", "CAST(:session_id AS uuid)")}) caller,
                (SELECT CAST(:number AS integer) AS number) page
            WHERE {VISIBLE_SQL})"""  # noqa: S608 - constants of ours
    return bool(db.session.scalar(text(asked), {**caller._asdict(), "number": client_id}))


def can_manage_access(profile: Profile, client: Client) -> bool:
    """Whether the profile may restrict the client and say who sees it all the same."""
    return profile.role == "admin" or (profile.may_write and client.adviser_id == profile.id)


def readonly_columns(profile: Profile, client: Client) -> frozenset[str]:
    """What the profile may not change of a client that it may change: who sees it, and by way of whom."""
    if can_manage_access(profile, client):
        return frozenset()
    return frozenset({"is_restricted", "adviser_id"} if client.is_restricted else {"is_restricted"})


def affects_visibility(keys: Iterable[str]) -> bool:
    """Whether a change with these keys (see revisions.py) changes who sees its client."""
    return any(key in ("is_restricted", "adviser_id") or key.startswith("grant/") for key in keys)


def evict(client_id: int) -> None:
    """Take off the client's page whoever may not see it any more, once a change of who does has been committed."""
    after_commit(partial(removal.evict, page=page_kinds.parse(f"client-{client_id}")))


def client_for_access_management(profile: Profile, client_id: int) -> Client:
    """The client, for somebody who says who sees it. Raises NotFound (404) or NotAllowed (403)."""
    client = client_for(profile, client_id, write=True)
    if not can_manage_access(profile, client):
        raise NotAllowed("Only the client’s adviser and administrators say who sees a client.")
    return client


def _visible(profile: Profile, client_id: int) -> Select[Client]:
    return select(Client).where(Client.id == client_id, visible_to(profile))


def _lock(query: Select[Client]) -> None:
    held = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    if db.session.scalar(held) is None:
        raise NotFound(CLIENT_NOT_FOUND)
