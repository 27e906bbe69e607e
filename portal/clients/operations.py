"""What is done to client records. Flushes, never commits: the view or the command does that.

Every write goes the same way: lock the client's row, merge what was sent with what others have saved since the
sender started, claim the next version under the guard, write the revision. People, products and valuations go by
their client's version: one number tells whoever has the client open that anything of it has moved.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from portal import clock
from portal.auth import Profile
from portal.clients import revisions
from portal.clients.edits import Edit, EditConflict, EntryMoved, Saved
from portal.clients.entries import CLIENT, PRODUCT, VALUATION, Entry, EntryKind
from portal.clients.merging import merge_now, row_of, since_origin, touches
from portal.clients.models import Client, Valuation
from portal.clients.revisions import Cause, Changes, to_json
from portal.editing import versions
from portal.extensions import db


def save_entry(client: Client, entry: Entry, edit: Edit, *, by: Profile) -> Saved:
    """Write those of the sent values that differ, merged with what others have saved since.

    A save that changes nothing keeps the version. Raises EditConflict or EntryGone (409), having changed nothing.
    """
    lock(client)
    merged = merge_now(client, entry, edit)
    if merged.decided.undecided:
        raise EditConflict(merged)
    others = [revision for revision in merged.since if touches(revision, entry)]
    changed = merged.decided.changes
    if not changed:
        return Saved(client.version, others)
    row = row_of(client, entry)
    changes = {entry.key(name): [to_json(getattr(row, name)), to_json(value)] for name, value in changed.items()}
    cause = Cause(
        by=by.id,
        source=edit.source,
        merged_with=tuple(revision.version for revision in others),
        decisions={entry.key(name): choice for name, choice in merged.decided.choices.items()},
        proceeded=edit.proceeded,
    )
    if entry.kind is CLIENT:
        return Saved(accept(client, changes, cause, changed), others)
    _set(row, changed)
    return Saved(accept(client, changes, cause), others)


def add_part(client: Client, kind: EntryKind, edit: Edit, *, by: Profile, product: Entry | None = None) -> Entry:
    """Add a person, a product, or a valuation of `product`. Nothing can collide with it, whatever the version.

    Raises IntegrityError where a value is taken that must be unique, EntryGone (409) for a product that was removed.
    """
    lock(client)
    since_origin(client, edit.origin)
    owner = {"client_id": client.id} if product is None else {"product_id": row_of(client, product).id}
    row = kind.model(**edit.values, **owner)
    db.session.add(row)
    db.session.flush()
    db.session.refresh(row)
    entry = Entry(kind, row.id)
    cause = Cause(by=by.id, source=edit.source, proceeded=edit.proceeded)
    accept(client, {entry.prefix: [None, kind.as_json(row)]}, cause)
    return entry


def remove_part(client: Client, entry: Entry, edit: Edit, *, by: Profile) -> Saved:
    """Remove a part, a product with its valuations. Raises EntryMoved (409) if it was changed since, or EntryGone."""
    lock(client)
    row = row_of(client, entry)
    gone = list(_with_valuations(entry, row))
    since = since_origin(client, edit.origin)
    moved = [revision for revision in since if any(touches(revision, part) for part, _ in gone)]
    if moved:
        raise EntryMoved(entry, client.version, moved)
    changes: Changes = {part.prefix: [part.kind.as_json(kept), None] for part, kept in gone}
    db.session.delete(row)
    return Saved(accept(client, changes, Cause(by=by.id, source=edit.source, proceeded=edit.proceeded)))


def lock(client: Client) -> None:
    """Hold the client's row until the transaction ends and read it anew: no other save comes in between."""
    db.session.refresh(client, with_for_update=True)


def accept(client: Client, changes: Changes, cause: Cause, values: Mapping[str, Any] | None = None) -> int:
    """Claim the next version, write `values` over the client's columns and the revision; return the version.

    Call `lock` first. The guard decides all the same: a caller that forgot to cannot overwrite anybody.
    """
    at = clock.now()
    stamped = {**(values or {}), "updated_at": at, "updated_by": cause.by}
    version = versions.save_guarded(db.session, Client, client.id, client.version, stamped)
    revisions.record(client.id, version, at, changes, cause)
    db.session.refresh(client)
    return version


def _set(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _with_valuations(entry: Entry, row: Any) -> Iterator[tuple[Entry, Any]]:
    """What goes with the entry: of a product its valuations too."""
    yield entry, row
    if entry.kind is PRODUCT:
        for valuation in db.session.scalars(
            select(Valuation).where(Valuation.product_id == row.id).order_by(Valuation.id)
        ):
            yield Entry(VALUATION, valuation.id), valuation
