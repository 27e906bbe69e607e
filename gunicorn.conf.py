"""How the portal is served, in the demo as in production; `gunicorn` reads this file where it is started.

Every figure that depends on the machine comes from the environment; see the configuration table in README.md.
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
GENERATION, STOPPING, FIRST_SLOT = range(3)  # places on the board
FILLING_SECONDS = 0.02
MAX_FILLING_ATTEMPTS = 100
CHECKED_SETTINGS = "PORTAL_CHECKED_SETTINGS"


class Board:
    """Memory that all processes of one gunicorn share: which workers take requests, and which are the newest.

    A worker's age is its number: gunicorn counts the workers that it starts.
    """

    def __init__(self) -> None:
        self._ages = memoryview(mmap.mmap(-1, 8 * BOARD_SLOTS)).cast("Q")

    def note_ready(self, age: int) -> None:
        self._ages[self._slot(age)] = age

    def note_generation(self, first_age: int) -> None:
        self._ages[GENERATION] = first_age

    def has_successors_to_come(self, age: int, workers: int) -> bool:
        """Whether a newer generation has been started, and some of its workers take no requests yet."""
        first = self._ages[GENERATION]
        return age < first and any(self._ages[self._slot(each)] != each for each in range(first, first + workers))

    def note_stopping(self) -> None:
        self._ages[STOPPING] = 1

    @property
    def is_stopping(self) -> bool:
        """Whether all workers stop, and not only this one."""
        return bool(self._ages[STOPPING])

    @staticmethod
    def _slot(age: int) -> int:
        return FIRST_SLOT + age % (BOARD_SLOTS - FIRST_SLOT)


class StreamingWorker(GeventWorker):
    """Serve with gevent, start to listen when ready, and stop without losing a request.

    gunicorn's own worker differs in four ways. It lets connections wait while the first workers start. It stops at
    SIGHUP before its successor can take requests. It resets connections that wait to be accepted when it stops. And it
    waits for event streams, which never end.
    """

    board: Board
    _told_to_stop: Event | None = None
    _leaving: gevent.Greenlet | None = None

    def run(self) -> None:
        self._told_to_stop = Event()
        servers = [self._server(listener) for listener in self.sockets]
        self.board.note_ready(self.age)
        while self.alive:
            self.notify()
            self._told_to_stop.wait(1)
        for server in servers:
            _stop_accepting(server, is_last=self.board.is_stopping)
        if self._leaving is not None:
            # Only now, so that browsers open their streams again at another worker.
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
        """Stop at SIGTERM, which gunicorn sends again and again after SIGHUP to the workers that are too many."""
        if self._told_to_stop is None:
            self.alive = False
        elif self._leaving is None:
            self._leaving = gevent.spawn(self._leave, self._told_to_stop)

    def _leave(self, told_to_stop: Event) -> None:
        deadline = time.monotonic() + HANDOVER_SECONDS
        while self.board.has_successors_to_come(self.age, self.cfg.workers) and time.monotonic() < deadline:
            gevent.sleep(0.05)
        self.alive = False
        told_to_stop.set()

    def _server(self, listener: gevent.socket.socket) -> StreamServer:
        if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            listener.listen(self.cfg.backlog)
        # gunicorn asks the listener for its name at each connection, also when it has been closed in the meantime.
        name = listener.getsockname()
        named = SimpleNamespace(getsockname=lambda: name)
        server = StreamServer(listener, handle=partial(self.handle, named), spawn=Pool(self.worker_connections))
        server.max_accept = 1  # the other workers want connections too
        server.start()
        return server


def _stop_accepting(server: StreamServer, *, is_last: bool) -> None:
    """Take the connections that wait, and close: what waits in a socket when its last process closes it is reset."""
    server.stop_accepting()
    _take_waiting(server)
    filler = _filler(server) if is_last and sys.platform == "linux" else None
    server.close()
    if filler is not None:
        filler.close()


def _filler(server: StreamServer) -> gevent.socket.socket | None:
    """Fill the queue of a TCP socket with a connection of our own, so that the kernel takes no other one.

    A queue of length 0 has room for one connection. With ours in it, others repeat their SYN after a second. By then
    the socket is closed, the connection is refused, and a proxy asks the next server. Without this, a connection that
    came between the last look and the close was reset in 2 of 8 restarts at 400 connections a second.
    """
    if server.socket.family == socket.AF_UNIX:
        return None
    server.socket.listen(0)
    for _ in range(MAX_FILLING_ATTEMPTS):
        with suppress(OSError):
            return gevent.socket.create_connection(server.socket.getsockname()[:2], timeout=FILLING_SECONDS)
        _take_waiting(server)  # somebody else had the place
    return None


def _take_waiting(server: StreamServer) -> None:
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

# A stream holds its connection for as long as its page is open; what is left over is for requests, and above that for
# the files of the process itself.
WANTED_STREAMS = settings["streams_per_worker"]
FILES_OF_REQUESTS, FILES_OF_PROCESS = 1000, 200
WANTED_FILES = WANTED_STREAMS + FILES_OF_REQUESTS + FILES_OF_PROCESS
HARD_LIMIT = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
OPEN_FILES = WANTED_FILES if HARD_LIMIT == resource.RLIM_INFINITY else min(WANTED_FILES, HARD_LIMIT)
worker_connections = max(OPEN_FILES - FILES_OF_PROCESS, 20)
if OPEN_FILES < WANTED_FILES:  # streams that took every file would leave none for requests
    os.environ["PORTAL_STREAMS_PER_WORKER"] = str(min(WANTED_STREAMS, worker_connections // 2))

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

# The portal decides whose X-Forwarded-* headers count (PORTAL_TRUSTED_PROXIES, portal/web/proxies.py), not gunicorn.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
control_socket_disable = True
loglevel = settings["log_level"]


def on_starting(server: Arbiter) -> None:
    """Make room for files, the board and metrics."""
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
    """Note at SIGTERM that all workers stop."""
    server.handle_term = partial(_stop_all, server)


def _stop_all(server: Arbiter) -> None:
    """Note, before gunicorn tells the workers to stop, that all of them will; then stop as gunicorn does at SIGTERM."""
    server.board.note_stopping()
    Arbiter.handle_term(server)


def on_reload(server: Arbiter) -> None:
    """Let the old workers know, before they are told to stop, whom they wait for."""
    server.board.note_generation(server.worker_age + 1)


def post_fork(server: Arbiter, worker: Worker) -> None:
    worker.board = server.board


def post_worker_init(worker: Worker) -> None:
    """Let queries wait without stopping the worker's other requests, and not for ever; collect garbage less often.

    What the worker has when it starts stays, and little that a request leaves behind is in a circle: 4 % of a beat, and
    no pauses that grow with the application.
    """
    # Not above: what is imported before the fork would miss gevent's patches.
    from portal.driver.gevent_wait import let_gevent_wait  # noqa: PLC0415

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
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))
    if OPEN_FILES < WANTED_FILES:
        server.log.warning(
            "A process may open %d files here, and %d streams a worker need %d: a worker takes %s streams. Raise the "
            "limit (LimitNOFILE, ulimit -Hn) or lower PORTAL_STREAMS_PER_WORKER.",
            HARD_LIMIT,
            WANTED_STREAMS,
            WANTED_FILES,
            os.environ["PORTAL_STREAMS_PER_WORKER"],
        )
