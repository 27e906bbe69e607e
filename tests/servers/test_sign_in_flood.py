"""Test a flood of sign-in attempts from one address against gunicorn: its responses, and the delay of other users."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal.app import create_app
from portal.extensions import db
from tests.conftest import DatabaseMaker, settings_for
from tests.support.cast import PASSWORD, make_cast
from tests.support.factories import make_client
from tests.support.http_browser import HttpBrowser
from tests.support.processes import Programs
from tests.support.server import Portal
from tests.support.volume import IS_FULL, volume

OFFICE, ELSEWHERE = "198.51.100.7", "203.0.113.9"
PAGES = ("/clients", "/clients/1", "/clients/1/edit", "/sign-in")
MAX_PAGE_SECONDS = 1.0
MAX_SIGN_IN_SECONDS = 3.0
ROUNDS = volume(1, 6)
TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def database_url(make_database: DatabaseMaker, migrated_url: str) -> str:
    url = make_database(migrated_url)
    with create_app(settings_for(url)).app_context():
        make_cast()
        make_client()
        db.engine.dispose()
    return url


# Behind a proxy the flood has another address than the others, which is easier on them: only a full run tries it. That
# attempts are counted for the address of the header is shown in tests/auth/test_throttle.py and tests/test_proxies.py.
@pytest.fixture(params=["direct", "behind a proxy"] if IS_FULL else ["direct"])
def portal(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Portal]:
    """Start a portal without a trusted proxy, so that all requests have the address of the flood."""
    settings = {} if request.param == "direct" else {"PORTAL_TRUSTED_PROXIES": "127.0.0.1"}
    portal = Portal(database_url, tmp_path / "log", WEB_CONCURRENCY=str(volume(1, 2)), **settings)
    portal.start()
    yield portal
    portal.stop()


@contextmanager
def flood(portal: Portal, method: str, statuses: dict[str, int]) -> Iterator[None]:
    """Keep 30 requests in flight, 120 in a full run; `statuses` counts the responses afterwards."""
    command = (sys.executable, "-m", "tests.support.flood", str(portal.port), ELSEWHERE, method)
    with Programs() as programs:
        process = programs.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout
        assert process.stdout.readline() == "flooding\n"
        yield
        output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        statuses.update(json.loads(output))


def typical_and_slowest(person: HttpBrowser) -> tuple[float, float]:
    """Return the median and the longest time of many pages in seconds."""
    took = []
    for path in PAGES * ROUNDS:
        began = time.monotonic()
        status, _ = person.get(path)
        took.append(time.monotonic() - began)
        assert status in (200, 302), path
    return statistics.median(took), max(took)


def test_flood_from_one_address_is_told_to_wait_and_the_others_notice_little(portal: Portal) -> None:
    amelia, daniel = (HttpBrowser(portal.port, {"X-Forwarded-For": OFFICE}) for _ in range(2))
    for person, email in ((amelia, "amelia.hart@firm.example"), (daniel, "daniel.okafor@firm.example")):
        assert person.sign_in(email, PASSWORD)[0] == 302
    daniel.sign_out()
    as_usual = 0.0
    if IS_FULL:
        with flood(portal, "GET", {}):
            as_usual, _ = typical_and_slowest(amelia)  # the cost of requests without attempts on this machine

    statuses: dict[str, int] = {}
    with flood(portal, "POST", statuses):
        typical, slowest = typical_and_slowest(amelia)
        began = time.monotonic()
        assert daniel.sign_in("daniel.okafor@firm.example", PASSWORD)[0] == 302  # his browser is a trusted device
        signing_in = time.monotonic() - began

    if IS_FULL:  # seconds say little beside the other tests of `make test`
        assert typical < max(MAX_PAGE_SECONDS, 3 * as_usual)
        assert slowest < max(MAX_PAGE_SECONDS, 10 * as_usual)
        assert signing_in < max(MAX_SIGN_IN_SECONDS, 20 * as_usual)
    assert statuses["429"] > volume(0, 100)
    assert statuses.keys() <= {"401", "429", "503"}
    if sys.platform == "linux":  # the thread that hashes for unknown devices has a lower priority than the pages
        pages, *others = sorted({nice for worker in portal.workers() for nice in nicenesses(worker)})
        assert others == [pages + 10]


def nicenesses(worker: int) -> set[int]:
    """Return the nice value of each thread of the process, the 19th field of proc_pid_stat(5)."""
    stats = [thread.read_text() for thread in Path(f"/proc/{worker}/task").glob("*/stat")]
    return {int(stat.rpartition(")")[2].split()[16]) for stat in stats}
