"""Add, change and remove people, products and valuations under the version of their client."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from portal import formatting
from portal.audit import AuditEvent, Event
from portal.clients import Client, Person, Product, Valuation
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey, DraftPayload
from portal.extensions import db
from tests.clients.conftest import ClientEditor, history_of
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import errors_of, form_of, links_of, options_of, text_of
from tests.support.test_client import Visitor

MARCH, JUNE = date(2026, 3, 31), date(2026, 6, 30)
ENDED = "If the product has ended, value it at £0.00 instead."


@pytest.fixture
def client(cast: Cast) -> Client:
    client = make_client("Whitmore Family", adviser_id=cast.amelia.id)
    make_person(client, "Ruth", "Whitmore", known_as="Ru", date_of_birth=date(1961, 3, 12))
    make_product(client, (MARCH, "1000.00"), plan_number="A1", fixed_fee="120.00", percentage_fee="0.50")
    return client


def only(model: type[Any]) -> Any:
    db.session.rollback()
    return db.session.scalars(select(model)).one()


def test_added_person_is_in_the_history(amelias_editor: ClientEditor, cast: Cast, client: Client) -> None:
    response = amelias_editor.change(
        "/person/new", title="Mr", first_name=" Shaun ", last_name="Whitmore", date_of_birth="1958-09-04"
    )

    assert response.headers["Location"] == amelias_editor.address
    person = db.session.scalars(select(Person).where(Person.first_name == "Shaun")).one()
    assert (person.client_id, person.title, person.date_of_birth) == (client.id, "Mr", date(1958, 9, 4))
    [revision] = history_of(client)
    assert (revision.version, revision.changed_by, revision.source) == (2, cast.amelia.id, "form")
    old, new = revision.changes[f"person/{person.id}"]
    assert (old, new["first_name"], new["date_of_birth"]) == (None, "Shaun", "1958-09-04")
    db.session.refresh(client)
    assert (client.version, client.updated_by) == (2, cast.amelia.id)
    assert "Shaun Whitmore" in text_of(amelias_editor.browser.get(amelias_editor.address))


def test_changed_person_is_saved(amelias_editor: ClientEditor, client: Client) -> None:
    ruth = only(Person)
    form = amelias_editor.open(f"/person/{ruth.id}/edit")
    assert (form["first_name"], form["known_as"], form["date_of_birth"]) == ("Ruth", "Ru", "12 March 1961")

    amelias_editor.change(f"/person/{ruth.id}/edit", known_as="Ruthie", date_of_birth="")

    assert (only(Person).known_as, only(Person).date_of_birth) == ("Ruthie", None)
    assert history_of(client)[0].changes == {
        f"person/{ruth.id}/known_as": ["Ru", "Ruthie"],
        f"person/{ruth.id}/date_of_birth": ["1961-03-12", None],
    }


def test_added_product_has_its_fees(amelias_editor: ClientEditor, client: Client) -> None:
    form = amelias_editor.open("/product/new")
    assert (form["status"], form["fixed_fee"], form["percentage_fee"]) == ("active", "0.00", "0.00")
    amelias_editor.change(
        "/product/new",
        product_name="Onshore Bond",
        product_type="BOND",
        provider="Zurich",
        plan_number="Z9",
        fixed_fee="£1,250.50",
        percentage_fee="0.75%",
    )

    bond = db.session.scalars(select(Product).where(Product.plan_number == "Z9")).one()
    assert (bond.client_id, bond.fixed_fee, bond.percentage_fee) == (client.id, Decimal("1250.50"), Decimal("0.75"))
    assert history_of(client)[0].changes[f"product/{bond.id}"][1]["fixed_fee"] == "1250.50"


def test_valuation_is_added_changed_and_shown_on_its_product_page(amelias_editor: ClientEditor, client: Client) -> None:
    product = only(Product)
    path = f"/product/{product.id}"
    response = amelias_editor.change(f"{path}/valuation/new", valued_on="2026-06-30", amount="987.5")
    assert response.headers["Location"] == f"{amelias_editor.address}{path}"

    june = db.session.scalars(select(Valuation).where(Valuation.valued_on == JUNE)).one()
    amelias_editor.change(f"/valuation/{june.id}/edit", amount="1,234.89")

    words = text_of(amelias_editor.browser.get(f"{amelias_editor.address}{path}"))
    assert "30 Jun 2026 £1,234.89 Edit 31 Mar 2026 £1,000.00" in words
    assert history_of(client)[1].changes == {f"valuation/{june.id}/amount": ["987.50", "1234.89"]}


WRONG = [
    ("/person/new", {"first_name": "", "last_name": "W"}, "first_name", "Enter the first name."),
    (
        "/person/new",
        {"first_name": "x" * 101, "last_name": "W"},
        "first_name",
        "Use at most 100 characters. This has 101: 1 too many.",
    ),
    (
        "/person/new",
        {"first_name": "a\0", "last_name": "W"},
        "first_name",
        "invisible control character (U+0000) after “a”",
    ),
    (
        "/person/new",
        {"first_name": "R", "last_name": "W", "date_of_birth": "1 May"},
        "date_of_birth",
        "Add the year",
    ),
    (
        "/person/new",
        {"first_name": "R", "last_name": "W", "date_of_birth": "1899-12-31"},
        "date_of_birth",
        "between 1900",
    ),
    (
        "/person/new",
        {"first_name": "R", "last_name": "W", "date_of_birth": "1/1/2199"},
        "date_of_birth",
        "in the future",
    ),
    (
        "/person/new",
        {"first_name": "R", "last_name": "W", "ni_number": "QQ 12 34 56"},
        "ni_number",
        "This is not a National Insurance number, such as QQ 12 34 56 C.",
    ),
    (
        "/product/new",
        {"product_name": "I", "provider": "A", "plan_number": "A1", "product_type": ""},
        "product_type",
        "Choose the type.",
    ),
    ("/product/1/edit", {"plan_number": "to follow"}, "plan_number", "This is not a plan number: use letters"),
    ("/product/1/edit", {"fixed_fee": ""}, "fixed_fee", "Enter the fixed fee, 0 for none."),
    ("/product/1/edit", {"fixed_fee": "1.005"}, "fixed_fee", "more than 2 decimals"),
    ("/product/1/edit", {"fixed_fee": "-1"}, "fixed_fee", "-1 is less than 0"),
    ("/product/1/edit", {"fixed_fee": "NaN"}, "fixed_fee", "NaN is not a number such as 1234.50."),
    ("/product/1/edit", {"fixed_fee": "1e3"}, "fixed_fee", "1e3 is not a number"),
    ("/product/1/edit", {"fixed_fee": "12345678901"}, "fixed_fee", "more than 10 digits"),
    ("/product/1/edit", {"percentage_fee": "100.01"}, "percentage_fee", "100.01 is more than 100"),
    ("/product/1/edit", {"product_type": "CAR"}, "product_type", "Not a valid choice"),
    ("/product/1/edit", {"plan_number": " "}, "plan_number", "Enter the plan number."),
    ("/product/1/valuation/new", {"valued_on": "2026-06-30", "amount": "lots"}, "amount", "lots is not a number"),
    ("/product/1/valuation/new", {"valued_on": "", "amount": "1"}, "valued_on", "Enter the day"),
]


@pytest.mark.parametrize(("path", "typed", "field", "problem"), WRONG, ids=lambda part: str(part)[:40])
def test_invalid_value_of_a_part_stays_with_its_error_beside_the_field(
    amelias_editor: ClientEditor, client: Client, path: str, typed: dict[str, str], field: str, problem: str
) -> None:
    response = amelias_editor.send(amelias_editor.open(path), path, **typed)

    assert response.status_code == 422
    assert problem in errors_of(response)[field]
    if field != "product_type":  # a drop-down shows none but its own
        assert form_of(response)[field].strip() == typed[field].strip()
    assert history_of(client) == []


def test_duplicate_of_a_unique_value_is_reported_at_its_field(amelias_editor: ClientEditor, client: Client) -> None:
    other = make_client("Baker Family")
    make_product(other, plan_number="B1")
    product = only_product_of(client)

    taken = amelias_editor.send(
        amelias_editor.open(f"/product/{product.id}/edit"), f"/product/{product.id}/edit", plan_number="B1"
    )
    assert (taken.status_code, errors_of(taken)) == (422, {"plan_number": "This plan number is in use already."})
    path = f"/product/{product.id}/valuation/new"
    twice = amelias_editor.send(amelias_editor.open(path), path, valued_on="2026-03-31", amount="1")
    assert (twice.status_code, errors_of(twice)) == (
        422,
        {"valued_on": "This product has a valuation of that day already."},
    )
    assert history_of(client) == []


def only_product_of(client: Client) -> Product:
    return db.session.scalars(select(Product).where(Product.client_id == client.id)).one()


def test_changes_to_different_fields_of_one_part_are_merged(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    path = f"/person/{only(Person).id}/edit"
    form = amelias_editor.open(path)
    daniels_editor.change(path, known_as="Ruthie")

    assert amelias_editor.send(form, path, title="Mrs").status_code == 302
    assert (only(Person).known_as, only(Person).title) == ("Ruthie", "Mrs")
    assert history_of(client)[1].merged_with == [2]
    assert "Saved together with Daniel’s change to Known as of Ruth Whitmore." in text_of(
        amelias_editor.browser.get(amelias_editor.address)
    )


def test_amount_that_both_users_changed_equally_is_no_conflict(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    """The save asks no question, and no user is overruled."""
    path = f"/valuation/{only(Valuation).id}/edit"
    form = amelias_editor.open(path)
    daniels_editor.change(path, amount="25000.00")

    assert amelias_editor.send(form, path, amount="£25,000").status_code == 302
    assert len(history_of(client)) == 1
    assert Event.CONFLICT_OVERRIDDEN not in db.session.scalars(select(AuditEvent.event)).all()


def test_amounts_that_both_users_changed_differently_are_a_conflict(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    """Both users enter the balance after a withdrawal. Neither amount is right, and neither may be lost."""
    path = f"/valuation/{only(Valuation).id}/edit"
    form = amelias_editor.open(path)
    daniels_editor.change(path, amount="900")

    assert amelias_editor.send(form, path, amount="800").status_code == 409
    assert only(Valuation).amount == Decimal("900.00")


def test_fee_that_both_users_changed_is_a_conflict(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    path = f"/product/{only(Product).id}/edit"
    form = amelias_editor.open(path)
    daniels_editor.change(path, fixed_fee="200")

    response = amelias_editor.send(form, path, fixed_fee="250")

    assert response.status_code == 409
    words = text_of(response)
    assert "It was £120.00 Daniel Okafor’s, less than a minute ago £200.00 Yours £250.00" in words
    decided = amelias_editor.send(form_of(response), path, **{"decide-fixed_fee": "third", "third-fixed_fee": "280"})
    assert decided.status_code == 302
    assert only(Product).fixed_fee == Decimal("280.00")
    assert history_of(client)[-1].resolutions == {f"product/{only(Product).id}/fixed_fee": "custom"}


def test_custom_value_that_is_in_use_shows_the_conflict_page_again(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    make_product(make_client("Baker Family"), plan_number="B1")
    path = f"/product/{only_product_of(client).id}/edit"
    form = amelias_editor.open(path)
    daniels_editor.change(path, plan_number="D1", provider="Zurich")
    page = amelias_editor.send(form, path, plan_number="M1", provider="Aegon")
    decided = {"decide-plan_number": "third", "third-plan_number": "B1", "decide-provider": "yours"}

    again = amelias_editor.send(form_of(page), path, **decided)

    assert again.status_code == 409
    assert errors_of(again) == {"decide-plan_number": "This plan number is in use already."}
    chosen = form_of(again)
    assert (chosen["third-plan_number"], chosen["decide-plan_number"], chosen["decide-provider"]) == (
        "B1",
        "third",
        "yours",
    )
    assert amelias_editor.send(chosen, path, **{"third-plan_number": "T1"}).status_code == 302
    assert (only_product_of(client).plan_number, only_product_of(client).provider) == ("T1", "Aegon")


def test_part_that_was_removed_and_is_sent_again_is_added_again(amelias_editor: ClientEditor, client: Client) -> None:
    form = {**amelias_editor.open("/person/new"), "first_name": "Shaun", "last_name": "Whitmore"}
    amelias_editor.send(form, "/person/new")
    shaun = db.session.scalars(select(Person.id).where(Person.first_name == "Shaun")).one()
    amelias_editor.change(f"/person/{shaun}/remove")

    assert amelias_editor.send(form, "/person/new").status_code == 302
    assert db.session.scalars(select(Person).where(Person.first_name == "Shaun")).one()


def test_second_click_on_remove_is_not_an_error(amelias_editor: ClientEditor, daniels_editor: ClientEditor) -> None:
    path = f"/person/{only(Person).id}/remove"
    form = amelias_editor.open(path)

    assert [amelias_editor.send(form, path).status_code for _ in range(2)] == [302, 302]
    assert daniels_editor.send({"version": form["version"]}, path).status_code == 409


def test_draft_of_a_removed_part_is_shown(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, cast: Cast, client: Client
) -> None:
    ruth_id = only(Person).id
    store.save(
        DraftKey(cast.amelia.id, f"client-{client.id}", f"person/{ruth_id}"),
        "a",
        DraftPayload(1, "", {"known_as": "Ruthie"}),
    )
    db.session.commit()
    daniels_editor.change(f"/person/{ruth_id}/remove")

    assert "Known as Ruthie" in text_of(amelias_editor.browser.get(f"{amelias_editor.address}/person/{ruth_id}/edit"))
    assert "Ruthie" not in text_of(daniels_editor.browser.get(f"{daniels_editor.address}/person/{ruth_id}/edit"))


def test_own_amount_sent_twice_is_no_conflict(amelias_editor: ClientEditor, client: Client) -> None:
    path = f"/product/{only(Product).id}/edit"
    form = amelias_editor.open(path)

    assert [amelias_editor.send(form, path, fixed_fee="200").status_code for _ in range(2)] == [302, 302]
    assert len(history_of(client)) == 1


def test_change_of_the_client_does_not_prevent_a_removal(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    path = f"/person/{only(Person).id}/edit"
    form = amelias_editor.open(path)
    daniels_editor.change(phone="222")

    assert amelias_editor.send(form, path, title="Mrs").status_code == 302
    assert history_of(client)[1].merged_with == []
    assert "Your changes are saved." in text_of(amelias_editor.browser.get(amelias_editor.address))


def test_part_sent_twice_is_added_once(amelias_editor: ClientEditor, client: Client) -> None:
    """Without JavaScript a double click sends the form twice."""
    form = {**amelias_editor.open("/person/new"), "first_name": "Shaun", "last_name": "Whitmore"}

    assert [amelias_editor.send(form, "/person/new").status_code for _ in range(2)] == [302, 302]
    db.session.rollback()
    assert len(db.session.scalars(select(Person).where(Person.first_name == "Shaun")).all()) == 1
    assert [revision.version for revision in history_of(client)] == [2]


def test_removed_product_is_in_the_history_with_its_valuations(amelias_editor: ClientEditor, client: Client) -> None:
    product_id, valuation_id = only(Product).id, only(Valuation).id
    path = f"/product/{product_id}/remove"
    question_page = amelias_editor.browser.get(amelias_editor.address + path)
    assert "Remove ISA A1?" in text_of(question_page)
    assert "Its valuation goes with it." in text_of(question_page)
    assert ENDED in text_of(question_page)
    assert ENDED not in text_of(amelias_editor.browser.get(f"{amelias_editor.address}/valuation/{valuation_id}/remove"))

    response = amelias_editor.send(form_of(question_page), path)

    assert (response.status_code, response.headers["Location"]) == (302, amelias_editor.address)
    assert "ISA A1 is removed." in text_of(amelias_editor.browser.get(amelias_editor.address))
    assert db.session.scalars(select(Valuation)).all() == []
    [revision] = history_of(client)
    assert revision.changes[f"product/{product_id}"][1] is None
    assert revision.changes[f"valuation/{valuation_id}"] == [
        {"product_id": product_id, "valued_on": "2026-03-31", "amount": "1000.00"},
        None,
    ]


def test_removal_of_a_valuation_names_its_product_and_day(amelias_editor: ClientEditor) -> None:
    path = f"/valuation/{only(Valuation).id}/remove"
    question_page = amelias_editor.browser.get(amelias_editor.address + path)
    assert "Remove the valuation of ISA A1 on 31 Mar 2026?" in text_of(question_page)
    assert "<title>Remove the valuation of ISA A1 on 31 Mar 2026" in question_page.text

    removed = amelias_editor.send(form_of(question_page), path)

    assert "The valuation of ISA A1 on 31 Mar 2026 is removed." in text_of(
        amelias_editor.browser.get(removed.headers["Location"])
    )


@pytest.mark.parametrize("changed", ["product", "valuation"])
def test_part_that_changed_since_is_not_removed_without_confirmation(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client, changed: str
) -> None:
    product, valuation = only(Product), only(Valuation)
    path = f"/product/{product.id}/remove"
    form = amelias_editor.open(path)
    if changed == "product":
        daniels_editor.change(f"/product/{product.id}/edit", provider="Zurich")
    else:
        daniels_editor.change(f"/valuation/{valuation.id}/edit", amount="7")

    response = amelias_editor.send(form, path)

    assert response.status_code == 409
    assert "Nothing is removed yet." in text_of(response)
    what = "Provider of ISA A1" if changed == "product" else "Amount of the valuation of ISA A1 on 31 Mar 2026"
    assert f"Daniel’s change to {what}" in text_of(response)
    assert only(Product)
    assert amelias_editor.send(form_of(response), path).status_code == 302


def test_values_typed_into_a_removed_part_are_shown(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, client: Client
) -> None:
    ruth_id = only(Person).id
    path = f"/person/{ruth_id}/edit"
    form = amelias_editor.open(path)
    daniels_editor.change(f"/person/{ruth_id}/remove")

    response = amelias_editor.send(form, path, known_as="<b>Ruthie</b>")

    words = text_of(response)
    assert response.status_code == 409
    at = formatting.moment(client.updated_at)
    assert f"Daniel Okafor removed it on {at} . What you typed could not be saved; it is shown below." in words
    assert "Known as <b>Ruthie</b>" in words
    assert "<b>Ruthie" not in response.text
    assert amelias_editor.browser.get(amelias_editor.address + path).status_code == 410
    assert amelias_editor.browser.get(f"{amelias_editor.address}/person/{ruth_id}/remove").status_code == 410


def test_valuation_of_a_removed_product_cannot_be_added(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor
) -> None:
    product_id = only(Product).id
    path = f"/product/{product_id}/valuation/new"
    form = amelias_editor.open(path)
    daniels_editor.change(f"/product/{product_id}/remove")

    response = amelias_editor.send(form, path, valued_on="2026-06-30", amount="7")

    assert response.status_code == 409
    assert "ISA A1 has been removed" in text_of(response)
    assert amelias_editor.browser.get(f"{amelias_editor.address}/product/{product_id}").status_code == 410


@pytest.mark.parametrize(
    ("part", "removed", "name"),
    [
        (Person, [Person], "Ruth Whitmore"),
        (Product, [Product], "ISA A1"),
        (Valuation, [Valuation], "The valuation of ISA A1 on 31 Mar 2026"),
        (Valuation, [Product], "The valuation of ISA A1 on 31 Mar 2026"),
        (Valuation, [Valuation, Product], "The valuation of ISA A1 on 31 Mar 2026"),
    ],
    ids=["person", "product", "valuation", "valuation with its product", "valuation before its product"],
)
def test_page_of_a_removed_part_names_it(
    amelias_editor: ClientEditor, daniels_editor: ClientEditor, part: type[Any], removed: list[type[Any]], name: str
) -> None:
    paths = {model: f"/{model.__name__.lower()}/{only(model).id}" for model in (Person, Product, Valuation)}
    for model in removed:
        daniels_editor.change(f"{paths[model]}/remove")

    page = amelias_editor.browser.get(f"{amelias_editor.address}{paths[part]}/edit")

    assert page.status_code == 410
    assert f"<h1>{name} has been removed</h1>" in page.text
    assert f"<title>{name} has been removed ·" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/person/1/edit",
        "/product/1/edit",
        "/valuation/1/edit",
        "/person/1/remove",
        "/product/1",
        "/product/1/valuation/new",
        "/person/999/edit",
        "/client/1/edit",
        "/valuation/new",
        "/person/0/edit",
    ],
)
def test_parts_of_another_client_are_404(amelia: Visitor, client: Client, path: str) -> None:
    other = make_client("Baker Family")

    assert amelia.get(f"/clients/{other.id}{path}").status_code == 404
    assert amelia.post(f"/clients/{other.id}{path}", data={"version": "1"}).status_code in (404, 405)


def test_each_form_has_its_own_draft(amelias_editor: ClientEditor, cast: Cast, client: Client) -> None:
    product = only(Product)
    for path, form, field in (
        ("/edit", "record", "phone"),
        ("/person/new", "person/new", "known_as"),
        ("/person/1/edit", "person/1", "known_as"),
        (f"/product/{product.id}/valuation/new", f"valuation/new/{product.id}", "amount"),
    ):
        kept = amelias_editor.browser.call(
            "PUT",
            f"/edit_drafts/client-{client.id}?form={form}&draft=a",
            json={"version": 1, "values": {field: "955"}},
        )
        assert kept.status_code == 200
        page = amelias_editor.browser.get(amelias_editor.address + path)
        assert f'data-draft-url="/edit_drafts/client-{client.id}?form={form}&amp;draft=' in page.text.replace(
            "%2F", "/"
        )

    path = f"/product/{product.id}/valuation/new"
    assert "unsaved changes from less than a minute ago (Amount)" in text_of(
        amelias_editor.browser.get(amelias_editor.address + path)
    )
    restored = amelias_editor.browser.get(f"{amelias_editor.address}{path}?draft=a")
    assert form_of(restored)["amount"] == "955"
    assert amelias_editor.send(form_of(restored), path, valued_on="2026-06-30").status_code == 302
    assert "unsaved changes" not in text_of(amelias_editor.browser.get(amelias_editor.address + path))


def test_editor_names_the_edited_part_for_other_users(amelias_editor: ClientEditor) -> None:
    person, product = only(Person), only(Product)
    for path, entry, label in (
        ("/edit", "", ""),
        (f"/person/{person.id}/edit", f"person/{person.id}", "Ruth Whitmore"),
        (f"/product/{product.id}/edit", f"product/{product.id}", "ISA A1"),
        ("/valuation/1/edit", "valuation/1", "ISA A1, 31 Mar 2026"),
        ("/product/new", "product/", "New product"),
        (f"/product/{product.id}/valuation/new", "valuation/", "New valuation of ISA A1"),
    ):
        page = re.sub(
            "(product|valuation)/None", r"\1/", amelias_editor.browser.get(amelias_editor.address + path).text
        )
        assert f'data-entry="{entry}" data-entry-label="{label}"' in page
        assert (f'data-part="{label}"' in page) == bool(label)


def test_reader_sees_parts_and_cannot_change_them(visit: type[Visitor], cast: Cast, client: Client) -> None:
    rhys = visit(cast.rhys)
    product = rhys.get(f"/clients/{client.id}/product/{only(Product).id}")

    assert "31 Mar 2026 £1,000.00" in text_of(product)
    for page in (product, rhys.get(f"/clients/{client.id}")):
        assert re.findall(r"/edit[\"/?]", page.text) == []
        assert "Add a" not in page.text


def test_choices_of_the_forms_are_those_of_the_record(amelias_editor: ClientEditor) -> None:
    page = amelias_editor.browser.get(f"{amelias_editor.address}/product/new")
    assert options_of(page, "product_type") == ["", "GIA", "ISA", "JISA", "SIPP", "BOND", "CASH"]


def test_message_of_an_addition_links_to_the_added_part(amelias_editor: ClientEditor, client: Client) -> None:
    added = (
        ("/person/new", {"first_name": "<b>Ruth", "last_name": "Whitmore"}, "<b>Ruth Whitmore", "/person/{}/edit"),
        (
            "/product/new",
            {"product_name": "ISA", "product_type": "ISA", "provider": "Aviva", "plan_number": "N1"},
            "ISA N1",
            "/product/{}",
        ),
    )
    for path, typed, name, leads_to in added:
        response = amelias_editor.send(amelias_editor.open(path), path, **typed)
        assert response.status_code == 302, errors_of(response)
        page = amelias_editor.browser.get(response.location)
        model = Person if "person" in path else Product
        part_id = db.session.scalar(select(func.max(model.id)))
        assert f"{name} is added." in text_of(page)
        assert amelias_editor.address + leads_to.format(part_id) in links_of(page)
    path = f"/product/{part_id}/valuation/new"
    response = amelias_editor.send(amelias_editor.open(path), path, valued_on="31/3/2026", amount="5")
    assert "ISA N1, 31 Mar 2026 is added." in text_of(amelias_editor.browser.get(response.location))
