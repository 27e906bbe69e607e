"""Kingston's Portal: client records that several people keep open at once, without losing an edit."""

from typing import TYPE_CHECKING

from portal.config import Settings, settings_from_environ

if TYPE_CHECKING:
    from flask import Flask


def create_app(settings: Settings | None = None) -> "Flask":
    """The application. Reads the environment when no settings are given; raises ConfigurationError for weak ones.

    Opens no connection and starts no thread, so a server may fork afterwards.
    """
    settings = settings or settings_from_environ()
    # Not above: who needs one module, as gunicorn does to look at the settings, would load all the others for it.
    from portal.assembly import assemble  # noqa: PLC0415

    return assemble(settings)
