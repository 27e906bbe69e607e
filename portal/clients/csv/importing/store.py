"""The importer's SQL: what the files' rows find in the database, and how changes are written. Flushes only.

Called by the importer alone, which claims the versions of the clients first (import_history.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    String,
    any_,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from portal.auth import Profile
from portal.clients.csv.importing.changes import RowChanges, Values
from portal.clients.csv.schema import ValuationRow
from portal.clients.csv.tables import Tables
from portal.clients.records.models import Client, Person, Product
from portal.clients.records.valuation_jumps import MAX_CHANGE
from portal.database import advisory_locks
from portal.extensions import db

VALUATIONS_PER_STATEMENT = 10_000

# The rows of the file that the table does not hold as they are, each with the valuation it would change.
# ORDINALITY: in the file's order, to be exported in it.
DIFFERING_VALUATIONS = text("""
    SELECT given.product_id, given.valued_on, given.amount, kept.id AS kept_id, kept.amount AS kept_amount
    FROM unnest(CAST(:product_ids AS integer[]), CAST(:days AS date[]), CAST(:amounts AS numeric[]))
        WITH ORDINALITY AS given (product_id, valued_on, amount, place)
    LEFT JOIN valuations AS kept ON kept.product_id = given.product_id AND kept.valued_on = given.valued_on
    WHERE kept.amount IS DISTINCT FROM given.amount
    ORDER BY given.place
""")
WRITE_VALUATIONS = text("""
    INSERT INTO valuations (product_id, valued_on, amount)
    SELECT product_id, valued_on, amount
    FROM unnest(CAST(:product_ids AS integer[]), CAST(:days AS date[]), CAST(:amounts AS numeric[]))
        WITH ORDINALITY AS given (product_id, valued_on, amount, place)
    ORDER BY place
    ON CONFLICT (product_id, valued_on) DO UPDATE SET amount = excluded.amount
    RETURNING id, product_id, valued_on
""")


# Of the written rows those that differ from the valuation before by more than valuation_jumps.MAX_CHANGE.
JUMPS = text("""
    SELECT products.plan_number, each.valued_on, each.amount, each.before, each.before_on
    FROM unnest(CAST(:product_ids AS integer[]), CAST(:days AS date[]), CAST(:amounts AS numeric[]))
        WITH ORDINALITY AS given (product_id, valued_on, amount, place)
    JOIN (SELECT product_id, valued_on, amount,
                 lag(amount) OVER earlier AS before, lag(valued_on) OVER earlier AS before_on
          FROM valuations WHERE product_id = ANY (CAST(:product_ids AS integer[]))
          WINDOW earlier AS (PARTITION BY product_id ORDER BY valued_on)) AS each USING (product_id, valued_on)
    JOIN products ON products.id = product_id
    WHERE before <> 0 AND abs(each.amount - before) > :max_change * abs(before)
    ORDER BY place
""")


@dataclass(frozen=True)
class ExistingRecords:
    """What the database already holds of what the files name.

    Everybody's profile by email in lower case, clients by reference, plans by number, people by their client's id.
    """

    profiles: dict[str, Values]
    clients: dict[str, Values]
    products: dict[str, Values]
    people: dict[int, list[Values]]


def take_turns() -> None:
    """Wait for another import to end: two at once would both insert what neither finds."""
    db.session.execute(select(func.pg_advisory_xact_lock(advisory_locks.IMPORT)))


def load_existing(tables: Tables, *, hold: bool) -> ExistingRecords:
    """Read what is there. With `hold` nobody saves a client of it until the transaction ends."""
    plans = {row.plan_number for table in (tables.products, tables.valuations) for row in table.rows}
    everybody = select(Profile.id, Profile.first_name, Profile.last_name, Profile.email, Profile.role)
    named = or_(
        _is_one_of(Client.client_ref, tables.client_refs),
        Client.id.in_(select(Product.client_id).where(_is_one_of(Product.plan_number, plans))),
    )
    if hold:
        db.session.execute(select(Client.id).where(named).order_by(Client.id).with_for_update(key_share=True))
    clients = _by("client_ref", select(Client.__table__).where(_is_one_of(Client.client_ref, tables.client_refs)))
    return ExistingRecords(
        profiles={row["email"].lower(): row for row in db.session.execute(everybody).mappings()},
        clients=clients,
        products=_by(
            "plan_number",
            select(Product.__table__, Client.client_ref, Client.version.label("client_version"))
            .join(Client, Client.id == Product.client_id)
            .where(_is_one_of(Product.plan_number, plans)),
        ),
        people=_people_of([client["id"] for client in clients.values()]),
    )


def add_profiles(changes: RowChanges) -> None:
    """New profiles get no password, so that nobody can sign in as them until a maintainer sets one."""
    _insert(Profile, changes.new)


def write_profiles(changes: RowChanges) -> None:
    """The changed ones, but for their roles: what a new role ends is administration.change_role's."""
    others = ((kept, {name: value for name, value in row.items() if name != "role"}) for kept, row in changes.changed)
    _update(Profile, RowChanges(changed=[(kept, values) for kept, values in others if values]))


def add_clients(changes: RowChanges, stamp: Values) -> None:
    _insert(Client, [{**values, **stamp} for values in changes.new])


def write_clients(changes: RowChanges) -> None:
    """The changed ones; the history has claimed their versions."""
    _update(Client, changes)


def add_parts(model: type[Any], changes: RowChanges) -> Sequence[Any]:
    """Insert the new people or products and return them as they are in the table."""
    if not changes.new:
        return []
    table = model.__table__
    return db.session.execute(insert(table).returning(table), changes.new).all()


def write_parts(model: type[Any], changes: RowChanges) -> None:
    _update(model, changes)


def differing_valuations(rows: Sequence[ValuationRow], product_ids: dict[str, int]) -> list[Any]:
    """Those that are new or have another amount now: product_id, valued_on, amount, kept_id and kept_amount or None."""
    given = [(product_ids[row.plan_number], row.valued_on, row.amount) for row in rows]
    return [row for part in _parts(given) for row in db.session.execute(DIFFERING_VALUATIONS, _columns(part))]


def write_valuations(rows: Sequence[Any], done: Callable[[int], None]) -> dict[tuple[int, date], int]:
    """Write `differing_valuations`; return their ids by product and day. `done` hears how many are written."""
    ids: dict[tuple[int, date], int] = {}
    for part in _parts([(row.product_id, row.valued_on, row.amount) for row in rows]):
        written = db.session.execute(WRITE_VALUATIONS, _columns(part))
        ids.update({(row.product_id, row.valued_on): row.id for row in written})
        done(len(ids))
    return ids


def jumps_among(rows: Sequence[Any]) -> Iterator[Any]:
    """Those of the written valuations that are far away from the one before, which is told as before and before_on."""
    for part in _parts([(row.product_id, row.valued_on, row.amount) for row in rows]):
        yield from db.session.execute(JUMPS, {**_columns(part), "max_change": MAX_CHANGE})


def profile_ids() -> dict[str, int]:
    """Email in lower case → id, of everybody."""
    return {email.lower(): id_ for email, id_ in db.session.execute(select(Profile.email, Profile.id))}


def client_ids(refs: Iterable[str]) -> dict[str, int]:
    query = select(Client.client_ref, Client.id).where(_is_one_of(Client.client_ref, refs))
    return dict(db.session.execute(query).all())


def _parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[start : start + VALUATIONS_PER_STATEMENT] for start in range(0, len(rows), VALUATIONS_PER_STATEMENT))


def _columns(rows: Sequence[tuple[int, date, Decimal]]) -> dict[str, str]:
    product_ids, days, amounts = zip(*rows, strict=True)
    return {"product_ids": _array(product_ids), "days": _array(days), "amounts": _array(amounts)}


def _array(values: Iterable[int | date | Decimal]) -> str:
    """As PostgreSQL writes an array: one constant, read 2.5 times as fast as one for each of 30,000 values."""
    return "{" + ",".join(map(str, values)) + "}"


def _people_of(client_ids: Sequence[int]) -> dict[int, list[Values]]:
    """In order of id, so that people who are equal are matched the same way every time."""
    people: dict[int, list[Values]] = defaultdict(list)
    table = Person.__table__
    query = select(table).where(table.c.client_id == any_(literal(client_ids, ARRAY(Integer)))).order_by(table.c.id)
    for row in db.session.execute(query).mappings():
        people[row["client_id"]].append(row)
    return people


def _is_one_of(column: Any, texts: Iterable[str | None]) -> ColumnElement[bool]:
    """One array parameter, however many texts; IN would make a parameter of each. None stands for a bad cell."""
    wanted = [text for text in texts if text]
    condition: ColumnElement[bool] = column == any_(literal(wanted, ARRAY(String)))
    return condition


def _by(key: str, query: Select[Any]) -> dict[str, Values]:
    return {row[key]: row for row in db.session.execute(query).mappings()}


def _insert(model: type[Any], rows: Sequence[Values]) -> None:
    if rows:
        db.session.execute(insert(model.__table__), rows)


def _update(model: type[Any], changes: RowChanges) -> None:
    for kept, values in changes.changed:
        db.session.execute(update(model.__table__).where(model.__table__.c.id == kept["id"]).values(**values))
