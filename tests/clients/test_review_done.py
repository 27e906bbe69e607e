"""Test "Mark review done": a note of the meeting and the next review in one guarded change."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal import clock
from portal.clients import Client
from portal.clients.records.note_models import ClientNote
from portal.extensions import db
from tests.clients.conftest import history_of
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.html import errors_of, form_of, links_of, text_of
from tests.support.test_client import Visitor

NOW = datetime(2026, 11, 22, 10, 42, tzinfo=UTC)
MINE, THEIRS = date(2027, 11, 30), date(2027, 3, 1)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def client(client: Client) -> Client:
    client.next_review_on = date(2026, 11, 20)
    db.session.commit()
    return client


def opened(browser: Visitor, client: Client) -> dict[str, str]:
    return {**form_of(browser.get(f"/clients/{client.id}/review")), "text": "Met both.", "next_review_on": "30/11/2027"}


def send(browser: Visitor, client: Client, form: dict[str, str]) -> TestResponse:
    return browser.post(f"/clients/{client.id}/review", data=form)


def notes_of(client: Client) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(ClientNote.text).where(ClientNote.client_id == client.id)))


def test_review_is_one_version_with_a_note_and_the_next_review(amelia: Visitor, client: Client) -> None:
    assert f"/clients/{client.id}/review" in links_of(amelia.get(f"/clients/{client.id}"))
    form = opened(amelia, client)
    assert (form["kind"], form["happened_on"]) == ("meeting", "22 November 2026")

    response = send(amelia, client, form)

    assert response.status_code == 302
    [note] = db.session.scalars(select(ClientNote))
    assert (note.kind, note.text, note.happened_on) == ("meeting", "Met both.", NOW.date())
    assert (client.next_review_on, client.version) == (MINE, 2)
    [revision] = history_of(client)
    assert revision.changes == {
        "next_review_on": ["2026-11-20", "2027-11-30"],
        f"note/{note.id}": [None, {"kind": "meeting", "happened_on": "2026-11-22"}],
    }
    page = text_of(amelia.get(f"/clients/{client.id}"))
    assert "The review is done. The next one is on 30 Nov 2027." in page
    assert "Amelia Hart changed Next review and added the meeting of 22 Nov 2026" in page


def test_next_review_that_another_user_has_changed_is_asked_and_the_note_is_not_lost(
    amelia: Visitor, client: Client, cast: Cast
) -> None:
    form = opened(amelia, client)
    save_for(cast.daniel, client, next_review_on=THEIRS, phone="1")

    asked = send(amelia, client, form)

    assert asked.status_code == 409
    assert "Daniel Okafor has changed the next review" in text_of(asked)
    assert "1 Mar 2027" in text_of(asked)
    kept = form_of(asked)
    assert (kept["text"], kept["next_review_on"], kept["draft"]) == ("Met both.", "30/11/2027", form["draft"])
    assert notes_of(client) == []
    assert send(amelia, client, kept).status_code == 409
    assert send(amelia, client, {**kept, "decide-next_review_on": "yours"}).status_code == 302
    assert (notes_of(client), client.next_review_on) == (["Met both."], MINE)
    assert history_of(client)[-1].resolutions == {"next_review_on": "yours"}


def test_their_next_review_can_be_kept_and_a_newer_one_is_asked_again(
    amelia: Visitor, client: Client, cast: Cast
) -> None:
    form = opened(amelia, client)
    save_for(cast.daniel, client, next_review_on=THEIRS)
    answer = {**form_of(send(amelia, client, form)), "decide-next_review_on": "theirs"}
    save_for(cast.daniel, client, next_review_on=date(2027, 5, 5))

    again = send(amelia, client, answer)

    assert again.status_code == 409
    assert "5 May 2027" in text_of(again)
    assert send(amelia, client, {**form_of(again), "decide-next_review_on": "theirs"}).status_code == 302
    assert (notes_of(client), client.next_review_on) == (["Met both."], date(2027, 5, 5))


def test_other_change_is_merged_and_the_same_day_of_both_is_no_question(
    amelia: Visitor, client: Client, cast: Cast
) -> None:
    form = opened(amelia, client)
    save_for(cast.daniel, client, next_review_on=MINE, phone="1")

    assert send(amelia, client, form).status_code == 302
    assert (notes_of(client), client.next_review_on, client.phone, client.version) == (["Met both."], MINE, "1", 3)


def test_request_that_is_repeated_is_one_review(amelia: Visitor, client: Client) -> None:
    form = opened(amelia, client)
    for _ in range(2):
        assert send(amelia, client, form).status_code == 302

    assert (notes_of(client), client.version) == (["Met both."], 2)


@pytest.mark.parametrize("typed", [{"text": "Met both. A paragraph."}, {"next_review_on": "1/2/2028"}])
def test_values_that_were_typed_after_a_lost_answer_are_not_lost(
    amelia: Visitor, client: Client, typed: dict[str, str]
) -> None:
    form = opened(amelia, client)
    send(amelia, client, form)

    again = send(amelia, client, {**form, **typed})

    assert (again.status_code, notes_of(client), client.version) == (409, ["Met both."], 2)
    assert "This note was added already, " in text_of(again)
    kept = form_of(again)
    assert {name: kept[name] for name in typed} == typed
    assert send(amelia, client, kept).status_code == 302
    assert len(notes_of(client)) == 2


def test_repeated_review_that_kept_the_other_users_day_is_one_review(
    amelia: Visitor, client: Client, cast: Cast
) -> None:
    form = opened(amelia, client)
    save_for(cast.daniel, client, next_review_on=THEIRS)
    answer = {**form_of(send(amelia, client, form)), "decide-next_review_on": "theirs"}
    for _ in range(2):
        assert send(amelia, client, answer).status_code == 302

    assert notes_of(client) == ["Met both."]


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"text": ""}, {"text": "Enter the note."}),
        ({"next_review_on": ""}, {"next_review_on": "Enter the day of the next review."}),
        ({"next_review_on": "22/11/2026"}, {"next_review_on": "The next review must be after this one."}),
    ],
)
def test_wrong_review_is_refused_by_its_field_with_everything_that_was_typed(
    amelia: Visitor, client: Client, typed: dict[str, str], errors: dict[str, str]
) -> None:
    form = {**opened(amelia, client), **typed}
    response = send(amelia, client, form)

    assert response.status_code == 422
    assert errors_of(response) == errors
    assert form_of(response)["text"] == form["text"]
    assert (notes_of(client), client.version) == ([], 1)


def test_program_marks_a_review_done_and_gets_the_conflict_as_json(amelia: Visitor, client: Client, cast: Cast) -> None:
    path, body = f"/clients/{client.id}/review", {"version": 1, "text": "Met.", "next_review_on": "2027-11-30"}
    save_for(cast.daniel, client, next_review_on=THEIRS)

    conflict = amelia.post(path, json=body)
    done = amelia.post(path, json={**body, "seen_version": 2, "decide-next_review_on": "yours"})

    assert (conflict.status_code, conflict.json["conflicts"][0]["theirs"]) == (409, "2027-03-01")
    assert (done.json["status"], done.json["version"]) == ("saved", 3)


def test_draft_of_a_review_is_offered_and_comes_back(amelia: Visitor, client: Client) -> None:
    path = f"/edit_drafts/client-{client.id}?form=review&draft=d1"
    body = {"version": 1, "values": {"text": "Half", "next_review_on": "1/2/2028"}}
    assert amelia.call("PUT", path, json=body).status_code == 200

    assert "You have unsaved changes: the review" in text_of(amelia.get(f"/clients/{client.id}"))
    form = form_of(amelia.get(f"/clients/{client.id}/review"))
    assert (form["text"], form["next_review_on"]) == ("Half", "1/2/2028")
    assert send(amelia, client, form).status_code == 302
    assert "the review, from" not in text_of(amelia.get(f"/clients/{client.id}"))
