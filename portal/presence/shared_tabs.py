"""Which tabs one browser listens for by one stream, read from an address. Pure; called by views.py."""

from collections.abc import Sequence

from portal import pages
from portal.errors import InvalidInput
from portal.live import Tab
from portal.presence.beats import stream_number_from, tab_id_from

MAX_SHARED_TABS = 24
EXAMPLE = "client-42:tab-1:3, a page, a tab and which of its streams this is"


def shared_tabs_from(texts: Sequence[str]) -> list[Tab]:
    """Raises InvalidInput (422), or NotFound (404) for a page of no known kind."""
    if not 0 < len(texts) <= MAX_SHARED_TABS:
        raise InvalidInput("tab", f"name 1 to {MAX_SHARED_TABS} tabs such as {EXAMPLE}")
    tabs = [_tab(text) for text in texts]
    if len({(tab.page, tab.tab_id) for tab in tabs}) < len(tabs):
        raise InvalidInput("tab", "must not name a tab twice")
    return tabs


def _tab(text: str) -> Tab:
    parts = text.split(":")
    if len(parts) != 3:
        raise InvalidInput("tab", f"must be such as {EXAMPLE}")
    identifier, tab_id, number = parts
    return Tab(pages.parse(identifier), tab_id_from(tab_id), stream_number_from(number))
