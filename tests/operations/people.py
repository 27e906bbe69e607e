"""People who work at a portal while its database or its servers fail: each a thread that notes what it was answered."""

import json
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple

from tests.support.network_client import NetworkClient
from tests.support.until import wait_until

ANSWER_SECONDS = 60
PAUSE_SECONDS = 0.2


class Answer(NamedTuple):
    """What was answered and when; status 0 stands for a connection that broke."""

    began_at: float
    ended_at: float
    status: int
    body: Any


class Worker:
    """Somebody who does one thing over and over, until told to stop."""

    def __init__(self, user: NetworkClient, port: int) -> None:
        self.answers: list[Answer] = []
        self._headers = {"Cookie": user.cookie, "X-CSRFToken": user.csrf_token, "Content-Type": "application/json"}
        self._port = port
        self._is_told_to_stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def works_after(self, moment: float) -> bool:
        """Whether something that it did has succeeded since then."""
        return any(answer.status == 200 and answer.ended_at > moment for answer in list(self.answers))

    def fails_after(self, moment: float) -> bool:
        return any(answer.status != 200 and answer.ended_at > moment for answer in list(self.answers))

    def stop(self) -> None:
        self._is_told_to_stop.set()

    def wait(self) -> None:
        self._thread.join(ANSWER_SECONDS)
        assert not self._thread.is_alive()

    def act(self) -> None:
        raise NotImplementedError

    def call(self, path: str, body: Any) -> Answer:
        """Post JSON, on a connection of its own, and note the answer."""
        began_at, status, told = time.monotonic(), 0, None
        connection = HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)
        with suppress(OSError, HTTPException):
            connection.request("POST", path, json.dumps(body), self._headers)
            answer = connection.getresponse()
            text = answer.read()
            status, told = answer.status, json.loads(text) if "json" in (answer.headers["Content-Type"] or "") else None
        connection.close()
        self.answers.append(Answer(began_at, time.monotonic(), status, told))
        return self.answers[-1]

    def _run(self) -> None:
        while not self._is_told_to_stop.is_set():
            self.act()
            self._is_told_to_stop.wait(PAUSE_SECONDS)


class Viewer(Worker):
    """Beats on one page."""

    def __init__(self, user: NetworkClient, port: int, page_identifier: str, tab_id: str = "tab") -> None:
        self._beat = {"page_identifier": page_identifier, "tab_id": tab_id}
        super().__init__(user, port)

    def act(self) -> None:
        self.call("/user_page_presence", self._beat)


class Saver(Worker):
    """Saves one field of a client that nobody else changes, again and again, each value once."""

    def __init__(self, user: NetworkClient, port: int, client_id: int, field: str) -> None:
        self.field, self.client_id = field, client_id
        self.acknowledged: dict[str, int] = {}  # value to version
        self._version = 1
        self._number = 0
        super().__init__(user, port)

    @property
    def value(self) -> str:
        """What it saves until a server acknowledges it."""
        return f"{self.field}-{self._number}"

    def act(self) -> None:
        """A value whose fate is unknown is sent again, as somebody does whose page still shows it."""
        answer = self.call(f"/clients/{self.client_id}/edit", {"version": self._version, self.field: self.value})
        if answer.status == 200:
            self._version = self.acknowledged[self.value] = answer.body["version"]
            self._number += 1


def wait_until_all_work(workers: Sequence[Worker], since: float, within_seconds: float) -> float:
    """Return after how many seconds the last of them had an answer of success; fail where that takes longer."""
    wait_until(
        lambda: all(worker.works_after(since) for worker in workers),
        f"not everybody works again after {within_seconds} s",
        within_seconds,
    )
    firsts = [min(a.ended_at for a in worker.answers if a.status == 200 and a.ended_at > since) for worker in workers]
    return max(firsts) - since
