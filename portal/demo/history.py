"""Write what the demo's users have done in the last weeks. Flushes, never commits.

history.csv has a row for each changed field, oldest first. Rows of the same client, time and author are one act. The
operations of the portal would write each act with the present time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select

from portal import audit
from portal.audit import AuditEvent, Event
from portal.auth import Profile
from portal.clients.records.entries import CLIENT, GRANT, NOTE, PRODUCT, Entry
from portal.clients.records.models import Client, ClientGrant, Product, Record
from portal.clients.records.note_models import ClientNote
from portal.clients.records.revisions import ClientRevision, FieldChanges, to_json
from portal.clients.saving.mentions import parse_mentions
from portal.demo.dates import move_by_working_days, working_days_ago
from portal.demo.files import read
from portal.extensions import db
from portal.web.actor import UNKNOWN_ORIGIN, Actor

VISIT = "visit"  # the field of an act that changes nothing


@dataclass
class Act:
    """What a user did to a client at one time. `version` is the client's version afterwards.

    `parts` has the notes and grants that the act adds, by field.
    """

    client: Client
    author: Profile
    at: datetime
    fields: dict[str, str]
    version: int
    parts: dict[str, ClientNote | ClientGrant] = field(default_factory=dict)


OnRevision = Callable[[Act, ClientRevision], None]


class Records:
    """The imported records, by what the files call them."""

    def __init__(self) -> None:
        self.profiles = {profile.email: profile for profile in db.session.scalars(select(Profile))}
        self.clients = {client.client_ref: client for client in db.session.scalars(select(Client))}
        self.products = {product.plan_number: product for product in db.session.scalars(select(Product))}


def write_history(records: Records, today: date, on_revision: OnRevision) -> list[Act]:
    """Write the acts on the imported records, relative to today, and return them.

    Each but a visit is a revision. `on_revision` is called when it is written, before the next.
    """
    acts = list(_read_acts(records, today))
    for act in acts:
        act.parts = {
            name: _make_part(act, name, value, records) for name, value in act.fields.items() if _is_part(name)
        }
    db.session.add_all(part for act in acts for part in act.parts.values())
    db.session.flush()
    for act in acts:
        if VISIT not in act.fields:
            on_revision(act, _add_revision(act, records, today))
    db.session.flush()
    return acts


def _read_acts(records: Records, today: date) -> Iterator[Act]:
    versions = {client.client_ref: client.version for client in records.clients.values()}
    head = ("client_ref", "working_days_ago", "at", "author_email")
    for (ref, days, at, email), rows in groupby(read("history.csv", today), lambda row: [row[name] for name in head]):
        fields = {row["field"]: row["value"] for row in rows}
        versions[ref] += VISIT not in fields
        moment = working_days_ago(int(days), at, today).astimezone(UTC)
        yield Act(records.clients[ref], records.profiles[email], moment, fields, versions[ref])


def _is_part(name: str) -> bool:
    return name == GRANT.name or name.startswith(f"{NOTE.name}/")


def _make_part(act: Act, name: str, value: str, records: Records) -> ClientNote | ClientGrant:
    if name == GRANT.name:
        return ClientGrant(client_id=act.client.id, profile_id=records.profiles[value].id)
    return ClientNote(
        client_id=act.client.id,
        kind=name.removeprefix(f"{NOTE.name}/"),
        happened_on=act.at.date(),
        text=value,
        mentions=parse_mentions(act.client, value),
        author_id=act.author.id,
        written_at=act.at,
        version=act.version,
    )


def _add_revision(act: Act, records: Records, today: date) -> ClientRevision:
    client, changes = act.client, FieldChanges()
    for name, value in act.fields.items():
        if (part := act.parts.get(name)) is None:
            _set_column(act, name, value, changes, records, today)
        elif isinstance(part, ClientNote):
            changes[Entry(NOTE, part.id).prefix] = [None, part.summary]
        else:
            changes[Entry(GRANT, part.id).prefix] = [None, GRANT.as_json(part)]
    client.version, client.updated_at, client.updated_by = act.version, act.at, act.author.id
    author = {"changed_at": act.at, "changed_by": act.author.id, "source": "form"}
    revision = ClientRevision(client_id=client.id, version=act.version, changes=changes, **author)
    db.session.add_all([revision, *_audit_events(act)])
    return revision


def _set_column(act: Act, name: str, value: str, changes: FieldChanges, records: Records, today: date) -> None:
    """Set a column of the client or, for `product/<plan number>/<column>`, of a product, and add it to the changes."""
    *part, column = name.split("/")
    row: Record = records.products[part[1]] if part else act.client
    entry = Entry(PRODUCT, row.id) if part else Entry(CLIENT)
    new: Any = entry.kind.parsed(column, value)
    if column == "next_review_on":
        new = move_by_working_days(new, today)
    elif column == "adviser_id":
        new = records.profiles[value].id
    elif column == "risk_profile":
        new = int(value)
    elif column == "is_restricted":
        new = value == "yes"
    old = getattr(row, column)
    if new != old:  # the second line of one address may be that of the next
        changes[entry.key(column)] = [to_json(old), to_json(new)]
        setattr(row, column, new)


def _audit_events(act: Act) -> Iterator[AuditEvent]:
    """Yield the events of a restriction and of a grant, as saving/auditing.py records them."""
    about = {"client_id": act.client.id, "version": act.version}
    by = Actor(act.author.id, UNKNOWN_ORIGIN)
    for name in act.fields:
        part = act.parts.get(name)
        if isinstance(part, ClientGrant):
            event = audit.audit_event(Event.GRANTED, by, profile_id=part.profile_id, **about)
        elif name == "is_restricted":
            event = audit.audit_event(Event.RESTRICTED, by, **about, adviser_id=act.client.adviser_id or 0)
        else:
            continue
        event.at = act.at
        yield event
