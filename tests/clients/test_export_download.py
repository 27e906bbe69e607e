"""Export all client records as a download: the files of the command, its audit event, and the password."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal.audit import AuditEvent
from portal.database import advisory_locks
from portal.extensions import db
from tests.support.cast import PASSWORD, Cast
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import errors_of, links_of, text_of
from tests.support.test_client import Visitor

PATH = "/records/export"


def exported_events() -> list[dict[str, object]]:
    db.session.rollback()
    exports = select(AuditEvent.about).where(AuditEvent.event == "exported").order_by(AuditEvent.id)
    return list(db.session.scalars(exports))


def test_download_has_the_files_of_the_command_and_the_same_audit_event(
    app: Flask, ada: Visitor, cast: Cast, tmp_path: Path
) -> None:
    client = make_client("=Whitmore", adviser_id=cast.amelia.id, is_restricted=True, notes="One\nTwo")
    make_person(client)
    make_product(client, (date(2026, 3, 31), "-5"))
    assert app.test_cli_runner().invoke(args=["clients", "export", str(tmp_path / "out")]).exit_code == 0

    answer = ada.post(PATH, data={"current_password": PASSWORD})

    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=kingstons-portal-")
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    expected = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert {name: archive.read(name) for name in archive.namelist()} == expected
    by_command, in_browser = exported_events()
    assert in_browser == by_command
    assert in_browser["clients"] == 1


@pytest.mark.parametrize("password", ["", "wrong"])
def test_export_without_the_password_sends_and_records_nothing(ada: Visitor, password: str) -> None:
    answer = ada.post(PATH, data={"current_password": password})

    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert set(errors_of(answer)) == {"current_password"}
    assert exported_events() == []


def test_second_export_at_the_same_time_is_503(ada: Visitor) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": advisory_locks.EXPORT})
        answer = ada.post(PATH, data={"current_password": PASSWORD})

    assert answer.status_code == 503
    assert "Another export is running." in text_of(answer)
    assert exported_events() == []
    assert ada.post(PATH, data={"current_password": PASSWORD}).status_code == 200


def test_users_page_leads_to_the_export(ada: Visitor) -> None:
    assert PATH in links_of(ada.get("/users"))
