"""Test malformed, truncated and slow request bodies over real sockets: they affect only their sender."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest
from flask import Flask
from werkzeug.exceptions import RequestTimeout

from portal.clients import Client
from portal.clients.csv.import_views import MAX_UPLOAD_BYTES, MULTIPART_BYTES
from portal.web.body_reader import FAILURE, MAX_LARGE_BODIES
from portal.web.security_headers import MAX_BODY_BYTES
from tests.conftest import AppMaker
from tests.support.cast import Cast
from tests.support.csv_folder import upload_of
from tests.support.html import text_of
from tests.support.network_client import NetworkClient, network_client_app, network_client_of
from tests.support.server import Portal
from tests.support.test_client import Visitor
from tests.support.until import wait_until

PATIENCE_SECONDS = 10
PATHS = ("/user_page_presence", "/clients/1/edit", "/sign-in")
# Sizes that int(…, 16) accepts and RFC 9112 does not, and malformed ones.
MALFORMED = {
    "negative": b"-5\r\nhello\r\n0\r\n\r\n",
    "hexadecimal prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "underscore": b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
    "line feed": b"5\n\r\nhello\r\n0\r\n\r\n",
    "line feed alone": b"5\nhello\n0\n\n",
    "plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "space before": b" 5\r\nhello\r\n0\r\n\r\n",
    "space after": b"5 \r\nhello\r\n0\r\n\r\n",
    "tab": b"\t5\r\nhello\r\n0\r\n\r\n",
    "vertical tab": b"5\x0b\r\nhello\r\n0\r\n\r\n",
    "NUL": b"5\0\r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "no digit": b"five\r\nhello\r\n0\r\n\r\n",
    "digit of another script": "٥\r\nhello\r\n0\r\n\r\n".encode(),
    "no line break after the data": b"5\r\nhelloXX0\r\n\r\n",
    "too much data": b"5\r\nhello, world\r\n0\r\n\r\n",
    "bare carriage return in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "extension that is none": b"5;=\r\nhello\r\n0\r\n\r\n",
    "endless size": b"0" * 8_191,
    "endless extension": b"5;" + b"a" * 8_189,
    "trailer that is none": b"5\r\nhello\r\n0\r\nno colon\r\n\r\n",
    "trailer with a line feed alone": b"5\r\nhello\r\n0\r\na: b\nc: d\r\n\r\n",
    "endless trailer": b"5\r\nhello\r\n0\r\na: " + b"b" * 20_000 + b"\r\n\r\n",
}

SLOW_BODY = """
import gevent
from portal.web.body_reader import FAILURE, BodyLayer

class Slow:
    def read(self, size):
        gevent.sleep(30)

def application(environ, start_response):
    print(environ[FAILURE].code, environ["wsgi.input"].read(), environ["CONTENT_LENGTH"])

BodyLayer(application, max_seconds=0.05)({"wsgi.input": Slow(), "CONTENT_LENGTH": "5"}, None)
"""


@pytest.fixture(scope="module")
def portal(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Start one worker with one database connection for pages: a request that held it would stop all others."""
    log = tmp_path_factory.mktemp("bodies") / "log"
    made = Portal(database_url, log, WEB_CONCURRENCY="1", PORTAL_DB_POOL_SIZE="1")
    yield made
    made.stop()


@pytest.fixture
def server(portal: Portal, app: Flask) -> Portal:
    portal.start()
    return portal


@pytest.fixture
def amelia(database_url: str, make_app: AppMaker, cast: Cast) -> NetworkClient:
    return network_client_of(network_client_app(database_url), cast.amelia)


@pytest.fixture
def ada(database_url: str, make_app: AppMaker, cast: Cast) -> NetworkClient:
    return network_client_of(network_client_app(database_url), cast.ada)


def head_of(path: str, framing: str, network_client: NetworkClient | None = None, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", framing]
    if network_client:
        lines += [f"Cookie: {network_client.cookie}", f"X-CSRFToken: {network_client.csrf_token}"]
    return "\r\n".join([*lines, "", ""]).encode()


def connected(server: Portal) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS)


def status_of(connection: socket.socket) -> int:
    return int(connection.makefile("rb").readline().split()[1])


def log_of(server: Portal) -> list[str]:
    """Return the portal's log without the lines of its background jobs."""
    return [
        line for line in server.log.read_text().splitlines() if '"apscheduler' not in line and "portal.jobs" not in line
    ]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_chunked_body_is_400_and_one_line_of_log(server: Portal, path: str, what: str) -> None:
    before = len(log_of(server))
    with closing(connected(server)) as connection:
        connection.sendall(head_of(path, "Transfer-Encoding: chunked") + MALFORMED[what])
        connection.shutdown(socket.SHUT_WR)
        assert status_of(connection) == 400

    [line] = log_of(server)[before:]
    assert json.loads(line)["message"].startswith("request body not read: the body was malformed")
    assert "hello" not in line


def test_well_formed_chunked_beat_is_taken(server: Portal, amelia: NetworkClient) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(head_of("/user_page_presence", "Transfer-Encoding: chunked", amelia))
        connection.sendall(b'18;a="b";c\r\n{"page_identifier":"x-1"\r\n1\r\n}\r\n0\r\nNote: 1\r\n\r\n')
        assert status_of(connection) == 404  # the body was parsed: there is no such page


def test_body_that_ends_early_changes_nothing(server: Portal, amelia: NetworkClient) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(head_of("/clients/1/edit", "Content-Length: 500", amelia) + b'{"version":1,"name":"Whit"}')
        connection.shutdown(socket.SHUT_WR)
        assert status_of(connection) == 400


def test_chunked_body_that_is_too_large_is_413(server: Portal, amelia: NetworkClient) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(head_of("/clients/1/edit", "Transfer-Encoding: chunked", amelia))
        connection.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (MAX_BODY_BYTES + 1, b"x" * (MAX_BODY_BYTES + 1)))
        assert status_of(connection) == 413


def test_body_that_takes_too_long_is_given_up() -> None:
    """Use another process, because an imported gevent would change how other tests hash passwords."""
    done = subprocess.run([sys.executable, "-c", SLOW_BODY], capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout, done.stderr) == ("408 b'' 0\n", "")


def test_body_that_was_given_up_is_answered_408(visit: type[Visitor], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    answer = visit(None).get(
        "/clients", environ_overrides={FAILURE: RequestTimeout("the body took too long to arrive")}
    )

    assert (answer.status_code, "took too long" in text_of(answer)) == (408, True)
    assert [record.getMessage() for record in caplog.records] == [
        "request body not read: the body took too long to arrive"
    ]


def send_upload(server: Portal, browser: NetworkClient | None, length: int, *, is_chunked: bool = False) -> int:
    kind, body = upload_of(length)
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {length}"
    head = head_of("/records/import", framing, browser).replace(b"application/json", kind.encode())
    with closing(connected(server)) as connection:
        with suppress(OSError):  # a body that is refused is not read
            connection.sendall(head + (b"%x\r\n%b\r\n0\r\n\r\n" % (length, body) if is_chunked else body))
        return status_of(connection)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_upload_of_an_administrator_may_be_larger_up_to_its_own_limit(
    server: Portal, ada: NetworkClient, is_chunked: bool
) -> None:
    most = MAX_UPLOAD_BYTES + MULTIPART_BYTES

    assert send_upload(server, ada, most, is_chunked=is_chunked) == 302
    assert send_upload(server, ada, most + 1, is_chunked=is_chunked) == 413


def test_upload_of_no_administrator_is_bounded_as_all_bodies(server: Portal, amelia: NetworkClient) -> None:
    assert send_upload(server, amelia, MAX_BODY_BYTES) == 403
    assert send_upload(server, amelia, MAX_BODY_BYTES + 1) == 413
    assert send_upload(server, None, MAX_BODY_BYTES + 1) == 413
    assert send_upload(server, amelia, MAX_BODY_BYTES + 1, is_chunked=True) == 413


def test_body_of_an_administrator_to_another_address_is_bounded_as_all_bodies(
    server: Portal, ada: NetworkClient
) -> None:
    with closing(connected(server)) as connection:
        connection.sendall(head_of("/records/import/apply", f"Content-Length: {MAX_BODY_BYTES + 1}", ada))
        assert status_of(connection) == 413


def test_slow_uploads_hold_no_database_connection_and_are_few(server: Portal, ada: NetworkClient) -> None:
    head = head_of("/records/import", f"Content-Length: {MAX_UPLOAD_BYTES}", ada)
    with ExitStack() as open_connections:
        for _ in range(MAX_LARGE_BODIES):
            slow = open_connections.enter_context(closing(connected(server)))
            slow.sendall(head + b"-")
        wait_until(lambda: send_upload(server, ada, MAX_BODY_BYTES + 1) == 503, "the places are not taken")
        with closing(connected(server)) as connection:
            connection.sendall(f"GET /clients HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {ada.cookie}\r\n\r\n".encode())
            assert status_of(connection) == 200
    wait_until(lambda: send_upload(server, ada, MAX_BODY_BYTES + 1) == 302, "the places are not free again")


@pytest.mark.parametrize("framing", ["Content-Length: 500", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("POST", "/user_page_presence"),
        ("POST", "/clients/{}/edit"),
        ("POST", "/clients/{}/access"),
        ("PUT", "/edit_drafts/client-{}?form=record"),
    ],
)
def test_slow_body_holds_no_database_connection(
    server: Portal, amelia: NetworkClient, client: Client, method: str, place: str, framing: str
) -> None:
    head = head_of(place.format(client.id), framing, amelia, method)
    with ExitStack() as open_connections:
        for _ in range(5):
            slow = open_connections.enter_context(closing(connected(server)))
            slow.sendall(head + (b"{" if framing.startswith("Content") else b"5\r\n{"))
        with closing(connected(server)) as connection:
            connection.sendall(f"GET /clients HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {amelia.cookie}\r\n\r\n".encode())
            assert status_of(connection) == 200
