"""Test people, products and valuations in the browser: two users edit one of them, and undo changes."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from playwright.sync_api import expect

from portal.clients import Client
from portal.clients.records.entries import PERSON, PRODUCT, VALUATION, EntryKind
from portal.clients.saving import operations
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.people import Person
from tests.support.cast import Cast
from tests.support.edits import edit_from
from tests.support.factories import make_product


def add_for(cast: Cast, client: Client, kind: EntryKind, values: Mapping[str, Any], parent: int | None = None) -> None:
    """Let Daniel add a part of the record in another session."""
    db.session.refresh(client)
    operations.add_part(client, kind, edit_from(client.version, cast.daniel.id, values), parent)
    db.session.commit()


def test_fee_of_another_user_is_merged_or_asked_about_and_can_be_undone(
    amelia: Person, daniel: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 409")
    plan = f"P{client.id}"
    product = make_product(client, (date(2026, 3, 31), "1000"), plan_number=plan, fixed_fee="100")
    editor = f"/clients/{client.id}/product/{product.id}/edit"
    amelia.open_editor_at(editor)
    daniel.open_editor_at(editor)
    amelia.sees(f"Daniel is editing ISA {plan}")
    daniel.field("Fixed fee").fill("250")
    amelia.sees(f"Daniel is editing ISA {plan}: Fixed fee")
    expect(amelia.page.get_by_text("Daniel, not saved yet: 250")).to_be_visible()

    daniel.field("Provider").fill("Zurich")
    daniel.save()
    expect(daniel.page).to_have_url(re.compile(rf"/product/{product.id}$"))
    expect(amelia.field("Provider")).to_have_value("Zurich")
    expect(amelia.field("Fixed fee")).to_have_value("250.00")

    amelia.field("Fixed fee").fill("275")
    amelia.save()
    expect(amelia.page.get_by_role("main")).to_contain_text("£275.00 a year")
    amelia.page.goto(f"/clients/{client.id}/history")
    amelia.page.get_by_role("link", name=f"Undo change 2 of ISA {plan}").click()
    amelia.page.get_by_role("button", name="Undo change 2").click()
    question = amelia.page.get_by_role("group", name="Fixed fee")
    question.get_by_role("radio", name="As before that change").check()
    amelia.save()
    expect(amelia.page.get_by_role("main")).to_contain_text("Change 2 is undone.")
    expect(amelia.page.get_by_role("main")).to_contain_text("£275.00 → £100.00")


def test_open_history_and_product_page_show_changes_of_another_user(amelia: Person, cast: Cast, client: Client) -> None:
    product = make_product(client, (date(2026, 3, 31), "1000"), plan_number=f"P{client.id}")
    amelia.page.goto(f"/clients/{client.id}/product/{product.id}")
    another = amelia.another_tab()
    another.page.goto(f"/clients/{client.id}/history")
    add_for(cast, client, VALUATION, {"valued_on": date(2026, 6, 30), "amount": Decimal("1100.00")}, product.id)

    expect(amelia.page.get_by_role("table")).to_contain_text("£1,100.00")
    expect(amelia.page.get_by_text(f"Daniel added the valuation of ISA P{client.id} on 30 Jun 2026")).to_be_visible()
    undo = another.page.get_by_role("link", name="Undo change 2")
    undo.focus()
    add_for(cast, client, PERSON, {"first_name": "Ruth", "last_name": "Whitmore"})

    expect(another.page.get_by_role("link", name="Undo change 3")).to_be_visible()
    expect(undo).to_be_focused()  # the new entry was inserted above it


def test_open_form_says_that_another_user_has_just_added_the_same_person(
    amelia: Person, cast: Cast, client: Client
) -> None:
    amelia.open_path(f"/clients/{client.id}/person/new")
    amelia.field("First name").fill("Ruth")
    said = amelia.page.locator('[data-field="first_name"] .choice')
    add_for(cast, client, PERSON, {"first_name": "Ruth", "last_name": "Whitmore"})

    amelia.field("Last name").fill("Whitmore")
    amelia.field("Last name").press("Tab")
    expect(said).to_contain_text("Daniel Okafor added Ruth Whitmore")
    expect(said.get_by_role("link", name="Open Ruth Whitmore")).to_have_attribute(
        "href", re.compile(r"/person/\d+/edit$")
    )
    expect(amelia.field("First name")).to_have_accessible_description(re.compile("is this the same person?"))
    amelia.field("Last name").fill("Whitby")
    amelia.field("Last name").press("Tab")
    expect(said).to_have_count(0)
    amelia.field("Last name").fill("Whitmore")
    amelia.field("Last name").press("Tab")
    said.get_by_role("button", name="This is another person").click()
    expect(said).to_have_count(0)
    amelia.field("Known as").fill("Ruthie")
    amelia.field("Known as").press("Tab")
    expect(said).to_have_count(0)
    amelia.save()
    expect(amelia.page.get_by_text("Ruth Whitmore is added.")).to_be_visible()


def test_open_form_says_that_another_user_has_just_added_the_same_product(
    amelia: Person, cast: Cast, client: Client
) -> None:
    amelia.open_path(f"/clients/{client.id}/product/new")
    amelia.field("Plan number").fill(f"P {client.id}")
    stocks = {"plan_number": f"P{client.id}", "product_name": "Stocks", "product_type": "ISA", "provider": "Aviva"}
    add_for(cast, client, PRODUCT, stocks)

    said = amelia.page.locator('[data-field="plan_number"] .choice')
    expect(said).to_contain_text(f"Daniel Okafor added ISA P{client.id}")
    wait_until_draft_is_kept(amelia)  # sent while leaving, it may arrive after the request for the next page
    said.get_by_role("link", name=f"Open ISA P{client.id}").hover()
    with amelia.page.expect_response("**/same"):  # pressing the button leaves the field, so the form asks again
        amelia.page.mouse.down()
    amelia.page.evaluate("() => new Promise(requestAnimationFrame)")
    amelia.page.mouse.up()
    expect(amelia.page.get_by_role("heading", name="Stocks")).to_be_visible()
    amelia.page.goto(f"/clients/{client.id}/product/new")
    expect(amelia.page.get_by_text("You have unsaved changes")).to_contain_text("(Plan number)")


def test_page_that_removes_a_part_says_who_is_editing_it(amelia: Person, daniel: Person, client: Client) -> None:
    name = f"ISA P{client.id}"
    product = make_product(client, (date(2026, 3, 31), "1000"), plan_number=f"P{client.id}")
    other = make_product(client, plan_number=f"P{client.id}1")
    warning = amelia.page.get_by_role("status").filter(has_text="Daniel Okafor is editing")
    daniel.page.goto(f"/clients/{client.id}/product/{other.id}/edit")
    amelia.page.goto(f"/clients/{client.id}/product/{product.id}/remove")
    amelia.sees(f"Daniel is editing {name}1")
    expect(warning).to_have_count(0)

    daniel.open_editor_at(f"/clients/{client.id}/product/{product.id}/edit")
    expect(warning).to_have_text(f"Daniel Okafor is editing {name}. Their changes cannot be saved after the removal.")
    daniel.field("Provider").fill("Zurich")
    expect(warning).to_contain_text(f"is editing {name}: Provider.")
    daniel.page.goto(f"/clients/{client.id}/product/{product.id}/valuation/new")
    expect(warning).to_contain_text(f"is editing New valuation of {name}.")

    daniel.leave()
    expect(warning).to_have_count(0)


def test_amount_that_the_user_has_left_is_formatted_also_if_its_module_comes_later(
    amelia: Person, client: Client
) -> None:
    product = make_product(client, (date(2026, 8, 21), "991071.63"), plan_number=f"P{client.id}")
    held = amelia.hold("**/editing/amount-fields.js")
    amelia.page.goto(f"/clients/{client.id}/product/{product.id}/valuation/new")
    amount = amelia.field("Amount")
    with amelia.page.expect_request("**/editing/amount-fields.js"):
        amount.fill("2500")
    amelia.field("Valued on").focus()
    held.pop().continue_()
    expect(amount).to_have_value("2,500.00")
    expect(amount).to_have_accessible_description("Last: £991,071.63 on 21 Aug 2026")
    amount.fill("lots")
    amelia.field("Valued on").fill("30/9/2026")
    expect(amount).to_have_value("lots")
    amount.fill("1034567.5")
    amelia.field("Valued on").focus()
    expect(amount).to_have_value("1,034,567.50")
    amelia.save()

    expect(amelia.page.get_by_role("table")).to_contain_text("£1,034,567.50")
    amelia.page.goto(f"/clients/{client.id}/product/{product.id}/edit")
    fee = amelia.field("Fixed fee")
    expect(fee).to_have_value("0.00")
    fee.fill("1250")
    expect(fee).to_have_accessible_description("Pounds a year · saved: £0.00")
