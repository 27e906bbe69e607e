"""Presence rule 2 of ARCHITECTURE.md: one statement and one round trip, heard on the wire to PostgreSQL."""

import re

import pytest
from sqlalchemy import text

from portal.app import create_app
from portal.clients import Client
from portal.extensions import PRESENCE_BIND, db
from tests.conftest import DatabaseMaker, settings_for
from tests.support.cast import Cast, make_cast
from tests.support.factories import make_client
from tests.support.postgres_proxy import Wiretap
from tests.support.test_client import Visitor, visitors_of
from tests.support.time_travel import rows

pytestmark = pytest.mark.statements

Visit = type[Visitor]


@pytest.fixture
def amelia(tapped_visit: Visit, cast: Cast, page_identifier: str) -> Visitor:
    """Signed in, her token fetched, the connection open and its statements prepared."""
    visitor = tapped_visit(cast.amelia).with_token()
    visitor.beat(page_identifier)
    return visitor


def test_rule_2_a_beat_is_one_prepared_statement_and_one_round_trip(
    amelia: Visitor, wiretap: Wiretap, page_identifier: str
) -> None:
    """Rule 2: no BEGIN, no ping, no look-up of the profile: nothing else crosses the wire in that request."""
    with wiretap.listening() as heard:
        answer = amelia.beat(page_identifier, tab_id="a", activity="editing", fields=["Phone"])

    assert answer.status_code == 200
    assert len(heard) == 1
    assert re.match(r"EXECUTE presence_beats \(", heard[0])
    assert ";" not in heard[0]


@pytest.mark.parametrize("page_identifier", ["client-999999"])
def test_a_refused_beat_costs_no_more(amelia: Visitor, wiretap: Wiretap, page_identifier: str) -> None:
    with wiretap.listening() as heard:
        answer = amelia.beat(page_identifier)

    assert answer.status_code == 404
    assert len(heard) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"page_identifier": 7}', b'{"page_identifier": "nowhere"}'])
def test_what_is_wrong_at_sight_never_reaches_the_database(amelia: Visitor, wiretap: Wiretap, body: bytes) -> None:
    with wiretap.listening() as heard:
        answer = amelia.post("/user_page_presence", data=body, content_type="application/json")

    assert answer.status_code in (400, 404, 422)
    assert heard == []


def test_the_other_calls_are_one_round_trip_too(amelia: Visitor, wiretap: Wiretap, client: Client) -> None:
    page = f"client-{client.id}"
    for call in (
        lambda: amelia.get(f"/user_page_presence/{page}"),
        lambda: amelia.get(f"/user_page_presence?page={page}&page=client-2&page=client-3"),
        lambda: amelia.leave(page, "a"),
        lambda: amelia.delete("/user_page_presence"),
    ):
        with wiretap.listening() as heard:
            assert call().status_code == 200
        assert len(heard) == 1, heard
        assert heard[0].startswith("EXECUTE presence_")


def test_a_connection_that_the_server_has_closed_is_found_out_and_replaced(
    amelia: Visitor, wiretap: Wiretap, page_identifier: str
) -> None:
    """Nothing pings before a beat, so the first one after a restart of PostgreSQL meets a dead connection."""
    wiretap.break_connections()

    assert amelia.beat(page_identifier).status_code == 200
    assert amelia.beat(page_identifier).status_code == 200


def test_beats_are_hot_updates(make_database: DatabaseMaker, migrated_url: str) -> None:
    """A promise: no beat touches an index. (PostgreSQL 15 counts a BRIN index as one.)

    In a database of its own, for sessions tell their statistics late, those of other tests too.
    """
    app = create_app(settings_for(make_database(migrated_url)))
    with app.app_context():
        amelia = visitors_of(app)(make_cast().amelia)
        page_identifier = f"client-{make_client().id}"
        for number in range(21):
            amelia.beat(page_identifier, tab_id=f"t{number % 3}", fields=["Phone"])
        updates, hot_updates = _updates()
        for engine in db.engines.values():
            engine.dispose()

    assert updates == 20
    if hot_updates is None:
        pytest.skip("PostgreSQL 15 counts a BRIN index as one, so no update is HOT")
    assert hot_updates == 20


def test_a_beat_draws_no_number_from_the_sequence(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """INSERT … ON CONFLICT would: 2³¹ ids last a year of 70 beats a second."""
    amelia = visit(cast.amelia)
    for _ in range(10):
        amelia.beat(page_identifier)
    visit(cast.daniel).beat(page_identifier)

    assert len(rows()) == 2
    assert db.session.scalar(text("SELECT max(id) FROM user_page_presence")) == 2


def _updates() -> tuple[int, int | None]:
    """(updates, HOT updates) so far; None where BRIN stops HOT. The session that has beaten is asked to tell now."""
    with db.engines[PRESENCE_BIND].connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    row = db.session.execute(
        text("""
            SELECT n_tup_upd, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN n_tup_hot_upd END
            FROM pg_stat_user_tables WHERE relname = 'user_page_presence'
        """)
    ).one()
    return row[0], row[1]
