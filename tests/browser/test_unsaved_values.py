"""See what colleagues type before they save it: who sees it, for how long, and how to take it over."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, expect

from portal.auth import Profile
from portal.clients import Client
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.page_checks import top_of
from tests.browser.people import CLIENT_PAGE, OpenBrowser, Person, reloaded
from tests.support.cast import Cast
from tests.support.edits import save_for

PHONE = "0113 496 0712"


def row(person: Person, name: str) -> Locator:
    """The unsaved values below a field."""
    return person.unsaved(name).locator("p")


def note(person: Person, name: str) -> Locator:
    return person.page.locator(f'[data-field="{name}"] .note')


def test_editors_see_what_a_colleague_types_and_take_it_over_without_a_conflict(
    amelia: Person, daniel: Person, client: Client, open_browser: OpenBrowser, cast: Cast
) -> None:
    ada = open_browser(cast.ada)
    for person in (amelia, ada, daniel):
        person.open_editor(client)
    amelia.field("Postcode").focus()
    before = top_of(amelia.field("Postcode"))
    now = datetime.now(UTC)
    amelia.page.clock.set_fixed_time(now)  # a busy machine may take longer than a user is said to type

    daniel.field("Phone").fill(PHONE)

    for person in (amelia, ada):
        expect(row(person, "phone")).to_contain_text(f"Daniel, not saved yet: {PHONE}")
    expect(note(amelia, "phone")).to_have_text("Daniel is typing")
    assert top_of(amelia.field("Postcode")) == before
    expect(amelia.field("Phone")).to_have_accessible_description(re.compile(PHONE))
    ada.field("Phone").focus()
    expect(amelia.page.locator('[data-field="phone"] .colleagues .avatar')).to_have_count(2)
    expect(amelia.page.locator('[data-field="phone"] .colleagues')).to_have_text(re.compile("^(DOAB|ABDO)$"))
    ada.field("Town").focus()
    amelia.page.clock.set_fixed_time(now + timedelta(seconds=5))
    expect(note(amelia, "phone")).to_have_text("Daniel changed this, not saved yet")

    amelia.page.get_by_role("button", name="Use this: Daniel’s Phone").click()

    expect(amelia.field("Phone")).to_have_value(PHONE)
    expect(amelia.field("Phone")).to_be_focused()
    expect(row(amelia, "phone")).to_have_text("Daniel, not saved yet · the same as yours")
    expect(row(ada, "phone")).to_have_count(2)
    assert reloaded(client).phone == "01632 960001"

    daniel.save()
    expect(daniel.page).to_have_url(CLIENT_PAGE)
    expect(row(amelia, "phone")).to_have_count(0)
    expect(row(ada, "phone")).to_have_count(0)
    amelia.field("Town").fill("Bath")
    amelia.save()
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert (reloaded(client).phone, client.town) == (PHONE, "Bath")


def test_reader_sees_no_value_and_a_user_who_hides_them_shows_none(
    amelia: Person, client: Client, open_browser: OpenBrowser, cast: Cast, vera: Profile
) -> None:
    rhys, hider = open_browser(cast.rhys), open_browser(vera)
    hider.page.goto("/account")
    hider.page.get_by_role("button", name="Hide what I type").click()
    expect(hider.page.get_by_role("button", name="Show what I type")).to_be_visible()
    rhys.open(client)
    for person in (amelia, hider):
        person.open_editor(client)

    contact = rhys.card("Contact").locator("header")
    amelia.field("Phone").focus()
    expect(contact).to_contain_text("Amelia is editing Phone")
    amelia.field("Key information").focus()

    hider.field("Phone").fill(PHONE)
    expect(note(amelia, "phone")).to_have_text("Vera is changing this")
    expect(contact).to_contain_text("Vera is editing Phone")
    amelia.field("Town").fill("Bath")
    expect(row(hider, "town")).to_contain_text("Bath")

    expect(row(amelia, "phone")).to_have_count(0)
    for person, hidden in ((amelia, PHONE), (rhys, PHONE), (rhys, "Bath")):
        assert hidden not in person.page.content()


def test_values_of_heartbeats_without_the_stream_are_added_by_lines_and_disappear_when_access_is_taken_away(
    amelia: Person, daniel: Person, client: Client, cast: Cast, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 404")
    client.notes = "Rang in May.\nSends papers."
    db.session.commit()
    amelia.miss_events()
    amelia.open_editor(client)
    daniel.open_editor(client)
    daniel.field("Phone").fill(PHONE)
    expect(row(amelia, "phone")).to_contain_text(PHONE)
    daniel.field("Phone").fill("01632 960001")  # as it is saved
    expect(row(amelia, "phone")).to_have_count(0)

    amelia.field("Key information").fill("Rang in June.\nSends papers.")
    daniel.field("Key information").fill("Rang in May.\nSends papers.\nHas moved.")
    show = amelia.page.get_by_role("button", name="Show changes: Daniel’s Key information")
    difference = amelia.unsaved("notes").locator("ins")
    show.click()
    expect(difference).to_have_text(re.compile("Has moved."))
    amelia.page.get_by_role("button", name="Add to mine: Daniel’s Key information").click()
    expect(amelia.field("Key information")).to_have_value("Rang in June.\nSends papers.\nHas moved.")
    show.click()
    expect(difference).to_have_count(0)

    daniel.field("Phone").fill(PHONE)
    amelia.field("Town").fill("Bath")
    expect(row(amelia, "phone")).to_contain_text(PHONE)
    expect(row(daniel, "town")).to_contain_text("Bath")

    save_for(cast.amelia, client, is_restricted=True)

    expect(row(amelia, "phone")).to_have_count(0)
    expect(daniel.page.get_by_role("heading", level=1)).to_have_text("You no longer have access to this client record")
    assert "Bath" not in daniel.page.content()
