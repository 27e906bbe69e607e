"""Write what else the demo's users leave behind: notifications, visits, the read log, sign-ins and drafts.

Flushes, never commits.
"""

from collections.abc import Sequence
from datetime import UTC, date, timedelta

from sqlalchemy import func, insert, update

from portal.audit import AuditEvent, Event
from portal.audit.reads import ClientRead
from portal.clients.records.note_models import ClientNote
from portal.clients.records.revisions import ClientRevision
from portal.clients.saving.mentions import notify_mentioned
from portal.clients.saving.notifying import notify_colleagues
from portal.clients.visits.store import ClientVisit
from portal.demo.dates import working_days_ago
from portal.demo.files import read
from portal.demo.history import Act, Records
from portal.editing.drafts import store
from portal.editing.drafts.store import EditDraft
from portal.extensions import db
from portal.notifications.models import Notification

ADDRESS = "192.0.2.{}"  # of the range for documentation, RFC 5737
SIGNED_IN_BEFORE = timedelta(minutes=12)  # the first act of a day
UNREAD_WORKING_DAYS = 2  # users have read the older notifications
READ_AFTER = timedelta(minutes=40)


def add_notifications(act: Act, revision: ClientRevision, today: date) -> None:
    """Notify the users as a save does, as long ago as the act."""
    for part in act.parts.values():
        if isinstance(part, ClientNote):
            notify_mentioned(part, revision.version, act.author.id)
    notify_colleagues(act.client, revision, (), is_one_of_many=False)
    is_read = act.at < working_days_ago(UNREAD_WORKING_DAYS, "00:00", today)
    added = update(Notification).where(Notification.created_at == func.now())  # the time of this transaction
    values = {"created_at": act.at, "read_at": act.at + READ_AFTER if is_read else None}
    db.session.execute(added.values(values).execution_options(synchronize_session=False))


def add_visits(acts: Sequence[Act]) -> None:
    """Add the last visit of each user to each client, and the hours in which they read it."""
    visits = {(act.author.id, act.client.id): {"version": act.version, "visited_at": act.at} for act in acts}
    rows = [{"profile_id": profile, "client_id": client} | visit for (profile, client), visit in visits.items()]
    db.session.execute(insert(ClientVisit), rows)
    hours = {(act.at.replace(minute=0, second=0), act.client.id, act.author.id) for act in acts}
    reads = [{"hour": hour, "client_id": client, "profile_id": profile} for hour, client, profile in sorted(hours)]
    db.session.execute(insert(ClientRead), reads)


def add_sign_ins(acts: Sequence[Act]) -> None:
    """Add a sign-in for each day on which a user did something, shortly before."""
    first_acts = {(act.at.date(), act.author.id): act.at for act in reversed(acts)}
    db.session.add_all(
        AuditEvent(
            event=Event.SIGNED_IN.value,
            actor_id=profile_id,
            profile_id=profile_id,
            at=at - SIGNED_IN_BEFORE,
            address=ADDRESS.format(profile_id),
        )
        for (_, profile_id), at in sorted(first_acts.items(), key=lambda item: item[1])
    )
    db.session.flush()


def add_drafts(records: Records, today: date) -> None:
    """Add the drafts of drafts.csv."""
    for row in read("drafts.csv", today):
        client = records.clients[row["client_ref"]]
        db.session.add(
            EditDraft(
                profile_id=records.profiles[row["author_email"]].id,
                page_identifier=f"client-{client.id}",
                form="record",
                draft_id=store.new_id(),
                base_version=client.version,
                values={row["field"]: row["value"]},
                updated_at=working_days_ago(int(row["working_days_ago"]), row["at"], today).astimezone(UTC),
            )
        )
    db.session.flush()
