"""Read the history of a client record for display: who changed what, and whom they overruled.

Must not import Flask.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, select, true

from portal.auth import Profile
from portal.clients.history.day_undo import can_be_undone_whole
from portal.clients.history.entry_changes import EntryChange, entry_changes
from portal.clients.history.filters import NO_AUTHOR, PARTS, HistoryFilters
from portal.clients.records.entries import entries_in
from portal.clients.records.models import Client
from portal.clients.records.revisions import Author, ClientRevision, authors_in
from portal.clients.wording import sentences
from portal.clients.wording.names import Names, names_in
from portal.editing.merge.budget import Budget
from portal.extensions import db
from portal.web.pagination import PAGE_SIZE, Paging

LATEST_ITEMS = 4
MAX_CHANGES_PER_ITEM = 20


@dataclass(frozen=True)
class TimelineItem:
    """One accepted change.

    `notes` describe the changes that it was merged with and the resolutions. `entry_changes` has what it did to each
    entry, `entry_count` the number of entries. `can_be_undone_whole`: a grid of valuations, for example.
    """

    version: int
    at: datetime
    by_id: int | None
    who: str
    sentence: str
    notes: Sequence[str]
    entry_count: int
    can_be_undone_whole: bool
    entry_changes: Sequence[EntryChange] = ()


def latest_items(client: Client, reader: Profile, known: Names) -> list[TimelineItem]:
    """Return the latest changes for the client page, without values, because comparing values takes time.

    `known` are names of parts that need not be read.
    """
    return _items(client, db.session.scalars(_revisions(client, ()).limit(LATEST_ITEMS)).all(), reader, known)


def page_of_history(client: Client, filters: HistoryFilters, reader: Profile) -> tuple[list[TimelineItem], Paging]:
    """Return one page of the history, newest first. A page past the end becomes the last.

    A change of many entries, such as an import, has its first MAX_CHANGES_PER_ITEM. A request for one version returns
    all of its entries and the diffs of its long texts.
    """
    conditions = list(_conditions(filters))
    count = select(func.count()).select_from(ClientRevision)
    total = db.session.scalar(count.where(ClientRevision.client_id == client.id, *conditions)) or 0
    paging = Paging.near(filters.page, total)
    rows = _revisions(client, conditions).limit(PAGE_SIZE).offset(paging.offset)
    found = db.session.scalars(rows).all()
    is_alone = filters.version is not None
    by_version = entry_changes(found, None if is_alone else MAX_CHANGES_PER_ITEM, Budget(), unfold=is_alone)
    return [replace(item, entry_changes=by_version[item.version]) for item in _items(client, found, reader, {})], paging


def people_in(client: Client) -> dict[str, str]:
    """Return the names of the users who have changed the client, keyed by `HistoryFilters.person`, by last name."""
    changers = select(ClientRevision.changed_by).where(ClientRevision.client_id == client.id).distinct()
    people = db.session.scalars(select(Profile).where(Profile.id.in_(changers)).order_by(Profile.last_name, Profile.id))
    named = {str(person.id): person.full_name for person in people}
    has_no_author = select(exists().where(ClientRevision.client_id == client.id, ClientRevision.changed_by.is_(None)))
    return {**named, NO_AUTHOR: "Imports and commands"} if db.session.scalar(has_no_author) else named


def _revisions(client: Client, conditions: Iterable[ColumnElement[bool]]) -> Select[ClientRevision]:
    mine = select(ClientRevision).where(ClientRevision.client_id == client.id, *conditions)
    return mine.order_by(ClientRevision.version.desc())


def _conditions(filters: HistoryFilters) -> Iterable[ColumnElement[bool]]:
    if filters.version:
        yield ClientRevision.version == filters.version
    if filters.since:
        yield ClientRevision.version > filters.since
    if filters.person == NO_AUTHOR:
        yield ClientRevision.changed_by.is_(None)
    elif filters.person:
        yield ClientRevision.changed_by == int(filters.person)
    if filters.field in PARTS:
        key = func.jsonb_object_keys(ClientRevision.changes).table_valued("key").render_derived()
        yield exists(select(true()).select_from(key).where(key.c.key.startswith(f"{filters.field}/")))
    elif filters.field:
        yield ClientRevision.changes.has_key(filters.field) | ClientRevision.resolutions.has_key(filters.field)


def _items(client: Client, found: Sequence[ClientRevision], reader: Profile, known: Names) -> list[TimelineItem]:
    merged = authors_in(client.id, {version for each in found for version in each.merged_with})
    names = names_in(client.id, [*found, *merged.values()], known)
    return [
        TimelineItem(
            version=revision.version,
            at=revision.changed_at,
            by_id=revision.changed_by,
            who=sentences.author_name(revision),
            sentence=sentences.describe_changes(revision, names),
            notes=list(_notes(revision, merged, reader, names)),
            entry_count=len(entries_in(revision.changes)),
            can_be_undone_whole=can_be_undone_whole(revision),
        )
        for revision in found
    ]


def _notes(revision: ClientRevision, merged: Mapping[int, Author], reader: Profile, names: Names) -> Iterable[str]:
    if revision.reverts:
        reason = f": “{revision.reason}”" if revision.reason else ""
        yield f"Undoes change {revision.reverts}{reason}"
    elif revision.reason:
        yield f"Reason: “{revision.reason}”"
    versions = () if revision.reverts else revision.merged_with
    others = [merged[version] for version in versions if version in merged]
    if together := sentences.changes_by(others, reader, names, excluded_keys=revision.resolutions):
        yield f"Saved together with {sentences.join_words(together)}"
    for choice, sentence in sentences.RESOLUTION_SENTENCES.items():
        keys = [key for key, made in revision.resolutions.items() if made == choice]
        if keys:
            yield f"{sentence}: {sentences.join_words(sentences.labels_of(keys, names))}"
    if revision.source == "json":
        yield "Sent by a program"
    if revision.proceeded:
        yield "Proceeded although others were there"
