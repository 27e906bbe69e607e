"""Notes what no page of the portal may do, while a test looks elsewhere.

An error in the console (a broken content security policy is one), an exception that nobody caught, a dialog that a
script has opened: text of people's that had run as a script would do that.
"""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, WebError


class Trouble:
    """What went wrong in the browsers of one test; `expect` names what belongs to the test.

    `lets_leave` is what a person answers when a page asks whether to leave it with values that are not saved.
    """

    def __init__(self) -> None:
        self._noted: list[str] = []
        self._expected: list[str] = []
        self._open: list[BrowserContext] = []
        self._listeners: dict[Any, Callable[[Any], None]] = {
            "close": self._closed,
            "console": self._heard,
            "weberror": self._thrown,
            "dialog": self._asked,
        }
        self.lets_leave = True
        self.times_asked_to_stay = 0

    def watch(self, context: BrowserContext) -> None:
        self._open.append(context)
        for event, listener in self._listeners.items():
            context.on(event, listener)

    def stop_watching(self) -> None:
        """Of a browser that is used again."""
        for context in self._open:
            for event, listener in self._listeners.items():
                context.remove_listener(event, listener)

    def expect(self, *patterns: str) -> None:
        """Let console errors pass that match one of these, "status of 409" for instance."""
        self._expected += patterns

    def found(self) -> list[str]:
        """Everything that was not expected."""
        for context in self._open:
            context.cookies()  # a round trip: what the browser said before has arrived after it
        return [text for text in self._noted if not any(re.search(pattern, text) for pattern in self._expected)]

    def _closed(self, context: BrowserContext) -> None:
        self._open.remove(context)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._noted.append(f"{message.type} in the console of {message.location['url']}: {message.text}")

    def _thrown(self, error: WebError) -> None:
        self._noted.append(f"uncaught: {error.error}")

    def _asked(self, dialog: Dialog) -> None:
        """A page with typed values asks before it is left; nothing else may ask anything."""
        if dialog.type != "beforeunload":
            self._noted.append(f"{dialog.type}: {dialog.message}")
            dialog.dismiss()
            return
        self.times_asked_to_stay += 1
        if self.lets_leave:
            dialog.accept()
        else:
            dialog.dismiss()
