"""Define a change to a client record, its result and the errors that it can raise.

Must not import Flask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from portal.clients.records.display import display_value
from portal.clients.records.entries import Entry
from portal.clients.records.models import Record
from portal.clients.records.revisions import ClientRevision, last_change, to_json
from portal.clients.saving.write_context import WriteContext
from portal.editing.merge.resolutions import Resolutions, Resolved
from portal.errors import InvalidInput, StaleVersion


@dataclass(frozen=True)
class Edit:
    """A change as it was sent. `values` has only the columns that were sent.

    `resolutions` are those of the conflict page. `to_grant`: the change needs the permission to manage access.
    `proceeded`: Proceed Anyway opened the editor. `confirmed_amount`: the amount of a valuation that the user has
    confirmed. `confirmed_another`: the key of a part that looks the same as the added one and that the user has
    confirmed to be another. `reverts` is the version that is undone, and `reason` its reason.
    """

    context: WriteContext
    values: Mapping[str, Any] = field(default_factory=dict)
    resolutions: Resolutions = field(default_factory=dict)
    to_grant: bool = False
    proceeded: bool = False
    confirmed_amount: Decimal | None = None
    confirmed_another: str = ""
    reverts: int | None = None
    reason: str = ""


class MergedValues(Protocol):
    """The result of merging sent values with the client's current ones at its current `version`.

    `labels` has all fields that the sender could have changed, in the order of the form.
    """

    @property
    def labels(self) -> Mapping[str, str]: ...

    @property
    def version(self) -> int: ...

    @property
    def resolved(self) -> Resolved: ...

    def saved_value(self, name: str) -> Any:
        """Return the field's current value."""

    def last_change_of(self, name: str) -> ClientRevision | None:
        """Return the newest revision that changed the field and that the sender did not know."""

    def display(self, name: str, value: Any) -> str:
        """Return the text that users read for a value of the field."""

    def is_by_lines(self, name: str) -> bool:
        """Return whether the field is a text that is merged line by line."""


@dataclass(frozen=True)
class Merged:
    """The result of merging an edit with the entry's current `row` (MergedValues).

    `newer_revisions` are the revisions that the sender did not know.
    """

    entry: Entry
    row: Record
    version: int
    resolved: Resolved
    newer_revisions: Sequence[ClientRevision]

    @property
    def labels(self) -> Mapping[str, str]:
        return self.entry.kind.labels

    def saved_value(self, name: str) -> Any:
        return getattr(self.row, name)

    def last_change_of(self, name: str) -> ClientRevision | None:
        return last_change(self.newer_revisions, self.entry.key(name))

    def display(self, name: str, value: Any) -> str:
        return display_value(self.entry.kind, name, to_json(value))

    def is_by_lines(self, name: str) -> bool:
        return name in self.entry.kind.by_lines


@dataclass(frozen=True)
class Saved:
    """An accepted save: the client's new version, the revisions it was merged with, and the added part.

    `resolved_keys` are those with a resolution. If nothing was to change, `is_change` is false and the version is the
    previous one.
    """

    version: int
    merged_with: Sequence[ClientRevision] = ()
    resolved_keys: frozenset[str] = frozenset()
    entry: Entry | None = None
    is_change: bool = True


class EditConflict(StaleVersion):
    """Other users have changed the same fields since, and the user must decide (409). Nothing was changed."""

    def __init__(self, merged: MergedValues) -> None:
        super().__init__("Another user has changed the same fields since you opened this.")
        self.merged = merged


class AddedBefore(StaleVersion):
    """The same form was sent before with other values, and added `entry` in `version` (409). Nothing was changed."""

    def __init__(self, entry: Entry, at: datetime, version: int) -> None:
        label = entry.kind.label
        super().__init__(
            f"This form has added a {label} already, with other values. Send another `draft` to add another."
        )
        self.entry = entry
        self.at = at
        self.version = version


class ValueRejected(InvalidInput):
    """A valid value that is in use already, or that this user may not set (422). The caller rolls back."""


class UnusualAmount(ValueRejected):
    """An amount far from the previous valuation (422). The user confirms it by sending it as `confirmed_amount`."""

    def __init__(self, amount: Decimal, problem: str) -> None:
        super().__init__("amount", problem)
        self.amount = amount


class PossibleDuplicate(ValueRejected):
    """The part may exist already (422), as `entry` with the name `name`.

    If it `can_be_another`, sending its key as `confirm_another` adds the part.
    """

    def __init__(self, entry: Entry, name: str, field: str, problem: str, *, can_be_another: bool) -> None:
        super().__init__(field, problem)
        self.entry = entry
        self.name = name
        self.can_be_another = can_be_another


class EntryRemoved(StaleVersion):
    """The part was removed since by `revision` (409)."""

    def __init__(self, entry: Entry, revision: ClientRevision) -> None:
        super().__init__(f"This {entry.kind.label} has been removed since you opened it.")
        self.entry = entry
        self.revision = revision


class EntryChanged(StaleVersion):
    """The part to be removed was changed since by `newer_revisions` (409)."""

    def __init__(self, entry: Entry, newer_revisions: Sequence[ClientRevision]) -> None:
        super().__init__(f"This {entry.kind.label} has been changed since you opened it.")
        self.entry = entry
        self.newer_revisions = newer_revisions
