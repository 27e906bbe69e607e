"""Tell open lists of clients that they do not show, each with the permission of the moment, at a bounded rate."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlencode

import pytest

from portal.clients import Client
from portal.extensions import db
from portal.live import publish
from portal.live.listed import (
    MAX_CHECKS_PER_SECOND,
    MAX_ORDERS_PER_SECOND,
    MAX_PAGES,
    RECENT_SECONDS,
    ListedPages,
)
from portal.live.outbox import after_commit
from portal.live.schedule import COALESCE_SECONDS
from tests.conftest import AppMaker
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.html import form_of
from tests.support.sse_reader import Event, EventReader
from tests.support.test_client import Visitor, visitors_of
from tests.support.time_travel import let_pass

OpenList = Callable[..., EventReader]
MAX_CHECKS = 2_000


@pytest.fixture
def visit_own(make_app: AppMaker) -> type[Visitor]:
    """Visit an application for this test only: the hub of a shared one remembers the clients of other tests."""
    return visitors_of(make_app())


@pytest.fixture
def open_list() -> Iterator[OpenList]:
    """`open_list(visitor, *clients)` opens the stream of a list with their rows, and takes the events of the rows."""
    with ExitStack() as opened:

        def open_stream(visitor: Visitor, *clients: Client, follow: str = "saves") -> EventReader:
            query = urlencode([("follow", follow), *(("page", f"client-{client.id}") for client in clients)])
            response = visitor.get(f"/user_page_presence/events?{query}", buffered=False)
            assert response.status_code == 200, response.get_data(as_text=True)
            events = opened.enter_context(EventReader(response))
            for _ in clients:
                assert (event := events.next())
                assert event.name == "row"
            return events

        yield open_stream


def listed_page(event: Event | None) -> str:
    assert event is not None
    assert event.name == "listed", event
    assert 0 <= event.data["within_ms"] <= 100
    page: str = event.data["page"]
    return page


def test_list_hears_of_a_client_that_may_have_come_into_its_view_and_of_its_own_rows_as_before(
    visit_own: type[Visitor], cast: Cast, open_list: OpenList
) -> None:
    shown, other = make_client("Shown"), make_client("Other")
    events, empty = open_list(visit_own(cast.daniel), shown), open_list(visit_own(cast.daniel))
    save_for(cast.amelia, other, objectives="Retire in June")
    save_for(cast.amelia, other, adviser_id=cast.daniel.id)
    assert [listed_page(each.next()) for each in (events, empty)] == [f"client-{other.id}"] * 2
    save_for(cast.amelia, shown, adviser_id=cast.daniel.id)
    assert (event := events.next())
    assert (event.name, event.data["page"], event.data["version"]) == ("row", f"client-{shown.id}", 2)
    assert listed_page(empty.next()) == f"client-{shown.id}"
    assert events.is_drained()


def test_save_of_a_client_that_every_open_list_shows_is_an_event_of_its_row_alone(
    visit_own: type[Visitor], cast: Cast, open_list: OpenList, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client()
    lists = [open_list(visit_own(cast.daniel), client, follow=follow) for follow in ("saves", "arrivals")]
    # By the second save, the hub has checked who may hear of the first.
    for version, status in ((2, "dormant"), (3, "active")):
        save_for(cast.amelia, client, status=status)
        visit_own(cast.amelia).beat(f"client-{client.id}", fields=[status], activity="editing")
        for events in lists:
            while (event := events.next()) and (event.data["version"], len(event.data["users"])) != (version, 1):
                assert event.name == "row"
    assert caplog.messages == []


def test_list_hears_of_a_client_that_is_added(visit_own: type[Visitor], cast: Cast, open_list: OpenList) -> None:
    events = open_list(visit_own(cast.daniel))
    amelia = visit_own(cast.amelia)
    response = amelia.post("/clients/new", data={**form_of(amelia.get("/clients/new")), "name": "Added Ainsley"})
    assert listed_page(events.next()) == f"client-{response.location.removeprefix('/clients/')}"


def test_restricted_client_reaches_only_lists_of_users_who_may_see_it(
    visit_own: type[Visitor], cast: Cast, open_list: OpenList
) -> None:
    hidden = make_client("Hidden", adviser_id=cast.amelia.id, is_restricted=True)
    shown = make_client("Shown")
    lists = {profile: open_list(visit_own(profile), shown) for profile in (cast.amelia, cast.daniel, cast.ada)}
    save_for(cast.ada, hidden, next_review_on=None, phone="0117 496 0411")
    save_for(cast.ada, shown, phone="0117 496 0412")
    for_all, for_some = ("row", f"client-{shown.id}"), ("listed", f"client-{hidden.id}")
    for profile in (cast.amelia, cast.ada):
        received = [lists[profile].next() for _ in range(2)]
        assert {(event.name, event.data["page"]) for event in received if event} == {for_all, for_some}
    assert (event := lists[cast.daniel].next())
    assert (event.name, event.data["page"]) == for_all
    save_for(cast.ada, shown, phone="0117 496 0413")  # sent after whatever was due before
    assert (event := lists[cast.daniel].next())
    assert (event.name, event.data["version"]) == ("row", 3)


def test_list_that_opens_after_a_change_hears_of_it(visit_own: type[Visitor], cast: Cast, open_list: OpenList) -> None:
    """The page of the list was rendered before the change, and its stream opens after it."""
    first = open_list(visit_own(cast.daniel))
    changed, hidden = make_client("Changed"), make_client("Hidden", adviser_id=cast.amelia.id, is_restricted=True)
    for client in (hidden, changed):
        save_for(cast.amelia, client, status="dormant")
    assert listed_page(first.next()) == f"client-{changed.id}"
    later = open_list(visit_own(cast.daniel))
    assert listed_page(later.next()) == f"client-{changed.id}"
    next_one = make_client("Next")
    save_for(cast.amelia, next_one, status="dormant")
    assert listed_page(later.next()) == f"client-{next_one.id}"


def test_import_lets_each_list_compare_all_of_its_rows(
    visit_own: type[Visitor], cast: Cast, open_list: OpenList
) -> None:
    lists = [open_list(visit_own(profile)) for profile in (cast.amelia, cast.daniel)]
    after_commit(publish.imported)
    db.session.commit()
    assert [events.next() for events in lists] == [Event("listed", {"within_ms": 400})] * 2


def test_user_who_follows_arrivals_hears_when_another_one_opens_a_client_and_of_nothing_else(
    visit_own: type[Visitor], cast: Cast, open_list: OpenList
) -> None:
    shown, opened, restricted, last = (
        make_client(name, adviser_id=cast.amelia.id, is_restricted=name == "Restricted")
        for name in ("Shown", "Opened", "Restricted", "Last")
    )
    amelia, daniel, ada = (visit_own(profile) for profile in (cast.amelia, cast.daniel, cast.ada))
    events = open_list(daniel, shown, follow="arrivals")
    daniel.beat(f"client-{last.id}")
    ada.beat(f"client-{restricted.id}")
    save_for(cast.ada, last, status="dormant")
    amelia.beat(f"client-{opened.id}")
    assert listed_page(events.next()) == f"client-{opened.id}"
    let_pass(20)
    amelia.beat(f"client-{opened.id}", activity="editing", fields=["Phone"])
    amelia.beat(f"client-{last.id}")
    assert listed_page(events.next()) == f"client-{last.id}"
    amelia.beat(f"client-{shown.id}")
    assert (event := events.next())
    assert (event.name, event.data["page"]) == ("row", f"client-{shown.id}")


def test_page_of_an_unknown_kind_from_a_newer_release_disturbs_no_list(
    visit_own: type[Visitor], cast: Cast, open_list: OpenList
) -> None:
    events, client = open_list(visit_own(cast.daniel)), make_client()
    for page in ("enquiry-1", "nonsense", f"client-{client.id}"):
        publish.saved(db.session.connection(), page, 1, lists=True)
    db.session.commit()
    assert listed_page(events.next()) == f"client-{client.id}"


def test_first_page_waits_for_others_and_they_are_taken_together() -> None:
    pages = ListedPages()
    assert pages.next_due() == float("inf")
    pages.add("client-1", 5.0)
    pages.add("client-2", 5.05)
    pages.add("client-1", 5.06)
    assert pages.next_due() == 5.0 + COALESCE_SECONDS
    assert pages.take_pages(5.09, 1, MAX_CHECKS) == []
    assert pages.take_pages(5.1, 1, MAX_CHECKS) == ["client-1", "client-2"]
    assert pages.next_due() == float("inf")


def test_checks_of_a_second_are_bounded_however_many_lists_and_pages_there_are() -> None:
    pages, lists, now, checks = ListedPages(), 1_000, 0.0, 0
    for number in range(MAX_PAGES):
        pages.add(f"client-{number}", now)
    while now < 10:
        now = max(now, pages.next_due())
        checks += lists * len(pages.take_pages(now, lists, MAX_CHECKS))
    assert checks <= 11 * MAX_CHECKS_PER_SECOND
    assert len(pages.take_pages(60, MAX_CHECKS * 2, MAX_CHECKS)) == 1


def test_too_many_pages_become_one_comparison_which_is_not_repeated_before_all_have_asked() -> None:
    pages, lists = ListedPages(), 50
    for number in range(MAX_PAGES * 3):
        pages.add(f"client-{number}", 0.0)
    assert len(pages.recent(0.0)) == MAX_PAGES
    assert pages.take_incomplete(0.0, lists)
    assert not pages.take_incomplete(0.0, lists)
    pages.add_unknown()
    assert pages.next_due() == lists / MAX_ORDERS_PER_SECOND
    assert not pages.take_incomplete(9.9, lists)
    assert pages.take_incomplete(10.0, lists)


def test_pages_without_lists_are_forgotten_but_for_the_recent_ones() -> None:
    pages = ListedPages()
    pages.add("client-1", 0.0)
    assert pages.take_pages(1.0, 0, MAX_CHECKS) == []
    assert pages.next_due() == float("inf")
    assert pages.recent(RECENT_SECONDS - 1) == ["client-1"]
    assert pages.recent(RECENT_SECONDS) == []
