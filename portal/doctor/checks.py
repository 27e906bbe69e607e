"""The checks of `flask doctor`. Each takes settings and environment and yields findings; no check changes anything.

The check of the configuration reports what the server refuses to start with, because a command accepts more.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from functools import partial

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from portal.config import Settings, deprecations, settings_from_environ
from portal.database import state
from portal.driver.errors import DATABASE_ERRORS, first_line, kind_of_trouble
from portal.driver.hosts import APPLICATION_NAME, Hosts
from portal.errors import ConfigurationError
from portal.extensions import PRESENCE_BIND, db

MIN_POSTGRES_MAJOR = 15
MAX_CLOCK_SKEW_SECONDS = 5
MIN_FREE_BYTES = 500 * 2**20
CONNECTIONS_FOR_OTHERS = 5  # migrations, backups, an operator with psql
POOLS = 2
DURABLE = ("fsync", "full_page_writes")
WRITE_A_MEGABYTE = """
    CREATE TEMPORARY TABLE doctor_probe ON COMMIT DROP AS
    SELECT md5(line::text || filler) FROM generate_series(1, 128) AS line, generate_series(1, 128) AS filler
"""
CAN_CHANGE_AUDIT = """
    SELECT has_table_privilege(to_regclass('audit_events'), 'UPDATE, DELETE, TRUNCATE')
"""
# Every connection of the portal names its machine.
SERVERS = """
    SELECT DISTINCT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'portal@%'
"""


class Severity(Enum):
    OK = auto()
    WARNING = auto()
    ERROR = auto()


@dataclass(frozen=True)
class Finding:
    """The result of one check. `advice` tells the operator what to do."""

    severity: Severity
    what: str
    advice: str = ""


Environ = Mapping[str, str]
Findings = Iterator[Finding]


def configuration(settings: Settings, environ: Environ) -> Findings:
    """Check whether the server would start with this environment."""
    serving = {name: value for name, value in environ.items() if name != "FLASK_RUN_FROM_CLI"}
    try:
        settings_from_environ(serving)
    except ConfigurationError as error:
        yield _error("configuration: the server would refuse to start", str(error))
    else:
        yield _ok("configuration: valid")
    for deprecation in deprecations(environ):
        yield _warning("configuration: a deprecated variable", deprecation)
    if settings.is_demo:
        yield _warning(
            "demo mode: the public password works, and cookies are sent without HTTPS", "Never use it for real clients."
        )


def secrets(settings: Settings, environ: Environ) -> Findings:
    """Check the previous keys. The server itself refuses to start with a weak key."""
    if settings.secret_key in settings.secret_key_fallbacks:
        yield _error(
            "secret key: the previous key is the same as the current one", "Set PORTAL_SECRET_KEY to a new key."
        )
    elif settings.secret_key_fallbacks:
        yield _warning(
            "secret key: a previous key is still accepted",
            "Unset PORTAL_SECRET_KEY_FALLBACKS when all users have signed in since the change; see docs/security.md.",
        )
    for name in filter(partial(_has_password, environ), ("DATABASE_URL", "PORTAL_DIRECT_DATABASE_URL")):
        yield _warning(
            f"database password: in {name}, where a process list may show it",
            "A .pgpass file or peer authentication keeps it out of the environment.",
        )


def second_factor(settings: Settings, environ: Environ) -> Findings:
    if settings.second_factor == "optional" and not settings.is_demo:
        yield _warning("second factor: required of no user", "Set PORTAL_SECOND_FACTOR to admins or everyone.")
    elif settings.second_factor == "optional":
        yield _ok("second factor: optional in demo mode")
    else:
        yield _ok(f"second factor: required of {settings.second_factor}")


def proxies(settings: Settings, environ: Environ) -> Findings:
    bind = settings.bind
    is_exposed = bool(bind) and not bind.startswith(("127.", "localhost", "[::1]", "unix:"))
    trusted = settings.trusted_proxies
    if settings.is_demo:
        return
    if not trusted.hops and not trusted.networks:
        yield _warning(
            "proxies: none is trusted, so all requests seem to come from the proxy's address",
            "Set PORTAL_TRUSTED_PROXIES to the proxy's address. Otherwise all users are throttled together.",
        )
    elif trusted.hops and is_exposed:
        yield _error(
            f"proxies: {trusted.hops} trusted by number, but clients can connect to {bind} directly",
            "A direct client can forge X-Forwarded-For. Set the proxies' addresses, or bind to 127.0.0.1.",
        )
    elif any(network.prefixlen == 0 for network in trusted.networks):
        yield _error("proxies: every address is trusted", "Set PORTAL_TRUSTED_PROXIES to the proxies' addresses.")
    else:
        yield _ok("proxies: trusted by address")
    if environ.get("FORWARDED_ALLOW_IPS"):
        yield _warning("proxies: FORWARDED_ALLOW_IPS has no effect", "PORTAL_TRUSTED_PROXIES decides.")
    yield _ok(f"hosts: accepts {', '.join(settings.allowed_hosts)}")


def database(settings: Settings, environ: Environ) -> Findings:
    """Check connection, version, writes, privileges, migrations, clock and number of connections."""
    try:
        with db.engine.connect() as connection:
            yield from _postgres(connection)
            yield from _writes(connection)
            rights = list(_privileges(connection))
            yield from rights
            if any(finding.severity is Severity.ERROR for finding in rights):
                return  # the remaining checks read tables too
            yield from _migrations(connection)
            yield from _clock(connection)
            yield from _connections(connection, settings)
        if settings.direct_database_url:
            with db.engines[PRESENCE_BIND].connect():
                yield _ok("database: PORTAL_DIRECT_DATABASE_URL answers")
    except DATABASE_ERRORS as error:
        yield _error(f"database: {kind_of_trouble(error)}", first_line(error))


def disk(settings: Settings, environ: Environ) -> Findings:
    folder = next(each for each in (settings.instance, *settings.instance.parents) if each.exists())
    free = shutil.disk_usage(folder).free
    where = f"on the disk of {folder}"
    if free < MIN_FREE_BYTES:
        yield _error(
            f"disk: {free // 2**20} MB free {where}",
            "Free space: the demo's database and temporary files need it.",
        )
    else:
        yield _ok(f"disk: {free / 2**30:.1f} GB free {where}; for the database, see its own check")
    key = settings.instance / "secret_key"
    if key.exists() and key.stat().st_mode & 0o077:
        yield _error(f"disk: other accounts can read {key}", f"chmod 600 {key}")


def _postgres(connection: Connection) -> Findings:
    version = int(connection.scalar(text("SELECT current_setting('server_version_num')::int"))) // 10_000
    if version < MIN_POSTGRES_MAJOR:
        yield _error(f"database: PostgreSQL {version}", f"Version {MIN_POSTGRES_MAJOR} or newer is needed.")
    else:
        yield _ok(f"database: PostgreSQL {version}")
    for name in DURABLE:
        if connection.scalar(text("SELECT current_setting(:name)"), {"name": name}) == "off":
            yield _error(f"database: {name} is off", f"A power failure would lose saved data. Set {name} = on.")


def _has_password(environ: Environ, name: str) -> bool:
    try:
        return Hosts(environ.get(name, "")).has_password
    except ValueError:  # the configuration check reports it
        return False


def _writes(connection: Connection) -> Findings:
    """Write a megabyte to a temporary table, and roll back."""
    if state.is_read_only(connection):
        yield _error("database: read-only", "It is a standby, or was set read-only. Set DATABASE_URL to the primary.")
        return
    try:
        with connection.begin_nested() as probe:
            connection.execute(text(WRITE_A_MEGABYTE))
            probe.rollback()
    except ProgrammingError:
        return  # the role may not create temporary tables
    except OperationalError as error:
        yield _error(f"database: {kind_of_trouble(error)}", f"It accepts no writes: {first_line(error)}")
    else:
        yield _ok("database: accepts writes")


def _migrations(connection: Connection) -> Findings:
    match state.schema_of(connection):
        case "older":
            yield _error("migrations: not current", "Run flask db upgrade.")
        case "newer":
            yield _warning("migrations: newer than this release", "Install the newer release on this machine too.")
        case "current":
            yield _ok("migrations: current")


def _privileges(connection: Connection) -> Findings:
    """Check that the role can read and write rows. It should be able to do no more."""
    if connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
        yield _warning("database role: a superuser", "Create a role for the portal, as docs/security.md describes.")
    if missing := state.missing_privileges(connection):
        yield _error(f"database role: lacks {', '.join(missing)}", "Run the GRANTs in docs/security.md.")
    elif connection.scalar(text(CAN_CHANGE_AUDIT)):
        yield _warning(
            "database role: has the privilege to change the audit, which only a trigger prevents",
            "Let another role own the tables, and run the GRANTs in docs/security.md.",
        )
    else:
        yield _ok("database role: can read and extend the audit but not change it")


def _clock(connection: Connection) -> Findings:
    before = datetime.now(UTC)
    database_time: datetime = connection.scalar(text("SELECT clock_timestamp()"))
    after = datetime.now(UTC)
    skew = max((before - database_time).total_seconds(), (database_time - after).total_seconds(), 0.0)
    if skew > MAX_CLOCK_SKEW_SECONDS:
        yield _error(f"clocks: this machine and the database's differ by {skew:.0f} s", "Run NTP on both.")
    else:
        yield _ok("clocks: this machine and the database agree")


def _connections(connection: Connection, settings: Settings) -> Findings:
    """Compare max_connections with the most that all workers open: two full pools and one `LISTEN` each."""
    servers = set(connection.scalars(text(SERVERS))) | {APPLICATION_NAME}
    wanted = len(servers) * settings.worker_count * (POOLS * settings.db_pool_size + 1)
    allowed = int(connection.scalar(text("SHOW max_connections")) or 0) - CONNECTIONS_FOR_OTHERS
    what = (
        f"connections: {counted(len(servers), 'server')} × {counted(settings.worker_count, 'worker')} × "
        f"({POOLS} pools × {settings.db_pool_size} + 1 for LISTEN) = {wanted}, of {allowed} available"
    )
    if wanted > allowed:
        yield _error(what, "Lower PORTAL_DB_POOL_SIZE, or raise max_connections.")
    else:
        yield _ok(what)


def counted(number: int, noun: str) -> str:
    """Return "1 server" or "2 servers"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _ok(what: str) -> Finding:
    return Finding(Severity.OK, what)


def _warning(what: str, advice: str) -> Finding:
    return Finding(Severity.WARNING, what, advice)


def _error(what: str, advice: str) -> Finding:
    return Finding(Severity.ERROR, what, advice)


ALL: tuple[Callable[[Settings, Environ], Findings], ...] = (
    configuration,
    secrets,
    second_factor,
    proxies,
    database,
    disk,
)
