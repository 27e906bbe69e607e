"""Return the changes of a client record since a version, for pages that show it (docs/api.md).

Must not import Flask.
"""

from collections.abc import Collection
from itertools import accumulate

from portal.auth.directory import name_of
from portal.clients.records.display import display_value, form_value
from portal.clients.records.entries import sort_key, split_key
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision, oldest_since
from portal.clients.wording.names import Names, names_in
from portal.clients.wording.overruled import keys_since
from portal.clients.wording.sentences import labels_of

MAX_CHANGES = 100
MAX_FIELDS = 1_000
FIRST_VERSION = 1  # of a record without a history


def changes_since(client: Client, version: int, reader_id: int) -> dict[str, object]:
    """Return the revisions after `version`, oldest first. `truncated` means that there are more than the limits allow.

    `overrules_you` marks fields in which another user has overruled or undone the reader's own value.
    """
    found = oldest_since(client.id, version)
    # The client was read first, so a save between the two reads is only in `found`.
    newest = max([client.version, *(revision.version for revision in found)])
    field_counts = accumulate(len(revision.changes) for revision in found)
    shown = [revision for revision, count in zip(found, field_counts, strict=True) if count <= MAX_FIELDS]
    shown = shown[:MAX_CHANGES]
    overruled = keys_since(reader_id, client, version) if shown else {}
    names = names_in(client.id, shown)
    changes = [_revision_to_dict(each, overruled.get(each.version, ()), names) for each in shown if each.changes]
    result = {"version": newest, "changes": changes}
    is_all = newest <= (shown[-1].version if shown else max(version, FIRST_VERSION))
    return result if is_all else {**result, "truncated": True}


def _revision_to_dict(revision: ClientRevision, overruled: Collection[str], names: Names) -> dict[str, object]:
    return {
        "version": revision.version,
        "by": name_of(revision.changed_by) or None,
        "by_id": revision.changed_by,
        "at": revision.changed_at.isoformat(),
        "source": revision.source,
        "fields": [
            _field(key, *revision.changes[key], overrules=key in overruled, names=names)
            for key in sorted(revision.changes, key=sort_key)
        ],
    }


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
