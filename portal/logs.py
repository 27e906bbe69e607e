"""Logs as JSON lines on standard error, one line an event. Called by `create_app`."""

import logging
import logging.config

from portal.config import Settings


def init_logs(settings: Settings) -> None:
    """Set the root logger up: JSON when serving, warnings as plain text in a command; tests keep pytest's own."""
    if settings.is_testing:
        return
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": "pythonjsonlogger.json.JsonFormatter",
                    "fmt": "%(levelname)s %(name)s %(message)s",
                    "rename_fields": {"levelname": "level", "name": "logger"},
                    "timestamp": "at",  # aware, in UTC
                },
                "plain": {"format": "%(levelname)s %(name)s: %(message)s"},
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": "plain" if settings.is_command else "json",
                }
            },
            "root": {
                "level": "WARNING" if settings.is_command else settings.log_level,
                "handlers": ["stderr"],
            },
            # These tell of every run or request at INFO; the portal's own lines say what was done.
            "loggers": {name: {"level": "WARNING"} for name in ("apscheduler", "alembic.runtime")},
        }
    )
