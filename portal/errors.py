"""What can go wrong in the portal's own words; raised where the rule is, answered in error_handlers.py.

Imported by every package. It must not import Flask or any other part of the portal.
"""

from collections.abc import Mapping
from types import MappingProxyType


class PortalError(Exception):
    """Any error that the portal foresees. Its text is written for the person who reads it.

    `typed` is what was sent in vain, by its label: the error page shows it, so that it can be copied.
    """

    typed: Mapping[str, str] = MappingProxyType({})


class NotSignedIn(PortalError):
    """There is no valid sign-in session: 401."""


class NotAllowed(PortalError):
    """The profile may see this but not do that: 403."""


class NotFound(PortalError):
    """There is no such thing, or not for this profile; both look the same: 404."""


class InvalidInput(PortalError):
    """A value is missing, of the wrong type or out of range: 422. `field` names it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class StaleVersion(PortalError):
    """The record has moved on since the version that the change started from: 409."""


class TooSoon(PortalError):
    """It has been done only just now: 429, with `wait_seconds` until it may be done again."""

    def __init__(self, text: str, wait_seconds: int) -> None:
        super().__init__(text)
        self.wait_seconds = wait_seconds


class TooManyAttempts(TooSoon):
    """Too many wrong passwords or codes: 429. `wait_seconds` until the next one is looked at."""

    def __init__(self, wait_seconds: int) -> None:
        minutes = -(-wait_seconds // 60)
        wait = f"{wait_seconds} seconds" if wait_seconds < 60 else f"{minutes} minute{'s' if minutes > 1 else ''}"
        super().__init__(f"There have been too many tries. Wait {wait} and try again.", wait_seconds)


class ServiceBusy(PortalError):
    """There is no room for it in this process just now, or the process is about to stop: 503."""


class DatabaseUnavailable(PortalError):
    """PostgreSQL does not answer; trying again soon may help: 503."""


class ConfigurationError(PortalError):
    """The environment sets the portal up wrongly; the text says what to set."""


class PostgresNotFound(PortalError):
    """No PostgreSQL server programs of version 15 or newer are installed here."""


class PostgresDidNotStart(PortalError):
    """The embedded PostgreSQL server did not come up; the text ends with the tail of its log."""
