"""Merge the texts of an open editor with those that other users have saved (docs/api.md).

Reads, never writes. Must not import Flask.
"""

from portal.clients.records.entries import CLIENT, Entry
from portal.clients.records.models import Client
from portal.clients.saving.edits import Edit
from portal.clients.saving.merging import HistorySlice, merge_with_current
from portal.editing.merge.inline_diff import abridged_diff
from portal.editing.merge.texts import merge_texts, united
from portal.editing.merge.three_way import UNKNOWN


def text_merges(client: Client, edit: Edit) -> dict[str, object]:
    """Return the client's version and, for each text of the edit, the saved text and the merge.

    Where both sides changed the same lines, `merged` is None, and `yours` and `both` are the options. `changes` is the
    diff of the other users' changes since the base version, or None if it is unknown or too costly.
    """
    merged = merge_with_current(client, Entry(CLIENT), edit)
    conflicts = {conflict.field: conflict for conflict in merged.resolved.unresolved}
    history = HistorySlice(client, merged.entry, merged.newer_revisions)
    texts = {}
    for name in edit.values:
        saved, conflict = getattr(client, name), conflicts.get(name)
        started = history.value_at(name, edit.context.base_version.version_of(name), saved)
        texts[name] = {
            "saved": saved,
            "merged": None if conflict else merged.resolved.changes.get(name, saved),
            "yours": conflict.yours if conflict else None,
            "both": conflict.both if conflict else None,
            "changes": None if started is UNKNOWN else abridged_diff(started, saved, edit.context.budget),
        }
    return {"version": client.version, "texts": texts}


def unsaved_text_merge(client: Client, unsaved: Edit, mine: str) -> dict[str, object]:
    """Return how another user's unsaved text differs from the saved one, and its merge with `mine`.

    `unsaved` has one text, with the version from which its user started. What was saved since then is merged into it
    first. Where both sides changed the same lines, `merged` has the lines of both, so that nothing is lost. `changes`
    is None if the comparison is too costly.
    """
    [(name, text)] = unsaved.values.items()
    budget = unsaved.context.budget
    resolved = merge_with_current(client, Entry(CLIENT), unsaved).resolved
    saved = getattr(client, name)
    theirs = next((conflict.both for conflict in resolved.unresolved), None) or resolved.changes.get(name, saved)
    merge = merge_texts(saved, theirs, mine, budget)
    return {
        "version": client.version,
        "changes": abridged_diff(saved, text, budget),
        "merged": united(theirs, mine, budget) if merge is None else merge.both,
    }
