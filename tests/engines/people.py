"""A user at a browser of any engine: what the user does, and what the page shows.

Each method waits for a condition of the page and fails after PATIENCE_SECONDS with the text of the page. An element is
named by its role and accessible name, and if necessary by those of the elements around it.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import WebDriverException

from portal.clients import Client
from tests.engines.browsers import Browser
from tests.support.cast import PASSWORD
from tests.support.until import PATIENCE_SECONDS, wait_until

FUNCTIONS = Path(__file__).with_name("page.js").read_text().replace("export function", "function")
# https://www.w3.org/TR/webdriver2/#keyboard-actions
CONTROL, ESCAPE = "\ue009", "\ue00c"

Element = tuple[str, str]  # the role and the accessible name; an empty name is any


class Person:
    """A user of the cast with one window of a browser."""

    def __init__(self, browser: Browser, portal_url: str) -> None:
        self.browser = browser
        self._portal_url = portal_url

    # What they do

    def sign_in(self, email: str) -> None:
        self.go_to("/sign-in")
        self.fill("Email", email)
        self.fill("Password", PASSWORD)
        self.click("button", "Sign in")
        self.is_at(r":\d+/$")

    def open(self, client: Client) -> None:
        """Open the client page, and wait until the server has answered its first heartbeat."""
        self._open_with_presence(f"/clients/{client.id}")

    def open_editor(self, client: Client) -> None:
        """Open the editor by its URL, while no other user is on the page."""
        self._open_with_presence(f"/clients/{client.id}/edit")

    def open_editor_beside_others(self, client: Client) -> None:
        """Open the editor by its URL, and proceed although other users are on the page."""
        self.open_editor(client)
        self.click("button", "Proceed Anyway", inside=("dialog", "Concurrent Access Detected"))
        self.sees_no_dialog("Concurrent Access Detected")

    def leave(self) -> None:
        """Go to the client list, which takes no part in presence."""
        self.go_to("/clients")

    def go_to(self, path: str) -> None:
        """Load a page, again if a save of the page before interrupts that."""

        def is_loaded() -> bool:
            self.browser.go_to(f"{self._portal_url}{path}")
            return True

        self._wait(is_loaded, f"{path} is not loaded")

    def go_back(self) -> None:
        """Use the browser's back button."""
        self.browser.run("() => history.back()")

    def click(self, role: str, name: str, *, inside: Element | None = None) -> None:
        """Click the middle of the element when nothing covers it, again if the page has moved it in between."""
        target = _path(inside, (role, name))

        def has_clicked() -> bool:
            centre = self._call("centreOf", target)
            if centre is None or centre != self._call("centreOf", target):
                return False
            move = {"type": "pointerMove", "x": centre[0], "y": centre[1], "origin": "viewport"}
            click = [move, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
            self.browser.act(
                {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": click}
            )
            with suppress(WebDriverException):  # the click has led to another page
                return not self._call("wasMissed")
            return True

        self._wait(has_clicked, f"{role} “{name}” cannot be clicked")

    def fill(self, label: str, text: str) -> None:
        """Replace the value of a text field by typing."""
        self.click("textbox", label)
        self.press(CONTROL + "a", *text)
        self.has_value(label, text)

    def press(self, *keys: str) -> None:
        """Press keys one after the other. A text of several keys is a combination."""
        actions = []
        for key in keys:
            actions += [{"type": "keyDown", "value": each} for each in key]
            actions += [{"type": "keyUp", "value": each} for each in reversed(key)]
        self.browser.act({"type": "key", "id": "keyboard", "actions": actions})

    # What they see

    def sees(self, text: str, *, inside: Element | None = None) -> None:
        """Wait until the visible text of the page, or of an element in it, contains the text."""
        self._wait(lambda: text in self._text(inside), f"“{text}” does not appear")

    def no_longer_sees(self, text: str) -> None:
        self._wait(lambda: text not in self._text(None), f"“{text}” does not disappear")

    def sees_no_dialog(self, name: str) -> None:
        self._wait(lambda: self._read(("dialog", name)) is None, f"dialog “{name}” does not close")

    def saw_toast(self, text: str) -> None:
        """Wait for a toast, which may have disappeared already."""
        self._wait(lambda: any(text in toast for toast in self._call("toasts")), f"no toast says “{text}”")

    def has_value(self, label: str, value: str) -> None:
        self._wait(
            lambda: (self._read(("textbox", label)) or {}).get("value") == value, f"{label} does not become “{value}”"
        )

    def height_of(self, role: str, name: str) -> int:
        """Return the height of an element in CSS pixels."""
        return int(self._read((role, name))["height"])

    def has_focus_on(self, role: str, name: str) -> None:
        self._wait(lambda: (self._read((role, name)) or {}).get("hasFocus"), f"{role} “{name}” does not get the focus")

    def is_at(self, pattern: str) -> None:
        """Wait until the URL matches and the page is loaded."""
        self._wait(lambda: re.search(pattern, self._url()) and self._is_loaded(), f"the URL does not match {pattern}")

    def _open_with_presence(self, path: str) -> None:
        self.go_to(path)
        self._call("recordToasts")
        self._wait(lambda: self._call("hasBeaten"), "the server has not answered a heartbeat")

    def _url(self) -> str:
        url: str = self.browser.run("() => location.href")
        return url

    def _is_loaded(self) -> bool:
        return bool(self.browser.run("() => document.readyState === 'complete'"))

    def _text(self, inside: Element | None = None) -> str:
        return str((self._read(inside) or {}).get("text", ""))

    def _read(self, element: Element | None) -> Any:
        return self._call("read", _path(element))

    def _call(self, name: str, *arguments: Any) -> Any:
        return self.browser.run(f"(...given) => {{ {FUNCTIONS}; return {name}(...given); }}", *arguments)

    def _wait(self, is_so: Callable[[], object], otherwise: str) -> None:
        """Wait until it is so. A page that is being replaced answers no call, and is asked again."""
        error: list[WebDriverException] = []

        def is_so_now() -> object:
            try:
                return is_so()
            except WebDriverException as refusal:
                error[:] = [refusal]
                return False

        try:
            wait_until(is_so_now, otherwise)
        except AssertionError:
            shown = f"{self._url()} shows:\n{self._text()}"
            pytest.fail(f"{otherwise} within {PATIENCE_SECONDS} s; {shown}\n{error}", pytrace=True)


def _path(*elements: Element | None) -> list[Element]:
    return [element for element in elements if element is not None]
