"""Many at once, with real threads, connections and commits: nobody is lost, nobody evicts anybody."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from portal.auth import Profile
from portal.extensions import PRESENCE_BIND, db
from portal.page_kinds import parse
from portal.presence.batching import Batcher
from portal.presence.beats import MAX_TABS, Beat
from portal.presence.store import _run_beats
from portal.web.session_cookie import Identity
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client
from tests.support.test_client import Visitor, identity_of
from tests.support.time_travel import rows, tab_ids
from tests.support.until import wait_until

pytestmark = pytest.mark.statements

Visit = type[Visitor]


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run every task in a thread of its own, all let go together; return what they return."""
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        start.wait(10)
        return task()

    with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
        return [future.result(30) for future in [pool.submit(run, task) for task in tasks]]


def test_32_threads_beat_one_page(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """All are answered; each has one row; a roster is never longer than the page is full, and the next has them all."""
    crowd = [visit(make_profile(f"Person{number:02}", "Crowd")).with_token() for number in range(32)]

    answers = at_once([lambda visitor=visitor: visitor.beat(page_identifier, tab_id="t") for visitor in crowd])

    assert [answer.status_code for answer in answers] == [200] * 32
    assert all(1 <= len(answer.json["users"]) <= 32 for answer in answers)
    everybody = {user["id"] for user in crowd[0].beat(page_identifier, tab_id="t").json["users"]}
    assert len(everybody) == 32
    assert len(rows()) == 32
    last = max(answers, key=lambda answer: len(answer.json["users"]))
    assert {user["id"] for user in last.json["users"]} == everybody


def test_32_first_beats_of_one_profile_make_one_row(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """As many tabs as a row keeps, restored at once: every one of them is kept."""
    amelia = visit(cast.amelia).with_token()
    tabs = [_same_browser(visit, amelia) for _ in range(MAX_TABS)]

    answers = at_once([lambda n=n, tab=tab: tab.beat(page_identifier, tab_id=f"t{n:02}") for n, tab in enumerate(tabs)])

    assert [answer.status_code for answer in answers] == [200] * MAX_TABS
    assert rows() == [(cast.amelia.id, page_identifier)]
    assert tab_ids() == [f"t{n:02}" for n in range(MAX_TABS)]


def test_workers_that_beat_the_same_pages_do_not_lock_crosswise(
    make_app: Callable[..., Flask], cast: Cast, page_identifier: str
) -> None:
    """Two processes have two rounds on the way at once, over the same rows: here two Batcher over one database.

    A deadlock would be a 503, or a second of waiting for PostgreSQL to find it.
    """
    app = make_app()
    profiles = [make_profile(f"Person{number:02}", "Crowd") for number in range(16)]
    callers = [identity_of(app, profile) for profile in profiles]
    page = parse(page_identifier)
    with app.app_context():
        run = partial(_run_beats, db.engines[PRESENCE_BIND])
    workers = [Batcher(run), Batcher(run)]

    def beat_often(worker: Batcher[Any, Any], caller: Identity) -> list[bool]:
        return [
            worker.send((caller.profile_id, page.identifier), (caller, Beat(page, tab_id=f"t{turn % 3}"), 120))[1]
            for turn in range(10)
        ]

    answers = at_once(
        [lambda worker=worker, caller=caller: beat_often(worker, caller) for caller in callers for worker in workers]
    )

    assert answers == [[True] * 10] * 32
    assert len(rows()) == 16


def test_a_round_answers_each_call_with_its_own(app: Flask, visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Different people on different pages, some of them not let in, in one statement: no answer is mixed up."""
    other_page = f"client-{make_client('Other', version=5).id}"
    visit(cast.ada).beat(page_identifier)

    def call(profile: Profile, page: str) -> tuple[Identity, Beat, int]:
        return identity_of(app, profile), Beat(parse(page), tab_id=f"tab-{profile.id}"), 120

    answers = _run_beats(
        db.engines[PRESENCE_BIND],
        [
            call(cast.rhys, other_page),
            call(cast.amelia, page_identifier),
            call(cast.olga, page_identifier),
            call(cast.amelia, "client-999999"),
            call(cast.amelia, other_page),
            call(cast.daniel, page_identifier),
        ],
    )

    told = [
        (signed_in, allowed, {row[1] for row in roster or []}, version)
        for signed_in, allowed, _, roster, version, _ in answers
    ]
    assert told == [
        (True, True, {"Rhys", "Amelia"}, 5),
        (True, True, {"Amelia", "Daniel", "Ada"}, 1),
        (False, False, set(), None),
        (True, False, set(), None),
        (True, True, {"Rhys", "Amelia"}, 5),
        (True, True, {"Amelia", "Daniel", "Ada"}, 1),
    ]
    assert len(rows()) == 5


def test_sixteen_people_on_sixteen_pages_each_see_their_own(visit: Visit, cast: Cast) -> None:
    crowd = [visit(make_profile(f"Person{number:02}", "Crowd")).with_token() for number in range(16)]
    pages = [f"client-{make_client(f'Client {number}').id}" for number in range(16)]

    answers = at_once([lambda who=who, page=page: who.beat(page) for who, page in zip(crowd, pages, strict=True)])

    assert [[user["first_name"] for user in answer.json["users"]] for answer in answers] == [
        [f"Person{number:02}"] for number in range(16)
    ]


def test_two_tabs_that_beat_and_leave_at_once_never_evict_each_other(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    """One tab stays and beats, the other comes and goes: the row, and what the first says, is always there."""
    stays, comes_and_goes = visit(cast.amelia).with_token(), visit(cast.amelia).with_token()
    daniel = visit(cast.daniel)
    stays.beat(page_identifier, tab_id="stays", activity="editing")

    def beat_on() -> set[str]:
        answers = [stays.beat(page_identifier, tab_id="stays", activity="editing") for _ in range(40)]
        return {answer.json["users"][0]["activity"] for answer in answers}

    def come_and_go() -> set[int]:
        return {
            answer.status_code
            for _ in range(40)
            for answer in (
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


def test_a_leave_and_a_beat_of_two_tabs_at_once_end_with_the_one_that_beats(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    """The last tab's leave takes the row, unless another tab has beaten meanwhile: the same race again and again."""
    one, two = visit(cast.amelia).with_token(), visit(cast.amelia).with_token()
    for _ in range(25):
        one.beat(page_identifier, tab_id="one")
        left, beaten = at_once(
            [lambda: one.leave(page_identifier, "one"), lambda: two.beat(page_identifier, tab_id="two")]
        )
        assert (left.status_code, beaten.status_code) == (200, 200)
        assert tab_ids() == ["two"]
        two.leave(page_identifier, "two")


def test_a_leave_that_waited_for_a_beat_sees_it(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The race in slow motion: the leave has found no other tab, waits for the row, and another beat commits."""
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
            _until_somebody_waits_for_a_lock()
        assert left.result(10).status_code == 200

    assert tab_ids() == ["two"]


def test_a_beat_that_waited_for_a_leave_is_there_after_it(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The other way round: the row that the beat would change is deleted under its hands."""
    amelia = visit(cast.amelia).with_token()
    amelia.beat(page_identifier, tab_id="one")
    with ThreadPoolExecutor(max_workers=1) as pool:
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM user_page_presence"))
            beaten = pool.submit(amelia.beat, page_identifier, tab_id="two")
            _until_somebody_waits_for_a_lock()
        answer = beaten.result(10)

    assert [user["id"] for user in answer.json["users"]] == [cast.amelia.id]
    assert tab_ids() == ["two"]


def test_two_first_beats_of_one_profile_keep_both_tabs(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Two tabs restored at once, on two workers: the second finds no row to change and one that it cannot insert."""
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
            _until_somebody_waits_for_a_lock()
        answer = beaten.result(10)

    assert tab_ids() == ["one", "two"]
    assert [user["activity"] for user in answer.json["users"]] == ["editing"]


def _until_somebody_waits_for_a_lock() -> None:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        wait_until(lambda: watcher.scalar(waiting), "no session waits for a lock", within_seconds=5)  # a beat's limit


def _same_browser(visit: Visit, visitor: Visitor) -> Visitor:
    """Another tab of the same browser, which a thread of its own may use."""
    tab = visit(None)
    tab.browser.set_cookie("kingston_session", visitor.cookie())
    tab._token = visitor._token
    return tab
