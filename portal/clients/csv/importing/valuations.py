"""The valuations of an import: which of the file's rows differ from what is there, and writing those.

Called by the importer, in this order: make, claim the versions of the clients that it touches, expect the new products,
write.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from portal.clients.csv.importing import store
from portal.clients.csv.importing.changes import Counts, Values
from portal.clients.csv.importing.revisions import ImportHistory
from portal.clients.csv.problems import Problem
from portal.clients.csv.schema import VALUATIONS, ValuationRow
from portal.clients.records import valuation_jumps
from portal.clients.records.valuation_jumps import Before


class ValuationImport:
    """`rows` are the file's, `kept` the products that were there before, by plan number."""

    def __init__(self, rows: Sequence[ValuationRow], kept: Mapping[str, Values]) -> None:
        self._rows = rows
        self._owners: dict[int, int] = {}
        self._differing: list[Any] = []
        self._expect({plan: (product["id"], product["client_id"]) for plan, product in kept.items()})

    @property
    def touched(self) -> set[int]:
        """The ids of the clients whose valuations will be written."""
        return {self._owners[row.product_id] for row in self._differing}

    @property
    def counts(self) -> Counts:
        new = sum(row.kept_id is None for row in self._differing)
        return Counts(new, len(self._differing) - new, len(self._rows) - len(self._differing))

    def expect(self, products: Iterable[Any]) -> None:
        """Rows of the products' table that the import has just added."""
        self._expect({product.plan_number: (product.id, product.client_id) for product in products})

    def write(self, history: ImportHistory, tell: Callable[[int, int], None]) -> None:
        """`tell` hears how many of how many are written."""
        ids = store.write_valuations(self._differing, lambda done: tell(done, len(self._differing)))
        for row in self._differing:
            history.valued(self._owners[row.product_id], ids[row.product_id, row.valued_on], row)

    def jumps(self) -> list[str]:
        """Name the written rows whose amount is far away from the valuation before. Call after `write`."""
        lines = {(row.plan_number, row.valued_on): row.line for row in self._rows}
        return [
            str(
                Problem(
                    VALUATIONS.file,
                    lines[found.plan_number, found.valued_on],
                    "amount_gbp",
                    valuation_jumps.in_words(found.amount, Before(found.before_on, found.before)),
                )
            )
            for found in store.jumps_among(self._differing)
        ]

    def _expect(self, products: Mapping[str, tuple[int, int]]) -> None:
        """Plan number → (product id, client id)."""
        given = [row for row in self._rows if row.plan_number in products]
        product_ids = {plan: product_id for plan, (product_id, _) in products.items()}
        self._owners |= dict(products.values())
        self._differing += store.differing_valuations(given, product_ids)
