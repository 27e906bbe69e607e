"""Declare each setting once: field, environment variable, default, parser and description.

`environment.py` reads the declarations, and `readme_table.py` writes README's table from them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_type_hints

from portal.config import parsers
from portal.config.parsers import Parser, TrustedProxies
from portal.errors import ConfigurationError

DEMO_PASSWORD = "kingston-demo"  # noqa: S105  # public on purpose; refused outside demo mode
NO_PROXIES = TrustedProxies()
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
PROJECT_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Variable:
    """The environment variable of a setting.

    `meaning` is Markdown. README shows `shown_default`, or else the default of the field. A secret may be in a file.
    """

    name: str
    parse: Parser
    meaning: str
    shown_default: str | None = None
    is_secret: bool = False
    deprecated: "Variable | None" = None


HEARTBEAT = Variable(
    "PORTAL_HEARTBEAT_SECONDS", parsers.whole_number, "Interval between the heartbeats of an open page."
)
ACTIVE_WINDOW = Variable(
    "PORTAL_ACTIVE_WINDOW_SECONDS",
    parsers.whole_number,
    "Time after the last heartbeat at which a user counts as gone.",
)
STALE = Variable(
    "PORTAL_STALE_SECONDS",
    parsers.whole_number,
    "Age at which the cleanup job deletes a presence row. "
    "The portal starts only where heartbeat × 2 < active window < stale.",
)
DATABASE_URL = Variable(
    "DATABASE_URL",
    parsers.database_url,
    "`postgresql://user@host/name`, PostgreSQL 15 or newer. "
    "With several hosts (`postgresql://user@db1:5432,db2:5432/name`) the portal uses the host that accepts writes. "
    "The demo has a database of its own.",
    shown_default="required",
    is_secret=True,
)
DIRECT_DATABASE_URL = Variable(
    "PORTAL_DIRECT_DATABASE_URL",
    parsers.database_url,
    "URL of the same database without PgBouncer, for heartbeats and `LISTEN`. "
    "Required where `DATABASE_URL` leads to a PgBouncer in transaction mode.",
    is_secret=True,
)
SECRET_KEY = Variable(
    "PORTAL_SECRET_KEY",
    parsers.text,
    "Signs sessions and encrypts second factors; at least 32 random characters. The demo generates and stores one.",
    shown_default="required",
    is_secret=True,
)
SECRET_KEY_FALLBACKS = Variable(
    "PORTAL_SECRET_KEY_FALLBACKS",
    parsers.secret_keys,
    "Previous secret keys, separated by commas. "
    "Sessions and second factors made with them stay valid: see [secrets](docs/security.md#secrets).",
    is_secret=True,
    deprecated=Variable("PORTAL_OLD_SECRET_KEY", parsers.one_secret_key, "The previous secret key.", is_secret=True),
)
ALLOWED_HOSTS = Variable(
    "PORTAL_ALLOWED_HOSTS",
    parsers.host_names,
    "Host names of the portal, separated by commas: `portal.firm.example`. "
    "Requests for other names get status 400. The demo allows the loopback names.",
    shown_default="required",
    deprecated=Variable("PORTAL_HOSTS", parsers.host_names, "Host names of the portal."),
)
TRUSTED_PROXIES = Variable(
    "PORTAL_TRUSTED_PROXIES",
    parsers.trusted_proxies,
    "Proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-ID` headers are trusted: "
    "addresses or CIDR ranges (`127.0.0.1`), or the number of proxies in front of the portal (`1`). "
    "Never name an office network: each of its users could claim any address.",
)
SECOND_FACTOR = Variable(
    "PORTAL_SECOND_FACTOR",
    parsers.second_factor,
    "Users that need a second factor: `optional` (none), `admins` (administrators and compliance) or `everyone`. "
    "The demo's default is `optional`.",
)
EDIT_WARNING = Variable(
    "PORTAL_EDIT_WARNING",
    parsers.edit_warning,
    "Users about whom the Concurrent Access dialog asks before a user edits: `present`, all others on the page that "
    "may edit; `editing`, only those that edit or wait to edit. "
    "See [the warning before editing](docs/operating.md#the-warning-before-editing).",
)
INSTANCE = Variable(
    "PORTAL_INSTANCE", parsers.folder, "Folder of the demo's database and secret key.", shown_default="`instance/`"
)
PORT = Variable("PORT", parsers.port, "Port on 127.0.0.1.")
BIND = Variable("PORTAL_BIND", parsers.text, "Address to listen on instead: `0.0.0.0:8000`, `unix:/run/portal.sock`.")
WEB_CONCURRENCY = Variable("WEB_CONCURRENCY", parsers.whole_number, "Number of worker processes.")
DB_POOL_SIZE = Variable(
    "PORTAL_DB_POOL_SIZE",
    parsers.whole_number,
    "Maximum connections in each of a worker's two pools. "
    "`max_connections` must exceed servers × workers × (2 × this + 1).",
)
STREAMS_PER_WORKER = Variable(
    "PORTAL_STREAMS_PER_WORKER",
    parsers.whole_number,
    "Maximum event streams of a worker. Each needs an open file, and the process about 1,200 more. "
    "Where the limit of open files is lower, the worker accepts fewer streams and logs it.",
)
METRICS_TOKEN = Variable(
    "PORTAL_METRICS_TOKEN",
    parsers.metrics_token,
    "Bearer token for `GET /metrics`; at least 16 characters. Without it the page does not exist.",
    is_secret=True,
)
IDLE_MINUTES = Variable(
    "PORTAL_IDLE_MINUTES",
    parsers.whole_number,
    "Time without user activity after which a session ends. Heartbeats are not activity.",
)
SESSION_HOURS = Variable(
    "PORTAL_SESSION_HOURS", parsers.whole_number, "Time after sign-in at which a session ends, however active the user."
)
LOG_LEVEL = Variable(
    "PORTAL_LOG_LEVEL",
    parsers.log_level,
    f"{', '.join(f'`{level}`' for level in parsers.LOG_LEVELS[:-1])} or `{parsers.LOG_LEVELS[-1]}`. "
    "Logs are JSON lines on standard error.",
)
DEMO = Variable(
    "PORTAL_DEMO",
    parsers.is_one,
    "`1` is demo mode, which `make demo` sets: cookies without `Secure`, and a public demo password.",
)


@dataclass(frozen=True)
class PresenceTimings:
    """How often tabs send heartbeats and when their users count as gone, in seconds."""

    heartbeat_seconds: Annotated[int, HEARTBEAT] = 30
    active_window_seconds: Annotated[int, ACTIVE_WINDOW] = 120
    stale_seconds: Annotated[int, STALE] = 300

    def __post_init__(self) -> None:
        """Raise ConfigurationError unless 0 < heartbeat × 2 < active window < stale."""
        if not 0 < self.heartbeat_seconds * 2 < self.active_window_seconds < self.stale_seconds:
            raise ConfigurationError(
                f"{HEARTBEAT.name} × 2 must be less than {ACTIVE_WINDOW.name}, and that less than {STALE.name}; "
                f"they are {self.heartbeat_seconds}, {self.active_window_seconds} and {self.stale_seconds}."
            )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The configuration of a process. Without a `database_url` the portal uses the embedded database.

    `is_testing` and `is_command` describe how the process runs; no variable of the portal sets them.
    """

    database_url: Annotated[str | None, DATABASE_URL]
    direct_database_url: Annotated[str | None, DIRECT_DATABASE_URL] = None
    secret_key: Annotated[str, SECRET_KEY]
    secret_key_fallbacks: Annotated[tuple[str, ...], SECRET_KEY_FALLBACKS] = ()
    allowed_hosts: Annotated[tuple[str, ...], ALLOWED_HOSTS] = LOOPBACK_HOSTS
    trusted_proxies: Annotated[TrustedProxies, TRUSTED_PROXIES] = NO_PROXIES
    second_factor: Annotated[str, SECOND_FACTOR] = "admins"
    edit_warning: Annotated[str, EDIT_WARNING] = "present"
    instance: Annotated[Path, INSTANCE] = PROJECT_ROOT / "instance"
    port: Annotated[int, PORT] = 8_000
    bind: Annotated[str, BIND] = ""
    worker_count: Annotated[int, WEB_CONCURRENCY] = 2
    db_pool_size: Annotated[int, DB_POOL_SIZE] = 10
    streams_per_worker: Annotated[int, STREAMS_PER_WORKER] = 5_000
    presence: PresenceTimings = PresenceTimings()
    idle_minutes: Annotated[int, IDLE_MINUTES] = 30
    session_hours: Annotated[int, SESSION_HOURS] = 12
    metrics_token: Annotated[str | None, METRICS_TOKEN] = None
    log_level: Annotated[str, LOG_LEVEL] = "INFO"
    is_demo: Annotated[bool, DEMO] = False
    is_testing: bool = False
    is_command: bool = False

    @property
    def cookies_are_secure(self) -> bool:
        return not (self.is_demo or self.is_testing)


def variables_of(settings_class: type) -> Iterator[tuple[str, Variable]]:
    """Yield the fields of `Settings` or `PresenceTimings` that have a variable, in order, with it."""
    for name, hint in get_type_hints(settings_class, include_extras=True).items():
        for variable in getattr(hint, "__metadata__", ()):
            yield name, variable
