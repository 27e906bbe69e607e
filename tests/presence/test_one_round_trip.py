"""Send one statement in one round trip for each call (rule 2 of presence in ARCHITECTURE.md), observed in PostgreSQL's
protocol.
"""

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
    """Amelia, signed in, with a token, an open connection and prepared statements."""
    visitor = tapped_visit(cast.amelia).with_token()
    visitor.beat(page_identifier)
    return visitor


def test_rule_2_heartbeat_is_one_prepared_statement_and_one_round_trip(
    amelia: Visitor, wiretap: Wiretap, page_identifier: str
) -> None:
    """The request sends nothing else: no BEGIN, no ping, no look-up of the profile."""
    with wiretap.listening() as statements:
        response = amelia.beat(page_identifier, tab_id="a", activity="editing", fields=["Phone"], focus="Phone")

    assert response.status_code == 200
    assert len(statements) == 1
    assert re.match(r"EXECUTE presence_beats \(", statements[0])
    assert ";" not in statements[0]


@pytest.mark.parametrize("page_identifier", ["client-999999"])
def test_rejected_heartbeat_is_one_statement(amelia: Visitor, wiretap: Wiretap, page_identifier: str) -> None:
    with wiretap.listening() as statements:
        response = amelia.beat(page_identifier)

    assert response.status_code == 404
    assert len(statements) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"page_identifier": 7}', b'{"page_identifier": "nowhere"}'])
def test_invalid_heartbeat_sends_no_statement(amelia: Visitor, wiretap: Wiretap, body: bytes) -> None:
    with wiretap.listening() as statements:
        response = amelia.post("/user_page_presence", data=body, content_type="application/json")

    assert response.status_code in (400, 404, 422)
    assert statements == []


def test_every_other_call_is_one_round_trip(amelia: Visitor, wiretap: Wiretap, client: Client) -> None:
    page = f"client-{client.id}"
    for call in (
        lambda: amelia.get(f"/user_page_presence/{page}"),
        lambda: amelia.get(f"/user_page_presence?page={page}&page=client-2&page=client-3"),
        lambda: amelia.leave(page, "a"),
        lambda: amelia.delete("/user_page_presence"),
    ):
        with wiretap.listening() as statements:
            assert call().status_code == 200
        assert len(statements) == 1, statements
        assert statements[0].startswith("EXECUTE presence_")


def test_connection_that_the_server_has_closed_is_replaced(
    amelia: Visitor, wiretap: Wiretap, page_identifier: str
) -> None:
    """No ping precedes a heartbeat, so the first one after a restart of PostgreSQL finds a closed connection."""
    wiretap.break_connections()

    assert amelia.beat(page_identifier).status_code == 200
    assert amelia.beat(page_identifier).status_code == 200


def test_heartbeats_are_hot_updates(make_database: DatabaseMaker, migrated_url: str) -> None:
    """No heartbeat writes to an index. PostgreSQL 15 counts a BRIN index as one.

    The test has its own database, because sessions report their statistics late, also those of other tests.
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


def test_heartbeat_of_a_known_tab_uses_no_id_of_the_sequence(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """INSERT … ON CONFLICT would use one each time: 2³¹ ids last a year at 70 heartbeats a second."""
    amelia = visit(cast.amelia)
    for _ in range(10):
        amelia.beat(page_identifier)
    visit(cast.daniel).beat(page_identifier)

    assert len(rows()) == 2
    assert db.session.scalar(text("SELECT max(id) FROM user_page_presence")) == 2


def _updates() -> tuple[int, int | None]:
    """Return (updates, HOT updates) so far, None where BRIN prevents HOT. Flushes the statistics first."""
    with db.engines[PRESENCE_BIND].connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    row = db.session.execute(
        text("""
            SELECT n_tup_upd, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN n_tup_hot_upd END
            FROM pg_stat_user_tables WHERE relname = 'user_page_presence'
        """)
    ).one()
    return row[0], row[1]
