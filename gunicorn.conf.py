"""How the portal is served, in the demo as in production; `gunicorn` reads this file where it is started.

Every figure that depends on the machine comes from the environment; see the configuration table in README.md.
"""

import os
import subprocess
import sys

from gunicorn.workers.base import Worker
from psycogreen.gevent import patch_psycopg

wsgi_app = "wsgi:app"
bind = os.environ.get("PORTAL_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
worker_class = "gevent"
worker_connections = 2000

# Connections, threads and the LISTEN of a worker belong to it alone: nothing of the app exists before the fork.
preload_app = False

# A browser's next beat is 30 s away; holding its connection that long would only fill the worker.
keepalive = 2
timeout = 30
graceful_timeout = 10

# The portal's longest honest request line is a bulk read of 100 pages, some 2 KB.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# Whose X-Forwarded-* headers count is the portal's to say (PORTAL_TRUSTED_PROXIES, portal/proxies.py), not gunicorn's
# too.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
control_socket_disable = True
loglevel = (os.environ.get("PORTAL_LOG_LEVEL") or "info").lower()

CHECK_SETTINGS = """
import sys
from portal.config import settings_from_environ
from portal.errors import ConfigurationError
try:
    settings_from_environ()
except ConfigurationError as error:
    sys.exit(str(error))
"""


def on_starting(server: object) -> None:
    """Refuse wrong settings once and in words, before each worker fails over them.

    In a process of its own: what is imported before the fork would miss gevent's patches.
    """
    check = subprocess.run([sys.executable, "-c", CHECK_SETTINGS], check=False)
    if check.returncode != 0:
        sys.exit(check.returncode)


def post_fork(server: object, worker: Worker) -> None:
    """Let a query of one request wait without stopping the worker's other requests."""
    patch_psycopg()
