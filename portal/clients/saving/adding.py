"""Add a client record. Flushes, never commits; lists hear of it after the commit."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from portal import audit, clock
from portal.audit import Event
from portal.auth import Profile
from portal.auth.sessions import store as sign_in_sessions
from portal.clients import permissions
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision, oldest_since, to_json, value_before
from portal.clients.saving.edits import AddedBefore
from portal.clients.saving.operations import lock_adviser
from portal.clients.saving.versions import notify_pages
from portal.clients.saving.write_context import WriteContext
from portal.database import advisory_locks
from portal.errors import NotSignedIn, ServiceBusy
from portal.extensions import db

# The reference of the demo data and of most imports. Others, such as a firm's own, keep their form beside it.
REFERENCE = "KG{:05}"
NEXT_NUMBER = text(r"""
    SELECT coalesce(max(substring(client_ref FROM 3)::bigint), 0) + 1 FROM clients WHERE client_ref ~ '^KG\d{1,9}$'""")
MAX_ATTEMPTS = 5  # an import that commits meanwhile takes the number


def add_client(context: WriteContext, values: Mapping[str, Any], submission: str) -> Client:
    """Add a client with the next free reference, a first revision and an audit event.

    `submission` identifies one opening of the form: the same form sent twice returns the client that exists. Raises
    NotSignedIn (401), NotAllowed (403), AddedBefore (409) if it was sent with other values, ValueRejected (422) for an
    unsuitable adviser, or ServiceBusy (503).
    """
    profile = _author(context)
    db.session.execute(select(func.pg_advisory_xact_lock(advisory_locks.NEW_CLIENT)))
    added_by_form = f"{profile.id}/{submission}" if submission else None
    if added_by_form and (earlier := _added_by(added_by_form)):
        _reject_other_values(earlier, values)
        return earlier
    if values.get("adviser_id"):
        lock_adviser(values["adviser_id"])
    at = clock.now()
    stamp = {"updated_at": at, "updated_by": profile.id, "added_by_form": added_by_form}
    client = _insert({**values, **stamp})
    author = {"changed_at": at, "changed_by": profile.id, "source": context.source}
    db.session.add(ClientRevision(client_id=client.id, version=client.version, changes={}, **author))
    db.session.flush()
    audit.record(Event.CLIENT_ADDED, context.actor, client_id=client.id)
    notify_pages(client.id, client.version, lists=True)
    return client


def _author(context: WriteContext) -> Profile:
    """Return the caller, whose session and role hold until the transaction ends."""
    if context.caller is None:
        raise NotSignedIn("Please sign in.")
    profile = sign_in_sessions.lock_active(context.caller.session)
    permissions.check_may_add(profile)
    return profile


def _added_by(form: str) -> Client | None:
    return db.session.scalar(select(Client).where(Client.added_by_form == form))


def _reject_other_values(client: Client, values: Mapping[str, Any]) -> None:
    """Raise AddedBefore (409) unless the client had these values when it was added."""
    later = oldest_since(client.id, 1)
    added = {name: value_before(later, name, to_json(getattr(client, name))) for name in values}
    if added != {name: to_json(value) for name, value in values.items()}:
        first = db.session.get_one(ClientRevision, {"client_id": client.id, "version": 1})
        raise AddedBefore(Entry(CLIENT, client.id), first.changed_at, first.version)


def _insert(values: Mapping[str, Any]) -> Client:
    """Insert the client with the next number. An import takes no lock on numbers, so the number may be taken."""
    for _ in range(MAX_ATTEMPTS):
        reference = REFERENCE.format(db.session.scalar(NEXT_NUMBER))
        statement = insert(Client).values(**values, client_ref=reference)
        statement = statement.on_conflict_do_nothing(index_elements=[Client.client_ref])
        client: Client | None = db.session.scalar(statement.returning(Client))
        if client is not None:
            return client
    raise ServiceBusy("Clients are being imported at the moment. Nothing was added; try again in a moment.")
