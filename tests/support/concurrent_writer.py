"""One of many concurrent writers of one client: a process that posts to the portal and logs every response.

Started by test_no_edit_is_lost.py as `python -m tests.support.concurrent_writer`, with its task as JSON on standard
input.
It knows only the portal's URLs. Each value that it sends contains the writer's name and the number of the edit, so that
the history shows its origin. It writes one byte to standard output for each edit that has ended.
"""

import json
import random
import re
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, TextIO
from urllib.parse import urlencode

PLAIN_FIELDS = ("phone", "town", "address_line1", "address_line2", "postcode", "risk_profile")
MAX_ATTEMPTS = 100
BUSY_SECONDS = 0.2  # before the next attempt after 503 or no response
SEEN_VERSION = re.compile(r'name="seen_version"[^>]*value="(\d+)"')
ASKED = re.compile(r'name="decide-([a-z0-9_]+)"')
Edit = dict[str, str]


class Writer:
    """Edit as a user with an open page does: start from the shown values, send, decide on conflicts."""

    def __init__(self, task: dict[str, Any], log: TextIO) -> None:
        self.name: str = task["name"]
        self.path = f"/clients/{task['client_id']}"
        self.port: int = task["port"]
        self.headers = {"Cookie": task["cookie"], "X-CSRFToken": task["token"]}
        self.random = random.Random(self.name)  # noqa: S311 - no secret
        self.version: int = task["version"]
        self.shown: dict[str, str] = task["values"]
        self.log = log
        self.connection: HTTPConnection | None = None

    def work(self, edits: int) -> None:
        for number in range(edits):
            self._look()
            self._edit(number)
            sys.stdout.buffer.write(b".")
            sys.stdout.buffer.flush()

    def _edit(self, number: int) -> None:
        """Send one edit until the portal accepts it, or give up after a conflict."""
        typed = self._typed(f"{self.name}-{number}")
        origin = self.version
        resolutions: Edit = {}
        for _ in range(MAX_ATTEMPTS):
            answer = self._send({"version": str(origin), **typed, **resolutions})
            status, page = answer if answer else (0, "")
            outcome = {302: "accepted", 409: "conflict", 503: "busy", 0: "unknown"}[status]
            self._note(number, outcome, origin, typed, resolutions)
            if outcome == "busy":
                time.sleep(BUSY_SECONDS)
            if outcome == "accepted":
                return
            if outcome == "conflict":
                if self.random.random() < 0.5:
                    return
                resolutions = self._decided(page, typed)

    def _typed(self, tag: str) -> Edit:
        names = self.random.sample(PLAIN_FIELDS, self.random.choice((1, 1, 2)))
        typed = dict.fromkeys(names, tag)
        if "risk_profile" in typed:
            typed["risk_profile"] = str(self.random.randint(1, 7))
        if self.random.random() < 0.4:
            typed["notes"] = self._with_a_line_of(tag, self.shown["notes"])
        return typed

    def _with_a_line_of(self, tag: str, notes: str) -> str:
        lines = notes.split("\n")
        lines[self.random.randrange(len(lines))] = tag
        return "\n".join(lines)

    def _decided(self, page: str, typed: Edit) -> Edit:
        """Choose at random on the conflict page."""
        seen = SEEN_VERSION.search(page)
        resolutions = {"seen_version": seen[1]} if seen else {}
        for name in sorted(set(ASKED.findall(page))):
            choice = self.random.choice(("theirs", "yours", "third"))
            resolutions[f"asked-{name}"] = "1"
            resolutions[f"decide-{name}"] = choice
            if choice == "third":
                resolutions[f"third-{name}"] = typed[name] if name in ("risk_profile", "notes") else f"{typed[name]}x"
        return resolutions

    def _look(self) -> None:
        """Fetch the changes since the shown version, as the script of an open page does."""
        answer = None
        for _ in range(MAX_ATTEMPTS):
            answer = self._call("GET", f"{self.path}/changes?since={self.version}", None)
            if answer and answer[0] != 503:
                break
            time.sleep(BUSY_SECONDS)
        assert answer is not None
        assert answer[0] == 200, answer
        told = json.loads(answer[1])
        for change in told["changes"]:
            for field in change["fields"]:
                self.shown[field["key"]] = field["raw"]
            self.version = change["version"]

    def _send(self, form: Edit) -> tuple[int, str] | None:
        return self._call("POST", f"{self.path}/edit", urlencode(form))

    def _call(self, method: str, path: str, body: str | None) -> tuple[int, str] | None:
        """Return status and text of the response; None when the connection broke and the outcome is unknown."""
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        try:
            if self.connection is None:
                self.connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
            self.connection.request(method, path, body, {**self.headers, **form})
            answer: HTTPResponse = self.connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, HTTPException):
            with suppress(Exception):
                if self.connection:
                    self.connection.close()
            self.connection = None
            return None

    def _note(self, number: int, outcome: str, origin: int, typed: Edit, resolutions: Edit) -> None:
        line = {"number": number, "outcome": outcome, "origin": origin, "typed": typed, "resolutions": resolutions}
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()


def main() -> None:
    task = json.load(sys.stdin)
    with open(task["log"], "w", encoding="utf-8") as log:
        Writer(task, log).work(task["edits"])


if __name__ == "__main__":
    main()
