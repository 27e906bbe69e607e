"""Administration in the browser, from start to end."""

from playwright.sync_api import expect
from sqlalchemy import select

from portal.clients import Client
from portal.extensions import db
from tests.browser.people import OpenBrowser
from tests.support.cast import Cast


def test_new_client_is_typed_left_restored_and_added(open_browser: OpenBrowser, cast: Cast) -> None:
    page = open_browser(cast.amelia).page
    page.goto("/clients")
    page.get_by_role("link", name="Add a client").click()
    page.get_by_label("Name").fill("Added in a browser")
    page.get_by_label("Town").fill("Bath")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Keep as draft").click()
    expect(page.get_by_role("heading", name="Clients", exact=True)).to_be_visible()

    page.get_by_role("link", name="Add a client").click()
    page.get_by_role("link", name="Restore").click()
    expect(page.get_by_label("Town")).to_have_value("Bath")
    page.keyboard.press("Control+s")

    expect(page.locator(".flash")).to_contain_text("Added in a browser is added as KG")
    [client] = db.session.scalars(select(Client).where(Client.name == "Added in a browser"))
    assert client.town == "Bath"
    page.goto("/clients/new")
    expect(page.get_by_role("link", name="Restore")).to_have_count(0)
