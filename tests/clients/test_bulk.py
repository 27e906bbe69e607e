"""Change several clients of the list at once: each a guarded change of its own."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from portal.clients import Client
from portal.clients.bulk import views as bulk_views
from portal.clients.bulk.changes import MAX_CLIENTS
from portal.clients.saving.edits import Edit
from portal.clients.saving.write_context import command_context
from portal.clients.sharing import grants
from portal.extensions import db
from portal.notifications.models import Notification
from portal.web.actor import UNKNOWN_ACTOR
from tests.clients.conftest import history_of
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client
from tests.support.test_client import Visitor

Visit = type[Visitor]


def change(browser: Visitor, action: str, value: str, *clients: Client, status: int = 200) -> Any:
    body = {"action": action, "value": value, "clients": [[client.id, 1] for client in clients]}
    response = browser.post("/clients/bulk", json=body)
    assert response.status_code == status, response.text
    return response.json["results"] if status == 200 else response.json["detail"]


def test_each_client_has_a_version_and_a_history_entry_of_the_user(amelia: Visitor, cast: Cast) -> None:
    clients = [make_client(f"Client {number}") for number in range(3)]

    results = change(amelia, "adviser", str(cast.daniel.id), *clients)

    assert [(result["is_changed"], result["reason"]) for result in results] == [(True, "")] * 3
    for client in clients:
        db.session.refresh(client)
        assert (client.adviser_id, client.version) == (cast.daniel.id, 2)
        [revision] = history_of(client)
        assert (revision.changed_by, revision.changes) == (cast.amelia.id, {"adviser_id": [None, cast.daniel.id]})


def test_last_step_with_one_client_adds_to_the_notification_of_the_others(amelia: Visitor, cast: Cast) -> None:
    clients = [make_client(f"Client {number}") for number in range(3)]

    change(amelia, "adviser", str(cast.daniel.id), *clients[:2])
    step = {"action": "adviser", "value": str(cast.daniel.id), "clients": [[clients[2].id, 1]], "is_rest": True}
    assert amelia.post("/clients/bulk", json=step).json["results"][0]["is_changed"]

    found = db.session.execute(select(Notification.profile_id, Notification.client_id, Notification.client_count))
    assert found.all() == [(cast.daniel.id, None, 3)]
    step["is_rest"] = "yes"
    assert amelia.post("/clients/bulk", json=step).json["detail"] == "is_rest: must be true or false"


def test_client_that_another_user_changed_meanwhile_is_listed_and_the_others_are_changed(
    amelia: Visitor, cast: Cast
) -> None:
    """A change of another field is merged. A client that has the value already is no failure."""
    taken, moved, same = make_client("Taken"), make_client("Moved"), make_client("Same")
    save_for(cast.daniel, taken, next_review_on=date(2027, 5, 5))
    save_for(cast.daniel, moved, phone="1234")
    save_for(cast.daniel, same, next_review_on=date(2026, 12, 8))

    results = change(amelia, "next_review", "8 Dec 2026", taken, moved, same)

    assert [(result["name"], result["is_changed"], bool(result["reason"])) for result in results] == [
        ("Taken", False, True),
        ("Moved", True, False),
        ("Same", False, False),
    ]
    assert "Another user has changed" in results[0]["reason"]
    for client, day in ((taken, date(2027, 5, 5)), (moved, date(2026, 12, 8)), (same, date(2026, 12, 8))):
        db.session.refresh(client)
        assert client.next_review_on == day


def test_restricting_needs_the_permission_of_each_client(amelia: Visitor, cast: Cast) -> None:
    own, other = make_client("Own", adviser_id=cast.amelia.id), make_client("Other", adviser_id=cast.daniel.id)
    hidden = make_client("Hidden", adviser_id=cast.daniel.id, is_restricted=True)

    own_result, other_result, hidden_result = change(amelia, "restrict", "", own, other, hidden)

    assert own_result["is_changed"]
    assert "Only the client’s adviser" in other_result["reason"]
    assert (hidden_result["name"], hidden_result["is_changed"]) == ("", False)
    assert "no such client" in hidden_result["reason"]
    for client, is_restricted in ((own, True), (other, False)):
        db.session.refresh(client)
        assert client.is_restricted is is_restricted


def test_restriction_is_lifted_by_those_who_may_restrict_and_the_others_are_listed(
    amelia: Visitor, visit: Visit, cast: Cast
) -> None:
    """Amelia sees the client of Daniel by a grant, which does not let her manage the access to it."""
    own, granted, hidden = (
        make_client(name, adviser_id=adviser.id, is_restricted=True)
        for name, adviser in (("Own", cast.amelia), ("Granted", cast.daniel), ("Hidden", cast.daniel))
    )
    grants.grant(granted, cast.amelia.id, Edit(command_context(granted, UNKNOWN_ACTOR)))
    db.session.commit()

    own_result, granted_result, hidden_result = change(amelia, "unrestrict", "", own, granted, hidden)

    assert own_result["is_changed"]
    assert "Only the client’s adviser" in granted_result["reason"]
    assert (hidden_result["name"], hidden_result["is_changed"]) == ("", False)
    assert [is_restricted(client) for client in (own, granted, hidden)] == [False, True, True]
    [revision] = history_of(own)
    assert (revision.changed_by, revision.changes) == (cast.amelia.id, {"is_restricted": [True, False]})
    assert change(visit(cast.ada), "unrestrict", "", hidden)[0]["is_changed"]


def is_restricted(client: Client) -> bool:
    db.session.refresh(client)
    return client.is_restricted


def test_step_ends_when_its_time_is_over(amelia: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_views, "STEP_SECONDS", -1)
    clients = [make_client(f"Client {number}") for number in range(3)]

    results = change(amelia, "next_review", "2027-01-01", *clients)

    assert [result["id"] for result in results] == [clients[0].id]
    assert len(history_of(clients[1])) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"action": "delete", "clients": [[1, 1]]}, "action"),
        ({"action": "adviser", "value": "", "clients": [[1, 1]]}, "value"),
        ({"action": "adviser", "value": "99999999999", "clients": [[1, 1]]}, "value"),
        ({"action": "next_review", "value": "soon", "clients": [[1, 1]]}, "value"),
        ({"action": "next_review", "value": "8/12/0206", "clients": [[1, 1]]}, "value"),
        ({"action": "next_review", "value": "1 Jan 2200", "clients": [[1, 1]]}, "value"),
        ({"action": "restrict", "clients": []}, "clients"),
        ({"action": "restrict", "clients": [[1]]}, "clients"),
        ({"action": "restrict", "clients": [[1, True]]}, "clients"),
        ({"action": "restrict", "clients": [[1, 2**31]]}, "clients"),
        ({"action": "restrict", "clients": [[2**40, 1]]}, "clients"),
        ({"action": "restrict", "clients": [[1, 1]] * (MAX_CLIENTS + 1)}, "clients"),
    ],
)
def test_invalid_change_names_the_field_and_changes_nothing(amelia: Visitor, body: object, field: str) -> None:
    client = make_client()

    response = amelia.post("/clients/bulk", json=body)

    assert response.status_code == 422
    assert response.json["field"] == field
    assert history_of(client) == []


def test_user_who_cannot_have_clients_is_refused_as_adviser(amelia: Visitor, cast: Cast) -> None:
    problem = change(amelia, "adviser", str(cast.rhys.id), make_client(), status=422)
    assert "cannot look after clients" in problem


def test_version_that_does_not_exist_yet_is_a_reason(amelia: Visitor) -> None:
    client = make_client()
    body = {"action": "next_review", "value": "2027-01-01", "clients": [[client.id, 9]]}

    [result] = amelia.post("/clients/bulk", json=body).json["results"]

    assert "newer than the record" in result["reason"]
