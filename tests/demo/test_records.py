"""Test what the demo's users find: reviews, history, notifications, drafts, visits and the audit log."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal import clock
from portal.audit import AuditEvent, Event
from portal.audit.reads import ClientRead
from portal.auth import Profile
from portal.clients.desk import queries as desk
from portal.clients.records.models import Client, ClientGrant
from portal.clients.records.note_models import ClientNote
from portal.clients.records.revisions import ClientRevision, to_json
from portal.clients.visits.recent import recent_clients
from portal.clock import LONDON
from portal.demo.records import add_records
from portal.editing.drafts.store import EditDraft
from portal.extensions import db
from portal.notifications import store
from portal.notifications.models import Notification

MONDAY_MORNING = datetime(2028, 3, 6, 7, 0, tzinfo=UTC)  # before the firm's first act of the day


@pytest.fixture
def today(app: Flask) -> Iterator[datetime]:
    with time_machine.travel(MONDAY_MORNING, tick=False):
        add_records(clock.today())
        db.session.commit()
        yield MONDAY_MORNING


def user(email: str) -> Profile:
    return db.session.scalars(select(Profile).where(Profile.email == f"{email}@kingstons.example")).one()


def test_demo_has_a_working_day_for_its_users(today: datetime) -> None:
    assert db.session.scalar(select(func.count()).select_from(Client)) == 250
    for email in ("amelia.hart", "daniel.okafor", "priya.raman", "grace.whitfield"):
        reader = user(email)
        reviews = desk.reviews_of(reader, today.date())
        assert reviews.overdue_count, email
        assert reviews.due_count, email
        assert desk.drafts_of(reader), email
        assert desk.mentions_of(reader), email
        assert any(client.has_changed for client in recent_clients(reader, 8)), email
        unread = select(Notification).where(Notification.profile_id == reader.id, Notification.read_at.is_(None))
        assert db.session.scalars(unread).all(), email

    history_follows_the_records()
    everything_happened_in_working_hours(today)
    restricted_client_is_seen_by_its_adviser_and_a_grant()


def history_follows_the_records() -> None:
    """Each client's versions have no gap, and the newest values of the history are those of the record."""
    revisions = db.session.scalars(select(ClientRevision).order_by(ClientRevision.client_id, ClientRevision.version))
    newest: dict[tuple[int, str], object] = {}
    versions: dict[int, int] = {}
    for revision in revisions:
        assert revision.version == versions.get(revision.client_id, 1) + 1
        versions[revision.client_id] = revision.version
        assert revision.changes, revision.version
        for key, (old, new) in revision.changes.items():
            assert old != new, key
            assert (revision.client_id, key) not in newest or newest[revision.client_id, key] == old
            newest[revision.client_id, key] = new
    assert len(versions) > 60
    for client in db.session.scalars(select(Client)):
        assert client.version == versions.get(client.id, 1)
        for (client_id, key), value in newest.items():
            if client_id == client.id and "/" not in key:
                assert to_json(getattr(client, key)) == value
    assert db.session.scalars(select(ClientNote).where(ClientNote.mentions != [])).all()


def everything_happened_in_working_hours(today: datetime) -> None:
    columns = (ClientRevision.changed_at, EditDraft.updated_at, Notification.created_at, ClientNote.written_at)
    for column in (*columns, AuditEvent.at, ClientRead.hour):
        times = [moment.astimezone(LONDON) for moment in db.session.scalars(select(column))]
        assert all(moment.weekday() < 5 and 7 <= moment.hour < 18 for moment in times), column
        assert timedelta(0) < today - max(times) < timedelta(days=3), column  # on Friday
    authors = db.session.scalars(select(ClientRevision.changed_by).distinct()).all()
    assert len(authors) == 7  # the advisers, the paraplanner and the administrator


def restricted_client_is_seen_by_its_adviser_and_a_grant() -> None:
    client = db.session.scalars(select(Client).where(Client.client_ref == "KG00012")).one()
    grants = db.session.scalars(select(ClientGrant.profile_id).where(ClientGrant.client_id == client.id)).all()
    assert client.is_restricted
    assert client.adviser_id == user("amelia.hart").id
    assert grants == [user("harriet.blake").id]
    events = db.session.scalars(select(AuditEvent.event).where(AuditEvent.event != Event.SIGNED_IN)).all()
    assert set(events) == {Event.RESTRICTED, Event.GRANTED}
    assert store.count_unread(user("oliver.penhaligon").id) == 0
