"""What has changed on a client record since a version, told to pages that are open on it (docs/api.md).

Called by changes_views.py. Must not import Flask.
"""

from collections.abc import Collection
from itertools import accumulate
from typing import Any

from portal.auth.directory import name_of
from portal.clients.records.display import display_value, form_value
from portal.clients.records.entries import sort_key, split_key
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision, oldest_since
from portal.clients.wording.names import Names, names_in
from portal.clients.wording.overruled import keys_since
from portal.clients.wording.sentences import labels_of

MAX_TOLD = 100
MAX_FIELDS = 1_000
FIRST_VERSION = 1  # of a record without a history


def changes_since(client: Client, version: int, reader_id: int) -> dict[str, Any]:
    """The revisions after `version`, oldest first; `truncated` says that there are more, which are too many to tell.

    Fields say which of the reader's own values were knowingly replaced, or undone.
    """
    found = oldest_since(client.id, version)
    # A save between the two reads is found here although the client was read before it.
    newest = max([client.version, *(revision.version for revision in found)])
    field_counts = accumulate(len(revision.changes) for revision in found)
    told = [revision for revision, count in zip(found, field_counts, strict=True) if count <= MAX_FIELDS]
    told = told[:MAX_TOLD]
    overruled = keys_since(reader_id, client, version) if told else {}
    names = names_in(client.id, told)
    changes = [_revision_to_dict(each, overruled.get(each.version, ()), names) for each in told if each.changes]
    answer = {"version": newest, "changes": changes}
    is_all = newest <= (told[-1].version if told else max(version, FIRST_VERSION))
    return answer if is_all else {**answer, "truncated": True}


def _revision_to_dict(revision: ClientRevision, overruled: Collection[str], names: Names) -> dict[str, Any]:
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


def _field(key: str, old: Any, new: Any, *, overrules: bool, names: Names) -> dict[str, Any]:
    """One field; of a part that was added or removed, that it was, for its values stand on the page itself."""
    entry, column = split_key(key)
    [label] = labels_of([key], names)
    mark = {"overrules_you": True} if overrules else {}
    if not column:
        return {"key": key, "label": label, "change": "removed" if new is None else "added", **mark}
    told = {"value": display_value(entry.kind, column, new), "raw": form_value(new), "raw_before": form_value(old)}
    if overrules:
        told["value_before"] = display_value(entry.kind, column, old)
    return {"key": key, "label": label, "change": "changed", **told, **mark}
