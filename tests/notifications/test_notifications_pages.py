"""Show users their notifications, lead to the place of each, mark them as read, and let users choose the kinds."""

import re
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import text

from portal.clients import Client, ClientGrant
from portal.extensions import db
from portal.notifications import store
from portal.notifications.kinds import Kind
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client, make_note, make_person
from tests.support.html import text_of
from tests.support.problems import assert_problem
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def client(app: Flask, cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id)


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia)


def notify(client: Client, cast: Cast, kind: Kind, **more: object) -> None:
    """Notify Amelia of something that Daniel did."""
    store.add(kind, [cast.amelia.id], client_id=client.id, actor_id=cast.daniel.id, **more)  # type: ignore[arg-type]
    db.session.commit()


def links_in(visitor: Visitor) -> list[str]:
    return re.findall(r'href="(/notifications/\d+)"', visitor.get("/notifications").text)


def bell_of(visitor: Visitor) -> str:
    [bell] = re.findall(r'<a class="bell account".*?</a>', visitor.get("/account").text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bell).split())


@pytest.mark.parametrize(
    ("kind", "more", "sentence", "place"),
    [
        (Kind.MENTIONED, {"subject": "note/12"}, "Daniel Okafor mentioned you in a note", "#note-12"),
        (
            Kind.CHANGED,
            {"version": 2},
            "Daniel Okafor changed Phone and Known as of Ruth Whitmore and added the call of 27 Nov 2026",
            "/history?version=2",
        ),
        (Kind.OVERRULED, {"version": 2}, "Daniel Okafor overruled you on Phone", "/history?version=2"),
        (Kind.WAITING, {}, "Daniel Okafor waits for you to finish", ""),
        (Kind.HANDED_OVER, {}, "Daniel Okafor handed this client over to you", ""),
        (Kind.OPENED, {}, "Daniel Okafor opened this client to you", ""),
    ],
)
def test_notification_says_what_happened_and_leads_to_the_place(
    client: Client, cast: Cast, amelia: Visitor, kind: Kind, more: dict[str, object], sentence: str, place: str
) -> None:
    person = make_person(client)
    note = make_note(client, kind="call", happened_on=date(2026, 11, 27))
    changes = f'''{{"phone": ["1", "{"2" * 300}"], "person/{person.id}/known_as": ["", "Ru"],
        "note/{note.id}": [null, {{"kind": "call"}}]}}'''
    db.session.execute(
        text(
            "INSERT INTO client_revisions (client_id, version, changed_by, source, changes)"
            " VALUES (:client_id, 2, :by, 'form', CAST(:changes AS jsonb))"
        ),
        {"client_id": client.id, "by": cast.daniel.id, "changes": changes},
    )
    notify(client, cast, kind, **more)
    page = text_of(amelia.get("/notifications"))
    assert sentence in page
    assert "Whitmore Family · less than a minute ago" in page
    [link] = links_in(amelia)
    answer = amelia.get(link)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/clients/{client.id}{place}")
    db.session.rollback()
    assert store.count_unread(cast.amelia.id) == 0
    assert sentence in text_of(amelia.get("/notifications")), "it stays in the list"


def test_old_draft_leads_to_its_editor(client: Client, cast: Cast, amelia: Visitor) -> None:
    draft = {"version": 1, "values": {"phone": "2"}}
    assert amelia.call("PUT", f"/edit_drafts/client-{client.id}?form=record&draft=abc", json=draft).status_code == 200
    db.session.execute(text("UPDATE edit_drafts SET updated_at = now() - interval '25 hours'"))
    store.add_old_drafts(db.session.connection())
    db.session.commit()
    [link] = links_in(amelia)
    assert "Your draft is a day old" in text_of(amelia.get("/notifications"))
    assert amelia.get(link).headers["Location"] == f"/clients/{client.id}/edit?draft=abc"


def test_every_page_has_the_count_and_all_are_marked_as_read_at_once(
    client: Client, cast: Cast, amelia: Visitor
) -> None:
    assert bell_of(amelia) == "Notifications"
    for note in range(3):
        notify(client, cast, Kind.MENTIONED, subject=f"note/{note}")
    assert bell_of(amelia) == "3 Notifications: 3 unread"
    assert amelia.post("/notifications/read").headers["Location"] == "/notifications"
    assert bell_of(amelia) == "Notifications"
    assert "Mark all read" not in text_of(amelia.get("/notifications"))
    assert amelia.post("/notifications/read", json={}).json == {"status": "read"}


def test_more_than_99_are_shown_as_99_and_the_list_has_pages(client: Client, cast: Cast, amelia: Visitor) -> None:
    db.session.execute(
        text(
            "INSERT INTO notifications (profile_id, kind, client_id, actor_id, subject)"
            " SELECT :profile_id, 'mentioned', :client_id, :actor_id, 'note/' || n FROM generate_series(1, 120) n"
        ),
        {"profile_id": cast.amelia.id, "client_id": client.id, "actor_id": cast.daniel.id},
    )
    db.session.commit()
    assert bell_of(amelia) == "99+ Notifications: more than 99 unread"
    assert len(links_in(amelia)) == 25
    last = amelia.get("/notifications?page=5").text
    assert len(re.findall(r'href="/notifications/\d+"', last)) == 20


def test_notification_of_another_user_and_of_a_lost_client_is_404(
    client: Client, cast: Cast, visit: Visit, amelia: Visitor
) -> None:
    store.add(Kind.OPENED, [cast.daniel.id], client_id=client.id, actor_id=cast.amelia.id)
    db.session.commit()
    daniel = visit(cast.daniel)
    [link] = links_in(daniel)
    assert amelia.get(link).status_code == 404
    assert amelia.get("/notifications/2147483647").status_code == 404
    save_for(cast.amelia, client, is_restricted=True)
    assert daniel.get(link).status_code == 404
    assert links_in(daniel) == []
    assert "Whitmore" not in daniel.get("/notifications").text
    assert bell_of(daniel) == "Notifications"
    db.session.add(ClientGrant(client_id=client.id, profile_id=cast.daniel.id))
    db.session.commit()
    assert links_in(daniel) == [link]


def test_reading_all_marks_only_the_own(client: Client, cast: Cast, visit: Visit, amelia: Visitor) -> None:
    store.add(Kind.OPENED, [cast.daniel.id], client_id=client.id, actor_id=cast.amelia.id)
    db.session.commit()
    amelia.post("/notifications/read")
    assert bell_of(visit(cast.daniel)).endswith("1 unread")


def test_user_switches_kinds_off_and_on_again(client: Client, cast: Cast, amelia: Visitor) -> None:
    page = amelia.get("/account").text
    assert len(re.findall(r'name="kind" value="[a-z-]+" checked', page)) == len(Kind)
    wanted = [kind for kind in Kind if kind is not Kind.CHANGED]
    assert amelia.post("/notifications/kinds", data={"kind": wanted}).headers["Location"] == "/account"
    save_for(cast.daniel, client, phone="222")
    assert bell_of(amelia) == "Notifications"
    assert 'value="changed" >' in amelia.get("/account").text
    amelia.post("/notifications/kinds", data={"kind": list(Kind)})
    save_for(cast.daniel, client, phone="333")
    assert bell_of(amelia).endswith("1 unread")


def test_unknown_kind_is_422_and_changes_nothing(cast: Cast, amelia: Visitor) -> None:
    assert amelia.post("/notifications/kinds", data={"kind": ["changed", "everything"]}).status_code == 422
    assert_problem(amelia.post("/notifications/read", json=[]), 422)
    db.session.refresh(cast.amelia)
    assert cast.amelia.muted_notifications == []


def test_names_in_notifications_are_data(client: Client, cast: Cast, amelia: Visitor) -> None:
    client.name = "<script>alert(1)</script>"
    notify(client, cast, Kind.OPENED)
    assert "<script>alert" not in amelia.get("/notifications").text
