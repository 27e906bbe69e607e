"""Return the changes since a version to pages that show the client."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert

from portal.clients import Client
from portal.clients.records.entries import CLIENT, PERSON, PRODUCT, VALUATION, Entry, EntryKind
from portal.clients.records.revisions import ClientRevision
from portal.clients.saving import operations
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.edits import edit_from, save_for
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import text_of
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="01632 960001", risk_profile=4)


def changes(browser: Visitor, client: Client, since: int = 1) -> dict[str, Any]:
    response = browser.get(f"/clients/{client.id}/changes?since={since}")
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json
    return shown


def test_changes_name_the_user_and_the_fields(amelia: Visitor, cast: Cast, client: Client) -> None:
    save_for(cast.daniel, client, phone="01632 960999", notes="Rang.\nTwice.")
    save_for(cast.ada, client, town="Bath")

    shown = changes(amelia, client)

    assert shown.keys() == {"version", "changes"}
    assert shown["version"] == 3
    first, second = shown["changes"]
    assert {name: first[name] for name in ("version", "by", "by_id", "source")} == {
        "version": 2,
        "by": "Daniel Okafor",
        "by_id": cast.daniel.id,
        "source": "form",
    }
    assert first["at"].endswith("+00:00")
    assert {field["key"]: field for field in first["fields"]} == {
        "phone": {
            "key": "phone",
            "label": "Phone",
            "change": "changed",
            "value": "01632 960999",
            "raw": "01632 960999",
            "raw_before": "01632 960001",
        },
        "notes": {
            "key": "notes",
            "label": "Key information",
            "change": "changed",
            "value": "Rang.\nTwice.",
            "raw": "Rang.\nTwice.",
            "raw_before": "",
        },
    }
    assert (second["version"], second["by"], [field["label"] for field in second["fields"]]) == (
        3,
        "Ada Byron",
        ["Town"],
    )


def test_changes_contain_only_newer_versions(amelia: Visitor, cast: Cast, client: Client) -> None:
    for phone in ("1", "2", "3"):
        save_for(cast.daniel, client, phone=phone)

    assert [change["version"] for change in changes(amelia, client, since=3)["changes"]] == [4]
    assert changes(amelia, client, since=4) == {"version": 4, "changes": []}
    assert changes(amelia, client, since=2**31 - 1)["changes"] == []


VALUES: list[tuple[EntryKind, str, Any, str, str]] = [
    (CLIENT, "client_type", "trust", "Trust", "trust"),
    (CLIENT, "risk_profile", 5, "5 of 7", "5"),
    (CLIENT, "risk_profile", None, "", ""),
    (CLIENT, "capacity_for_loss", "low", "Low", "low"),
    (CLIENT, "next_review_on", date(2026, 12, 8), "8 Dec 2026", "2026-12-08"),
    (CLIENT, "phone", "", "", ""),
    (PERSON, "date_of_birth", date(1961, 2, 3), "3 Feb 1961", "1961-02-03"),
    (PRODUCT, "product_type", "SIPP", "Self-Invested Personal Pension", "SIPP"),
    (PRODUCT, "fixed_fee", Decimal("1200.50"), "£1,200.50", "1200.50"),
    (PRODUCT, "percentage_fee", Decimal("0.75"), "0.75%", "0.75"),
    (VALUATION, "amount", Decimal("1000.00"), "£1,000.00", "1000.00"),
]


@pytest.mark.parametrize(
    ("kind", "column", "new", "value", "raw"), VALUES, ids=lambda part: getattr(part, "label", str(part))
)
def test_changed_values_are_sent_for_display_and_for_form_controls(
    amelia: Visitor, cast: Cast, client: Client, kind: EntryKind, column: str, new: Any, value: str, raw: str
) -> None:
    make_person(client)
    make_product(client, (date(2026, 3, 31), "5.00"))

    save_for(cast.daniel, client, Entry(kind, 1 if kind.name else None), **{column: new})

    [[field]] = [change["fields"] for change in changes(amelia, client)["changes"]]
    assert field["key"] == (f"{kind.name}/1/{column}" if kind.name else column)
    assert (field["value"], field["raw"]) == (value, raw)


def test_changed_adviser_is_sent_by_name(amelia: Visitor, cast: Cast, client: Client) -> None:
    save_for(cast.daniel, client, adviser_id=cast.daniel.id)

    [[field]] = [change["fields"] for change in changes(amelia, client)["changes"]]
    assert (field["value"], field["raw"], field["raw_before"]) == (
        "Daniel Okafor",
        str(cast.daniel.id),
        str(cast.amelia.id),
    )


def test_added_or_removed_part_is_one_change(amelia: Visitor, cast: Cast, client: Client) -> None:
    values = {"first_name": "Ruth", "last_name": "Whitmore", "title": "", "known_as": "", "ni_number": ""}
    entry = operations.add_part(client, PERSON, edit_from(1, cast.daniel.id, values)).entry
    db.session.commit()
    operations.remove_part(client, entry, edit_from(2, cast.daniel.id))
    db.session.commit()

    added, removed = [change["fields"] for change in changes(amelia, client)["changes"]]

    assert added == [{"key": entry.prefix, "label": "Ruth Whitmore", "change": "added"}]
    assert removed == [{"key": entry.prefix, "label": "Ruth Whitmore", "change": "removed"}]


def test_change_without_a_user_has_no_name(amelia: Visitor, client: Client) -> None:
    add_revisions(client, 1)

    [shown] = changes(amelia, client)["changes"]

    assert (shown["by"], shown["by_id"], shown["source"]) == (None, None, "import")


@pytest.mark.parametrize(("count", "shown", "is_truncated"), [(100, 100, False), (101, 100, True)])
def test_changes_over_the_maximum_are_truncated(
    amelia: Visitor, client: Client, count: int, shown: int, is_truncated: bool
) -> None:
    add_revisions(client, count)

    response = changes(amelia, client)

    assert len(response["changes"]) == shown
    assert response.get("truncated", False) == is_truncated
    assert response["version"] == count + 1


@pytest.mark.parametrize(
    "since", [None, "", "x", "-1", "1.0", "+1", "01", "2147483648", "9" * 30, "0" * 20 + "9" * 20, "١", "1\0"]
)
def test_since_that_is_not_a_version_is_rejected_by_name(amelia: Visitor, client: Client, since: str | None) -> None:
    response = amelia.get(f"/clients/{client.id}/changes", query_string={} if since is None else {"since": since})

    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert response.json["field"] == "since"


def test_changes_of_an_unknown_client_are_404_in_json(amelia: Visitor) -> None:
    response = amelia.get("/clients/999999/changes?since=1")

    assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_changes_without_a_session_are_401_in_json(visit: Visit, client: Client) -> None:
    response = visit(None).get(f"/clients/{client.id}/changes?since=1")

    assert (response.status_code, response.content_type) == (401, "application/problem+json")


def test_background_request_does_not_consume_a_flashed_message(
    visit: Visit, amelia: Visitor, cast: Cast, client: Client
) -> None:
    """The next page shows the message of a save, not a background request of another tab."""
    with amelia.browser.session_transaction() as session:
        session["_flashes"] = [("message", "Your changes are saved.")]

    amelia.get(f"/clients/{client.id}", headers={"X-Background": "1"})

    assert "Your changes are saved." in text_of(amelia.get(f"/clients/{client.id}"))


def add_revisions(client: Client, count: int) -> None:
    """Insert revisions of an import from version 2 on."""
    rows = [
        {"client_id": client.id, "version": number, "source": "import", "changes": {"phone": [f"{number}", "1"]}}
        for number in range(2, count + 2)
    ]
    db.session.execute(insert(ClientRevision), rows)
    client.version = count + 1
    db.session.commit()
