"""One stream for all tabs of a browser: each page by its own permission, each tab by its own rules."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask

from portal.auth import operations
from portal.clients import Client
from portal.extensions import db
from portal.live import hub as hub_module
from portal.live import hub_of, publish
from portal.live.open_streams import MOST_OF_PROFILE
from portal.presence.shared_tabs import MAX_SHARED_TABS
from tests.cast import Cast
from tests.live.conftest import Listen, run_sql
from tests.live.hearing import Event, Hearing
from tests.presence.passing_time import rows
from tests.records import make_client
from tests.visitor import Visitor

Visit = type[Visitor]
Share = Callable[..., Hearing]
PATH = "/user_page_presence/events"


@pytest.fixture
def pages(cast: Cast) -> list[str]:
    return [f"client-{make_client(name, adviser_id=cast.amelia.id).id}" for name in ("Whitmore", "Baker")]


@pytest.fixture
def share(app: Flask) -> Iterator[Share]:
    """`share(visitor, "client-1:tab:1", …)` opens a shared stream, which is closed when the test ends."""
    with ExitStack() as opened:

        def open_stream(visitor: Visitor, *tabs: str) -> Hearing:
            answer = visitor.get(PATH, query_string={"tab": tabs}, buffered=False)
            assert answer.status_code == 200, answer.get_data(as_text=True)
            return opened.enter_context(Hearing(answer))

        yield open_stream


def heard(hearing: Hearing, count: int) -> dict[str, list[str]]:
    """By page, who is on the next rosters."""
    events = [hearing.next() for _ in range(count)]
    assert {event.name for event in events if event} == {"roster"}
    return {event.page: sorted(user["first_name"] for user in event.data["users"]) for event in events if event}


def test_events_of_each_page_arrive_by_one_connection_with_the_page_as_their_id(
    visit: Visit, cast: Cast, pages: list[str], share: Share
) -> None:
    daniel = visit(cast.daniel)
    hearing = share(daniel, f"{pages[0]}:one:1", f"{pages[1]}:two:1")
    assert heard(hearing, 2) == {pages[0]: [], pages[1]: []}

    visit(cast.amelia).beat(pages[1])
    assert heard(hearing, 1) == {pages[1]: ["Amelia"]}
    publish.saved(db.session.connection(), pages[0], 1)
    run_sql("UPDATE clients SET version = version + 1 WHERE name = 'Whitmore'")
    db.session.commit()
    assert hearing.next() == Event("saved", {"version": 2}, pages[0])


def test_page_that_is_lost_ends_alone(visit: Visit, cast: Cast, pages: list[str], share: Share) -> None:
    hearing = share(visit(cast.daniel), f"{pages[0]}:one:1", f"{pages[1]}:two:1")
    heard(hearing, 2)
    run_sql("UPDATE clients SET is_restricted = true WHERE name = 'Whitmore'")
    publish.roster_changed(db.session.connection(), [pages[0]])
    db.session.commit()

    assert hearing.next() == Event("signed-out", {}, pages[0])
    visit(cast.amelia).beat(pages[1])
    assert heard(hearing, 1) == {pages[1]: ["Amelia"]}


def test_page_that_is_not_the_callers_is_refused_alone_as_the_stream_opens(
    visit: Visit, cast: Cast, pages: list[str], share: Share
) -> None:
    run_sql("UPDATE clients SET is_restricted = true WHERE name = 'Whitmore'")
    hearing = share(visit(cast.daniel), f"{pages[0]}:one:1", f"{pages[1]}:two:1")

    events = [hearing.next(), hearing.next()]
    assert Event("signed-out", {}, pages[0]) in events
    assert [event.page for event in events if event and event.name == "roster"] == [pages[1]]


@pytest.mark.parametrize("who", ["olga", "nobody", "daniel"])
def test_caller_who_may_see_none_of_the_pages_is_answered_with_a_status(
    visit: Visit, cast: Cast, olgas_browser: Visitor, pages: list[str], who: str
) -> None:
    run_sql("UPDATE clients SET is_restricted = true")
    browser = {"olga": olgas_browser, "nobody": visit(None), "daniel": visit(cast.daniel)}[who]

    answer = browser.get(PATH, query_string={"tab": [f"{page}:tab:1" for page in pages]})

    assert answer.status_code == (404 if who == "daniel" else 401)


def test_signing_out_everywhere_ends_it(visit: Visit, cast: Cast, pages: list[str], share: Share) -> None:
    hearing = share(visit(cast.daniel), f"{pages[0]}:one:1", f"{pages[1]}:two:1")
    heard(hearing, 2)

    operations.end_sessions(cast.daniel)
    db.session.commit()

    ends = [hearing.next(), hearing.next()]
    assert sorted(event.page for event in ends if event and event.name == "signed-out") == sorted(pages)
    assert hearing.next() is None


def test_every_tab_of_a_connection_that_breaks_is_taken_off_its_page(
    visit: Visit, cast: Cast, pages: list[str], share: Share, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "GRACE_SECONDS", 0.1)
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    for page, tab_id in zip(pages, ("one", "two"), strict=True):
        daniel.beat(page, tab_id=tab_id, stream=1)
    hears = [listen(amelia, page) for page in pages]
    assert [hearing.names() for hearing in hears] == [["Daniel"], ["Daniel"]]

    share(daniel, f"{pages[0]}:one:1", f"{pages[1]}:two:1").close()

    assert [hearing.names() for hearing in hears] == [[], []]
    assert rows() == []


def test_tab_whose_beats_speak_of_the_next_shared_stream_stays_when_the_last_one_breaks(
    visit: Visit, cast: Cast, pages: list[str], share: Share, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream is opened anew with one tab more, perhaps by another process, and the old one is closed."""
    monkeypatch.setattr(hub_module, "GRACE_SECONDS", 0.1)
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    old = share(daniel, f"{pages[0]}:stays:1", f"{pages[1]}:goes:1")
    daniel.beat(pages[0], tab_id="stays", stream=2)
    daniel.beat(pages[1], tab_id="goes", stream=1)
    hearing = listen(amelia, pages[1])
    assert hearing.names() == ["Daniel"]

    old.close()

    assert hearing.names() == []  # by when the other has been looked at too
    assert rows() == [(cast.daniel.id, pages[0])]


def test_all_tabs_of_a_browser_are_one_of_the_connections_that_a_person_may_have(
    visit: Visit, cast: Cast, pages: list[str], share: Share
) -> None:
    amelia = visit(cast.amelia)
    many = [f"{page}:tab-{number}:1" for page in pages for number in range(12)]
    shared = share(amelia, *many)
    others = [share(amelia, f"{pages[0]}:other-{number}:1") for number in range(MOST_OF_PROFILE - 1)]
    for other in others:
        heard(other, 1)
    one_more = share(amelia, f"{pages[0]}:more:1")
    heard(one_more, 1)

    ends = [event for event in iter(shared.next, None) if event.name == "end"]
    assert {event.data["reason"] for event in ends} == {"full"}
    assert len(ends) == len(many)
    visit(cast.daniel).beat(pages[0])
    assert heard(others[0], 1) == {pages[0]: ["Daniel"]}


def test_nothing_is_left_of_a_shared_stream_that_is_over(
    app: Flask, visit: Visit, cast: Cast, pages: list[str], share: Share
) -> None:
    run_sql("UPDATE clients SET is_restricted = true WHERE name = 'Whitmore'")
    hearing = share(visit(cast.daniel), f"{pages[0]}:one:1", f"{pages[1]}:two:1")
    hearing.close()

    open_streams = hub_of(app)._open
    assert (open_streams.count, open_streams.pages(), open_streams.of_profile(cast.daniel.id)) == (0, [], [])


@pytest.mark.parametrize(
    "tabs",
    [
        [],
        ["client-1"],
        ["client-1:tab"],
        ["client-1:tab:x"],
        ["client-1:tab:-1"],
        ["client-1:a b:1"],
        ["client-1::1"],
        ["client-1:tab:1:2"],
        ["client-1:tab:1", "client-1:tab:2"],
        [f"client-1:tab-{number}:1" for number in range(MAX_SHARED_TABS + 1)],
    ],
)
def test_tabs_that_are_none_are_refused(visit: Visit, cast: Cast, client: Client, tabs: list[str]) -> None:
    answer = visit(cast.amelia).get(PATH, query_string={"tab": tabs})

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.json["field"] in ("tab", "tab_id", "stream")


@pytest.mark.parametrize("page", ["nonsense", "client-0", "client-x", "list-1"])
def test_page_of_no_kind_is_not_found(visit: Visit, cast: Cast, page: str) -> None:
    assert visit(cast.amelia).get(PATH, query_string={"tab": [f"{page}:tab:1"]}).status_code == 404
