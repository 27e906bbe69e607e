"""The primary is killed while people work and its synchronous standby promoted: no acknowledged save is lost."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.app import create_app
from portal.clients import Client
from portal.clients.records.revisions import ClientRevision
from portal.extensions import db
from tests.conftest import settings_for
from tests.operations.offices import office
from tests.operations.people import Saver, wait_until_all_work
from tests.operations.postgres import Postgres, primary_and_synchronous_standby

pytestmark = pytest.mark.operations
VIEWERS, CLIENTS, SAVERS_EACH = 60, 5, 2  # ten savers
BACK_WITHIN_SECONDS = 10


def test_no_acknowledged_save_is_lost_and_streams_stay_open(tmp_path: Path) -> None:
    with primary_and_synchronous_standby() as (primary, standby):
        hosts = f"{primary.address}:{primary.port},{standby.address}:{standby.port}"
        url = f"postgresql://postgres@{hosts}/kingston"
        with office(primary, url, tmp_path / "log", viewers=VIEWERS, clients=CLIENTS) as at_work:
            streams = [user.listen(at_work.portal, page) for user, page in at_work.places]
            assert all(stream.next() is not None for stream in streams)
            wait_until_all_work(at_work.savers, time.monotonic(), BACK_WITHIN_SECONDS)

            primary.kill()
            standby.promote()
            promoted_at = time.monotonic()
            wait_until_all_work(at_work.workers, promoted_at, BACK_WITHIN_SECONDS)

            assert not any(stream.has_ended for stream in streams)
            at_work.stop()
            nothing_is_lost(standby, at_work.savers)
            for stream in streams:
                stream.close()


def nothing_is_lost(server: Postgres, savers: Sequence[Saver]) -> None:
    """Every version of every client has its revision, and every acknowledged value was saved once.

    A save that the primary had committed without an acknowledgement is sent again. It then changes nothing, and the
    version in its response may be that of a later save of another user.
    """
    with create_app(settings_for(server.local_url)).app_context():
        for client_id in {saver.client_id for saver in savers}:
            version = db.session.scalar(select(Client.version).where(Client.id == client_id))
            every = select(ClientRevision).where(ClientRevision.client_id == client_id).order_by(ClientRevision.version)
            revisions = {revision.version: revision for revision in db.session.scalars(every)}
            assert list(revisions) == list(range(2, version + 1))
            for saver in (saver for saver in savers if saver.client_id == client_id):
                assert saver.acknowledged
                for value, acknowledged_version in saver.acknowledged.items():
                    [saved] = [
                        version
                        for version, revision in revisions.items()
                        if saver.field in revision.changes and revision.changes[saver.field][1] == value
                    ]
                    assert saved <= acknowledged_version
        db.session.rollback()
        db.engine.dispose()
