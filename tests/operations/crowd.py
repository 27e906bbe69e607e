"""Many people before one address, as their browsers are: each holds a stream and comes back when it ends.

Beside the streams runs steady traffic of heartbeats, saves and pages; each call is recorded with its status and time.
One event loop carries all of it.
"""

import asyncio
import json
import random
import re
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.support.network_client import NetworkClient

CALL_TIMEOUT_SECONDS = 20
OPENING_AT_ONCE = 100
# As static/js/presence/sync/stream.js: 0.5 to 1 s after the first break, twice as long after each further one.
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0
ASSET = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"')


class Answer(NamedTuple):
    status: int
    body: str


@dataclass(frozen=True)
class Gate:
    """Where all the calls go: nginx, or a portal itself."""

    port: int
    host: str
    tls: ssl.SSLContext | None = None

    async def ask(self, method: str, path: str, user: NetworkClient, body: Any = None) -> Answer:
        """One call on a connection of its own; status 0 where no answer came."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: close\r\nCookie: {user.cookie}\r\n"
        if content:
            head += f"X-CSRFToken: {user.csrf_token}\r\nContent-Type: application/json\r\n"
            # The CSRF check of an HTTPS request compares the Referer with the host.
            head += f"Content-Length: {len(content)}\r\nReferer: https://{self.host}/\r\n"
        try:
            async with asyncio.timeout(CALL_TIMEOUT_SECONDS):
                async with self.connection() as (reader, writer):
                    writer.write(head.encode() + b"\r\n" + content)
                    answer = await reader.read()
        except (OSError, TimeoutError) as error:
            return Answer(0, repr(error))
        head_of_answer, _, text = answer.partition(b"\r\n\r\n")
        return Answer(int(head_of_answer[9:12] or 0), text.decode(errors="replace"))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open one, and close it without a word."""
        name = self.host if self.tls else None
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls, server_hostname=name)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


class Call(NamedTuple):
    """One recorded call: what for, when it began (`time.monotonic`), how long it took, and what came of it."""

    what: str
    began: float
    seconds: float
    status: int
    body: str


class Viewer:
    """One page that is open in a browser. It holds its stream until `close`."""

    def __init__(self, gate: Gate, user: NetworkClient, page: str) -> None:
        self.gate, self.user, self.page = gate, user, page
        self.is_live = False
        self.failures = 0
        self.lost_at = 0.0
        self.outages: list[float] = []  # seconds without a stream, one for each time that it ended

    async def hold(self, room: asyncio.Semaphore) -> None:
        while True:
            with suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
                async with self.gate.connection() as (reader, writer):
                    await self._open(reader, writer, room)
                    while await reader.read(65536):
                        pass
            if self.is_live:
                self.is_live, self.lost_at = False, time.monotonic()
            self.failures += 1
            span = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1))
            await asyncio.sleep(span * random.uniform(0.5, 1))  # noqa: S311 - no secret

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, room: asyncio.Semaphore) -> None:
        """Ask for the stream, and wait for its first roster. Raises EOFError where the answer is another."""
        path = f"/user_page_presence/{self.page}/events?tab_id=tab-{id(self)}"
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {self.gate.host}\r\nConnection: close\r\nCookie: {self.user.cookie}\r\n\r\n"
        )
        async with room, asyncio.timeout(CALL_TIMEOUT_SECONDS):
            writer.write(head.encode())
            said = await reader.readuntil(b"event: roster")
        if not said.startswith(b"HTTP/1.1 200"):
            raise EOFError(said[:100])
        self.is_live, self.failures = True, 0
        if self.lost_at:
            self.outages.append(time.monotonic() - self.lost_at)


@dataclass
class Crowd:
    """The viewers, and the traffic beside their streams."""

    gate: Gate
    viewers: Sequence[Viewer]
    calls: list[Call] = field(default_factory=list)
    saved: Counter[int] = field(default_factory=Counter)  # accepted saves by client
    is_over: bool = False
    opening_seconds: float = 0.0  # how long it took to open all streams, on this machine at this moment

    async def during(self, scene: Callable[[], Coroutine[Any, Any, None]], clients: Sequence[int]) -> None:
        """Open all the streams, keep the traffic going while the scene plays, and wait until all streams are back."""
        room = asyncio.Semaphore(OPENING_AT_ONCE)
        users = [viewer.user for viewer in self.viewers]
        async with asyncio.TaskGroup() as group:
            began = time.monotonic()
            holding = [group.create_task(viewer.hold(room)) for viewer in self.viewers]
            await self.all_live(120)
            self.opening_seconds = time.monotonic() - began
            traffic = [
                group.create_task(self._repeat(0.05, lambda: self._beat(random.choice(self.viewers)))),  # noqa: S311
                *(
                    group.create_task(self._save_on_and_on(user, one))
                    for user, one in zip(users, clients, strict=False)
                ),
                group.create_task(self._repeat(0.5, lambda: self._page(random.choice(self.viewers)))),  # noqa: S311
            ]
            await scene()
            await self.all_live(60)
            self.is_over = True
            await asyncio.gather(*traffic)
            for task in holding:
                task.cancel()

    async def all_live(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not all(viewer.is_live for viewer in self.viewers):
                await asyncio.sleep(0.05)

    async def calls_answered(self, count: int) -> None:
        """Wait until so many more calls have ended."""
        wanted = len(self.calls) + count
        async with asyncio.timeout(60):
            while len(self.calls) < wanted:
                await asyncio.sleep(0.05)

    def failures(self) -> dict[tuple[str, int, str], int]:
        """How many calls failed, by kind, status and the beginning of what was answered."""
        return dict(Counter((call.what, call.status, call.body[:60]) for call in self.calls if call.status != 200))

    def longest(self, what: str, first: int = 0) -> float:
        """How long the slowest call of a kind took, of those that ended after the `first`."""
        return max((call.seconds for call in self.calls[first:] if call.what == what), default=0.0)

    async def _repeat(self, every_seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        """Begin one call after the other at even distances, whether or not those before have ended."""
        async with asyncio.TaskGroup() as group:
            while not self.is_over:
                group.create_task(act())  # type: ignore[arg-type]
                await asyncio.sleep(every_seconds)

    async def _beat(self, viewer: Viewer) -> None:
        body = {"page_identifier": viewer.page, "tab_id": f"tab-{id(viewer)}"}
        await self._recorded("heartbeat", "POST", "/user_page_presence", viewer.user, body)

    async def _page(self, viewer: Viewer) -> None:
        """A page with all its style sheets and scripts."""
        page = await self._recorded("page", "GET", f"/clients/{viewer.page.removeprefix('client-')}", viewer.user)
        for path in sorted(set(ASSET.findall(page.body))):
            await self._recorded("file", "GET", path, viewer.user)

    async def _save_on_and_on(self, user: NetworkClient, client_id: int) -> None:
        version, number = 1, 0
        while not self.is_over:
            number += 1
            body = {"version": version, "phone": f"0117 496 {number:04}"}
            answer = await self._recorded("save", "POST", f"/clients/{client_id}/edit", user, body)
            if answer.status == 200:
                self.saved[client_id] += 1
                version = json.loads(answer.body)["version"]
            await asyncio.sleep(0.2)

    async def _recorded(self, what: str, method: str, path: str, user: NetworkClient, body: Any = None) -> Answer:
        began = time.monotonic()
        answer = await self.gate.ask(method, path, user, body)
        self.calls.append(Call(what, began, time.monotonic() - began, answer.status, answer.body[:300]))
        return answer
