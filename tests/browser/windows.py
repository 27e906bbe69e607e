"""Lend browser windows to one test after the other.

A window is a browser context with one tab. A new context takes 0.4 s of CPU more than another page in an old one:
it starts a renderer, connects, and loads and compiles every script again. A window that returns has a new tab, stores
nothing and is signed in as no user. It is closed instead if the test has changed what cannot be undone.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page

# What lasts in a context and cannot be taken back. What lasts in a page ends with its tab.
LASTING = ("add_init_script", "expose_binding", "expose_function", "set_extra_http_headers", "set_offline")


class Windows:
    """The windows of one browser. Those of different portals are kept apart, because a context has one base URL."""

    def __init__(self, browser: Browser, options: dict[str, Any], init_script: str, patch: pytest.MonkeyPatch) -> None:
        self._browser = browser
        self._options = options
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

        for name in LASTING:
            patch.setattr(BrowserContext, name, noting(getattr(BrowserContext, name)))
        for owner in (BrowserContext, Page):
            patch.setattr(owner, "clock", property(noting(owner.clock.fget)))  # type: ignore[union-attr]


def _is_emptied(context: BrowserContext, url: str) -> bool:
    """Empty a window, and return whether that succeeded."""
    try:
        for page in context.pages:
            page.close()
        context.unroute_all()
        context.clear_cookies()
        session = context.new_cdp_session(context.new_page())
        session.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "local_storage"})
        session.detach()
    except Error:
        return False
    return True
