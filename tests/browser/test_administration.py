"""Administration in the browser, from start to end."""

from playwright.sync_api import expect
from sqlalchemy import select

from portal.auth import Profile
from portal.clients import Client
from portal.extensions import db
from tests.browser.people import OpenBrowser
from tests.support.cast import PASSWORD, Cast, make_profile
from tests.support.factories import make_client


def test_new_client_is_typed_left_restored_and_added(open_browser: OpenBrowser, vera: Profile) -> None:
    make_client(client_ref="KG900000")  # the portal gives the next number, which make_client must not give later
    page = open_browser(vera).page  # drafts of new clients belong to no client, so another test's would be offered too
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


def test_clients_of_a_leaver_are_handed_over_and_the_leaver_is_deactivated(
    open_browser: OpenBrowser, cast: Cast
) -> None:
    leaver = make_profile("Lena", "Lindqvist")
    book = [make_client(f"Of Lena {number}", adviser_id=leaver.id) for number in range(3)]
    page = open_browser(cast.ada).page
    page.goto(f"/users/{leaver.id}")
    page.get_by_role("link", name="Hand over clients").click()
    page.get_by_label("New adviser").select_option("Amelia Hart")
    page.get_by_label("Deactivate Lena first").check()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Hand over").click()

    expect(page.get_by_role("heading", name="3 clients are handed over")).to_be_visible()
    expect(page.get_by_text("Lena Lindqvist can no longer sign in.")).to_be_visible()
    db.session.rollback()
    assert {db.session.get_one(Client, client.id).adviser_id for client in book} == {cast.amelia.id}
