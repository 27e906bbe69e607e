"""What the tests of deployment stand on: a crowd that is signed in, with a client record for each of them."""

from collections.abc import Callable, Sequence

import pytest
from flask import Flask
from sqlalchemy import text

from portal.auth.sessions import store
from portal.extensions import db
from portal.web.actor import RequestOrigin
from tests.operations.crowd import Crowd, Gate, Viewer
from tests.support.network_client import NetworkClient, network_client_app

MAKE_PROFILES = """
    INSERT INTO profiles (first_name, last_name, email, role)
    SELECT 'Viewer', n::text, 'viewer-' || n || '@crowd.example', 'adviser' FROM generate_series(1, :count) n
    RETURNING id
"""
MAKE_CLIENTS = """
    INSERT INTO clients (client_ref, name, client_type, status)
    SELECT 'KC' || lpad(n::text, 6, '0'), 'Client ' || n, 'family', 'active' FROM generate_series(1, :count) n
    RETURNING id
"""
VIEWERS_ON_A_PAGE = 4
SAVERS = 4

Say = Callable[[str], None]
MakeCrowd = Callable[[Gate, int], tuple[Crowd, Sequence[int]]]


@pytest.fixture
def make_crowd(app: Flask, database_url: str) -> MakeCrowd:
    """`make_crowd(gate, 200)`: 200 people, four on a page, and the clients that some of them save."""
    desks_app = network_client_app(database_url)

    def make(gate: Gate, count: int) -> tuple[Crowd, Sequence[int]]:
        profiles = db.session.scalars(text(MAKE_PROFILES), {"count": count}).all()
        clients = db.session.scalars(text(MAKE_CLIENTS), {"count": count // VIEWERS_ON_A_PAGE}).all()
        db.session.commit()
        sessions = [store.begin(profile_id, 1, RequestOrigin(), hours=1) for profile_id in profiles]
        db.session.commit()
        viewers = [
            Viewer(gate, NetworkClient(desks_app, session), f"client-{clients[number % len(clients)]}")
            for number, session in enumerate(sessions)
        ]
        return Crowd(gate, viewers), clients[:SAVERS]

    return make


@pytest.fixture
def say(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Say:
    """Show a figure that was measured, whatever pytest captures."""

    def show(line: str) -> None:
        with capsys.disabled():
            request.config.get_terminal_writer().line(f"\n{line}")

    return show
