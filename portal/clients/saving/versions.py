"""Create the next version of a client record: the revision, the audit events and the notification of open pages."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from portal import clock
from portal.clients import permissions
from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision, FieldChanges
from portal.clients.saving import auditing
from portal.clients.saving.edits import Edit
from portal.clients.saving.notifying import notify_colleagues
from portal.clients.saving.overruled import record_overruled_changes
from portal.editing import optimistic_lock
from portal.extensions import db
from portal.live import publish
from portal.live.outbox import after_commit

MAX_MERGED_VERSIONS = 50  # the newest of those that a save was merged with
# A change of these can bring a client into a view or into a search of the list (listing/queries.py, search/query.py).
LISTED_COLUMNS = frozenset(
    {"adviser_id", "status", "next_review_on", "is_restricted", "name", "client_ref", "postcode", "email", "phone"}
)
LISTED_PARTS = ("person/", "product/", "grant/")


def create_version(
    client: Client,
    changes: FieldChanges,
    edit: Edit,
    *,
    columns: Mapping[str, object] | None = None,
    resolutions: Mapping[str, str] | None = None,
    merged_with: Sequence[ClientRevision] = (),
) -> int:
    """Write the client's `columns`, the revision of the edit, its audit events and notifications.

    Returns the new version. Flushes.

    Open pages are notified after the commit, and users who lose access are removed from them. `resolutions` are the
    choices by key. Call `operations.lock` first. Without the lock the version check still prevents overwriting another
    user's change.
    """
    at, by = clock.now(), edit.context.actor.profile_id
    stamp = {"updated_at": at, "updated_by": by} if changes else {}
    version = optimistic_lock.update_if_unchanged(
        db.session, Client, client.id, client.version, {**(columns or {}), **stamp}
    )
    revision = ClientRevision(
        client_id=client.id,
        version=version,
        changed_at=at,
        changed_by=by,
        source=edit.context.source,
        changes=changes,
        merged_with=[other.version for other in merged_with[-MAX_MERGED_VERSIONS:]],
        resolutions=dict(resolutions or {}),
        proceeded=edit.proceeded,
        reverts=edit.reverts,
        reason=edit.reason,
    )
    db.session.add(revision)
    db.session.flush()
    auditing.record_audit_events(client, revision, edit.context.actor)
    overruled = record_overruled_changes(revision)
    if permissions.affects_visibility(changes):
        permissions.evict(client.id)
    notify_pages(client.id, version, lists=affects_lists(changes))
    db.session.refresh(client)
    notify_colleagues(client, revision, overruled, is_one_of_many=edit.context.is_one_of_many)
    return version


def affects_lists(keys: Iterable[str]) -> bool:
    """Return whether a change of these keys (revisions.py) can bring the client into a list that does not show it."""
    return any(key in LISTED_COLUMNS or key.startswith(LISTED_PARTS) for key in keys)


def notify_pages(client_id: int, version: int, *, lists: bool) -> None:
    """Notify the open pages of the client after the commit. `lists`: also lists that do not show it."""
    after_commit(partial(publish.saved, page_identifier=f"client-{client_id}", version=version, lists=lists))
