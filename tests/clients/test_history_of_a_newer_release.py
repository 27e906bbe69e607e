"""Show the history that a newer release has written: processes of both run at the same time during a deployment."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, update

from portal.clients import Client
from portal.clients.records.entries import CLIENT, Entry, sort_key, split_key
from portal.clients.records.revisions import ClientRevision
from portal.clients.visits.store import record
from portal.extensions import db
from portal.notifications import store
from portal.notifications.kinds import Kind
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person
from tests.support.html import text_of
from tests.support.problems import assert_problem
from tests.support.test_client import Visitor

LATER = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(cast: Cast) -> Client:
    """Return a client that Amelia has visited, and whose second version a newer release has made."""
    client = make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="222")
    person = make_person(client)
    record(cast.amelia, client, 1)
    changes = {
        "phone": ["111", "222"],
        "pronouns": [None, "they"],
        "address/home/town": ["Bath", "York"],
        "gadget/7": [None, {"client_id": client.id, "shape": "round"}],
        "gadget/8/shape": ["round", "square"],
        f"person/{person.id}/pronouns": ["she", {"subject": "they"}],
    }
    values = {"client_id": client.id, "version": 2, "changed_at": LATER, "changed_by": cast.daniel.id, "source": "form"}
    db.session.execute(insert(ClientRevision).values(changes=changes, **values))
    db.session.execute(update(Client).where(Client.id == client.id).values(version=2))
    store.add(Kind.CHANGED, [cast.amelia.id], client_id=client.id, actor_id=cast.daniel.id, version=2)
    db.session.commit()
    return client


def test_pages_show_what_they_know_and_name_the_rest(amelia: Visitor, client: Client) -> None:
    history = text_of(amelia.get(f"/clients/{client.id}/history"))
    for line in (
        "Phone 111 → 222",
        "Field of a newer release empty → they",
        "Field of a newer release Bath → York",
        "Field of a newer release round → square",
        "A part of a newer release added",
    ):
        assert line in history
    for path in (f"/clients/{client.id}", "/notifications", "/clients", "/", f"/clients/{client.id}/edit"):
        assert amelia.get(path).status_code == 200, path
    since = amelia.get(f"/clients/{client.id}/changes?since=1").json
    assert {field["key"] for field in since["changes"][0]["fields"]} >= {
        "phone",
        "pronouns",
        "gadget/7",
        "gadget/8/shape",
    }


def test_change_is_merged_with_a_save(amelia: Visitor, client: Client) -> None:
    saved = amelia.post(f"/clients/{client.id}/edit", json={"version": 1, "town": "Wells"})
    assert (saved.status_code, saved.json["version"]) == (200, 3)


@pytest.mark.parametrize("entry", ["", "gadget/7", "gadget/8"])
def test_undo_of_what_only_the_newer_release_knows_is_refused(amelia: Visitor, client: Client, entry: str) -> None:
    """An undo of the known fields alone would look like one of the whole change."""
    answer = amelia.post(f"/clients/{client.id}/history/2/revert", json={"version": 2, "entry": entry})
    assert_problem(answer, 422)
    assert "newer release" in answer.json["detail"]
    assert "Undo…" not in amelia.get(f"/clients/{client.id}/history").text


@pytest.mark.parametrize("key", ["a/b", "/12/x", "person/x/y", "person//", "gadget/7/a/b", "//"])
def test_any_key_is_split_and_sorted(key: str) -> None:
    entry, column = split_key(key)
    assert (column if entry == Entry(CLIENT) else entry.key(column)) == key
    assert sorted([key, "phone"], key=sort_key)[0] == "phone"
