"""Restrict clients, and grant access to restricted ones. Flushes, never commits.

These are changes of the record like any other, with a version check and a revision that can be undone.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from portal.auth import Profile
from portal.auth.models import OVERSIGHT_ROLES
from portal.clients.records.entries import CLIENT, GRANT, Entry
from portal.clients.records.models import Client, ClientGrant
from portal.clients.records.revisions import ClientRevision
from portal.clients.saving.edits import Edit, Saved, ValueRejected
from portal.clients.saving.operations import add_part, lock, remove_part, save_entry
from portal.errors import NotFound
from portal.extensions import db


def grants_of(client: Client) -> Sequence[tuple[ClientGrant, Profile]]:
    """Return the grants of the client, by last name."""
    rows = db.session.execute(
        select(ClientGrant, Profile)
        .join(Profile, Profile.id == ClientGrant.profile_id)
        .where(ClientGrant.client_id == client.id)
        .order_by(Profile.last_name, Profile.first_name, Profile.id)
    )
    return [(row.ClientGrant, row.Profile) for row in rows]


def people_to_grant(client: Client) -> Sequence[Profile]:
    """Return the active users without access to the client if it is or were restricted."""
    granted = select(ClientGrant.profile_id).where(ClientGrant.client_id == client.id)
    people = select(Profile).where(Profile.is_active, Profile.role.not_in(OVERSIGHT_ROLES), Profile.id.not_in(granted))
    return [
        profile
        for profile in db.session.scalars(people.order_by(Profile.last_name, Profile.first_name, Profile.id))
        if profile.id != client.adviser_id
    ]


def restrict(client: Client, edit: Edit, *, is_restricted: bool) -> Saved:
    """Hide the client from all but its adviser, users with grants, compliance and administrators, or show it to all."""
    return save_entry(client, Entry(CLIENT), _with(edit, is_restricted=is_restricted))


def grant(client: Client, profile_id: int, edit: Edit) -> Saved:
    """Grant access. Raises ValueRejected (422) for a user who has access already or cannot sign in."""
    lock(client, _with(edit))
    if profile_id not in {profile.id for profile in people_to_grant(client)}:
        raise ValueRejected("profile_id", "Choose a user who does not have access yet.")
    return add_part(client, GRANT, _with(edit, profile_id=profile_id))


def revoke(client: Client, grant_id: int, edit: Edit) -> Saved:
    """Revoke a grant. Raises EntryRemoved (409) if it was revoked already, NotFound (404) if it never existed."""
    return remove_part(client, Entry(GRANT, grant_id), _with(edit))


def grant_id_of(client: Client, profile: Profile) -> int:
    """Return the id of the profile's grant. Raises NotFound (404) if it has none."""
    mine = select(ClientGrant.id).where(ClientGrant.client_id == client.id, ClientGrant.profile_id == profile.id)
    grant_id = db.session.scalar(mine)
    if grant_id is None:
        raise NotFound(f"{profile.email} has no grant for {client.client_ref}.")
    return grant_id


def affects_access(entry: Entry, revision: ClientRevision) -> bool:
    """Return whether the change affected access: undoing it needs the permission to manage access."""
    return entry.kind is GRANT or (entry.kind is CLIENT and "is_restricted" in revision.changes)


def _with(edit: Edit, **values: object) -> Edit:
    return replace(edit, values=values, to_grant=True)
