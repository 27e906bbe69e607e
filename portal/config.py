"""Typed settings from the environment; refuses a set-up that is weak or contradicts itself.

Called once by `create_app`. Must not import Flask.
"""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from portal.driver.hosts import Hosts
from portal.errors import ConfigurationError
from portal.secret_files import with_secret_files

SECRET_KEY_MIN_LENGTH = 32
METRICS_TOKEN_MIN_LENGTH = 16
DEMO_PASSWORD = "kingston-demo"  # noqa: S105  # public on purpose; refused outside demo mode
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")  # gunicorn's names too
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
SECOND_FACTORS = ("optional", "admins", "everyone")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]", re.ASCII)
HOPS = re.compile(r"[1-9]", re.ASCII)
PROJECT_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class PresenceTimings:
    """How often tabs beat and when they count as gone, in seconds (presence rule 3)."""

    heartbeat_seconds: int = 30
    active_window_seconds: int = 120
    stale_seconds: int = 300

    def __post_init__(self) -> None:
        """Raise ConfigurationError unless 0 < heartbeat × 2 < active window < stale."""
        if not 0 < self.heartbeat_seconds * 2 < self.active_window_seconds < self.stale_seconds:
            raise ConfigurationError(
                "PORTAL_HEARTBEAT_SECONDS × 2 must be less than PORTAL_ACTIVE_WINDOW_SECONDS, and that less than "
                f"PORTAL_STALE_SECONDS; they are {self.heartbeat_seconds}, {self.active_window_seconds} "
                f"and {self.stale_seconds}."
            )


@dataclass(frozen=True)
class TrustedProxies:
    """Whose X-Forwarded-… headers count: so many proxies one behind the other, or those of these networks."""

    hops: int = 0
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def is_one(self, address: str) -> bool:
        """Whether what this address says of its own caller is believed. A Unix socket has none, and is local."""
        return bool(self.hops) or (bool(self.networks) and (address == "" or _is_in(address, self.networks)))


@lru_cache(maxsize=1024)
def _is_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


@dataclass(frozen=True)
class Settings:
    """Everything the portal can be told from outside. `database_url` None means the embedded database.

    `direct_database_url` leads to the same database past a pooler in transaction mode, which `database_url` then is.
    """

    secret_key: str
    database_url: str | None
    instance: Path
    is_demo: bool = False
    is_testing: bool = False
    is_command: bool = False
    presence: PresenceTimings = PresenceTimings()
    idle_minutes: int = 30
    session_hours: int = 12
    db_pool_size: int = 10
    hosts: tuple[str, ...] = LOOPBACK_HOSTS
    trusted_proxies: TrustedProxies = TrustedProxies()
    second_factor: str = "optional"
    old_secret_key: str | None = None
    streams_per_worker: int = 5_000
    metrics_token: str | None = None
    log_level: str = "INFO"
    direct_database_url: str | None = None
    worker_count: int = 2

    @property
    def cookies_are_secure(self) -> bool:
        return not (self.is_demo or self.is_testing)


def settings_from_environ(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raise ConfigurationError naming the variable that must be mended.

    Outside demo mode DATABASE_URL is needed, and for serving a strong PORTAL_SECRET_KEY; a `flask` command signs no
    session. A secret may be in a file: see secret_files.py.
    """
    environ = with_secret_files(environ)
    is_demo = environ.get("PORTAL_DEMO") == "1"
    is_command = environ.get("FLASK_RUN_FROM_CLI") == "true"
    instance = Path(environ.get("PORTAL_INSTANCE") or PROJECT_ROOT / "instance").resolve()
    database_url = _database_url(environ, "DATABASE_URL")
    if database_url is None and not is_demo:
        raise ConfigurationError(
            "DATABASE_URL is not set. Set it to a PostgreSQL URL such as postgresql://portal@localhost/kingston, "
            "or run `make demo` for a demo with a database of its own, whose commands need PORTAL_DEMO=1."
        )
    return Settings(
        secret_key=_secret_key(environ, instance, is_demo=is_demo, is_command=is_command),
        database_url=database_url,
        instance=instance,
        is_demo=is_demo,
        is_command=is_command,
        presence=PresenceTimings(
            _whole_number(environ, "PORTAL_HEARTBEAT_SECONDS", 30),
            _whole_number(environ, "PORTAL_ACTIVE_WINDOW_SECONDS", 120),
            _whole_number(environ, "PORTAL_STALE_SECONDS", 300),
        ),
        idle_minutes=_whole_number(environ, "PORTAL_IDLE_MINUTES", 30),
        session_hours=_whole_number(environ, "PORTAL_SESSION_HOURS", 12),
        hosts=_hosts(environ, is_demo=is_demo, is_command=is_command),
        trusted_proxies=_trusted_proxies(environ),
        second_factor=_second_factor(environ, is_demo=is_demo),
        old_secret_key=environ.get("PORTAL_OLD_SECRET_KEY") or None,
        db_pool_size=_whole_number(environ, "PORTAL_DB_POOL_SIZE", 10),
        streams_per_worker=_whole_number(environ, "PORTAL_STREAMS_PER_WORKER", 5_000),
        metrics_token=_metrics_token(environ),
        log_level=_log_level(environ),
        direct_database_url=_database_url(environ, "PORTAL_DIRECT_DATABASE_URL"),
        worker_count=_whole_number(environ, "WEB_CONCURRENCY", 2),
    )


def _database_url(environ: Mapping[str, str], name: str) -> str | None:
    """The URL, which libpq can read. What libpq says of one that it cannot read may quote the password."""
    url = environ.get(name) or None
    try:
        if url:
            Hosts(url)
    except ValueError:
        raise ConfigurationError(
            f"{name} must be a PostgreSQL URL such as postgresql://portal@db.internal/portal, or with several hosts "
            "postgresql://portal@db1:5432,db2:5432/portal. Its query may have libpq's parameters, such as sslmode."
        ) from None
    return url


def _secret_key(environ: Mapping[str, str], instance: Path, *, is_demo: bool, is_command: bool) -> str:
    key = environ.get("PORTAL_SECRET_KEY", "")
    if is_demo:
        return key or _kept_secret_key(instance / "secret_key")
    if is_command:
        return key or secrets.token_urlsafe(32)
    if len(key) < SECRET_KEY_MIN_LENGTH or len(set(key)) < SECRET_KEY_MIN_LENGTH // 4:
        raise ConfigurationError(
            "PORTAL_SECRET_KEY is missing or weak: sign-in sessions could be forged. Set it to at least "
            f"{SECRET_KEY_MIN_LENGTH} random characters, for instance from "
            "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`."
        )
    return key


def _kept_secret_key(path: Path) -> str:
    """The key in `path`; made there first, readable by its owner alone, when there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(32))
    try:
        # Two workers may start at once: a link to a finished file lets one of them win whole.
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text().strip()


def _hosts(environ: Mapping[str, str], *, is_demo: bool, is_command: bool) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in environ.get("PORTAL_HOSTS", "").split(",") if name.strip())
    if not names and not (is_demo or is_command):
        raise ConfigurationError(
            "PORTAL_HOSTS is not set. Set it to the name that people type to reach the portal, such as "
            "portal.firm.example; several are separated by commas."
        )
    for name in names:
        if not HOST.fullmatch(name):
            raise ConfigurationError(
                f"PORTAL_HOSTS must have names such as portal.firm.example; {name[:40]!r} is none."
            )
    return names or LOOPBACK_HOSTS


def _trusted_proxies(environ: Mapping[str, str]) -> TrustedProxies:
    text = environ.get("PORTAL_TRUSTED_PROXIES", "").strip()
    if HOPS.fullmatch(text):
        return TrustedProxies(hops=int(text))
    try:
        return TrustedProxies(networks=tuple(ip_network(part.strip()) for part in text.split(",") if part.strip()))
    except ValueError as error:
        raise ConfigurationError(
            "PORTAL_TRUSTED_PROXIES must be the number of proxies in front (1 to 9), or their addresses or networks, "
            f"such as 127.0.0.1,10.0.0.5: {error}."
        ) from error


def _second_factor(environ: Mapping[str, str], *, is_demo: bool) -> str:
    wanted = environ.get("PORTAL_SECOND_FACTOR") or ("optional" if is_demo else "admins")
    if wanted not in SECOND_FACTORS:
        raise ConfigurationError(
            f"PORTAL_SECOND_FACTOR must be one of {', '.join(SECOND_FACTORS)}; it is {wanted[:20]!r}."
        )
    return wanted


def _metrics_token(environ: Mapping[str, str]) -> str | None:
    token = environ.get("PORTAL_METRICS_TOKEN") or None
    if token is not None and len(token) < METRICS_TOKEN_MIN_LENGTH:
        raise ConfigurationError(
            f"PORTAL_METRICS_TOKEN must have at least {METRICS_TOKEN_MIN_LENGTH} characters: whoever guesses it reads "
            "how busy the portal is."
        )
    return token


def _whole_number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not re.fullmatch("0*[1-9][0-9]{0,5}", text, re.ASCII):
        raise ConfigurationError(f"{name} must be a whole number from 1 to 999999; it is {text[:20]!r}.")
    return int(text)


def _log_level(environ: Mapping[str, str]) -> str:
    level = (environ.get("PORTAL_LOG_LEVEL") or "INFO").upper()
    if level not in LOG_LEVELS:
        raise ConfigurationError(f"PORTAL_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}; it is {level[:20]!r}.")
    return level
