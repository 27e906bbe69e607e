"""Measure unsaved values: `python -m bench.typing_values`.

Twenty editors of one client type five keys a second each, and every editor has an event stream. As in the browser, an
editor sends its draft 300 ms after the first key that is not sent, one request at a time. Each key is timed until the
stream of each other editor has received it. The load shares the machine's cores with the portal and PostgreSQL.
"""

import argparse
import http.client
import json
import re
import selectors
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import data, load, measures, servers
from bench.data import Viewer
from bench.load import Outcome
from bench.measures import Side
from bench.servers import WORK
from portal.postgres.server import EmbeddedPostgres

EDITORS = 20
KEYS_PER_SECOND = 5
SEND_AFTER_SECONDS = 0.3  # static/js/editing/drafts/autosave.js
PAGE = "client-1"
TYPED = re.compile(rb'"user":(\d+),"updated_at":"[^"]*","values":\{"phone":"(\d+)"')


@dataclass
class Typist:
    """One editor: the time of each key, and how many keys its draft has."""

    viewer: Viewer
    typed_at: list[float] = field(default_factory=list)
    sent: int = 0
    failure: str = ""

    @property
    def headers(self) -> dict[str, str]:
        cookie, token = self.viewer.cookie, self.viewer.csrf_token
        return {"Cookie": cookie, "X-CSRFToken": token, "Content-Type": "application/json"}

    def open(self, port: int) -> None:
        """Send the heartbeat of an open editor."""
        tab = {"page_identifier": PAGE, "tab_id": "bench", "activity": "editing", "form": "record", "draft": "bench"}
        self._call(http.client.HTTPConnection("127.0.0.1", port), "POST", "/user_page_presence", tab)

    def type(self, port: int, began: float, seconds: float) -> None:
        """Type until the time is over. The value is the number of keys."""
        connection = http.client.HTTPConnection("127.0.0.1", port)
        path = f"/edit_drafts/{PAGE}?form=record&draft=bench"
        while (first_key := len(self.typed_at)) < seconds * KEYS_PER_SECOND and not self.failure:
            send_at = max(began + first_key / KEYS_PER_SECOND + SEND_AFTER_SECONDS, time.perf_counter())
            time.sleep(max(0.0, send_at - time.perf_counter()))
            keys = int((time.perf_counter() - began) * KEYS_PER_SECOND) + 1
            self.typed_at += [began + key / KEYS_PER_SECOND for key in range(first_key, keys)]
            self._call(connection, "PUT", path, {"version": 1, "values": {"phone": f"{keys}"}})
            self.sent += 1

    def _call(self, connection: http.client.HTTPConnection, method: str, path: str, body: object) -> None:
        connection.request(method, path, json.dumps(body), self.headers)
        response = connection.getresponse()
        text = response.read()
        if response.status != 200:
            self.failure = f"{response.status}: {text[:300]!r}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.typing_values", description=(__doc__ or "").split(": ")[0])
    parser.add_argument("--seconds", type=int, default=20, help="of typing (default: 20)")
    chosen = parser.parse_args(arguments)
    WORK.mkdir(parents=True, exist_ok=True)
    with data.temporary_postgres() as server:
        _measure(server, chosen.seconds)
    return 0


def _measure(server: EmbeddedPostgres, seconds: float) -> None:
    database = data.start_postgres(server)
    environ = data.portal_environ(server, database)
    app = data.make_portal(database, environ, EDITORS)
    typists = [Typist(viewer) for viewer in data.sign_in(app, EDITORS)]
    with servers.portal(environ, WORK) as portal:
        side = Side(portal, database, [], server.pid or 0)
        for typist in typists:
            typist.open(portal.port)
        streams = [_open_stream(portal.port, typist.viewer) for typist in typists]
        with measures.counted_statements(database) as executed:
            before = side.cpu_so_far()
            outcome = _type(portal.port, typists, streams, seconds)
            used = side.cpu_so_far().since(before)
    failures = [typist.failure for typist in typists if typist.failure]
    print(f"{EDITORS} editors, {KEYS_PER_SECOND} keys a second each, {seconds:.0f} s; failed: {len(failures)}")
    print("".join(f"  {failure}\n" for failure in failures[:1]), end="")
    print(
        f"a key on the others' streams: p50 {outcome.percentile_ms(50):.0f} ms, p99 {outcome.percentile_ms(99):.0f} ms"
    )
    print(f"drafts a second {sum(typist.sent for typist in typists) / seconds:.0f}, missing keys {outcome.failures}")
    is_counted = executed.is_counted
    print(f"SQL statements a second {executed.calls / seconds:.0f}" if is_counted else "statements were not counted")
    print(f"CPU: server {used.server / seconds:.2f} cores, PostgreSQL {used.postgres / seconds:.2f} cores")


class _Screens:
    """The streams of all editors, and how many keys of each other editor they have received."""

    def __init__(self, typists: Sequence[Typist], streams: Sequence[socket.socket]) -> None:
        self.typists = {typist.viewer.profile_id: typist for typist in typists}
        self.outcome = Outcome()
        self._own = dict(zip(streams, self.typists, strict=True))
        self._seen = {(stream, other): 0 for stream in streams for other in self.typists if other != self._own[stream]}
        self._pending = dict.fromkeys(streams, b"")
        self._selector = selectors.DefaultSelector()
        for stream in streams:
            self._selector.register(stream, selectors.EVENT_READ, stream)

    @property
    def missing(self) -> int:
        """Return the number of keys that have not arrived."""
        return sum(len(self.typists[other].typed_at) - keys for (_, other), keys in self._seen.items())

    def read(self) -> None:
        for key, _ in self._selector.select(0.05):
            stream: socket.socket = key.data
            *events, self._pending[stream] = (self._pending[stream] + stream.recv(262_144)).split(b"\n\n")
            for event in events:
                self._take(stream, event, time.perf_counter())

    def _take(self, stream: socket.socket, event: bytes, now: float) -> None:
        for other, keys in (map(int, found) for found in TYPED.findall(event)):
            if other == self._own[stream]:
                continue
            typed_at = self.typists[other].typed_at[self._seen[stream, other] : keys]
            self.outcome.latencies_ms += [(now - at) * 1000 for at in typed_at]
            self._seen[stream, other] = max(self._seen[stream, other], keys)


def _type(port: int, typists: Sequence[Typist], streams: Sequence[socket.socket], seconds: float) -> Outcome:
    """Let all type, and time each key on each other stream."""
    screens = _Screens(typists, streams)
    began = time.perf_counter() + 0.5
    # People do not type in step: their first keys are spread over the interval between two keys.
    first_keys = [began + number / (EDITORS * KEYS_PER_SECOND) for number in range(EDITORS)]
    threads = [
        threading.Thread(target=typist.type, args=(port, first_key, seconds))
        for typist, first_key in zip(typists, first_keys, strict=True)
    ]
    for thread in threads:
        thread.start()
    deadline = began + seconds + load.TIMEOUT_SECONDS
    while time.perf_counter() < deadline and (screens.missing or any(thread.is_alive() for thread in threads)):
        screens.read()
    screens.outcome.failures = screens.missing
    for stream in streams:
        stream.close()
    return screens.outcome


def _open_stream(port: int, viewer: Viewer) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", port), timeout=load.TIMEOUT_SECONDS)
    path = f"/user_page_presence/{PAGE}/events?tab_id=bench"
    stream.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {viewer.cookie}\r\n\r\n".encode())
    received = b""
    while b"event: roster" not in received:
        received += stream.recv(65536)
    return stream


if __name__ == "__main__":
    sys.exit(main())
