"""Write an import plan, with one revision for each existing client that it changes. Flushes, never commits."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from portal import clock
from portal.auth import Profile, administration
from portal.auth import profiles as profile_operations
from portal.clients import permissions
from portal.clients.csv.importing import valuations
from portal.clients.csv.importing.existing import Values, is_one_of
from portal.clients.csv.importing.plan import ImportPlan, RowChanges, ValuationChanges
from portal.clients.csv.importing.valuations import StoredValuation
from portal.clients.csv.schema import CLIENTS, PRODUCTS, VALUATIONS, ValuationRow
from portal.clients.records.entries import CLIENT, NOTE, PERSON, PRODUCT, VALUATION, Entry, EntryKind
from portal.clients.records.models import Client, Product
from portal.clients.records.note_models import ClientNote
from portal.clients.records.revisions import ClientRevision, FieldChanges, to_json
from portal.clients.saving import auditing
from portal.clients.saving.auditing import AdviserChange
from portal.editing import optimistic_lock
from portal.extensions import db
from portal.live import publish
from portal.live.outbox import after_commit
from portal.web.actor import Actor


def apply_plan(plan: ImportPlan, by: Actor, on_progress: Callable[[str], None]) -> None:
    """Write the plan.

    Raises StaleVersion if an existing client was saved since the plan was built. The clients are locked before anything
    that belongs to them is written, and before profiles are updated. Every save locks in this order.
    """
    at = clock.now()
    stamp = {"updated_at": at, "updated_by": None}
    _insert(Profile, plan.profiles.new)  # without a password: they cannot sign in until an administrator sets one
    profile_ids = {email.lower(): id_ for email, id_ in db.session.execute(select(Profile.email, Profile.id))}
    clients = _with_adviser_ids(plan.clients, profile_ids)
    _insert(Client, [{**values, **stamp} for values in clients.new])
    versions = optimistic_lock.bump_versions_if_unchanged(db.session, Client, plan.base_versions, stamp)
    revisions = _Revisions(versions)
    _update(CLIENT, clients, revisions)
    _update_profiles(plan.profiles, profile_ids, by)  # an adviser with clients cannot get each role
    on_progress(f"{CLIENTS.file}: {sum(clients.counts):,} written")
    _write_parts(PERSON, plan.people, revisions)
    _write_parts(PRODUCT, plan.products, revisions)
    on_progress(f"{PRODUCTS.file}: {sum(plan.products.counts):,} written")
    _write_notes(plan.notes.new, profile_ids, revisions)
    _write_valuations(plan.valuations, revisions, on_progress)
    revisions.insert(at)
    _update_access(clients, versions, by)
    if versions or clients.new:
        after_commit(publish.imported)


class _Revisions:
    """The changes of the existing clients, by client id. Changes of new clients are ignored: they have no revision."""

    def __init__(self, versions: Mapping[int, int]) -> None:
        self.versions = versions
        self._changes: dict[int, FieldChanges] = defaultdict(dict)

    def add(self, client_id: int, changes: FieldChanges) -> None:
        if client_id in self.versions:
            self._changes[client_id].update(changes)

    def insert(self, at: datetime) -> None:
        common = {"changed_at": at, "source": "import"}
        rows = [
            {"client_id": client_id, "version": version, "changes": self._changes[client_id], **common}
            for client_id, version in self.versions.items()
        ]
        _insert(ClientRevision, rows)


def _update_profiles(profiles: RowChanges, ids: Mapping[str, int], by: Actor) -> None:
    for values in profiles.new:
        administration.record_restricted_access(by, ids[values["email"].lower()], before=None, after=values["role"])
    for stored, values in profiles.changed:
        if columns := {name: value for name, value in values.items() if name != "role"}:
            _update_row(Profile, stored["id"], columns)
            administration.record_changed_details(by, stored["id"], columns)
        if "role" in values:  # a new role also ends sessions and writes audit events
            administration.change_role(by, profile_operations.profile_with_id(stored["id"]), values["role"])


def _with_adviser_ids(clients: RowChanges, ids: Mapping[str, int]) -> RowChanges:
    """Return the changes with `adviser_id` in place of `adviser_email`."""

    def columns(values: Values) -> Values:
        if "adviser_email" not in values:
            return values
        email = values["adviser_email"]
        others = {name: value for name, value in values.items() if name != "adviser_email"}
        return others | {"adviser_id": ids[email.lower()] if email else None}

    changed = [(stored, columns(values)) for stored, values in clients.changed]
    return RowChanges([columns(values) for values in clients.new], changed, clients.unchanged)


def _write_parts(kind: EntryKind, parts: RowChanges, revisions: _Revisions) -> None:
    """Write people or products."""
    if parts.new:
        client_ids = _client_ids(parts.new)
        rows = [{**values, "client_id": client_ids[values["client_ref"]]} for values in parts.new]
        for row in rows:
            del row["client_ref"]
        table = kind.model.__table__
        for added in db.session.execute(insert(table).returning(table), rows).all():
            revisions.add(added.client_id, {Entry(kind, added.id).prefix: [None, kind.as_json(added)]})
    _update(kind, parts, revisions)


def _write_notes(new: Sequence[Values], profile_ids: Mapping[str, int], revisions: _Revisions) -> None:
    client_ids = _client_ids(new) if new else {}
    rows = []
    for values in new:
        client_id, email = client_ids[values["client_ref"]], values["author_email"]
        others = {name: value for name, value in values.items() if name not in ("client_ref", "author_email")}
        author = {"client_id": client_id, "author_id": profile_ids[email.lower()] if email else None}
        edits = {"edits": int(values["edited_at"] is not None), "version": revisions.versions.get(client_id, 1)}
        rows.append({**others, **author, **edits})
    for note in db.session.scalars(insert(ClientNote).returning(ClientNote), rows) if rows else ():
        revisions.add(note.client_id, {Entry(NOTE, note.id).prefix: [None, note.summary]})


def _client_ids(rows: Sequence[Values]) -> dict[str, int]:
    """Return the ids of the clients that the rows name, by client_ref."""
    has_ref = is_one_of(Client.client_ref, {values["client_ref"] for values in rows})
    return dict(db.session.execute(select(Client.client_ref, Client.id).where(has_ref)).all())


def _update(kind: EntryKind, changes: RowChanges, revisions: _Revisions) -> None:
    """Update clients, people or products."""
    for stored, values in changes.changed:
        _update_row(kind.model, stored["id"], values)
        is_client = kind is CLIENT
        entry, client_id = Entry(kind, None if is_client else stored["id"]), stored["id" if is_client else "client_id"]
        revisions.add(
            client_id, {entry.key(name): [to_json(stored[name]), to_json(new)] for name, new in values.items()}
        )


def _write_valuations(changes: ValuationChanges, revisions: _Revisions, on_progress: Callable[[str], None]) -> None:
    plans = is_one_of(Product.plan_number, {row.plan_number for row in changes.rows})
    products = db.session.execute(select(Product.plan_number, Product.id, Product.client_id).where(plans)).all()
    product_ids = {product.plan_number: product.id for product in products}
    client_ids = {product.plan_number: product.client_id for product in products}
    written = 0
    for part in valuations.parts(changes.rows):
        ids = valuations.write(part, product_ids)
        for row in part:
            client_id, product_id = client_ids[row.plan_number], product_ids[row.plan_number]
            if client_id in revisions.versions:
                stored = changes.stored.get((row.plan_number, row.valued_on))
                revisions.add(client_id, _valuation_change(row, product_id, ids[product_id, row.valued_on], stored))
        written += len(part)
        on_progress(f"{VALUATIONS.file}: {written:,} of {len(changes.rows):,} written")


def _valuation_change(row: ValuationRow, product_id: int, id_: int, stored: StoredValuation | None) -> FieldChanges:
    entry, amount = Entry(VALUATION, id_), to_json(row.amount)
    if stored is not None:
        return {entry.key("amount"): [to_json(stored.amount), amount]}
    return {entry.prefix: [None, {"product_id": product_id, "valued_on": to_json(row.valued_on), "amount": amount}]}


def _update_access(clients: RowChanges, versions: Mapping[int, int], by: Actor) -> None:
    """Remove users who have lost access from the pages, and audit access lost and gained by a change of adviser."""
    changed = [(client, values["adviser_id"]) for client, values in clients.changed if "adviser_id" in values]
    for client, _ in changed:
        permissions.evict(client["id"])
    restricted = [
        AdviserChange(client["id"], versions[client["id"]], client["adviser_id"], adviser_id)
        for client, adviser_id in changed
        if client["is_restricted"]
    ]
    auditing.record_adviser_changes(restricted, by)


def _insert(model: type[Any], rows: Sequence[Values]) -> None:
    if rows:
        db.session.execute(insert(model.__table__), rows)


def _update_row(model: type[Any], id_: int, values: Values) -> None:
    db.session.execute(update(model.__table__).where(model.__table__.c.id == id_).values(**values))
