"""Define the portal's exceptions. portal/web/error_handlers.py turns them into responses.

Every package may import this module, so it imports neither Flask nor other parts of the portal.
"""

from collections.abc import Mapping
from types import MappingProxyType


class PortalError(Exception):
    """An expected error. Its message is written for the user.

    `typed` maps labels to the input that was not saved. The error page shows it, so that the user can copy it.
    """

    typed: Mapping[str, str] = MappingProxyType({})


class NotSignedIn(PortalError):
    """The request has no active sign-in session: 401."""


class NotAllowed(PortalError):
    """The profile may see the object but may not perform the action: 403."""


class NotFound(PortalError):
    """The object does not exist, or the profile may not see it. Both look the same: 404."""


class InvalidInput(PortalError):
    """A value is missing, of the wrong type or out of range: 422. `field` names it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class StaleVersion(PortalError):
    """The record has changed since the base version of the change: 409."""


class TooSoon(PortalError):
    """The action was repeated too soon: 429. `wait_seconds` is the time until it is allowed again."""

    def __init__(self, text: str, wait_seconds: int) -> None:
        super().__init__(text)
        self.wait_seconds = wait_seconds


class TooManyAttempts(TooSoon):
    """Too many wrong passwords or codes: 429. `wait_seconds` is the time until the next one is checked."""

    def __init__(self, wait_seconds: int) -> None:
        minutes = -(-wait_seconds // 60)
        wait = f"{wait_seconds} seconds" if wait_seconds < 60 else f"{minutes} minute{'s' if minutes > 1 else ''}"
        super().__init__(f"Too many attempts. Wait {wait} and try again.", wait_seconds)


class ServiceBusy(PortalError):
    """This process has no capacity left, or is about to stop: 503."""


class DatabaseUnavailable(PortalError):
    """PostgreSQL does not respond: 503. A later attempt may succeed."""


class ConfigurationError(PortalError):
    """The configuration is invalid. The message says which setting to change."""


class PostgresNotFound(PortalError):
    """No PostgreSQL server programs of version 15 or newer are installed."""


class PostgresDidNotStart(PortalError):
    """The embedded PostgreSQL server did not start. The message ends with the last lines of its log."""
