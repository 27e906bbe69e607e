"""Test that the editor, the client page and the list of viewers show a colleague's field."""

import re

from playwright.sync_api import Locator, expect

from portal.clients import Client
from tests.browser.people import Person
from tests.support.cast import Cast
from tests.support.edits import save_for

HAS_COLLEAGUE = re.compile(r"\bhas-colleague\b")
CHANGING = "(is typing|changed this, not saved yet)"


def field(person: Person, name: str) -> Locator:
    return person.page.locator(f'[data-field="{name}"]')


def note(person: Person, name: str) -> Locator:
    return field(person, name).locator(".note")


def test_editor_marks_and_describes_the_field_that_a_colleague_is_in_or_changes_until_the_colleague_leaves(
    amelia: Person, daniel: Person, client: Client
) -> None:
    amelia.open_editor(client)
    daniel.open_editor(client)
    review, hint = amelia.field("Next review"), "Day first, such as 31/12/2026"
    expect(review).to_have_accessible_description(hint)
    daniel.field("Next review").fill("8/12/2026")
    shared = "Daniel, not saved yet: 8/12/2026"
    expect(review).to_have_accessible_description(re.compile(f"^{hint} Daniel {CHANGING}.*{shared}"))
    daniel.field("Next review").fill("")
    daniel.field("Name").focus()
    expect(review).to_have_accessible_description(hint)
    assert review.get_attribute("aria-describedby") == "next_review_on-hint"

    before = field(amelia, "phone").bounding_box()
    daniel.field("Phone").focus()
    expect(note(amelia, "phone")).to_have_text("Daniel is here")
    expect(field(amelia, "phone").locator(".colleagues .avatar")).to_have_text("DO")
    expect(field(amelia, "phone")).to_have_class(HAS_COLLEAGUE)
    expect(amelia.field("Phone")).to_have_accessible_description(re.compile("Daniel is here"))
    assert field(amelia, "phone").bounding_box() == before

    daniel.field("Town").press_sequentially("Bath")
    expect(note(amelia, "town")).to_have_text("Daniel is typing")
    expect(field(amelia, "phone")).not_to_have_class(HAS_COLLEAGUE)
    expect(field(amelia, "phone").locator(".note, .colleagues")).to_have_count(0)

    daniel.field("Key information").focus()
    expect(note(amelia, "town")).to_have_text("Daniel changed this, not saved yet")

    daniel.field("Phone").fill("01632 960999")
    expect(note(amelia, "phone")).to_have_text(re.compile(f"Daniel {CHANGING}"))
    expect(amelia.field("Phone")).to_have_accessible_description(re.compile(f"Daniel {CHANGING}"))
    expect(note(amelia, "notes")).to_have_count(0)
    amelia.field("Phone").fill("01632 960300")
    expect(note(daniel, "phone")).to_have_text(re.compile(f"Amelia {CHANGING}"))
    daniel.field("Phone").fill(client.phone)
    daniel.field("Town").focus()
    expect(note(amelia, "phone")).to_have_count(0)

    expect(note(amelia, "town")).to_have_text(re.compile(f"Daniel {CHANGING}"))
    daniel.page.close()
    expect(amelia.page.locator("form .note, form .colleagues")).to_have_count(0, timeout=30_000)


def test_client_page_names_the_field_on_its_card_also_after_a_change_and_leads_to_it(
    amelia: Person, daniel: Person, client: Client, cast: Cast
) -> None:
    amelia.open(client)
    daniel.open_editor(client)

    daniel.field("Phone").focus()
    expect(amelia.card("Contact").locator("header")).to_contain_text("Daniel is editing Phone")
    expect(amelia.card("Contact").locator(".editors")).to_have_count(1)
    save_for(cast.ada, client, email="new@example.com")
    expect(amelia.card("Contact")).to_contain_text("new@example.com")
    expect(amelia.card("Contact").locator(".editors")).to_have_count(1)

    daniel.field("Key information").focus()
    expect(amelia.card("Objectives and key information").locator("header")).to_contain_text(
        "Daniel is editing Key information"
    )
    expect(amelia.card("Contact").locator("header")).not_to_contain_text("Daniel")
    amelia.page.locator("presence-indicator summary").click()
    amelia.page.get_by_role("button", name="Editing Key information").click()
    expect(amelia.card("Objectives and key information")).to_be_focused()

    daniel.save()
    expect(amelia.page.locator(".editors")).to_have_count(0)


def test_list_of_viewers_leads_to_the_field_also_if_it_is_clicked_while_the_module_of_the_editor_loads(
    amelia: Person, daniel: Person, client: Client
) -> None:
    daniel.open_editor(client)
    daniel.field("Key information").fill("Rang.")
    held = amelia.hold("**/editing/remote/incoming.js")
    with amelia.page.expect_request("**/editing/remote/incoming.js"):
        amelia.open_editor(client)
    viewers = amelia.page.locator("presence-indicator summary")
    field = amelia.page.get_by_role("button", name="Editing Key information")
    viewers.click()
    field.click()
    held.pop().continue_()
    expect(amelia.field("Key information")).to_be_focused()

    amelia.field("Name").focus()
    viewers.click()
    field.click()
    expect(amelia.field("Key information")).to_be_focused()
