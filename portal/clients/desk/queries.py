"""Read the parts of the desk, each by one statement that also checks the permission. Tests count and time them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import CTE, Integer, Row, Select, String, cast, func, select, true
from sqlalchemy.orm import aliased

from portal.auth import Profile
from portal.clients.permissions import visible_to
from portal.clients.records.models import Client, Person, Product
from portal.config.current import current_settings
from portal.editing.drafts.store import EditDraft
from portal.extensions import db
from portal.notifications.kinds import Kind
from portal.notifications.models import Notification
from portal.presence.models import UserPagePresence
from portal.presence.roster import Roster, Viewer, viewers

MAX_IN_USE = 20
MAX_REVIEWS = 10
MAX_DRAFTS = 8
MAX_MENTIONS = 8
REVIEW_DAYS = 30


class InUse(NamedTuple):
    """A client that other users have open."""

    id: int
    name: str
    client_ref: str
    users: Sequence[Viewer]


class Reviews(NamedTuple):
    """The next reviews of the reader's clients, and how many there are."""

    rows: Sequence[Row[Any]]
    overdue_count: int
    due_count: int


class Draft(NamedTuple):
    """A draft of the reader. `part` is the name of the person or product that its form edits, or None."""

    client_id: int
    client_name: str
    form: str
    draft_id: str
    updated_at: datetime
    part: str | None


def clients_in_use(reader: Profile) -> list[InUse]:
    """Return the clients that other users have open now, the last arrival first.

    Heartbeats do not change the order, so that no row moves while the user points at it.
    """
    window_seconds = current_settings().presence.active_window_seconds
    present = _present(reader, window_seconds)
    chosen = _last_arrivals(reader, present)
    user = func.json_build_array(
        Profile.id,
        Profile.first_name,
        Profile.last_name,
        Profile.email,
        present.c.last_seen,
        present.c.entered_at,
        func.extract("epoch", func.now() - present.c.last_seen),
        True,
        present.c.tabs,
    )
    query: Select[*tuple[Any, ...]] = (
        select(
            chosen.c.id,
            chosen.c.name,
            chosen.c.client_ref,
            func.json_agg(user),
            cast(func.extract("epoch", func.now()), String),
        )
        .join(present, present.c.client_id == chosen.c.id)
        .join(Profile, Profile.id == present.c.user_id)
        .group_by(chosen.c.id, chosen.c.name, chosen.c.client_ref, chosen.c.arrived_at)
        .order_by(chosen.c.arrived_at.desc(), chosen.c.id)
    )
    return [
        InUse(client_id, name, client_ref, viewers(Roster(float(now_epoch), rows), window_seconds))
        for client_id, name, client_ref, rows, now_epoch in db.session.execute(query)
    ]


def _present(reader: Profile, window_seconds: int) -> CTE:
    """Select the rows of presence of other users on client pages."""
    present = UserPagePresence
    number = func.substring(present.page_identifier, "^client-([0-9]{1,10})$")
    window = func.make_interval(0, 0, 0, 0, 0, 0, window_seconds)
    return (
        select(
            cast(number, Integer).label("client_id"),
            present.user_id,
            present.last_seen,
            present.entered_at,
            present.tabs,
        )
        .where(present.user_id != reader.id, present.last_seen > func.now() - window)
        .cte("present")
        .prefix_with("MATERIALIZED")
    )


def _last_arrivals(reader: Profile, present: CTE) -> CTE:
    """Choose the clients before their users are read, because many more may be in use."""
    arrived_at = func.max(present.c.entered_at)
    return (
        select(Client.id, Client.name, Client.client_ref, arrived_at.label("arrived_at"))
        .join(present, present.c.client_id == Client.id)
        .where(visible_to(reader))
        .group_by(Client.id)
        .order_by(arrived_at.desc(), Client.id)
        .limit(MAX_IN_USE)
        .cte("chosen")
        .prefix_with("MATERIALIZED")  # without statistics the planner would choose them again for each user
    )


def reviews_of(reader: Profile, today: date) -> Reviews:
    """Return the reviews of the reader's active clients that are overdue or due within REVIEW_DAYS, oldest first."""
    is_due = (
        Client.adviser_id == reader.id,
        Client.status == "active",
        Client.next_review_on <= today + timedelta(days=REVIEW_DAYS),
    )
    is_overdue = Client.next_review_on < today
    # Counted apart from the rows: a window function would carry each of them through the sort.
    counted = select(func.count().label("count"), func.count().filter(is_overdue).label("overdue_count"))
    counts = counted.where(*is_due).cte("counts").prefix_with("MATERIALIZED")
    columns = (Client.id, Client.name, Client.client_ref, Client.next_review_on, is_overdue.label("is_overdue"))
    rows = db.session.execute(
        select(*columns, counts.c.count.label("due_count"), counts.c.overdue_count)
        .join(counts, true())
        .where(*is_due)
        .order_by(Client.next_review_on, Client.id)
        .limit(MAX_REVIEWS)
    ).all()
    if not rows:
        return Reviews([], 0, 0)
    return Reviews(rows, rows[0].overdue_count, rows[0].due_count - rows[0].overdue_count)


def drafts_of(reader: Profile) -> list[Draft]:
    """Return the reader's drafts of clients that it may change, newest first. Reads no value of a draft."""
    if not reader.may_write:
        return []
    client_id = cast(func.substring(EditDraft.page_identifier, "^client-([0-9]{1,9})$"), Integer)
    person_id = cast(func.substring(EditDraft.form, "^person/([0-9]{1,9})$"), Integer)
    product_id = cast(func.substring(EditDraft.form, "^(?:product|valuation/new)/([0-9]{1,9})$"), Integer)
    person, product = aliased(Person), aliased(Product)
    part = func.coalesce(person.first_name + " " + person.last_name, product.product_type + " " + product.plan_number)
    rows = db.session.execute(
        select(Client.id, Client.name, EditDraft.form, EditDraft.draft_id, EditDraft.updated_at, part)
        .select_from(EditDraft)
        .join(Client, Client.id == client_id)
        .outerjoin(person, (person.id == person_id) & (person.client_id == Client.id))
        .outerjoin(product, (product.id == product_id) & (product.client_id == Client.id))
        .where(EditDraft.profile_id == reader.id, visible_to(reader))
        .order_by(EditDraft.updated_at.desc(), EditDraft.draft_id)
        .limit(MAX_DRAFTS)
    )
    return [Draft._make(row) for row in rows]


def mentions_of(reader: Profile) -> Sequence[Row[Any]]:
    """Return who has mentioned the reader in which note, newest first. No text of a note is read.

    Rows: id of the notification, client_name, by, subject ("note/12"), created_at, is_read.
    """
    author = aliased(Profile)
    query: Select[*tuple[Any, ...]] = (
        select(
            Notification.id,
            Client.name.label("client_name"),
            author.first_name.label("by"),
            Notification.subject,
            Notification.created_at,
            Notification.read_at.is_not(None).label("is_read"),
        )
        .select_from(Notification)
        .join(Client, Client.id == Notification.client_id)
        .outerjoin(author, author.id == Notification.actor_id)
        .where(Notification.profile_id == reader.id, Notification.kind == Kind.MENTIONED, visible_to(reader))
        .order_by(Notification.created_at.desc(), Notification.id.desc())
        .limit(MAX_MENTIONS)
    )
    return db.session.execute(query).all()
