"""Make edits for the operations as a test or a script does: without a request, with all permissions."""

from collections.abc import Mapping
from typing import Any

from portal.auth import Profile
from portal.clients import Client
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.saving import operations
from portal.clients.saving.edits import Edit
from portal.clients.saving.write_context import WriteContext
from portal.editing.base_version import BaseVersion
from portal.extensions import db
from portal.web.actor import UNKNOWN_ORIGIN, Actor


def edit_from(
    base: BaseVersion | int,
    by: int | None,
    values: Mapping[str, Any] | None = None,
    *,
    source: str = "form",
    **more: Any,
) -> Edit:
    """Return the edit of the profile `by`, which started from the version `base`."""
    base_version = BaseVersion(base) if isinstance(base, int) else base
    return Edit(WriteContext(base_version, Actor(by, UNKNOWN_ORIGIN), None, source), values or {}, **more)


def save_for(profile: Profile, client: Client, entry: Entry | None = None, **values: Any) -> None:
    """Save a change of a user on the newest version of the client. Commits."""
    db.session.refresh(client)
    operations.save_entry(client, entry or Entry(CLIENT), edit_from(client.version, profile.id, values))
    db.session.commit()
