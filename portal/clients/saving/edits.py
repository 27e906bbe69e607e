"""A change to a client record as it is sent, what becomes of it, and what can stand in its way.

Used by the operations and the views. Must not import Flask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from portal.clients.permissions import Caller
from portal.clients.records.entries import Entry
from portal.clients.records.revisions import ClientRevision, RevisionMetadata
from portal.editing.base_version import BaseVersion
from portal.editing.merge.budget import Budget
from portal.editing.merge.resolutions import Resolutions, Resolved
from portal.errors import InvalidInput, StaleVersion
from portal.web.actor import UNKNOWN_ORIGIN, RequestOrigin


@dataclass(frozen=True)
class Edit:
    """A change as it was sent: `values` (column → value) hold the fields that were sent and no others.

    `by` is None for a command. `caller` is asked for permission under the lock; None is an operator, who may do
    everything. `to_grant`: the change takes the right to say who sees the client. `proceeded`: the editor was opened by
    Proceed Anyway. `confirmed_amount`: of a valuation, meant although it is far away from the one before.
    `confirmed_another`: the key of a part that looks the same as the one to be added, and is another. `reverts`: the
    version that is undone, and `reason` why. `budget` is that of the request, for comparing texts.
    """

    origin: BaseVersion
    by: int | None
    values: Mapping[str, Any] = field(default_factory=dict)
    caller: Caller | None = None
    to_grant: bool = False
    decisions: Resolutions = field(default_factory=dict)
    source: str = "form"
    proceeded: bool = False
    confirmed_amount: Decimal | None = None
    confirmed_another: str = ""
    reverts: int | None = None
    reason: str = ""
    request_origin: RequestOrigin = UNKNOWN_ORIGIN
    budget: Budget = field(default_factory=Budget)

    def cause(self, merged_with: tuple[int, ...] = (), decisions: Mapping[str, str] | None = None) -> RevisionMetadata:
        """What the history says of it beside the changes."""
        return RevisionMetadata(
            by=self.by,
            source=self.source,
            merged_with=merged_with,
            decisions=decisions,
            proceeded=self.proceeded,
            reverts=self.reverts,
            reason=self.reason,
            request_origin=self.request_origin,
        )


@dataclass(frozen=True)
class Merged:
    """What an edit comes to at the entry's present `row` and the client's present `version`.

    `since` are the revisions that it did not know.
    """

    entry: Entry
    row: Any
    version: int
    decided: Resolved
    since: Sequence[ClientRevision]


@dataclass(frozen=True)
class Saved:
    """An accepted save: the client's version after it, the revisions it was merged with, the part that it added.

    `decided` are the keys that were decided on. Where there was nothing to change, `is_change` is false and the version
    as before.
    """

    version: int
    merged_with: Sequence[ClientRevision] = ()
    decided: frozenset[str] = frozenset()
    entry: Entry | None = None
    is_change: bool = True


class EditConflict(StaleVersion):
    """Others have changed the same fields since, and somebody has to decide (409). Nothing was changed."""

    def __init__(self, merged: Merged) -> None:
        super().__init__("Somebody else has changed the same fields since you opened this.")
        self.merged = merged


class ValueRejected(InvalidInput):
    """A value that is right in itself but is in use already, or not this person's to change (422). Roll back."""


class AmountDoubted(ValueRejected):
    """An amount far away from the valuation before, to be confirmed (422): sent again as `confirmed_amount`."""

    def __init__(self, amount: Decimal, problem: str) -> None:
        super().__init__("amount", problem)
        self.amount = amount


class PartDoubted(ValueRejected):
    """The part may be there already (422): `entry`, called `name`. Sent again with its key as `confirm_another`, the
    part is added as another one, where it `can_be_another`.
    """

    def __init__(self, entry: Entry, name: str, field: str, problem: str, *, can_be_another: bool) -> None:
        super().__init__(field, problem)
        self.entry = entry
        self.name = name
        self.can_be_another = can_be_another


class EntryRemoved(StaleVersion):
    """The part has been removed since (409); `revision` did it."""

    def __init__(self, entry: Entry, revision: ClientRevision) -> None:
        super().__init__(f"This {entry.kind.label} has been removed since you opened it.")
        self.entry = entry
        self.revision = revision


class EntryChanged(StaleVersion):
    """The part that was to be removed has been changed since (409), by the revisions `since`."""

    def __init__(self, entry: Entry, since: Sequence[ClientRevision]) -> None:
        super().__init__(f"This {entry.kind.label} has been changed since you opened it.")
        self.entry = entry
        self.since = since
