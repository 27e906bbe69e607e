"""The audit names clients, products and days where its rows hold numbers and keys."""

import csv
import io
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from portal import audit
from portal.audit import AuditEvent, Event
from portal.clients import Client, Valuation
from portal.clients.wording.audit_words import words_for
from portal.extensions import db
from portal.web.actor import UNKNOWN_ORIGIN, Actor
from tests.clients.conftest import ClientEditor
from tests.support.cast import Cast
from tests.support.factories import make_client, make_product
from tests.support.html import text_of
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor

Visit = type[Visitor]
OF_MARCH = "Amount of the valuation of ISA A1 on 31 Mar 2026"


@pytest.fixture
def client(cast: Cast) -> Client:
    client = make_client("Whitmore Family", client_ref="KG00042", adviser_id=cast.amelia.id, phone="1")
    make_product(client, (date(2026, 3, 31), "1000"), plan_number="A1", product_type="ISA")
    return client


@pytest.fixture
def valuation_id(client: Client) -> int:
    return db.session.scalars(select(Valuation.id)).one()


def overrule(client: Client, by: int | None, *fields: str) -> None:
    """Write the row of a save that overruled another user, in the form that rows of every age have."""
    about = {"client_id": client.id, "version": 7, "fields": list(fields)}
    audit.record(Event.CONFLICT_OVERRIDDEN, Actor(by, UNKNOWN_ORIGIN), **about)
    db.session.commit()


def test_page_csv_and_command_name_client_product_and_day(
    visit: Visit, cast: Cast, app: Flask, client: Client, valuation_id: int
) -> None:
    overrule(client, cast.amelia.id, "phone", f"valuation/{valuation_id}/amount")
    words = f"client KG00042 Whitmore Family, Phone and {OF_MARCH}, change 7"
    ada = visit(cast.ada)

    assert words in text_of(ada.get("/audit?event=conflict_overridden"))
    header, row = csv.reader(io.StringIO(ada.get("/audit.csv?event=conflict_overridden").text))
    assert dict(zip(header, row, strict=True))["about"] == words
    assert words in app.test_cli_runner().invoke(args=["audit", "list"]).stdout
    as_json = app.test_cli_runner().invoke(args=["audit", "list", "--json"]).stdout
    assert f'"valuation/{valuation_id}/amount"' in as_json


def test_removed_product_and_its_valuation_keep_their_names(
    visit: Visit, cast: Cast, client: Client, valuation_id: int
) -> None:
    overrule(client, cast.amelia.id, f"valuation/{valuation_id}/amount")
    editor = ClientEditor(visit(cast.daniel), client)
    [product_id] = db.session.scalars(select(Valuation.product_id))
    editor.change(f"/product/{product_id}/remove")

    assert f"client KG00042 Whitmore Family, {OF_MARCH}, change 7" in text_of(visit(cast.ada).get("/audit"))


def test_event_with_unknown_keys_and_client_is_described(visit: Visit, cast: Cast, client: Client) -> None:
    overrule(client, None, "fax", "vehicle/3/colour", "person/99/title")
    audit.record(Event.RESTRICTED, Actor(None, UNKNOWN_ORIGIN), client_id=999, version=3, adviser_id=cast.daniel.id)
    audit.record(Event.REVERTED, Actor(None, UNKNOWN_ORIGIN), client_id=client.id, version=5, reverted=4)
    db.session.commit()

    page = text_of(visit(cast.ada).get("/audit"))
    assert "client KG00042 Whitmore Family, Title of a person, fax and vehicle/3/colour, change 7" in page
    assert "client 999, change 3, adviser Daniel Okafor" in page
    assert "client KG00042 Whitmore Family, change 5, undid change 4" in page


def test_names_of_a_restricted_client_are_only_for_those_who_see_it(
    cast: Cast, client: Client, valuation_id: int
) -> None:
    client.is_restricted = True
    db.session.commit()
    overrule(client, cast.amelia.id, f"valuation/{valuation_id}/amount")
    [event] = db.session.scalars(select(AuditEvent))

    [for_amelia] = words_for([event.about], cast.amelia)
    [for_olga] = words_for([event.about], cast.olga)
    assert for_amelia["client_id"] == "client KG00042 Whitmore Family"
    assert for_amelia["fields"] == OF_MARCH
    assert "client_id" not in for_olga
    assert for_olga["fields"] == "Amount of a valuation"


@pytest.mark.parametrize("size", [1, 30])
def test_names_take_as_many_statements_for_one_event_as_for_many(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, size: int
) -> None:
    for n in range(size):
        client = make_client(f"Client {n}", adviser_id=cast.amelia.id)
        product = make_product(client, (date(2026, 3, 31), "1000"), plan_number=f"B{n}", product_type="ISA")
        valuation_id = db.session.scalar(select(Valuation.id).where(Valuation.product_id == product.id))
        overrule(client, None, f"valuation/{valuation_id}/amount", f"person/{n + 1}/title")
    ada = tapped_visit(cast.ada)
    ada.get("/users")

    with wiretap.listening() as heard:
        page = text_of(ada.get("/audit"))

    assert page.count("the valuation of ISA B") == size
    assert len(work_in(heard)) <= 8, heard
