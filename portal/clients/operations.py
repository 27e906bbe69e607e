"""What is done to client records. Flushes, never commits: the view or the command does that."""

from typing import Any

from portal import clock
from portal.auth import Profile
from portal.clients.models import Client
from portal.editing import versions
from portal.extensions import db


def save_client(client: Client, base_version: int, values: dict[str, Any], *, by: Profile) -> int:
    """Write those of `values` (column → value) that differ, if the client is still at `base_version`.

    Returns the new version, or the old one when nothing differs: a save without a change is no change. Raises
    StaleVersion (409), having changed nothing.
    """
    changed = {column: value for column, value in values.items() if getattr(client, column) != value}
    if not changed:
        return client.version
    stamped = {**changed, "updated_at": clock.now(), "updated_by": by.id}
    return versions.save_guarded(db.session, Client, client.id, base_version, stamped)
