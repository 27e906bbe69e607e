"""A primary and a synchronous standby: what waits for the standby, and what does not."""

import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.operations.offices import Office, office
from tests.operations.people import Viewer, wait_until_all_work
from tests.operations.postgres import Postgres, primary_and_synchronous_standby
from tests.support.network_client import NetworkClient
from tests.support.server import Portal
from tests.support.until import wait_until

pytestmark = pytest.mark.operations
SAVES_ANSWERED_WITHIN_SECONDS = 30
HEARTBEAT_SECONDS = 2
PAGE_SECONDS = 5
RELEASED_WITHIN_SECONDS = 5
CLIENT = "SELECT jsonb_build_object('address_line1', address_line1, 'town', town) FROM clients"
WAITS_FOR_THE_STANDBY = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def opens_the_list(user: NetworkClient, portal: Portal) -> float:
    """Open a page, which notes when its session was last used; return how long it took."""
    began = time.monotonic()
    connection = HTTPConnection("127.0.0.1", portal.port, timeout=60)
    connection.request("GET", "/clients", headers={"Cookie": user.cookie})
    assert connection.getresponse().status == 200
    connection.close()
    return time.monotonic() - began


def lose_standby(standby: Postgres, at_work: Office) -> float:
    """Kill the standby, and wait until the savers' saves fail. Return when it was killed."""
    standby.kill()
    began = time.monotonic()
    wait_until(
        lambda: all(saver.fails_after(began) for saver in at_work.savers),
        "a save is not answered",
        SAVES_ANSWERED_WITHIN_SECONDS,
    )
    return began


def test_presence_does_not_wait_for_a_standby_that_is_away(tmp_path: Path) -> None:
    """Saves do, for they are to survive the primary: they are answered 503, and work again with the standby."""
    with (
        primary_and_synchronous_standby() as (primary, standby),
        office(primary, primary.url, tmp_path / "log") as at_work,
    ):
        a_while_ago = "UPDATE sign_in_sessions SET last_used_at = now() - interval '5 minutes'"
        primary.ask(a_while_ago, dbname="kingston")
        began = lose_standby(standby, at_work)
        for user, _ in at_work.places:
            assert opens_the_list(user, at_work.portal) < PAGE_SECONDS
        joined = Viewer(*at_work.places[0][:1], at_work.portal.port, at_work.places[0][1], tab_id="another")
        viewers = [*at_work.viewers, joined]
        wait_until_all_work(viewers, time.monotonic(), HEARTBEAT_SECONDS)
        joined.stop()

        answers = [answer for viewer in at_work.viewers for answer in viewer.answers if answer.began_at > began]
        assert {answer.status for answer in answers} == {200}
        assert max(answer.ended_at - answer.began_at for answer in answers) < HEARTBEAT_SECONDS
        failed = [answer for saver in at_work.savers for answer in saver.answers if answer.ended_at > began]
        assert {answer.status for answer in failed} <= {200, 503}

        standby.start(**standby.started_with)
        wait_until_all_work(at_work.savers, time.monotonic(), SAVES_ANSWERED_WITHIN_SECONDS)


def test_save_that_is_abandoned_releases_its_backend_and_succeeds_when_it_is_sent_again(tmp_path: Path) -> None:
    """PostgreSQL would keep its backend until the standby is back. The primary has committed one save of the two.

    The other one waited for its row, and the server gave it up by the lock's limit.
    """
    with (
        primary_and_synchronous_standby() as (primary, standby),
        office(primary, primary.url, tmp_path / "log", viewers=1) as at_work,
    ):
        lose_standby(standby, at_work)
        for saver in at_work.savers:
            saver.stop()
            saver.wait()
        wait_until(
            lambda: primary.ask(WAITS_FOR_THE_STANDBY) == 0,
            "a backend still waits for the standby",
            RELEASED_WITHIN_SECONDS,
        )

        assert {saver.answers[-1].status for saver in at_work.savers} == {503}
        unacknowledged = {saver.field: saver.value for saver in at_work.savers}
        assert unacknowledged.items() & primary.ask(CLIENT, dbname="kingston").items()
        standby.start(**standby.started_with)
        for saver in at_work.savers:
            saver.act()
            assert saver.answers[-1].status == 200
        assert unacknowledged.items() <= primary.ask(CLIENT, dbname="kingston").items()
