"""Fixtures: users with browsers, the editors of one client, and the CSV files of an import."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.clients import Client, Product, Valuation
from portal.clients.records.revisions import ClientRevision
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.csv_folder import CsvFolder
from tests.support.html import form_of
from tests.support.test_client import Visitor


@pytest.fixture
def amelia(visit: type[Visitor], cast: Cast) -> Visitor:
    return visit(cast.amelia)


@pytest.fixture
def daniel(visit: type[Visitor], cast: Cast) -> Visitor:
    return visit(cast.daniel)


@pytest.fixture
def ada(visit: type[Visitor], cast: Cast) -> Visitor:
    return visit(cast.ada)


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> CsvFolder:
    return CsvFolder(tmp_path / "in")


class ClientEditor:
    """The editors of one client in one user's browser. `path` is relative to the client's address."""

    def __init__(self, browser: Visitor, client: Client) -> None:
        self.browser = browser
        self.client_id = client.id
        self.address = f"/clients/{client.id}"

    def open(self, path: str = "/edit") -> dict[str, str]:
        """Return the form as a browser would send it."""
        response = self.browser.get(self.address + path)
        assert response.status_code == 200, response.text
        return form_of(response)

    def send(self, form: dict[str, str], path: str = "/edit", **typed: str) -> TestResponse:
        return self.browser.post(self.address + path, data={**form, **typed})

    def change(self, path: str = "/edit", **typed: str) -> TestResponse:
        """Open the editor and save."""
        response = self.send(self.open(path), path, **typed)
        assert response.status_code == 302, response.text
        return response

    def send_json(self, path: str, **fields: Any) -> TestResponse:
        """Send JSON as a program does."""
        return self.browser.post(self.address + path, json=fields)


@pytest.fixture
def amelias_editor(amelia: Visitor, client: Client) -> ClientEditor:
    return ClientEditor(amelia, client)


@pytest.fixture
def daniels_editor(daniel: Visitor, client: Client) -> ClientEditor:
    return ClientEditor(daniel, client)


def history_of(client: Client) -> list[ClientRevision]:
    """Return the client's revisions, oldest first."""
    db.session.rollback()
    mine = select(ClientRevision).where(ClientRevision.client_id == client.id)
    return list(db.session.scalars(mine.order_by(ClientRevision.version)))


def values_of(client: Client, day: date) -> dict[str, Decimal]:
    """Return the amounts of the day by plan number."""
    db.session.rollback()
    rows = select(Product.plan_number, Valuation.amount).join(Valuation, Valuation.product_id == Product.id)
    found = db.session.execute(rows.where(Product.client_id == client.id, Valuation.valued_on == day))
    return {row.plan_number: row.amount for row in found}
