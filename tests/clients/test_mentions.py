"""Test mentions in notes: who can be mentioned, what is stored, and who is notified."""

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clients import Client, ClientGrant
from portal.clients.records.note_models import ClientNote
from portal.clients.saving import mentions
from portal.extensions import db
from portal.notifications.models import Notification
from tests.support.cast import Cast, make_profile
from tests.support.html import errors_of, form_of, text_of
from tests.support.test_client import Visitor

Visit = type[Visitor]


def add(browser: Visitor, client: Client, text: str) -> TestResponse:
    return browser.post(f"/clients/{client.id}/notes", data={"text": text})


def only_note() -> ClientNote:
    db.session.rollback()
    [note] = db.session.scalars(select(ClientNote))
    return note


def notified() -> list[tuple[Any, ...]]:
    db.session.rollback()
    found = select(Notification).where(Notification.kind == "mentioned").order_by(Notification.id)
    return [(each.profile_id, each.actor_id, each.subject) for each in db.session.scalars(found)]


def test_mention_is_stored_as_a_profile_and_notifies_it_once(amelia: Visitor, client: Client, cast: Cast) -> None:
    text = "Ask @daniel okafor, or @ada.byron@firm.example; not @nobody or x@Daniel Okafor."
    assert add(amelia, client, text).status_code == 302

    note = only_note()
    assert note.text == text
    assert [mention[2] for mention in note.mentions] == [cast.daniel.id, cast.ada.id]
    assert [text[start:end] for start, end, _ in note.mentions] == ["@daniel okafor", "@ada.byron@firm.example"]
    subject = f"note/{note.id}"
    assert set(notified()) == {(cast.daniel.id, cast.amelia.id, subject), (cast.ada.id, cast.amelia.id, subject)}
    assert "Ask @Daniel Okafor, or @Ada Byron; not @nobody" in text_of(amelia.get(f"/clients/{client.id}"))


def test_renamed_user_is_mentioned_by_the_new_name_everywhere(amelia: Visitor, client: Client, cast: Cast) -> None:
    add(amelia, client, "Ask @Daniel Okafor about the ISA.")
    cast.daniel.last_name = "Hart"
    db.session.commit()

    note = only_note()
    for path in ("", f"/notes/{note.id}", "/history"):
        assert "Ask @Daniel Hart about the ISA." in text_of(amelia.get(f"/clients/{client.id}{path}"))
    form = form_of(amelia.get(f"/clients/{client.id}/notes/{note.id}/edit"))
    assert form["text"] == "Ask @Daniel Hart about the ISA."


def test_user_who_may_not_see_the_client_is_not_mentioned_and_the_error_names_them(
    visit: Visit, client: Client, cast: Cast
) -> None:
    client.is_restricted = True
    db.session.commit()
    amelia = visit(cast.amelia)

    refused = add(amelia, client, "Ask @Daniel Okafor.")

    assert refused.status_code == 422
    assert errors_of(refused) == {"text": "Daniel Okafor may not see this client, so do not mention them."}
    assert form_of(refused)["text"] == "Ask @Daniel Okafor."
    assert db.session.scalar(select(ClientNote.id)) is None
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.daniel.id))
    db.session.commit()
    assert add(amelia, client, "Ask @Daniel Okafor and @Ada Byron.").status_code == 302


def test_deactivated_user_and_unknown_name_are_text(amelia: Visitor, client: Client) -> None:
    assert add(amelia, client, "Ask @Olga Petrova or @Zoe.").status_code == 302

    assert (only_note().mentions, notified()) == ([], [])


def test_name_of_several_users_needs_the_email_address(amelia: Visitor, client: Client, cast: Cast) -> None:
    other = make_profile("Dan", "Okafor")
    other.first_name, other.email = "Daniel", "d.okafor@firm.example"
    db.session.commit()

    refused = add(amelia, client, "Ask @Daniel Okafor.")

    assert "Several users are called Daniel Okafor." in text_of(refused)
    assert add(amelia, client, "Ask @d.okafor@firm.example.").status_code == 302
    assert notified() == [(other.id, cast.amelia.id, f"note/{only_note().id}")]
    offered = amelia.get(f"/clients/{client.id}/notes/mentionable").json["users"]
    assert {"name": "Daniel Okafor", "mention": "d.okafor@firm.example"} in offered


def test_mentions_of_a_note_are_limited(amelia: Visitor, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "MAX_MENTIONS", 1)

    assert add(amelia, client, "@Daniel Okafor @Ada Byron").status_code == 422


def test_correction_notifies_only_who_was_not_mentioned_before(amelia: Visitor, client: Client, cast: Cast) -> None:
    add(amelia, client, "Ask @Daniel Okafor.")
    path = f"/clients/{client.id}/notes/{only_note().id}/edit"

    amelia.post(path, data={**form_of(amelia.get(path)), "text": "Ask @Ada Byron, then @Daniel Okafor."})

    assert [profile_id for profile_id, *_ in notified()] == [cast.daniel.id, cast.ada.id]
    assert [mention[2] for mention in only_note().mentions] == [cast.ada.id, cast.daniel.id]


def test_users_who_may_see_the_client_are_offered(visit: Visit, client: Client, cast: Cast) -> None:
    def offered() -> list[str]:
        answer = visit(cast.amelia).get(f"/clients/{client.id}/notes/mentionable")
        return [user["name"] for user in answer.json["users"]]

    assert offered() == ["Ada Byron", "Amelia Hart", "Daniel Okafor", "Rhys Morgan"]
    client.is_restricted = True
    db.session.commit()
    assert offered() == ["Ada Byron", "Amelia Hart"]


@pytest.mark.parametrize("is_deactivated", [False, True], ids=["no access", "deactivated"])
def test_correction_keeps_a_mention_of_a_user_who_has_lost_access_since(
    amelia: Visitor, client: Client, cast: Cast, is_deactivated: bool
) -> None:
    add(amelia, client, "Ask @Daniel Okafor.")
    path = f"/clients/{client.id}/notes/{only_note().id}/edit"
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.amelia.id))
    client.is_restricted, cast.daniel.is_active = True, not is_deactivated
    db.session.commit()

    answer = amelia.post(path, data={**form_of(amelia.get(path)), "text": "Ask @Daniel Okafor about the ISA."})
    other = amelia.post(path, data={**form_of(amelia.get(path)), "text": "Ask @Daniel Okafor, @Rhys Morgan."})

    assert (answer.status_code, other.status_code) == (302, 422)
    assert [mention[2] for mention in only_note().mentions] == [cast.daniel.id]
    assert [profile_id for profile_id, *_ in notified()] == [cast.daniel.id]


def test_correction_keeps_a_mention_by_email_of_a_name_that_several_users_have(
    amelia: Visitor, client: Client, cast: Cast
) -> None:
    other = make_profile("Dan", "Okafor")
    other.first_name, other.email = "Daniel", "d.okafor@firm.example"
    db.session.commit()
    add(amelia, client, "Ask @d.okafor@firm.example.")
    path = f"/clients/{client.id}/notes/{only_note().id}/edit"

    form = form_of(amelia.get(path))
    answer = amelia.post(path, data={**form, "text": f"{form['text']} About the ISA."})

    assert form["text"] == "Ask @d.okafor@firm.example."
    assert answer.status_code == 302
    assert [mention[2] for mention in only_note().mentions] == [other.id]
    assert [profile_id for profile_id, *_ in notified()] == [other.id]
