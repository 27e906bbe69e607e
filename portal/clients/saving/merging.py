"""Merge an edit with the current record. The base values are rebuilt from the history.

Reads, never writes. Operations call it under the lock of the client's row, a restored draft without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from portal.clients.records.entries import CLIENT, PRODUCT, Entry, split_key
from portal.clients.records.models import Client, Part, Product, Record, Valuation
from portal.clients.records.revisions import ClientRevision, last_change_of_part, newest_since, to_json, value_before
from portal.clients.saving.edits import Edit, EntryRemoved, Merged
from portal.editing.base_version import BaseVersion
from portal.editing.merge.resolutions import resolve
from portal.editing.merge.texts import is_contained
from portal.editing.merge.three_way import UNKNOWN, merge
from portal.errors import InvalidInput, NotFound
from portal.extensions import db


def merge_with_current(client: Client, entry: Entry, edit: Edit) -> Merged:
    """Merge the edit with the record. Raises EntryRemoved (409), NotFound (404) or InvalidInput (422)."""
    row, base_version = row_of(client, entry), edit.context.base_version
    history = HistorySlice(client, entry, revisions_after(client, base_version))
    theirs = {name: getattr(row, name) for name in edit.values}
    base = {name: history.value_at(name, base_version.version_of(name), theirs[name]) for name in theirs}
    merged = merge(base, theirs, edit.values, entry.kind.by_lines, edit.context.budget, ask=edit.resolutions.keys())
    resolved = resolve(merged, edit.resolutions, history.changed_after(base_version.seen_version))
    choices = {**_overruled(history, edit, base), **resolved.choices}
    return Merged(entry, row, client.version, replace(resolved, choices=choices), history.newer_revisions)


def row_of(client: Client, entry: Entry) -> Record:
    """Return the entry's row from the database. Raises EntryRemoved (409) or NotFound (404)."""
    if entry.kind is CLIENT:
        return client
    row: Part | None = db.session.get(entry.kind.model, entry.id, populate_existing=True)
    if row is not None and _client_id_of(row) == client.id:
        return row
    revision = last_change_of_part(client.id, entry.prefix)
    if revision is not None and revision.changes[entry.prefix][1] is None:
        raise EntryRemoved(entry, revision)
    raise NotFound(f"There is no such {entry.kind.label}, or you do not have access to it.")


def product_of(client: Client, product_id: int) -> Product:
    """Return the product from the database. Raises EntryRemoved (409) or NotFound (404)."""
    return cast(Product, row_of(client, Entry(PRODUCT, product_id)))


def revisions_after(client: Client, base_version: BaseVersion) -> Sequence[ClientRevision]:
    """Return the revisions that the sender did not know, as far back as revisions.py reads them.

    The values at an older base version are UNKNOWN. Raises InvalidInput (422) for a future version.
    """
    reject_future_version(client, base_version)
    return newest_since(client.id, base_version.version) if base_version.version < client.version else []


def reject_future_version(client: Client, base_version: BaseVersion) -> None:
    """Raise InvalidInput (422) for a version that does not exist yet."""
    if max([base_version.version, base_version.seen_version or 0, *base_version.seen.values()]) > client.version:
        raise InvalidInput("version", "is newer than the record: reload the page")


def prefixes_in(revision: ClientRevision) -> set[str]:
    """Return the prefixes of the entries that the revision changed, added or removed."""
    return {split_key(key)[0].prefix for key in revision.changes}


@dataclass(frozen=True)
class HistorySlice:
    """The history slice of an entry since an edit began: the revisions that its sender did not know."""

    client: Client
    entry: Entry
    newer_revisions: Sequence[ClientRevision]

    def value_at(self, name: str, version: int, present: Any) -> Any:
        """Return the field's value at an earlier version, UNKNOWN if the history does not reach back far enough.

        The history begins with the first change after its introduction.
        """
        later = [revision for revision in self.newer_revisions if revision.version > version]
        if len(later) != self.client.version - version:
            return UNKNOWN
        return self.entry.kind.parsed(name, value_before(later, self.entry.key(name), to_json(present)))

    def changed_after(self, version: int | None) -> frozenset[str]:
        """Return the fields changed after that version. None means by any revision: no value was shown to the user."""
        after = [revision for revision in self.newer_revisions if version is None or revision.version > version]
        return frozenset(
            name for name in self.entry.kind.labels for each in after if self.entry.key(name) in each.changes
        )


def _overruled(history: HistorySlice, edit: Edit, base: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields whose newer value the user was shown in the open editor and did not accept.

    A text that contains all changes of the newer one overrules nothing, as in a restored and merged draft.
    """
    overruled, base_version = {}, edit.context.base_version
    for name in base_version.seen:
        if name not in base or edit.values[name] == base[name]:
            continue
        started = history.value_at(name, base_version.version, base[name])
        is_merged = name in history.entry.kind.by_lines and UNKNOWN not in (started, base[name])
        if started != base[name] and not (
            is_merged and is_contained(started, base[name], edit.values[name], edit.context.budget)
        ):
            overruled[name] = "yours"
    return overruled


def _client_id_of(row: Part) -> int | None:
    if isinstance(row, Valuation):
        product = db.session.get(Product, row.product_id)
        return product.client_id if product else None
    return row.client_id
