"""Test printed pages: no controls, and on each sheet the confidentiality notice and the time."""

import io
import unicodedata
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader
from sqlalchemy import select

from portal.clients import Client, Product
from portal.extensions import db
from tests.browser.people import OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person, make_product

# The texts of all visible controls, except the fields of an editor, which are its content.
CONTROLS = """() => [...document.querySelectorAll("button, nav, form, input, select, textarea, dialog, .button, a")]
    .filter((each) => each.checkVisibility() && !each.closest(".editor, h1") && !each.matches("form:has(table)"))
    .filter((each) => !each.matches("a") || /^(Edit|Add |All changes|Who sees|Remove|Undo)/.test(each.textContent))
    .map((each) => each.outerHTML)"""


@pytest.fixture
def client(cast: Cast) -> Client:
    """Create a client with more products than one sheet can show."""
    client = make_client("Whitmore Family", adviser_id=cast.amelia.id)
    make_person(client)
    for n in range(40):
        make_product(client, (date(2026, 1, 31), "1000.00"), plan_number=f"P{n}-{client.id}")
    return client


def test_each_sheet_says_that_it_is_confidential_and_when_it_was_printed(amelia: Person, client: Client) -> None:
    amelia.page.clock.install(time=datetime(2026, 12, 8, 10, 30, tzinfo=UTC))
    amelia.open(client)
    amelia.page.clock.fast_forward(12 * 60_000)

    sheets = sheets_of(amelia.page)

    assert len(sheets) >= 2
    for number, text in enumerate(sheets, 1):
        assert "Confidential · Kingston’s Portal" in text
        assert "Printed on 8 December 2026 at 10:42" in text
        assert f"Page {number} of {len(sheets)}" in text
    assert "Whitmore Family" in sheets[0]
    assert client.client_ref in " ".join(sheets)


def test_pages_of_a_client_are_printed_without_controls(amelia: Person, client: Client) -> None:
    product_id = db.session.scalars(select(Product.id).where(Product.client_id == client.id)).first()
    paths = ["", "/history", "/access", "/edit", f"/product/{product_id}"]

    printed = {path: printed_controls(amelia, f"/clients/{client.id}{path}") for path in paths}

    assert printed == {path: [] for path in paths}


def test_lists_are_printed_without_controls(open_browser: OpenBrowser, cast: Cast, client: Client) -> None:
    ada = open_browser(cast.ada)
    paths = ["/clients", "/users", "/audit", "/account"]

    printed = {path: printed_controls(ada, path) for path in paths}

    assert printed == {path: [] for path in paths}


def printed_controls(person: Person, path: str) -> list[str]:
    """Return the controls that the printed page shows. The page on the screen has some, and a heading in both cases."""
    person.page.emulate_media(media="screen")
    person.page.goto(path)
    assert person.page.evaluate(CONTROLS) != [], path
    person.page.emulate_media(media="print")
    assert person.page.get_by_role("heading", level=1).is_visible(), path
    controls: list[str] = person.page.evaluate(CONTROLS)
    return controls


def sheets_of(page: Page) -> list[str]:
    """Return the text of each sheet, without ligatures."""
    sheets = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    return [unicodedata.normalize("NFKC", sheet.extract_text()) for sheet in sheets]
