"""Under which names the portal answers: the Host header's allow-list, PORTAL_ALLOWED_HOSTS. Called by `create_app`.

A page built on a name that a stranger chose could be cached or followed elsewhere, and a name that the stranger's DNS
points here would make the portal's pages same-origin with the stranger's (DNS rebinding).
"""

from functools import lru_cache

from flask import Flask, request
from werkzeug.exceptions import BadRequest

from portal.config import Settings

# Load balancers and Prometheus ask by address: they learn nothing of anybody, or bring a token that no page has.
ENDPOINTS_SERVED_BY_ADDRESS = {"health.healthz", "health.readyz", "health.show_metrics"}


class Hosts:
    """The names, as settings have them; the express lane asks too."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset(names)
        self.is_served = lru_cache(maxsize=256)(self._is_served)

    def _is_served(self, host: str) -> bool:
        """Whether the Host header names the portal, whatever the port."""
        name, colon, port = host.rpartition(":")
        if not colon or port.endswith("]"):
            name, port = host, ""
        return name.lower() in self._names and (not port or (port.isascii() and port.isdigit()))


def init_hosts(app: Flask, settings: Settings) -> None:
    hosts = app.extensions["hosts"] = Hosts(settings.allowed_hosts)

    @app.before_request
    def refuse_other_hosts() -> None:
        if (
            not hosts.is_served(request.environ.get("HTTP_HOST", ""))
            and request.endpoint not in ENDPOINTS_SERVED_BY_ADDRESS
        ):
            raise BadRequest("not served under this name")
