"""Read the stored records that the files of an import name."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, String, any_, func, literal, or_, select

from portal.auth import Profile
from portal.auth.models import ADVISING_ROLES
from portal.clients.csv.importing import valuations
from portal.clients.csv.importing.valuations import StoredValuation
from portal.clients.csv.schema import NoteKey, ValuationKey
from portal.clients.csv.tables import Tables
from portal.clients.records.models import Client, Person, Product, Valuation
from portal.clients.records.note_models import ClientNote
from portal.database import advisory_locks
from portal.extensions import db

Values = Mapping[Any, Any]  # {column: value}, which a row of a result is, too


@dataclass(frozen=True)
class ExistingRecords:
    """The stored records that the files name, by natural key, with the keys of the records that they refer to.

    `profiles` has all of them, by email in lower case. Clients and the people of a client are by client_ref, products
    by plan number. `differing_valuations` has the rows of the file for existing products that are not stored with the
    same amount: {(plan number, day): the stored valuation, None if there is none}. `clients_of_former_advisers` has the
    references of the stored clients of each adviser that is no adviser any more in the files, by email in lower case.
    `notes` has the keys of the stored notes of the clients that notes.csv names. `product_counts` has the number of
    products of each stored client that products.csv names, by client_ref, `valuation_counts` the number of valuations
    of each stored product that gets a new one, by plan number.
    """

    profiles: Mapping[str, Values]
    clients: Mapping[str, Values]
    products: Mapping[str, Values]
    people: Mapping[str, Sequence[Values]]
    differing_valuations: Mapping[ValuationKey, StoredValuation | None]
    clients_of_former_advisers: Mapping[str, Collection[str]]
    notes: Collection[NoteKey]
    product_counts: Mapping[str, int]
    valuation_counts: Mapping[str, int]


def acquire_import_lock() -> None:
    """Wait for another import to end. Two at the same time would both insert what neither finds."""
    db.session.execute(select(func.pg_advisory_xact_lock(advisory_locks.IMPORT)))


def try_import_lock() -> bool:
    """Return whether no other import is being written. Like `acquire_import_lock`, but waits for none."""
    return bool(db.session.scalar(select(func.pg_try_advisory_xact_lock(advisory_locks.IMPORT))))


def load_existing(tables: Tables, *, lock: bool) -> ExistingRecords:
    """Read the records that the files name. `lock` holds their clients against saves until the transaction ends.

    The versions of clients are read before what belongs to them, so a save in between is detected as a conflict.
    """
    plans = {row.plan_number for table in (tables.products, tables.valuations) for row in table.rows}
    has_ref = is_one_of(Client.client_ref, tables.client_refs)
    if lock:
        of_plan = Client.id.in_(select(Product.client_id).where(is_one_of(Product.plan_number, plans)))
        locked = select(Client.id).where(or_(has_ref, of_plan)).order_by(Client.id)
        db.session.execute(locked.with_for_update(key_share=True))
    profiles = select(Profile.id, Profile.first_name, Profile.last_name, Profile.email, Profile.role)
    clients = select(Client.__table__, Profile.email.label("adviser_email"))
    products = select(Product.__table__, Client.client_ref, Client.version.label("client_version"))
    products_by_plan = _by("plan_number", products.join(Client).where(is_one_of(Product.plan_number, plans)))
    differing = valuations.find_differing(
        [row for row in tables.valuations.rows if row.plan_number in products_by_plan and None not in row],
        {plan: product["id"] for plan, product in products_by_plan.items()},
    )
    profiles_by_email = {row["email"].lower(): row for row in db.session.execute(profiles).mappings()}
    return ExistingRecords(
        profiles=profiles_by_email,
        clients=_by("client_ref", clients.join(Profile, Profile.id == Client.adviser_id, isouter=True).where(has_ref)),
        products=products_by_plan,
        people=_people_where(has_ref),
        differing_valuations=differing,
        notes=_notes_about({row.client_ref for row in tables.notes.rows}),
        clients_of_former_advisers=_clients_of_former_advisers(tables, profiles_by_email),
        product_counts=_product_counts({row.client_ref for row in tables.products.rows}),
        valuation_counts=_valuation_counts({plan for (plan, _), stored in differing.items() if stored is None}),
    )


def is_one_of(column: Any, texts: Iterable[str | None]) -> ColumnElement[bool]:
    """Return the condition, with one array parameter; IN would need one for each text. None is an invalid cell."""
    condition: ColumnElement[bool] = column == any_(literal([text for text in texts if text], ARRAY(String)))
    return condition


def _clients_of_former_advisers(tables: Tables, profiles: Mapping[str, Values]) -> dict[str, list[str]]:
    refs: dict[str, list[str]] = {}
    for row in tables.profiles.rows:
        if not row.key or row.key in refs:
            continue
        stored = profiles.get(row.key)
        if stored and stored["role"] in ADVISING_ROLES and row.role and row.role not in ADVISING_ROLES:
            advised = select(Client.client_ref).where(Client.adviser_id == stored["id"])
            refs[row.key] = list(db.session.scalars(advised))
    return refs


def _people_where(has_ref: ColumnElement[bool]) -> dict[str, list[Values]]:
    """Return people by client_ref, ordered by id, so that equal people are matched in the same way each time."""
    people: dict[str, list[Values]] = defaultdict(list)
    query = select(Person.__table__, Client.client_ref).join(Client).where(has_ref).order_by(Person.id)
    for row in db.session.execute(query).mappings():
        people[row["client_ref"]].append(row)
    return people


def _notes_about(client_refs: Collection[str]) -> set[NoteKey]:
    if not client_refs:
        return set()
    author = func.coalesce(func.lower(Profile.email), "")
    query = select(Client.client_ref, author, ClientNote.written_at).join(Client, Client.id == ClientNote.client_id)
    rows = query.outerjoin(Profile, Profile.id == ClientNote.author_id).where(is_one_of(Client.client_ref, client_refs))
    return {NoteKey(ref, email, written_at.astimezone(UTC)) for ref, email, written_at in db.session.execute(rows)}


def _product_counts(client_refs: Collection[str]) -> dict[str, int]:
    owned = select(Client.client_ref, func.count()).join(Product).where(is_one_of(Client.client_ref, client_refs))
    return dict(db.session.execute(owned.group_by(Client.client_ref)).all())


def _valuation_counts(plans: Collection[str]) -> dict[str, int]:
    counted = select(Product.plan_number, func.count()).join(Valuation).where(is_one_of(Product.plan_number, plans))
    return dict(db.session.execute(counted.group_by(Product.plan_number)).all())


def _by(key: str, query: Select[Any]) -> dict[str, Values]:
    return {row[key]: row for row in db.session.execute(query).mappings()}
