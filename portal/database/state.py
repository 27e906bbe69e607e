"""Check that the database is in a state in which the portal can serve."""

from functools import lru_cache
from typing import Literal

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, text

from portal.extensions import db

MIGRATIONS_TABLE = "alembic_version"
# Triggers refuse the other changes of these tables for every role.
VERBS = {
    "audit_events": ("SELECT", "INSERT"),
    "client_revisions": ("SELECT", "INSERT"),
    "client_reads": ("SELECT", "INSERT", "DELETE"),
}
ALL_VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")
# A missing table is reported by the check of the migrations. current_schema() is NULL if the role may use no schema.
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
    """Return whether the database accepts no writes: it is a standby, or was set read-only."""
    return bool(connection.scalar(text("SELECT current_setting('transaction_read_only') = 'on'")))


def missing_privileges(connection: Connection) -> list[str]:
    """Return the privileges that the role lacks to serve, such as "profiles INSERT"."""
    needed = [(MIGRATIONS_TABLE, "SELECT")]
    for name in db.metadata.tables:
        needed += [(name, verb) for verb in VERBS.get(name, ALL_VERBS)]
    names, privileges = zip(*needed, strict=True)
    parameters = {"names": list(names), "privileges": list(privileges)}
    return list(connection.scalars(MISSING_PRIVILEGES, parameters))


def schema_of(connection: Connection) -> Schema:
    """Compare the database's schema with this release.

    An unknown revision belongs to the next release. This release works with the migrations of the next one.
    """
    known, wanted = _revisions(current_app.config["MIGRATIONS_FOLDER"])
    heads = frozenset(MigrationContext.configure(connection).get_current_heads())
    if heads - known:
        return "newer"
    return "current" if heads == wanted else "older"


@lru_cache
def _revisions(folder: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return all migrations of this release, and the newest. Cached, because reading the files takes 20 ms of CPU."""
    script = ScriptDirectory(folder)
    return frozenset(each.revision for each in script.walk_revisions()), frozenset(script.get_heads())
