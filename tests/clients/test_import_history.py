"""Write one version and one revision for each client that an import changes."""

from decimal import Decimal
from typing import Any

from sqlalchemy import select

from portal.clients import Client, Product, Valuation
from portal.clients.csv.importing.importer import import_folder
from portal.clients.records.revisions import ClientRevision
from portal.extensions import db
from tests.support.csv_folder import CsvFolder


def imported(folder: CsvFolder) -> None:
    import_folder(folder.path)
    db.session.commit()


def only(model: type[Any]) -> Any:
    return db.session.scalars(select(model)).one()


def revisions() -> list[ClientRevision]:
    return list(db.session.scalars(select(ClientRevision).order_by(ClientRevision.client_id, ClientRevision.version)))


def test_new_clients_have_no_revision(folder: CsvFolder) -> None:
    imported(folder)
    assert revisions() == []


def test_unchanged_import_writes_no_revision(folder: CsvFolder) -> None:
    imported(folder)
    imported(folder)
    assert revisions() == []
    assert only(Client).version == 1


def test_all_changes_of_a_client_are_one_revision(folder: CsvFolder) -> None:
    imported(folder)
    old_phone, old_amount = only(Client).phone, only(Valuation).amount
    folder.set("clients.csv", "phone", "01632 960999")
    folder.set("products.csv", "fixed_fee_gbp", "130")
    folder.set("valuations.csv", "amount_gbp", "7.50")

    imported(folder)

    [revision] = revisions()
    product, valuation = only(Product), only(Valuation)
    assert (revision.version, revision.source, revision.changed_by) == (2, "import", None)
    assert revision.changed_at == only(Client).updated_at
    assert revision.changes["phone"] == [old_phone, "01632 960999"]
    assert revision.changes[f"product/{product.id}/fixed_fee"][1] == "130.00"
    assert revision.changes[f"valuation/{valuation.id}/amount"] == [str(old_amount), "7.50"]
    assert valuation.amount == Decimal("7.50")
