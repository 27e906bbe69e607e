"""Configuration of gunicorn, for the demo and for production. gunicorn reads it from its working directory.

All values that depend on the machine come from the environment; README.md lists the settings.
"""

import gc
import json
import mmap
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import gevent
import gevent.socket
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.arbiter import Arbiter
from gunicorn.sock import BaseSocket
from gunicorn.workers.base import Worker
from gunicorn.workers.ggevent import GeventWorker

HANDOVER_SECONDS = 60
BOARD_SLOTS = 1024
GENERATION, STOPPING, FIRST_SLOT = range(3)  # indices in the board
FILLING_SECONDS = 0.02
MAX_FILLING_ATTEMPTS = 100
CHECKED_SETTINGS = "PORTAL_CHECKED_SETTINGS"


class Board:
    """Memory that all processes of one server share: which workers accept requests, and which are the newest.

    The age of a worker is its number: gunicorn counts the workers that it starts.
    """

    def __init__(self) -> None:
        self._ages = memoryview(mmap.mmap(-1, 8 * BOARD_SLOTS)).cast("Q")

    def note_ready(self, age: int) -> None:
        self._ages[self._slot(age)] = age

    def note_generation(self, first_age: int) -> None:
        self._ages[GENERATION] = first_age

    def is_waiting_for_successors(self, age: int, workers: int) -> bool:
        """Return whether a newer generation has been started whose workers do not all accept requests yet."""
        first = self._ages[GENERATION]
        return age < first and any(self._ages[self._slot(each)] != each for each in range(first, first + workers))

    def note_stopping(self) -> None:
        self._ages[STOPPING] = 1

    @property
    def is_stopping(self) -> bool:
        """Return whether the whole server stops, and not only this worker."""
        return bool(self._ages[STOPPING])

    @staticmethod
    def _slot(age: int) -> int:
        return FIRST_SLOT + age % (BOARD_SLOTS - FIRST_SLOT)


class StreamingWorker(GeventWorker):
    """Serve with gevent, listen when ready, and stop without losing a request.

    gunicorn's own worker differs in four ways. Connections wait while the first workers start. At SIGHUP it stops
    before its successor accepts requests. When it stops, it resets connections that have not been accepted. And it
    waits for event streams, which never end.
    """

    board: Board
    _stop_requested: Event | None = None
    _leaving: gevent.Greenlet | None = None

    def run(self) -> None:
        self._stop_requested = Event()
        servers = [self._server(listener) for listener in self.sockets]
        self.board.note_ready(self.age)
        while self.alive:
            self.notify()
            self._stop_requested.wait(1)
        for server in servers:
            _stop_accepting(server, is_last=self.board.is_stopping)
        if self._leaving is not None:
            # Only now, so that browsers reopen their streams at another worker.
            self.wsgi.extensions["portal.live"].stop()
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while (is_busy := any(len(server.pool) for server in servers)) and time.monotonic() < deadline:
            self.notify()
            gevent.sleep(0.1)
        if is_busy:
            self.log.warning("Worker graceful timeout (pid:%s)", self.pid)
            for server in servers:
                server.stop(timeout=1)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Stop at SIGTERM, which gunicorn sends repeatedly to surplus workers after SIGHUP."""
        if self._stop_requested is None:
            self.alive = False
        elif self._leaving is None:
            self._leaving = gevent.spawn(self._leave, self._stop_requested)

    def _leave(self, stop_requested: Event) -> None:
        deadline = time.monotonic() + HANDOVER_SECONDS
        while self.board.is_waiting_for_successors(self.age, self.cfg.workers) and time.monotonic() < deadline:
            gevent.sleep(0.05)
        self.alive = False
        stop_requested.set()

    def _server(self, listener: gevent.socket.socket) -> StreamServer:
        if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            listener.listen(self.cfg.backlog)
        # gunicorn reads the listener's name for each connection, even after the listener was closed.
        name = listener.getsockname()
        named = SimpleNamespace(getsockname=lambda: name)
        server = StreamServer(listener, handle=partial(self.handle, named), spawn=Pool(self.worker_connections))
        server.max_accept = 1  # leave connections to the other workers
        server.start()
        return server


def _stop_accepting(server: StreamServer, *, is_last: bool) -> None:
    """Accept the connections in the queue, then close: the kernel resets those that remain in a closed queue."""
    server.stop_accepting()
    _accept_queued(server)
    filler = _filler(server) if is_last and sys.platform == "linux" else None
    server.close()
    if filler is not None:
        filler.close()


def _filler(server: StreamServer) -> gevent.socket.socket | None:
    """Fill the queue of a TCP socket with a connection of our own, so that the kernel accepts no other one.

    A queue of length 0 holds one connection. While ours is in it, other clients repeat their SYN after a second. By
    then the socket is closed, the connection is refused, and a proxy asks the next server. Without this, a connection
    that arrived between the last accept and the close was reset in 2 of 8 restarts at 400 connections a second.
    """
    if server.socket.family == socket.AF_UNIX:
        return None
    server.socket.listen(0)
    for _ in range(MAX_FILLING_ATTEMPTS):
        with suppress(OSError):
            return gevent.socket.create_connection(server.socket.getsockname()[:2], timeout=FILLING_SECONDS)
        _accept_queued(server)  # another client's connection was in the queue
    return None


def _accept_queued(server: StreamServer) -> None:
    while (connection := server.do_read()) is not None:
        server.do_handle(*connection)


def checked_settings() -> str:
    """Return the settings of the server where plain `gunicorn` was started. Exit if the portal refuses them.

    A process of its own reads them: modules that are imported before the fork would miss gevent's patches.
    """
    program = "from portal.serve import checked_settings; print(checked_settings())"
    check = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    if check.returncode != 0:
        sys.exit(check.returncode)
    return check.stdout


wsgi_app = "wsgi:app"
if CHECKED_SETTINGS not in os.environ:  # `python -m portal.serve` sets it; gunicorn reads this file again at SIGHUP
    os.environ[CHECKED_SETTINGS] = checked_settings()
settings = json.loads(os.environ[CHECKED_SETTINGS])
bind = settings["bind"]
workers = settings["workers"]
worker_class = StreamingWorker

# A stream occupies its connection for as long as its page is open. Requests and the process's own files need more.
WANTED_STREAMS = settings["streams_per_worker"]
FILES_OF_REQUESTS, FILES_OF_PROCESS = 1000, 200
WANTED_FILES = WANTED_STREAMS + FILES_OF_REQUESTS + FILES_OF_PROCESS
HARD_LIMIT = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
OPEN_FILES = WANTED_FILES if HARD_LIMIT == resource.RLIM_INFINITY else min(WANTED_FILES, HARD_LIMIT)
worker_connections = max(OPEN_FILES - FILES_OF_PROCESS, 20)
if OPEN_FILES < WANTED_FILES:  # streams must leave open files for requests
    os.environ["PORTAL_STREAMS_PER_WORKER"] = str(min(WANTED_STREAMS, worker_connections // 2))

# Connections, threads and LISTEN belong to one worker, so the application must not exist before the fork.
preload_app = False

# A browser's next heartbeat follows after 30 s. Idle connections would occupy the worker until then.
keepalive = 2
timeout = 30
graceful_timeout = 10

# The portal's longest valid request line is a bulk read of 100 pages, some 2 KB.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# The portal evaluates X-Forwarded-* headers (PORTAL_TRUSTED_PROXIES, portal/web/proxies.py), not gunicorn.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
control_socket_disable = True
loglevel = settings["log_level"]


def on_starting(server: Arbiter) -> None:
    """Raise the limit of open files, and create the board and the folder of the metrics."""
    _allow_open_files(server)
    _leave_listening_to_workers()
    server.board = Board()  # not the module's: gunicorn reads this file again at SIGHUP
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="portal-metrics-")


def _leave_listening_to_workers() -> None:
    """Let gunicorn bind its sockets only. The kernel refuses connections until the first worker is ready and listens.

    A proxy then asks the next server at once. gunicorn asks this method whether it still has to call `listen`.
    """
    BaseSocket._is_listening = staticmethod(lambda _: True)


def when_ready(server: Arbiter) -> None:
    """Record at SIGTERM that all workers stop."""
    server.handle_term = partial(_stop_all, server)


def _stop_all(server: Arbiter) -> None:
    """Record that all workers stop, before gunicorn stops them as usual."""
    server.board.note_stopping()
    Arbiter.handle_term(server)


def on_reload(server: Arbiter) -> None:
    """Record which workers the old ones wait for, before gunicorn stops those."""
    server.board.note_generation(server.worker_age + 1)


def post_fork(server: Arbiter, worker: Worker) -> None:
    """Collect no garbage while the application is imported: nearly all that it creates stays."""
    worker.board = server.board
    gc.disable()


def post_worker_init(worker: Worker) -> None:
    """Let queries wait under gevent, and collect garbage again, but less often."""
    # A module that is imported before the fork would miss gevent's patches.
    from portal.driver.garbage import collect_garbage_less_often  # noqa: PLC0415
    from portal.driver.gevent_wait import let_gevent_wait  # noqa: PLC0415

    let_gevent_wait()
    collect_garbage_less_often()
    gc.enable()


def child_exit(server: Arbiter, worker: Worker) -> None:
    """Remove the gauges of a worker that has ended. Its counters stay.

    This does the same as mark_process_dead of prometheus_client. Importing that here would bypass gevent's patches in
    the next worker.
    """
    for gauge in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob(f"gauge_live*_{worker.pid}.db"):
        gauge.unlink(missing_ok=True)


def on_exit(server: Arbiter) -> None:
    """Remove the folder of the metrics in the master. A TemporaryDirectory would vanish with the first worker."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def _allow_open_files(server: Arbiter) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))
    if OPEN_FILES < WANTED_FILES:
        server.log.warning(
            "A process may open %d files, but %d streams need %d. Each worker accepts %s streams. Raise the limit "
            "(LimitNOFILE, ulimit -Hn) or lower PORTAL_STREAMS_PER_WORKER.",
            HARD_LIMIT,
            WANTED_STREAMS,
            WANTED_FILES,
            os.environ["PORTAL_STREAMS_PER_WORKER"],
        )
