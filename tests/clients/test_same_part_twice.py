"""Ask before a second user adds the same person or product again."""

from typing import Any

import pytest
from sqlalchemy import select

from portal.clients import Client, Person, Product
from portal.clients.records.revisions import ClientRevision
from portal.extensions import db
from portal.formatting import moment
from tests.clients.conftest import ClientEditor
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import errors_of, form_of, links_of, text_of
from tests.support.locks import HOLD_CLIENTS, overtaken

RUTH = {"first_name": "Ruth", "last_name": "Whitmore", "date_of_birth": "3/2/1961", "ni_number": "QQ 12 34 56 C"}
ISA = {"product_name": "Stocks", "product_type": "ISA", "provider": "Aviva", "plan_number": "A 100-7"}
PRODUCT_NEW, PERSON_NEW = "/product/new", "/person/new"


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id)


def names() -> list[str]:
    db.session.rollback()
    return [person.first_name for person in db.session.scalars(select(Person).order_by(Person.id))]


def last_change() -> str:
    """Return the time of the newest change as the question shows it, absolute because it may stay open long."""
    return moment(db.session.scalars(select(ClientRevision.changed_at).order_by(ClientRevision.version.desc())).first())


@pytest.mark.parametrize(
    "typed",
    [
        RUTH,
        {**RUTH, "ni_number": ""},
        {**RUTH, "first_name": "RUTH", "last_name": "whitmore"},
        {**RUTH, "first_name": "Ruthie", "date_of_birth": "", "ni_number": "qq123456c"},
    ],
)
def test_second_save_of_the_same_person_asks_first(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, typed: dict[str, str]
) -> None:
    form = amelias_editor.open(PERSON_NEW)
    daniels_editor.change(PERSON_NEW, **RUTH)

    question_page = amelias_editor.send(form, PERSON_NEW, **typed)

    assert question_page.status_code == 422
    problem = f"Daniel Okafor added Ruth Whitmore on {last_change()}: is this the same person?"
    assert errors_of(question_page) == {"first_name": problem}
    [person_id] = db.session.scalars(select(Person.id))
    assert f"{amelias_editor.address}/person/{person_id}/edit" in links_of(question_page)
    assert form_of(question_page)["last_name"] == typed["last_name"]
    assert names() == ["Ruth"]


def test_person_confirmed_as_another_is_added(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    form = amelias_editor.open(PERSON_NEW)
    daniels_editor.change(PERSON_NEW, **RUTH)
    question_page = amelias_editor.send(form, PERSON_NEW, **RUTH)
    assert "This is another person" in text_of(question_page)
    [person_id] = db.session.scalars(select(Person.id))

    response = amelias_editor.send(form_of(question_page), PERSON_NEW, confirm_another=f"person/{person_id}")

    assert response.status_code == 302
    assert names() == ["Ruth", "Ruth"]


def test_confirmation_of_one_person_does_not_confirm_the_next(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    other = make_person(client, "Ann", "Lee")
    daniels_editor.change(PERSON_NEW, **RUTH)

    response = amelias_editor.send(
        amelias_editor.open(PERSON_NEW), PERSON_NEW, **RUTH, confirm_another=f"person/{other.id}"
    )

    assert response.status_code == 422


@pytest.mark.parametrize(
    "typed",
    [
        {**RUTH, "first_name": "Ann", "ni_number": ""},
        {**RUTH, "date_of_birth": "4/2/1961", "ni_number": ""},
        {**RUTH, "ni_number": "QQ 12 34 57 C"},
    ],
)
def test_another_person_is_added_without_a_question(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, typed: dict[str, str]
) -> None:
    daniels_editor.change(PERSON_NEW, **RUTH)

    assert amelias_editor.send(amelias_editor.open(PERSON_NEW), PERSON_NEW, **typed).status_code == 302


def test_same_person_of_another_client_is_added_without_a_question(amelias_editor: ClientEditor, cast: Cast) -> None:
    make_person(make_client("Baker"), "Ruth", "Whitmore")

    response = amelias_editor.send(amelias_editor.open(PERSON_NEW), PERSON_NEW, first_name="Ruth", last_name="Whitmore")

    assert response.status_code == 302


def test_imported_person_is_asked_about_too(amelias_editor: ClientEditor, client: Client) -> None:
    make_person(client, "Ruth", "Whitmore")

    question_page = amelias_editor.send(
        amelias_editor.open(PERSON_NEW), PERSON_NEW, first_name="Ruth", last_name="Whitmore"
    )

    assert errors_of(question_page) == {"first_name": "Ruth Whitmore is there already: is this the same person?"}


def test_second_click_of_the_same_person_is_not_asked_about(amelias_editor: ClientEditor) -> None:
    form = amelias_editor.open(PERSON_NEW)
    assert [amelias_editor.send(form, PERSON_NEW, **RUTH).status_code for _ in range(2)] == [302, 302]
    assert names() == ["Ruth"]


def test_simultaneous_addition_of_the_same_person_asks_first(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    """Amelia's save waits for the lock of Daniel's save."""
    form = amelias_editor.open(PERSON_NEW)
    person: dict[str, Any] = {"client_id": client.id, "first_name": "Ruth", "last_name": "Whitmore"}

    response = overtaken(
        lambda: amelias_editor.send(form, PERSON_NEW, first_name="Ruth", last_name="Whitmore"),
        HOLD_CLIENTS,
        lambda connection: connection.execute(Person.__table__.insert().values(**person)),
    )

    assert response.status_code == 422
    assert names() == ["Ruth"]


@pytest.mark.parametrize("plan_number", ["A 100-7", "a1007", "A-100 7"])
def test_second_save_of_the_same_product_asks_first(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, plan_number: str
) -> None:
    form = amelias_editor.open(PRODUCT_NEW)
    daniels_editor.change(PRODUCT_NEW, **ISA)

    question_page = amelias_editor.send(form, PRODUCT_NEW, **{**ISA, "plan_number": plan_number})

    problem = f"Daniel Okafor added ISA A 100-7 on {last_change()}: is this the same product?"
    assert errors_of(question_page) == {"plan_number": problem}
    [product_id] = db.session.scalars(select(Product.id))
    assert f"{amelias_editor.address}/product/{product_id}" in links_of(question_page)
    # One plan number is one product: only another spelling can be confirmed as another.
    assert ("This is another product" in text_of(question_page)) == (plan_number != ISA["plan_number"])


def test_program_learns_the_existing_part_and_how_to_confirm(amelias_editor: ClientEditor, client: Client) -> None:
    ruth = make_person(client, "Ruth", "Whitmore")
    body = {"version": 1, "first_name": "Ruth", "last_name": "Whitmore"}

    response = amelias_editor.send_json(PERSON_NEW, **body)

    confirm = {"confirm_another": f"person/{ruth.id}"}
    assert (response.status_code, response.json["field"], response.json["confirm"]) == (422, "first_name", confirm)
    assert amelias_editor.send_json(PERSON_NEW, **body, **confirm).json["status"] == "added"


def test_plan_number_of_another_client_is_rejected_without_naming_the_client(amelias_editor: ClientEditor) -> None:
    make_product(make_client("Baker"), plan_number="A 100-7")

    question_page = amelias_editor.send(amelias_editor.open(PRODUCT_NEW), PRODUCT_NEW, **ISA)

    assert errors_of(question_page) == {"plan_number": "This plan number is in use already."}


def same(editor: ClientEditor, kind: str, **typed: str) -> Any:
    """Return the response to an open form with these values."""
    response = editor.send_json(f"/{kind}/same", **typed)
    assert response.status_code == 200, response.text
    return response.json["same"]


def test_open_form_learns_that_the_person_was_added(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    assert same(amelias_editor, "person", **RUTH) is None
    daniels_editor.change(PERSON_NEW, **RUTH)
    [person_id] = db.session.scalars(select(Person.id))

    assert same(amelias_editor, "person", **RUTH) == {
        "key": f"person/{person_id}",
        "name": "Ruth Whitmore",
        "url": f"{amelias_editor.address}/person/{person_id}/edit",
        "field": "first_name",
        "question": f"Daniel Okafor added Ruth Whitmore on {last_change()}: is this the same person?",
        "can_be_another": True,
    }
    assert same(amelias_editor, "person", ni_number="qq123456c")["key"] == f"person/{person_id}"
    assert same(amelias_editor, "person", first_name="Ruth", last_name="Whitmore") is None
    assert same(amelias_editor, "person") is None
    assert (names(), client.version) == (["Ruth"], 2), "nothing is written"


def test_incomplete_date_matches_no_person(amelias_editor: ClientEditor, client: Client) -> None:
    make_person(client, "Ruth", "Whitmore")

    assert same(amelias_editor, "person", first_name="Ruth", last_name="Whitmore", date_of_birth="3/2") is None


def test_open_form_learns_that_the_product_was_added(amelias_editor: ClientEditor, client: Client) -> None:
    product = make_product(client, plan_number="A 100-7")

    result = same(amelias_editor, "product", plan_number="a1007")

    assert (result["url"], result["field"]) == (f"{amelias_editor.address}/product/{product.id}", "plan_number")
    assert result["can_be_another"]
    assert not same(amelias_editor, "product", plan_number="A 100-7")["can_be_another"]
    assert same(amelias_editor, "product", plan_number="") is None


def test_unknown_field_is_rejected(amelias_editor: ClientEditor) -> None:
    response = amelias_editor.send_json("/person/same", plan_number="A1")
    assert (response.status_code, response.json["field"]) == (422, "plan_number")
    assert amelias_editor.send({"first_name": "Ruth"}, "/person/same").status_code == 415
