"""Calculate the movement of a client's total, in which new money is not growth."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import clock
from portal.clients import Client
from portal.clients.page.movement import Movement, ThenAndNow, movement_of
from tests.clients.conftest import ClientEditor
from tests.support.factories import make_product
from tests.support.html import text_of
from tests.support.test_client import Visitor

SINCE = date(2026, 3, 31)
MONEY = st.none() | st.decimals("0", "1e9", places=2)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 22, 10, 42, tzinfo=UTC))


def pounds(*products: tuple[int | None, int | None]) -> list[ThenAndNow]:
    return [(None if then is None else Decimal(then), None if now is None else Decimal(now)) for then, now in products]


def moved(products: list[ThenAndNow]) -> Movement:
    movement = movement_of(products, SINCE)
    assert movement is not None
    return movement


def test_movement_of_the_same_products_has_a_percentage() -> None:
    level = moved(pounds((100, 110), (300, 290), (None, None), (0, 0)))

    assert (level.total, level.revalued, level.percent) == (0, 0, 0)
    assert moved(pounds((100, 105))).percent == 5


@pytest.mark.parametrize(
    "products", [[(100, 105), (None, 50)], [(100, 105), (0, 50)], [(100, 105), (50, 0)], [(None, 5)]]
)
def test_movement_with_new_or_ended_products_has_no_percentage(products: list[tuple[int | None, int | None]]) -> None:
    assert moved(pounds(*products)).percent is None


@given(st.lists(st.tuples(MONEY, MONEY)))
def test_parts_of_a_movement_add_up_to_its_total(products: list[ThenAndNow]) -> None:
    movement = moved(products)

    assert movement.total == sum((now or 0) - (then or 0) for then, now in products)
    assert movement.added >= 0 >= movement.ended


def test_page_shows_new_money_separately_without_a_percentage(amelia: Visitor, client: Client) -> None:
    make_product(client, (date(2026, 1, 1), "100000.00"), (date(2026, 11, 20), "101300.00"))
    make_product(client, (date(2026, 11, 20), "10000.00"))

    words = text_of(amelia.get(f"/clients/{client.id}"))

    assert (
        "£111,300.00 +£11,300.00 since 22 Oct 2026 +£10,000.00 of one new product +£1,300.00 by valuations Products"
        in words
    )
    assert "%)" not in words


def test_page_shows_a_percentage_of_the_same_products(amelia: Visitor, client: Client) -> None:
    make_product(client, (date(2026, 1, 1), "100000.00"), (date(2026, 11, 20), "101300.00"))

    assert "+£1,300.00 (+1.3%) since 22 Oct 2026" in text_of(amelia.get(f"/clients/{client.id}"))


def test_page_shows_withdrawals_and_no_movement_without_a_change(amelia: Visitor, client: Client) -> None:
    make_product(client, (date(2026, 1, 1), "500.00"))
    assert "since 22" not in text_of(amelia.get(f"/clients/{client.id}"))

    make_product(client, (date(2026, 1, 1), "250.00"), (date(2026, 11, 20), "0.00"))
    words = text_of(amelia.get(f"/clients/{client.id}"))
    assert "−£250.00 since 22 Oct 2026 −£250.00 of one product now at £0.00" in words


def test_removed_product_counts_on_no_day_in_total_chart_or_movement(
    amelias_editor: ClientEditor, client: Client
) -> None:
    make_product(client, (date(2026, 1, 1), "100000.00"), (date(2026, 11, 20), "101300.00"))
    mistaken = make_product(client, (date(2026, 1, 1), "50000.00"), (date(2026, 11, 20), "60000.00"))
    assert "£161,300.00 +£11,300.00 (+7.5%) since 22 Oct 2026" in text_of(
        amelias_editor.browser.get(amelias_editor.address)
    )

    amelias_editor.change(f"/product/{mistaken.id}/remove")

    words = text_of(amelias_editor.browser.get(amelias_editor.address))
    assert "£101,300.00 +£1,300.00 (+1.3%) since 22 Oct 2026 Products 1" in words
    assert "22 Oct 2026 £100,000.00" in words
    assert "£150,000.00" not in words
