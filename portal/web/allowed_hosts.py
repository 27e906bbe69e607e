"""Reject requests whose Host header is not in PORTAL_ALLOWED_HOSTS.

A page built with a host name chosen by an attacker could be cached. A name that the attacker's DNS resolves to the
portal would make its pages same-origin with the attacker's (DNS rebinding).
"""

from functools import lru_cache

from flask import Flask, request
from werkzeug.exceptions import BadRequest

from portal.config import Settings

# Load balancers and Prometheus request these by address. They return no client data, or require a token.
ENDPOINTS_SERVED_BY_ADDRESS = {"health.healthz", "health.readyz", "health.show_metrics"}


class Hosts:
    """The allowed host names. presence/fast_path.py checks them too."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset(names)
        self.is_served = lru_cache(maxsize=256)(self._is_served)

    def _is_served(self, host: str) -> bool:
        """Return whether the Host header contains an allowed name, with any port."""
        name, colon, port = host.rpartition(":")
        if not colon or port.endswith("]"):
            name, port = host, ""
        return name.lower() in self._names and (not port or (port.isascii() and port.isdigit()))


def init_hosts(app: Flask, settings: Settings) -> None:
    hosts = app.extensions["hosts"] = Hosts(settings.allowed_hosts)

    @app.before_request
    def reject_other_hosts() -> None:
        if (
            not hosts.is_served(request.environ.get("HTTP_HOST", ""))
            and request.endpoint not in ENDPOINTS_SERVED_BY_ADDRESS
        ):
            raise BadRequest("not served under this name")
