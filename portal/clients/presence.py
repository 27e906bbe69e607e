"""Build the presence context for the templates of client pages."""

from datetime import date

from flask import url_for

from portal import page_kinds
from portal.clients.lost_access import lost_url
from portal.clients.records.models import Client
from portal.config.current import current_settings
from portal.presence.conflicting import conflicting_viewers
from portal.presence.context import EditWarning, PagePresence, presence_of
from portal.presence.roster import viewers
from portal.presence.store import current_store
from portal.web import session_cookie


def presence_on_client(
    client: Client,
    activity: str,
    part: str = "",
    warning: EditWarning | None = None,
    day: date | None = None,
) -> PagePresence:
    """Return the presence context. All pages of a client record share one presence page.

    A user who edits a person of the client therefore sees users who view its products. `part` is the name of the edited
    part, '' for the client's own fields, and `day` that of an edited grid of valuations.
    """
    if day is None:
        changes_url = url_for("client_changes.changes", client_id=client.id)
    else:
        changes_url = url_for("client_changes.changes_of_day", client_id=client.id, day=day)
    return presence_of(
        f"client-{client.id}",
        activity,
        client.name,
        part=part,
        version=client.version,
        changes_url=changes_url,
        lost_url=lost_url(client),
        warning=warning,
    )


def edit_warning_on_client(client: Client, profile_id: int, back_url: str) -> EditWarning:
    """Return the question before the profile edits the client. Reads the roster."""
    settings = current_settings()
    roster = current_store().roster(session_cookie.identity(), page_kinds.parse(f"client-{client.id}"))
    present = viewers(roster, settings.presence.active_window_seconds)
    return EditWarning(conflicting_viewers(present, profile_id, settings.edit_warning), back_url)
