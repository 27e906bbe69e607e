"""What must hold of the database before the portal can serve: asked by /readyz and by `flask doctor`."""

from functools import lru_cache
from typing import Literal

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, text

from portal.extensions import db

MIGRATIONS_TABLE = "alembic_version"
# What happened stays: their triggers refuse everything else, whoever asks.
KEPT_TABLES = ("audit_events", "client_revisions")
# Of a table that is not there the migrations tell. current_schema() is NULL where the role may use none.
MISSING_PRIVILEGES = text("""
    WITH needed AS (
        SELECT to_regclass(name) AS oid, name, privilege FROM unnest(:names, :privileges) AS needed (name, privilege)
    )
    SELECT name || ' ' || privilege AS missing FROM needed
    WHERE oid IS NOT NULL AND NOT has_table_privilege(oid, privilege)
    UNION
    SELECT sequence.relname || ' USAGE' FROM needed
    JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = needed.oid AND deptype = 'a'
    JOIN pg_class sequence ON sequence.oid = objid
    WHERE privilege = 'INSERT'
      AND CASE WHEN sequence.relkind = 'S' THEN NOT has_sequence_privilege(sequence.oid, 'USAGE') END
    UNION
    SELECT 'schema public USAGE' WHERE current_schema() IS NULL
    ORDER BY missing
""")

Schema = Literal["older", "current", "newer"]


def is_read_only(connection: Connection) -> bool:
    """Whether the database takes no changes: a standby, or one that an operator has closed to them."""
    return bool(connection.scalar(text("SELECT current_setting('transaction_read_only') = 'on'")))


def missing_privileges(connection: Connection) -> list[str]:
    """Return what the role lacks to serve, such as "profiles INSERT"; empty where it lacks nothing."""
    needed = [(MIGRATIONS_TABLE, "SELECT")]
    for name in db.metadata.tables:
        verbs = ("SELECT", "INSERT") if name in KEPT_TABLES else ("SELECT", "INSERT", "UPDATE", "DELETE")
        needed += [(name, verb) for verb in verbs]
    names, privileges = zip(*needed, strict=True)
    parameters = {"names": list(names), "privileges": list(privileges)}
    return list(connection.scalars(MISSING_PRIVILEGES, parameters))


def schema_of(connection: Connection) -> Schema:
    """Return how the database's schema stands to this release.

    A revision that this release does not know is of the next one, whose migrations this one still works with.
    """
    known, wanted = _revisions(current_app.config["MIGRATIONS_FOLDER"])
    heads = frozenset(MigrationContext.configure(connection).get_current_heads())
    if heads - known:
        return "newer"
    return "current" if heads == wanted else "older"


@lru_cache
def _revisions(folder: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return every migration of this release, and the newest. The files are read once: that costs 20 ms of CPU."""
    script = ScriptDirectory(folder)
    return frozenset(each.revision for each in script.walk_revisions()), frozenset(script.get_heads())
