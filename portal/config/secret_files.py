"""Secrets in files: NAME_FILE names the file with the value of the variable NAME.

Containers and systemd pass secrets in files, so that the environment does not show them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from portal.errors import ConfigurationError


def with_secret_files(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return the environment with those of `names` that are in a file. Raises ConfigurationError, which quotes none."""
    paths = {name: environ[f"{name}_FILE"] for name in names if environ.get(f"{name}_FILE")}
    return {**environ, **{name: _secret(environ, name, path) for name, path in paths.items()}}


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
