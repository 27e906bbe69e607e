"""Select the users about whom the Concurrent Access dialog asks before a user edits. Pure."""

from collections.abc import Iterable

from portal.presence.roster import Viewer


def conflicting_viewers(viewers: Iterable[Viewer], profile_id: int, edit_warning: str) -> list[Viewer]:
    """Return the other viewers that may edit, in the order in which they entered.

    `edit_warning` is the setting PORTAL_EDIT_WARNING: "editing" selects only those that edit or wait to edit.
    static/js/presence/sync/wait-queue.js has the same rule, for rosters that the browser receives later.
    """
    found = (
        viewer
        for viewer in viewers
        if viewer["id"] != profile_id
        and viewer["may_edit"]
        and (edit_warning == "present" or viewer["activity"] == "editing" or "waiting_since" in viewer)
    )
    return sorted(found, key=lambda viewer: (viewer["entered_at"], viewer["id"]))
