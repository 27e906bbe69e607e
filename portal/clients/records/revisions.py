"""Store the history of a client record and its parts: one revision for each accepted change.

`changes` maps a field's key to [old, new] as JSON: `phone` for the client's own, `person/12/first_name` for a part's.
An added part is `person/12`: [null, {column: value}], a removed one [{column: value}, null]. Versions have no gap from
the first revision on, so the values of an earlier version are the current ones with the later revisions undone. A
trigger rejects changes of a revision.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    String,
    TypeDecorator,
    UnaryExpression,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.operators import OperatorType

from portal.clients.records.choices import check_one_of
from portal.extensions import Model, db

MAX_REVISIONS = 200  # read together
MAX_REVISIONS_BYTES = 500_000  # of revisions read together, as stored compressed: up to 5 MB of JSON
MAX_KEYS = 40
AUTHORS = text("""
    SELECT version, changed_by, source, ARRAY(SELECT jsonb_object_keys(changes) LIMIT :maximum)
    FROM client_revisions WHERE client_id = :client_id AND version = ANY(:versions)""")
MAX_REASON_LENGTH = 300
SOURCES = ("form", "json", "revert", "import", "cli")
FieldChanges = dict[str, list[Any]]  # key → [old, new]


class StoredResolutions(TypeDecorator[dict[str, str]]):
    """The resolutions of a revision by key. A custom value is stored as "third", its name in release 0.1.

    Revisions are never rewritten, so that name remains in the history.
    """

    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: dict[str, str] | None, dialect: Dialect) -> dict[str, str] | None:
        return value and {key: "third" if choice == "custom" else choice for key, choice in value.items()}

    def process_result_value(self, value: dict[str, str] | None, dialect: Dialect) -> dict[str, str] | None:
        return value and {key: "custom" if choice == "third" else choice for key, choice in value.items()}

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> Any:
        return self.impl_instance.coerce_compared_value(op, value)  # `has_key` compares with a text


class ClientRevision(Model):
    """One accepted change of a client record, which led to this `version`.

    `merged_with` has the other users' versions that the change was merged with. `resolutions` has the choices by key:
    those of the conflict page, and "yours" for a newer value that the user overruled in the editor. `proceeded`:
    Proceed Anyway opened the editor. `reverts` is the version that it undoes, `reason` the reason. `changed_by` is NULL
    for an import or a command. `changes` is empty if the user chose the saved value in every conflict.
    """

    __tablename__ = "client_revisions"
    __table_args__ = (CheckConstraint(check_one_of("source", SOURCES), name="source"),)

    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    source: Mapped[str] = mapped_column(String(10))
    changes: Mapped[FieldChanges] = mapped_column(JSONB)
    merged_with: Mapped[list[int]] = mapped_column(JSONB, server_default="[]")
    resolutions: Mapped[dict[str, str]] = mapped_column("decisions", StoredResolutions, server_default="{}")
    proceeded: Mapped[bool] = mapped_column(server_default="false")
    reverts: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(MAX_REASON_LENGTH), server_default="")


class Author(NamedTuple):
    """The author of a revision and the keys that it changed, without values and at most MAX_KEYS."""

    version: int
    changed_by: int | None
    source: str
    changes: Sequence[str]


def newest_since(client_id: int, version: int) -> Sequence[ClientRevision]:
    """Return the revisions after `version`, oldest first, without the oldest ones beyond the limits."""
    return _within_bounds(client_id, version, ClientRevision.version.desc())


def oldest_since(client_id: int, version: int) -> Sequence[ClientRevision]:
    """Return the revisions after `version`, oldest first, without the newest ones beyond the limits."""
    return _within_bounds(client_id, version, ClientRevision.version.asc())


def authors_in(client_id: int, versions: Collection[int]) -> dict[int, Author]:
    """Return the authors of the existing revisions by version. No values are read."""
    if not versions:
        return {}
    found = db.session.execute(AUTHORS, {"client_id": client_id, "versions": list(versions), "maximum": MAX_KEYS})
    return {author.version: author for author in map(Author._make, found)}


def _within_bounds(client_id: int, version: int, order: UnaryExpression[int]) -> Sequence[ClientRevision]:
    """Limit revisions by size and number: one may contain two long texts or thousands of valuations.

    PostgreSQL knows the size of a value without reading it.
    """
    size = func.sum(func.pg_column_size(ClientRevision.changes)).over(order_by=order)
    later = (ClientRevision.client_id == client_id, ClientRevision.version > version)
    sized = select(ClientRevision.version, size.label("size")).where(*later).order_by(order).limit(MAX_REVISIONS)
    read = sized.subquery()
    rows = select(ClientRevision).join(read, read.c.version == ClientRevision.version)
    return db.session.scalars(
        rows.where(*later, read.c.size <= MAX_REVISIONS_BYTES).order_by(ClientRevision.version)
    ).all()


def value_before(revisions: Iterable[ClientRevision], key: str, present: Any) -> Any:
    """Return the value of `key` before these revisions as JSON, or `present` if none of them changed it."""
    return next((revision.changes[key][0] for revision in revisions if key in revision.changes), present)


def last_change_of_part(client_id: int, prefix: str) -> ClientRevision | None:
    """Return the newest revision that added or removed the part with this key, for example `person/12`."""
    return db.session.scalar(
        select(ClientRevision)
        .where(ClientRevision.client_id == client_id, ClientRevision.changes.has_key(prefix))
        .order_by(ClientRevision.version.desc())
        .limit(1)
    )


def last_change(revisions: Sequence[ClientRevision], key: str) -> ClientRevision | None:
    """Return the newest of these revisions that changed `key`."""
    return next((revision for revision in reversed(revisions) if key in revision.changes), None)


def to_json(value: Any) -> Any:
    """Return a column's value as revisions store it: dates in ISO 8601, amounts as text with two decimals."""
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.2f}" if isinstance(value, Decimal) else value


def from_json(kind: type[Any], value: Any) -> Any:
    """Convert the result of `to_json` to the type `kind` of the column."""
    if value is None:
        return None
    if kind is date:
        return date.fromisoformat(value)
    return Decimal(value) if kind is Decimal else value
