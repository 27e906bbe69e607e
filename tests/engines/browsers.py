"""The engines beside Chromium: Firefox over WebDriver BiDi, and WebKitGTK over WebDriver.

Both can go to a URL, run a function in the page, and perform input actions. Actions have one format in both protocols
(https://www.w3.org/TR/webdriver2/#actions). Each browser has a home folder of its own. Its processes end with the
`Programs` that started them.
"""

import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.webkitgtk.options import Options
from urllib3.exceptions import HTTPError
from websocket import create_connection

from tests.support.debian import program
from tests.support.processes import Programs, accepts_connections, reserve_port
from tests.support.until import wait_until

MAX_ANSWER_SECONDS = 60
START_SECONDS = 60
SCREEN = ("-screen", "0", "1280x1000x24", "-nolisten", "tcp")

Actions = dict[str, Any]  # of one input source


class Browser(Protocol):
    """One window of a browser with a profile of its own."""

    def go_to(self, url: str) -> None:
        """Load a page, and wait for its load event."""

    def run(self, function: str, *arguments: Any) -> Any:
        """Return what the JavaScript function returns in the page; all values are JSON."""

    def act(self, source: Actions) -> None:
        """Move the mouse or press keys."""

    def errors(self) -> list[str]:
        """Return the errors in the console and in scripts, where the engine reports them."""

    def close(self) -> None:
        """End the session."""


class Firefox:
    """Firefox itself speaks WebDriver BiDi, so that no geckodriver is needed, which Debian does not have."""

    def __init__(self, programs: Programs, home: Path) -> None:
        command = [
            program("firefox-esr"),
            "--headless",
            "--no-remote",
            "--profile",
            str(home),
            "--remote-debugging-port",
            "0",
        ]
        with (home / "log").open("w") as log:
            programs.start(*command, env=environment(home, MOZ_CRASHREPORTER_DISABLE="1"), stdout=log, stderr=log)
        self._socket = create_connection(bidi_url(home), timeout=MAX_ANSWER_SECONDS, suppress_origin=True)
        self._last_id = 0
        self._errors: list[str] = []
        capabilities = {"acceptInsecureCerts": True, "unhandledPromptBehavior": {"beforeUnload": "accept"}}
        self._call("session.new", capabilities={"alwaysMatch": capabilities})
        self._call("session.subscribe", events=["log.entryAdded"])
        # In the first tab the address bar has the focus, and its pages would get no focus events.
        self._tab = self._call("browsingContext.create", type="tab")["context"]

    def go_to(self, url: str) -> None:
        self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def run(self, function: str, *arguments: Any) -> Any:
        reply = self._call(
            "script.callFunction",
            functionDeclaration=f"(json) => JSON.stringify(({function})(...JSON.parse(json)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            target={"context": self._tab},
            awaitPromise=False,
        )
        if reply["type"] == "exception":
            raise WebDriverException(reply["exceptionDetails"]["text"])
        return json.loads(reply["result"]["value"])

    def act(self, source: Actions) -> None:
        self._call("input.performActions", context=self._tab, actions=[source])

    def errors(self) -> list[str]:
        self._call("session.status")  # a round trip, after which all earlier events have arrived
        return self._errors

    def close(self) -> None:
        self._socket.close()

    def _call(self, method: str, **parameters: Any) -> Any:
        """Return the result of a command, and note the events that arrive before it."""
        self._last_id += 1
        self._socket.send(json.dumps({"id": self._last_id, "method": method, "params": parameters}))
        while (message := json.loads(self._socket.recv())).get("id") != self._last_id:
            if message["method"] == "log.entryAdded" and message["params"]["level"] == "error":
                self._errors.append(message["params"]["text"])
        if message["type"] == "error":
            raise WebDriverException(f"{method}: {message['message']}")
        return message["result"]


class WebKit:
    """WebKitGTK's MiniBrowser, which does not report its console.

    Each has an X server of its own, because only one window of a screen has the focus.
    """

    def __init__(self, programs: Programs, home: Path) -> None:
        display = home / "display"
        with display.open("w") as number, (home / "log").open("w") as log:
            self._screen = programs.start(program("Xvfb"), "-displayfd", "1", *SCREEN, stdout=number, stderr=log)
            wait_until(lambda: display.read_text().endswith("\n"), "Xvfb does not start", START_SECONDS)
            variables = environment(home, DISPLAY=f":{display.read_text().strip()}", NO_AT_BRIDGE="1")
            port, reservation = reserve_port()
            with reservation:
                programs.start(program("WebKitWebDriver"), f"--port={port}", env=variables, stdout=log, stderr=log)
                wait_until(lambda: accepts_connections(port), "WebKitWebDriver does not start", START_SECONDS)
        options = Options()
        options.accept_insecure_certs = True
        config = ClientConfig(f"http://127.0.0.1:{port}", timeout=MAX_ANSWER_SECONDS)
        self._driver = WebDriver(RemoteConnection(client_config=config), options=options)

    def go_to(self, url: str) -> None:
        self._driver.get(url)

    def run(self, function: str, *arguments: Any) -> Any:
        script = f"return JSON.stringify(({function})(...JSON.parse(arguments[0])) ?? null)"
        return json.loads(self._driver.execute_script(script, json.dumps(arguments)))

    def act(self, source: Actions) -> None:
        self._driver.execute(Command.W3C_ACTIONS, {"actions": [source]})

    def errors(self) -> list[str]:
        return []

    def close(self) -> None:
        with suppress(WebDriverException, HTTPError):
            self._driver.quit()
        self._screen.terminate()  # a killed X server leaves its lock in /tmp
        with suppress(subprocess.TimeoutExpired):
            self._screen.wait(START_SECONDS)


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Return an environment in which a browser reads and writes below `home` alone."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "DBUS_", "MOZ_"))}
    return kept | {"HOME": str(home), **variables}


def bidi_url(home: Path) -> str:
    """Wait until Firefox has written into its profile where it listens."""
    file = home / "WebDriverBiDiServer.json"
    with suppress(AssertionError):
        wait_until(lambda: file.exists() and file.read_text().endswith("}"), "", START_SECONDS)
    assert file.exists(), f"Firefox does not listen:\n{(home / 'log').read_text()}"
    where = json.loads(file.read_text())
    return f"ws://{where['ws_host']}:{where['ws_port']}/session"
