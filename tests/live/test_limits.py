"""Limit the streams of a browser, a profile and a process."""

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


def test_oldest_stream_ends_when_a_profile_opens_too_many(
    visit: Visit, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    daniels = listen(visit(cast.daniel), page_identifier)
    amelia = visit(cast.amelia)
    streams = [listen(amelia, page_identifier, f"tab-{n}") for n in range(MAX_STREAMS_PER_PROFILE + 2)]
    for events in (daniels, *streams):
        assert events.names() == []

    for oldest in streams[:2]:
        assert oldest.next() == Event("end", {"reason": "full"})  # "replaced" from release 0.3 on
        assert oldest.next() is None
    amelia.beat(page_identifier)
    for other in (daniels, *streams[2:]):
        assert other.names() == ["Amelia"]


def test_refused_call_ends_no_other_stream(visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> None:
    amelia = visit(cast.amelia)
    streams = [listen(amelia, page_identifier, f"tab-{n}") for n in range(MAX_STREAMS_PER_PROFILE)]
    for events in streams:
        assert events.names() == []

    for _ in range(3):
        assert amelia.get("/user_page_presence/client-999999/events").status_code == 404

    amelia.beat(page_identifier)
    for events in streams:
        assert events.names() == ["Amelia"]


def test_full_process_answers_503_with_retry_after(
    make_app: AppMaker, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    visit = visitors_of(make_app(streams_per_worker=1))
    held = listen(visit(cast.amelia), page_identifier)

    refused = visit(cast.daniel).get(f"/user_page_presence/{page_identifier}/events")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert refused.content_type == "application/problem+json"

    held.close()
    assert listen(visit(cast.daniel), page_identifier).names() == []


def test_stopping_process_ends_its_streams_and_accepts_no_more(
    make_app: AppMaker, cast: Cast, page_identifier: str, listen: Listen
) -> None:
    app = make_app()
    visit = visitors_of(app)
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="tab")
    events = listen(amelia, page_identifier)
    assert events.names() == ["Amelia"]

    hub_of(app).stop()

    assert events.next() == Event("end", {"reason": "restarting"})
    assert events.next() is None
    assert amelia.get(f"/user_page_presence/{page_identifier}/events").status_code == 503
    assert rows() == [(cast.amelia.id, page_identifier)]  # the end by the server removes no tab


@pytest.mark.parametrize("how", ["closed", "refused"])
def test_ended_stream_leaves_no_state(
    make_app: AppMaker, cast: Cast, page_identifier: str, listen: Listen, how: str
) -> None:
    app = make_app()
    visit = visitors_of(app)
    if how == "closed":
        listen(visit(cast.amelia), page_identifier).close()
    else:
        assert visit(cast.amelia).get("/user_page_presence/client-999999/events").status_code == 404

    open_streams = hub_of(app)._registry
    assert (open_streams.count, open_streams.pages(), open_streams.of_profile(cast.amelia.id)) == (0, [], [])
