"""The history of an import: what it changes of clients that were there before, one revision for each of them.

A new client begins at version 1 without a revision. Called by the importer: claim the versions, write, note
each change, record.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from portal.clients.csv.importing.changes import Values
from portal.clients.records.entries import VALUATION, Entry, EntryKind
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision, FieldChanges, to_json
from portal.editing import optimistic_lock
from portal.extensions import db


class ImportHistory:
    """FieldChanges by client id. `known` has the versions (client id → version) that the import has compared with."""

    def __init__(self, known: Mapping[int, int], new_clients: Collection[int]) -> None:
        self._known = known
        self._new_clients = frozenset(new_clients)
        self._changes: dict[int, FieldChanges] = defaultdict(dict)
        self._claimed: dict[int, int] = {}

    def changed(self, client_id: int, entry: Entry, kept: Values, values: Values) -> None:
        """`values` (column → value) of the entry are written over those that are kept."""
        for name, value in values.items():
            self._note(client_id, entry.key(name), to_json(kept[name]), to_json(value))

    def added(self, client_id: int, kind: EntryKind, row: Any) -> None:
        """A row of the kind's table has been added."""
        self._note(client_id, Entry(kind, row.id).prefix, None, kind.as_json(row))

    def valued(self, client_id: int, valuation_id: int, row: Any) -> None:
        """A row of import_store.differing_valuations has been written."""
        entry = Entry(VALUATION, valuation_id)
        if row.kept_id is None:
            added = {"product_id": row.product_id, "valued_on": to_json(row.valued_on), "amount": to_json(row.amount)}
            self._note(client_id, entry.prefix, None, added)
        else:
            self._note(client_id, entry.key("amount"), to_json(row.kept_amount), to_json(row.amount))

    def claim(self, at: datetime, client_ids: Collection[int]) -> None:
        """Raise the version of every client that will be changed by one, holding their rows from now on.

        Call it before anything of them is written, as every save does: who locks the client last can wait for whoever
        waits for them. Raises StaleVersion where one has been saved since the import compared.
        """
        expected = {id_: self._known[id_] for id_ in client_ids if id_ not in self._new_clients}
        stamp = {"updated_at": at, "updated_by": None}
        self._claimed = optimistic_lock.bump_versions_if_unchanged(db.session, Client, expected, stamp)

    def version_of(self, client_id: int) -> int:
        """The version that `claim` raised the client to."""
        return self._claimed[client_id]

    def record(self, at: datetime) -> None:
        """Write the revisions, once everything is known."""
        rows = [
            {
                "client_id": client_id,
                "version": version,
                "changed_at": at,
                "source": "import",
                "changes": self._changes[client_id],
            }
            for client_id, version in self._claimed.items()
        ]
        if rows:
            db.session.execute(insert(ClientRevision), rows)

    def _note(self, client_id: int, key: str, old: Any, new: Any) -> None:
        if client_id not in self._new_clients:
            self._changes[client_id][key] = [old, new]
