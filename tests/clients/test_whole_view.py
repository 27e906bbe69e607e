"""Test what is read of a whole view: its order, and its CSV."""

import csv
import io
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Column, select, update
from sqlalchemy.sql.visitors import iterate

from portal import clock
from portal.audit import AuditEvent
from portal.auth import Profile
from portal.auth.sessions import store
from portal.clients import Client
from portal.clients.listing import csv_rows
from portal.clients.listing.filters import VIEWS, ListFilters
from portal.clients.listing.queries import _in_view, _matching
from portal.clients.saving.versions import LISTED_COLUMNS, affects_lists
from portal.extensions import db
from portal.web.pagination import PAGE_SIZE
from tests.support.cast import Cast
from tests.support.factories import make_client, make_product
from tests.support.problems import assert_problem
from tests.support.test_client import Visitor, identity_of

Visit = type[Visitor]
TODAY = date(2026, 11, 22)
STATUSES = (("a", "active"), ("b", "dormant"), ("c", "active"))


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: TODAY)


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia)


def exported(browser: Visitor, **query: Any) -> list[list[str]]:
    response = browser.get("/clients.csv", query_string=query)
    assert response.status_code == 200
    assert response.mimetype == "text/csv"
    return list(csv.reader(io.StringIO(response.text)))


def test_csv_has_all_clients_of_the_view_in_its_order(
    amelia: Visitor, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "CLIENTS_AT_A_TIME", 10)
    for number in range(PAGE_SIZE + 3):
        client = make_client(f"Client {number:02}", adviser_id=cast.amelia.id)
        make_product(client, (date(2026, 1, 1), str(number % 5)), (date(2026, 2, 1), f"{number}.5"))
    make_client("Other", adviser_id=cast.daniel.id)

    columns, *lines = exported(amelia, view="mine", sort="-total", page=2)

    assert [line[columns.index("name")] for line in lines] == [f"Client {n:02}" for n in range(PAGE_SIZE + 2, -1, -1)]
    assert lines[0][2:] == ["family", "active", "no", "Amelia Hart", "1", "27.50", "2026-02-01", ""]


def test_csv_has_only_clients_that_the_reader_may_see_and_is_audited(visit: Visit, cast: Cast) -> None:
    make_client("Hidden", is_restricted=True)
    make_client("Shown", next_review_on=date(2026, 1, 1))

    [_, line] = exported(visit(cast.rhys), view="overdue", q="sho")

    assert line[1] == "Shown"
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "exported")).one()
    assert event.actor_id == cast.rhys.id
    assert event.about == {"what": "clients", "rows": 1, "view": "overdue", "filters": ["q", "view"]}


def test_client_restricted_while_the_csv_is_read_is_not_in_what_follows(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "CLIENTS_AT_A_TIME", 1)
    ids = [make_client(name).id for name in ("First", "Second")]
    lines = csv_rows.csv_of_clients(ids, TODAY, identity_of(app, cast.daniel))
    next(lines)
    assert "First" in next(lines)

    db.session.execute(update(Client).where(Client.id == ids[1]).values(is_restricted=True))
    db.session.commit()

    assert next(lines) == ""


@pytest.mark.parametrize("is_deactivated", [True, False])
def test_csv_ends_when_the_session_of_its_reader_ends(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch, is_deactivated: bool
) -> None:
    monkeypatch.setattr(csv_rows, "CLIENTS_AT_A_TIME", 1)
    ids = [make_client(name).id for name in ("First", "Second")]
    lines = csv_rows.csv_of_clients(ids, TODAY, identity_of(app, cast.daniel))
    next(lines)
    assert "First" in next(lines)

    if is_deactivated:
        db.session.execute(update(Profile).where(Profile.id == cast.daniel.id).values(is_active=False))
    else:
        store.end_all(cast.daniel.id)
    db.session.commit()

    assert list(lines) == []


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"])
def test_csv_contains_no_formula(amelia: Visitor, name: str) -> None:
    make_client(name)

    [_, line] = exported(amelia, view="all")
    assert line[1] == f"'{name}"


def test_order_has_the_clients_around_a_page_with_their_versions(visit: Visit, cast: Cast) -> None:
    ids = [make_client(f"Client {number:02}").id for number in range(PAGE_SIZE * 2)]
    make_client("Client hidden", is_restricted=True)
    browser = visit(cast.rhys)

    response = browser.get("/clients/order?view=all&page=2")
    assert response.json == {"start": 1, "clients": [[number, 1] for number in ids]}
    part = browser.get("/clients/order?view=all&sort=-name&start=49")
    assert part.json == {"start": 49, "clients": [[ids[1], 1], [ids[0], 1]]}
    assert browser.get("/clients/order?view=restricted&q=client").json["clients"] == []


@pytest.mark.parametrize("search", ["", "&q=client", "&q=client+01", "&sort=total"])
def test_order_among_named_clients_has_those_of_the_view(visit: Visit, cast: Cast, search: str) -> None:
    first, second, third = (make_client(f"Client 01{letter}", status=status) for letter, status in STATUSES)
    make_client("Client 01x")
    hidden = make_client("Client 01y", is_restricted=True)
    named = "".join(f"&client={number}" for number in (third.id, hidden.id, second.id, first.id, first.id, 999, "x"))
    for status, expected in (("&status=active", [first, third]), ("", [first, second, third])):
        response = visit(cast.rhys).get(f"/clients/order?view=all{search}{status}{named}")
        assert response.json == {"start": 1, "clients": [[client.id, 1] for client in expected]}
    assert visit(cast.rhys).get(f"/clients/order?view=all{search}&client=x").json["clients"] == []


def test_order_among_more_than_200_clients_is_422(visit: Visit, cast: Cast) -> None:
    named = "&".join(f"client={number}" for number in range(201))
    response = visit(cast.rhys).get(f"/clients/order?{named}", headers={"Accept": "application/json"})
    assert_problem(response, 422)
    assert "client" in response.json["detail"]


@pytest.mark.parametrize("view", VIEWS)
def test_change_of_each_column_of_a_view_notifies_lists(app: Flask, cast: Cast, view: str) -> None:
    """Presence decides who is in “In use now”."""
    conditions = _in_view(ListFilters(view=view, adviser=1), Client, TODAY, cast.amelia)
    conditions += _matching(ListFilters(status="active"), Client, cast.amelia)
    columns = {node for condition in conditions for node in iterate(condition) if isinstance(node, Column)}
    assert {column.name for column in columns if column.table is Client.__table__} - {"id"} <= LISTED_COLUMNS


@pytest.mark.parametrize("key", ["name", "client_ref", "postcode", "phone", "email", "person/1/ni_number", "product/2"])
def test_change_of_what_a_search_reads_notifies_lists_and_a_valuation_does_not(key: str) -> None:
    assert affects_lists(["objectives", key])
    assert not affects_lists(["objectives", "valuation/3/amount"])
