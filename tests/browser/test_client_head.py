"""The head of a client page: it shrinks to one line, names who edits, and has one place for news below it."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.page_checks import COMPACT_HEAD_PX, top_of
from tests.browser.people import PRESENCE_PATH, Crowd, OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client, make_person, make_product
from tests.support.server import Portal

LONG_NAME = "Featherstonehaugh-Cholmondeley Marjoribanks & Partners Trust"
VIEWPORTS = ((1440, 900), (380, 760), (640, 360))  # a wide window, a phone, a zoomed window
COMPACT = re.compile(r"\bis-compact\b")
# Scroll down and up again, and return where a card is in the document, and its length, whenever the head has changed.
SCROLLED = """async () => {
    const head = document.querySelector("sticky-head");
    const card = document.querySelector("#products");
    const state = () => [card.getBoundingClientRect().top + scrollY, document.documentElement.scrollHeight];
    const until = async (isCompact) => {
        while (head.classList.contains("is-compact") !== isCompact) await new Promise(requestAnimationFrame);
        return state();
    };
    const states = [state()];
    for (const y of [600, 0, 600]) {
        scrollTo(0, y);
        states.push(await until(y > 0));
    }
    return states;
}"""
# Resolves when each observer has seen the last change.
FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"
# What is drawn at the middle of the element that has the focus.
IS_FOCUS_COVERED = """() => {
    const focused = document.activeElement;
    const [{ left, top, width, height }] = focused.getClientRects();
    const drawn = document.elementFromPoint(left + width / 2, top + height / 2);
    return !(focused.contains(drawn) || drawn?.contains(focused));
}"""


@pytest.fixture
def long_client(cast: Cast) -> Client:
    """A client record with a name of 60 characters and a page that scrolls at every width."""
    assert len(LONG_NAME) == 60
    client = make_client(LONG_NAME, adviser_id=cast.amelia.id, phone="01632 960001")
    for _ in range(12):
        make_product(client, ("2026-03-31", "1000.00"))
    return client


def head(person: Person) -> Locator:
    return person.page.locator("sticky-head")


def scroll(person: Person) -> None:
    person.page.evaluate("scrollTo(0, 600)")
    expect(head(person)).to_have_class(COMPACT)


def test_head_shrinks_to_one_line_without_moving_the_page(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, long_client: Client, crowd: Crowd
) -> None:
    crowd(long_client, 20)
    amelia = open_browser(cast.amelia, at=unhurried_portal)
    for width, height in VIEWPORTS:
        viewport = f"at {width} × {height}"
        amelia.page.set_viewport_size({"width": width, "height": height})
        amelia.open(long_client)
        amelia.sees("20 users are viewing this client record")

        states = amelia.page.evaluate(SCROLLED)

        assert len({tuple(state) for state in states}) == 1, viewport
        for part in ("h1 > span:first-child", "h1 .badge", ".avatars", ".actions > .button"):
            box = head(amelia).locator(part).first.bounding_box()
            assert box, (viewport, part)
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width, (viewport, part, box)
            assert 0 <= box["y"] <= box["y"] + box["height"] <= COMPACT_HEAD_PX, (viewport, part, box)
        expect(amelia.page.get_by_role("link", name="Edit", exact=True), viewport).to_be_visible()
        amelia.indicator.locator("summary").click()
        expect(amelia.page.get_by_role("list", name="Who is here"), viewport).to_be_in_viewport()
        # Where the avatars cover the button, Playwright scrolls until it finds it.
        assert amelia.page.evaluate("scrollY") == 600, viewport


def test_head_does_not_change_while_the_pointer_is_pressed_on_it(amelia: Person, long_client: Client) -> None:
    amelia.open(long_client)
    scroll(amelia)
    head(amelia).get_by_role("heading").hover()
    amelia.page.mouse.down()

    amelia.page.evaluate(f"scrollTo(0, 0), {FRAMES}")

    expect(head(amelia)).to_have_class(COMPACT, timeout=1)
    amelia.page.mouse.up()
    expect(head(amelia)).not_to_have_class(COMPACT)


def test_keyboard_meets_no_control_under_the_head(amelia: Person, long_client: Client) -> None:
    amelia.page.set_viewport_size({"width": 380, "height": 500})
    amelia.open(long_client)
    scroll(amelia)
    amelia.page.get_by_role("link", name="Edit", exact=True).focus()
    expect(head(amelia)).to_have_class(COMPACT)
    amelia.page.get_by_role("link", name="Who sees it").focus()
    for _ in range(25):
        amelia.page.keyboard.press("Shift+Tab")
        assert not amelia.page.evaluate(IS_FOCUS_COVERED), amelia.page.evaluate("document.activeElement.outerHTML")

    amelia.page.evaluate("location.hash = 'objectives-and-key-information'")
    expect(amelia.page.locator("#objectives-and-key-information")).to_be_in_viewport(ratio=1)
    assert (
        amelia.page.locator("#objectives-and-key-information").evaluate(
            "heading => heading.getBoundingClientRect().top"
        )
        >= COMPACT_HEAD_PX
    )


def test_three_users_see_who_edits_which_card(
    amelia: Person, daniel: Person, open_browser: OpenBrowser, cast: Cast, client: Client
) -> None:
    ruth, product = make_person(client, "Ruth", "Whitmore"), make_product(client, ("2026-03-31", "1.00"))
    part = f"{product.product_type} {product.plan_number}"
    rhys, ada = open_browser(cast.rhys), open_browser(cast.ada)
    amelia.open(client)
    rhys.open(client)
    daniel.open_editor(client)
    daniel.field("Phone").focus()
    amelia.sees("Daniel is editing Phone · Rhys is viewing")
    expect(amelia.sentence.locator("i").first).to_have_class(re.compile("editing"))
    people = amelia.card("People")
    add = people.get_by_role("link", name="Add a person")
    mark = amelia.page.locator("[data-part] > .editors")
    before = people.bounding_box(), add.bounding_box()

    ada.open_editor_at(f"/clients/{client.id}/person/{ruth.id}/edit")

    amelia.sees("Daniel and Ada are editing · Rhys is viewing")
    expect(mark).to_contain_text("Ada is editing")
    ada.field("First name").focus()
    amelia.take_in()
    expect(mark).to_have_count(1)
    expect(people.locator("header")).to_contain_text("Ada is editing Ruth Whitmore")
    expect(people.locator("li .avatar.editing")).to_be_visible()
    expect(people).to_have_css("outline-style", "solid")
    assert (people.bounding_box(), add.bounding_box()) == before
    expect(amelia.card("Contact")).to_have_css("outline-style", "solid")
    expect(amelia.card("Record")).to_have_css("outline-style", "none")

    ada.open_editor_at(f"/clients/{client.id}/product/{product.id}/edit")
    products = amelia.card("Products")
    expect(products.locator("header")).to_contain_text(f"Ada is editing {part}")
    expect(people).to_have_css("outline-style", "none")
    expect(mark).to_contain_text("Ada is editing")
    ada.page.locator("form[data-edit-form] .field input").first.focus()
    amelia.take_in()
    expect(mark).to_have_count(1)

    ada.open_path(f"/clients/{client.id}/person/new")
    expect(people.locator("header")).to_contain_text("Ada is editing New person")
    expect(people.locator("li .avatar.editing")).to_have_count(0)


def news_of(page: Page) -> Locator:
    return page.locator(".notice").filter(visible=True)


def test_news_is_below_the_head_at_most_two_and_a_button_shows_the_others(
    amelia: Person, daniel: Person, cast: Cast, client: Client, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("Failed to load resource")
    amelia.open(client)
    products = amelia.card("Products")
    before = products.bounding_box()
    daniel.open(client)
    daniel.wait_for_others()
    daniel.waiting.get_by_role("button", name="Ask to finish").click()
    save_for(cast.ada, client, phone="01632 960999")
    expect(news_of(amelia.page)).to_contain_text(["Daniel Okafor is waiting", "Ada changed Phone"])
    expect(amelia.page.get_by_role("link", name="Show changes")).to_have_attribute(
        "href", f"/clients/{client.id}/history"
    )

    def refuse(route: Route) -> None:  # Playwright takes no method
        route.abort()

    amelia.page.route(f"**{PRESENCE_PATH}", refuse)
    amelia.hide_tab()

    expect(news_of(amelia.page)).to_contain_text(["Reconnecting", "Daniel Okafor is waiting"])
    assert top_of(amelia.page.locator(".notices")) >= top_of(amelia.page.get_by_role("link", name="Edit", exact=True))
    assert products.bounding_box() == before

    amelia.page.get_by_role("button", name="1 more").click()
    expect(news_of(amelia.page)).to_contain_text(["Reconnecting", "Daniel Okafor is waiting", "Ada changed Phone"])
    expect(amelia.page.get_by_role("button", name="1 more")).to_be_hidden()


def test_news_stays_in_sight_below_the_head_which_does_not_stick_where_it_has_no_room(
    amelia: Person, cast: Cast, long_client: Client
) -> None:
    amelia.open(long_client)
    scroll(amelia)
    save_for(cast.ada, long_client, phone="01632 960999")
    expect(amelia.page.locator("update-notice")).to_be_in_viewport(ratio=1)
    assert top_of(amelia.page.locator("update-notice")) >= COMPACT_HEAD_PX

    for where, media, height in (("on paper", "print", 900), ("at 400 %", "screen", 300)):
        amelia.page.set_viewport_size({"width": 640, "height": height})
        amelia.page.emulate_media(media=media)  # type: ignore[arg-type]
        assert head(amelia).evaluate("head => getComputedStyle(head).position") == "static", where
        name = head(amelia).locator("h1 > span").first
        assert name.evaluate("span => getComputedStyle(span).whiteSpace") == "normal", where
