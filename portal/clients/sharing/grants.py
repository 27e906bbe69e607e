"""Who sees a client: restricting it, letting people see it all the same. Flushes, never commits.

Both are changes of the record like any other: guarded by its version, in its history, to be undone there. Called by
access_views.py, history_views.py and `flask clients`.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from portal.auth import Profile
from portal.clients.records.entries import CLIENT, GRANT, Entry
from portal.clients.records.models import Client, ClientGrant
from portal.clients.records.revisions import ClientRevision
from portal.clients.saving.edits import Edit, Saved, ValueRejected
from portal.clients.saving.operations import add_part, lock, remove_part, save_entry
from portal.errors import NotFound
from portal.extensions import db


def grants_of(client: Client) -> Sequence[tuple[ClientGrant, Profile]]:
    """Those who see the client although it is restricted, by last name."""
    rows = db.session.execute(
        select(ClientGrant, Profile)
        .join(Profile, Profile.id == ClientGrant.profile_id)
        .where(ClientGrant.client_id == client.id)
        .order_by(Profile.last_name, Profile.first_name, Profile.id)
    )
    return [(row.ClientGrant, row.Profile) for row in rows]


def people_to_grant(client: Client) -> Sequence[Profile]:
    """Active people who do not see the client yet, or would not if it were restricted."""
    granted = select(ClientGrant.profile_id).where(ClientGrant.client_id == client.id)
    people = select(Profile).where(Profile.is_active, Profile.role != "admin", Profile.id.not_in(granted))
    return [
        profile
        for profile in db.session.scalars(people.order_by(Profile.last_name, Profile.first_name, Profile.id))
        if profile.id != client.adviser_id
    ]


def restrict(client: Client, edit: Edit, *, is_restricted: bool) -> Saved:
    """Hide the client from everybody but its adviser, those granted and administrators; or show it to all again."""
    return save_entry(client, Entry(CLIENT), _with(edit, is_restricted=is_restricted))


def grant(client: Client, profile_id: int, edit: Edit) -> Saved:
    """Let somebody see the client. Raises ValueRejected (422) for somebody who sees it already, or cannot sign in."""
    lock(client, _with(edit))
    if profile_id not in {profile.id for profile in people_to_grant(client)}:
        raise ValueRejected("profile_id", "Choose somebody who does not have access yet.")
    return add_part(client, GRANT, _with(edit, profile_id=profile_id))


def revoke(client: Client, grant_id: int, edit: Edit) -> Saved:
    """Take a grant back. Raises EntryGone (409) for one that was taken back already, NotFound (404) for none."""
    return remove_part(client, Entry(GRANT, grant_id), _with(edit))


def grant_id_of(client: Client, profile: Profile) -> int:
    """Raises NotFound (404) where the profile has none."""
    mine = select(ClientGrant.id).where(ClientGrant.client_id == client.id, ClientGrant.profile_id == profile.id)
    grant_id = db.session.scalar(mine)
    if grant_id is None:
        raise NotFound(f"{profile.email} has no grant for {client.client_ref}.")
    return grant_id


def affects_access(entry: Entry, revision: ClientRevision) -> bool:
    """Whether the change said who sees the client: to undo it takes the same right."""
    return entry.kind is GRANT or (entry.kind is CLIENT and "is_restricted" in revision.changes)


def _with(edit: Edit, **values: object) -> Edit:
    return replace(edit, values=values, to_grant=True)
