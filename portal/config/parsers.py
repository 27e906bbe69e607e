"""Parse the texts of environment variables. Each parser takes the variable's name, for its ConfigurationError."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from portal.driver.hosts import Hosts
from portal.errors import ConfigurationError

Parser = Callable[[str, str], object]

SECRET_KEY_MIN_LENGTH = 32
METRICS_TOKEN_MIN_LENGTH = 16
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")  # gunicorn's names too
SECOND_FACTORS = ("optional", "admins", "everyone")
EDIT_WARNINGS = ("present", "editing")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]", re.ASCII)
HOPS = re.compile(r"[1-9]", re.ASCII)
WHOLE_NUMBER = re.compile("0*[1-9][0-9]{0,5}", re.ASCII)


@dataclass(frozen=True)
class TrustedProxies:
    """The proxies whose X-Forwarded-… headers count: a number of hops, or the proxies of these networks."""

    hops: int = 0
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def is_one(self, address: str) -> bool:
        """Return whether the caller at this address is a trusted proxy. A Unix socket has no address, and is local."""
        return bool(self.hops) or (bool(self.networks) and (address == "" or _is_in(address, self.networks)))


@lru_cache(maxsize=1024)
def _is_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def text(_name: str, value: str) -> str:
    return value


def is_one(_name: str, value: str) -> bool:
    """Return whether the value is `1`. No other text may open production with the demo's password."""
    return value == "1"


def folder(_name: str, value: str) -> Path:
    return Path(value).resolve()


def whole_number(name: str, value: str) -> int:
    if not WHOLE_NUMBER.fullmatch(value):
        raise ConfigurationError(f"{name} must be a whole number from 1 to 999999; it is {value[:20]!r}.")
    return int(value)


def port(name: str, value: str) -> int:
    if not (WHOLE_NUMBER.fullmatch(value) and int(value) < 2**16):
        raise ConfigurationError(f"{name} must be a number from 1 to 65535; it is {value[:20]!r}.")
    return int(value)


def database_url(name: str, value: str) -> str:
    """Return the URL if libpq can read it. The message quotes nothing, because libpq's own may quote the password."""
    try:
        Hosts(value)
    except ValueError:
        raise ConfigurationError(
            f"{name} must be a PostgreSQL URL such as postgresql://portal@db.internal/portal, or with several hosts "
            "postgresql://portal@db1:5432,db2:5432/portal. Its query may have libpq's parameters, such as sslmode."
        ) from None
    return value


def secret_keys(name: str, value: str) -> tuple[str, ...]:
    """Return the keys between the commas. A key that has a comma itself leaves a part that is too short."""
    keys = tuple(key.strip() for key in value.split(",") if key.strip())
    if any(len(key) < SECRET_KEY_MIN_LENGTH for key in keys):
        raise ConfigurationError(
            f"{name} must have previous secret keys, separated by commas. Each of them has at least "
            f"{SECRET_KEY_MIN_LENGTH} characters."
        )
    return keys


def one_secret_key(_name: str, value: str) -> tuple[str, ...]:
    return (value,)


def host_names(name: str, value: str) -> tuple[str, ...]:
    names = tuple(part.strip().lower() for part in value.split(",") if part.strip())
    for each in names:
        if not HOST.fullmatch(each):
            raise ConfigurationError(f"{name} must have names such as portal.firm.example; {each[:40]!r} is none.")
    return names


def trusted_proxies(name: str, value: str) -> TrustedProxies:
    value = value.strip()
    if HOPS.fullmatch(value):
        return TrustedProxies(hops=int(value))
    try:
        return TrustedProxies(networks=tuple(ip_network(part.strip()) for part in value.split(",") if part.strip()))
    except ValueError as error:
        raise ConfigurationError(
            f"{name} must be the number of proxies in front (1 to 9), or their addresses or networks, "
            f"such as 127.0.0.1,10.0.0.5: {error}."
        ) from error


def second_factor(name: str, value: str) -> str:
    if value not in SECOND_FACTORS:
        raise ConfigurationError(f"{name} must be one of {', '.join(SECOND_FACTORS)}; it is {value[:20]!r}.")
    return value


def edit_warning(name: str, value: str) -> str:
    if value not in EDIT_WARNINGS:
        raise ConfigurationError(f"{name} must be {' or '.join(EDIT_WARNINGS)}; it is {value[:20]!r}.")
    return value


def metrics_token(name: str, value: str) -> str:
    if len(value) < METRICS_TOKEN_MIN_LENGTH:
        raise ConfigurationError(
            f"{name} must have at least {METRICS_TOKEN_MIN_LENGTH} characters, so that it cannot be guessed."
        )
    return value


def log_level(name: str, value: str) -> str:
    level = value.upper()
    if level not in LOG_LEVELS:
        raise ConfigurationError(f"{name} must be one of {', '.join(LOG_LEVELS)}; it is {level[:20]!r}.")
    return level
