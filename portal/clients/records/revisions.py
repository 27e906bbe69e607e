"""The history of a client record: one revision for each accepted change, its people, products and valuations included.

`changes` maps a field's key to [old, new] as JSON: `phone` for the client's own, `person/12/first_name` for a part's.
A part that was added is `person/12`: [null, {column: value}], one that was removed [{column: value}, null]. Versions
have no gap from the first revision on, so the values of any earlier version are the present ones with the revisions
since then undone. Revisions are written once; a trigger of the database refuses to alter them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, String, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.clients.records.choices import check_one_of
from portal.extensions import Model, db
from portal.web.actor import UNKNOWN_ORIGIN, RequestOrigin

MAX_REVISIONS = 200  # read together
MAX_BYTES = 500_000  # of what is read together, compressed as the database holds it: up to 5 MB of JSON
MAX_KEYS = 40
AUTHORS = text("""
    SELECT version, changed_by, source, ARRAY(SELECT jsonb_object_keys(changes) LIMIT :most)
    FROM client_revisions WHERE client_id = :client_id AND version = ANY(:versions)""")
LONGEST_REASON = 300
SOURCES = ("form", "json", "revert", "import", "cli")
FieldChanges = dict[str, list[Any]]  # key → [old, new]


class ClientRevision(Model):
    """One accepted change of a client record, which made it this `version`.

    `merged_with` lists the versions of others that the change was merged with, `decisions` what was chosen on the
    conflict page (key → theirs, yours or third) or over a mark in the editor (yours), `proceeded` whether the editor
    was opened by Proceed Anyway, `reverts` the version that it undoes and `reason` why. `changed_by` is NULL for an
    import or a command.
    Who has given way to others everywhere has changed nothing and decided all the same: `changes` is empty then.
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
    decisions: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    proceeded: Mapped[bool] = mapped_column(server_default="false")
    reverts: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON), server_default="")


@dataclass(frozen=True)
class RevisionMetadata:
    """Who changes a record, how, and what they knew: what a revision says beside the changes. The audit has
    `request_origin`.
    """

    by: int | None
    source: str = "form"
    merged_with: tuple[int, ...] = ()
    decisions: Mapping[str, str] | None = None
    proceeded: bool = False
    reverts: int | None = None
    reason: str = ""
    request_origin: RequestOrigin = UNKNOWN_ORIGIN


class Author(NamedTuple):
    """Whose a revision is, and the keys of what it changed without the values: MAX_KEYS at most."""

    version: int
    changed_by: int | None
    source: str
    changes: Sequence[str]


def newest_since(client_id: int, version: int) -> Sequence[ClientRevision]:
    """The revisions after `version`, oldest first; without the oldest where all of them would be too much to read."""
    return _within_bounds(client_id, version, ClientRevision.version.desc())


def oldest_since(client_id: int, version: int) -> Sequence[ClientRevision]:
    """The revisions after `version`, oldest first; without the newest where all of them would be too much to read."""
    return _within_bounds(client_id, version, ClientRevision.version.asc())


def authors_in(client_id: int, versions: Collection[int]) -> dict[int, Author]:
    """Version → whose revision it is, of those that are there. Of many large revisions no value is read."""
    if not versions:
        return {}
    found = db.session.execute(AUTHORS, {"client_id": client_id, "versions": list(versions), "most": MAX_KEYS})
    return {author.version: author for author in map(Author._make, found)}


def _within_bounds(client_id: int, version: int, order: Any) -> Sequence[ClientRevision]:
    """A revision may hold two long texts or thousands of valuations, so their number alone bounds nothing. The database
    knows how large a value is without reading it.
    """
    size = func.sum(func.pg_column_size(ClientRevision.changes)).over(order_by=order)
    later = (ClientRevision.client_id == client_id, ClientRevision.version > version)
    sized = select(ClientRevision.version, size.label("size")).where(*later).order_by(order).limit(MAX_REVISIONS)
    read = sized.subquery()
    rows = select(ClientRevision).join(read, read.c.version == ClientRevision.version)
    return db.session.scalars(rows.where(*later, read.c.size <= MAX_BYTES).order_by(ClientRevision.version)).all()


def record_revision(client_id: int, version: int, at: datetime, changes: FieldChanges, cause: RevisionMetadata) -> None:
    """Write the revision of a change that has been accepted. Flushes."""
    db.session.add(
        ClientRevision(
            client_id=client_id,
            version=version,
            changed_at=at,
            changed_by=cause.by,
            source=cause.source,
            changes=changes,
            merged_with=list(cause.merged_with),
            decisions=dict(cause.decisions or {}),
            proceeded=cause.proceeded,
            reverts=cause.reverts,
            reason=cause.reason,
        )
    )
    db.session.flush()


def value_before(revisions: Iterable[ClientRevision], key: str, present: Any) -> Any:
    """What `key` held before these revisions, oldest first, as JSON; `present` where none of them touched it."""
    return next((revision.changes[key][0] for revision in revisions if key in revision.changes), present)


def last_change_of_part(client_id: int, prefix: str) -> ClientRevision | None:
    """The newest revision that added or removed the part with this key, `person/12`."""
    return db.session.scalar(
        select(ClientRevision)
        .where(ClientRevision.client_id == client_id, ClientRevision.changes.has_key(prefix))
        .order_by(ClientRevision.version.desc())
        .limit(1)
    )


def last_change(revisions: Sequence[ClientRevision], key: str) -> ClientRevision | None:
    """The newest of these revisions that touched `key`."""
    return next((revision for revision in reversed(revisions) if key in revision.changes), None)


def to_json(value: Any) -> Any:
    """A column's value as revisions hold it: dates in ISO 8601, amounts as text with their two decimals."""
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:.2f}" if isinstance(value, Decimal) else value


def from_json(kind: type[Any], value: Any) -> Any:
    """The value of a column of type `kind` from what `to_json` made of it."""
    if value is None:
        return None
    if kind is date:
        return date.fromisoformat(value)
    return Decimal(value) if kind is Decimal else value
