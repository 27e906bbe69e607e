"""Give access to the settings of the current application."""

from flask import current_app

from portal.config.settings import Settings


def current_settings() -> Settings:
    """Return the settings with which the current application was created."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings
