"""The hub's own connection is lost: it comes back by itself, and nobody misses what happened meanwhile."""

import pytest

from portal.live import hub
from tests.live.conftest import Listen, run_sql
from tests.support.cast import Cast
from tests.support.postgres_proxy import Wiretap
from tests.support.sse_reader import Event, Hearing
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def amelia_hears(tapped_visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> Hearing:
    """Amelia on an application whose connections can be cut."""
    hearing = listen(tapped_visit(cast.amelia), page_identifier)
    assert hearing.names() == []
    return hearing


def test_however_long_the_database_is_away_it_is_tried_again() -> None:
    pauses = [hub._backoff_limit_seconds(failures) for failures in (1, 2, 3, 6, 7, 1025, 100_000)]
    assert pauses == [0.5, 1, 2, 15, 15, 15, 15]


def test_what_happened_while_the_database_was_away_is_told_when_it_is_back(
    visit: Visit, cast: Cast, page_identifier: str, amelia_hears: Hearing, wiretap: Wiretap
) -> None:
    with wiretap.cut():
        visit(cast.daniel).beat(page_identifier)
        run_sql("UPDATE clients SET version = 5")

    events = [amelia_hears.next(), amelia_hears.next()]

    assert {event.name for event in events if event} == {"roster", "saved"}
    assert Event("saved", {"version": 5}) in events
    visit(cast.daniel).leave(page_identifier)
    assert amelia_hears.names() == []


def test_who_may_no_longer_listen_by_then_is_told_nothing_of_it(
    visit: Visit, cast: Cast, page_identifier: str, amelia_hears: Hearing, wiretap: Wiretap
) -> None:
    with wiretap.cut():
        visit(cast.daniel).beat(page_identifier)
        run_sql("UPDATE profiles SET session_epoch = 7 WHERE id = :id", id=cast.amelia.id)

    assert amelia_hears.next() == Event("signed-out", {})


def test_a_stream_that_cannot_hear_anything_is_not_opened(
    tapped_visit: Visit, cast: Cast, page_identifier: str, wiretap: Wiretap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.live.hub.OPENING_SECONDS", 0.2)
    amelia = tapped_visit(cast.amelia)
    with wiretap.cut():
        answer = amelia.get(f"/user_page_presence/{page_identifier}/events")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
