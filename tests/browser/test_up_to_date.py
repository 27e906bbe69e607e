"""Test that an open page stays up to date: ages, the tab's title, and highlights of changes."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal import clock
from portal.auth import Profile
from portal.clients import Client, Product
from portal.clients import Person as ClientPerson
from portal.clients.records.entries import PERSON, VALUATION, Entry
from portal.clients.saving import operations
from portal.extensions import db
from portal.formatting import day
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import CHANGES, Person
from tests.support.cast import Cast
from tests.support.edits import edit_from, save_for
from tests.support.factories import make_client, make_person, make_product

LIGHT_MS = 4000  # static/js/lib/highlight.js
NAMES = ("Whitmore Family", "Whitmore & $& Sons")  # "$&" would insert the old name in a replacement
PORTAL = " · Kingston’s Portal"
# The texts of the visible highlights, and of each whether it is painted inside its card.
VALUED_AGO = timedelta(days=271)  # the chart has a point at nine months, which is earlier on every day of the year
LIT = """() => [...document.querySelectorAll(".just-changed")].filter((el) => el.checkVisibility()).map((element) => {
    const spreads = getComputedStyle(element).boxShadow.matchAll(/([\\d.]+)px(?! \\d)/g);
    const spread = Math.max(0, ...[...spreads].map(([, px]) => Number(px)));
    const own = element.getBoundingClientRect();
    const card = (element.closest(".card") ?? document.body).getBoundingClientRect();
    const isInside = own.left - spread >= card.left && own.right + spread <= card.right
        && own.top - spread >= card.top && own.bottom + spread <= card.bottom;
    return [element.textContent.replace(/\\s+/g, " ").trim(), isInside];
})"""


@pytest.fixture
def client(cast: Cast) -> Client:
    client = make_client("Whitmore Family", adviser_id=cast.amelia.id, email="ruth@mail.example", town="Bath")
    for first_name in ("Ruth", "Edward", "Tom"):
        make_person(client, first_name)
    for number in ("A1", "B2", "C3"):
        make_product(client, (clock.today() - timedelta(days=300), "1000.00"), plan_number=f"{number}-{client.id}")
    return client


def minutes_pass(person: Person, minutes: int) -> None:
    person.page.clock.fast_forward(minutes * 60_000)


def test_ages_grow_while_a_page_is_open_also_those_that_came_later_or_while_the_tab_was_hidden(
    amelia: Person, client: Client, cast: Cast
) -> None:
    save_for(cast.daniel, client, phone="01632 960001")
    amelia.page.clock.install()
    amelia.open(client)
    ages = amelia.page.locator("time[data-age-seconds]")
    expect(ages).to_have_text(["less than a minute ago"] * 2)  # in the history, and at the record's last change

    minutes_pass(amelia, 1)
    expect(ages).to_have_text(["1 minute ago"] * 2)
    minutes_pass(amelia, 4)
    expect(ages).to_have_text(["5 minutes ago"] * 2)

    save_for(cast.daniel, client, phone="01632 960002")
    expect(amelia.page.get_by_role("link", name="01632 960002")).to_be_visible()
    expect(ages).to_have_count(3)
    minutes_pass(amelia, 2)
    expect(ages).to_have_text(["2 minutes ago", re.compile("minutes? ago"), "2 minutes ago"])

    amelia.hide_tab()
    amelia.page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=1, minutes=8))
    amelia.show_tab()
    expect(ages).to_have_text(["1 hour ago"] * 3)


def test_tab_and_page_have_the_new_name_of_a_client_that_is_renamed(amelia: Person, client: Client, cast: Cast) -> None:
    save_for(cast.daniel, client, phone="01632 960001")
    titles = {
        "": "{name}",
        "/history": "History of {name}",
        "/access": "Who sees {name}",
        "/edit": "Edit {name}",
        "/person/new": "Add a person",
        f"/person/{people_of(client)[0].id}/remove": "Remove Ruth Whitmore",
        "/history/2/revert": "Undo change 2",
    }
    for number, (path, title) in enumerate(titles.items()):
        old, new = NAMES if number % 2 == 0 else reversed(NAMES)
        amelia.open_path(f"/clients/{client.id}{path}")
        expect(amelia.page).to_have_title(title.format(name=old) + PORTAL)
        heading = amelia.page.locator(".page-head")
        expect(heading).to_contain_text(old)

        save_for(cast.daniel, client, name=new)

        expect(amelia.page).to_have_title(title.format(name=new) + PORTAL)
        expect(heading).to_contain_text(new)
        expect(heading).not_to_contain_text(old)


def test_conflict_page_has_each_new_name_of_a_client_once(
    amelia: Person, client: Client, cast: Cast, browser_errors: BrowserErrors
) -> None:
    """The conflict page requests all changes since the editor was opened, and contains the first new name."""
    browser_errors.expect("status of 409")
    amelia.miss_saves()
    amelia.open_editor(client)
    amelia.field("Town").fill("Wells")
    save_for(cast.daniel, client, town="Frome", name="Whitmore Family & Sons")
    amelia.save()
    heading = amelia.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("One field of Whitmore Family & Sons needs your decision")
    amelia.page.unroute(CHANGES)
    amelia.reload()

    save_for(cast.daniel, client, name="Whitmore Family & Sons & Daughters")

    expect(heading).to_have_text("One field of Whitmore Family & Sons & Daughters needs your decision")
    title = "Not saved: one field of Whitmore Family & Sons & Daughters needs your decision · Kingston’s Portal"
    expect(amelia.page).to_have_title(title)
    breadcrumb = amelia.page.get_by_role("navigation", name="Breadcrumb")
    expect(breadcrumb).to_have_text(f"Clients / {client.client_ref} Whitmore Family & Sons & Daughters")


def lit(person: Person) -> list[str]:
    """Return the highlighted texts without those of every change: the history, and the author of the last change."""
    found = person.page.evaluate(LIT)
    assert [text for text, is_inside in found if not is_inside] == []
    return [text for text, _ in found if not re.search("Daniel Okafor (changed|added|removed)|by Daniel Okafor", text)]


@pytest.mark.parametrize(("width", "scheme"), [(380, "light"), (1440, "dark")])
def test_live_change_lights_only_what_changed_inside_its_card(
    amelia: Person, client: Client, cast: Cast, width: int, scheme: Any
) -> None:
    for n in range(1, 7):
        save_for(cast.daniel, client, postcode=f"BA{n} 1AA")  # the history has its full length on the page
    amelia.page.set_viewport_size({"width": width, "height": 800})
    amelia.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    amelia.page.clock.install()
    amelia.open(client)
    first, second, _ = people_of(client)
    review_on = clock.today() + timedelta(days=100)

    save_for(cast.daniel, client, phone="01632 960001", email="edward@mail.example", next_review_on=review_on)
    expect(amelia.page.get_by_role("link", name="01632 960001")).to_be_visible()
    review = [day(review_on), "in 3 months, with Amelia Hart"]
    assert lit(amelia) == [*review, "Phone", "01632 960001", "edward@mail.example"]

    amelia.page.clock.fast_forward(LIGHT_MS)
    save_for(cast.daniel, client, Entry(PERSON, second.id), last_name="Whitmore-Jones")
    expect(amelia.page.get_by_role("link", name="Edward Whitmore-Jones")).to_be_visible()
    assert lit(amelia) == ["Edward Whitmore-Jones"]

    amelia.page.clock.fast_forward(LIGHT_MS)
    remove(client, Entry(PERSON, first.id), cast.daniel)
    expect(amelia.page.get_by_role("link", name="Ruth Whitmore")).to_have_count(0)
    assert lit(amelia) == []

    amelia.page.clock.fast_forward(LIGHT_MS)
    value(client, products_of(client)[1], cast.daniel, Decimal("1100.00"))
    expect(amelia.page.locator(".key-facts")).to_contain_text("£3,100.00")
    movement = next(text for text in lit(amelia) if text.startswith("+£100.00 (+3.3%) since "))
    figures = ["£3,100.00", movement, "£1,100.00", day(clock.today() - VALUED_AGO), "£3,100.00"]
    assert sorted(lit(amelia)) == sorted([*figures, "£3.1k", "£3.05k"])  # the last two are on the chart


def test_first_change_of_a_record_lights_the_new_history_inside_its_card(
    amelia: Person, client: Client, cast: Cast
) -> None:
    amelia.page.emulate_media(reduced_motion="reduce")
    amelia.open(client)
    save_for(cast.daniel, client, phone="01632 960001")

    expect(amelia.page.get_by_role("region", name="History")).to_contain_text("Daniel Okafor changed Phone")
    assert "All changes" in lit(amelia)


def test_live_change_of_a_product_page_and_a_history_lights_whole_rows_inside_their_card(
    amelia: Person, client: Client, cast: Cast
) -> None:
    amelia.page.emulate_media(reduced_motion="reduce")
    product = products_of(client)[0]
    amelia.open_path(f"/clients/{client.id}/product/{product.id}")
    value(client, product, cast.daniel, Decimal("1100.00"))
    expect(amelia.page.get_by_role("cell", name="£1,100.00")).to_be_visible()
    assert lit(amelia) == [f"{day(clock.today() - VALUED_AGO)} £1,100.00 Edit"]

    amelia.open_path(f"/clients/{client.id}/history")
    save_for(cast.daniel, client, phone="01632 960001")
    expect(amelia.page.locator("li.just-changed")).to_contain_text("Daniel Okafor changed Phone")
    assert lit(amelia) == ["1–2 of 2"]


def people_of(client: Client) -> Sequence[ClientPerson]:
    return db.session.scalars(select(ClientPerson).filter_by(client_id=client.id).order_by(ClientPerson.id)).all()


def products_of(client: Client) -> Sequence[Product]:
    return db.session.scalars(select(Product).filter_by(client_id=client.id).order_by(Product.id)).all()


def remove(client: Client, entry: Entry, by: Profile) -> None:
    db.session.refresh(client)
    operations.remove_part(client, entry, edit_from(client.version, by.id))
    db.session.commit()


def value(client: Client, product: Product, by: Profile, amount: Decimal) -> None:
    db.session.refresh(client)
    values = {"valued_on": clock.today() - VALUED_AGO, "amount": amount}
    operations.add_part(client, VALUATION, edit_from(client.version, by.id, values), product.id)
    db.session.commit()
