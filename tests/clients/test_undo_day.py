"""Undo all valuations that a grid has saved as one change, which is merged product by product."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal import clock
from portal.clients import Client, Product, Valuation
from portal.extensions import db
from portal.notifications.models import Notification
from tests.clients.conftest import history_of, values_of
from tests.support.cast import Cast
from tests.support.factories import make_client, make_product
from tests.support.html import form_of, links_of, text_of
from tests.support.test_client import Visitor

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
TODAY, MARCH = date(2026, 11, 28), date(2026, 3, 31)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def products(client: Client) -> list[Product]:
    """A1, valued at £100.00 today, A2 and A3 without a valuation of today."""
    return [
        make_product(client, (TODAY, "100"), plan_number="A1"),
        make_product(client, (MARCH, "200"), plan_number="A2"),
        make_product(client, (MARCH, "300"), plan_number="A3"),
    ]


@pytest.fixture
def url(client: Client) -> str:
    return f"/clients/{client.id}"


@pytest.fixture
def saved_grid(amelia: Visitor, url: str, products: list[Product]) -> dict[str, str]:
    """Amelia saves £110, £220 and £330 as change 2. Return the names of the fields by plan number."""
    fields = {product.plan_number: f"amount_{product.id}" for product in products}
    typed = {fields["A1"]: "110", fields["A2"]: "220", fields["A3"]: "330"}
    assert amelia.post(f"{url}/valuations", data=form_of(amelia.get(f"{url}/valuations")) | typed).status_code == 302
    return fields


def ask(browser: Visitor, url: str, version: int = 2) -> TestResponse:
    return browser.get(f"{url}/history/{version}/revert?entry=valuations")


def undo(browser: Visitor, url: str, **sent: str) -> TestResponse:
    return browser.post(f"{url}/history/2/revert", data=form_of(ask(browser, url)) | sent)


def enter(browser: Visitor, url: str, field: str, amount: str) -> None:
    form = form_of(browser.get(f"{url}/valuations"))
    assert browser.post(f"{url}/valuations", data=form | {field: amount}).status_code == 302


def test_whole_grid_is_undone_as_one_change(
    amelia: Visitor, daniel: Visitor, client: Client, url: str, saved_grid: dict[str, str]
) -> None:
    link = f"{url}/history/2/revert?entry=valuations"
    assert any(found.startswith(link) for found in links_of(daniel.get(f"{url}/history")))
    page = text_of(ask(daniel, url))
    assert "What changes of the valuations of 28 Nov 2026" in page
    assert "ISA A1 £110.00 → £100.00" in page
    assert "ISA A2 £220.00 → empty" in page

    assert undo(daniel, url, reason="Wrong day").status_code == 302

    assert values_of(client, TODAY) == {"A1": Decimal(100)}
    assert values_of(client, MARCH) == {"A2": Decimal(200), "A3": Decimal(300)}
    revision = history_of(client)[-1]
    assert (revision.version, revision.source, revision.reverts, revision.reason) == (3, "revert", 2, "Wrong day")
    assert len(revision.changes) == 3
    history = daniel.get(f"{url}/history")
    assert text_of(history).count("Undone by Daniel Okafor") == 3
    assert not any(found.startswith(link) for found in links_of(history))
    assert "This change is undone already, by Daniel Okafor in change 3." in text_of(ask(amelia, url))
    assert db.session.scalars(select(Notification.kind).where(Notification.version == 3)).all() == ["overruled"]


def test_product_that_another_user_has_changed_since_is_asked_about(
    amelia: Visitor, daniel: Visitor, client: Client, url: str, saved_grid: dict[str, str]
) -> None:
    enter(daniel, url, saved_grid["A2"], "225")
    assert "Daniel Okafor has changed this since: you are asked" in text_of(ask(amelia, url))

    asked = undo(amelia, url)

    assert asked.status_code == 409
    assert "One field of the valuations of 28 Nov 2026 needs your decision" in text_of(asked)
    assert len(history_of(client)) == 2
    sent = form_of(asked) | {f"decide-{saved_grid['A2']}": "theirs"}
    assert amelia.post(f"{url}/history/2/revert", data=sent).status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(100), "A2": Decimal(225)}


def test_custom_value_of_the_conflict_page_is_checked_as_in_the_grid(
    amelia: Visitor, daniel: Visitor, client: Client, url: str, saved_grid: dict[str, str]
) -> None:
    field = saved_grid["A2"]
    enter(daniel, url, field, "225")
    custom = {f"decide-{field}": "third", f"third-{field}": "2"}

    asked = amelia.post(f"{url}/history/2/revert", data=form_of(undo(amelia, url)) | custom)

    assert asked.status_code == 409
    assert "£2.00 is 99% less than the valuation before" in text_of(asked)
    confirmed = form_of(asked) | custom | {"confirm_amount": f"{field}=2.00"}
    assert amelia.post(f"{url}/history/2/revert", data=confirmed).status_code == 302
    assert values_of(client, TODAY) == {"A1": Decimal(100), "A2": Decimal(2)}


def test_products_removed_and_valuations_moved_since_do_not_stop_the_undo(
    amelia: Visitor, client: Client, url: str, products: list[Product], saved_grid: dict[str, str]
) -> None:
    db.session.delete(db.session.get_one(Product, products[2].id))
    db.session.commit()
    of_today = select(Valuation).where(Valuation.product_id == products[1].id, Valuation.valued_on == TODAY)
    moved = db.session.scalars(of_today).one()
    path = f"{url}/valuation/{moved.id}/edit"
    assert amelia.post(path, data=form_of(amelia.get(path)) | {"valued_on": "27/11/2026"}).status_code == 302

    assert undo(amelia, url).status_code == 302

    assert values_of(client, TODAY) == {"A1": Decimal(100)}
    assert values_of(client, date(2026, 11, 27)) == {"A2": Decimal(220)}


def test_change_of_anything_else_is_not_undone_as_valuations(
    amelia: Visitor, url: str, client: Client, saved_grid: dict[str, str]
) -> None:
    form = form_of(amelia.get(f"{url}/edit"))
    assert amelia.post(f"{url}/edit", data=form | {"phone": "0117 496 0411"}).status_code == 302

    refused = ask(amelia, url, version=3)
    by_program = amelia.post(f"{url}/history/3/revert", json={"version": 3, "entry": "valuations"})

    assert (refused.status_code, by_program.status_code) == (422, 422)
    assert by_program.json["field"] == "entry"
    assert len(history_of(client)) == 2


def test_program_undoes_a_grid_and_gets_the_conflicts(
    amelia: Visitor, daniel: Visitor, client: Client, url: str, saved_grid: dict[str, str]
) -> None:
    enter(daniel, url, saved_grid["A2"], "225")
    body = {"version": 3, "entry": "valuations"}

    asked = amelia.post(f"{url}/history/2/revert", json=body)
    only = amelia.post(f"{url}/history/2/revert", json=body | {"only": "amount"})

    assert (asked.status_code, [each["field"] for each in asked.json["conflicts"]]) == (409, [saved_grid["A2"]])
    assert (asked.json["conflicts"][0]["theirs"], asked.json["conflicts"][0]["yours"]) == ("225.00", None)
    assert (only.status_code, only.json["field"]) == (422, "only")
    decided = body | {"seen_version": 3, f"decide-{saved_grid['A2']}": "yours"}
    assert amelia.post(f"{url}/history/2/revert", json=decided).json == {"status": "reverted", "version": 4}
    assert values_of(client, TODAY) == {"A1": Decimal(100)}


def test_reader_and_another_client_undo_nothing(
    visit: type[Visitor], cast: Cast, amelia: Visitor, client: Client, saved_grid: dict[str, str]
) -> None:
    other, sent = make_client("Reed"), {"version": "2", "entry": "valuations"}

    for browser, asked, status in ((visit(cast.rhys), client, 403), (amelia, other, 404)):
        address = f"/clients/{asked.id}"
        assert ask(browser, address).status_code == status
        assert browser.post(f"{address}/history/2/revert", data=sent).status_code == status
    assert values_of(client, TODAY) == {"A1": Decimal(110), "A2": Decimal(220), "A3": Decimal(330)}
