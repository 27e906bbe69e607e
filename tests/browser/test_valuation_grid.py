"""Test the grid of a client's valuations in the browser: pasting from a spreadsheet, beside a colleague."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select

from portal import clock
from portal.clients import Client, Product, Valuation
from portal.extensions import db
from portal.formatting import day
from tests.browser.browser_errors import BrowserErrors
from tests.browser.drafts import wait_until_draft_is_kept
from tests.browser.people import CLIENT_PAGE, Person, paste_into, start_paste
from tests.support.factories import make_product

MARCH = date(2026, 3, 31)


@pytest.fixture(autouse=True)
def _products(client: Client) -> None:
    for name in ("A1", "A2", "A3"):
        make_product(client, (MARCH, "100"), plan_number=f"{name}-{client.id}", product_name=name)


def open_grid(person: Person, client: Client) -> None:
    person.open_editor_at(f"/clients/{client.id}/valuations")


def amount(person: Person, name: str) -> Locator:
    return person.page.get_by_label(re.compile(f"^ISA {name}-"))


def save(person: Person) -> None:
    person.page.get_by_role("button", name="Save valuations").press("Enter")


def values_of(client: Client, on: date) -> dict[str, Decimal]:
    db.session.rollback()
    rows = select(Product.product_name, Valuation.amount).join(Valuation, Valuation.product_id == Product.id)
    found = db.session.execute(rows.where(Product.client_id == client.id, Valuation.valued_on == on))
    return {row.product_name: row.amount for row in found}


def test_two_users_paste_for_different_products_and_both_are_saved(
    amelia: Person, daniel: Person, client: Client
) -> None:
    amelia.open(client)
    amelia.page.get_by_role("link", name="Enter valuations").click()
    expect(amelia.page.get_by_role("heading", level=1)).to_have_text("Valuations of Whitmore Family")
    open_grid(daniel, client)

    paste_into(amount(amelia, "A1"), f"Plan\tValue\r\na1 {client.id}\t£101.5\r\nB9\t£5\r\nA2\t n/a \r\n")
    result = amelia.page.locator("[data-paste-result]")
    expect(result).to_contain_text("2 amounts are pasted and not saved yet. The heading “Plan, Value” is left out.")
    expect(result).to_contain_text(f"Not an amount: ISA A2-{client.id}. 1 row belongs to no product")
    expect(amount(amelia, "A1")).to_have_value("101.50")
    expect(amount(amelia, "A2")).to_have_attribute("aria-invalid", "true")
    expect(amount(amelia, "A1")).not_to_have_attribute("aria-invalid", "true")
    amount(amelia, "A2").fill("7")
    result.get_by_role("button", name="Undo").click()
    expect(result).to_have_text("The paste is undone, except for what you have changed since.")
    expect(amount(amelia, "A1")).to_have_value("")
    expect(amount(amelia, "A2")).to_have_value("7.00")
    expect(amelia.field("Rows that are not placed")).to_be_hidden()
    paste_into(amount(amelia, "A1"), "101.50\r\n102\r\n")
    expect(amelia.page.locator("[data-entered]")).to_have_text("2")
    expect(amelia.page.locator("[data-after-gbp]")).to_have_text("£303.50")
    daniel.is_told(client, {"Amelia": "editing", "Daniel": "editing"})
    amount(amelia, "A2").press("Enter")
    expect(amount(amelia, "A3")).to_be_focused()
    paste_into(amount(daniel, "A3"), "A3\t£103.00\n")
    save(daniel)
    expect(daniel.page).to_have_url(CLIENT_PAGE)
    expect(amelia.page.get_by_text("this day: £103.00")).to_be_visible()
    save(amelia)

    expect(amelia.page).to_have_url(CLIENT_PAGE)
    expect(amelia.page.locator(".flash")).to_contain_text("together with Daniel’s change to the valuation of ISA A3")
    today = {"A1": Decimal("101.50"), "A2": Decimal(102), "A3": Decimal(103)}
    assert values_of(client, clock.today()) == today


def test_amount_of_the_same_product_and_day_is_decided_in_its_cell(
    amelia: Person, daniel: Person, client: Client
) -> None:
    open_grid(amelia, client)
    open_grid(daniel, client)
    for name, typed in (("A1", "101"), ("A2", "102")):
        amount(amelia, name).fill(typed)
    for name, typed in (("A1", "99"), ("A2", "98"), ("A3", "97")):
        amount(daniel, name).fill(typed)
    save(daniel)
    expect(daniel.page).to_have_url(CLIENT_PAGE)

    cells = {name: amelia.page.locator("td").filter(has=amount(amelia, name)) for name in ("A1", "A2", "A3")}
    expect(cells["A1"]).to_contain_text("Daniel saved £99.00")
    expect(amount(amelia, "A3")).to_have_value("97.00")
    expect(amelia.page.locator("[data-entered]")).to_have_text("3")
    save(amelia)
    expect(cells["A1"].locator("[data-undecided]")).to_be_focused()  # the save waits for the decisions
    cells["A1"].get_by_role("button", name="Keep mine").click()
    cells["A2"].get_by_role("button", name="Use Daniel’s").click()
    expect(amount(amelia, "A2")).to_have_value("98.00")
    wait_until_draft_is_kept(amelia)
    amelia.reload()
    expect(cells["A2"].get_by_role("button", name="Put mine back")).to_be_visible()
    save(amelia)

    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert values_of(client, clock.today()) == {"A1": Decimal(101), "A2": Decimal(98), "A3": Decimal(97)}
    expect(daniel.page.locator(".overruled")).to_contain_text("£101.00")


def test_typed_amounts_go_along_to_another_day_and_survive_a_reload(amelia: Person, client: Client) -> None:
    yesterday = clock.today() - timedelta(days=1)
    open_grid(amelia, client)
    amount(amelia, "A1").fill("101")
    wait_until_draft_is_kept(amelia)
    amelia.field("Valued on").fill(yesterday.isoformat())
    amelia.field("Valued on").press("Tab")

    expect(amelia.page).to_have_url(re.compile(f"day={yesterday}"))
    expect(amelia.page.get_by_text(f"This is the grid of {day(yesterday)} now. Nothing is saved yet.")).to_be_visible()
    amelia.reload()
    expect(amount(amelia, "A1")).to_have_value("101.00")
    save(amelia)
    expect(amelia.page).to_have_url(CLIENT_PAGE)
    assert (values_of(client, yesterday), values_of(client, clock.today())) == ({"A1": Decimal(101)}, {})


def test_rows_pasted_on_a_slow_line_are_placed_or_kept_below_when_the_user_saves_at_once(
    amelia: Person, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 422")
    held = amelia.hold("**/valuations/paste.js*")
    open_grid(amelia, client)
    rest = amelia.field("Rows that are not placed")
    start_paste(amount(amelia, "A1"), "A1\t£101\r\nA2\t£102\r\n")
    expect(rest).to_have_value("A1\t£101\nA2\t£102")
    start_paste(amount(amelia, "A1"), "A3\t£103\r\nB9\t£5")
    held[0].continue_()
    expect(rest).to_have_value("B9\t£5")
    values = [amount(amelia, name) for name in ("A1", "A2", "A3")]
    for control, value in zip(values, ("101.00", "102.00", "103.00"), strict=True):
        expect(control).to_have_value(value)

    wait_until_draft_is_kept(amelia)
    amelia.reload()
    held = amelia.hold("**/valuations/paste.js*")
    start_paste(amount(amelia, "A1"), "A1\t£99\r\nA2\t£98\r\n")
    save(amelia)

    expect(amelia.page).to_have_title(re.compile("^Error"))
    expect(rest).to_have_value("B9\t£5\nA1\t£99\nA2\t£98")
    assert values_of(client, clock.today()) == {}
