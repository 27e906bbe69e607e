"""Write what else the demo's users leave behind: notifications, visits, the read log, sign-ins and drafts.

Flushes, never commits.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, timedelta

from sqlalchemy import insert

from portal.audit import AuditEvent, Event
from portal.audit.reads import ClientRead
from portal.clients.records.note_models import ClientNote
from portal.clients.visits.store import ClientVisit
from portal.demo.dates import working_days_ago
from portal.demo.files import read
from portal.demo.history import Act, Records
from portal.editing.drafts import store
from portal.editing.drafts.store import EditDraft
from portal.extensions import db
from portal.notifications.kinds import Kind, mention_subject
from portal.notifications.models import Notification

ADDRESS = "192.0.2.{}"  # of the range for documentation, RFC 5737
SIGNED_IN_BEFORE = timedelta(minutes=12)  # the first act of a day
UNREAD_WORKING_DAYS = 2  # users have read the older notifications
READ_AFTER = timedelta(minutes=40)


def add_notifications(acts: Sequence[Act], today: date) -> None:
    """Notify the users as saving/notifying.py does, as long ago as the act."""
    read_before = working_days_ago(UNREAD_WORKING_DAYS, "00:00", today)
    newest = {}
    for act in acts:
        for kind, profile_id, subject in _notified(act):
            key = {"profile_id": profile_id, "kind": kind, "client_id": act.client.id, "actor_id": act.author.id}
            read_at = act.at + READ_AFTER if act.at < read_before else None
            row = key | {"subject": subject, "version": act.version, "created_at": act.at, "read_at": read_at}
            newest[*key.values(), subject] = row
    db.session.execute(insert(Notification), list(newest.values()))


def _notified(act: Act) -> Iterator[tuple[Kind, int, str]]:
    """Yield the notifications of an act: kind, profile and subject."""
    mentioned = set()
    for part in act.parts.values():
        if isinstance(part, ClientNote):
            for *_, profile_id in part.mentions:
                mentioned.add(profile_id)
                yield Kind.MENTIONED, profile_id, mention_subject(part.id)
        else:
            yield Kind.OPENED, part.profile_id, ""
    if act.adviser_id is not None and act.adviser_id not in (act.author.id, *mentioned):
        yield Kind.HANDED_OVER if "adviser_id" in act.fields else Kind.CHANGED, act.adviser_id, ""


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
