"""The history of a client record as people read it: who changed what, from what to what, and over whom. Reads only.

Called by the views of the client page and of the history page. Must not import Flask.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, true

from portal.auth import Profile
from portal.clients import wording
from portal.clients.entries import CLIENT, VALUATION, Entry
from portal.clients.history_filters import NOBODY, PARTS, HistoryFilters
from portal.clients.models import Client
from portal.clients.part_names import names_of
from portal.clients.queries import PAGE_SIZE, Paging
from portal.clients.readable import readable
from portal.clients.reverting import entries_of
from portal.clients.revisions import ClientRevision, revisions_in
from portal.editing.differences import Piece, differences
from portal.extensions import db

LATEST = 4


@dataclass(frozen=True)
class Line:
    """One field: what it was and what it became. `pieces`: what was done to a long text; `choice`: what was decided."""

    label: str
    old: str
    new: str
    pieces: Sequence[Piece] = ()
    choice: str = ""


@dataclass(frozen=True)
class Group:
    """What a change did to one entry. `name` is empty for the client itself; `doing` is changed, added or removed. What
    was removed with its product comes back with it: it `is_undone_alone` only without.
    """

    entry: Entry
    name: str
    doing: str
    lines: Sequence[Line]
    is_undone_alone: bool = True


@dataclass(frozen=True)
class Item:
    """One accepted change. `notes` say what came with it: whose changes it was merged with, what was decided."""

    version: int
    at: datetime
    by_id: int | None
    who: str
    source: str
    groups: Sequence[Group]
    notes: Sequence[str]
    sentence: str


def latest(client: Client, reader: Profile) -> list[Item]:
    """The last few, for the client page."""
    found = db.session.scalars(_revisions(client, ()).limit(LATEST)).all()
    return _items(client, found, reader)


def page_of_history(client: Client, filters: HistoryFilters, reader: Profile) -> tuple[list[Item], Paging]:
    """One page, newest first; a page past the end becomes the last."""
    conditions = list(_conditions(filters))
    count = select(func.count()).select_from(ClientRevision)
    total = db.session.scalar(count.where(ClientRevision.client_id == client.id, *conditions)) or 0
    paging = Paging(min(filters.page, Paging(1, total).pages), total)
    rows = _revisions(client, conditions).limit(PAGE_SIZE).offset((paging.page - 1) * PAGE_SIZE)
    return _items(client, db.session.scalars(rows).all(), reader), paging


def people_in(client: Client) -> dict[str, str]:
    """Whoever has changed the client, by last name: what a filter offers, as `HistoryFilters.person` → name."""
    changers = select(ClientRevision.changed_by).where(ClientRevision.client_id == client.id).distinct()
    people = db.session.scalars(select(Profile).where(Profile.id.in_(changers)).order_by(Profile.last_name, Profile.id))
    named = {str(person.id): person.full_name for person in people}
    by_nobody = select(exists().where(ClientRevision.client_id == client.id, ClientRevision.changed_by.is_(None)))
    return {**named, NOBODY: "Imports and commands"} if db.session.scalar(by_nobody) else named


def _revisions(client: Client, conditions: Iterable[ColumnElement[bool]]) -> Any:
    mine = select(ClientRevision).where(ClientRevision.client_id == client.id, *conditions)
    return mine.order_by(ClientRevision.version.desc())


def _conditions(filters: HistoryFilters) -> Iterable[ColumnElement[bool]]:
    if filters.person == NOBODY:
        yield ClientRevision.changed_by.is_(None)
    elif filters.person:
        yield ClientRevision.changed_by == int(filters.person)
    if filters.field in PARTS:
        key = func.jsonb_object_keys(ClientRevision.changes).table_valued("key").render_derived()
        yield exists(select(true()).select_from(key).where(key.c.key.startswith(f"{filters.field}/")))
    elif filters.field:
        yield ClientRevision.changes.has_key(filters.field) | ClientRevision.decisions.has_key(filters.field)


def _items(client: Client, found: Sequence[ClientRevision], reader: Profile) -> list[Item]:
    names = _names_of_parts(found)
    merged = revisions_in(client.id, {version for each in found for version in each.merged_with})
    return [_item(revision, names, merged, reader) for revision in found]


def _item(
    revision: ClientRevision, names: Mapping[Entry, str], merged: Mapping[int, ClientRevision], reader: Profile
) -> Item:
    return Item(
        version=revision.version,
        at=revision.changed_at,
        by_id=revision.changed_by,
        who=wording.name_or_source(revision),
        source=revision.source,
        groups=[_group(revision, entry, names) for entry in entries_of(revision)],
        notes=list(_notes(revision, merged, reader)),
        sentence=wording.doings(revision),
    )


def _group(revision: ClientRevision, entry: Entry, names: Mapping[Entry, str]) -> Group:
    name = "" if entry.kind is CLIENT else names.get(entry, f"a {entry.kind.label}")
    if entry.prefix in revision.changes:
        old, new = revision.changes[entry.prefix]
        columns = new if old is None else old
        shown = {
            label: readable(entry.kind, column, columns.get(column)) for column, label in entry.kind.labels.items()
        }
        lines = [Line(label, *(("", value) if old is None else (value, ""))) for label, value in shown.items() if value]
        went_along = new is None and entry.kind is VALUATION and f"product/{old['product_id']}" in revision.changes
        return Group(entry, name, "added" if old is None else "removed", lines, is_undone_alone=not went_along)
    lines = [_line(revision, entry, column) for column in entry.kind.labels if entry.key(column) in revision.changes]
    return Group(entry, name, "changed", lines)


def _line(revision: ClientRevision, entry: Entry, column: str) -> Line:
    old, new = revision.changes[entry.key(column)]
    is_text = column in entry.kind.rules.by_lines and old and new
    return Line(
        label=entry.kind.labels[column],
        old=readable(entry.kind, column, old),
        new=readable(entry.kind, column, new),
        pieces=differences(old, new) if is_text else (),
        choice=revision.decisions.get(entry.key(column), ""),
    )


def _notes(revision: ClientRevision, merged: Mapping[int, ClientRevision], reader: Profile) -> Iterable[str]:
    if revision.reverts:
        yield f"Undoes change {revision.reverts}"
    others = [merged[version] for version in revision.merged_with if version in merged]
    if others and not revision.reverts:
        yield f"Saved together with {wording.in_words(wording.changes_by(others, reader))}"
    for choice, told in wording.CHOICES.items():
        keys = [key for key, made in revision.decisions.items() if made == choice]
        if keys:
            yield f"{told}: {wording.in_words(wording.labels_of(keys))}"
    if revision.source == "json":
        yield "Sent by a program"
    if revision.proceeded:
        yield "Proceeded although others were there"


def _names_of_parts(found: Sequence[ClientRevision]) -> dict[Entry, str]:
    entries = {entry for revision in found for entry in entries_of(revision) if entry.id is not None}
    removed = {
        entry: next(columns for columns in revision.changes[entry.prefix] if columns is not None)
        for revision in found
        for entry in entries_of(revision)
        if entry.prefix in revision.changes
    }
    return names_of(entries, removed)
