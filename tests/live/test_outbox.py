"""What follows from a commit is done after it, and only where there was one."""

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask

from portal.clients import Client
from portal.extensions import db
from portal.live import notifications, publish
from portal.live.outbox import after_commit
from tests.support.cast import Cast
from tests.support.notifications import Wire
from tests.support.test_client import visitors_of

CHANGE = {"version": "1", "name": "Whitmore", "client_type": "family", "status": "active"}


def test_what_is_committed_is_told_once(app: Flask, wire: Wire) -> None:
    after_commit(partial(publish.saved, page_identifier="client-1", version=2))
    after_commit(partial(publish.signed_out, profile_id=7))
    with wire.silent():
        db.session.flush()
    db.session.commit()
    assert [notice.event for notice in wire.heard()] == [notifications.SAVED, notifications.SIGNED_OUT]

    with wire.silent():
        db.session.commit()


def test_what_is_rolled_back_is_told_to_nobody(app: Flask, wire: Wire) -> None:
    after_commit(partial(publish.saved, page_identifier="client-1", version=2))
    db.session.connection()
    db.session.rollback()

    with wire.silent():
        db.session.commit()


def test_a_save_stands_where_it_cannot_be_told(
    make_app: Callable[..., Flask], cast: Cast, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Open pages find it out by their next reading."""
    amelia = visitors_of(make_app(direct_database_url="postgresql:///kingston?host=/nonexistent"))(cast.amelia)

    assert amelia.post(f"/clients/{client.id}/edit", data=CHANGE).status_code == 302
    assert "what was saved is told within 20 s, not at once" in caplog.text
    db.session.refresh(client)
    assert client.name == "Whitmore"
