"""How a server starts and loads new code: no request waits for a worker that is not ready."""

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.extensions import db
from tests.operations.conftest import MakeCrowd, Say
from tests.operations.crowd import Gate
from tests.support.processes import default_signals
from tests.support.server import Portal
from tests.support.until import wait_until

pytestmark = pytest.mark.operations

VIEWERS = 60
RELOADS = 3
MAX_WAIT_SECONDS = 1.0
STOPS = 3
CALLERS = 20
REFUSED = 0
KINDS = ("heartbeat", "save", "page", "file")


@pytest.fixture
def portal(database_url: str, tmp_path: Path) -> Iterator[Portal]:
    portal = Portal(database_url, tmp_path / "log")
    yield portal
    portal.stop()


def test_no_request_fails_or_waits_for_a_second_while_new_code_is_loaded(
    portal: Portal, make_crowd: MakeCrowd, say: Say
) -> None:
    """A worker that is not ready would hold calls up for 3 to 9 s in every reload.

    Other work on the machine slows calls too, so the limit is in addition to the longest wait without a reload.
    """
    portal.start()
    crowd, clients = make_crowd(Gate(portal.port, "127.0.0.1"), VIEWERS)
    longest: list[dict[str, float]] = []
    usual: dict[str, float] = {}

    async def reload() -> None:
        await crowd.calls_answered(200)
        usual.update({what: round(crowd.longest(what), 2) for what in KINDS})
        for _ in range(RELOADS):
            first = len(crowd.calls)
            old = portal.workers()
            await crowd.calls_answered(50)
            portal.tell(signal.SIGHUP)
            async with asyncio.timeout(60):
                while any(os.path.exists(f"/proc/{pid}") for pid in old):
                    await asyncio.sleep(0.05)
            await crowd.calls_answered(50)
            longest.append({what: round(crowd.longest(what, first), 2) for what in KINDS})

    asyncio.run(crowd.during(reload, clients))

    assert crowd.failures() == {}
    say(f"longest waits in {len(crowd.calls)} calls, in seconds: without a reload {usual}, during reloads {longest}")
    for what in KINDS:
        assert min(waits[what] for waits in longest) < MAX_WAIT_SECONDS + usual[what], what
    versions = dict(db.session.execute(text("SELECT id, version FROM clients ORDER BY id")).all())
    assert {client: versions[client] - 1 for client in clients} == dict(crowd.saved)


def test_server_that_starts_refuses_connections_until_it_can_answer(portal: Portal) -> None:
    """So that a proxy asks the next server at once. gunicorn itself lets them wait for the first worker."""
    statuses = []
    with default_signals(), ThreadPoolExecutor(1) as other_thread:  # only the main thread can set signals
        starting = other_thread.submit(portal.start)
        while not starting.done():
            statuses.append(status_of(portal.port, "/healthz"))
        starting.result()

    assert statuses[0] == 0
    assert set(statuses) == {0, 200}


def test_server_that_stops_answers_or_refuses_every_connection_and_resets_none(portal: Portal) -> None:
    for _ in range(STOPS):
        portal.start()
        outcomes = outcomes_of_a_stop(portal)
        assert set(outcomes) <= {200, REFUSED}, outcomes


def outcomes_of_a_stop(portal: Portal) -> Counter[int | str]:
    callers = [Caller(portal.port) for _ in range(CALLERS)]
    wait_until(lambda: all(caller.statuses for caller in callers), "nobody was answered")
    portal.tell(signal.SIGTERM)
    portal.wait_until_gone()
    for caller in callers:
        caller.stop()
    return Counter(status for caller in callers for status in caller.statuses)


class Caller:
    """Asks again and again, on a connection of its own each time; notes each status, or the kind of failure."""

    def __init__(self, port: int) -> None:
        self.statuses: list[int | str] = []
        self._port = port
        self._is_told_to_stop = threading.Event()
        self._thread = threading.Thread(target=self._call_on_and_on, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._is_told_to_stop.set()
        self._thread.join(20)

    def _call_on_and_on(self) -> None:
        while not self._is_told_to_stop.is_set():
            self.statuses.append(self._call())

    def _call(self) -> int | str:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.connect()
        except OSError:
            return REFUSED
        try:
            connection.request("GET", "/healthz", headers={"Connection": "close"})
            return connection.getresponse().status
        except (OSError, HTTPException) as error:
            return repr(error)
        finally:
            connection.close()


def status_of(port: int, path: str) -> int:
    """0 where the connection is refused."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except ConnectionRefusedError:
        return 0
    finally:
        connection.close()
