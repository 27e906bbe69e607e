"""Remove the tab of a browser that becomes unreachable, within half a minute.

The half minute is a sum of settings that tests/live/test_connection.py checks. Without detection the row stays for two
minutes. Server and browser each have their own network with one link between them, so that the test can cut it. This
needs root and the command `ip` of Linux.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.conftest import Listen
from tests.support.cast import Cast
from tests.support.network_client import network_client_app, network_client_of
from tests.support.processes import Programs, environment_without_settings
from tests.support.server import SECRET_KEY
from tests.support.test_client import Visitor

SERVER, BROWSER = f"kp-server-{os.getpid()}", f"kp-browser-{os.getpid()}"
ADDRESS = "10.231.77.1"
PORT = 8000
# Reads its stream as a browser would, until it is killed.
BROWSE = f"""
import socket, sys
stream = socket.create_connection(("{ADDRESS}", {PORT}), timeout=60)
stream.sendall(sys.argv[1].encode())
while said := stream.recv(65536):
    print(said.decode(), flush=True)
"""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def inside(network: str, *command: str) -> list[str]:
    return ["ip", "netns", "exec", network, *command]


@pytest.fixture
def link() -> Iterator[str]:
    """The browser's end of the link."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("takes root and `ip`")
    try:
        ip("netns", "add", SERVER)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"networks cannot be made here: {error.stderr.decode()}")
    ip("netns", "add", BROWSER)
    ip("link", "add", "kp0", "netns", SERVER, "type", "veth", "peer", "name", "kp1", "netns", BROWSER)
    for network, end, address in ((SERVER, "kp0", ADDRESS), (BROWSER, "kp1", "10.231.77.2")):
        ip("-n", network, "addr", "add", f"{address}/24", "dev", end)
        ip("-n", network, "link", "set", end, "up")
    yield "kp1"
    ip("netns", "delete", SERVER)
    ip("netns", "delete", BROWSER)


@pytest.fixture
def server(link: str, programs: Programs, database_url: str, tmp_path: Path) -> Iterator[None]:
    environment = environment_without_settings() | {
        "DATABASE_URL": database_url,
        "PORTAL_SECRET_KEY": SECRET_KEY,
        "PORTAL_BIND": f"{ADDRESS}:{PORT}",
        "PORTAL_ALLOWED_HOSTS": ADDRESS,
        "WEB_CONCURRENCY": "1",
    }
    with (tmp_path / "log").open("wb") as log:
        programs.start(*inside(SERVER, sys.executable, "-m", "portal.serve"), env=environment, stdout=log, stderr=log)
        yield


def test_tab_of_an_unreachable_browser_is_removed_before_its_row_expires(
    link: str,
    server: None,
    programs: Programs,
    visit: type[Visitor],
    cast: Cast,
    database_url: str,
    page_identifier: str,
    listen: Listen,
) -> None:
    network_client = network_client_of(network_client_app(database_url), cast.daniel)
    visit(cast.daniel).beat(page_identifier, tab_id="tab")
    amelia_events = listen(visit(cast.amelia), page_identifier)
    assert amelia_events.names() == ["Daniel"]
    path = f"/user_page_presence/{page_identifier}/events?tab_id=tab"
    request = f"GET {path} HTTP/1.1\r\nHost: {ADDRESS}\r\nCookie: {network_client.cookie}\r\n\r\n"
    browse(programs, request)

    ip("-n", BROWSER, "link", "set", link, "down")

    assert amelia_events.names(timeout_seconds=60) == []


def browse(programs: Programs, request: str) -> None:
    """Open the stream once the server accepts it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        command = inside(BROWSER, sys.executable, "-c", BROWSE, request)
        browser = programs.start(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert browser.stdout is not None
        if any("event: roster" in line for line in iter(browser.stdout.readline, "")):
            return
        browser.wait()
    pytest.fail("the server did not take the stream")
