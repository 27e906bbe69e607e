"""Check single values of client records."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from portal.clients import Client
from portal.clients.records.entry_checks import problem_with
from portal.extensions import db
from tests.clients.conftest import ClientEditor
from tests.support.factories import make_person, make_product
from tests.support.test_client import Visitor

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("", "phone", "020 7946 0018"),
        ("", "phone", "+44 1632 960 001 extension 12345678901"),
        ("", "phone", "999"),
        ("", "phone", "through the office"),
        ("", "phone", ""),
        ("person", "ni_number", "QQ123456C"),
        ("person", "ni_number", "ab 12 34 56 d"),
        ("person", "ni_number", ""),
        ("person", "date_of_birth", TODAY),
        ("person", "date_of_birth", None),
        ("product", "plan_number", "A1"),
        ("product", "plan_number", "SW-4471 / 2"),
        ("valuation", "valued_on", TODAY),
        ("valuation", "amount", Decimal(0)),
        ("client", "town", "Bath"),
    ],
)
def test_valid_value_in_any_usual_form_is_accepted(kind: str, column: str, value: Any) -> None:
    assert problem_with(kind, column, value, TODAY) is None


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [
        ("", "phone", "07"),
        ("", "phone", "01632 960001, 07700 900123"),
        ("person", "ni_number", "QQ 12 34 56"),
        ("person", "ni_number", "QQ 12 34 56 E"),
        ("person", "ni_number", "OO 12 34 56 C"),
        ("person", "ni_number", "QQ 12 34 5O C"),
        ("person", "ni_number", "QQ 12 34 5٣ C"),
        ("person", "date_of_birth", date(2026, 11, 23)),
        ("product", "plan_number", "tbc"),
        ("product", "plan_number", "A1?"),
        ("product", "plan_number", "-7"),
        ("product", "plan_number", "Å1"),
        ("valuation", "valued_on", date(2026, 11, 23)),
        ("valuation", "amount", Decimal("-0.01")),
    ],
)
def test_impossible_value_is_rejected(kind: str, column: str, value: Any) -> None:
    assert problem_with(kind, column, value, TODAY)


def test_record_with_an_invalid_stored_value_can_be_changed_in_other_fields(amelia: Visitor, client: Client) -> None:
    """The user who corrects another field did not enter the old value."""
    client.phone = "12"
    db.session.commit()
    person = make_person(client, ni_number="unknown", date_of_birth=date(2199, 1, 1))
    product = make_product(client, (date(2199, 1, 1), "-5.00"), plan_number="to follow")
    editor = ClientEditor(amelia, client)

    editor.change("/edit", town="Bath")
    editor.change(f"/person/{person.id}/edit", known_as="Ru")
    editor.change(f"/product/{product.id}/edit", provider="Aegon")
    assert editor.send_json("/edit", version=4, phone="12", town="Frome").status_code == 200

    refused = editor.send_json("/edit", version=5, phone="13")
    assert (refused.status_code, refused.json["field"]) == (422, "phone")


def test_email_link_contains_the_at_sign(amelia: Visitor, client: Client) -> None:
    client.email = "ruth+isa&co@mail.example"
    db.session.commit()

    assert 'href="mailto:ruth+isa%26co@mail.example"' in amelia.get(f"/clients/{client.id}").text
