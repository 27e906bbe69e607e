"""Load and authorise clients in one step. Every read and write starts here.

A restricted client is visible to its adviser, to users with a grant, to compliance and to administrators. It does not
exist for other users. The rule is defined three times, for a reader, for a client and as SQL text for presence; a test
compares them.
Readers and compliance change nothing. Paraplanners change records but never who sees them.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, literal, or_, select, text, true
from sqlalchemy.orm import aliased

from portal import page_kinds
from portal.auth import Profile
from portal.auth.models import OVERSIGHT_ROLES
from portal.auth.sessions import store as sign_in_sessions
from portal.clients.records.models import Client, ClientGrant
from portal.errors import NotAllowed, NotFound
from portal.extensions import db
from portal.live.outbox import after_commit
from portal.presence import removal, sql
from portal.web.session_cookie import Identity

# Made once: a new alias takes 0.5 ms of the time of each page.
Adviser, Editor = aliased(Profile), aliased(Profile)
CLIENT_NOT_FOUND = "There is no such client, or you do not have access to it."
# The rule of `visible_to` as a SQL condition for heartbeats (page_kinds.PageKind).
# Not EXISTS: with a thousand clients the planner would hash all of them for each heartbeat.
VISIBLE_SQL = """(
    SELECT NOT clients.is_restricted OR caller.role IN ('compliance', 'admin') OR clients.adviser_id = caller.id
    OR EXISTS (
        SELECT FROM client_grants WHERE client_grants.client_id = clients.id AND client_grants.profile_id = caller.id)
    FROM clients WHERE clients.id = page.number) IS TRUE"""
# The number of clients that the caller sees only by its role.
OVERSIGHT_ONLY_SQL = """(
    SELECT count(*) FROM clients
    WHERE is_restricted AND adviser_id IS DISTINCT FROM caller.id AND NOT EXISTS (
        SELECT FROM client_grants WHERE client_grants.client_id = clients.id AND profile_id = caller.id))"""
# The rule of Profile.may_write as a SQL condition.
EDITABLE_SQL = "caller.role IN ('adviser', 'paraplanner', 'admin')"
# The number of clients whose adviser the caller is.
ADVISED_SQL = "(SELECT count(*) FROM clients WHERE adviser_id = caller.id)"
# Every accepted change of the client, its people, products and valuations increments this number.
VERSION_SQL = "(SELECT version FROM clients WHERE clients.id = page.number)"


class Caller(NamedTuple):
    """The author of a write: the profile as the request loaded it, and the request's sign-in session."""

    profile: Profile
    session: Identity


def visible_to(profile: Profile, client: Any = Client) -> ColumnElement[bool]:
    """Return the condition that the profile may see `client`, the table or an alias of it."""
    if profile.has_oversight:
        return true()
    granted = exists().where(ClientGrant.client_id == client.id, ClientGrant.profile_id == profile.id)
    return or_(~client.is_restricted, client.adviser_id == profile.id, granted)


def sees(client: Client) -> ColumnElement[bool]:
    """Return the condition that a row of `profiles` may see this client, as `visible_to` says."""
    granted = exists().where(ClientGrant.client_id == client.id, ClientGrant.profile_id == Profile.id)
    is_open, is_adviser = literal(not client.is_restricted), Profile.id == client.adviser_id
    return or_(is_open, Profile.role.in_(OVERSIGHT_ROLES), is_adviser, granted)


def client_for(profile: Profile, client_id: int, *, write: bool = False) -> Client:
    """Return the client if the profile may see it. Raises NotFound (404), or NotAllowed (403) for the write of a role
    that only reads.

    One statement covers missing and forbidden clients, so the timing does not reveal which it was.
    """
    client = db.session.scalar(_visible(profile, client_id))
    if client is None:
        raise NotFound(CLIENT_NOT_FOUND)
    if write and not profile.may_write:
        raise NotAllowed("Your role lets you look at clients but not change them.")
    return client


def client_with_names(profile: Profile, client_id: int, *more: ColumnElement[Any]) -> tuple[Client, list[Any]]:
    """Return the client as `client_for` does, and the values of `more`.

    The same statement loads the profiles of the adviser and of the last editor.
    """
    query = (
        _visible(profile, client_id)
        .add_columns(Adviser, Editor, *more)
        .outerjoin(Adviser, Adviser.id == Client.adviser_id)
        .outerjoin(Editor, Editor.id == Client.updated_by)
    )
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound(CLIENT_NOT_FOUND)
    client, adviser_profile, editor_profile, *found = row
    named = {person.id: person for person in (adviser_profile, editor_profile) if person is not None}
    db.session.info.setdefault("named", {}).update(named)  # for directory.name_of
    return client, found


def check_may_add(profile: Profile) -> None:
    """Raise NotAllowed (403) unless the profile may add clients."""
    if not profile.may_write:
        raise NotAllowed("Your role lets you look at clients but not add any.")


def lock(client_id: int) -> None:
    """Lock the client row until the transaction ends and refresh it, for an operator, who may change every client.

    Uses FOR NO KEY UPDATE, so inserts that only reference the client are not blocked. Raises NotFound (404).
    """
    _lock(select(Client).where(Client.id == client_id))


def lock_for(caller: Caller, client_id: int, *, to_grant: bool = False) -> frozenset[str]:
    """Lock the client row as `lock` does. Returns the columns that the caller may not change now.

    The lock selects with the permission, so a user without access neither blocks nor waits for other writers. After a
    wait, PostgreSQL reads the row again, but not grants, profile and session. Separate statements read those, and see
    everything committed meanwhile. Grants cannot change while the row is locked. Raises NotSignedIn (401), NotFound
    (404) or NotAllowed (403).
    """
    _lock(_visible(caller.profile, client_id))
    profile = sign_in_sessions.lock_active(caller.session)
    client = (
        client_for_access_management(profile, client_id) if to_grant else client_for(profile, client_id, write=True)
    )
    return readonly_columns(profile, client)


def record_read(caller: Identity, client_id: int) -> bool:
    """Record that the session's profile reads the client, and return whether it may. The caller commits.

    One new statement does both, so no read is without a record (docs/decisions/0013-read-log.md). It writes one row for
    each profile, client and hour, and its commit waits for no standby.
    """
    query = f"""
        WITH reader AS (
            SELECT caller.id FROM ({sql.caller(":profile_id", "CAST(:session_id AS uuid)")}) caller,
                (SELECT CAST(:number AS integer) AS number) page
            WHERE {VISIBLE_SQL}
        ),
        read AS (
            INSERT INTO client_reads (hour, client_id, profile_id)
            SELECT date_trunc('hour', now(), 'UTC'), :number, id FROM reader ON CONFLICT DO NOTHING
        )
        SELECT EXISTS (SELECT FROM reader), set_config('synchronous_commit', 'local', true)"""  # noqa: S608
    return bool(db.session.scalar(text(query), {**caller._asdict(), "number": client_id}))


def can_manage_access(profile: Profile, client: Client) -> bool:
    """Return whether the profile may restrict the client and manage its grants."""
    return profile.role == "admin" or (profile.may_advise and client.adviser_id == profile.id)


def can_redact_notes(profile: Profile) -> bool:
    """Return whether the profile may delete the text of other users' notes."""
    return profile.role == "admin"


def readonly_columns(profile: Profile, client: Client) -> frozenset[str]:
    """Return the columns of a client, which the profile may change otherwise, that need permission to manage access."""
    if can_manage_access(profile, client):
        return frozenset()
    return frozenset({"is_restricted", "adviser_id"} if client.is_restricted else {"is_restricted"})


def affects_visibility(keys: Iterable[str]) -> bool:
    """Return whether a change of these keys (revisions.py) affects who sees the client."""
    return any(key in ("is_restricted", "adviser_id") or key.startswith("grant/") for key in keys)


def evict(client_id: int) -> None:
    """Remove users who have lost access from the client's page, after the commit."""
    after_commit(partial(removal.evict, page=page_kinds.parse(f"client-{client_id}")))


def client_for_access_management(profile: Profile, client_id: int) -> Client:
    """Return the client if the profile may manage its access. Raises NotFound (404) or NotAllowed (403)."""
    client = client_for(profile, client_id, write=True)
    if not can_manage_access(profile, client):
        raise NotAllowed("Only the client’s adviser and administrators may manage access to a client.")
    return client


def _visible(profile: Profile, client_id: int) -> Select[Client]:
    return select(Client).where(Client.id == client_id, visible_to(profile))


def _lock(query: Select[Client]) -> None:
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    if db.session.scalar(locked) is None:
        raise NotFound(CLIENT_NOT_FOUND)
