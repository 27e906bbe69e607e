"""What people call a part of a client record: Ruth Whitmore; ISA A0001; ISA A0001, 31 Mar 2026.

Used by editors and history. Must not import Flask.
"""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from portal.auth.directory import name_of
from portal.clients.records.entries import GRANT, KINDS, PERSON, PRODUCT, VALUATION, Entry, EntryKind
from portal.clients.records.models import Product
from portal.extensions import db
from portal.formatting import day


def part_name(kind: EntryKind, row: Any, product: Any = None) -> str:
    """`product` is the one that a valuation belongs to, where that is known."""
    if kind is PERSON:
        return f"{row.first_name} {row.last_name}"
    if kind is GRANT:
        return name_of(row.profile_id)
    if kind is PRODUCT:
        return f"{row.product_type} {row.plan_number}"
    return f"{part_name(PRODUCT, product)}, {day(row.valued_on)}" if product else f"valuation of {day(row.valued_on)}"


def full_name(kind: EntryKind, row: Any, product: Any = None) -> str:
    """As `part_name`, within a sentence: the valuation of ISA A0001 on 31 Mar 2026."""
    if kind is VALUATION and product:
        return f"the valuation of {part_name(PRODUCT, product)} on {day(row.valued_on)}"
    return part_name(kind, row, product)


def names_of(entries: Iterable[Entry], removed: Mapping[Entry, Mapping[str, Any]]) -> dict[Entry, str]:
    """The names of parts, by a handful of statements. `removed` has the columns, as JSON, of rows that may be gone."""
    rows: dict[Entry, Any] = {
        entry: SimpleNamespace(**entry.kind.parsed_columns(columns)) for entry, columns in removed.items()
    }
    wanted = set(entries) | set(removed)
    for kind in KINDS.values():
        ids = [entry.id for entry in wanted if entry.kind is kind and entry.id is not None]
        if ids:
            rows |= {Entry(kind, row.id): row for row in _rows(kind.model, ids)}
    products = {entry.id: row for entry, row in rows.items() if entry.kind is PRODUCT}
    missing = {row.product_id for entry, row in rows.items() if entry.kind is VALUATION} - set(products)
    products |= {row.id: row for row in _rows(Product, missing)} if missing else {}
    return {
        entry: part_name(entry.kind, row, products.get(row.product_id) if entry.kind is VALUATION else None)
        for entry, row in rows.items()
        if entry.id is not None
    }


def _rows(model: type[Any], ids: Iterable[int]) -> Iterable[Any]:
    return db.session.scalars(select(model).where(model.id.in_(list(ids))))
