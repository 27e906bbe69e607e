"""Test that an open editor shows what three colleagues do, and that nothing moves."""

from datetime import date

import pytest
from playwright.sync_api import expect

from portal.auth import Profile
from portal.clients import Client
from portal.extensions import db
from tests.browser.page_checks import top_of
from tests.browser.people import CLIENT_PAGE, OpenBrowser, Person
from tests.support.cast import Cast, make_profile
from tests.support.edits import save_for

SMALL = ({"width": 380, "height": 700}, {"width": 640, "height": 400})  # a phone; a window of 1280 px at 200 %
IS_COVERED = """() => {
    const [focused, bar] = [document.activeElement, document.querySelector(".save-bar")].map((element) =>
        element.getBoundingClientRect(),
    );
    return focused.bottom > bar.top || focused.top < 0;
}"""
SIZES_OF_TARGETS = """bar => [...bar.querySelectorAll("a, button")].filter((target) => target.checkVisibility())
    .map((target) => target.getBoundingClientRect()).map(({ width, height }) => Math.min(width, height))"""


@pytest.fixture
def tomasz(app: object) -> Profile:
    return make_profile("Tomasz", "Zielinski")


def test_rail_shows_three_others_and_what_they_have_saved_and_leads_to_their_fields(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, tomasz: Profile, client: Client
) -> None:
    amelia.page.set_viewport_size({"width": 1440, "height": 900})
    amelia.open_editor(client)
    rail = amelia.page.get_by_role("complementary", name="Other users")
    expect(rail).to_be_hidden()
    daniel.open_editor(client)
    daniel.field("Phone").focus()
    waiting = open_browser(tomasz)
    waiting.open(client)
    waiting.wait_for_others()
    waiting.waiting.get_by_role("button", name="Ask to finish").click()
    amelia.field("Town").fill("Bath")
    save_for(cast.ada, client, postcode="BA1 1AA", town="Wells", email="a@mail.example", risk_profile=3)

    here = rail.get_by_role("region", name="Here now").get_by_role("listitem")
    expect(here).to_have_text(["DODaniel OkaforEditing Phone", "TZTomasz ZielinskiWaiting, 1st"])
    saved = rail.get_by_role("region", name="Just saved").get_by_role("listitem")
    expect(saved).to_have_text(["ABAda: Email, Town and 2 morejust now"])
    expect(amelia.page.get_by_role("list", name="Other users on this page").last.get_by_role("img")).to_have_count(2)
    here.get_by_role("link", name="Daniel Okafor").click()
    expect(amelia.field("Phone")).to_be_focused()
    saved.get_by_role("link", name="Email").click()
    expect(amelia.field("Email")).to_be_focused()
    amelia.page.set_viewport_size({"width": 1000, "height": 900})
    expect(rail).to_be_hidden()

    expect(amelia.nudged).to_contain_text("Tomasz is waiting to edit this client.")
    bar = amelia.page.locator(".save-bar")
    for size in SMALL:
        amelia.page.set_viewport_size(size)  # type: ignore[arg-type]
        expect(bar).to_be_in_viewport(ratio=1)
        targets = bar.evaluate(SIZES_OF_TARGETS)
        assert len(targets) == 5
        assert min(targets) >= 44
        for label in ("Name", "Phone", "Postcode", "Next review"):
            amelia.field(label).focus()
            assert not amelia.page.evaluate(IS_COVERED), (size, label)
    amelia.nudged.get_by_role("button", name="Save and hand over").click()
    expect(amelia.page.get_by_role("group", name="Ada saved Wells")).to_be_focused()
    amelia.page.get_by_role("button", name="Keep mine: Town").click()
    amelia.page.keyboard.press("Meta+s")  # Cmd on macOS
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    db.session.rollback()
    assert (client.town, client.postcode) == ("Bath", "BA1 1AA")


def test_notice_above_the_focused_field_moves_neither_the_caret_nor_what_is_under_the_pointer(
    amelia: Person, cast: Cast, client: Client
) -> None:
    """On a phone, where each field is a row, and on a page without room to scroll."""
    amelia.page.set_viewport_size({"width": 380, "height": 700})
    amelia.open_editor(client)
    amelia.field("Phone").fill("01632 960300")
    email = amelia.field("Email")
    town = amelia.field("Town")
    town.press_sequentially("Ba")
    before = top_of(town)
    save_for(cast.daniel, client, phone="01632 960999", email="new@mail.example")
    expect(email).to_have_value("new@mail.example")
    expect(amelia.page.get_by_role("group", name="Daniel saved 01632 960999")).to_be_visible()
    assert abs(top_of(town) - before) <= 1

    postcode = amelia.field("Postcode")
    postcode.hover()
    before = top_of(postcode)
    save_for(cast.daniel, client, address_line1="1 High Street", address_line2="Bath")
    expect(amelia.field("Address line 2")).to_have_value("Bath")
    assert abs(top_of(postcode) - before) <= 1
    expect(town).to_be_focused()
    assert town.evaluate("({ selectionStart }) => selectionStart") == 2

    amelia.page.get_by_role("button", name="Save changes").hover()
    before = top_of(town)
    save_for(cast.daniel, client, client_since=date(2011, 4, 6), name="Whitmore & Sons")
    expect(amelia.field("Name")).to_have_value("Whitmore & Sons")
    assert abs(top_of(town) - before) <= 1
