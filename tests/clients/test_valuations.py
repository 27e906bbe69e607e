"""Reject impossible valuations, ask about unusual ones, and show the value of a product today."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal import clock
from portal.clients import Client, Product, Valuation
from portal.clients.csv.importing.importer import import_folder
from portal.clients.records.valuation_jumps import is_jump
from portal.extensions import db
from tests.clients.conftest import ClientEditor, history_of
from tests.support.csv_folder import CsvFolder
from tests.support.factories import make_client, make_product
from tests.support.html import errors_of, form_of, text_of
from tests.support.test_client import Visitor

MARCH, JUNE = date(2026, 3, 31), date(2026, 6, 30)
FAR = "£120.00 is 99% less than the valuation before (£12,000.00 on 31 Mar 2026)"


@pytest.fixture
def product(client: Client) -> Product:
    return make_product(client, (MARCH, "12000.00"), plan_number="A100")


@pytest.fixture
def amelias_editor(amelia: Visitor, client: Client, product: Product) -> ClientEditor:
    return ClientEditor(amelia, client)


def new(product: Product) -> str:
    return f"/product/{product.id}/valuation/new"


def amounts() -> list[tuple[date, Decimal]]:
    db.session.rollback()
    rows = db.session.execute(select(Valuation.valued_on, Valuation.amount).order_by(Valuation.valued_on))
    return [(row.valued_on, row.amount) for row in rows]


def add(editor: ClientEditor, product: Product, **typed: str) -> Any:
    path = new(product)
    return editor.send(editor.open(path), path, **{"valued_on": "30/6/2026", **typed})


@pytest.mark.parametrize("typed", ["£", "%", "£ ", "0,075", "1234,567", "1,2345", "12,34,567", "1,5", "1.234,50", ","])
def test_text_that_is_no_amount_in_british_notation_is_rejected_beside_its_field(
    amelias_editor: ClientEditor, product: Product, typed: str
) -> None:
    """A comma that separates no thousands may be a decimal comma, and 0,075 is not 75."""
    response = add(amelias_editor, product, amount=typed)

    assert response.status_code == 422
    assert list(errors_of(response)) == ["amount"]
    assert "is not a number such as 1234.50." in errors_of(response)["amount"]
    assert form_of(response)["amount"] == typed
    assert amounts() == [(MARCH, Decimal("12000.00"))]


def test_editor_shows_the_amount_with_commas_and_the_valuation_before_and_accepts_what_it_shows(
    amelias_editor: ClientEditor, product: Product
) -> None:
    added = add(amelias_editor, product, amount="12,345.5")
    assert added.status_code == 302
    assert amounts() == [(MARCH, Decimal("12000.00")), (JUNE, Decimal("12345.50"))]
    newest = db.session.scalars(select(Valuation).where(Valuation.valued_on == JUNE)).one()
    path = f"/valuation/{newest.id}/edit"
    page = amelias_editor.browser.get(f"{amelias_editor.address}{path}")

    assert form_of(page)["amount"] == "12,345.50"
    assert "Last: £12,000.00 on 31 Mar 2026" in text_of(page)
    next_one = amelias_editor.browser.get(f"{amelias_editor.address}{new(product)}")
    assert "Last: £12,345.50 on 30 Jun 2026" in text_of(next_one)
    amelias_editor.send(form_of(page), path)
    assert amounts()[-1] == (JUNE, Decimal("12345.50"))


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"valued_on": "1/1/2199", "amount": "12000"}, {"valued_on": "This is in the future."}),
        ({"amount": "-1"}, {"amount": "This is less than 0."}),
    ],
)
def test_valuation_with_a_future_date_or_negative_amount_is_rejected(
    amelias_editor: ClientEditor, product: Product, typed: dict[str, str], errors: dict[str, str]
) -> None:
    response = add(amelias_editor, product, **typed)

    assert (response.status_code, errors_of(response)) == (422, errors)
    assert (
        amelias_editor.send_json(new(product), version=1, **{"valued_on": "2026-06-30", **typed}).json["field"]
        in errors
    )
    assert len(amounts()) == 1


@pytest.mark.parametrize(
    ("amount", "before", "expected"),
    [
        *(("120", "12000", True), ("3000", "12000", False), ("2999.99", "12000", True), ("21000", "12000", False)),
        *(("21000.01", "12000", True), ("0", "12000", True), ("5", "0", False), ("-100", "-50", True)),
    ],
)
def test_jump_is_a_change_of_more_than_three_quarters(amount: str, before: str, expected: bool) -> None:
    assert is_jump(Decimal(amount), Decimal(before)) is expected


def test_amount_far_from_the_last_is_saved_when_confirmed(amelias_editor: ClientEditor, product: Product) -> None:
    question_page = add(amelias_editor, product, amount="120")

    assert question_page.status_code == 422
    assert FAR in errors_of(question_page)["amount"]
    assert 'name="confirm_amount" value="120.00"' in question_page.text
    assert len(amounts()) == 1

    assert add(amelias_editor, product, amount="120", confirm_amount="120.00").status_code == 302
    assert amounts() == [(MARCH, 12000), (JUNE, 120)]


def test_changed_amount_needs_another_confirmation(amelias_editor: ClientEditor, product: Product) -> None:
    response = add(amelias_editor, product, amount="12", confirm_amount="120.00")

    assert response.status_code == 422
    assert "£12.00 is 99% less" in errors_of(response)["amount"]


def test_program_learns_how_to_confirm_an_amount(amelias_editor: ClientEditor, product: Product) -> None:
    sent = {"version": 1, "valued_on": "2026-06-30", "amount": "120"}
    question_page = amelias_editor.send_json(new(product), **sent)

    assert (question_page.status_code, question_page.json["field"]) == (422, "amount")
    assert FAR in question_page.json["errors"]["amount"]
    assert question_page.json["confirm"] == {"confirm_amount": "120.00"}
    assert amelias_editor.send_json(new(product), **sent, **question_page.json["confirm"]).status_code == 200


@pytest.mark.parametrize(
    ("valued_on", "amount"),
    [("30/6/2026", "9000"), ("1/1/2026", "5")],
    ids=["near", "nothing before it"],
)
def test_amount_near_the_last_or_without_one_is_saved_without_a_question(
    amelias_editor: ClientEditor, product: Product, valued_on: str, amount: str
) -> None:
    assert add(amelias_editor, product, valued_on=valued_on, amount=amount).status_code == 302


def test_changed_amount_is_compared_with_the_previous_valuation(amelias_editor: ClientEditor, product: Product) -> None:
    add(amelias_editor, product, amount="11000")
    june = db.session.scalars(select(Valuation).where(Valuation.valued_on == JUNE)).one()
    path = f"/valuation/{june.id}/edit"

    question_page = amelias_editor.send(amelias_editor.open(path), path, amount="120")
    assert FAR in errors_of(question_page)["amount"]
    march = db.session.scalars(select(Valuation).where(Valuation.valued_on == MARCH)).one()
    amelias_editor.change(f"/valuation/{march.id}/edit", amount="120")


def test_undo_restores_an_amount_without_a_question(
    amelias_editor: ClientEditor, product: Product, client: Client
) -> None:
    add(amelias_editor, product, amount="120", confirm_amount="120.00")
    june = db.session.scalars(select(Valuation).where(Valuation.valued_on == JUNE)).one()
    amelias_editor.change(f"/valuation/{june.id}/edit", amount="11000")
    form = {"version": "3", "entry": f"valuation/{june.id}"}

    response = amelias_editor.browser.post(f"{amelias_editor.address}/history/3/revert", data=form)

    assert response.status_code == 302
    assert amounts() == [(MARCH, 12000), (JUNE, 120)]


def test_custom_amount_far_from_the_last_is_asked_about_on_the_conflict_page(
    amelias_editor: ClientEditor, daniel: Visitor, client: Client, product: Product
) -> None:
    add(amelias_editor, product, amount="11000")
    june = db.session.scalars(select(Valuation).where(Valuation.valued_on == JUNE)).one()
    path = f"/valuation/{june.id}/edit"
    opened = amelias_editor.open(path)
    ClientEditor(daniel, client).change(path, amount="11500")
    decided = {**opened, "amount": "11200", "seen_version": "3", "asked-amount": "1", "decide-amount": "third"}

    question_page = amelias_editor.send(decided, path, **{"third-amount": "120"})
    assert question_page.status_code == 409
    assert FAR in text_of(question_page)
    assert 'name="confirm_amount" value="120.00"' in question_page.text

    saved = amelias_editor.send(decided, path, **{"third-amount": "120", "confirm_amount": "120.00"})
    assert saved.status_code == 302
    assert amounts()[-1] == (JUNE, 120)
    assert history_of(client)[-1].resolutions == {f"valuation/{june.id}/amount": "custom"}


def undo_changed_again(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, product: Product
) -> tuple[str, dict[str, str]]:
    """Ask to undo a change of the June amount that Daniel has changed again since. Return the path and the fields."""
    add(amelias_editor, product, amount="11000")
    june = db.session.scalars(select(Valuation).where(Valuation.valued_on == JUNE)).one()
    for amount in ("11500", "11700"):
        daniels_editor.change(f"/valuation/{june.id}/edit", amount=amount)
    return "/history/3/revert", {"version": "4", "seen_version": "4", "entry": f"valuation/{june.id}"}


def test_custom_amount_of_an_undo_far_from_the_last_is_saved_when_confirmed(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, product: Product
) -> None:
    path, fields = undo_changed_again(amelias_editor, daniels_editor, product)
    opened = form_of(amelias_editor.send(fields, path))
    custom = {"decide-amount": "third", "third-amount": "120"}

    question_page = amelias_editor.send({**opened, **custom}, path)

    assert question_page.status_code == 409
    assert FAR in text_of(question_page)
    assert 'name="confirm_amount" value="120.00"' in question_page.text
    assert amounts()[-1] == (JUNE, 11700)
    another = {**form_of(question_page), "third-amount": "12", "confirm_amount": "120.00"}
    assert "£12.00 is 99% less" in text_of(amelias_editor.send(another, path))
    assert amelias_editor.send({**form_of(question_page), "confirm_amount": "120.00"}, path).status_code == 302
    assert amounts()[-1] == (JUNE, 120)


def test_custom_amount_of_an_undo_by_a_program_is_saved_when_confirmed(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, product: Product
) -> None:
    path, fields = undo_changed_again(amelias_editor, daniels_editor, product)
    sent = {**fields, "decide-amount": "third", "third-amount": "120"}

    question_page = amelias_editor.send_json(path, **sent)

    assert (question_page.status_code, question_page.json["field"]) == (422, "amount")
    assert FAR in question_page.json["errors"]["amount"]
    assert question_page.json["confirm"] == {"confirm_amount": "120.00"}
    wrong = amelias_editor.send_json(path, **sent, confirm_amount="much")
    assert (wrong.status_code, wrong.json["field"]) == (422, "confirm_amount")
    assert amelias_editor.send_json(path, **sent, **question_page.json["confirm"]).status_code == 200
    assert amounts()[-1] == (JUNE, 120)


def test_import_lists_and_accepts_amounts_far_from_the_last(app: Flask, tmp_path: Path) -> None:
    make_product(make_client(client_ref="KG1"), (MARCH, "12000.00"), plan_number="A100")
    folder = CsvFolder(tmp_path / "in").set("valuations.csv", "valued_on", "2026-06-30")
    folder.set("valuations.csv", "amount_gbp", "120.00").add("valuations.csv", "A100,2026-07-31,110.00")
    warnings: list[str] = []

    counts = import_folder(folder.path, warn=warnings.append)

    assert counts.valuations.new == 2
    assert warnings == [f"valuations.csv:2: amount_gbp: {FAR}"]
    warnings.clear()
    import_folder(folder.path, warn=warnings.append)
    assert warnings == []


def test_value_as_of_today_is_the_same_in_total_list_and_chart(amelia: Visitor, client: Client) -> None:
    """A stored valuation with a future date, from before the rule, counts in none of them."""
    tomorrow = clock.today() + timedelta(days=1)
    make_product(client, (MARCH, "1000.00"), (tomorrow, "777777.00"))

    page = text_of(amelia.get(f"/clients/{client.id}"))

    assert "Total value £1,000.00" in page
    assert "Total £1,000.00" in page
    assert "777,777" not in page
    assert "£1,000.00" in text_of(amelia.get("/clients"))
    assert "777,777" not in text_of(amelia.get("/clients?sort=-total"))
