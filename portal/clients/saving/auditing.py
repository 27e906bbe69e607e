"""Write audit events for changes of client records: access, undo, overruled changes.

The history has the values. Readers of the audit log may not see the client, so its events contain ids and field names
only.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import ARRAY, Integer, any_, literal, select

from portal import audit
from portal.audit import AuditEvent, Event
from portal.auth import Profile
from portal.auth.models import OVERSIGHT_ROLES
from portal.clients.records.entries import GRANT, split_key
from portal.clients.records.models import Client, ClientGrant
from portal.clients.records.revisions import ClientRevision, FieldChanges
from portal.extensions import db
from portal.web.actor import Actor


class AdviserChange(NamedTuple):
    """A change of a restricted client's adviser: the client, its new version, and the adviser before and after."""

    client_id: int
    version: int
    old_id: int | None
    new_id: int | None


def record_audit_events(client: Client, revision: ClientRevision, by: Actor) -> None:
    """Write the events of the new revision in its transaction. `client` is the state before. Flushes."""
    about = {"client_id": client.id, "version": revision.version}
    overruled = sorted(key for key, choice in revision.resolutions.items() if choice not in ("theirs", "both"))
    if revision.proceeded:
        audit.record(Event.PROCEEDED_ANYWAY, by, **about)
    if overruled:
        audit.record(Event.CONFLICT_OVERRIDDEN, by, **about, fields=overruled)
    if revision.reverts:
        audit.record(Event.REVERTED, by, **about, reverted=revision.reverts)
    _record_access_events(client, revision.version, revision.changes, by)


def record_adviser_changes(changes: Sequence[AdviserChange], by: Actor) -> None:
    """Record which users lost and gained access to restricted clients by a change of adviser. Flushes."""
    if changes:
        audit.record_all(_access_events(changes, _grants_of(changes), _profiles_with_oversight(), by))


def _record_access_events(client: Client, version: int, changes: FieldChanges, by: Actor) -> None:
    for key, (old, new) in changes.items():
        if key == "is_restricted":
            _record_restriction(client, version, changes, by, is_restricted=new)
        elif key == "adviser_id" and client.is_restricted and "is_restricted" not in changes:
            record_adviser_changes([AdviserChange(client.id, version, old, new)], by)
        elif split_key(key)[0].kind is GRANT:
            event, grant = (Event.GRANTED, new) if old is None else (Event.GRANT_TAKEN, old)
            audit.record(event, by, profile_id=grant["profile_id"], client_id=client.id, version=version)


def _record_restriction(client: Client, version: int, changes: FieldChanges, by: Actor, *, is_restricted: bool) -> None:
    """Record a restriction with the adviser, who keeps access. Earlier events name the users with grants."""
    _, adviser_id = changes.get("adviser_id", (None, client.adviser_id))
    adviser = {"adviser_id": adviser_id} if is_restricted and adviser_id else {}
    event = Event.RESTRICTED if is_restricted else Event.UNRESTRICTED
    audit.record(event, by, client_id=client.id, version=version, **adviser)


def _access_events(
    changes: Iterable[AdviserChange], grants: set[tuple[int, int]], overseers: set[int], by: Actor
) -> Iterator[AuditEvent]:
    for change in changes:
        for event, profile_id in ((Event.ACCESS_LOST, change.old_id), (Event.ACCESS_GAINED, change.new_id)):
            sees_anyway = profile_id in overseers or (change.client_id, profile_id) in grants
            if profile_id is not None and not sees_anyway:
                about = {"client_id": change.client_id, "version": change.version}
                yield audit.audit_event(event, by, profile_id=profile_id, **about)


def _grants_of(changes: Iterable[AdviserChange]) -> set[tuple[int, int]]:
    client_ids = literal([change.client_id for change in changes], ARRAY(Integer))
    grants = select(ClientGrant.client_id, ClientGrant.profile_id).where(ClientGrant.client_id == any_(client_ids))
    return {(client_id, profile_id) for client_id, profile_id in db.session.execute(grants)}


def _profiles_with_oversight() -> set[int]:
    return set(db.session.scalars(select(Profile.id).where(Profile.role.in_(OVERSIGHT_ROLES))))
