"""Return the changes of a client record since a version, for pages that show it (docs/api.md).

Must not import Flask.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from portal.auth.directory import name_of
from portal.clients.records.display import display_value, form_value
from portal.clients.records.entries import sort_key, split_key
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision, oldest_since
from portal.clients.saving import day_merging
from portal.clients.saving.day_merging import AmountChange
from portal.clients.wording.names import Names, names_in
from portal.clients.wording.overruled import keys_since
from portal.clients.wording.sentences import labels_of
from portal.editing.base_version import BaseVersion
from portal.formatting import gbp

MAX_CHANGES = 100
MAX_FIELDS = 1_000
FIRST_VERSION = 1  # of a record without a history


def changes_since(client: Client, version: int, reader_id: int, day: date | None = None) -> dict[str, object]:
    """Return the revisions after `version`, oldest first. `truncated` means that there are more than the limits allow.

    `overrules_you` marks fields in which another user has overruled or undone the reader's own value. With a `day`,
    amounts of that day are fields named as in the grid (saving/day_merging.py).
    """
    found = oldest_since(client.id, version)
    # The client was read first, so a save between the two reads is only in `found`.
    newest = max([client.version, *(revision.version for revision in found)])
    field_counts = accumulate(len(revision.changes) for revision in found)
    shown = [revision for revision, count in zip(found, field_counts, strict=True) if count <= MAX_FIELDS]
    shown = shown[:MAX_CHANGES]
    overruled = keys_since(reader_id, client, version) if shown else {}
    names = names_in(client.id, shown)
    amounts = _amounts_of_day(client, day, version) if day and shown else {}
    changes = [
        _revision_to_dict(each, overruled.get(each.version, ()), names, amounts.get(each.version, ()))
        for each in shown
        if each.changes
    ]
    result = {"version": newest, "changes": changes}
    is_all = newest <= (shown[-1].version if shown else max(version, FIRST_VERSION))
    return result if is_all else {**result, "truncated": True}


class _Amount(NamedTuple):
    """The change of one amount of the grid, with the name and the label of its field."""

    name: str
    label: str
    change: AmountChange


def _amounts_of_day(client: Client, day: date, version: int) -> dict[int, list[_Amount]]:
    """Return the changed amounts of the day by version, in the order of the products."""
    history = day_merging.day_history(client, day, BaseVersion(max(version, FIRST_VERSION)))
    found: dict[int, list[_Amount]] = defaultdict(list)
    for name, label in day_merging.labels_of(client).items():
        for change in history.changes.get(name, ()):
            found[change.revision.version].append(_Amount(name, label, change))
    return found


def _revision_to_dict(
    revision: ClientRevision, overruled: Collection[str], names: Names, amounts: Collection[_Amount]
) -> dict[str, object]:
    shown_as_amounts = {each.change.entry.prefix for each in amounts}
    return {
        "version": revision.version,
        "by": name_of(revision.changed_by) or None,
        "by_id": revision.changed_by,
        "at": revision.changed_at.isoformat(),
        "source": revision.source,
        "fields": [
            _field(key, *revision.changes[key], overrules=key in overruled, names=names)
            for key in sorted(revision.changes, key=sort_key)
            if split_key(key)[0].prefix not in shown_as_amounts
        ]
        + [_amount(each, overruled) for each in amounts],
    }


def _amount(amount: _Amount, overruled: Collection[str]) -> dict[str, object]:
    name, label, (_, entry, before, after) = amount
    shown: dict[str, object] = {"value": _gbp(after), "raw": form_value(after), "raw_before": form_value(before)}
    if not {entry.prefix, entry.key("amount")}.isdisjoint(overruled):
        shown |= {"value_before": _gbp(before), "overrules_you": True}
    return {"key": name, "label": label, "change": "changed", **shown}


def _gbp(amount: Decimal | None) -> str:
    return "" if amount is None else gbp(amount)


def _field(key: str, old: object, new: object, *, overrules: bool, names: Names) -> dict[str, object]:
    """Return one changed field, or an added or removed part without its values. The page itself shows those."""
    entry, column = split_key(key)
    [label] = labels_of([key], names)
    mark = {"overrules_you": True} if overrules else {}
    if not column:
        return {"key": key, "label": label, "change": "removed" if new is None else "added", **mark}
    shown = {"value": display_value(entry.kind, column, new), "raw": form_value(new), "raw_before": form_value(old)}
    if overrules:
        shown["value_before"] = display_value(entry.kind, column, old)
    return {"key": key, "label": label, "change": "changed", **shown, **mark}
