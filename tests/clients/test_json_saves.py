"""Save by JSON with the fields of the form, with the same version check and merge."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.clients import Client, Person, Product
from portal.extensions import db
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast
from tests.support.factories import make_client, make_product


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", phone="111", risk_profile=4)


def test_json_save_changes_only_the_sent_fields(amelias_editor: ClientEditor, client: Client) -> None:
    response = amelias_editor.send_json("/edit", version=1, phone="222", risk_profile=None)

    assert (response.status_code, response.json) == (
        200,
        {"status": "saved", "version": 2, "key": "", "merged_with": []},
    )
    db.session.refresh(client)
    assert (client.phone, client.risk_profile, client.name) == ("222", None, "Whitmore Family")
    assert history_of(client)[0].source == "json"


def test_json_save_response_names_the_merged_changes(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    daniels_editor.change(town="Bath")

    response = amelias_editor.send_json("/edit", version=1, phone="222")

    assert response.json["version"] == 3
    assert response.json["merged_with"] == [{"version": 2, "by": "Daniel Okafor", "fields": ["Town"]}]


@pytest.mark.parametrize("choice", ["custom", "third"])  # "third" is its name in release 0.1
def test_json_conflict_has_three_values_and_is_resolved_in_json(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client, choice: str
) -> None:
    daniels_editor.change(phone="333", client_since="2001-02-03")

    response = amelias_editor.send_json("/edit", version=1, phone="222", client_since="1999-01-02")

    assert (response.status_code, response.content_type) == (409, "application/problem+json")
    assert response.json["version"] == 2
    conflicts = {conflict["field"]: conflict for conflict in response.json["conflicts"]}
    assert conflicts.keys() == {"phone", "client_since"}
    assert conflicts["client_since"].pop("at").endswith("+00:00")
    assert conflicts["client_since"] == {
        "field": "client_since",
        "label": "Client since",
        "base": None,
        "theirs": "2001-02-03",
        "yours": "1999-01-02",
        "version": 2,
        "by": "Daniel Okafor",
    }
    custom = {"decide-client_since": choice, f"{choice}-client_since": "2005-05-05"}
    resolutions = {"decide-phone": "yours", **custom}
    decided = amelias_editor.send_json(
        "/edit", version=1, seen_version=2, phone="222", client_since="1999-01-02", **resolutions
    )
    assert decided.status_code == 200
    db.session.refresh(client)
    assert (client.phone, client.client_since) == ("222", date(2005, 5, 5))


def test_parts_are_added_changed_and_removed_by_json(amelias_editor: ClientEditor, client: Client) -> None:
    added = amelias_editor.send_json(
        "/product/new", version=1, product_name="ISA", product_type="ISA", provider="Aviva", plan_number="A1"
    )
    assert added.json == {"status": "added", "version": 2, "key": "product/1", "merged_with": []}
    changed = amelias_editor.send_json("/product/1/edit", version=2, fixed_fee=120.5)
    assert changed.json["version"] == 3
    product = db.session.scalars(select(Product)).one()
    assert (product.status, product.fixed_fee) == ("active", Decimal("120.50"))

    removed = amelias_editor.send_json("/product/1/remove", version=3)
    assert removed.json == {"status": "removed", "version": 4, "key": "product/1"}
    assert [revision.source for revision in history_of(client)] == ["json"] * 3
    assert amelias_editor.send_json("/product/1/edit", version=4, provider="X").status_code == 409
    assert amelias_editor.send_json("/history/4/revert", version=4, entry="product/1").json == {
        "status": "reverted",
        "version": 5,
    }


def test_json_removal_of_a_changed_part_is_409(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    product = make_product(client)
    daniels_editor.change(f"/product/{product.id}/edit", provider="Zurich")

    response = amelias_editor.send_json(f"/product/{product.id}/remove", version=1)

    assert (response.status_code, response.content_type) == (409, "application/problem+json")
    assert response.json["version"] == 2


def test_json_save_with_invalid_values_names_the_fields(amelias_editor: ClientEditor, client: Client) -> None:
    response = amelias_editor.send_json("/edit", version=1, name="", email="x")

    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert response.json["errors"] == {
        "name": "Enter the client’s name.",
        "email": "Enter an email address such as ruth@mail.example.",
    }
    assert response.json["field"] == "name"


@pytest.mark.parametrize(
    ("fields", "status", "named"),
    [
        ({"phone": "111"}, 422, "version"),
        ({"version": "x", "phone": "111"}, 422, "version"),
        ({"version": 99, "phone": "111"}, 422, "version"),
        ({"version": 1, "phone": ["1"]}, 422, "phone"),
        ({"version": 1, "phone": True}, 422, "phone"),
        ({"version": 1, "seen_version": 9, "phone": "111"}, 422, "version"),
        ({"version": 1, "seen": "phone:9", "phone": "111"}, 422, "version"),
    ],
)
def test_invalid_edit_is_rejected_naming_the_field(
    amelias_editor: ClientEditor, client: Client, fields: dict[str, object], status: int, named: str
) -> None:
    response = amelias_editor.send_json("/edit", **fields)

    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert response.json["field"] == named
    assert history_of(client) == []


@pytest.mark.parametrize("field", ["name", "phone", "notes", "email", "postcode"])
def test_half_a_surrogate_pair_is_rejected(amelias_editor: ClientEditor, field: str) -> None:
    response = amelias_editor.send_json("/edit", version=1, **{field: "a\ud800"})

    assert (response.status_code, list(response.json["errors"])) == (422, [field])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"version": NaN}', b"[" * 50_000])
def test_json_that_is_not_an_object_is_rejected(amelias_editor: ClientEditor, body: bytes) -> None:
    response = amelias_editor.browser.post(f"{amelias_editor.address}/edit", data=body, content_type="application/json")

    assert response.status_code in (400, 422)
    assert response.content_type == "application/problem+json"


def test_body_that_is_neither_form_nor_json_is_rejected(amelias_editor: ClientEditor) -> None:
    response = amelias_editor.browser.post(f"{amelias_editor.address}/edit", data=b"<edit/>", content_type="text/xml")

    assert response.status_code == 415


def test_repeated_json_addition_returns_the_same_part(amelias_editor: ClientEditor) -> None:
    sent = [amelias_editor.send_json("/person/new", version=1, first_name="Ruth", last_name="W").json for _ in range(2)]

    assert sent[0]["key"] == sent[1]["key"]
    assert len(db.session.scalars(select(Person)).all()) == 1
