"""How the portal is served, in the demo as in production; `gunicorn` reads this file where it is started.

Every figure that depends on the machine comes from the environment; see the configuration table in README.md.
"""

import gc
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import gevent
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from gunicorn.workers.ggevent import GeventWorker


class StreamingWorker(GeventWorker):
    """gunicorn's gevent worker, which told to stop (SIGTERM, and SIGHUP for the old ones) waits for requests to end.

    A stream never would: so they are ended first, and browsers go to the next worker.
    """

    def handle_exit(self, sig: int, frame: object) -> None:
        super().handle_exit(sig, frame)
        if self.booted:
            gevent.spawn(self.wsgi.extensions["portal.live"].stop)


wsgi_app = "wsgi:app"
bind = os.environ.get("PORTAL_BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
_workers = os.environ.get("WEB_CONCURRENCY") or ""  # what is no number is refused in words, below
workers = int(_workers) if _workers.isdecimal() else 2
worker_class = StreamingWorker

# A stream holds its connection for as long as its page is open; what is left over is for requests, and above that for
# the files of the process itself.
_streams = os.environ.get("PORTAL_STREAMS_PER_WORKER") or ""
worker_connections = (int(_streams) if _streams.isdecimal() else 5000) + 1000
OPEN_FILES = worker_connections + 200

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


def on_starting(server: Arbiter) -> None:
    """Refuse wrong settings once and in words, before each worker fails over them; make room for files and metrics.

    The check runs in a process of its own: what is imported before the fork would miss gevent's patches.
    """
    check = subprocess.run([sys.executable, "-c", CHECK_SETTINGS], check=False)
    if check.returncode != 0:
        sys.exit(check.returncode)
    _allow_open_files(server)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="portal-metrics-")


def post_worker_init(worker: Worker) -> None:
    """Let queries wait without stopping the worker's other requests, and not for ever; collect garbage less often.

    What the worker has when it starts stays, and little that a request leaves behind is in a circle: 4 % of a beat, and
    no pauses that grow with the application.
    """
    # Not above: what is imported before the fork would miss gevent's patches.
    from portal.database_waits import let_gevent_wait  # noqa: PLC0415

    let_gevent_wait()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def child_exit(server: Arbiter, worker: Worker) -> None:
    """What a worker had open is no longer: its counts stay, its gauges go.

    As prometheus_client's mark_process_dead, which imported here would miss gevent's patches in the next worker.
    """
    for gauge in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob(f"gauge_live*_{worker.pid}.db"):
        gauge.unlink(missing_ok=True)


def on_exit(server: Arbiter) -> None:
    """In the master alone: a TemporaryDirectory would go with the first worker that ends."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def _allow_open_files(server: Arbiter) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < OPEN_FILES:
        server.log.warning(
            "A process may open %d files here, %d streams a worker need %d: raise the limit (LimitNOFILE, ulimit -Hn) "
            "or lower PORTAL_STREAMS_PER_WORKER.",
            hard,
            worker_connections - 1000,
            OPEN_FILES,
        )
