"""Send one stream the rows of a list and the user's own events, each with the permission of the moment."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from portal.auth import profiles
from portal.clients import Client
from portal.clients.csv.importing.importer import import_folder
from portal.extensions import db
from portal.live import hub_of
from portal.live.notifications import IMPORTED, Notification
from portal.notifications import store
from portal.notifications.kinds import Kind
from tests.live.conftest import Listen, run_sql
from tests.support.cast import Cast
from tests.support.csv_folder import ONE_OF_EACH, CsvFolder
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.notifications import NotificationListener
from tests.support.postgres_proxy import Wiretap
from tests.support.problems import assert_problem
from tests.support.sse_reader import Event, EventReader
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass
from tests.support.until import wait_until
from tests.support.volume import volume

Visit = type[Visitor]
ListenToRows = Callable[..., EventReader]


@pytest.fixture
def listen_to_rows(app: Flask) -> Iterator[ListenToRows]:
    """`listen_to_rows(visitor, *clients)` opens a stream with their rows and closes it after the test."""
    with ExitStack() as opened:

        def open_stream(visitor: Visitor, *clients: Client) -> EventReader:
            query = urlencode([("page", f"client-{client.id}") for client in clients])
            response = visitor.get(f"/user_page_presence/events?{query}", buffered=False)
            assert response.status_code == 200, response.get_data(as_text=True)
            return opened.enter_context(EventReader(response))

        yield open_stream


@pytest.fixture
def clients(cast: Cast) -> list[Client]:
    return [make_client(name, adviser_id=cast.amelia.id) for name in ("One", "Two", "Three")]


def row(event: Event | None) -> tuple[str, int | None, list[str]]:
    """Return (page, version, first names) of the event of a row."""
    assert event is not None
    assert event.name == "row", event
    return event.data["page"], event.data["version"], [user["first_name"] for user in event.data["users"]]


def restrict(client: Client, cast: Cast) -> None:
    save_for(cast.amelia, client, is_restricted=True)


def notify(profile_id: int, client: Client) -> None:
    store.add(Kind.CHANGED, [profile_id], client_id=client.id, actor_id=None)
    db.session.commit()


def test_list_receives_every_row_when_it_opens_and_then_those_that_change(
    visit: Visit, cast: Cast, clients: list[Client], listen_to_rows: ListenToRows
) -> None:
    one, two, three = (f"client-{client.id}" for client in clients)
    daniel = visit(cast.daniel)
    daniel.beat(two)
    events = listen_to_rows(visit(cast.amelia), *clients)
    first = [row(events.next()) for _ in clients]
    assert sorted(first) == sorted([(one, 1, []), (two, 1, ["Daniel"]), (three, 1, [])])
    daniel.beat(three)
    assert row(events.next()) == (three, 1, ["Daniel"])
    save_for(cast.daniel, clients[0], phone="222")
    assert row(events.next()) == (one, 2, [])
    daniel.leave(three)
    assert row(events.next()) == (three, 1, [])


def test_row_that_the_caller_may_not_see_has_no_event_and_is_gone_when_it_is_restricted(
    visit: Visit, cast: Cast, clients: list[Client], listen_to_rows: ListenToRows
) -> None:
    hidden, shown, _ = clients
    restrict(hidden, cast)
    events = listen_to_rows(visit(cast.daniel), hidden, shown)
    assert row(events.next())[:2] == (f"client-{shown.id}", 1)
    visit(cast.amelia).beat(f"client-{hidden.id}")
    restrict(shown, cast)
    assert events.next() == Event("row", {"page": f"client-{shown.id}", "gone": True})
    visit(cast.amelia).beat(f"client-{shown.id}")
    notify(cast.daniel.id, clients[2])
    assert events.unread() == 1
    assert events.is_drained()


def test_import_that_changes_many_clients_is_one_event_for_the_hub_and_one_for_each_row_of_the_list(
    visit: Visit,
    cast: Cast,
    clients: list[Client],
    listen_to_rows: ListenToRows,
    listener: NotificationListener,
    tmp_path: Path,
) -> None:
    shown, hidden, unchanged = clients
    others = [make_client(f"Imported {number}") for number in range(volume(100, 5_000))]
    restrict(hidden, cast)
    events = listen_to_rows(visit(cast.daniel), *clients)
    assert {row(events.next())[:2] for _ in range(2)} == {(f"client-{client.id}", 1) for client in (shown, unchanged)}
    imported = [(client, cast.amelia.email) for client in (shown, hidden)] + [(client, "") for client in others]
    rows = [f"{client.client_ref},{client.name},family,active,{email},,,0117 1,,,,,,,,," for client, email in imported]
    headings = {name: content.splitlines(keepends=True)[0] for name, content in ONE_OF_EACH.items()}
    folder = CsvFolder(tmp_path / "in", headings).add("clients.csv", *rows)
    listener.received()
    import_folder(folder.path)
    db.session.commit()
    assert listener.received() == [Notification(IMPORTED)]
    assert row(events.next()) == (f"client-{shown.id}", 2, [])
    assert events.is_drained()


def test_lost_notification_of_a_row_is_recovered_by_the_regular_reading(
    visit: Visit,
    cast: Cast,
    clients: list[Client],
    listen_to_rows: ListenToRows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portal.live.due.ROWS_READ_INTERVAL_SECONDS", 0.2)
    monkeypatch.setattr("portal.live.schedule.MAX_READ_INTERVAL_SECONDS", 0.2)
    one, two, _ = clients
    events = listen_to_rows(visit(cast.daniel), one, two)
    for _ in range(2):
        row(events.next())
    run_sql("UPDATE clients SET version = 7 WHERE id = :id", id=one.id)
    assert row(events.next())[1] == 7
    run_sql("UPDATE clients SET is_restricted = true WHERE id = :id", id=two.id)
    assert events.next() == Event("row", {"page": f"client-{two.id}", "gone": True})


def test_silent_user_leaves_the_row_when_the_active_window_ends(
    visit: Visit, cast: Cast, clients: list[Client], listen_to_rows: ListenToRows
) -> None:
    page = f"client-{clients[0].id}"
    visit(cast.daniel).beat(page)
    let_pass(visit.application.config["SETTINGS"].presence.active_window_seconds - 1)
    events = listen_to_rows(visit(cast.amelia), clients[0])
    assert row(events.next()) == (page, 1, ["Daniel"])
    assert row(events.next()) == (page, 1, [])


def test_count_of_unread_notifications_arrives_on_every_kind_of_stream(
    visit: Visit, cast: Cast, clients: list[Client], listen: Listen, listen_to_rows: ListenToRows
) -> None:
    amelia = visit(cast.amelia)
    streams = [listen(amelia, f"client-{clients[0].id}"), listen_to_rows(amelia, clients[1]), listen_to_rows(amelia)]
    others = listen_to_rows(visit(cast.daniel))
    assert [events.unread() for events in (*streams, others)] == [0, 0, 0, 0]
    notify(cast.amelia.id, clients[2])
    assert [events.unread() for events in streams] == [1, 1, 1]
    store.mark_read(cast.amelia.id)
    db.session.commit()
    assert [events.unread() for events in streams] == [0, 0, 0]
    assert others.is_drained()


def test_count_drops_when_the_user_loses_the_client(
    visit: Visit,
    cast: Cast,
    clients: list[Client],
    listen_to_rows: ListenToRows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("portal.live.schedule.MAX_READ_INTERVAL_SECONDS", 0.2)
    notify(cast.daniel.id, clients[0])
    events = listen_to_rows(visit(cast.daniel))
    assert events.unread() == 1
    restrict(clients[0], cast)
    assert events.unread() == 0


def test_end_of_the_sign_in_sessions_ends_the_stream(
    visit: Visit, cast: Cast, clients: list[Client], listen_to_rows: ListenToRows
) -> None:
    events = listen_to_rows(visit(cast.daniel), clients[0])
    row(events.next())
    profiles.end_sessions(cast.daniel)
    db.session.commit()
    assert events.next() == Event("signed-out", {})
    wait_until(lambda: events.has_ended, "The stream goes on.")


def test_expired_session_ends_a_stream_without_pages(
    visit: Visit, cast: Cast, listen_to_rows: ListenToRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.live.schedule.MAX_READ_INTERVAL_SECONDS", 0.2)
    events = listen_to_rows(visit(cast.daniel))
    run_sql("DELETE FROM sign_in_sessions WHERE profile_id = :id", id=cast.daniel.id)
    assert events.next() == Event("signed-out", {})


def test_stream_without_a_session_is_401_and_more_than_100_rows_are_422(visit: Visit, cast: Cast) -> None:
    assert_problem(visit(None).get("/user_page_presence/events"), 401)
    query = urlencode([("page", f"client-{number}") for number in range(1, 102)])
    assert_problem(visit(cast.amelia).get(f"/user_page_presence/events?{query}"), 422)


def test_closed_list_leaves_nothing_in_the_hub(
    visit: Visit, cast: Cast, clients: list[Client], listen_to_rows: ListenToRows
) -> None:
    events = listen_to_rows(visit(cast.daniel), *clients)
    for _ in clients:
        row(events.next())
    registry = hub_of(visit.application)._registry
    assert [len(registry.with_row(f"client-{client.id}")) for client in clients] == [1, 1, 1]
    events.close()
    wait_until(lambda: registry.count == 0, "The hub keeps the stream.")
    assert (registry.profiles(), registry.with_row(f"client-{clients[0].id}")) == ([], [])


def test_open_lists_share_the_names_of_their_rows(
    visit: Visit, cast: Cast, clients: list[Client], listen_to_rows: ListenToRows
) -> None:
    streams = [listen_to_rows(visit(profile), *clients) for profile in (cast.amelia, cast.daniel)]
    for events in streams:
        row(events.next())
    registry = hub_of(visit.application)._registry
    kept = [stream for stream in registry.with_row(f"client-{clients[0].id}") if len(stream.rows) == len(clients)]
    names = {id(identifier) for stream in kept for identifier in stream.rows}
    assert (len(kept), len(names)) == (2, len(clients))


def test_hub_reads_rows_rosters_and_counts_in_one_statement(
    tapped_visit: Visit,
    wiretap: Wiretap,
    cast: Cast,
    clients: list[Client],
    listen: Listen,
    listen_to_rows: ListenToRows,
) -> None:
    page = f"client-{clients[0].id}"
    streams = [listen_to_rows(tapped_visit(profile), *clients) for profile in (cast.amelia, cast.daniel)]
    for events in streams:
        for _ in clients:
            row(events.next())
    on_page = listen(tapped_visit(cast.ada), page)
    assert on_page.names() == []
    with wiretap.listening() as statements:
        tapped_visit(cast.ada).with_token().beat(page)
        assert on_page.names() == ["Ada"]
        assert [row(events.next()) for events in streams] == [(page, 1, ["Ada"])] * 2
    assert len([statement for statement in statements if "presence_pages" in statement]) == 1
