"""Run work after a commit, and discard it after a rollback."""

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask

from portal.clients import Client
from portal.extensions import db
from portal.live import notifications, publish
from portal.live.outbox import after_commit
from tests.support.cast import Cast
from tests.support.notifications import NotificationListener
from tests.support.test_client import visitors_of

CHANGE = {"version": "1", "name": "Whitmore", "client_type": "family", "status": "active"}


def test_work_runs_once_after_the_commit(app: Flask, listener: NotificationListener) -> None:
    after_commit(partial(publish.saved, page_identifier="client-1", version=2, lists=False))
    after_commit(partial(publish.signed_out, profile_id=7))
    with listener.expect_none():
        db.session.flush()
    db.session.commit()
    assert [notice.event for notice in listener.received()] == [notifications.SAVED, notifications.SIGNED_OUT]

    with listener.expect_none():
        db.session.commit()


def test_work_is_discarded_after_a_rollback(app: Flask, listener: NotificationListener) -> None:
    after_commit(partial(publish.saved, page_identifier="client-1", version=2, lists=False))
    db.session.connection()
    db.session.rollback()

    with listener.expect_none():
        db.session.commit()


def test_save_succeeds_when_the_notification_fails(
    make_app: Callable[..., Flask], cast: Cast, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Open pages learn of it with the next reading."""
    amelia = visitors_of(make_app(direct_database_url="postgresql:///kingston?host=/nonexistent"))(cast.amelia)

    assert amelia.post(f"/clients/{client.id}/edit", data=CHANGE).status_code == 302
    assert "notification failed, pages update within 20 s" in caplog.text
    db.session.refresh(client)
    assert client.name == "Whitmore"
