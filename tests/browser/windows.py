"""Lend browser windows to one test after the other.

A window is a browser context with one tab. A new context takes 0.4 s of CPU more than another page in an old one:
it starts a renderer, connects, and loads and compiles every script again. A window that returns shows no page of the
portal, stores nothing and is signed in as no user. It is closed instead if the test has changed what cannot be undone.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Error, Page

VIEWPORT = {"width": 1280, "height": 720}
# What lasts in a page or context and cannot be taken back. A CDP session is undone by detaching it.
LASTING = {
    Page: ("add_init_script", "expose_binding", "expose_function", "on", "once", "set_extra_http_headers"),
    BrowserContext: ("add_init_script", "expose_binding", "expose_function", "set_extra_http_headers", "set_offline"),
}
EMPTY_STORAGE = "() => { localStorage.clear(); sessionStorage.clear(); }"


class Windows:
    """The windows of one browser. Those of different portals are kept apart, because a context has one base URL."""

    def __init__(self, browser: Browser, options: dict[str, Any], init_script: str, patch: pytest.MonkeyPatch) -> None:
        self._browser = browser
        self._options = options | {"viewport": VIEWPORT}
        self._init_script = init_script
        self._idle: defaultdict[str, list[BrowserContext]] = defaultdict(list)
        self._lent: list[tuple[str, BrowserContext]] = []
        self._changed: WeakSet[BrowserContext] = WeakSet()
        self._watch_lasting_changes(patch)

    def lend(self, url: str, cookies: Sequence[Any]) -> Page:
        """Return the tab of a window with these cookies, in which paths are relative to `url`."""
        idle = self._idle[url]
        context = idle.pop() if idle else self._open(url)
        self._lent.append((url, context))
        context.add_cookies(list(cookies))
        return context.pages[0]

    def take_back(self) -> None:
        """Take back all windows at the end of a test."""
        while self._lent:
            url, context = self._lent.pop()
            if context not in self._changed and _is_emptied(context, url):
                self._idle[url].append(context)
            else:
                context.close()

    def close(self) -> None:
        for contexts in self._idle.values():
            for context in contexts:
                context.close()

    def _open(self, url: str) -> BrowserContext:
        context = self._browser.new_context(**self._options, base_url=url)
        context.add_init_script(self._init_script)
        context.new_page()
        self._changed.discard(context)
        return context

    def _watch_lasting_changes(self, patch: pytest.MonkeyPatch) -> None:
        """Note each context in which a test calls a method of LASTING or asks for the clock."""

        def noting(method: Callable[..., Any]) -> Callable[..., Any]:
            def call(owner: Page | BrowserContext, *arguments: Any, **options: Any) -> Any:
                self._changed.add(owner.context if isinstance(owner, Page) else owner)
                return method(owner, *arguments, **options)

            return call

        for owner, names in LASTING.items():
            for name in names:
                patch.setattr(owner, name, noting(getattr(owner, name)))
            patch.setattr(owner, "clock", property(noting(owner.clock.fget)))  # type: ignore[attr-defined]


def _is_emptied(context: BrowserContext, url: str) -> bool:
    """Empty a window, and return whether that succeeded. It does not if its portal has ended, or its tab is closed."""

    def leave(dialog: Dialog) -> None:
        dialog.accept()

    context.on("dialog", leave)
    try:
        page, *others = context.pages
        for other in others:
            other.close()
        context.unroute_all()
        page.unroute_all()
        page.goto(f"{url}/healthz")  # a page of the portal's origin, whose storage it can empty
        page.evaluate(EMPTY_STORAGE)
        page.emulate_media(media="null", color_scheme="null", reduced_motion="reduce", forced_colors="null")
        if page.viewport_size != VIEWPORT:
            page.set_viewport_size(VIEWPORT)  # type: ignore[arg-type]
        context.clear_cookies()
    except (Error, ValueError):
        return False
    finally:
        context.remove_listener("dialog", leave)
    return True
