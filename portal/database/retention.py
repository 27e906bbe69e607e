"""Export and delete old rows of a table whose trigger prevents deletion.

Only the role that owns the table can disable the trigger.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import text

from portal.errors import InvalidInput, NotAllowed
from portal.extensions import db

ROWS_READ_AT_ONCE = 1_000
# Other writes to the table wait while its trigger is disabled: a sign-in waits some 50 ms for this many rows.
ROWS_DELETED_AT_ONCE = 5_000
OWNS = "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass(:table)"


@dataclass(frozen=True)
class Kept:
    """A table with a trigger `keep_<table>`. `old` is the SQL condition on `t` for rows older than `:limit`."""

    table: str
    key: str
    moment: str
    old: str


AUDIT = Kept("audit_events", "id", "at", "t.at < :limit")
# Delete only the oldest revisions of each client. After a gap, a merge would start from a wrong value.
HISTORY = Kept(
    "client_revisions",
    "client_id, version",
    "changed_at",
    "t.changed_at < :limit AND NOT EXISTS (SELECT FROM client_revisions earlier WHERE earlier.client_id = t.client_id"
    " AND earlier.version < t.version AND earlier.changed_at >= :limit)",
)


def purge(kept: Kept, before: date, exported_to: Path) -> int:
    """Export the rows older than this day (UTC) to a new file, delete them, and return their number.

    The file has one JSON object on each line, and is on the disk before the first row is deleted. Commits.
    Raises NotAllowed if the role does not own the table, and InvalidInput if the file exists or cannot be written.
    """
    if not db.session.scalar(text(OWNS), {"table": kept.table}):
        raise NotAllowed(
            f"This database role does not own {kept.table}. Use the DATABASE_URL of the role that runs migrations: "
            "see Retention in docs/operating.md."
        )
    limit = {"limit": datetime(before.year, before.month, before.day, tzinfo=UTC)}
    written = _export(kept, limit, exported_to)
    deleted = 0
    while batch := _delete_some(kept, limit):
        deleted += batch
    if deleted != written:
        raise AssertionError(f"{written} rows were written to {exported_to} but {deleted} were deleted")
    return written


def _export(kept: Kept, limit: dict[str, datetime], path: Path) -> int:
    old = text(f"SELECT to_jsonb(t) FROM {kept.table} t WHERE {kept.old} ORDER BY t.{kept.moment}, {kept.key}")  # noqa: S608
    rows = db.session.execute(old, limit, execution_options={"yield_per": ROWS_READ_AT_ONCE}).scalars()
    written = 0
    try:
        with open(path, "x", encoding="utf-8", opener=_readable_by_owner_only) as export:
            for row in rows:
                export.write(json.dumps(row, ensure_ascii=False) + "\n")
                written += 1
            export.flush()
            os.fsync(export.fileno())
    except OSError as error:
        raise InvalidInput("--export", f"{path} cannot be written: {error.strerror}.") from error
    db.session.commit()
    return written


def _readable_by_owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _delete_some(kept: Kept, limit: dict[str, datetime]) -> int:
    trigger = f"TRIGGER keep_{kept.table}"
    some = f"SELECT t.ctid FROM {kept.table} t WHERE {kept.old} ORDER BY {kept.key} LIMIT {ROWS_DELETED_AT_ONCE}"  # noqa: S608
    db.session.execute(text(f"ALTER TABLE {kept.table} DISABLE {trigger}"))
    # PostgreSQL evaluates an ARRAY once; IN would allow a plan that repeats the query for each row. No row moves,
    # because the trigger that forbids updates stays until the transaction holds the lock of the table.
    gone = db.session.execute(text(f"DELETE FROM {kept.table} WHERE ctid = ANY (ARRAY({some})) RETURNING 1"), limit)  # noqa: S608
    deleted = len(gone.all())
    db.session.execute(text(f"ALTER TABLE {kept.table} ENABLE {trigger}"))
    db.session.commit()
    return deleted
