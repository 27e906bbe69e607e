"""What has changed on a client record since a version, told to pages that are open on it (docs/api.md).

Called by changes_views.py. Must not import Flask.
"""

from typing import Any

from sqlalchemy import select

from portal.clients.entries import place_of, split_key
from portal.clients.models import Client
from portal.clients.queries import name_of
from portal.clients.readable import as_typed, readable
from portal.clients.revisions import ClientRevision
from portal.clients.wording import labels_of
from portal.extensions import db

MOST_REVISIONS = 100


def changes_since(client: Client, version: int) -> dict[str, Any]:
    """The revisions after `version`, oldest first; `truncated` says that there are more than MOST_REVISIONS."""
    found = db.session.scalars(
        select(ClientRevision)
        .where(ClientRevision.client_id == client.id, ClientRevision.version > version, ClientRevision.changes != {})
        .order_by(ClientRevision.version)
        .limit(MOST_REVISIONS + 1)
    ).all()
    # A save between the two reads is found here although the client was read before it.
    newest = max([client.version, *(revision.version for revision in found)])
    answer = {"version": newest, "changes": [_told(revision) for revision in found[:MOST_REVISIONS]]}
    return {**answer, "truncated": True} if len(found) > MOST_REVISIONS else answer


def _told(revision: ClientRevision) -> dict[str, Any]:
    return {
        "version": revision.version,
        "by": name_of(revision.changed_by) or None,
        "by_id": revision.changed_by,
        "at": revision.changed_at.isoformat(),
        "source": revision.source,
        "fields": [_field(key, *revision.changes[key]) for key in sorted(revision.changes, key=place_of)],
    }


def _field(key: str, old: Any, new: Any) -> dict[str, Any]:
    """One field; of a part that was added or removed, that it was, for its values stand on the page itself."""
    entry, column = split_key(key)
    [label] = labels_of([key])
    if not column:
        return {"key": key, "label": label, "change": "removed" if new is None else "added"}
    told = {"value": readable(entry.kind, column, new), "raw": as_typed(new), "raw_before": as_typed(old)}
    return {"key": key, "label": label, "change": "changed", **told}
