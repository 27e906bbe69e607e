"""Recover from the loss of the hub's database connection without missing a change."""

import pytest

from portal.live.schedule import max_pause_seconds
from tests.live.conftest import Listen, run_sql
from tests.support.cast import Cast
from tests.support.postgres_proxy import Wiretap
from tests.support.sse_reader import Event, EventReader
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def amelia_events(tapped_visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> EventReader:
    """Amelia's stream, on an application whose connections can be cut."""
    events = listen(tapped_visit(cast.amelia), page_identifier)
    assert events.names() == []
    return events


def test_reconnection_never_stops_and_its_pause_is_bounded() -> None:
    pauses = [max_pause_seconds(failures) for failures in (1, 2, 3, 6, 7, 1025, 100_000)]
    assert pauses == [0.5, 1, 2, 15, 15, 15, 15]


def test_change_during_an_outage_is_sent_after_it(
    visit: Visit, cast: Cast, page_identifier: str, amelia_events: EventReader, wiretap: Wiretap
) -> None:
    with wiretap.cut():
        visit(cast.daniel).beat(page_identifier)
        run_sql("UPDATE clients SET version = 5")

    events = [amelia_events.next(), amelia_events.next()]

    assert {event.name for event in events if event} == {"roster", "saved"}
    assert Event("saved", {"version": 5}) in events
    visit(cast.daniel).leave(page_identifier)
    assert amelia_events.names() == []


def test_stream_that_lost_its_permission_during_an_outage_gets_no_change(
    visit: Visit, cast: Cast, page_identifier: str, amelia_events: EventReader, wiretap: Wiretap
) -> None:
    with wiretap.cut():
        visit(cast.daniel).beat(page_identifier)
        run_sql("UPDATE profiles SET session_epoch = 7 WHERE id = :id", id=cast.amelia.id)

    assert amelia_events.next() == Event("signed-out", {})


def test_stream_is_refused_while_the_hub_has_no_connection(
    tapped_visit: Visit, cast: Cast, page_identifier: str, wiretap: Wiretap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.live.hub.OPENING_SECONDS", 0.2)
    amelia = tapped_visit(cast.amelia)
    with wiretap.cut():
        response = amelia.get(f"/user_page_presence/{page_identifier}/events")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
