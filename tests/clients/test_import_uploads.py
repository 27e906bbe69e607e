"""The uploaded files of an import: which are accepted, who sees them, how long they stay, and two requests at once."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from portal.clients import Client
from portal.clients.csv.import_views import MAX_UPLOAD_BYTES, MULTIPART_BYTES
from portal.clients.csv.importing import pending, upload
from portal.database import advisory_locks
from portal.extensions import db
from portal.jobs import JOBS, run_job
from tests.clients.browser_imports import PATH, applied, audited, stored, uploaded
from tests.support.cast import Cast
from tests.support.csv_folder import CsvFolder, send_files, upload_of, whole_database
from tests.support.factories import make_client
from tests.support.html import errors_of, form_of, text_of
from tests.support.test_client import Visitor

[PURGE] = [job for job in JOBS if job.name == "import purge"]


def test_files_that_are_too_large_are_refused_on_their_page_with_field_limit_and_what_to_do(
    ada: Visitor, amelia: Visitor
) -> None:
    """nginx refuses still larger ones, and leads to the same page."""
    kind, body = upload_of(MAX_UPLOAD_BYTES + MULTIPART_BYTES + 1)
    sent, others = (browser.post(PATH, data=body, content_type=kind) for browser in (ada, amelia))

    for status, refused in ((413, sent), (200, ada.get(f"{PATH}?too-large="))):
        assert refused.status_code == status
        assert errors_of(refused) == {
            "files": "The files have more than 8 MB in all. Import fewer rows at a time, or ask the operator to use "
            "flask clients import."
        }
        assert "Check the files" in text_of(refused)
    assert stored() == (0, 0)
    for other in (others, ada.post(f"{PATH}/apply", data={"mark": "a" * 300_000})):
        assert (other.status_code, errors_of(other)) == (413, {})
        assert "more than 256 KB" in text_of(other)


def test_form_sent_twice_imports_once(ada: Visitor) -> None:
    preview = uploaded(ada)

    both = [applied(ada, preview), applied(ada, preview)]

    assert [answer.status_code for answer in both] == [302, 302]
    assert len(audited()) == 1
    assert db.session.scalars(select(Client.version).where(Client.client_ref == "KG1")).all() == [1]


def test_second_request_while_the_import_runs_shows_the_progress(ada: Visitor, cast: Cast) -> None:
    preview = uploaded(ada)
    [import_id] = db.session.scalars(text("SELECT id FROM client_imports"))
    with db.engine.begin() as connection:
        key = {"key": advisory_locks.IMPORT_OF_PROFILE, "id": cast.ada.id}
        connection.execute(text("SELECT pg_advisory_xact_lock(:key, :id)"), key)
        pending.note_progress(import_id, "valuations.csv: 10,000 of 30,000 written")

        page = ada.get(PATH)

        assert "valuations.csv: 10,000 of 30,000 written" in text_of(page)
        assert ada.get(f"{PATH}/progress").json == {
            "is_running": True,
            "progress": "valuations.csv: 10,000 of 30,000 written",
        }
        for answer in (
            applied(ada, preview),
            ada.post(f"{PATH}/discard"),
            send_files(ada, [("clients.csv", "")]),
        ):
            assert (answer.status_code, answer.headers["Location"]) == (302, PATH)
        assert stored() == (1, 6)
    assert ada.get(f"{PATH}/progress").json["is_running"] is False
    assert applied(ada, preview).status_code == 302
    assert len(audited()) == 1


def test_import_beside_that_of_another_administrator_is_503_and_keeps_the_files(ada: Visitor) -> None:
    preview = uploaded(ada)
    with db.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": advisory_locks.IMPORT})
        answer = applied(ada, preview)

    assert answer.status_code == 503
    assert "Another import is running." in text_of(answer)
    assert stored() == (1, 6)
    assert applied(ada, preview).status_code == 302


def test_locked_client_ends_the_import_with_the_reason(ada: Visitor) -> None:
    make_client("Whitmore", client_ref="KG1")
    preview = uploaded(ada)
    with db.engine.begin() as connection:
        connection.execute(text("SELECT FROM clients FOR NO KEY UPDATE"))
        answer = applied(ada, preview)

    assert answer.status_code == 409
    assert "Another user was saving one of these records. Nothing was imported." in text_of(answer)
    assert audited() == []
    assert applied(ada, answer).status_code == 302


def test_administrator_that_lost_the_role_meanwhile_imports_nothing(
    ada: Visitor, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview, read = uploaded(ada), upload.read_tables

    def demote_and_read(*arguments: Any) -> Any:
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE profiles SET role = 'adviser' WHERE id = :id"), {"id": cast.ada.id})
        return read(*arguments)

    monkeypatch.setattr(upload, "read_tables", demote_and_read)
    before = whole_database()["clients"]

    assert applied(ada, preview).status_code == 403
    assert (whole_database()["clients"], audited()) == (before, [])


def test_failure_in_the_middle_leaves_everything_as_it_was(ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    preview, before = uploaded(ada), whole_database()
    with monkeypatch.context() as patch:
        patch.setattr(upload, "record_import", lambda *_: 1 / 0)
        ada.application.config["PROPAGATE_EXCEPTIONS"] = False
        answer = applied(ada, preview)
        ada.application.config["PROPAGATE_EXCEPTIONS"] = None

    assert answer.status_code == 500
    assert (whole_database(), audited(), stored()) == (before, [], (1, 6))
    assert applied(ada, preview).status_code == 302


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([], "Choose the files."),
        ([("", "")], "Choose the files."),
        ([("clients.xlsx", "x")], "clients.xlsx is none of profiles.csv, clients.csv"),
        ([("<i>.csv", "x")], "<i>.csv is none of profiles.csv"),
        ([("clients.csv", "x"), ("CLIENTS.CSV", "y")], "clients.csv is there twice."),
    ],
)
def test_wrong_files_are_refused_by_name_and_not_kept(ada: Visitor, files: list[tuple[str, str]], problem: str) -> None:
    answer = send_files(ada, files)

    assert answer.status_code == 422
    assert problem in errors_of(answer)["files"]
    assert stored() == (0, 0)


def test_folder_of_the_file_is_ignored(ada: Visitor) -> None:
    answer = send_files(ada, [("in/Clients.csv", "a"), ("in/people.csv", "b")])
    assert answer.status_code == 302, text_of(answer)
    names = select(pending.ImportFile.name).order_by(pending.ImportFile.name)
    assert list(db.session.scalars(names)) == ["clients.csv", "people.csv"]


def test_later_upload_replaces_the_earlier_one(ada: Visitor, folder: CsvFolder) -> None:
    first = uploaded(ada, folder)
    uploaded(ada, folder.set("clients.csv", "name", "Whitmore Two"))

    assert stored() == (1, 6)
    answer = applied(ada, first)  # of the page with the earlier files
    assert answer.status_code == 409
    assert "KG1 Whitmore Two" in text_of(answer)


def test_import_of_another_administrator_is_not_shown(ada: Visitor, visit: type[Visitor], cast: Cast) -> None:
    uploaded(ada)
    cast.daniel.role = "admin"
    db.session.commit()
    daniel = visit(cast.daniel)

    assert "Upload the files" in text_of(daniel.get(PATH))
    assert daniel.get(f"{PATH}/details.csv").status_code == 404
    daniel.post(f"{PATH}/discard")
    assert stored() == (1, 6)


def test_cancelled_import_is_deleted_with_its_files(ada: Visitor) -> None:
    ada.post(f"{PATH}/discard", data=form_of(uploaded(ada)))

    assert stored() == (0, 0)
    assert "Nothing was imported. The uploaded files are deleted." in text_of(ada.get(PATH))


def test_purge_deletes_imports_that_are_a_day_old(ada: Visitor) -> None:
    uploaded(ada)
    age = text("UPDATE client_imports SET uploaded_at = now() - make_interval(hours => :hours, mins => 1)")
    db.session.execute(age, {"hours": 23})
    db.session.commit()
    assert (run_job(PURGE), stored()) == (0, (1, 6))
    db.session.execute(age, {"hours": 24})
    db.session.commit()
    assert (run_job(PURGE), stored()) == (1, (0, 0))


def test_no_transaction_is_open_while_the_files_are_read(ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    preview = uploaded(ada)
    states: list[bool] = []

    def watched(content_of: Callable[[str], bytes], on_progress: Callable[[str], None]) -> Any:
        states.append(db.session().in_transaction())
        return read(content_of, on_progress)

    read = upload.read_tables
    monkeypatch.setattr(upload, "read_tables", watched)
    ada.get(PATH)
    applied(ada, preview)
    ada.get(PATH)

    assert states == [False, False]
