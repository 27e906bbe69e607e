"""What an edit comes to at the record as it is: the values it started from, rebuilt from the history, and the merge.

Reads, never writes. The operations call it under the lock on the client's row, a restored draft without.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from portal.clients.edits import Edit, EntryGone, Merged
from portal.clients.entries import CLIENT, VALUATION, Entry
from portal.clients.models import Client, Product
from portal.clients.revisions import ClientRevision, revisions_since, to_json, value_before
from portal.editing.decisions import decide
from portal.editing.guard import Origin
from portal.editing.merge import merge
from portal.errors import InvalidInput, NotFound
from portal.extensions import db


def merge_now(client: Client, entry: Entry, edit: Edit) -> Merged:
    """The edit merged with the record as it is. Raises EntryGone (409), NotFound (404) or InvalidInput (422)."""
    row = row_of(client, entry)
    since = since_origin(client, edit.origin)
    theirs = {name: getattr(row, name) for name in edit.values}
    base = {name: _value_at(client, entry, name, edit.origin.of(name), since, theirs[name]) for name in theirs}
    merged = merge(base, theirs, edit.values, entry.kind.rules)
    decided = decide(merged, edit.decisions, _changed_after(edit.origin.seen_version, entry, since))
    choices = {**decided.choices, **_overruled(client, entry, edit, base, since)}
    return Merged(entry, client.version, replace(decided, choices=choices), since)


def row_of(client: Client, entry: Entry) -> Any:
    """The entry's row as it is in the database. Raises EntryGone (409) where it was removed, else NotFound (404)."""
    if entry.kind is CLIENT:
        return client
    row = db.session.get(entry.kind.model, entry.id, populate_existing=True)
    if row is not None and _client_id_of(entry, row) == client.id:
        return row
    for revision in reversed(revisions_since(client.id, 0)):
        if revision.changes.get(entry.prefix, [None, {}])[1] is None:
            raise EntryGone(entry, revision)
    raise NotFound(f"There is no such {entry.kind.label}, or it is not for you.")


def since_origin(client: Client, origin: Origin) -> Sequence[ClientRevision]:
    """The revisions that the sender did not know when starting. Raises InvalidInput (422) for a version yet to come."""
    if max([origin.version, *origin.seen.values()]) > client.version:
        raise InvalidInput("version", "is newer than the record: reload the page")
    return revisions_since(client.id, origin.version) if origin.version < client.version else []


def touches(revision: ClientRevision, entry: Entry) -> bool:
    """Whether the revision changed, added or removed the entry."""
    if entry.kind is CLIENT:
        return any("/" not in key for key in revision.changes)
    return any(key == entry.prefix or key.startswith(f"{entry.prefix}/") for key in revision.changes)


def _value_at(
    client: Client, entry: Entry, name: str, version: int, since: Sequence[ClientRevision], present: Any
) -> Any:
    """The field's value at an earlier version; None where the history does not reach back so far.

    It begins with the first change after it was introduced. With None every value that differs is asked about.
    """
    later = [revision for revision in since if revision.version > version]
    if len(later) != client.version - version:
        return None
    return entry.kind.parsed(name, value_before(later, entry.key(name), to_json(present)))


def _changed_after(version: int | None, entry: Entry, since: Sequence[ClientRevision]) -> frozenset[str]:
    """The fields changed since the conflict page that was decided on; without one, nothing was decided."""
    later = [revision for revision in since if version is not None and revision.version > version]
    return frozenset(name for name in entry.kind.labels for revision in later if entry.key(name) in revision.changes)


def _overruled(
    client: Client, entry: Entry, edit: Edit, base: dict[str, Any], since: Sequence[ClientRevision]
) -> dict[str, str]:
    """The fields kept over a newer value that the person had been shown in the open editor."""
    shown = [name for name in edit.origin.seen if name in base and edit.values[name] != base[name]]
    started = {name: _value_at(client, entry, name, edit.origin.version, since, base[name]) for name in shown}
    return {name: "yours" for name in shown if started[name] != base[name]}


def _client_id_of(entry: Entry, row: Any) -> int | None:
    if entry.kind is VALUATION:
        product = db.session.get(Product, row.product_id)
        return product.client_id if product else None
    client_id: int = row.client_id
    return client_id
