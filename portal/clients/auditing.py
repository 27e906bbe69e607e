"""What of a change to a client record the audit hears: access, undoing, knowingly overruling others. Called by accept.

The history has the values; the audit, read by people who may not see the client, has numbers and names of fields alone.
"""

from portal import audit
from portal.audit import Event
from portal.clients.entries import GRANT, split_key
from portal.clients.revisions import Cause, Changes
from portal.whence import Actor


def note(client_id: int, version: int, changes: Changes, cause: Cause) -> None:
    """Write the events of one accepted change, in its transaction. Flushes."""
    by = Actor(cause.by, cause.whence)
    overruled = sorted(key for key, choice in (cause.decisions or {}).items() if choice != "theirs")
    if cause.proceeded:
        audit.record(Event.PROCEEDED_ANYWAY, by, client_id=client_id, version=version)
    if overruled:
        audit.record(Event.CONFLICT_OVERRIDDEN, by, client_id=client_id, version=version, fields=overruled)
    if cause.reverts:
        audit.record(Event.REVERTED, by, client_id=client_id, version=version, reverted=cause.reverts)
    _note_access(client_id, version, changes, by)


def _note_access(client_id: int, version: int, changes: Changes, by: Actor) -> None:
    for key, (old, new) in changes.items():
        if key == "is_restricted":
            audit.record(Event.RESTRICTED if new else Event.UNRESTRICTED, by, client_id=client_id, version=version)
        elif split_key(key)[0].kind is GRANT:
            event, grant = (Event.GRANTED, new) if old is None else (Event.GRANT_TAKEN, old)
            audit.record(event, by, profile_id=grant["profile_id"], client_id=client_id, version=version)
