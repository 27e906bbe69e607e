"""Record the errors that no page of the portal may cause.

An error is a console message of level error or warning, such as a violation of the content security policy, an uncaught
exception, or a dialog that a script opens. User input that runs as a script would open one.
"""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, WebError


class BrowserErrors:
    """The errors in the browsers of one test. `expect` names those that the test causes on purpose.

    `accepts_leaving` is the reply to a page that asks whether to leave it with unsaved values.
    """

    def __init__(self) -> None:
        self._found: list[str] = []
        self._expected: list[str] = []
        self._open: list[BrowserContext] = []
        self._listeners: dict[Any, Callable[[Any], None]] = {
            "close": self._on_close,
            "console": self._on_console,
            "weberror": self._on_exception,
            "dialog": self._on_dialog,
        }
        self.accepts_leaving = True
        self.leave_questions = 0

    def watch(self, context: BrowserContext) -> None:
        self._open.append(context)
        for event, listener in self._listeners.items():
            context.on(event, listener)

    def stop_watching(self) -> None:
        """Remove the listeners, because another test may use the browser again."""
        for context in self._open:
            for event, listener in self._listeners.items():
                context.remove_listener(event, listener)

    def expect(self, *patterns: str) -> None:
        """Allow console errors that match one of the patterns, such as "status of 409"."""
        self._expected += patterns

    def found(self) -> list[str]:
        """Return all errors that were not expected."""
        for context in self._open:
            context.cookies()  # a round trip: all earlier events have arrived after it
        return [text for text in self._found if not any(re.search(pattern, text) for pattern in self._expected)]

    def _on_close(self, context: BrowserContext) -> None:
        self._open.remove(context)

    def _on_console(self, message: ConsoleMessage) -> None:
        # The page records a visit in the background, and the session can end before.
        is_visit = message.location["url"].endswith("/visit") and "Failed to load" in message.text
        if message.type in ("error", "warning") and not is_visit:
            self._found.append(f"{message.type} in the console of {message.location['url']}: {message.text}")

    def _on_exception(self, error: WebError) -> None:
        self._found.append(f"uncaught: {error.error}")

    def _on_dialog(self, dialog: Dialog) -> None:
        """Record a dialog, unless a page with typed values asks before the user leaves it."""
        if dialog.type != "beforeunload":
            self._found.append(f"{dialog.type}: {dialog.message}")
            dialog.dismiss()
            return
        self.leave_questions += 1
        if self.accepts_leaving:
            dialog.accept()
        else:
            dialog.dismiss()
