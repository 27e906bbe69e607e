"""Change client records. Operations flush and never commit.

Every write locks the client's row, merges the sent values with other users' saves, claims the next version and writes
the revision. People, products and valuations share their client's version, so an open page detects any change by
one number.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from portal.auth import Profile
from portal.clients import permissions
from portal.clients.records import queries, valuation_jumps
from portal.clients.records.entries import CLIENT, PRODUCT, VALUATION, Entry, EntryKind
from portal.clients.records.limits import MAX_PEOPLE, MAX_PRODUCTS, MAX_VALUATIONS
from portal.clients.records.models import Client, Person, Product, Record, Valuation
from portal.clients.records.revisions import ClientRevision, FieldChanges, to_json
from portal.clients.saving.edits import Edit, EditConflict, EntryChanged, Saved, UnusualAmount, ValueRejected
from portal.clients.saving.merging import merge_with_current, prefixes_in, product_of, revisions_after, row_of
from portal.clients.saving.same_parts import reject_unconfirmed_duplicate
from portal.clients.saving.versions import create_version
from portal.editing.base_version import BaseVersion
from portal.extensions import db

# The maximum number of parts, and the field of the error. csv/importing/part_limits.py checks imports.
MAX_PARTS: dict[type[Any], tuple[str, int, str]] = {
    Person: ("first_name", MAX_PEOPLE, "A client has at most {:,} people."),
    Product: ("product_name", MAX_PRODUCTS, "A client has at most {:,} products."),
    Valuation: ("valued_on", MAX_VALUATIONS, "A product has at most {:,} valuations."),
}
# Unique constraints, with the field and the message of the error.
UNIQUE_VIOLATIONS = {
    "uq_products_plan_number": ("plan_number", "This plan number is in use already."),
    "uq_client_grants_client_id_profile_id": ("profile_id", "Has access already."),
    "uq_valuations_product_id_valued_on": ("valued_on", "This product has a valuation of that day already."),
    "fk_valuations_product_id": (
        "product_id",
        "The product of this valuation is removed: bring that back first.",
    ),
}


def save_entry(client: Client, entry: Entry, edit: Edit) -> Saved:
    """Write the sent values that differ, merged with the saves of other users since.

    A save that neither changes nor resolves anything keeps the version. Raises EditConflict or EntryRemoved (409), or
    ValueRejected (422); the caller rolls back.
    """
    readonly = lock(client, edit)
    merged = merge_with_current(client, entry, edit)
    if merged.resolved.unresolved:
        raise EditConflict(merged)
    for column in readonly & merged.resolved.changes.keys():
        raise ValueRejected(column, "Only the client’s adviser and administrators may change this.")
    if merged.resolved.changes.get("adviser_id"):
        lock_adviser(merged.resolved.changes["adviser_id"])
    _reject_too_long(entry.kind, merged.resolved.changes)
    others = [revision for revision in merged.newer_revisions if entry.prefix in prefixes_in(revision)]
    changed = merged.resolved.changes
    resolutions = {entry.key(name): choice for name, choice in merged.resolved.choices.items()}
    if not changed and (not resolutions or is_duplicate_resolution(merged.newer_revisions, edit, resolutions)):
        return Saved(client.version, others, frozenset(resolutions), is_change=False)
    row = merged.row
    if isinstance(row, Valuation) and "amount" in changed:
        _check_amount(row.product_id, {**entry.kind.values_of(row), **changed}, edit, ignored_id=row.id)
    changes = {entry.key(name): [to_json(getattr(row, name)), to_json(value)] for name, value in changed.items()}
    if entry.kind is not CLIENT:
        with _translate_integrity_errors():
            for name, value in changed.items():
                setattr(row, name, value)
            db.session.flush()
    columns = changed if entry.kind is CLIENT else None
    version = create_version(client, changes, edit, columns=columns, resolutions=resolutions, merged_with=others)
    return Saved(version, others, frozenset(resolutions))


def add_part(client: Client, kind: EntryKind, edit: Edit, product_id: int | None = None) -> Saved:
    """Add a person, a product or a valuation. An addition conflicts with no other change.

    The same addition sent twice from one version, for example by a second click, returns the existing part. Raises
    ValueRejected (422), PossibleDuplicate (422) for a part that may exist, or EntryRemoved (409) for a removed product.
    """
    lock(client, edit)
    since = revisions_after(client, edit.context.base_version)
    owner = {"client_id": client.id}
    if product_id is not None:
        owner = {"product_id": product_of(client, product_id).id}
    duplicate = _find_duplicate_submission(kind, edit, since, owner)
    if duplicate:
        return Saved(client.version, entry=duplicate, is_change=False)
    reject_unconfirmed_duplicate(client, kind, edit)
    if kind is VALUATION:
        _check_amount(owner["product_id"], edit.values, edit)
    row = _insert(kind, {**edit.values, **owner})
    _reject_too_many(row)
    entry = Entry(kind, row.id)
    return Saved(create_version(client, {entry.prefix: [None, kind.as_json(row)]}, edit), entry=entry)


def remove_part(client: Client, entry: Entry, edit: Edit) -> Saved:
    """Remove a part, a product with its valuations. Raises EntryChanged or EntryRemoved (409)."""
    lock(client, edit)
    row = row_of(client, entry)
    removed = with_valuations(entry, row)
    newer_revisions = revisions_affecting(client, removed, edit.context.base_version)
    if newer_revisions:
        raise EntryChanged(entry, newer_revisions)
    changes: FieldChanges = {part.prefix: [part.kind.as_json(part_row), None] for part, part_row in removed}
    db.session.delete(row)
    return Saved(create_version(client, changes, edit))


def revisions_affecting(
    client: Client, parts: Sequence[tuple[Entry, Record]], base_version: BaseVersion
) -> list[ClientRevision]:
    """Return the revisions after the base version that changed one of the parts, which would be removed together."""
    since = revisions_after(client, base_version)
    is_too_old = len(since) < client.version - base_version.version  # further back than the history is read
    prefixes = {part.prefix for part, _ in parts}
    return [revision for revision in since if is_too_old or not prefixes.isdisjoint(prefixes_in(revision))]


def restore_parts(client: Client, removed: Sequence[tuple[Entry, Mapping[str, Any]]], edit: Edit) -> Saved:
    """Restore removed parts under their ids. Existing ones are unchanged.

    `removed` has the columns as the history stores them, products before their valuations. Raises ValueRejected (422)
    if another part has a plan number or a day by now.
    """
    lock(client, edit)
    changes: FieldChanges = {}
    for kind, group in groupby(removed, key=lambda part: part[0].kind):
        changes |= _insert_missing(kind, {entry.id: columns for entry, columns in group if entry.id is not None})
    if not changes:
        return Saved(client.version, is_change=False)
    return Saved(create_version(client, changes, edit))


def adviser_problem(profile: Profile) -> str:
    """Return why the profile cannot be an adviser, '' if it can."""
    can = profile.is_active and profile.may_advise
    return "" if can else f"{profile.full_name} cannot look after clients. Choose an active adviser or administrator."


def lock(client: Client, edit: Edit) -> frozenset[str]:
    """Lock the client row until the transaction ends and refresh it.

    Checks the permission under the lock (permissions.lock_for) and returns the columns that the caller may not change.
    Raises NotSignedIn (401), NotFound (404) or NotAllowed (403).
    """
    caller = edit.context.caller
    if caller is None:
        permissions.lock(client.id)
        return frozenset()
    return permissions.lock_for(caller, client.id, to_grant=edit.to_grant)


def lock_adviser(profile_id: int) -> None:
    """Lock the new adviser's profile until the transaction ends. Raises ValueRejected (422) for an unsuitable one."""
    lock_query = select(Profile).where(Profile.id == profile_id).with_for_update(read=True)
    adviser = db.session.scalars(lock_query.execution_options(populate_existing=True)).one()
    if problem := adviser_problem(adviser):
        raise ValueRejected("adviser_id", problem)


def _check_amount(product_id: int, values: Mapping[str, Any], edit: Edit, ignored_id: int | None = None) -> None:
    """Raise UnusualAmount (422) for an amount far from the previous valuation, unless it is confirmed.

    Choosing it on the conflict page, beside another value, also confirms it. An undo restores an amount of the
    history, so only its custom value is checked.
    """
    amount, resolution = values["amount"], edit.resolutions.get("amount")
    is_typed = resolution.choice == "custom" if resolution else edit.reverts is None
    if not is_typed or amount == edit.confirmed_amount:
        return
    before = queries.valuation_before(product_id, values["valued_on"], ignored_id)
    if before and valuation_jumps.is_jump(amount, before.amount):
        description = valuation_jumps.describe_jump(amount, before)
        raise UnusualAmount(amount, f"{description}. Correct it, or confirm it below.")


def _reject_too_long(kind: EntryKind, changes: Mapping[str, Any]) -> None:
    """Raise ValueRejected (422) if a merged text is too long."""
    for column, maximum in kind.by_lines.items():
        excess = len(changes.get(column, "")) - maximum
        if excess > 0:
            problem = f"Both together are {excess:,} characters too long: choose Something else and shorten it."
            raise ValueRejected(column, problem)


def is_duplicate_resolution(
    newer_revisions: Sequence[ClientRevision], edit: Edit, resolutions: Mapping[str, str]
) -> bool:
    """Return whether the user has sent these resolutions of the same page before, by a second click on Save."""
    shown, by = edit.context.base_version.seen_version or 0, edit.context.actor.profile_id
    later = (revision for revision in newer_revisions if revision.version > shown)
    return any(revision.changed_by == by and revision.resolutions == resolutions for revision in later)


def _find_duplicate_submission(
    kind: EntryKind, edit: Edit, since: Sequence[ClientRevision], owner: Mapping[str, int]
) -> Entry | None:
    added, by = kind.as_json(kind.model(**edit.values, **owner)), edit.context.actor.profile_id
    for revision in since:
        for prefix, (old, new) in revision.changes.items():
            is_of_kind = prefix.startswith(f"{kind.name}/")
            if is_of_kind and revision.changed_by == by and old is None and new == added:
                entry = Entry(kind, int(prefix.partition("/")[2]))
                return entry if db.session.get(kind.model, entry.id) else None
    return None


def _insert(kind: EntryKind, values: Mapping[str, object]) -> Record:
    row: Record = kind.model(**values)
    with _translate_integrity_errors():
        db.session.add(row)
        db.session.flush()
    db.session.refresh(row)
    return row


def _insert_missing(kind: EntryKind, columns_by_id: Mapping[int, Mapping[str, Any]]) -> FieldChanges:
    """Insert the missing rows in one statement, because a product may have thousands of valuations. Flushes."""
    condition = kind.model.id.in_(list(columns_by_id))
    existing_ids = set(db.session.scalars(select(kind.model.id).where(condition)))
    missing = {row_id: columns for row_id, columns in columns_by_id.items() if row_id not in existing_ids}
    if not missing:
        return {}
    with _translate_integrity_errors():
        rows = [{"id": row_id, **kind.parsed_columns(columns)} for row_id, columns in missing.items()]
        db.session.execute(insert(kind.model.__table__), rows)
    every = db.session.scalars(select(kind.model).where(condition).order_by(kind.model.id))
    added = [row for row in every if row.id in missing]
    _reject_too_many(added[0])
    return {Entry(kind, row.id).prefix: [None, kind.as_json(row)] for row in added}


def _reject_too_many(row: Record) -> None:
    """Raise ValueRejected (422) if the client or product of an inserted row exceeds its maximum number of parts."""
    if isinstance(row, Valuation):
        is_of_owner = Valuation.product_id == row.product_id
    elif isinstance(row, Person | Product):
        is_of_owner = type(row).client_id == row.client_id
    else:
        return
    field, maximum, problem = MAX_PARTS[type(row)]
    if (db.session.scalar(select(func.count()).select_from(type(row)).where(is_of_owner)) or 0) > maximum:
        raise ValueRejected(field, problem.format(maximum))


@contextmanager
def _translate_integrity_errors() -> Iterator[None]:
    """Translate a unique violation into ValueRejected (422) for its field. The transaction is lost in any case."""
    try:
        yield
    except IntegrityError as error:
        constraint = getattr(error.orig, "diag", None) and error.orig.diag.constraint_name  # type: ignore[union-attr]
        if constraint not in UNIQUE_VIOLATIONS:
            raise
        raise ValueRejected(*UNIQUE_VIOLATIONS[constraint]) from error


def with_valuations(entry: Entry, row: Record) -> list[tuple[Entry, Record]]:
    """Return the entry and, for a product, its valuations."""
    of_product = select(Valuation).where(Valuation.product_id == row.id).order_by(Valuation.id)
    valuations = db.session.scalars(of_product) if entry.kind is PRODUCT else ()
    return [(entry, row), *((Entry(VALUATION, valuation.id), valuation) for valuation in valuations)]
