"""Test that the editor, the client page and the list of viewers show a colleague's field."""

import re

import pytest
from playwright.sync_api import Locator, Route, expect

from portal.clients import Client
from tests.browser.people import OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.factories import make_person, make_product

HAS_COLLEAGUE = re.compile(r"\bhas-colleague\b")


def field(person: Person, name: str) -> Locator:
    return person.page.locator(f'[data-field="{name}"]')


def card(person: Person, title: str) -> Locator:
    return person.page.get_by_role("region", name=title)


def test_editor_marks_the_field_that_a_colleague_is_in(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open_editor(client)
    daniel.open_editor(client)
    before = field(amelia, "phone").bounding_box()

    daniel.field("Phone").focus()

    expect(field(amelia, "phone").locator(".note")).to_have_text("Daniel is here")
    expect(field(amelia, "phone").locator(".colleagues .avatar")).to_have_text("DO")
    expect(field(amelia, "phone")).to_have_class(HAS_COLLEAGUE)
    expect(amelia.field("Phone")).to_have_accessible_description(re.compile("Daniel is here"))
    assert field(amelia, "phone").bounding_box() == before

    daniel.field("Town").press_sequentially("Bath")
    expect(field(amelia, "town").locator(".note")).to_have_text("Daniel is typing")
    expect(field(amelia, "phone")).not_to_have_class(HAS_COLLEAGUE)
    expect(field(amelia, "phone").locator(".note, .colleagues")).to_have_count(0)

    daniel.field("Notes").focus()
    expect(field(amelia, "town").locator(".note")).to_have_text("Daniel changed this, not saved yet")


def test_field_is_unmarked_when_the_colleague_leaves(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open_editor(client)
    daniel.open_editor(client)
    daniel.field("Phone").focus()
    expect(field(amelia, "phone").locator(".note")).to_have_text("Daniel is here")

    daniel.page.close(run_before_unload=True)

    expect(field(amelia, "phone").locator(".note, .colleagues")).to_have_count(0, timeout=30_000)


def test_client_page_names_the_field_on_its_card(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open(client)
    daniel.open_editor(client)

    daniel.field("Phone").focus()
    expect(card(amelia, "Contact").locator("header")).to_contain_text("Daniel is editing Phone")

    daniel.field("Notes").focus()
    expect(card(amelia, "Objectives and notes").locator("header")).to_contain_text("Daniel is editing Notes")
    expect(card(amelia, "Contact").locator("header")).not_to_contain_text("Daniel")

    daniel.save()
    expect(amelia.page.locator(".editors")).to_have_count(0)


@pytest.mark.parametrize("kind", ["person", "product"])
def test_client_page_marks_the_part_that_a_colleague_edits(
    amelia: Person, daniel: Person, client: Client, kind: str
) -> None:
    part = make_person(client, "Ruth") if kind == "person" else make_product(client, ("2026-03-31", "1.00"))
    amelia.open(client)

    daniel.open_editor_at(f"/clients/{client.id}/{kind}/{part.id}/edit")

    mark = amelia.page.locator("[data-part] > .editors")
    expect(mark).to_contain_text("Daniel is editing")
    daniel.page.locator("form[data-edit-form] .field input").first.focus()
    expect(mark).to_have_count(1)


def test_marks_stay_when_the_page_brings_itself_up_to_date(
    amelia: Person, daniel: Person, client: Client, open_browser: OpenBrowser, cast: Cast
) -> None:
    amelia.open(client)
    daniel.open_editor(client)
    daniel.field("Phone").focus()
    expect(card(amelia, "Contact").locator(".editors")).to_have_count(1)

    ada = open_browser(cast.ada)
    ada.open_editor(client)
    ada.field("Email").fill("new@example.com")
    ada.save()

    expect(card(amelia, "Contact")).to_contain_text("new@example.com")
    expect(card(amelia, "Contact").locator(".editors")).to_have_count(1)


def test_list_of_viewers_leads_to_what_a_colleague_edits(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.open(client)
    daniel.open_editor(client)
    daniel.field("Notes").focus()

    amelia.page.locator("presence-indicator summary").click()
    amelia.page.get_by_role("button", name="Editing Notes").click()
    expect(card(amelia, "Objectives and notes")).to_be_focused()

    amelia.open_editor(client)
    amelia.page.locator("presence-indicator summary").click()
    amelia.page.get_by_role("button", name="Editing Notes").click()
    expect(amelia.field("Notes")).to_be_focused()


def test_click_while_the_module_of_the_editor_loads_leads_to_the_field(
    amelia: Person, daniel: Person, client: Client
) -> None:
    daniel.open_editor(client)
    daniel.field("Notes").fill("Rang.")
    held: list[Route] = []

    def hold(route: Route) -> None:  # Playwright rejects the bound method of a list
        held.append(route)

    amelia.page.route("**/editing/remote/incoming.js", hold)
    with amelia.page.expect_request("**/editing/remote/incoming.js"):
        amelia.open_editor(client)

    amelia.page.locator("presence-indicator summary").click()
    amelia.page.get_by_role("button", name="Editing Notes").click()
    held.pop().continue_()

    expect(amelia.field("Notes")).to_be_focused()


def test_reader_sees_the_field(amelia: Person, client: Client, open_browser: OpenBrowser, cast: Cast) -> None:
    rhys = open_browser(cast.rhys)
    rhys.open(client)
    amelia.open_editor(client)
    amelia.field("Phone").focus()

    expect(card(rhys, "Contact").locator("header")).to_contain_text("Amelia is editing Phone")
