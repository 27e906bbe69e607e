"""An import in the browser, as an administrator makes it."""

from typing import Any

from sqlalchemy import select, text
from werkzeug.test import TestResponse

from portal.audit import AuditEvent
from portal.extensions import db
from tests.support.cast import PASSWORD
from tests.support.csv_folder import ONE_OF_EACH, CsvFolder, send_files
from tests.support.html import forms_of, text_of
from tests.support.test_client import Visitor

PATH = "/records/import"


def uploaded(browser: Visitor, files: dict[str, str] | CsvFolder = ONE_OF_EACH) -> TestResponse:
    """Upload the files and return the page that follows."""
    if isinstance(files, CsvFolder):
        files = {path.name: path.read_text() for path in sorted(files.path.iterdir())}
    answer = send_files(browser, files.items())
    assert answer.status_code == 302, text_of(answer)
    return browser.get(PATH)


def applied(browser: Visitor, preview: TestResponse, password: str = PASSWORD) -> TestResponse:
    """Agree to what the page shows."""
    return browser.post(f"{PATH}/apply", data={**form_of_apply(preview), "current_password": password})


def form_of_apply(page: TestResponse) -> dict[str, str]:
    [form] = [form for form in forms_of(page) if "mark" in form]
    return form


def stored() -> tuple[int, int]:
    """Return the numbers of imports and of files that are kept."""
    db.session.rollback()
    count = "SELECT (SELECT count(*) FROM client_imports), (SELECT count(*) FROM client_import_files)"
    return tuple(db.session.execute(text(count)).one())


def audited() -> list[tuple[str, int | None, dict[str, Any]]]:
    db.session.rollback()
    events = select(AuditEvent).where(AuditEvent.event == "imported").order_by(AuditEvent.id)
    return [(event.event, event.actor_id, event.about) for event in db.session.scalars(events)]
