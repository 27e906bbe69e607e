"""Notify colleagues of changes of a client record, each of them once for each change."""

import pytest
from flask import Flask
from sqlalchemy import select

from portal.clients import Client
from portal.extensions import db
from portal.notifications import store
from portal.notifications.models import Notification
from tests.clients.conftest import ClientEditor
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.html import form_of
from tests.support.test_client import Visitor


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client(adviser_id=cast.amelia.id, phone="111")


def notified() -> list[tuple[int, str, int | None, int | None]]:
    """Return (profile, kind, actor, version) of every notification, oldest first."""
    db.session.rollback()
    columns = (Notification.profile_id, Notification.kind, Notification.actor_id, Notification.version)
    return [tuple(row) for row in db.session.execute(select(*columns).order_by(Notification.id))]


def test_adviser_is_notified_once_of_a_colleagues_changes_and_never_of_the_own(
    client: Client, cast: Cast, amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    daniels_editor.change(phone="222")
    daniels_editor.change("/person/new", first_name="Ruth", last_name="Whitmore")
    amelias_editor.change(phone="333")
    assert notified() == [(cast.amelia.id, "changed", cast.daniel.id, 3)]


def test_same_save_sent_twice_notifies_once(client: Client, cast: Cast, daniels_editor: ClientEditor) -> None:
    form = daniels_editor.open()
    for _ in range(2):
        daniels_editor.send(form, phone="222")
        store.mark_read(cast.amelia.id)
        db.session.commit()
    assert len(notified()) == 1


def test_refused_save_notifies_nobody(client: Client, daniels_editor: ClientEditor) -> None:
    assert daniels_editor.send(daniels_editor.open(), name="").status_code == 422
    assert notified() == []


def test_author_is_notified_that_a_change_was_undone_until_the_notice_is_dismissed(
    client: Client, cast: Cast, amelias_editor: ClientEditor, daniel: Visitor
) -> None:
    save_for(cast.daniel, client, phone="222")
    assert amelias_editor.send_json("/history/2/revert", version=2).status_code == 200
    assert (cast.daniel.id, "overruled", cast.amelia.id, 3) in notified()
    assert store.count_unread(cast.daniel.id) == 1
    daniel.post(f"/clients/{client.id}/overruled/3/dismiss")
    db.session.rollback()
    assert store.count_unread(cast.daniel.id) == 0


def test_overruled_adviser_receives_one_notification_of_the_change(
    client: Client, cast: Cast, amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    form = daniels_editor.open()
    amelias_editor.change(phone="222")
    question = daniels_editor.send(form, phone="333")
    assert daniels_editor.send(form_of(question), **{"decide-phone": "yours"}).status_code == 302
    assert notified() == [(cast.amelia.id, "overruled", cast.daniel.id, 3)]


def test_adviser_whom_a_note_mentions_receives_the_mention_alone_unless_mentions_are_switched_off(
    client: Client, cast: Cast, daniels_editor: ClientEditor
) -> None:
    daniels_editor.send({}, "/notes", text="Please ring, @Amelia Hart", kind="note")
    assert notified() == [(cast.amelia.id, "mentioned", cast.daniel.id, 2)]

    cast.amelia.muted_notifications = ["mentioned"]
    store.mark_read(cast.amelia.id)
    db.session.commit()
    daniels_editor.send({}, "/notes", text="And again, @Amelia Hart", kind="note")
    assert notified()[1:] == [(cast.amelia.id, "changed", cast.daniel.id, 3)]


def test_new_adviser_is_notified_that_the_client_is_handed_over(client: Client, cast: Cast) -> None:
    save_for(cast.ada, client, adviser_id=cast.daniel.id)
    assert notified() == [(cast.daniel.id, "handed-over", cast.ada.id, 2)]
    save_for(cast.ada, client, adviser_id=None)
    assert len(notified()) == 1


def test_command_that_hands_clients_over_notifies_the_new_adviser(app: Flask, client: Client, cast: Cast) -> None:
    arguments = ["clients", "reassign", cast.amelia.email, cast.daniel.email]
    assert app.test_cli_runner().invoke(args=arguments).exit_code == 0
    assert notified() == [(cast.daniel.id, "handed-over", None, 2)]


def test_colleague_is_notified_that_a_restricted_client_is_opened_to_them(
    client: Client, cast: Cast, amelias_editor: ClientEditor
) -> None:
    form = amelias_editor.open("/access")
    amelias_editor.send(form, "/access", is_restricted="yes", version="1")
    amelias_editor.send(form, "/access/grant", profile_id=str(cast.daniel.id), version="2")
    assert notified() == [(cast.daniel.id, "opened", cast.amelia.id, 3)]
