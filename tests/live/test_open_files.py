"""Limit the streams of a process to its open files, and keep files free for requests."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.cast import Cast
from tests.support.network_client import NetworkAnswer, network_client_app, network_client_of
from tests.support.server import Portal

FILES = 256
ROOM = (FILES - 200) // 2
STREAMS_OF_ONE = 10


@pytest.fixture
def portal(database_url: str, tmp_path: Path) -> Iterator[Portal]:
    if shutil.which("prlimit") is None:
        pytest.skip("takes prlimit")
    portal = Portal(database_url, tmp_path / "log", inside=("prlimit", f"--nofile={FILES}"), WEB_CONCURRENCY="1")
    portal.start()
    yield portal
    portal.stop()


def test_requests_are_answered_when_the_streams_are_at_their_limit(
    portal: Portal, cast: Cast, database_url: str, page_identifier: str
) -> None:
    network_app = network_client_app(database_url)
    desks = [network_client_of(network_app, person) for person in (cast.amelia, cast.daniel, cast.rhys, cast.ada)]
    with ExitStack() as streams:
        answers = []
        for network_client in desks:
            for tab in range(STREAMS_OF_ONE):
                path = f"/user_page_presence/{page_identifier}/events?tab_id=tab-{tab}"
                answers.append(NetworkAnswer(portal.port, path, network_client.cookie))
                streams.callback(answers[-1].close)
        assert [answer.status for answer in answers] == [200] * ROOM + [503] * (len(answers) - ROOM)

        for _ in range(ROOM):
            assert desks[0].beat(portal, page_identifier) == ["Amelia"]
        connection = HTTPConnection("127.0.0.1", portal.port, timeout=10)
        connection.request(
            "GET", f"/clients/{page_identifier.removeprefix('client-')}", headers={"Cookie": desks[0].cookie}
        )
        assert connection.getresponse().status == 200
        connection.close()
    assert "Too many open files" not in portal.log.read_text()
    assert f"Each worker accepts {ROOM} streams" in portal.log.read_text()
