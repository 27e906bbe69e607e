"""Plan an import from rows and existing records, without a database."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from portal.clients.csv.importing.existing import ExistingRecords
from portal.clients.csv.importing.plan import Counts, ImportPlan, build_plan
from portal.clients.csv.importing.valuations import StoredValuation
from portal.clients.csv.schema import ClientRow, NoteRow, PersonRow, ProductRow, ProfileRow, ValuationKey, ValuationRow
from portal.clients.csv.tables import Table, Tables

DAY = date(2026, 8, 21)
AMELIA = ProfileRow(2, "Amelia", "Hart", "Amelia@firm.example", "adviser")
CLIENT = ClientRow(
    *(2, "KG1", "Whitmore", "family", "active", "AMELIA@firm.example", DAY, "", "", "", "", "", "", 5, "", "", None, "")
)
RUTH = PersonRow(2, "KG1", "Mrs", "Ruth", "Whitmore", "", None, "QQ123456C")
PLAN = ProductRow(2, "KG1", "A100", "ISA", "ISA", "Aviva", "active", None, Decimal(1), Decimal(0))
VALUATION = ValuationRow(2, "A100", DAY, Decimal(100))
NOTE = NoteRow(2, "KG1", "call", DAY, "AMELIA@firm.example", datetime(2026, 8, 21, tzinfo=UTC), None, "", "Rang")


def plan(differing: Mapping[ValuationKey, StoredValuation | None] | None = None, **stored: Any) -> ImportPlan:
    """Plan the import of one row of each; `stored` has values in which the stored records differ."""

    def record(row: Any, **added: Any) -> dict[str, Any]:
        values = row._asdict() | added
        return values | {name: value for name, value in stored.items() if name in values}

    client = record(CLIENT, id=7, version=3, adviser_email="amelia@firm.example")
    product = record(PLAN, id=9, client_id=7, client_version=3)
    existing = ExistingRecords(
        profiles={"amelia@firm.example": record(AMELIA, id=1, email="amelia@firm.example")},
        clients={"KG1": client},
        products={"A100": product},
        people={"KG1": [record(RUTH, id=8, client_id=7)]},
        differing_valuations=differing or {},
        clients_of_former_advisers={},
        notes={NOTE.key} if NOTE.key else (),
        product_counts={"KG1": 1},
        valuation_counts={},
    )
    return build_plan(_tables(), existing)


def _tables() -> Tables:
    return Tables(Table([AMELIA]), Table([CLIENT]), Table([RUTH]), Table([PLAN]), Table([VALUATION]), Table([NOTE]))


def test_new_records_have_natural_keys_and_no_base_version() -> None:
    result = build_plan(_tables(), ExistingRecords({}, {}, {}, {}, {}, {}, (), {}, {}))

    assert result.counts == (Counts(1),) * 6
    assert (result.clients.new[0]["adviser_email"], result.products.new[0]["client_ref"]) == (
        "AMELIA@firm.example",
        "KG1",
    )
    assert result.base_versions == {}


def test_unchanged_records_except_the_case_of_an_email_change_no_client() -> None:
    result = plan()

    assert result.counts[1:] == (Counts(0, 0, 1),) * 5
    assert result.base_versions == {}


def test_changed_part_changes_its_client_once() -> None:
    result = plan(known_as="Ruthie", provider="Zurich", name="Before")

    assert [values for _, values in result.people.changed] == [{"known_as": ""}]
    assert [values for _, values in result.products.changed] == [{"provider": "Aviva"}]
    assert [values for _, values in result.clients.changed] == [{"name": "Whitmore"}]
    assert result.base_versions == {7: 3}


def test_differing_valuation_is_changed_and_missing_one_is_new() -> None:
    changed, new = plan({("A100", DAY): StoredValuation(5, Decimal(99))}), plan({("A100", DAY): None})

    assert (changed.valuations.counts, changed.base_versions) == (Counts(0, 1, 0), {7: 3})
    assert (new.valuations.counts, new.base_versions) == (Counts(1, 0, 0), {7: 3})
