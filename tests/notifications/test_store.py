"""Add, count and delete notifications: who is notified, what is coalesced, what is bounded, who may read what."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from portal import clock
from portal.clients import Client, ClientGrant
from portal.database import advisory_locks
from portal.extensions import db
from portal.jobs import JOBS, run_job
from portal.live.notifications import Notification as PublishedEvent
from portal.notifications import store
from portal.notifications.kinds import Kind
from portal.notifications.models import Notification
from tests.support.cast import Cast
from tests.support.databases import with_statistics_of_empty_table
from tests.support.factories import make_client
from tests.support.notifications import NotificationListener

ADD_CLIENTS = text("""
    INSERT INTO clients (client_ref, name, client_type, adviser_id)
    SELECT 'KH' || n, 'Client ' || n, 'family', :adviser FROM generate_series(1, :count) n""")


@pytest.fixture
def client(app: Flask, cast: Cast) -> Client:
    return make_client(adviser_id=cast.amelia.id)


def notify(client: Client, by: int | None, *profile_ids: int, kind: Kind = Kind.CHANGED, **more: object) -> None:
    store.add(kind, profile_ids, client_id=client.id, actor_id=by, **more)  # type: ignore[arg-type]
    db.session.commit()


def stored() -> list[tuple[int, str, str, int | None]]:
    rows = db.session.execute(
        select(Notification.profile_id, Notification.kind, Notification.subject, Notification.version).order_by(
            Notification.id
        )
    )
    return [tuple(row) for row in rows]


def test_colleagues_are_notified_but_neither_the_actor_nor_a_deactivated_profile(client: Client, cast: Cast) -> None:
    people = (cast.amelia.id, cast.daniel.id, cast.olga.id)
    notify(client, cast.daniel.id, *people, kind=Kind.MENTIONED, subject="note/4")
    assert stored() == [(cast.amelia.id, "mentioned", "note/4", None)]


def test_kind_that_a_profile_has_switched_off_is_not_added_for_it(client: Client, cast: Cast) -> None:
    cast.amelia.muted_notifications = [Kind.CHANGED]
    notify(client, cast.daniel.id, cast.amelia.id, cast.ada.id)
    notify(client, cast.daniel.id, cast.amelia.id, kind=Kind.OPENED)
    assert [row[:2] for row in stored()] == [(cast.ada.id, "changed"), (cast.amelia.id, "opened")]


def test_repeated_notification_is_one_with_the_newest_version_until_it_is_read(client: Client, cast: Cast) -> None:
    for version in (2, 3):
        notify(client, cast.daniel.id, cast.amelia.id, version=version)
    notify(client, cast.ada.id, cast.amelia.id, version=4)
    assert stored() == [(cast.amelia.id, "changed", "", 3), (cast.amelia.id, "changed", "", 4)]
    store.mark_read(cast.amelia.id)
    notify(client, cast.daniel.id, cast.amelia.id, version=5)
    assert [row[3] for row in stored()] == [3, 4, 5]


def test_subject_is_notified_once_even_after_it_was_read(client: Client, cast: Cast) -> None:
    for _ in range(2):
        notify(client, cast.daniel.id, cast.amelia.id, kind=Kind.MENTIONED, subject="note/4")
        store.mark_read(cast.amelia.id)
        db.session.commit()
    assert len(stored()) == 1
    assert store.count_unread(cast.amelia.id) == 0


def test_rolled_back_change_notifies_nobody(client: Client, cast: Cast, listener: NotificationListener) -> None:
    store.add(Kind.CHANGED, [cast.amelia.id], client_id=client.id, actor_id=cast.daniel.id)
    db.session.rollback()
    assert stored() == []
    assert listener.received() == []
    notify(client, cast.daniel.id, cast.amelia.id)
    assert PublishedEvent("notified", profile=cast.amelia.id) in listener.received()


def test_lost_client_leaves_neither_notification_nor_count(client: Client, cast: Cast) -> None:
    for kind in Kind:
        notify(client, cast.ada.id, cast.daniel.id, kind=kind)
    seven_but_the_draft = len(Kind) - 1
    assert store.count_unread(cast.daniel.id) == seven_but_the_draft
    client.is_restricted = True
    db.session.commit()
    assert store.count_unread(cast.daniel.id) == 0
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.daniel.id))
    db.session.commit()
    assert store.count_unread(cast.daniel.id) == seven_but_the_draft


def test_profile_keeps_its_newest_notifications_and_others_keep_theirs(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_NOTIFICATIONS_PER_PROFILE", 3)
    notify(client, cast.daniel.id, cast.ada.id)
    for note in range(1, 6):
        notify(client, cast.daniel.id, cast.amelia.id, kind=Kind.MENTIONED, subject=f"note/{note}")
    assert [row[2] for row in stored()] == ["", "note/3", "note/4", "note/5"]


def test_hand_over_of_more_clients_than_the_limit_keeps_an_unread_mention(client: Client, cast: Cast) -> None:
    notify(client, cast.daniel.id, cast.amelia.id, kind=Kind.MENTIONED, subject="note/1")
    for kind in (Kind.OVERRULED, Kind.DRAFT):
        notify(client, cast.daniel.id, cast.amelia.id, kind=kind, subject="1")
    db.session.execute(ADD_CLIENTS, {"count": 501, "adviser": cast.amelia.id})
    for client_id in db.session.scalars(select(Client.id).where(Client.id != client.id).order_by(Client.id)).all():
        store.add(Kind.HANDED_OVER, [cast.amelia.id], client_id=client_id, actor_id=cast.ada.id)
    db.session.commit()

    kinds = [row[1] for row in stored()]
    assert kinds == ["mentioned", "overruled", "draft", *["handed-over"] * 497]


@pytest.mark.statements
def test_notifications_beyond_the_limit_are_deleted_also_with_the_statistics_of_an_emptied_table(
    client: Client, cast: Cast
) -> None:
    db.session.execute(ADD_CLIENTS, {"count": 502, "adviser": cast.amelia.id})
    add = text(
        "INSERT INTO notifications (profile_id, kind, client_id, subject) SELECT :to, 'opened', id, '' FROM clients"
    )
    with_statistics_of_empty_table("notifications", add, {"to": cast.amelia.id})
    db.session.execute(add, {"to": cast.amelia.id})

    notify(client, cast.daniel.id, cast.amelia.id, kind=Kind.MENTIONED)

    assert len(stored()) == 500


def test_read_notifications_are_deleted_first_and_changes_before_mentions(
    client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_NOTIFICATIONS_PER_PROFILE", 3)

    def mention(note: int) -> None:
        notify(client, cast.daniel.id, cast.amelia.id, kind=Kind.MENTIONED, subject=f"note/{note}")

    mention(1)
    mention(2)
    store.mark_read_about(cast.amelia.id, Kind.MENTIONED, client.id, "note/2")
    notify(client, cast.daniel.id, cast.amelia.id)
    mention(3)
    assert [row[2] for row in stored()] == ["note/1", "", "note/3"]
    mention(4)
    assert [row[2] for row in stored()] == ["note/1", "note/3", "note/4"]


def test_count_stops_at_a_hundred(client: Client, cast: Cast) -> None:
    db.session.execute(
        text(
            "INSERT INTO notifications (profile_id, kind, client_id, subject)"
            " SELECT :profile_id, 'mentioned', :client_id, 'note/' || n FROM generate_series(1, 130) n"
        ),
        {"profile_id": cast.amelia.id, "client_id": client.id},
    )
    assert store.count_unread(cast.amelia.id) == 100


def test_notification_is_kept_for_90_days(client: Client, cast: Cast) -> None:
    notify(client, cast.daniel.id, cast.amelia.id, cast.ada.id)
    for profile, days in ((cast.amelia, 91), (cast.ada, 89)):
        of_profile = update(Notification).where(Notification.profile_id == profile.id)
        db.session.execute(of_profile.values(created_at=clock.now() - timedelta(days=days)))
    db.session.commit()
    assert store.count_unread(cast.amelia.id) == 0, "the job has not run yet"
    [job] = [job for job in JOBS if job.lock == advisory_locks.NOTIFICATION_PURGE]
    assert run_job(job) == 1
    assert [row[0] for row in stored()] == [cast.ada.id]


def test_draft_is_notified_once_when_it_is_a_day_old_and_no_longer_when_it_is_gone(client: Client, cast: Cast) -> None:
    [job] = [job for job in JOBS if job.lock == advisory_locks.OLD_DRAFTS]
    db.session.execute(
        text("""
            INSERT INTO edit_drafts (profile_id, page_identifier, form, draft_id, base_version, values, updated_at)
            SELECT profile_id, 'client-' || :client_id, 'record', draft_id, 1, '{}', now() - age
            FROM (VALUES (:amelia, 'old', interval '25 hours'), (:amelia, 'new', interval '23 hours'),
                         (:olga, 'inactive', interval '25 hours')) AS draft (profile_id, draft_id, age)"""),
        {"client_id": client.id, "amelia": cast.amelia.id, "olga": cast.olga.id},
    )
    db.session.commit()
    assert (run_job(job), run_job(job)) == (1, 0)
    assert stored() == [(cast.amelia.id, "draft", "old", None)]
    assert store.count_unread(cast.amelia.id) == 1
    db.session.execute(text("DELETE FROM edit_drafts WHERE draft_id = 'old'"))
    assert store.count_unread(cast.amelia.id) == 0


def test_drafts_of_two_forms_with_one_id_are_one_notification(client: Client, cast: Cast) -> None:
    db.session.execute(
        text("""
            INSERT INTO edit_drafts (profile_id, page_identifier, form, draft_id, base_version, values, updated_at)
            SELECT :profile_id, 'client-' || :client_id, form, '', 1, '{}', now() - interval '2 days'
            FROM (VALUES ('record'), ('person/new')) AS draft (form)"""),
        {"client_id": client.id, "profile_id": cast.amelia.id},
    )
    assert store.add_old_drafts(db.session.connection()) == 1
