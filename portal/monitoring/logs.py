"""Log JSON lines to standard error, one line for each event, with the id of the request.

Logs are read by people without access to clients. They contain no password, token, cookie or value of a record.
Statements are logged without parameters (portal.database.engines), and PostgreSQL's errors without quoted rows.
"""

import logging
import logging.config
import re
from types import TracebackType

from flask import has_request_context, request
from pythonjsonlogger.json import JsonFormatter

from portal.config import Settings
from portal.web.proxies import REQUEST_ID

# "DETAIL: Failing row contains (…)", "Key (email)=(…) already exists", "invalid input syntax for type date: …".
QUOTES_OF_POSTGRES = re.compile(r"^(DETAIL|CONTEXT|HINT|LINE \d+|QUERY):.*(\n\s+\^)?$", re.MULTILINE)
VALUE_OF_POSTGRES = re.compile(r"(invalid input syntax[^:\n]*: |value )\".*$", re.MULTILINE)
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class RequestIdFilter(logging.Filter):
    """Add the request's id to every log record of the request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if has_request_context():
            record.request_id = request.environ.get(REQUEST_ID, "")
        return True


class DiscreetFormatter(JsonFormatter):
    """Format records as JSON, without the rows that PostgreSQL quotes in tracebacks."""

    def formatException(self, ei: ExcInfo) -> str:  # the name is logging's
        return discreet(super().formatException(ei))  # type: ignore[arg-type]


def discreet(text: str) -> str:
    """Return an error's text without the values that PostgreSQL quotes in it."""
    return VALUE_OF_POSTGRES.sub(r"\1…", QUOTES_OF_POSTGRES.sub(r"\1: …", text))


def init_logs(settings: Settings) -> None:
    """Configure the root logger: JSON in a server, plain warnings in a command, pytest's own in tests."""
    if settings.is_testing:
        return
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": DiscreetFormatter,
                    "fmt": "%(levelname)s %(name)s %(message)s",
                    "rename_fields": {"levelname": "level", "name": "logger"},
                    "timestamp": "at",  # aware, in UTC
                },
                "plain": {"format": "%(levelname)s %(name)s: %(message)s"},
            },
            "filters": {"request id": {"()": RequestIdFilter}},
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "filters": ["request id"],
                    "formatter": "plain" if settings.is_command else "json",
                }
            },
            "root": {
                "level": "WARNING" if settings.is_command else settings.log_level,
                "handlers": ["stderr"],
            },
            # At INFO these log every run. The portal's own lines already record what a job did.
            "loggers": {name: {"level": "WARNING"} for name in ("apscheduler", "alembic.runtime")},
        }
    )
