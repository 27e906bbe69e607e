"""Test the correction of a note by its author, and its redaction by an administrator."""

import json
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from portal import clock
from portal.audit import AuditEvent
from portal.clients import Client
from portal.clients.csv.export import export_folder
from portal.clients.records.note_models import ClientNote, ClientNoteVersion
from portal.clients.saving import notes
from portal.extensions import db
from tests.clients.conftest import history_of
from tests.support.cast import Cast
from tests.support.factories import make_client, make_note
from tests.support.html import errors_of, form_of, text_of
from tests.support.test_client import Visitor

Visit = type[Visitor]
NOW = datetime(2026, 11, 22, 10, 42, tzinfo=UTC)
FIRST, SECOND = "Rang about the ISA: 20,000.", "Rang about the ISA: 2,000."


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def note(client: Client, cast: Cast) -> ClientNote:
    return make_note(client, FIRST, kind="call", author_id=cast.amelia.id, written_at=NOW - timedelta(hours=1))


def path_of(note: ClientNote, what: str = "/edit") -> str:
    return f"/clients/{note.client_id}/notes/{note.id}{what}"


def correct(browser: Visitor, note: ClientNote, form: dict[str, str] | None = None, **typed: str) -> TestResponse:
    opened = form or form_of(browser.get(path_of(note)))
    return browser.post(path_of(note), data={**opened, **typed})


def redact(browser: Visitor, note: ClientNote, reason: str = "Wrong client", version: int = 1) -> TestResponse:
    return browser.post(path_of(note, "/redact"), data={"version": version, "reason": reason})


def current(note: ClientNote) -> ClientNote:
    db.session.rollback()
    return note


def test_author_corrects_a_note_which_is_shown_as_edited_with_its_earlier_text_on_demand(
    amelia: Visitor, daniel: Visitor, client: Client, note: ClientNote
) -> None:
    response = correct(amelia, note, text=SECOND, happened_on="21/11/2026")

    assert response.status_code == 302
    assert (current(note).text, note.happened_on, note.edits, note.edited_at) == (SECOND, date(2026, 11, 21), 1, NOW)
    assert (client.version, note.version) == (2, 2)
    [revision] = history_of(client)
    key = f"note/{note.id}"
    assert revision.changes == {f"{key}/happened_on": ["2026-01-05", "2026-11-21"], f"{key}/edits": [0, 1]}
    page = daniel.get(f"/clients/{client.id}")
    assert "edited" in text_of(page)
    assert FIRST not in page.text
    assert FIRST in text_of(daniel.get(path_of(note, "")))
    words = text_of(daniel.get(f"/clients/{client.id}/history"))
    assert "Amelia Hart changed Day of the call of 21 Nov 2026 and Text of the call of 21 Nov 2026" in words
    assert "Text as first written → correction 1" in words


def test_correction_in_two_tabs_asks_the_second_one_and_keeps_what_was_typed(
    amelia: Visitor, client: Client, note: ClientNote
) -> None:
    opened = [form_of(amelia.get(path_of(note))) for _ in range(2)]
    correct(amelia, note, opened[0], text=SECOND)

    asked = correct(amelia, note, opened[1], text="Something else")

    assert asked.status_code == 409
    assert SECOND in text_of(asked)
    kept = form_of(asked)
    assert (kept["text"], kept["version"]) == ("Something else", "2")
    assert current(note).text == SECOND
    assert correct(amelia, note, kept).status_code == 302
    assert current(note).text == "Something else"
    program = amelia.post(path_of(note), json={"version": 1, "text": "Third"})
    assert (program.status_code, program.json["version"]) == (409, 3)
    earlier = db.session.scalars(select(ClientNoteVersion.text).order_by(ClientNoteVersion.edits)).all()
    assert earlier == [FIRST, SECOND]


def test_change_of_the_client_by_another_user_does_not_hinder_a_correction(
    amelia: Visitor, daniel: Visitor, client: Client, note: ClientNote
) -> None:
    opened = form_of(amelia.get(path_of(note)))
    daniel.post(f"/clients/{client.id}/notes", data={"text": "Met."})

    assert correct(amelia, note, opened, text=SECOND).status_code == 302
    assert current(note).text == SECOND


def test_correction_that_is_repeated_or_changes_nothing_is_no_version(
    amelia: Visitor, client: Client, note: ClientNote
) -> None:
    opened = form_of(amelia.get(path_of(note)))
    for _ in range(2):
        assert correct(amelia, note, opened, text=SECOND).status_code == 302

    assert (current(note).edits, client.version) == (1, 2)


def test_note_cannot_be_corrected_by_another_user_or_after_24_hours_or_without_the_role(
    visit: Visit, cast: Cast, note: ClientNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    amelia, body = visit(cast.amelia), {"version": "1", "text": SECOND}
    for other in (cast.daniel, cast.ada, cast.rhys):
        assert visit(other).get(path_of(note)).status_code == 403
        assert visit(other).post(path_of(note), data=body).status_code == 403
    elsewhere = path_of(note).replace(f"/clients/{note.client_id}/", f"/clients/{make_client('Another').id}/")
    assert amelia.post(elsewhere, data=body).status_code == 404

    monkeypatch.setattr(clock, "now", lambda: note.written_at + timedelta(hours=24))
    assert amelia.get(path_of(note)).status_code == 403
    refused = amelia.post(path_of(note), data=body)
    assert refused.status_code == 403
    assert "for 24 hours" in text_of(refused)
    assert '/edit">Correct' not in amelia.get(f"/clients/{note.client_id}").text
    assert current(note).text == FIRST


def test_text_of_a_correction_that_can_no_longer_be_made_is_on_the_answer(
    visit: Visit, cast: Cast, client: Client, note: ClientNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    daniel, note.author_id = visit(cast.daniel), cast.daniel.id
    db.session.commit()
    form = form_of(daniel.get(path_of(note)))
    monkeypatch.setattr(clock, "now", lambda: note.written_at + timedelta(hours=24))
    too_late = correct(daniel, note, form, text="An hour of work")
    client.is_restricted = True
    db.session.commit()
    hidden = correct(daniel, note, form, text="An hour of work")

    assert (too_late.status_code, hidden.status_code) == (403, 404)
    for answer in (too_late, hidden):
        assert "What you typed was not saved" in text_of(answer)
        assert "An hour of work" in text_of(answer)
    assert current(note).text == FIRST


def test_wrong_correction_is_refused_by_its_field(amelia: Visitor, note: ClientNote) -> None:
    response = correct(amelia, note, text=" ")

    assert response.status_code == 422
    assert errors_of(response) == {"text": "Enter the note."}


def test_corrections_are_limited(amelia: Visitor, note: ClientNote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MAX_CORRECTIONS", 1)
    correct(amelia, note, text=SECOND)

    response = correct(amelia, note, text="Third")

    assert response.status_code == 422
    assert "can be corrected 1 times" in text_of(response)
    assert form_of(response)["text"] == "Third"


def test_draft_of_a_correction_is_offered_and_comes_back(amelia: Visitor, client: Client, note: ClientNote) -> None:
    path = f"/edit_drafts/client-{client.id}?form=note/{note.id}&draft=d1"
    assert amelia.call("PUT", path, json={"version": 1, "values": {"text": "Half"}}).status_code == 200

    assert "the correction of a note" in text_of(amelia.get(f"/clients/{client.id}"))
    restored = form_of(amelia.get(path_of(note)))
    assert (restored["text"], restored["kind"], restored["restored"][:3]) == ("Half", "call", "d1@")
    correct(amelia, note, restored)
    assert current(note).text == "Half"
    assert "the correction of a note" not in text_of(amelia.get(f"/clients/{client.id}"))


def test_draft_of_a_correction_that_can_no_longer_be_made_can_be_copied_and_discarded(
    visit: Visit, cast: Cast, client: Client, note: ClientNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    amelia, page = visit(cast.amelia), f"/clients/{client.id}"
    path = f"/edit_drafts/client-{client.id}?form=note/{note.id}&draft=d1"
    draft = {"version": 1, "values": {"text": "An hour of work", "kind": "email"}}
    assert amelia.call("PUT", path, json=draft).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: note.written_at + timedelta(hours=24))

    shown = amelia.get(path_of(note))

    assert shown.status_code == 403
    assert "Kind Email Note An hour of work" in text_of(shown)
    assert "An hour of work" not in visit(cast.daniel).get(path_of(note)).text
    discard = f"/discard_draft/client-{client.id}?form=note/{note.id}"
    assert discard in unescape(shown.text)
    assert amelia.post(discard, data=form_of(shown)).headers["Location"] == page
    assert "An hour of work" not in amelia.get(path_of(note)).text
    assert "the correction of a note" not in text_of(amelia.get(page))


def everything() -> str:
    """Return all rows of all tables as text."""
    db.session.rollback()
    tables = db.session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).all()
    return "\n".join(
        json.dumps(db.session.scalars(text(f"SELECT to_jsonb(t) FROM {table} t")).all())  # noqa: S608
        for table in tables
    )


def test_redaction_deletes_the_text_everywhere_and_keeps_the_reason_and_who_did_it(
    visit: Visit, cast: Cast, client: Client, note: ClientNote, tmp_path: Path
) -> None:
    amelia, ada = visit(cast.amelia), visit(cast.ada)
    note.text = "SECRET first"
    db.session.commit()
    correct(amelia, note, text="SECRET second")
    draft = f"/edit_drafts/client-{client.id}?form=note/{note.id}&draft=d1"
    amelia.call("PUT", draft, json={"version": 2, "values": {"text": "SECRET third"}})
    assert everything().count("SECRET") == 3
    assert ada.get(path_of(note, "/redact")).status_code == 200

    response = redact(ada, note, "Belongs to another client", version=2)

    assert response.status_code == 302
    assert "SECRET" not in everything()
    assert (current(note).redacted_by, note.redacted_at, note.redaction_reason) == (
        cast.ada.id,
        NOW,
        "Belongs to another client",
    )
    for path in (f"/clients/{client.id}", path_of(note, ""), f"/clients/{client.id}/history"):
        page = visit(cast.daniel).get(path)
        assert "SECRET" not in page.text
        assert "Belongs to another client" in text_of(page)
    assert "Ada Byron redacted the call of" in text_of(amelia.get(f"/clients/{client.id}/history"))
    export_folder(tmp_path / "out")
    assert "SECRET" not in (tmp_path / "out" / "notes.csv").read_text()
    [event] = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "note_redacted"))
    assert (event.actor_id, event.about) == (
        cast.ada.id,
        {"client_id": client.id, "version": 3, "fields": [f"note/{note.id}/redacted_by"]},
    )
    assert "Note redacted" in text_of(ada.get("/audit"))
    assert amelia.get(path_of(note)).status_code == 403


def test_redaction_needs_an_administrator_a_reason_and_the_version_that_was_read(
    visit: Visit, cast: Cast, client: Client, note: ClientNote
) -> None:
    for other in (cast.amelia, cast.daniel, cast.rhys):
        assert visit(other).get(path_of(note, "/redact")).status_code == 403
        assert redact(visit(other), note).status_code == 403
    ada = visit(cast.ada)
    assert errors_of(redact(ada, note, " ")) == {"reason": "Enter the reason."}
    assert redact(ada, note, "x" * 301).status_code == 422
    correct(visit(cast.amelia), note, text=SECOND)

    asked = redact(ada, note)

    assert asked.status_code == 409
    assert SECOND in text_of(asked)
    assert form_of(asked)["reason"] == "Wrong client"
    assert current(note).text == SECOND
    assert ada.post(path_of(note, "/redact"), data=form_of(asked)).status_code == 302
    assert current(note).text == ""
    assert redact(ada, note, version=3).status_code == 302
    assert (note.redaction_reason, client.version) == ("Wrong client", 3)
