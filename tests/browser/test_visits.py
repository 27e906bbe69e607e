"""Test the visits of client pages: what a user is told about the changes since the last one, and what counts as one."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Request, expect

from portal.auth import Profile
from portal.clients import Client
from portal.clients.visits.store import record
from portal.extensions import db
from tests.browser.people import AT_ONCE_MS, OpenBrowser, Person
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.server import Portal

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def visit_of(profile: Profile, client: Client) -> None:
    record(profile, client, client.version)
    db.session.commit()


def is_visit(request: Request) -> bool:
    return request.url.endswith("/visit")


def test_glance_is_no_visit_and_a_page_in_sight_is_one(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client
) -> None:
    amelia = open_browser(cast.amelia, at=unhurried_portal)
    sent: list[Request] = []
    amelia.page.on("request", lambda request: sent.append(request) if is_visit(request) else None)
    amelia.page.clock.install(time=NOON)
    amelia.page.clock.pause_at(NOON + timedelta(seconds=1))
    amelia.open(client)
    amelia.page.clock.fast_forward(2_900)
    amelia.hide_tab()
    amelia.page.clock.fast_forward(60_000)
    amelia.show_tab()
    amelia.page.clock.fast_forward(2_900)
    amelia.page.evaluate("fetch('/session')")  # all earlier requests are recorded after it
    assert sent == []

    with amelia.page.expect_response(lambda response: is_visit(response.request)) as response:
        amelia.page.clock.fast_forward(200)
    assert response.value.status == 200
    amelia.page.clock.fast_forward(60_000)
    amelia.page.evaluate("fetch('/session')")
    assert len(sent) == 1


def test_strip_names_the_changes_of_two_colleagues_stays_during_live_changes_and_leads_to_the_history(
    amelia: Person, cast: Cast, client: Client
) -> None:
    visit_of(cast.amelia, client)
    save_for(cast.daniel, client, phone="01632 960222")
    save_for(cast.ada, client, town="Wells")
    with amelia.page.expect_response(lambda response: is_visit(response.request)):
        amelia.open(client)
    strip, marks = amelia.page.get_by_role("region", name="Since you were here"), amelia.page.locator(".new-mark")
    expect(strip).to_contain_text("Daniel changed Phone; Ada changed Town")
    expect(marks).to_have_count(2)

    with amelia.page.expect_response(lambda response: is_visit(response.request)):
        save_for(cast.daniel, client, email="ruth@mail.example")
        expect(amelia.page.get_by_role("link", name="ruth@mail.example")).to_be_visible()
    expect(strip).to_contain_text("2 changes since")
    expect(marks).to_have_count(2)

    strip.get_by_role("link", name="Show").click()
    expect(amelia.page.get_by_role("listitem").filter(has_text="changed Phone")).to_be_visible()
    amelia.open(client)
    expect(strip).to_have_count(0)


def test_dismissed_strip_takes_its_marks_along(amelia: Person, cast: Cast, client: Client) -> None:
    visit_of(cast.amelia, client)
    save_for(cast.daniel, client, phone="01632 960222")
    amelia.open(client)
    with amelia.page.expect_response(lambda response: is_visit(response.request)):
        amelia.page.get_by_role("button", name="Dismiss").click()
    expect(amelia.page.locator(".since-visit, .new-mark")).to_have_count(0)
    expect(amelia.page.locator("main")).to_be_focused()


def test_desk_shows_who_works_where_as_it_happens(amelia: Person, daniel: Person, client: Client) -> None:
    amelia.page.goto("/")
    in_use = amelia.page.get_by_role("region", name="In use now")
    row = in_use.get_by_role("listitem").filter(has=amelia.page.locator(f'a[href="/clients/{client.id}"]'))
    expect(row).to_have_count(0)

    daniel.open_editor(client)
    daniel.field("Phone").fill("01632 960222")
    expect(row).to_contain_text("Daniel is editing Phone")

    daniel.leave()
    expect(row).to_have_count(0)


def test_desk_follows_clients_in_use_between_its_reloads(
    open_browser: OpenBrowser, unhurried_portal: Portal, cast: Cast, client: Client
) -> None:
    """The unhurried portal reloads the desk after 30 seconds."""
    amelia, daniel = (open_browser(profile, at=unhurried_portal) for profile in (cast.amelia, cast.daniel))
    amelia.page.goto("/")
    row = amelia.page.get_by_role("region", name="In use now").locator(f'[data-page="client-{client.id}"]')
    expect(row).to_have_count(0)
    daniel.open(client)
    expect(row).to_contain_text("Daniel is viewing", timeout=AT_ONCE_MS)
    daniel.open_editor(client)
    daniel.field("Phone").fill("01632 960222")
    expect(row).to_contain_text("Daniel is editing Phone", timeout=AT_ONCE_MS)
    daniel.leave()
    expect(row).to_have_count(0, timeout=AT_ONCE_MS)
