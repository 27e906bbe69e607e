"""Notify colleagues of a change of a client record, in the transaction of the change."""

from collections.abc import Collection

from portal.clients.records.models import Client
from portal.clients.records.revisions import ClientRevision
from portal.notifications import store
from portal.notifications.kinds import Kind, overruled_subject


def notify_colleagues(
    client: Client, revision: ClientRevision, overruled: Collection[int], *, is_one_of_many: bool
) -> None:
    """Notify those whose values the revision overruled, who gain the client, and the client's adviser. Flushes.

    Each of them receives one notification of the change. A command has no author: it notifies only those who gain the
    client. An import notifies no users. Several clients that are handed over together are one notification.
    """
    changes, version, by = revision.changes, revision.version, revision.changed_by

    def notify(kind: Kind, profile_ids: Collection[int], subject: str = "") -> None:
        store.add(kind, profile_ids, client_id=client.id, actor_id=by, subject=subject, version=version)

    notify(Kind.OVERRULED, overruled, overruled_subject(version))
    opened = {
        new["profile_id"]
        for key, (old, new) in changes.items()
        if key.startswith("grant/") and old is None and new is not None
    }
    notify(Kind.OPENED, opened)
    adviser = {client.adviser_id} - opened - set(overruled) if client.adviser_id else set()
    if "adviser_id" in changes and is_one_of_many:
        store.add(Kind.HANDED_OVER, adviser, client_id=None, actor_id=by, client_count=1)
    elif "adviser_id" in changes:
        notify(Kind.HANDED_OVER, adviser)
    elif by is not None and changes:
        notify(Kind.CHANGED, adviser)
