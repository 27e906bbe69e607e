"""GET /user_page_presence/<page>/events: what happens on a page is told to everybody on it, at once and once."""

from typing import Any

import pytest

from portal.auth import Profile
from portal.clients import Client
from portal.clients.records.entries import CLIENT, Entry
from portal.clients.saving import operations
from portal.clients.saving.edits import Edit
from portal.config import PresenceTimings
from portal.editing.base_version import BaseVersion
from portal.extensions import db
from tests.conftest import AppMaker
from tests.live.conftest import Listen, run_sql
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client
from tests.support.notifications import Wire
from tests.support.postgres_proxy import Wiretap
from tests.support.sse_reader import Event, Hearing
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]


@pytest.fixture
def daniel(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.daniel).with_token()


@pytest.fixture
def amelia_hears(visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> Hearing:
    """Amelia on the page, who has heard the first roster."""
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="tab")
    hearing = listen(amelia, page_identifier)
    assert hearing.names() == ["Amelia"]
    return hearing


def save(client: Client, by: Profile, **values: Any) -> None:
    operations.save_entry(client, Entry(CLIENT), Edit(BaseVersion(client.version), by.id, values))


def test_the_first_event_is_the_roster_as_a_beat_tells_it(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    amelia = visit(cast.amelia)
    answer = amelia.beat(page_identifier).json

    event = listen(amelia, page_identifier).next()

    assert event is not None
    assert event.name == "roster"
    told, said = event.data, {name: value for name, value in answer.items() if name != "status"}
    assert told["read_at"] > said.pop("read_at")
    assert {name: value for name, value in told.items() if name != "read_at"} == said


def test_it_is_an_event_stream_that_nobody_keeps_buffers_or_compresses(amelia_hears: Hearing) -> None:
    headers = amelia_hears.answer.headers
    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not {"Set-Cookie", "Content-Encoding", "Content-Length"} & set(headers.keys())


def test_a_join_an_edit_a_hidden_tab_and_a_leave_are_each_told(
    daniel: Visitor, page_identifier: str, amelia_hears: Hearing
) -> None:
    def told(**members: Any) -> dict[str, Any]:
        daniel.beat(page_identifier, tab_id="t", **members)
        event = amelia_hears.next()
        assert event is not None
        [him] = [user for user in event.data["users"] if user["first_name"] == "Daniel"]
        return him

    assert told()["activity"] == "viewing"
    assert told(activity="editing")["activity"] == "editing"
    assert told(activity="editing", fields=["Phone"])["fields"] == ["Phone"]
    assert told(activity="editing", fields=["Phone"], visible=False)["visible"] is False
    assert told(waiting=True)["waiting_since"] is not None
    assert told(answer="soon")["answer"] == "soon"

    daniel.leave(page_identifier, "t")
    assert amelia_hears.names() == ["Amelia"]


@pytest.mark.parametrize(
    "members", [{}, {"activity": "editing", "fields": ["Phone", "Email"]}, {"visible": False}, {"waiting": True}]
)
def test_a_beat_that_changes_nothing_notifies_nobody(
    daniel: Visitor, page_identifier: str, wire: Wire, members: dict[str, Any]
) -> None:
    daniel.beat(page_identifier, tab_id="t", **members)
    assert [notice.page for notice in wire.heard()] == [page_identifier]

    with wire.silent():
        for _ in range(3):
            daniel.beat(page_identifier, tab_id="t", **members)


def test_what_says_nothing_of_anybody_is_all_that_a_notification_carries(
    daniel: Visitor, client: Client, cast: Cast, page_identifier: str, wire: Wire
) -> None:
    daniel.beat(page_identifier, activity="editing", fields=["Phone"])
    save(client, cast.daniel, phone="01632 960777")
    db.session.commit()

    said = [notice.payload() for notice in wire.heard()]

    assert said == [
        f'{{"event": "roster", "page": "{page_identifier}"}}',
        f'{{"event": "saved", "page": "{page_identifier}", "version": 2}}',
    ]


def test_a_change_that_nobody_sees_is_not_told(visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> None:
    """A second tab of somebody who is there already: PostgreSQL is rung, and the page redraws nothing."""
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="one")
    hearing = listen(amelia, page_identifier)
    hearing.names()

    amelia.beat(page_identifier, tab_id="two")
    amelia.leave(page_identifier, "two")
    visit(cast.daniel).beat(page_identifier)

    assert hearing.names() == ["Amelia", "Daniel"]


def test_another_page_is_not_disturbed(daniel: Visitor, page_identifier: str, amelia_hears: Hearing) -> None:
    daniel.beat(f"client-{make_client('Another').id}")
    daniel.beat(page_identifier)

    assert amelia_hears.names() == ["Amelia", "Daniel"]
    assert amelia_hears.has_heard_all()


def test_a_burst_becomes_few_events_and_the_last_is_whole(
    visit: Visit, page_identifier: str, amelia_hears: Hearing
) -> None:
    crowd = [visit(make_profile("Viewer", f"Number{n}")).with_token() for n in range(30)]
    for viewer in crowd:
        viewer.beat(page_identifier)

    rosters = 1
    while len(amelia_hears.names()) < 31:
        rosters += 1
    assert rosters < 15


def test_a_save_tells_the_new_version_and_a_save_that_is_rolled_back_does_not(
    client: Client, cast: Cast, amelia_hears: Hearing, wire: Wire
) -> None:
    with wire.silent():
        save(client, cast.daniel, phone="01632 960776")
        db.session.rollback()

    save(client, cast.daniel, phone="01632 960777")
    db.session.commit()

    assert amelia_hears.next() == Event("saved", {"version": 2})


def test_what_was_never_notified_is_told_with_the_next_ring(
    daniel: Visitor, page_identifier: str, amelia_hears: Hearing
) -> None:
    """A notification is a bell: what is told is what the page is."""
    run_sql("UPDATE clients SET version = 9")
    daniel.beat(page_identifier)

    events = [amelia_hears.next(), amelia_hears.next()]

    assert {event.name for event in events if event} == {"roster", "saved"}
    assert Event("saved", {"version": 9}) in events


def test_one_statement_reads_a_page_for_all_its_streams(
    tapped_visit: Visit, cast: Cast, page_identifier: str, listen: Listen, wiretap: Wiretap
) -> None:
    everybody = [cast.amelia, cast.daniel, cast.rhys, cast.ada]
    hearings = [listen(tapped_visit(profile), page_identifier) for profile in everybody]
    for hearing in hearings:
        hearing.names()

    with wiretap.listening() as heard:
        tapped_visit(cast.amelia).with_token().beat(page_identifier)
        assert [hearing.names() for hearing in hearings] == [["Amelia"]] * 4

    assert len([statement for statement in heard if "presence_pages" in statement]) == 1


def test_whoever_listens_without_having_beaten_is_not_on_the_roster(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    assert listen(visit(cast.amelia), page_identifier).names() == []


def test_a_wrong_tab_id_is_named(visit: Visit, cast: Cast, page_identifier: str) -> None:
    answer = visit(cast.amelia).get(f"/user_page_presence/{page_identifier}/events?tab_id=a b")
    assert (answer.status_code, answer.json["field"]) == (422, "tab_id")


def test_names_are_data_and_end_no_event_early(visit: Visit, page_identifier: str, listen: Listen) -> None:
    mallory = make_profile("Mal\u2028\n\ndata: {}", "event: end\r\n\r\n")
    browser = visit(mallory)
    browser.beat(page_identifier)

    event = listen(browser, page_identifier).next()

    assert event is not None
    assert event.data["users"][0]["first_name"] == mallory.first_name


def test_it_tells_when_somebody_runs_out_of_the_active_window(
    make_app: AppMaker, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    """Nobody does anything then, and no beat comes by: the hub knows when to look."""
    visit = visitors_of(make_app(presence=PresenceTimings(1, 3, 5)))
    visit(cast.daniel).beat(page_identifier, tab_id="gone-without-a-word")
    amelia_hears = listen(visit(cast.amelia), page_identifier)
    assert amelia_hears.names() == ["Daniel"]

    assert amelia_hears.names() == []
