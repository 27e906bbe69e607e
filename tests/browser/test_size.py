"""Test that a client page and its editor load less than 60 KB of JavaScript and CSS before compression."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Response

from portal.clients import Client
from tests.browser.people import OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.server import Portal

MAX_BYTES = 60_000
Opened = Callable[[Person, Client], None]


@pytest.mark.parametrize("opened", [Person.open, Person.open_editor], ids=["client page", "editor"])
def test_scripts_and_styles_are_small_compressed_cached_and_from_the_portal_alone(
    open_browser: OpenBrowser, cast: Cast, client: Client, portal: Portal, opened: Opened
) -> None:
    pytest.importorskip("minify", reason="the minifier has no wheel for this system")
    amelia = open_browser(cast.amelia, is_new=True)
    responses = responses_while_opening(amelia, client, opened)
    assert [response.url for response in responses if not response.url.startswith(f"{portal.url}/")] == []

    files = [response for response in responses if response.request.resource_type in ("script", "stylesheet")]
    sizes = {response.url.split("/static/", 1)[-1]: len(response.body()) for response in files}
    assert {"every-page.js", "page.js", "tokens.css"} <= {path.rsplit("/", 1)[-1] for path in sizes}
    assert sum(sizes.values()) < MAX_BYTES, sizes
    for response in files:
        assert "immutable" in response.headers["cache-control"]
        assert response.headers.get("content-encoding") in ("gzip", "br") or len(response.body()) < 1000


def responses_while_opening(person: Person, client: Client, opened: Opened) -> list[Response]:
    """Return the responses to all requests of the page."""
    heard: list[Response] = []

    def hear(response: Response) -> None:  # Playwright rejects the bound method of a list
        heard.append(response)

    person.page.on("response", hear)
    opened(person, client)
    person.page.wait_for_load_state()
    return heard
