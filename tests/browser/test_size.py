"""The promise on size: a client page or its editor is sent less than 60 KB of JavaScript and CSS before compression."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Response

from portal.clients import Client
from tests.browser.people import Person, SitDown
from tests.cast import Cast
from tests.platform.portal import Portal

PROMISED_BYTES = 60_000
Opened = Callable[[Person, Client], None]


@pytest.mark.parametrize("opened", [Person.open, Person.open_editor], ids=["client page", "editor"])
def test_scripts_and_styles_keep_within_the_promise(amelia: Person, client: Client, opened: Opened) -> None:
    files = responses_while_opening(amelia, client, ("script", "stylesheet"), opened)
    sizes = {response.url.split("/static/", 1)[-1]: len(response.body()) for response in files}
    assert {"main.js", "page.js", "tokens.css"} <= {path.rsplit("/", 1)[-1] for path in sizes}
    assert sum(sizes.values()) < PROMISED_BYTES, sizes


def test_they_are_compressed_and_kept_for_ever(amelia: Person, client: Client) -> None:
    responses = responses_while_opening(amelia, client, ("script", "stylesheet"))
    assert len(responses) > 20
    for response in responses:
        assert "immutable" in response.headers["cache-control"]
        assert response.headers.get("content-encoding") in ("gzip", "br") or len(response.body()) < 1000


def test_nothing_is_asked_of_anybody_else(
    sit_down: SitDown, unhurried_portal: Portal, cast: Cast, client: Client
) -> None:
    amelia = sit_down(cast.amelia, at=unhurried_portal)
    responses = responses_while_opening(amelia, client, None)
    assert len(responses) > 20
    for response in responses:
        assert response.url.startswith(f"{unhurried_portal.url}/")


def responses_while_opening(
    person: Person, client: Client, kinds: tuple[str, ...] | None, opened: Opened = Person.open
) -> list[Response]:
    """What the page is sent, of these kinds or all."""
    heard: list[Response] = []

    def hear(response: Response) -> None:  # Playwright takes no method of a list
        heard.append(response)

    person.page.on("response", hear)
    opened(person, client)
    person.page.wait_for_load_state()
    return [response for response in heard if kinds is None or response.request.resource_type in kinds]
