"""Test the client list: the search, and the viewers of each client."""

import re

from playwright.sync_api import Locator, Request, expect

from portal.clients import Client
from tests.browser.people import AT_ONCE_MS, PATIENCE_MS, OpenBrowser, Person, is_answered_beat, is_bulk_read
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.server import Portal

# Ask until the stream has sent the row, which needs no script of the list.
ASK_FOR_ROW = """async ([page, patienceMs]) => {
    for (const giveUpAt = performance.now() + patienceMs; performance.now() < giveUpAt; ) {
        const modules = performance.getEntriesByType("resource").map(({ name }) => name);
        const stream = modules.find((name) => name.endsWith("/sync/own-stream.js"));
        if (stream && (await import(stream)).lastRow(page)) return true;
        await new Promise((goOn) => setTimeout(goOn, 100));
    }
    return false;
}"""
NOTE_LISTED = "document.addEventListener('portal:listed', () => document.documentElement.dataset.listed = '')"


def test_search_without_a_result_leads_back_to_the_list_and_another_one_to_the_client(
    amelia: Person, cast: Cast
) -> None:
    make_client("Pemberton-Askew Trust", adviser_id=cast.amelia.id)
    amelia.page.goto("/clients?q=nobody+of+this+name")
    expect(amelia.page.get_by_role("main")).to_contain_text("No clients match “nobody of this name”.")
    amelia.page.get_by_role("link", name="Clear search").click()
    expect(amelia.page).to_have_url(re.compile(r"/clients\?view=all$"))
    amelia.field("Search").fill("pemberton")
    amelia.page.keyboard.press("Enter")
    found = amelia.page.get_by_role("row").filter(has_text="Pemberton-Askew Trust")
    found.get_by_role("cell").nth(1).click(force=True)  # the area of the link covers the row
    expect(amelia.page.get_by_role("heading", level=1)).to_contain_text("Pemberton-Askew Trust")


def test_rows_show_who_is_on_each_client(amelia: Person, daniel: Person, cast: Cast) -> None:
    busy, quiet = make_client("Occupied Ogilvy"), make_client("Occupied by nobody")
    amelia.page.goto("/clients?q=Occupied")
    expect(row(amelia, quiet)).to_be_visible()
    expect(avatars(amelia, busy)).to_have_count(0)

    daniel.open_editor(busy)
    expect(avatars(amelia, busy)).to_have_text(["DO"])
    expect(row(amelia, busy).get_by_role("img", name="Daniel Okafor – Editing")).to_be_visible()
    expect(row(amelia, busy)).to_contain_text("Daniel is editing")
    expect(avatars(amelia, quiet)).to_have_count(0)

    held = amelia.hold("**/entry/client-list.js")
    amelia.page.reload(wait_until="commit")
    assert amelia.page.evaluate(ASK_FOR_ROW, [f"client-{busy.id}", PATIENCE_MS])
    held.pop().continue_()
    expect(avatars(amelia, busy)).to_have_text(["DO"])

    daniel.leave()
    expect(avatars(amelia, busy)).to_have_count(0)
    expect(row(amelia, busy)).not_to_contain_text("Daniel is editing")


def test_all_rows_share_one_call_and_a_hidden_list_makes_none(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast
) -> None:
    clients = [make_client(f"Numerous {number}") for number in range(25)]
    amelia = open_browser(cast.amelia, at=unhurried_portal)
    calls: list[Request] = []
    amelia.page.on("request", lambda request: calls.append(request) if is_bulk_read(request) else None)
    amelia.page.clock.install()
    with amelia.page.expect_response(lambda response: is_bulk_read(response.request)):
        amelia.page.goto("/clients?q=Numerous")
    expect(row(amelia, clients[0])).to_be_visible()
    assert len(calls) == 1
    assert all(f"page=client-{client.id}" in calls[0].url for client in clients)

    amelia.hide_tab()
    amelia.page.clock.fast_forward("02:00")
    amelia.page.evaluate("fetch('/session')")  # all earlier requests are recorded after it
    assert len(calls) == 1
    make_client("Numerous 0, added while the list was hidden")
    with amelia.page.expect_response(lambda response: is_bulk_read(response.request), timeout=AT_ONCE_MS):
        amelia.show_tab()
    assert len(calls) == 2
    expect(amelia.page.locator("list-changes").get_by_role("status")).to_have_text("The list has changed")


def test_list_is_kept_on_the_way_to_the_next_client_and_back(amelia: Person, cast: Cast) -> None:
    for number in range(27):
        make_client(f"Returning {number:02}", adviser_id=cast.amelia.id)
    amelia.page.goto("/clients")
    views = amelia.page.get_by_role("navigation", name="Views")
    expect(views.get_by_role("link", name="Mine")).to_have_attribute("aria-current", "page")
    views.get_by_role("link", name="All").click()
    amelia.field("Search").fill("returning")
    amelia.page.keyboard.press("Enter")
    expect(views.get_by_role("link", name="Mine")).to_contain_text("27")
    amelia.page.get_by_role("link", name="Next", exact=True).click()
    address = amelia.page.url
    assert address.endswith("?view=all&q=returning&page=2")

    amelia.page.get_by_role("link", name="Returning 26").click()
    neighbours = amelia.page.get_by_role("navigation", name="Clients of the list")
    expect(neighbours).to_have_text("27 of 27")
    expect(neighbours.get_by_role("link", name="Next client")).to_be_hidden()
    for number in (25, 24):  # the first page of the list ends with 24
        neighbours.get_by_role("link", name="Previous client").click()
        expect(amelia.page.get_by_role("heading", level=1)).to_contain_text(f"Returning {number}")
        expect(neighbours).to_have_text(f"{number + 1} of 27")
    with amelia.page.expect_response(is_answered_beat):
        amelia.page.get_by_role("link", name="Edit", exact=True).click()
    amelia.page.get_by_role("button", name="Cancel").or_(amelia.page.get_by_role("link", name="Cancel")).click()
    amelia.page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Clients").click()
    expect(amelia.page).to_have_url(address)


def test_selected_clients_are_changed_except_one_that_a_colleague_changed_meanwhile(amelia: Person, cast: Cast) -> None:
    """Daniel gives one of them an adviser after Amelia has loaded the list."""
    clients = [make_client(f"Bulk {number:02}") for number in range(27)]
    amelia.page.goto("/clients?q=bulk")
    save_for(cast.daniel, clients[3], adviser_id=cast.daniel.id)
    amelia.field("Select all clients of this page").check()
    amelia.page.get_by_role("button", name="Select all 27").click()
    bar = amelia.page.get_by_role("form", name="Change the selected clients")
    expect(bar).to_contain_text("27 selected")
    amelia.field("New adviser").select_option(label="Amelia Hart")
    bar.get_by_role("button", name="Change", exact=True).click()
    expect(bar.get_by_role("listitem")).to_have_text(re.compile("^Bulk 03: Another user has changed the same field"))
    expect(bar).to_contain_text("26 changed, 1 not changed")
    expect(amelia.field("Select Bulk 03")).to_be_checked()
    expect(amelia.field("Select Bulk 04")).not_to_be_checked()
    bar.get_by_role("link", name="Show the list as it is now").click()
    expect(row(amelia, clients[26 - 2])).to_contain_text("Amelia Hart")


def test_changes_elsewhere_are_offered_and_shown_in_place(daniel: Person, cast: Cast) -> None:
    """Amelia saves two clients and restricts a third while Daniel selects clients far down the list.

    Then another client comes into his view.
    """
    unlisted = make_client("Elsewhere")
    first, *_, hidden, moved, last = clients = [make_client(f"Live {number:02}") for number in range(25)]
    page = daniel.page
    page.goto("/clients?q=live")
    for client in (moved, last):
        row(daniel, client).get_by_role("checkbox").check()
    link = row(daniel, last).get_by_role("link")
    link.focus()
    place, scrolled = link.bounding_box(), page.evaluate("scrollY")
    assert scrolled > 0

    assert page.evaluate(ASK_FOR_ROW, [f"client-{hidden.id}", PATIENCE_MS])
    save_for(cast.amelia, hidden, is_restricted=True)
    emptied = page.get_by_role("row", name="No longer available")
    expect(emptied).to_be_visible()
    offer = page.locator("list-changes")
    assert offer.inner_text().strip() == ""  # what he may no longer see is not counted
    save_for(cast.amelia, first, phone="0117 496 0411")
    save_for(cast.amelia, moved, name="A live one")
    expect(offer.get_by_role("status")).to_have_text("2 clients changed")
    assert (link.bounding_box(), page.evaluate("scrollY")) == (place, scrolled)

    offer.get_by_role("button", name="Show").press("Enter")
    expect(row(daniel, moved)).to_contain_text("A live one")
    expect(offer.get_by_role("button")).to_be_hidden()
    expect(page.locator("tbody tr").first).to_contain_text("A live one")
    expect(row(daniel, moved).locator(".just-changed").first).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Live|live"))).to_have_count(len(clients) - 1)
    expect(emptied).to_have_count(0)
    expect(link).to_be_focused()
    expect(page.get_by_role("form", name="Change the selected clients")).to_contain_text("2 selected")
    assert page.evaluate("scrollY") == scrolled
    save_for(cast.amelia, moved, name="A live one again")  # the stream follows the rows that are shown now
    expect(offer.get_by_role("status")).to_have_text("1 client changed")
    held = daniel.hold("**/clients/order*")
    with page.expect_request("**/clients/order*"):
        save_for(cast.amelia, unlisted, name="Still elsewhere")
    page.evaluate(NOTE_LISTED)
    old_answer = held[0].fetch()
    save_for(cast.amelia, unlisted, name="A live one too")
    expect(page.locator("html")).to_have_attribute("data-listed", "")
    held[0].fulfill(response=old_answer)  # the list has heard of the client again, and asks again
    expect(offer.get_by_role("status")).to_have_text("1 client changed, 1 new")
    expect(row(daniel, unlisted)).to_have_count(0)
    offer.get_by_role("button", name="Show").click()
    expect(row(daniel, unlisted)).to_contain_text("A live one too")


def test_changes_elsewhere_are_offered_without_the_stream(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast
) -> None:
    client = make_client("Polled")
    amelia = open_browser(cast.amelia, at=unhurried_portal)
    amelia.miss_events()
    amelia.page.clock.install()
    with amelia.page.expect_response(lambda response: is_bulk_read(response.request)):
        amelia.page.goto("/clients?q=Polled")
    save_for(cast.daniel, client, name="Polled anew")
    amelia.page.clock.fast_forward("00:06")
    offer = amelia.page.locator("list-changes")
    expect(offer.get_by_role("status")).to_have_text("1 client changed")
    offer.get_by_role("button", name="Show").click()
    expect(row(amelia, client)).to_contain_text("Polled anew")


def row(person: Person, client: Client) -> Locator:
    return person.page.locator(f'[data-page="client-{client.id}"]')


def avatars(person: Person, client: Client) -> Locator:
    return row(person, client).locator("presence-dots .avatar")
