"""Read client records. Tests count and time the statements of the list."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    exists,
    false,
    func,
    select,
    text,
    true,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from portal.auth import Profile
from portal.clients.records.models import Client, Person, Product, Valuation
from portal.clients.records.valuation_jumps import PreviousValuation
from portal.editing.drafts.store import EditDraft
from portal.extensions import db
from portal.web.pagination import PAGE_SIZE, Paging

VALUE_HISTORY_MONTHS = 36
# What lists of a client's products show of each.
NAMED_PRODUCT = (
    Product.id,
    Product.plan_number,
    Product.product_name,
    Product.product_type,
    Product.provider,
    Product.status,
)


def people_of(client: Client) -> Sequence[Person]:
    return db.session.scalars(
        select(Person).where(Person.client_id == client.id).order_by(Person.date_of_birth, Person.id)
    ).all()


def products_of(client: Client, today: date, then: date | None = None) -> Sequence[Row[Any]]:
    """Return the client's products with their latest valuation, highest amount first.

    `latest_valued_on` and `latest_amount_gbp` are None for a product without valuations. `earlier_amount_gbp` is the
    value on the earlier day `then`.
    """
    latest, earlier = _valuation_by(today), _valuation_by(then or today)
    return db.session.execute(
        select(
            *NAMED_PRODUCT,
            Product.start_on,
            Product.fixed_fee.label("fixed_fee_gbp"),
            Product.percentage_fee,
            latest.c.valued_on.label("latest_valued_on"),
            latest.c.amount.label("latest_amount_gbp"),
            earlier.c.amount.label("earlier_amount_gbp"),
        )
        .select_from(Product)
        .join(latest, true(), isouter=True)
        .join(earlier, true(), isouter=True)
        .where(Product.client_id == client.id)
        .order_by(latest.c.amount.desc().nulls_last(), Product.plan_number)
    ).all()


def valuation_rows(client: Client, day: date) -> Sequence[Row[Any]]:
    """Return the client's products with the amount of the day, and with their newest valuation before it.

    `amount_gbp`, `before_valued_on` and `before_amount_gbp` are None without such a valuation. The order does not
    depend on values, so that a column of amounts fits the rows again after a save.
    """
    before, of_day = _latest_valuation(Valuation.valued_on < day), aliased(Valuation)
    return db.session.execute(
        select(
            *NAMED_PRODUCT,
            of_day.amount.label("amount_gbp"),
            before.c.valued_on.label("before_valued_on"),
            before.c.amount.label("before_amount_gbp"),
        )
        .select_from(Product)
        .join(of_day, and_(of_day.product_id == Product.id, of_day.valued_on == day), isouter=True)
        .join(before, true(), isouter=True)
        .where(Product.client_id == client.id)
        .order_by(Product.provider, Product.product_name, Product.plan_number)
    ).all()


def value_history(client: Client, today: date) -> list[tuple[date, Decimal]]:
    """Return (day, total of the valuations known by then) for the last three years, one month apart.

    Days are counted back from today, so the last total is today's. Days before the first valuation are omitted.
    """
    days = (
        func.generate_series(
            today, today - timedelta(days=VALUE_HISTORY_MONTHS * 365 // 12), text("interval '-1 month'")
        )
        .table_valued("day")
        .render_derived()
    )
    on_day = _valuation_by(days.c.day)
    rows = db.session.execute(
        select(func.date(days.c.day).label("day"), func.sum(on_day.c.amount).label("total"))
        .select_from(days)
        .join(Product, Product.client_id == client.id)
        .join(on_day, true())
        .group_by(days.c.day)
        .order_by(days.c.day)
    )
    return [(row.day, row.total) for row in rows]


def valuations_of(product: Product, page: int) -> tuple[Sequence[Valuation], Paging]:
    """Return one page of a product's valuations, latest first. A page past the end becomes the last."""
    mine = Valuation.product_id == product.id
    total = valuation_count(product)
    paging = Paging.near(page, total)
    rows = select(Valuation).where(mine).order_by(Valuation.valued_on.desc())
    return db.session.scalars(rows.limit(PAGE_SIZE).offset(paging.offset)).all(), paging


def valuation_count(product: Product) -> int:
    mine = Valuation.product_id == product.id
    return db.session.scalar(select(func.count()).select_from(Valuation).where(mine)) or 0


def valuation_before(product_id: int, day: date, ignored_id: int | None = None) -> PreviousValuation | None:
    """Return the product's newest valuation before the day, except the one that is being changed."""
    others = [Valuation.product_id == product_id, Valuation.valued_on < day, Valuation.id.is_distinct_from(ignored_id)]
    query = select(Valuation.valued_on, Valuation.amount).where(*others)
    row = db.session.execute(query.order_by(Valuation.valued_on.desc()).limit(1)).first()
    return PreviousValuation(row.valued_on, row.amount) if row else None


def valuations_before(product_ids: Collection[int], day: date) -> dict[int, PreviousValuation]:
    """Return the newest valuation before the day of each product that has one."""
    before = _latest_valuation(Valuation.valued_on < day)
    wanted = select(Product.id, before.c.valued_on, before.c.amount).join(before, true())
    rows = db.session.execute(wanted.where(Product.id.in_(product_ids)))
    return {row.id: PreviousValuation(row.valued_on, row.amount) for row in rows}


def _has_draft(reader: Profile) -> ColumnElement[bool]:
    """Return the condition that the reader has unsaved input for the client."""
    page_identifier = func.concat("client-", Client.id)
    mine = (EditDraft.profile_id == reader.id, EditDraft.page_identifier == page_identifier)
    return exists().where(*mine) if reader.may_write else false()


def _valuation_by(day: Any) -> LateralFromClause:
    """Select the value of a product on a day, for every total, list and chart: its newest valuation up to then."""
    return _latest_valuation(Valuation.valued_on <= day)


def _latest_valuation(condition: ColumnElement[bool]) -> LateralFromClause:
    return (
        select(Valuation.valued_on, Valuation.amount)
        .where(Valuation.product_id == Product.id, condition)
        .order_by(Valuation.valued_on.desc())
        .limit(1)
        .lateral()
    )
