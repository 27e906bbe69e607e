"""What one browser, one person or one process can hold of streams, and what becomes of the rest."""

import pytest

from portal.live import hub_of
from portal.live.registry import MAX_STREAMS_PER_PROFILE
from tests.conftest import AppMaker
from tests.live.conftest import Listen
from tests.support.cast import Cast
from tests.support.sse_reader import Event
from tests.support.test_client import Visitor, visitors_of
from tests.support.time_travel import rows

Visit = type[Visitor]


def test_of_too_many_streams_of_one_person_the_oldest_gives_way(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    daniels = listen(visit(cast.daniel), page_identifier)
    amelia = visit(cast.amelia)
    hearings = [listen(amelia, page_identifier, f"tab-{n}") for n in range(MAX_STREAMS_PER_PROFILE + 2)]
    for hearing in (daniels, *hearings):
        assert hearing.names() == []

    for oldest in hearings[:2]:
        assert oldest.next() == Event("end", {"reason": "full"})
        assert oldest.next() is None
    amelia.beat(page_identifier)
    for other in (daniels, *hearings[2:]):
        assert other.names() == ["Amelia"]


def test_a_call_that_is_refused_pushes_nobody_out(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    amelia = visit(cast.amelia)
    hearings = [listen(amelia, page_identifier, f"tab-{n}") for n in range(MAX_STREAMS_PER_PROFILE)]
    for hearing in hearings:
        assert hearing.names() == []

    for _ in range(3):
        assert amelia.get("/user_page_presence/client-999999/events").status_code == 404

    amelia.beat(page_identifier)
    for hearing in hearings:
        assert hearing.names() == ["Amelia"]


def test_a_process_that_has_enough_of_them_says_when_to_come_again(
    make_app: AppMaker, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    visit = visitors_of(make_app(streams_per_worker=1))
    held = listen(visit(cast.amelia), page_identifier)

    refused = visit(cast.daniel).get(f"/user_page_presence/{page_identifier}/events")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert refused.content_type == "application/problem+json"

    held.close()
    assert listen(visit(cast.daniel), page_identifier).names() == []


def test_a_process_that_stops_ends_its_streams_at_once_and_takes_no_more(
    make_app: AppMaker, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    app = make_app()
    visit = visitors_of(app)
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="tab")
    hearing = listen(amelia, page_identifier)
    assert hearing.names() == ["Amelia"]

    hub_of(app).stop()

    assert hearing.next() == Event("end", {"reason": "moving"})
    assert hearing.next() is None
    assert amelia.get(f"/user_page_presence/{page_identifier}/events").status_code == 503
    assert rows() == [(cast.amelia.id, page_identifier)]  # a stream that the server ends has not vanished


@pytest.mark.parametrize("how", ["closed", "refused"])
def test_nothing_is_left_of_a_stream_that_is_over(
    make_app: AppMaker, cast: Cast, page_identifier: str, listen: Listen, how: str
) -> None:
    app = make_app()
    visit = visitors_of(app)
    if how == "closed":
        listen(visit(cast.amelia), page_identifier).close()
    else:
        assert visit(cast.amelia).get("/user_page_presence/client-999999/events").status_code == 404

    open_streams = hub_of(app)._open
    assert (open_streams.count, open_streams.pages(), open_streams.of_profile(cast.amelia.id)) == (0, [], [])
