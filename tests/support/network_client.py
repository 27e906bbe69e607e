"""Signed-in users without a browser, who call real servers over sockets."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from flask import Flask, session
from flask_wtf.csrf import generate_csrf

from portal.app import create_app
from portal.auth import Profile
from portal.config import Settings
from portal.web import session_cookie
from tests.support.server import SECRET_KEY, Portal
from tests.support.sse_reader import TIMEOUT_SECONDS, EventReader
from tests.support.test_client import signed_in_text


class NetworkClient:
    """A user who is signed in to every portal that shares the secret key."""

    def __init__(self, app: Flask, identity_text: str) -> None:
        with app.test_request_context():
            session_cookie.start(identity_text)
            self.csrf_token = generate_csrf()
            response = app.response_class()
            app.session_interface.save_session(app, session, response)
        self.cookie = response.headers["Set-Cookie"].partition(";")[0]

    def beat(self, at: Portal, page_identifier: str, **members: Any) -> list[str]:
        """Send a heartbeat. Return the first names of the users on the page."""
        answer = self._call(at, "POST", "/user_page_presence", {"page_identifier": page_identifier, **members})
        return sorted(user["first_name"] for user in answer["users"])

    def listen(self, at: Portal, page_identifier: str, tab_id: str = "tab") -> EventReader:
        """Open a stream."""
        answer = NetworkAnswer(at.port, f"/user_page_presence/{page_identifier}/events?tab_id={tab_id}", self.cookie)
        assert answer.status == 200
        return EventReader(answer)  # type: ignore[arg-type]

    def _call(self, at: Portal, method: str, path: str, body: Any) -> Any:
        connection = HTTPConnection("127.0.0.1", at.port, timeout=TIMEOUT_SECONDS)
        headers = {"Cookie": self.cookie, "X-CSRFToken": self.csrf_token, "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body), headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        found = json.loads(answer.read())
        connection.close()
        return found


class NetworkAnswer:
    """A response with an endless body, in the form that `EventReader` reads."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._connection.request("GET", path, headers={"Cookie": cookie})
        self._answer: HTTPResponse = self._connection.getresponse()
        self.status = self._answer.status

    @property
    def response(self) -> Iterator[bytes]:
        """Yield each frame until the server ends the response or the connection breaks."""
        frame = b""
        try:
            while line := self._answer.readline():
                frame += line
                if line == b"\n":
                    yield frame
                    frame = b""
        except (OSError, AttributeError):
            return  # gone, or closed here while it was read

    def close(self) -> None:
        """Break the connection without a request, as a killed browser does."""
        if self._connection.sock:
            with suppress(OSError):  # the server may have closed it first
                self._connection.sock.shutdown(socket.SHUT_RDWR)  # which wakes the thread that reads, as close does not
        self._connection.close()


def network_client_app(database_url: str) -> Flask:
    """Return an application with the secret key of the tests' portals, which makes the cookies."""
    return create_app(
        Settings(
            secret_key=SECRET_KEY, database_url=database_url, instance=Path("/nonexistent"), second_factor="optional"
        )
    )


def network_client_of(app: Flask, profile: Profile) -> NetworkClient:
    return NetworkClient(app, signed_in_text(app, profile))
