"""deploy/nginx on Debian's own nginx: it starts, speaks TLS over both protocols, and passes on what it should."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from email.message import Message
from typing import NamedTuple

import pytest
from flask import Flask

from portal.clients.csv.import_views import MAX_UPLOAD_BYTES
from tests.support.cast import Cast
from tests.support.csv_folder import upload_of
from tests.support.debian import run
from tests.support.network_client import network_client_app, network_client_of
from tests.support.nginx import NAME, Nginx
from tests.support.server import Portal

pytestmark = pytest.mark.operations


@pytest.fixture(scope="module")
def portal(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    portal = Portal(
        database_url,
        tmp_path_factory.mktemp("portal") / "log",
        PORTAL_ALLOWED_HOSTS=NAME,
        PORTAL_TRUSTED_PROXIES="127.0.0.1",
    )
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture(scope="module")
def nginx(portal: Portal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("nginx"), [portal.port]) as nginx:
        yield nginx


class Answer(NamedTuple):
    status: int
    headers: Message
    body: str


@contextmanager
def asked(nginx: Nginx, path: str, at: str = "127.0.0.1", **headers: str) -> Iterator[http.client.HTTPResponse]:
    """An answer over TLS, of the portal's name, at one of this machine's addresses."""
    plain = socket.create_connection((at, nginx.https_port), timeout=20)
    with closing(http.client.HTTPSConnection(NAME, timeout=20)) as connection:
        connection.sock = nginx.trust().wrap_socket(plain, server_hostname=NAME)
        connection.request("GET", path, headers=headers)
        yield connection.getresponse()


def get(nginx: Nginx, path: str, at: str = "127.0.0.1", **headers: str) -> Answer:
    with asked(nginx, path, at, **headers) as answer:
        return Answer(answer.status, answer.headers, answer.read().decode())


def post(nginx: Nginx, path: str, body: bytes, **headers: str) -> Answer:
    plain = socket.create_connection(("127.0.0.1", nginx.https_port), timeout=20)
    with closing(http.client.HTTPSConnection(NAME, timeout=20)) as connection:
        connection.sock = nginx.trust().wrap_socket(plain, server_hostname=NAME)
        with suppress(OSError):  # nginx does not read a body that it refuses
            connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())


def get_plain(nginx: Nginx, path: str, host: str, at: str = "127.0.0.1") -> Answer:
    with closing(http.client.HTTPConnection(at, nginx.http_port, timeout=20)) as connection:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())


def test_nginx_finds_nothing_wrong_with_the_files(nginx: Nginx) -> None:
    said = run(*nginx.command, "-t").stderr

    assert "test is successful" in said
    assert "warn" not in said


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_page_is_served_over_tls_by_both_protocols(nginx: Nginx, address: str) -> None:
    answer = get(nginx, "/sign-in", at=address)

    assert (answer.status, "Sign in" in answer.body) == (200, True)
    assert answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_http_is_redirected_to_https(nginx: Nginx, address: str) -> None:
    answer = get_plain(nginx, "/clients?q=hart", NAME, at=address)

    assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/clients?q=hart")


def test_browser_is_offered_http_2_and_no_old_tls(nginx: Nginx) -> None:
    modern = nginx.trust()
    modern.set_alpn_protocols(["h2", "http/1.1"])
    with modern.wrap_socket(socket.create_connection(("127.0.0.1", nginx.https_port)), server_hostname=NAME) as end:
        assert end.selected_alpn_protocol() == "h2"

    said = run("sh", "-c", f"openssl s_client -connect 127.0.0.1:{nginx.https_port} -tls1_1 </dev/null 2>&1 || true")
    assert "Cipher is (NONE)" in said.stdout


def test_another_name_gets_neither_certificate_nor_answer(nginx: Nginx) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", nginx.https_port)) as plain:
        context.wrap_socket(plain, server_hostname="stranger.example")

    with pytest.raises(http.client.RemoteDisconnected):
        get_plain(nginx, "/", "stranger.example")


def test_metrics_are_not_for_the_world_and_readyz_is(nginx: Nginx) -> None:
    assert get(nginx, "/metrics").status == 403
    assert get(nginx, "/readyz").status == 200


def test_portal_gets_the_address_of_the_connection_and_not_the_one_that_a_browser_claims(
    nginx: Nginx, app: Flask
) -> None:
    get(nginx, "/sign-in", **{"X-Forwarded-For": "203.0.113.9", "X-Request-ID": "forged"})

    line = nginx.access_log[-1]
    assert line.startswith("127.0.0.1 ")
    assert "forged" not in line


def test_only_the_files_of_an_import_may_be_larger_than_other_bodies(
    nginx: Nginx, app: Flask, cast: Cast, database_url: str
) -> None:
    ada = network_client_of(network_client_app(database_url), cast.ada)
    kind, body = upload_of(MAX_UPLOAD_BYTES)
    headers = {
        "Content-Type": kind,
        "Cookie": ada.cookie,
        "X-CSRFToken": ada.csrf_token,
        "Referer": f"https://{NAME}:{nginx.https_port}/",
    }

    assert post(nginx, "/records/import", body, **headers).status == 302
    refused = post(nginx, "/records/import", body + b" " * 2**20, **headers)
    assert (refused.status, "The files have more than 8 MB in all." in refused.body) == (413, True)
    refused = post(nginx, "/records/import", body + b" " * (2**20 + 1), **headers)
    assert refused.status == 303
    page = get(nginx, refused.headers["Location"].partition(str(nginx.https_port))[2], Cookie=ada.cookie)
    assert (page.status, "The files have more than 8 MB in all." in page.body) == (200, True)
    for path in ("/records/import/apply", "/records/export"):
        refused = post(nginx, path, body, **headers)
        assert (refused.status, "The form has more than 256 KB" in refused.body) == (413, True)


def test_event_stream_is_not_buffered(
    nginx: Nginx, app: Flask, cast: Cast, database_url: str, page_identifier: str
) -> None:
    amelia = network_client_of(network_client_app(database_url), cast.amelia)
    path = f"/user_page_presence/{page_identifier}/events?tab_id=tab"
    with asked(nginx, path, Cookie=amelia.cookie) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
        lines = iter(answer.readline, b"")
        assert next(line for line in lines if line.startswith(b"event: ")) == b"event: roster\n"
        assert json.loads(next(lines).removeprefix(b"data: "))["users"] == []


def test_flood_of_the_open_pages_is_refused_by_nginx_and_of_no_other(nginx: Nginx) -> None:
    with closing(http.client.HTTPSConnection(NAME, timeout=20)) as connection:
        plain = socket.create_connection(("127.0.0.1", nginx.https_port), timeout=20)
        connection.sock = nginx.trust().wrap_socket(plain, server_hostname=NAME)

        def status(path: str) -> int:
            connection.request("GET", path)
            with connection.getresponse() as answer:
                answer.read()
                return answer.status

        for path in ("/sign-in", "/sign-in/code", "/choose-password"):
            assert 429 in (status(path) for _ in range(500))
        assert status("/clients") == 302
