"""/healthz and /readyz: is this process alive, and can it serve? (Migrations: see test_migrations.py.)"""

import shutil
from pathlib import Path

from tests.conftest import AppMaker
from tests.support.cast import Cast
from tests.support.postgres_proxy import Wiretap
from tests.support.test_client import Visitor, visitors_of

Visit = type[Visitor]


def test_alive_needs_neither_session_nor_database(tapped_visit: Visit, wiretap: Wiretap) -> None:
    with wiretap.listening() as heard:
        answer = tapped_visit(None).get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert heard == []
    assert "Set-Cookie" not in answer.headers


def test_ready_needs_the_database(tapped_visit: Visit, wiretap: Wiretap) -> None:
    browser = tapped_visit(None)
    assert (browser.get("/readyz").status_code, browser.get("/readyz").json) == (200, {"status": "ready"})

    with wiretap.cut():
        assert browser.get("/readyz").status_code == 503
    assert browser.get("/readyz").status_code == 200


def test_health_check_does_not_prolong_a_session(visit: Visit, cast: Cast) -> None:
    amelia = visit(cast.amelia)

    for path in ("/healthz", "/readyz"):
        assert "Set-Cookie" not in amelia.get(path).headers


def test_readiness_reads_the_migration_files_once(make_app: AppMaker, tmp_path: Path) -> None:
    app = make_app()
    folder = shutil.copytree(app.config["MIGRATIONS_FOLDER"], tmp_path / "migrations")
    app.config["MIGRATIONS_FOLDER"] = str(folder)
    browser = visitors_of(app)(None)
    assert browser.get("/readyz").status_code == 200

    shutil.rmtree(folder)

    assert browser.get("/readyz").status_code == 200
