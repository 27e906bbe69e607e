"""Test dated notes: adding, the client page, the history, drafts and live updates."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from portal import clock
from portal.clients import Client
from portal.clients.records import limits
from portal.clients.records.note_models import ClientNote
from portal.clients.saving import notes
from portal.editing.drafts import store
from portal.extensions import db
from tests.clients.conftest import history_of
from tests.support.cast import Cast
from tests.support.factories import make_client, make_note
from tests.support.html import forms_of, links_of, text_of
from tests.support.notifications import NotificationListener
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor

Visit = type[Visitor]
NOW = datetime(2026, 11, 22, 10, 42, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def add(browser: Visitor, client: Client, **fields: Any) -> TestResponse:
    values = {"text": "Rang about the ISA.", "kind": "call", "happened_on": "20/11/2026", **fields}
    return browser.post(f"/clients/{client.id}/notes", data=values)


def composer_of(response: TestResponse) -> dict[str, str]:
    """Return the form of a new note as a browser would send it."""
    [form] = [form for form in forms_of(response) if "happened_on" in form]
    return form


def notes_of(client: Client) -> list[ClientNote]:
    db.session.rollback()
    return list(db.session.scalars(select(ClientNote).where(ClientNote.client_id == client.id).order_by(ClientNote.id)))


def test_added_note_has_author_day_and_time_and_is_a_version_of_the_client(
    amelia: Visitor, client: Client, cast: Cast
) -> None:
    response = add(amelia, client, text="Rang about the ISA.\r\n<b>Sends</b> papers.")

    assert response.status_code == 302
    assert response.headers["Location"] == f"/clients/{client.id}"
    [note] = notes_of(client)
    assert (note.kind, note.happened_on, note.text) == (
        "call",
        date(2026, 11, 20),
        "Rang about the ISA.\n<b>Sends</b> papers.",
    )
    assert (note.author_id, note.written_at, note.version) == (cast.amelia.id, NOW, 2)
    assert (client.version, client.updated_by) == (2, cast.amelia.id)
    [revision] = history_of(client)
    assert revision.changes == {f"note/{note.id}": [None, {"kind": "call", "happened_on": "2026-11-20"}]}
    page = amelia.get(f"/clients/{client.id}")
    assert "Call 20 Nov 2026 Amelia Hart" in text_of(page)
    assert "&lt;b&gt;Sends&lt;/b&gt; papers." in page.text
    assert "Amelia Hart added the call of 20 Nov 2026" in text_of(page)


def test_two_users_who_add_notes_from_one_page_both_do(amelia: Visitor, daniel: Visitor, client: Client) -> None:
    forms = [composer_of(browser.get(f"/clients/{client.id}")) for browser in (amelia, daniel)]
    for browser, form in zip((amelia, daniel), forms, strict=True):
        assert add(browser, client, **{**form, "text": "Met."}).status_code == 302

    assert [note.version for note in notes_of(client)] == [2, 3]


def test_request_that_is_repeated_adds_one_note(amelia: Visitor, client: Client) -> None:
    form = composer_of(amelia.get(f"/clients/{client.id}"))
    for _ in range(2):
        assert add(amelia, client, **{**form, "text": "Met."}).status_code == 302
    add(amelia, client, text="Met.")

    assert len(notes_of(client)) == 2


def test_text_that_was_typed_after_a_lost_answer_is_not_lost(amelia: Visitor, client: Client, cast: Cast) -> None:
    form = {**composer_of(amelia.get(f"/clients/{client.id}")), "text": "Met."}
    add(amelia, client, **form)
    draft = f"/edit_drafts/client-{client.id}?form=note/new&draft={form['draft']}"
    amelia.call("PUT", draft, json={"version": 1, "values": {"text": "Met. A paragraph."}})

    again = add(amelia, client, **{**form, "text": "Met. A paragraph."})
    program = amelia.post(f"/clients/{client.id}/notes", json={"text": "Rang.", "draft": form["draft"]})

    [note] = notes_of(client)
    assert (again.status_code, program.status_code, note.text) == (409, 409, "Met.")
    assert "This note was added already, " in text_of(again)
    assert f"/clients/{client.id}/notes/{note.id}/edit" in links_of(again)
    kept = composer_of(again)
    assert kept["text"] == "Met. A paragraph."
    key = store.DraftKey(cast.amelia.id, f"client-{client.id}", "note/new")
    assert [each.values["text"] for each in store.drafts_of(key)] == ["Met. A paragraph."]
    assert add(amelia, client, **kept).status_code == 302
    assert [each.text for each in notes_of(client)] == ["Met.", "Met. A paragraph."]
    assert store.drafts_of(key) == []


def test_request_that_is_repeated_after_a_correction_adds_no_note(amelia: Visitor, client: Client) -> None:
    form = {**composer_of(amelia.get(f"/clients/{client.id}")), "text": "Met."}
    add(amelia, client, **form)
    [note] = notes_of(client)
    amelia.post(f"/clients/{client.id}/notes/{note.id}/edit", data={"version": "2", "text": "Rang."})

    assert add(amelia, client, **form).status_code == 302
    assert [each.text for each in notes_of(client)] == ["Rang."]


def test_program_adds_a_note_without_a_version(amelia: Visitor, client: Client) -> None:
    path = f"/clients/{client.id}/notes"
    response = amelia.post(path, json={"text": "Met.", "kind": "meeting", "happened_on": "2026-11-21"})

    [note] = notes_of(client)
    assert response.json == {"status": "added", "version": 2, "key": f"note/{note.id}"}
    assert amelia.post(path, json={"text": "Met.", "subject": "?"}).status_code == 422
    assert len(notes_of(client)) == 1


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"text": " \u200b"}, "text", "Enter the note."),
        ({"text": "x" * 5_001}, "text", "5,000"),
        ({"text": "a\0b"}, "text", "control character"),
        ({"kind": "fax"}, "kind", "Not a valid choice"),
        ({"happened_on": "31/2/2026"}, "happened_on", "not in the calendar"),
        ({"happened_on": "23/11/2026"}, "happened_on", "in the future"),
        ({"happened_on": ""}, "happened_on", "Enter the day"),
    ],
    ids=["blank", "too long", "NUL", "kind", "no day", "tomorrow", "without a day"],
)
def test_wrong_note_is_refused_by_its_field_and_everything_typed_is_shown(
    amelia: Visitor, client: Client, fields: dict[str, str], field: str, problem: str
) -> None:
    page = add(amelia, client, draft="d1", **fields)
    program = amelia.post(f"/clients/{client.id}/notes", json={"text": "Met.", "happened_on": "2026-11-20", **fields})

    assert (page.status_code, program.status_code) == (422, 422)
    assert problem in text_of(page)
    assert field in program.json["errors"]
    kept = composer_of(page)
    assert kept["draft"] == "d1"
    if field != "text":
        assert kept["text"] == "Rang about the ISA."
    assert notes_of(client) == []


def test_reader_and_user_without_access_add_nothing_and_keep_their_text(
    visit: Visit, cast: Cast, client: Client
) -> None:
    refused = add(visit(cast.rhys), client, text="An hour's work")
    client.is_restricted = True
    db.session.commit()
    hidden = add(visit(cast.daniel), client, text="An hour's work")

    assert (refused.status_code, hidden.status_code) == (403, 404)
    for response in (refused, hidden):
        assert "An hour&#39;s work" in response.text
    assert notes_of(client) == []


def test_client_has_a_maximum_of_notes(amelia: Visitor, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MAX_NOTES", 1)
    add(amelia, client)

    response = add(amelia, client, text="One too many")

    assert response.status_code == 422
    assert "A client has at most 1 notes." in text_of(response)
    assert composer_of(response)["text"] == "One too many"
    assert limits.MAX_NOTES == 5_000


def test_notes_are_shown_newest_day_first_with_long_texts_folded(amelia: Visitor, client: Client, cast: Cast) -> None:
    make_note(client, "Older", happened_on=date(2026, 1, 5), author_id=cast.daniel.id)
    make_note(client, "Newer", happened_on=date(2026, 3, 5))
    make_note(client, f"Begins. {'word ' * 300}Ends.", happened_on=date(2026, 2, 5))

    page = amelia.get(f"/clients/{client.id}")

    words = text_of(page)
    assert words.index("Newer") < words.index("Begins.") < words.index("Older")
    assert "Older" in words
    assert "An import" in words
    assert "Show the whole note (1,513 characters)" in words
    assert page.text.count("Ends.") == 1


def test_history_shows_the_note_and_does_not_offer_to_undo_it(amelia: Visitor, client: Client) -> None:
    add(amelia, client, text="Wants to retire early.")
    [note] = notes_of(client)

    page = amelia.get(f"/clients/{client.id}/history?field=note")
    undo = amelia.get(f"/clients/{client.id}/history/2/revert?entry=note/{note.id}")

    assert "Wants to retire early." in text_of(page)
    assert "Kind Call" in text_of(page)
    assert "/revert" not in page.text
    assert undo.status_code == 422
    assert "cannot be undone" in text_of(undo)


def test_open_pages_are_notified_and_the_changes_name_the_note_without_its_text(
    amelia: Visitor, daniel: Visitor, client: Client, listener: NotificationListener
) -> None:
    add(amelia, client, text="Wants to retire early.")
    [note] = notes_of(client)

    assert (f"client-{client.id}", 2) in [(each.page, each.version) for each in listener.received()]
    changes = daniel.get(f"/clients/{client.id}/changes?since=1")
    [change] = changes.json["changes"]
    assert (change["by"], change["fields"]) == (
        "Amelia Hart",
        [{"key": f"note/{note.id}", "label": "the call of 20 Nov 2026", "change": "added"}],
    )
    assert "retire" not in changes.text


def test_draft_of_a_note_is_kept_offered_and_removed_by_the_note(amelia: Visitor, client: Client) -> None:
    path, page = f"/edit_drafts/client-{client.id}", f"/clients/{client.id}"
    body = {"version": 1, "values": {"text": "Half a sentence", "kind": "email"}}
    kept = amelia.call("PUT", f"{path}?form=note/new&draft=d1", json=body)
    assert kept.status_code == 200, kept.text

    offered = amelia.get(page)
    assert "You have unsaved changes: a new note" in text_of(offered)
    assert f"{page}?note_draft=d1#notes" in offered.text
    form = composer_of(amelia.get(f"{page}?note_draft=d1"))
    assert (form["text"], form["kind"]) == ("Half a sentence", "email")
    add(amelia, client, **{**form, "text": "The whole sentence."})

    assert not store.drafts_of(store.DraftKey(notes_of(client)[0].author_id or 0, f"client-{client.id}", "note/new"))
    assert "You have unsaved changes" not in text_of(amelia.get(page))


def test_page_with_notes_takes_at_most_eight_statements(
    tapped_visit: Visit, cast: Cast, client: Client, wiretap: Wiretap
) -> None:
    for number in range(30):
        make_note(client, f"Note {number}", author_id=cast.daniel.id, happened_on=date(2026, 1, 1) + timedelta(number))
    add(tapped_visit(cast.amelia), client)
    amelia = tapped_visit(cast.amelia)
    amelia.get("/clients")

    with wiretap.listening() as heard:
        assert amelia.get(f"/clients/{client.id}").status_code == 200

    assert len(work_in(heard)) <= 8, [each[:70] for each in work_in(heard)]


def test_notes_are_filtered_by_kind_and_words_and_divided_into_pages(amelia: Visitor, client: Client) -> None:
    page = f"/clients/{client.id}"
    assert "Words in notes" not in text_of(amelia.get(page))
    for number in range(23):
        kind = "call" if number % 2 else "email"
        make_note(
            client, f"Number-{number:02} 50%_off ISA", kind=kind, happened_on=date(2026, 1, 1) + timedelta(number)
        )

    def shown(query: str) -> list[str]:
        return re.findall(r"Number-([0-9]{2})", text_of(amelia.get(f"{page}?{query}")))

    assert shown("") == [f"{number:02}" for number in range(22, 12, -1)]
    assert shown("note_page=3") == ["02", "01", "00"]
    assert shown("note_page=99") == ["02", "01", "00"]
    assert shown("note_kind=call&note_page=2") == ["01"]
    assert shown("note_text=isa+number-1") == [f"{number}" for number in range(19, 9, -1)]
    assert shown("note_text=50%25_OFF&note_kind=email&note_page=2") == ["02", "00"]
    assert shown("note_kind=fax&note_page=x") == shown("")
    assert shown("note_text=100%25") == []
    assert "No note matches." in text_of(amelia.get(f"{page}?note_text=100%25"))
    links = links_of(amelia.get(f"{page}?note_kind=call&note_text=isa"))
    assert f"{page}?note_kind=call&note_text=isa&note_page=2#notes" in links


@pytest.mark.statements
def test_page_of_notes_is_read_by_its_index(client: Client) -> None:
    """Of a client with many notes among those of many clients."""
    db.session.execute(
        text(
            "INSERT INTO client_notes (client_id, kind, happened_on, text)"
            " SELECT :client_id, 'call', DATE '2016-01-01' + number, repeat('Rang about the ISA. ', 20)"
            " FROM generate_series(1, 3000) number"
        ),
        {"client_id": client.id},
    )
    others = [make_client(f"Client {number}").id for number in range(20)]
    db.session.execute(
        text(
            "INSERT INTO client_notes (client_id, kind, happened_on, text)"
            " SELECT client_id, 'note', DATE '2020-01-01' + number, 'Met.'"
            " FROM unnest(CAST(:ids AS integer[])) client_id, generate_series(1, 300) number"
        ),
        {"ids": others},
    )
    db.session.execute(text("ANALYZE client_notes"))
    plan = "\n".join(
        db.session.scalars(
            text(
                "EXPLAIN SELECT * FROM client_notes WHERE client_id = :client_id"
                " ORDER BY happened_on DESC, id DESC LIMIT 10 OFFSET 20"
            ),
            {"client_id": client.id},
        )
    )

    assert "ix_client_notes_newest" in plan
    assert "Sort" not in plan


def test_notes_of_another_client_are_not_shown(amelia: Visitor, client: Client) -> None:
    make_note(make_client("Another"), "Of another client")

    assert "Of another client" not in amelia.get(f"/clients/{client.id}").text
