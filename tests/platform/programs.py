"""What the tests of programs that serve have in common: a port and an environment of their own."""

import os
import socket


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_without_settings() -> dict[str, str]:
    """The environment, but for what would set the portal or gunicorn up."""
    settings = ("PORTAL_", "DATABASE_URL", "PORT", "WEB_CONCURRENCY", "GUNICORN_")
    return {name: value for name, value in os.environ.items() if not name.startswith(settings)}
