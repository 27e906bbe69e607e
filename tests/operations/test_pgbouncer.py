"""The portal behind PgBouncer, in session mode and in transaction mode: everything works, and every limit holds."""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from portal.app import create_app
from portal.database import engines
from portal.extensions import db
from tests.conftest import settings_for
from tests.operations.offices import office
from tests.operations.pgbouncer import PgBouncer
from tests.operations.postgres import Postgres

pytestmark = pytest.mark.operations
LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone", "random_page_cost")


@pytest.fixture
def server() -> Iterator[Postgres]:
    with Postgres("pooled") as server:
        server.make()
        yield server


@pytest.mark.parametrize("pool_mode", ["session", "transaction"])
def test_people_work_and_see_each_other_live(server: Postgres, tmp_path: Path, pool_mode: str) -> None:
    with PgBouncer(server, pool_mode) as pooler:
        direct = {"PORTAL_DIRECT_DATABASE_URL": server.url} if pool_mode == "transaction" else {}
        with office(server, pooler.url, tmp_path / "log", **direct) as at_work:
            user, page = at_work.places[0]
            with user.listen(at_work.portal, page) as stream:
                assert stream.names()
                assert stream.next().name == "saved"
            at_work.stop()
            assert {answer.status for worker in at_work.workers for answer in worker.answers} == {200}
            assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("pool_mode", ["session", "transaction"])
def test_limits_hold_in_each_transaction_and_reach_no_other_client(
    server: Postgres, monkeypatch: pytest.MonkeyPatch, pool_mode: str
) -> None:
    monkeypatch.setattr(engines, "STATEMENT_TIMEOUT_MS", 300)
    direct = {"direct_database_url": server.url} if pool_mode == "transaction" else {}
    with PgBouncer(server, pool_mode) as pooler, create_app(settings_for(pooler.url, **direct)).app_context():
        for _ in range(3):
            found = [db.session.scalar(text(f"SHOW {name}")) for name in LIMITS]
            assert found == ["300ms", "3s", "1min", "UTC", "1.1"]
            db.session.commit()
        with pytest.raises(OperationalError, match="statement timeout"):
            db.session.execute(text("SELECT pg_sleep(20)"))
        db.session.rollback()
        db.engine.dispose()

        other = psycopg2.connect(pooler.url)
        cursor = other.cursor()
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)
        other.close()
