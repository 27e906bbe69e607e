"""Read the settings from the environment. Refuse a configuration that is weak or contradicts itself."""

import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from portal.config.parsers import SECRET_KEY_MIN_LENGTH
from portal.config.secret_files import with_secret_files
from portal.config.settings import (
    ALLOWED_HOSTS,
    DATABASE_URL,
    SECRET_KEY,
    PresenceTimings,
    Settings,
    Variable,
    variables_of,
)
from portal.errors import ConfigurationError

Environ = Mapping[str, str]


def settings_from_environ(environ: Environ = os.environ) -> Settings:
    """Return the settings. Raise ConfigurationError, which names the variable to change.

    Outside demo mode `DATABASE_URL` is required, and for serving a strong `PORTAL_SECRET_KEY` and
    `PORTAL_ALLOWED_HOSTS`. A `flask` command signs no session and answers no request.
    """
    environ = with_secret_files(environ, secret_names())
    is_command = environ.get("FLASK_RUN_FROM_CLI") == "true"
    values = _values(Settings, environ)
    is_demo = values.setdefault("is_demo", False)
    if is_demo:
        values.setdefault("second_factor", "optional")
    if values.setdefault("database_url", None) is None and not is_demo:
        raise ConfigurationError(
            f"{DATABASE_URL.name} is not set. Set it to a PostgreSQL URL such as "
            "postgresql://portal@localhost/kingston, or run `make demo` for a demo with a database of its own, "
            "whose commands need PORTAL_DEMO=1."
        )
    if not values.get("allowed_hosts"):
        values.pop("allowed_hosts", None)
        if not (is_demo or is_command):
            raise ConfigurationError(
                f"{ALLOWED_HOSTS.name} is not set. Set it to the name that people type to reach the portal, such as "
                "portal.firm.example; several are separated by commas."
            )
    instance = values.get("instance", Settings.instance)
    values["secret_key"] = _secret_key(values.get("secret_key", ""), instance, is_demo=is_demo, is_command=is_command)
    return Settings(**values, presence=PresenceTimings(**_values(PresenceTimings, environ)), is_command=is_command)


def deprecations(environ: Environ) -> list[str]:
    """Return a sentence for each deprecated variable in the environment, with the name that replaces it."""
    return [
        f"{old.name} is deprecated and will be removed in a later release. Set {variable.name} instead."
        for variable in all_variables()
        if (old := variable.deprecated) and (environ.get(old.name) or environ.get(f"{old.name}_FILE"))
    ]


def all_variables() -> Iterator[Variable]:
    """Yield the variables of all settings in the order of their declaration."""
    for settings_class in (Settings, PresenceTimings):
        yield from (variable for _, variable in variables_of(settings_class))


def secret_names() -> list[str]:
    """Return the names of the variables that may be in a file."""
    return [
        each.name
        for variable in all_variables()
        for each in (variable, variable.deprecated)
        if each is not None and each.is_secret
    ]


def _values(settings_class: type, environ: Environ) -> dict[str, Any]:
    """Return the parsed values of those fields whose variable is set. An empty text counts as not set."""
    values = {}
    for field, variable in variables_of(settings_class):
        for each in (variable, variable.deprecated):
            if each is not None and (text := environ.get(each.name)):
                values[field] = each.parse(each.name, text)
                break
    return values


def _secret_key(key: str, instance: Path, *, is_demo: bool, is_command: bool) -> str:
    if is_demo:
        return key or _stored_secret_key(instance / "secret_key")
    if is_command:
        return key or secrets.token_urlsafe(SECRET_KEY_MIN_LENGTH)
    if len(key) < SECRET_KEY_MIN_LENGTH or len(set(key)) < SECRET_KEY_MIN_LENGTH // 4:
        raise ConfigurationError(
            f"{SECRET_KEY.name} is missing or weak: sign-in sessions could be forged. Set it to at least "
            f"{SECRET_KEY_MIN_LENGTH} random characters, for instance from "
            "`python -c 'import secrets; print(secrets.token_urlsafe(32))'`."
        )
    return key


def _stored_secret_key(path: Path) -> str:
    """Return the key in `path`. Generate it first if there is none, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(SECRET_KEY_MIN_LENGTH))
    try:
        # Two workers may start at the same time. The link to a complete file lets one of them win.
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text().strip()
