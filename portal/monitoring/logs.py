"""Logs as JSON lines on standard error, one line an event, with the id of the request. Called by `create_app`.

What stands in a log is read by people who may see no client: no password, token, cookie or value of a record gets
there. Statements are logged without their parameters (portal.database.engines), and errors of PostgreSQL without
the parts that quote a row.
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
    """Puts the request's id on every record that is logged while one is answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        if has_request_context():
            record.request_id = request.environ.get(REQUEST_ID, "")
        return True


class DiscreetFormatter(JsonFormatter):
    """JSON whose tracebacks keep what PostgreSQL quotes of a row to themselves."""

    def formatException(self, ei: ExcInfo) -> str:  # logging's name
        return discreet(super().formatException(ei))  # type: ignore[arg-type]


def discreet(text: str) -> str:
    """The text of an error without the values that PostgreSQL quotes in it. Pure."""
    return VALUE_OF_POSTGRES.sub(r"\1…", QUOTES_OF_POSTGRES.sub(r"\1: …", text))


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
            # These tell of every run or request at INFO; the portal's own lines say what was done.
            "loggers": {name: {"level": "WARNING"} for name in ("apscheduler", "alembic.runtime")},
        }
    )
