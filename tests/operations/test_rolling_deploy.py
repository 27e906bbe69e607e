"""Two servers behind nginx and 2,000 people with a page open: a rolling deploy, and a server that is killed."""

import asyncio
import resource
import shutil
import signal
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.config import PROJECT_ROOT
from portal.extensions import db
from tests.operations.conftest import MakeCrowd, Say
from tests.operations.crowd import Gate
from tests.support.nginx import NAME, Nginx
from tests.support.processes import default_signals
from tests.support.server import Portal

pytestmark = pytest.mark.operations

VIEWERS = 2_000
BACK_WITHIN_SECONDS = 15
OPEN_FILES = 8_192
CODE = ("portal", "templates", "static", "migrations", "wsgi.py", "gunicorn.conf.py")


@pytest.fixture(autouse=True)
def _open_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < OPEN_FILES:
        pytest.skip(f"a process may open {hard} files here, {OPEN_FILES} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def portals(database_url: str, tmp_path: Path) -> Iterator[list[Portal]]:
    (tmp_path / "north").mkdir()
    (tmp_path / "south").mkdir()
    portals = [
        Portal(
            database_url,
            tmp_path / name / "log",
            PORTAL_ALLOWED_HOSTS=NAME,
            PORTAL_TRUSTED_PROXIES="127.0.0.1",
            PORTAL_INSTANCE=str(tmp_path / name),
        )
        for name in ("north", "south")
    ]
    for portal in portals:
        portal.start()
    yield portals
    for portal in portals:
        portal.stop()


@pytest.fixture
def next_release(tmp_path: Path) -> Path:
    """The same code with another style sheet, so that its static files have another address."""
    folder = tmp_path / "next"
    folder.mkdir()
    for name in CODE:
        copy = shutil.copytree if (PROJECT_ROOT / name).is_dir() else shutil.copy
        copy(PROJECT_ROOT / name, folder / name)
    with (folder / "static" / "css" / "base.css").open("a") as style_sheet:
        style_sheet.write("\n.next-release { color: inherit }\n")
    return folder


def test_no_heartbeat_save_or_page_fails_in_a_rolling_deploy_and_every_stream_comes_back(
    portals: list[Portal], next_release: Path, tmp_path: Path, make_crowd: MakeCrowd, say: Say
) -> None:
    (tmp_path / "nginx").mkdir()
    with Nginx(tmp_path / "nginx", [portal.port for portal in portals]) as nginx:
        crowd, clients = make_crowd(Gate(nginx.https_port, NAME, nginx.trust()), VIEWERS)

        async def deploy() -> None:
            await crowd.calls_answered(100)
            for portal in portals:
                portal.tell(signal.SIGTERM)
                await asyncio.to_thread(portal.wait_until_gone)
                portal.folder = next_release
                await asyncio.to_thread(portal.start)
                await crowd.calls_answered(100)

        with default_signals():  # only the main thread can set signals, and another one starts the portals
            asyncio.run(crowd.during(deploy, clients))

        outages = [seconds for viewer in crowd.viewers for seconds in viewer.outages]
        say(
            f"rolling deploy: {len(crowd.calls)} calls, {sum(crowd.failures().values())} failed, longest heartbeat "
            f"{crowd.longest('heartbeat'):.2f} s; {len(outages)} streams came back, after "
            f"{statistics.median(outages):.2f} s in the median and {max(outages):.2f} s at most"
        )
        assert crowd.failures() == {}
    assert len(outages) >= VIEWERS
    versions = dict(db.session.execute(text("SELECT id, version FROM clients ORDER BY id")).all())
    assert {client: versions[client] - 1 for client in clients} == dict(crowd.saved)
    for portal in portals:
        assert "Traceback" not in portal.log.read_text()


def test_every_browser_is_back_within_15_seconds_after_a_server_was_killed(
    portals: list[Portal], tmp_path: Path, make_crowd: MakeCrowd, say: Say
) -> None:
    """On a busy machine they may take as long as opening all streams took: half of them, and pauses that grow."""
    (tmp_path / "nginx").mkdir()
    with Nginx(tmp_path / "nginx", [portal.port for portal in portals]) as nginx:
        crowd, clients = make_crowd(Gate(nginx.https_port, NAME, nginx.trust()), VIEWERS)

        async def kill() -> None:
            await crowd.calls_answered(50)
            await asyncio.to_thread(portals[0].kill)
            while all(viewer.is_live for viewer in crowd.viewers):
                await asyncio.sleep(0.01)

        asyncio.run(crowd.during(kill, clients))

        outages = [seconds for viewer in crowd.viewers for seconds in viewer.outages]
        say(
            f"server killed: {len(outages)} streams came back, the last after {max(outages):.2f} s; "
            f"opening {VIEWERS} took {crowd.opening_seconds:.2f} s"
        )
        assert len(outages) > VIEWERS // 4
        assert max(outages) < max(BACK_WITHIN_SECONDS, crowd.opening_seconds)
