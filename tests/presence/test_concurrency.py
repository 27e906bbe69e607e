"""Send many heartbeats at the same time, with real threads, connections and commits."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from portal.auth import Profile
from portal.extensions import db
from portal.page_kinds import parse
from portal.presence.batching import Batcher
from portal.presence.beats import MAX_TABS, Beat
from portal.presence.store import current_store, store_of
from portal.web.session_cookie import Identity
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client
from tests.support.test_client import Visitor, identity_of
from tests.support.time_travel import rows, tab_ids
from tests.support.until import wait_until

pytestmark = pytest.mark.statements

Visit = type[Visitor]


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run each task in its own thread, all starting together; return their results."""
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        start.wait(10)
        return task()

    with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
        return [future.result(30) for future in [pool.submit(run, task) for task in tasks]]


def test_32_simultaneous_heartbeats_on_one_page_are_all_recorded(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    """Each profile has one row. No roster contains more than these profiles, and the next one contains all."""
    crowd = [visit(make_profile(f"Person{number:02}", "Crowd")).with_token() for number in range(32)]

    responses = at_once([lambda visitor=visitor: visitor.beat(page_identifier, tab_id="t") for visitor in crowd])

    assert [response.status_code for response in responses] == [200] * 32
    assert all(1 <= len(response.json["users"]) <= 32 for response in responses)
    all_ids = {user["id"] for user in crowd[0].beat(page_identifier, tab_id="t").json["users"]}
    assert len(all_ids) == 32
    assert len(rows()) == 32
    last = max(responses, key=lambda response: len(response.json["users"]))
    assert {user["id"] for user in last.json["users"]} == all_ids


def test_simultaneous_first_heartbeats_of_one_profile_make_one_row(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    """As many tabs as a row can contain are restored at once, and all are kept."""
    amelia = visit(cast.amelia).with_token()
    tabs = [_same_browser(visit, amelia) for _ in range(MAX_TABS)]

    responses = at_once(
        [lambda n=n, tab=tab: tab.beat(page_identifier, tab_id=f"t{n:02}") for n, tab in enumerate(tabs)]
    )

    assert [response.status_code for response in responses] == [200] * MAX_TABS
    assert rows() == [(cast.amelia.id, page_identifier)]
    assert tab_ids() == [f"t{n:02}" for n in range(MAX_TABS)]


def test_batches_of_two_workers_on_the_same_pages_do_not_deadlock(
    make_app: Callable[..., Flask], cast: Cast, page_identifier: str
) -> None:
    """Two processes have two batches in progress over the same rows; here they are two Batchers over one database.

    A deadlock would be a 503, or a second of waiting until PostgreSQL detects it.
    """
    app = make_app()
    profiles = [make_profile(f"Person{number:02}", "Crowd") for number in range(16)]
    callers = [identity_of(app, profile) for profile in profiles]
    page = parse(page_identifier)
    workers = [Batcher(store_of(app).execute_batch) for _ in range(2)]

    def beat_often(worker: Batcher[Any, Any], caller: Identity) -> list[bool]:
        return [
            worker.send((caller.profile_id, page.identifier), (caller, Beat(page, tab_id=f"t{turn % 3}")))[1]
            for turn in range(10)
        ]

    responses = at_once(
        [lambda worker=worker, caller=caller: beat_often(worker, caller) for caller in callers for worker in workers]
    )

    assert responses == [[True] * 10] * 32
    assert len(rows()) == 16


def test_batch_returns_to_each_call_its_own_result(app: Flask, visit: Visit, cast: Cast, page_identifier: str) -> None:
    """One statement contains different callers on different pages, some without permission."""
    other_page = f"client-{make_client('Other', version=5).id}"
    visit(cast.ada).beat(page_identifier)

    def call(profile: Profile, page: str) -> tuple[Identity, Beat]:
        return identity_of(app, profile), Beat(parse(page), tab_id=f"tab-{profile.id}")

    responses = current_store().execute_batch(
        [
            call(cast.rhys, other_page),
            call(cast.amelia, page_identifier),
            call(cast.olga, page_identifier),
            call(cast.amelia, "client-999999"),
            call(cast.amelia, other_page),
            call(cast.daniel, page_identifier),
        ],
    )

    results = [
        (signed_in, allowed, {row[1] for row in roster or []}, version)
        for signed_in, allowed, _, roster, version, *_ in responses
    ]
    assert results == [
        (True, True, {"Rhys", "Amelia"}, 5),
        (True, True, {"Amelia", "Daniel", "Ada"}, 1),
        (False, False, set(), None),
        (True, False, set(), None),
        (True, True, {"Rhys", "Amelia"}, 5),
        (True, True, {"Amelia", "Daniel", "Ada"}, 1),
    ]
    assert len(rows()) == 5


def test_sixteen_users_on_sixteen_pages_each_get_their_own_roster(visit: Visit, cast: Cast) -> None:
    crowd = [visit(make_profile(f"Person{number:02}", "Crowd")).with_token() for number in range(16)]
    pages = [f"client-{make_client(f'Client {number}').id}" for number in range(16)]

    responses = at_once([lambda who=who, page=page: who.beat(page) for who, page in zip(crowd, pages, strict=True)])

    assert [[user["first_name"] for user in response.json["users"]] for response in responses] == [
        [f"Person{number:02}"] for number in range(16)
    ]


def test_tab_that_leaves_and_returns_never_removes_another_tab(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """One tab stays and sends heartbeats, the other comes and goes. The row and the state of the first are always
    present.
    """
    stays, comes_and_goes = visit(cast.amelia).with_token(), visit(cast.amelia).with_token()
    daniel = visit(cast.daniel)
    stays.beat(page_identifier, tab_id="stays", activity="editing")

    def beat_on() -> set[str]:
        responses = [stays.beat(page_identifier, tab_id="stays", activity="editing") for _ in range(40)]
        return {response.json["users"][0]["activity"] for response in responses}

    def come_and_go() -> set[int]:
        return {
            response.status_code
            for _ in range(40)
            for response in (
                comes_and_goes.beat(page_identifier, tab_id="goes"),
                comes_and_goes.leave(page_identifier, "goes"),
            )
        }

    def look() -> set[tuple[int, str]]:
        rosters = [daniel.roster(page_identifier) for _ in range(40)]
        return {(user["id"], user["activity"]) for roster in rosters for user in roster or [{"id": 0, "activity": ""}]}

    activities, statuses, seen = at_once([beat_on, come_and_go, look])

    assert activities == {"editing"}
    assert statuses == {200}
    assert seen == {(cast.amelia.id, "editing")}
    assert tab_ids() == ["stays"]


def test_simultaneous_leave_and_heartbeat_of_two_tabs_keep_the_second(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    """Leaving with the last tab deletes the row, unless another tab has sent a heartbeat meanwhile. The race runs many
    times.
    """
    one, two = visit(cast.amelia).with_token(), visit(cast.amelia).with_token()
    for _ in range(25):
        one.beat(page_identifier, tab_id="one")
        left, beaten = at_once(
            [lambda: one.leave(page_identifier, "one"), lambda: two.beat(page_identifier, tab_id="two")]
        )
        assert (left.status_code, beaten.status_code) == (200, 200)
        assert tab_ids() == ["two"]
        two.leave(page_identifier, "two")


def test_leave_that_waited_for_a_heartbeat_keeps_its_tab(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The leave has found no other tab and waits for the row while another heartbeat commits."""
    amelia = visit(cast.amelia).with_token()
    amelia.beat(page_identifier, tab_id="one")
    beat_of_two = text("""
        UPDATE user_page_presence SET last_seen = now(), tabs = tabs || jsonb_build_object('two', jsonb_build_object(
            'at', extract(epoch FROM now()), 'activity', 'editing', 'visible', true, 'fields', '[]'::jsonb))
    """)
    with ThreadPoolExecutor(max_workers=1) as pool:
        with db.engine.begin() as connection:
            connection.execute(beat_of_two)
            left = pool.submit(amelia.leave, page_identifier, "one")
            _wait_until_a_session_waits_for_a_lock()
        assert left.result(10).status_code == 200

    assert tab_ids() == ["two"]


def test_heartbeat_that_waited_for_a_leave_is_recorded(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The row that the heartbeat would update is deleted while it waits."""
    amelia = visit(cast.amelia).with_token()
    amelia.beat(page_identifier, tab_id="one")
    with ThreadPoolExecutor(max_workers=1) as pool:
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM user_page_presence"))
            beaten = pool.submit(amelia.beat, page_identifier, tab_id="two")
            _wait_until_a_session_waits_for_a_lock()
        response = beaten.result(10)

    assert [user["id"] for user in response.json["users"]] == [cast.amelia.id]
    assert tab_ids() == ["two"]


def test_two_first_heartbeats_of_one_profile_keep_both_tabs(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Two workers restore two tabs at once: the second finds no row to update and cannot insert one."""
    amelia = visit(cast.amelia).with_token()
    first_beat_of_one = text("""
        INSERT INTO user_page_presence (user_id, page_identifier, tabs) VALUES (:user_id, :page_identifier,
            jsonb_build_object('one', jsonb_build_object(
                'at', extract(epoch FROM now()), 'activity', 'editing', 'visible', true, 'fields', '[]'::jsonb)))
    """)
    with ThreadPoolExecutor(max_workers=1) as pool:
        with db.engine.begin() as connection:
            connection.execute(first_beat_of_one, {"user_id": cast.amelia.id, "page_identifier": page_identifier})
            beaten = pool.submit(amelia.beat, page_identifier, tab_id="two")
            _wait_until_a_session_waits_for_a_lock()
        response = beaten.result(10)

    assert tab_ids() == ["one", "two"]
    assert [user["activity"] for user in response.json["users"]] == ["editing"]


def _wait_until_a_session_waits_for_a_lock() -> None:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        wait_until(lambda: watcher.scalar(waiting), "no session waits for a lock", within_seconds=5)  # a beat's limit


def _same_browser(visit: Visit, visitor: Visitor) -> Visitor:
    """Return another tab of the same browser, for use by another thread."""
    tab = visit(None)
    tab.browser.set_cookie("kingston_session", visitor.cookie())
    tab._token = visitor._token
    return tab
