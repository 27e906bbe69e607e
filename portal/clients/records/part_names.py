"""Name the parts of a client record: Ruth Whitmore; ISA A0001; ISA A0001, 31 Mar 2026; call of 3 Nov 2026.

Must not import Flask.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select, text

from portal.auth.directory import name_of
from portal.clients.records.entries import GRANT, KINDS, NOTE, PERSON, PRODUCT, VALUATION, Entry, EntryKind
from portal.clients.records.models import Product, Valuation
from portal.extensions import db
from portal.formatting import day

# Of each part the newest revision that added or removed it. The history is read from its end until the key is found.
REMOVED = text("""
    SELECT wanted.key, found.change
    FROM unnest(CAST(:client_ids AS integer[]), CAST(:keys AS text[])) AS wanted (client_id, key)
    CROSS JOIN LATERAL (
        SELECT changes -> wanted.key AS change FROM client_revisions
        WHERE client_id = wanted.client_id AND changes ? wanted.key
        ORDER BY version DESC LIMIT 1) AS found""")
Columns = Mapping[str, Any]  # of a row, as JSON: EntryKind.as_json


def part_name(kind: EntryKind, row: Any, product: Any = None) -> str:
    """Return the name of a part. `product` is that of a valuation, if it is known."""
    if kind is PERSON:
        return f"{row.first_name} {row.last_name}"
    if kind is GRANT:
        return name_of(row.profile_id)
    if kind is PRODUCT:
        return f"{row.product_type} {row.plan_number}"
    if kind is NOTE:
        return f"{row.kind} of {day(row.happened_on)}"
    return f"{part_name(PRODUCT, product)}, {day(row.valued_on)}" if product else f"valuation of {day(row.valued_on)}"


def full_name(kind: EntryKind, row: Any, product: Any = None) -> str:
    """Return the name for use within a sentence: the valuation of ISA A0001 on 31 Mar 2026; Olga Lindqvist’s access."""
    if kind is GRANT:
        return f"{part_name(kind, row)}’s access"
    if kind is NOTE:
        return f"the {part_name(kind, row)}"
    if kind is VALUATION and product:
        return f"the valuation of {part_name(PRODUCT, product)} on {day(row.valued_on)}"
    return part_name(kind, row, product)


def names_of(
    parts: Mapping[Entry, int],
    removed: Mapping[Entry, Columns],
    name: Callable[[EntryKind, Any, Any], str] = part_name,
) -> dict[Entry, str]:
    """Return the names of parts (entry → id of its client), also of removed ones, by at most eight statements.

    `removed` has the columns of parts that may be removed, which need not be looked for in the history. A note is named
    by them without a statement, because its name is its kind and its day. A part of a newer release has no name.
    """
    parts = {entry: client_id for entry, client_id in parts.items() if entry.kind.is_known}
    notes = {
        entry: SimpleNamespace(**entry.kind.parsed_columns(removed[entry]))
        for entry in parts
        if entry.kind is NOTE and entry in removed
    }
    rows = notes | _rows_of({entry: client_id for entry, client_id in parts.items() if entry not in notes}, removed)
    owners = {entry: Entry(PRODUCT, row.product_id) for entry, row in rows.items() if entry.kind is VALUATION}
    missing = {owner: parts[entry] for entry, owner in owners.items() if owner not in rows}
    products = rows | _rows_of(missing, removed)
    return {
        entry: name(entry.kind, row, products.get(owners[entry]) if entry in owners else None)
        for entry, row in rows.items()
    }


def _rows_of(parts: Mapping[Entry, int], removed: Mapping[Entry, Columns]) -> dict[Entry, Any]:
    rows: dict[Entry, Any] = {}
    for kind in KINDS.values():
        ids = [entry.id for entry in parts if entry.kind is kind and entry.id is not None]
        if ids:
            present = db.session.execute(select(kind.model, _client_id_of(kind)).where(kind.model.id.in_(ids)))
            found_rows = {Entry(kind, row.id): (row, client_id) for row, client_id in present}
            rows |= {entry: row for entry, (row, client_id) in found_rows.items() if client_id == parts[entry]}
    missing_parts = {entry: client_id for entry, client_id in parts.items() if entry not in rows}
    found = {entry: removed[entry] for entry in missing_parts if entry in removed}
    found |= _removed_columns({entry: client_id for entry, client_id in missing_parts.items() if entry not in found})
    return rows | {entry: SimpleNamespace(**entry.kind.parsed_columns(columns)) for entry, columns in found.items()}


def _client_id_of(kind: EntryKind) -> Any:
    """Return a SQL column. A part of another client is not named, because a browser may have sent its id."""
    if kind is VALUATION:
        return select(Product.client_id).where(Product.id == Valuation.product_id).scalar_subquery()
    return kind.model.client_id


def _removed_columns(parts: Mapping[Entry, int]) -> dict[Entry, Columns]:
    if not parts:
        return {}
    by_key = {entry.prefix: entry for entry in parts}
    parameters = {"client_ids": list(parts.values()), "keys": [entry.prefix for entry in parts]}
    return {by_key[key]: old or new for key, (old, new) in db.session.execute(REMOVED, parameters)}
