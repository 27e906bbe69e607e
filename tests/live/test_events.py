"""Stream the changes of a page to all its open tabs: GET /user_page_presence/<page>/events."""

from typing import Any

import pytest

from portal.auth import Profile
from portal.clients import Client
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.saving import operations
from portal.config import PresenceTimings
from portal.extensions import db
from tests.conftest import AppMaker
from tests.live.conftest import Listen, run_sql
from tests.support.cast import Cast, make_profile
from tests.support.edits import edit_from
from tests.support.factories import make_client
from tests.support.notifications import NotificationListener
from tests.support.postgres_proxy import Wiretap
from tests.support.sse_reader import Event, EventReader
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]


@pytest.fixture
def daniel(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.daniel).with_token()


@pytest.fixture
def amelia_events(visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> EventReader:
    """Amelia's stream of the page, after its first roster."""
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="tab")
    events = listen(amelia, page_identifier)
    assert events.names() == ["Amelia"]
    return events


def save(client: Client, by: Profile, **values: Any) -> None:
    operations.save_entry(client, Entry(CLIENT), edit_from(client.version, by.id, values))


def test_first_event_is_the_roster_as_a_heartbeat_returns_it(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    amelia = visit(cast.amelia)
    response = amelia.beat(page_identifier).json

    event = listen(amelia, page_identifier).next()

    assert event is not None
    assert event.name == "roster"
    roster_after, said = event.data, {name: value for name, value in response.items() if name != "status"}
    assert roster_after["read_at"] > said.pop("read_at")
    assert {name: value for name, value in roster_after.items() if name != "read_at"} == said


def test_response_is_an_event_stream_without_caching_buffering_or_compression(amelia_events: EventReader) -> None:
    headers = amelia_events.response.headers
    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not {"Set-Cookie", "Content-Encoding", "Content-Length"} & set(headers.keys())


def test_join_edit_hidden_tab_and_leave_each_send_a_roster(
    daniel: Visitor, page_identifier: str, amelia_events: EventReader
) -> None:
    def roster_after(**members: Any) -> dict[str, Any]:
        daniel.beat(page_identifier, tab_id="t", **members)
        event = amelia_events.next()
        assert event is not None
        [him] = [user for user in event.data["users"] if user["first_name"] == "Daniel"]
        return him

    assert roster_after()["activity"] == "viewing"
    assert roster_after(activity="editing")["activity"] == "editing"
    assert roster_after(activity="editing", fields=["Phone"])["fields"] == ["Phone"]
    assert roster_after(activity="editing", fields=["Phone"], visible=False)["visible"] is False
    assert roster_after(waiting=True)["waiting_since"] is not None
    assert roster_after(answer="soon")["answer"] == "soon"

    daniel.leave(page_identifier, "t")
    assert amelia_events.names() == ["Amelia"]


@pytest.mark.parametrize(
    "members", [{}, {"activity": "editing", "fields": ["Phone", "Email"]}, {"visible": False}, {"waiting": True}]
)
def test_heartbeat_without_a_change_notifies_no_page(
    daniel: Visitor, page_identifier: str, listener: NotificationListener, members: dict[str, Any]
) -> None:
    daniel.beat(page_identifier, tab_id="t", **members)
    assert [notice.page for notice in listener.received()] == [page_identifier]

    with listener.expect_none():
        for _ in range(3):
            daniel.beat(page_identifier, tab_id="t", **members)


def test_notification_contains_no_personal_data(
    daniel: Visitor, client: Client, cast: Cast, page_identifier: str, listener: NotificationListener
) -> None:
    daniel.beat(page_identifier, activity="editing", fields=["Phone"])
    save(client, cast.daniel, phone="01632 960777")
    db.session.commit()

    said = [notice.payload() for notice in listener.received()]

    assert said == [
        f'{{"event": "roster", "page": "{page_identifier}"}}',
        f'{{"event": "saved", "page": "{page_identifier}", "version": 2, "lists": true}}',
        f'{{"event": "notified", "profile": {cast.amelia.id}}}',
    ]


def test_change_that_users_cannot_see_sends_no_event(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    """A second tab of a present user notifies the page, and no browser redraws."""
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="one")
    events = listen(amelia, page_identifier)
    events.names()

    amelia.beat(page_identifier, tab_id="two")
    amelia.leave(page_identifier, "two")
    visit(cast.daniel).beat(page_identifier)

    assert events.names() == ["Amelia", "Daniel"]


def test_change_sends_no_event_to_another_page(
    daniel: Visitor, page_identifier: str, amelia_events: EventReader
) -> None:
    daniel.beat(f"client-{make_client('Another').id}")
    daniel.beat(page_identifier)

    assert amelia_events.names() == ["Amelia", "Daniel"]
    assert amelia_events.is_drained()


def test_burst_of_changes_becomes_few_events_and_the_last_is_complete(
    visit: Visit, page_identifier: str, amelia_events: EventReader
) -> None:
    crowd = [visit(make_profile("Viewer", f"Number{n}")).with_token() for n in range(30)]
    for viewer in crowd:
        viewer.beat(page_identifier)

    rosters = 1
    while len(amelia_events.names()) < 31:
        rosters += 1
    assert rosters < 15


def test_save_sends_the_new_version_unless_it_is_rolled_back(
    client: Client, cast: Cast, amelia_events: EventReader, listener: NotificationListener
) -> None:
    with listener.expect_none():
        save(client, cast.daniel, phone="01632 960776")
        db.session.rollback()

    save(client, cast.daniel, phone="01632 960777")
    db.session.commit()

    assert amelia_events.next() == Event("saved", {"version": 2})


def test_change_without_notification_is_sent_with_the_next_reading(
    daniel: Visitor, page_identifier: str, amelia_events: EventReader
) -> None:
    """A notification is a hint: the event contains the state of the page."""
    run_sql("UPDATE clients SET version = 9")
    daniel.beat(page_identifier)

    events = [amelia_events.next(), amelia_events.next()]

    assert {event.name for event in events if event} == {"roster", "saved"}
    assert Event("saved", {"version": 9}) in events


def test_one_statement_reads_a_page_for_all_its_streams(
    tapped_visit: Visit, cast: Cast, page_identifier: str, listen: Listen, wiretap: Wiretap
) -> None:
    profiles = [cast.amelia, cast.daniel, cast.rhys, cast.ada]
    streams = [listen(tapped_visit(profile), page_identifier) for profile in profiles]
    for events in streams:
        events.names()

    with wiretap.listening() as statements:
        tapped_visit(cast.amelia).with_token().beat(page_identifier)
        assert [events.names() for events in streams] == [["Amelia"]] * 4

    assert len([statement for statement in statements if "presence_pages" in statement]) == 1


def test_stream_without_heartbeat_does_not_appear_on_the_roster(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    assert listen(visit(cast.amelia), page_identifier).names() == []


def test_malformed_tab_id_is_422_naming_the_field(visit: Visit, cast: Cast, page_identifier: str) -> None:
    response = visit(cast.amelia).get(f"/user_page_presence/{page_identifier}/events?tab_id=a b")
    assert (response.status_code, response.json["field"]) == (422, "tab_id")


def test_name_with_line_breaks_does_not_end_an_event_early(visit: Visit, page_identifier: str, listen: Listen) -> None:
    mallory = make_profile("Mal\u2028\n\ndata: {}", "event: end\r\n\r\n")
    browser = visit(mallory)
    browser.beat(page_identifier)

    event = listen(browser, page_identifier).next()

    assert event is not None
    assert event.data["users"][0]["first_name"] == mallory.first_name


def test_end_of_the_active_window_sends_a_roster(
    make_app: AppMaker, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    """No user acts and no heartbeat arrives at that moment: the hub knows when to read."""
    visit = visitors_of(make_app(presence=PresenceTimings(1, 3, 5)))
    visit(cast.daniel).beat(page_identifier, tab_id="gone-without-a-word")
    amelia_events = listen(visit(cast.amelia), page_identifier)
    assert amelia_events.names() == ["Daniel"]

    assert amelia_events.names() == []
