"""Save the valuations of all products of a client for one day as one change, merged product by product."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal import clock
from portal.clients import Client, Product, Valuation
from portal.clients.records.entries import PRODUCT, VALUATION, Entry
from portal.clients.records.limits import MAX_PRODUCTS
from portal.clients.saving import operations
from portal.clients.saving.overruled import OverruledChange
from portal.editing.drafts.store import EditDraft
from portal.extensions import db
from tests.clients.conftest import history_of, values_of
from tests.support.cast import Cast
from tests.support.edits import edit_from
from tests.support.factories import make_client, make_product
from tests.support.html import errors_of, form_of, links_of, text_of
from tests.support.test_client import Visitor

NOW = datetime(2026, 11, 28, 0, 30, tzinfo=UTC)
TODAY, YESTERDAY, MARCH = date(2026, 11, 28), date(2026, 11, 27), date(2026, 3, 31)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def products(client: Client) -> list[Product]:
    """Three products: A1 and A2 of Aviva, valued at £100.00 and £200.00 in March, and L1 of L&G without a valuation."""
    return [
        make_product(client, (MARCH, "100"), plan_number="A1"),
        make_product(client, (MARCH, "200"), plan_number="A2"),
        make_product(client, plan_number="L1", provider="L&G", product_name="Bond"),
    ]


class Grid:
    """The grid of a client in one user's browser. Amounts are named by the plan number of their product."""

    def __init__(self, browser: Visitor, client: Client, products: list[Product]) -> None:
        self.browser = browser
        self.url = f"/clients/{client.id}/valuations"
        self.fields = {product.plan_number: f"amount_{product.id}" for product in products}

    def open(self, day: date | None = None) -> dict[str, str]:
        response = self.browser.get(f"{self.url}?day={day}" if day else self.url)
        assert response.status_code == 200
        return form_of(response)

    def send(self, form: dict[str, str], **typed: str) -> TestResponse:
        return self.browser.post(self.url, data={**form, **{self.fields.get(k, k): v for k, v in typed.items()}})


@pytest.fixture
def amelias(amelia: Visitor, client: Client, products: list[Product]) -> Grid:
    return Grid(amelia, client, products)


@pytest.fixture
def daniels(daniel: Visitor, client: Client, products: list[Product]) -> Grid:
    return Grid(daniel, client, products)


def id_of(plan_number: str, day: date = TODAY) -> int:
    rows = select(Valuation.id).join(Product, Product.id == Valuation.product_id)
    return db.session.scalars(rows.where(Product.plan_number == plan_number, Valuation.valued_on == day)).one()


def test_grid_shows_each_product_with_its_last_value_and_saves_all_amounts_as_one_change(
    amelias: Grid, client: Client, products: list[Product]
) -> None:
    assert amelias.url in links_of(amelias.browser.get(f"/clients/{client.id}"))
    page = text_of(amelias.browser.get(amelias.url))
    assert "A1" in page
    assert "£100.00 31 Mar 2026" in page
    assert "Entered: 0 of 3" in page
    form = amelias.open()
    assert form["valued_on"] == "28 November 2026"  # in London
    assert [form[amelias.fields[plan]] for plan in ("A1", "A2", "L1")] == ["", "", ""]

    response = amelias.send(form, A1="£110.50", L1=" 1,000 ")

    assert (response.status_code, response.location) == (302, f"/clients/{client.id}")
    assert values_of(client, TODAY) == {"A1": Decimal("110.50"), "L1": Decimal(1000)}
    [revision] = history_of(client)
    a1, l1 = products[0].id, products[2].id
    assert (revision.version, client.version) == (2, 2)
    assert revision.changes == {
        f"valuation/{id_of('A1')}": [None, {"product_id": a1, "valued_on": "2026-11-28", "amount": "110.50"}],
        f"valuation/{id_of('L1')}": [None, {"product_id": l1, "valued_on": "2026-11-28", "amount": "1000.00"}],
    }
    assert "Amelia Hart added 2 valuations" in text_of(amelias.browser.get(f"/clients/{client.id}"))


def test_amount_of_the_day_is_shown_and_changed_and_an_empty_one_changes_nothing(amelias: Grid, client: Client) -> None:
    amelias.send(amelias.open(), A1="110", A2="210")
    form = amelias.open()
    assert form[amelias.fields["A1"]] == "110.00"
    assert "this day: £110.00" in text_of(amelias.browser.get(amelias.url))

    amelias.send(form, A1="", A2="220")

    assert values_of(client, TODAY) == {"A1": Decimal(110), "A2": Decimal(220)}
    wrong = amelias.send(amelias.open(), A1="", A2="x", L1="1")
    assert "Total of the entered amounts and the last values of the others £300.00 £331.00 +£31.00" in text_of(wrong)
    [_, changed] = history_of(client)
    assert changed.changes == {f"valuation/{id_of('A2')}/amount": ["210.00", "220.00"]}
    assert amelias.send(amelias.open()).status_code == 302
    assert client.version == 3


def test_each_wrong_cell_is_named_nothing_is_saved_and_nothing_is_lost(amelias: Grid, client: Client) -> None:
    typed = {"A1": "n/a", "A2": "-5", "L1": "£7.50", "unplaced": "B9\t£5"}

    rejected = amelias.send(amelias.open(), **typed)

    assert rejected.status_code == 422
    kept = form_of(rejected)
    assert {name: kept[amelias.fields.get(name, name)] for name in typed} == typed
    errors = errors_of(rejected)
    assert set(errors) == {amelias.fields["A1"], amelias.fields["A2"], "unplaced"}
    assert "n/a is not a number such as 1234.50" in errors[amelias.fields["A1"]]
    assert "is less than 0" in errors[amelias.fields["A2"]]
    assert "ISA A1" in text_of(rejected)
    assert values_of(client, TODAY) == {}
    assert amelias.send(kept, A1="101", A2="201", unplaced="").status_code == 302
    assert len(values_of(client, TODAY)) == 3


@pytest.mark.parametrize("day", ["2026-11-29", "1899-12-31", "yesterday", "2026-1-1", "0000-00-00"])
def test_grid_of_a_day_without_valuations_to_come_is_rejected(amelias: Grid, day: str) -> None:
    response = amelias.browser.get(f"{amelias.url}?day={day}")
    assert response.status_code == 422
    assert "day: must be a day such as 2026-12-08 and not in the future" in text_of(response)


@pytest.mark.parametrize(
    ("typed", "problem"), [("29/11/2026", "This is in the future."), ("", "Enter the day"), ("32/1/2026", "calendar")]
)
def test_wrong_day_is_named_and_the_amounts_stay(amelias: Grid, client: Client, typed: str, problem: str) -> None:
    rejected = amelias.send(amelias.open(YESTERDAY), valued_on=typed, A1="105")

    assert rejected.status_code == 422
    assert problem in errors_of(rejected)["valued_on"]
    kept = form_of(rejected)
    assert (kept["valued_on"], kept["shown_on"], kept[amelias.fields["A1"]]) == (typed, "2026-11-27", "105")
    assert values_of(client, TODAY) == {}


def test_another_day_takes_the_typed_amounts_along_and_saves_nothing_before_its_amounts_are_shown(
    amelias: Grid, client: Client
) -> None:
    amelias.send(amelias.open(MARCH), L1="90")
    form = amelias.open(MARCH)
    assert form[amelias.fields["L1"]] == "90.00"

    moved = amelias.send(form, valued_on="27/11/2026", A1="wrong", A2="205", unplaced="B9\t5")

    assert (moved.status_code, moved.location) == (302, f"{amelias.url}?day=2026-11-27")
    assert values_of(client, YESTERDAY) == {}
    form = amelias.open(YESTERDAY)
    assert [form[amelias.fields[plan]] for plan in ("A1", "A2", "L1")] == ["wrong", "205", ""]
    assert (form["unplaced"], form["valued_on"]) == ("B9\t5", "27 November 2026")
    assert amelias.send(form, A1="", unplaced="").status_code == 302
    assert values_of(client, YESTERDAY) == {"A2": Decimal(205)}
    assert db.session.scalars(select(EditDraft)).all() == []


@pytest.mark.parametrize("rows", ["x" * 100_001, "B9\t5\0"])
def test_rows_that_no_draft_can_hold_keep_the_grid_at_its_day(amelias: Grid, client: Client, rows: str) -> None:
    rejected = amelias.send(amelias.open(), valued_on="27/11/2026", A1="105", unplaced=rows)

    assert rejected.status_code == 422
    assert "cannot be taken to another day" in errors_of(rejected)["valued_on"]
    kept = form_of(rejected)
    typed = (kept["shown_on"], kept["valued_on"], kept[amelias.fields["A1"]], kept["unplaced"].strip())
    assert typed == ("2026-11-28", "27/11/2026", "105", rows)


def test_as_many_rows_as_the_browser_sends_reach_the_grid_again(amelias: Grid) -> None:
    """The browser sends no text longer than the attribute, because the page for a body that is too large keeps none."""
    longest = re.search(r'data-max-characters="(\d+)"[^>]* name="unplaced"', amelias.browser.get(amelias.url).text)
    assert longest
    rows = "\U0001f4b7" * int(longest[1])  # the most bytes in a form

    rejected = amelias.send(amelias.open(), A1="105", unplaced=rows)

    assert (rejected.status_code, form_of(rejected)["unplaced"]) == (422, rows)
    moved = amelias.send(amelias.open(), valued_on="27/11/2026", unplaced=rows)
    assert (moved.status_code, amelias.open(YESTERDAY)["unplaced"]) == (302, rows)


def test_lost_access_shows_the_amounts_and_the_rows_that_were_not_saved(
    amelias: Grid, client: Client, cast: Cast
) -> None:
    form = amelias.open()
    client.is_restricted, client.adviser_id = True, cast.daniel.id
    db.session.commit()

    refused = amelias.send(form, A1="105", unplaced="B9\t5")

    assert refused.status_code == 404
    assert all(typed in text_of(refused) for typed in ("105", "Rows that are not placed B9 5"))
    assert "A1" not in text_of(refused)


def test_amounts_of_different_products_are_merged(amelias: Grid, daniels: Grid, client: Client) -> None:
    form = amelias.open()
    daniels.send(daniels.open(), A1="101")

    saved = amelias.send(form, A2="202")

    assert saved.status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(101), "A2": Decimal(202)}
    assert history_of(client)[-1].merged_with == [2]
    message = text_of(amelias.browser.get(saved.location))
    assert "Saved together with Daniel’s change to the valuation of ISA A1 on 28 Nov 2026." in message


def test_same_product_and_day_is_asked_and_the_other_amounts_wait(
    amelias: Grid, daniels: Grid, client: Client, cast: Cast
) -> None:
    form = amelias.open()
    daniels.send(daniels.open(), A1="101", L1="55")

    asked = amelias.send(form, A1="102", A2="202", L1="55.00")

    assert asked.status_code == 409
    page = text_of(asked)
    assert "One field of the valuations of 28 Nov 2026 needs your decision" in page
    assert "Daniel Okafor’s" in page
    assert all(amount in page for amount in ("£101.00", "£102.00", "£202.00"))
    assert values_of(client, TODAY) == {"A1": Decimal(101), "L1": Decimal(55)}

    saved = amelias.send(form_of(asked), **{f"decide-{amelias.fields['A1']}": "yours"})

    assert saved.status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(102), "A2": Decimal(202), "L1": Decimal(55)}
    revision, key = history_of(client)[-1], f"valuation/{id_of('A1')}/amount"
    assert (revision.resolutions, revision.changes[key]) == ({key: "yours"}, ["101.00", "102.00"])
    [overruled] = db.session.scalars(select(OverruledChange))
    assert (overruled.profile_id, overruled.keys) == (cast.daniel.id, [key])
    notice = text_of(daniels.browser.get(f"/clients/{client.id}"))
    assert "Amelia" in notice
    assert "£102.00" in notice


@pytest.mark.parametrize(("choice", "amount"), [("theirs", "101"), ("third", "103")])
def test_conflict_is_decided_for_the_saved_amount_or_a_third_one(
    amelias: Grid, daniels: Grid, client: Client, choice: str, amount: str
) -> None:
    form = amelias.open()
    daniels.send(daniels.open(), A1="101")
    asked = form_of(amelias.send(form, A1="102"))
    name = amelias.fields["A1"]

    saved = amelias.send(asked, **{f"decide-{name}": choice, f"third-{name}": "103"})

    assert saved.status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(amount)}
    again = amelias.send(asked, **{f"decide-{name}": choice, f"third-{name}": "103"})
    assert (again.status_code, client.version) == (302, 3)  # the second click saves nothing


def test_decision_is_asked_again_when_the_amount_has_changed_since(
    amelias: Grid, daniels: Grid, client: Client
) -> None:
    form = amelias.open()
    daniels.send(daniels.open(), A1="101")
    asked = form_of(amelias.send(form, A1="102"))
    daniels.send(daniels.open(), A1="104")

    again = amelias.send(asked, **{f"decide-{amelias.fields['A1']}": "yours"})

    assert again.status_code == 409
    assert "changed again while you were deciding" in text_of(again)
    assert values_of(client, TODAY) == {"A1": Decimal(104)}


@pytest.mark.parametrize("custom", ["", "much", "1,5"])
def test_custom_value_that_is_no_amount_is_asked_again(
    amelias: Grid, daniels: Grid, client: Client, custom: str
) -> None:
    form, name = amelias.open(), amelias.fields["A1"]
    daniels.send(daniels.open(), A1="101")
    asked = form_of(amelias.send(form, A1="102"))

    again = amelias.send(asked, **{f"decide-{name}": "third", f"third-{name}": custom})

    assert again.status_code == 409
    assert form_of(again)[f"third-{name}"] == custom
    assert values_of(client, TODAY) == {"A1": Decimal(101)}


def test_valuation_that_was_removed_or_moved_to_the_day_meanwhile_is_asked(
    amelias: Grid, client: Client, cast: Cast
) -> None:
    amelias.send(amelias.open(), A1="101")
    form = amelias.open()
    assert form[amelias.fields["A1"]] == "101.00"
    operations.remove_part(client, Entry(VALUATION, id_of("A1")), edit_from(2, cast.daniel.id))
    moved = Entry(VALUATION, id_of("A2", MARCH))
    operations.save_entry(client, moved, edit_from(3, cast.daniel.id, {"valued_on": TODAY}))
    db.session.commit()

    unchanged = amelias.send(form)
    asked = amelias.send(form, A1="102", A2="202")

    assert (unchanged.status_code, asked.status_code) == (302, 409)
    assert values_of(client, TODAY) == {"A2": Decimal(200)}
    names = [f"decide-{amelias.fields[plan]}" for plan in ("A1", "A2")]
    assert amelias.send(form_of(asked), **dict.fromkeys(names, "yours")).status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(102), "A2": Decimal(202)}


def test_amount_far_from_the_last_one_is_confirmed_beside_its_cell(amelias: Grid, client: Client) -> None:
    asked = amelias.send(amelias.open(), A1="10", A2="2000", L1="1")

    assert asked.status_code == 422
    problem = "£10.00 is 90% less than the valuation before (£100.00 on 31 Mar 2026). Correct it, or confirm it."
    assert errors_of(asked)[amelias.fields["A1"]] == problem
    assert set(errors_of(asked)) == {amelias.fields["A1"], amelias.fields["A2"]}
    assert values_of(client, TODAY) == {}
    form = {name: text for name, text in form_of(asked).items() if name != "confirm_amount"}
    fields = amelias.fields
    one = amelias.send(form, confirm_amount=f"{fields['A1']}=10.00")
    assert list(errors_of(one)) == [fields["A2"]]
    both = amelias.send(form, confirm_amount=f"{fields['A1']}=10.00 {fields['A2']}=2000.00")
    assert both.status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(10), "A2": Decimal(2000), "L1": Decimal(1)}


def test_unusual_amount_is_named_together_with_wrong_cells(amelias: Grid, client: Client) -> None:
    rejected = amelias.send(amelias.open(), A1="10", A2="n/a", L1="1")

    assert rejected.status_code == 422
    assert set(errors_of(rejected)) == {amelias.fields["A1"], amelias.fields["A2"]}
    assert "£10.00 is right" in text_of(rejected)
    assert values_of(client, TODAY) == {}


def test_custom_value_far_from_the_last_one_is_confirmed_on_the_conflict_page(
    amelias: Grid, daniels: Grid, client: Client
) -> None:
    form, name = amelias.open(), amelias.fields["A1"]
    daniels.send(daniels.open(), A1="101")
    choice = {f"decide-{name}": "third", f"third-{name}": "1"}
    asked = form_of(amelias.send(form, A1="102"))

    unusual = amelias.send(asked, **choice)

    assert unusual.status_code == 409
    assert "£1.00 for ISA A1 is right" in text_of(unusual)
    assert amelias.send(asked, **choice, confirm_amount=f"{name}=1.00").status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(1)}


def test_amount_of_a_removed_product_is_kept_as_a_row_without_a_place(
    amelias: Grid, client: Client, cast: Cast, products: list[Product]
) -> None:
    form = amelias.open()
    operations.remove_part(client, Entry(PRODUCT, products[2].id), edit_from(1, cast.daniel.id))
    db.session.commit()

    rejected = amelias.send(form, A1="101", L1="9")

    assert rejected.status_code == 422
    assert form_of(rejected)["unplaced"] == "ISA L1\t9"
    assert values_of(client, TODAY) == {}
    assert amelias.send(form_of(rejected), unplaced="").status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(101)}


def test_only_as_many_removed_products_are_named_as_a_client_can_have(
    amelias: Grid, client: Client, cast: Cast, products: list[Product]
) -> None:
    """The name of each is looked for in the whole history: 5,000 invented ones kept the database busy for 4 seconds."""
    form = amelias.open()
    operations.remove_part(client, Entry(PRODUCT, products[2].id), edit_from(1, cast.daniel.id))
    db.session.commit()
    invented = {f"amount_{1_000_000 + number}": "1" for number in range(MAX_PRODUCTS)}
    own = form.pop(amelias.fields["L1"])

    first = amelias.send({amelias.fields["L1"]: own, **form, **invented}, L1="9")
    last = amelias.send({**form, **invented}, L1="9")

    rows = [form_of(rejected)["unplaced"].splitlines() for rejected in (first, last)]
    assert [len(each) for each in rows] == [MAX_PRODUCTS + 1] * 2
    assert (rows[0][0], rows[1][-1]) == ("ISA L1\t9", f"{amelias.fields['L1']}\t9")


def test_product_of_another_client_is_not_in_the_grid_and_not_named(amelias: Grid, client: Client) -> None:
    other = make_product(make_client("Hart Family"), plan_number="SECRET1")

    rejected = amelias.send(amelias.open(), **{f"amount_{other.id}": "5"})

    assert rejected.status_code == 422
    assert form_of(rejected)["unplaced"] == f"amount_{other.id}\t5"
    assert "SECRET1" not in rejected.text


def test_draft_of_a_day_is_restored_in_its_grid_and_merged_when_it_is_saved(
    amelias: Grid, daniels: Grid, client: Client
) -> None:
    a1, a2 = amelias.fields["A1"], amelias.fields["A2"]
    draft = {"version": 1, "seen": "", "values": {a1: "102", a2: "half", "unplaced": "B9\t5", "valued_on": "?"}}
    url = f"/edit_drafts/client-{client.id}?form=valuations/2026-11-27&draft=d"
    assert amelias.browser.call("PUT", url, json=draft).status_code == 200
    daniels.send(daniels.open(YESTERDAY), A1="101")

    page = text_of(amelias.browser.get(f"/clients/{client.id}"))
    assert "the valuations of 27 Nov 2026" in page
    assert f"{amelias.url}?day=2026-11-27" in links_of(amelias.browser.get(f"/clients/{client.id}"))
    form = amelias.open(YESTERDAY)
    assert (form[a1], form[a2], form["unplaced"], form["version"]) == ("102", "half", "B9\t5", "1")
    assert amelias.open()[a1] == ""
    fixed = {"unplaced": "", "valued_on": "27/11/2026", "A2": ""}
    assert amelias.send(form, **fixed).status_code == 409


def test_amount_that_a_restored_grid_only_showed_is_not_asked_about(
    amelias: Grid, daniels: Grid, client: Client
) -> None:
    url = f"/edit_drafts/client-{client.id}?form=valuations/2026-11-28&draft=d"
    draft = {"version": 1, "seen": "", "values": {amelias.fields["A1"]: "102"}}
    assert amelias.browser.call("PUT", url, json=draft).status_code == 200
    daniels.send(daniels.open(), A2="201")
    form = amelias.open()
    assert (form[amelias.fields["A1"]], form[amelias.fields["A2"]]) == ("102", "201.00")
    daniels.send(daniels.open(), A2="202")

    assert amelias.send(form).status_code == 302

    assert values_of(client, TODAY) == {"A1": Decimal(102), "A2": Decimal(202)}


@pytest.mark.parametrize("name", ["amount_0", "amount_x", "amount_12345678901", "amount", "phone", "amount_4294967296"])
def test_draft_of_a_grid_has_no_other_fields(amelias: Grid, client: Client, name: str) -> None:
    url = f"/edit_drafts/client-{client.id}?form=valuations/2026-11-27&draft=d"
    draft = {"version": 1, "seen": "", "values": {name: "1"}}
    assert amelias.browser.call("PUT", url, json=draft).status_code == 422
    for form in ("valuations/2026-11-29", "valuations/2026-13-01", "valuations/", "valuations"):
        url = f"/edit_drafts/client-{client.id}?form={form}&draft=d"
        assert amelias.browser.call("PUT", url, json={**draft, "values": {"amount_1": "1"}}).status_code == 422


def test_program_saves_and_gets_the_conflicts_by_field(amelias: Grid, daniels: Grid, client: Client) -> None:
    a1, a2 = amelias.fields["A1"], amelias.fields["A2"]
    daniels.send(daniels.open(YESTERDAY), A1="101")
    sent = {"version": 1, "valued_on": "2026-11-27", a1: "102", a2: 202.5}

    asked = amelias.browser.post(amelias.url, json=sent)

    assert asked.status_code == 409
    assert asked.json["version"] == 2
    [conflict] = asked.json["conflicts"]
    assert (conflict["field"], conflict["label"], conflict["base"]) == (a1, "ISA A1", None)
    assert (conflict["theirs"], conflict["yours"], conflict["by"]) == ("101.00", "102.00", "Daniel Okafor")
    saved = amelias.browser.post(amelias.url, json={**sent, "seen_version": 2, f"decide-{a1}": "yours"})
    assert (saved.status_code, saved.json["status"], saved.json["version"]) == (200, "saved", 3)
    assert values_of(client, YESTERDAY) == {"A1": Decimal(102), "A2": Decimal("202.50")}
    unusual = amelias.browser.post(amelias.url, json={"version": 3, a1: "1", "amount_9999": "5"})
    assert unusual.json["detail"] == "amount_9999: is not a field of this form"
    unusual = amelias.browser.post(amelias.url, json={"version": 3, a1: "1"})
    assert unusual.json["confirm"] == {"confirm_amount": f"{a1}=1.00"}
    assert amelias.browser.post(amelias.url, json={"version": 3, a1: "1", **unusual.json["confirm"]}).status_code == 200


def test_amount_that_the_user_keeps_over_one_shown_in_its_cell_is_saved_without_a_question(
    amelias: Grid, daniels: Grid, client: Client, cast: Cast
) -> None:
    form = amelias.open()
    daniels.send(daniels.open(), A1="99", A2="190")
    seen = " ".join(f"{amelias.fields[plan]}:2" for plan in ("A1", "A2"))

    saved = amelias.send(form | {"seen": seen}, A1="101", A2="190")

    assert saved.status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(101), "A2": Decimal(190)}
    key = f"valuation/{id_of('A1')}/amount"
    assert history_of(client)[-1].resolutions == {key: "yours"}
    overruled = db.session.scalars(select(OverruledChange)).one()
    assert (overruled.profile_id, overruled.keys) == (cast.daniel.id, [key])


def test_amount_that_was_changed_again_since_it_was_shown_is_asked_about(
    amelias: Grid, daniels: Grid, client: Client
) -> None:
    form = amelias.open()
    daniels.send(daniels.open(), A1="99")
    daniels.send(daniels.open(), A1="98")

    asked = amelias.send(form | {"seen": f"{amelias.fields['A1']}:2"}, A1="101")

    assert asked.status_code == 409
    assert "£99.00" in text_of(asked)  # what it was when the user decided
    assert values_of(client, TODAY) == {"A1": Decimal(98)}


def test_changes_of_the_day_are_fields_of_the_grid(
    amelias: Grid, daniels: Grid, client: Client, products: list[Product]
) -> None:
    """An open grid shows them beside its cells. Valuations of other days keep their own keys."""
    daniels.send(daniels.open(), A1="99")
    daniels.send(daniels.open(), A1="98", A2="190")
    daniels.send(daniels.open(YESTERDAY), L1="5")
    path = f"/clients/{client.id}/valuation/{id_of('A2')}/remove"
    assert amelias.browser.post(path, data=form_of(amelias.browser.get(path))).status_code == 302

    answer = amelias.browser.get(f"/clients/{client.id}/changes/2026-11-28?since=1").json

    fields = [
        [(each["key"], each.get("raw_before"), each.get("raw")) for each in revision["fields"]]
        for revision in answer["changes"]
    ]
    a1, a2 = amelias.fields["A1"], amelias.fields["A2"]
    assert fields == [
        [(a1, "", "99.00")],
        [(a1, "99.00", "98.00"), (a2, "", "190.00")],
        [(f"valuation/{id_of('L1', YESTERDAY)}", None, None)],
        [(a2, "190.00", "")],
    ]
    assert answer["changes"][1]["fields"][0] == {
        "key": a1,
        "label": "ISA A1",
        "change": "changed",
        "value": "£98.00",
        "raw": "98.00",
        "raw_before": "99.00",
    }
    assert amelias.browser.get(f"/clients/{client.id}/changes/tomorrow?since=1").status_code == 404


def test_amount_set_aside_for_another_users_comes_back_with_the_draft(
    amelias: Grid, daniels: Grid, client: Client
) -> None:
    form = amelias.open()
    daniels.send(daniels.open(), A1="99")
    name = amelias.fields["A1"]
    draft = {"version": 1, "seen": f"{name}:2", "values": {f"aside-{name}": "101"}}
    url = f"/edit_drafts/client-{client.id}?form=valuations/2026-11-28&draft={form['draft']}"
    assert amelias.browser.with_token().call("PUT", url, json=draft).status_code == 200

    restored = amelias.open()

    assert (restored[name], restored[f"aside-{name}"], restored["seen"]) == ("99.00", "101", f"{name}:2")
    rejected = amelias.send(restored, A2="x")
    assert form_of(rejected)[f"aside-{name}"] == "101"


def test_amount_accepted_from_another_user_does_not_go_along_to_another_day(amelias: Grid, daniels: Grid) -> None:
    form = amelias.open()
    daniels.send(daniels.open(), A1="99")

    moved = amelias.send(form | {"seen": f"{amelias.fields['A1']}:2"}, A1="99", A2="102", valued_on="27/11/2026")

    assert moved.status_code == 302
    other_day = amelias.open(YESTERDAY)
    assert [other_day[amelias.fields[plan]] for plan in ("A1", "A2")] == ["", "102"]
