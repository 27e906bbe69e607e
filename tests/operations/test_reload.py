"""How a server starts and loads new code: no request waits for a worker that is not ready."""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.extensions import db
from tests.operations.conftest import MakeCrowd, Say
from tests.operations.crowd import Gate
from tests.platform.portal import Portal

pytestmark = pytest.mark.operations

VIEWERS = 60
RELOADS = 3
LONGEST_WAIT_SECONDS = 1.0
KINDS = ("heartbeat", "save", "page", "file")


@pytest.fixture
def portal(database_url: str, tmp_path: Path) -> Iterator[Portal]:
    portal = Portal(database_url, tmp_path / "log")
    yield portal
    portal.stop()


def test_no_request_fails_or_waits_for_a_second_while_new_code_is_loaded(
    portal: Portal, make_crowd: MakeCrowd, say: Say
) -> None:
    """Whatever else the machine does slows some of the reloads. A worker that is not ready would slow them all."""
    portal.start()
    crowd, clients = make_crowd(Gate(portal.port, "127.0.0.1"), VIEWERS)
    longest: list[dict[str, float]] = []

    async def reload() -> None:
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
    say(f"longest waits during {RELOADS} reloads and {len(crowd.calls)} calls, in seconds: {longest}")
    for what in KINDS:
        assert min(waits[what] for waits in longest) < LONGEST_WAIT_SECONDS, what
    versions = dict(db.session.execute(text("SELECT id, version FROM clients ORDER BY id")).all())
    assert {client: versions[client] - 1 for client in clients} == dict(crowd.saved)


def test_a_server_that_starts_refuses_connections_until_it_can_answer(portal: Portal) -> None:
    """So that a proxy asks the next server at once. gunicorn itself lets them wait for the first worker."""
    statuses = []
    with ThreadPoolExecutor(1) as other_thread:
        starting = other_thread.submit(portal.start)
        while not starting.done():
            statuses.append(status_of(portal.port, "/healthz"))
        starting.result()

    assert statuses[0] == 0
    assert set(statuses) == {0, 200}


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
