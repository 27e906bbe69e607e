"""Secrets that are files: NAME_FILE names the file that holds what the variable NAME would.

So a container or systemd hands a secret over without showing it in the environment. Must not import Flask.
"""

from collections.abc import Mapping
from pathlib import Path

from portal.errors import ConfigurationError

SECRETS = (
    "DATABASE_URL",
    "PORTAL_DIRECT_DATABASE_URL",
    "PORTAL_SECRET_KEY",
    "PORTAL_OLD_SECRET_KEY",
    "PORTAL_METRICS_TOKEN",
)


def with_secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with each secret that is in a file. Raises ConfigurationError, which quotes no file."""
    named = {name: environ[f"{name}_FILE"] for name in SECRETS if environ.get(f"{name}_FILE")}
    return {**environ, **{name: _secret(environ, name, path) for name, path in named.items()}}


def _secret(environ: Mapping[str, str], name: str, path: str) -> str:
    if environ.get(name):
        raise ConfigurationError(f"{name} and {name}_FILE are both set. Set one of them.")
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"{name}_FILE: {path} cannot be read: {reason}.") from error
    if not secret:
        raise ConfigurationError(f"{name}_FILE: {path} is empty.")
    return secret
