"""Store drafts: the unsaved input of each opening of an editor.

A form is "record" for the record's own fields, "person/12" or "person/new" for a part of it. Only the page that writes
a draft changes it, so two tabs never write to the same one. An offered draft stays until the user restores or discards
it. Must not import a feature.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    ForeignKey,
    ScalarSelect,
    String,
    delete,
    func,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import advisory_locks
from portal.editing.base_version import BaseVersion, parse_base_version
from portal.editing.drafts.signals import drafts_changed
from portal.editing.seen import MAX_SEEN_LENGTH
from portal.extensions import Model, db

MAX_DRAFTS_PER_PROFILE = 100  # the oldest are deleted
RETENTION_DAYS = 30
MAX_DRAFTS_BYTES = 4 * 2**20  # of all drafts of a profile, as stored; the oldest are deleted
MAX_DRAFT_ID_LENGTH = 40
ASIDE = "aside-"  # prefix of a field name: the value that the user typed and replaced by another user's
MARK = re.compile(rf"(?P<id>[A-Za-z0-9_-]{{0,{MAX_DRAFT_ID_LENGTH}}})@(?P<microseconds>[0-9]{{1,17}})", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EditDraft(Model):
    """The values that differ from the record at `base_version`, as the form would send them.

    The page that writes the draft has created its `draft_id`. It is empty for pages of an earlier release. `seen` is
    that of `BaseVersion`.
    """

    __tablename__ = "edit_drafts"

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    page_identifier: Mapped[str] = mapped_column(String(60), primary_key=True)
    form: Mapped[str] = mapped_column(String(60), primary_key=True)
    draft_id: Mapped[str] = mapped_column(String(MAX_DRAFT_ID_LENGTH), primary_key=True, server_default="")
    base_version: Mapped[int]
    seen: Mapped[str] = mapped_column(String(MAX_SEEN_LENGTH), server_default="")
    values: Mapped[dict[str, str]] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)

    @property
    def started_from(self) -> BaseVersion:
        """Return the version from which the edit started."""
        return parse_base_version({"version": str(self.base_version), "seen": self.seen})

    @property
    def mark(self) -> "Mark":
        return Mark(self.draft_id, self.updated_at)


@dataclass(frozen=True)
class Mark:
    """A draft as it was at one time. It does not match once the page has written the draft again."""

    draft_id: str
    updated_at: datetime

    def __str__(self) -> str:
        return f"{self.draft_id}@{(self.updated_at - EPOCH) // timedelta(microseconds=1)}"


def mark_from(text: str) -> Mark | None:
    """Return the mark that `str` has formatted; None for any other text."""
    found = MARK.fullmatch(text)
    return Mark(found["id"], EPOCH + timedelta(microseconds=int(found["microseconds"]))) if found else None


@dataclass(frozen=True)
class DraftKey:
    """The drafts of one profile for one form of a page."""

    profile_id: int
    page_identifier: str
    form: str

    @property
    def shared_form(self) -> str:
        """Return the form whose editors see the drafts: a card ("record/contact") has fields of the record."""
        return "record" if self.form.startswith("record/") else self.form

    @property
    def condition(self) -> ColumnElement[bool]:
        """Return the SQL condition that a draft has this key."""
        columns = tuple_(EditDraft.profile_id, EditDraft.page_identifier, EditDraft.form)
        return columns == (self.profile_id, self.page_identifier, self.form)


@dataclass(frozen=True)
class DraftPayload:
    """The unsaved input of a page. `restored` is the draft that was restored into it."""

    base_version: int
    seen: str
    values: Mapping[str, str]
    restored: Mark | None = None


def lock_drafts(profile_id: int) -> None:
    """Lock the profile's drafts against its other tabs until the transaction ends."""
    db.session.execute(select(func.pg_advisory_xact_lock(advisory_locks.DRAFTS_OF_PROFILE, profile_id)))


def new_id() -> str:
    return secrets.token_urlsafe(9)


def save(key: DraftKey, draft_id: str, payload: DraftPayload) -> None:
    """Store the input in place of the page's previous draft and of the one that it restored. Flushes.

    Deletes the draft if the input is empty. Call `lock_drafts` first.
    """
    if payload.restored:
        _discard_marked(key, payload.restored)
    if not payload.values:
        return discard(key, draft_id)
    state = {"base_version": payload.base_version, "seen": payload.seen, "values": payload.values}
    row_key = {"page_identifier": key.page_identifier, "form": key.form, "draft_id": draft_id}
    # The time is part of the mark. now() would be the same for two calls in one transaction.
    now = {"updated_at": func.clock_timestamp()}
    upsert = insert(EditDraft).values(profile_id=key.profile_id, **row_key, **state, **now)
    statement = upsert.on_conflict_do_update(constraint="pk_edit_drafts", set_={**state, **now})
    db.session.execute(statement)
    _delete_oldest(key.profile_id)
    drafts_changed.send(key=key)


def drafts_of(key: DraftKey) -> Sequence[EditDraft]:
    """Return the drafts, newest first."""
    newest_first = select(EditDraft).where(key.condition).order_by(EditDraft.updated_at.desc(), EditDraft.draft_id)
    return db.session.scalars(newest_first.execution_options(populate_existing=True)).all()


class DraftSummary(NamedTuple):
    """A draft without its values."""

    form: str
    draft_id: str
    updated_at: datetime


def summaries_on(profile_id: int, page_identifier: str) -> ScalarSelect[Any]:
    """Return a SQL column for `parse_summaries`: the drafts of one page without their values."""
    drafts = (
        select(EditDraft.form, EditDraft.draft_id, EditDraft.updated_at)
        .where(EditDraft.profile_id == profile_id, EditDraft.page_identifier == page_identifier)
        .order_by(EditDraft.updated_at.desc(), EditDraft.draft_id)
        .subquery()
    )
    return select(func.json_agg(func.json_build_array(*drafts.c))).scalar_subquery()


def parse_summaries(found: Sequence[tuple[str, str, str]] | None) -> list[DraftSummary]:
    """Return the newest draft of each form, newest first."""
    by_form: dict[str, DraftSummary] = {}
    for form, draft_id, updated_at in found or ():
        by_form.setdefault(form, DraftSummary(form, draft_id, datetime.fromisoformat(updated_at)))
    return list(by_form.values())


def discard(key: DraftKey, draft_id: str) -> None:
    """Discard a draft if it exists. Flushes."""
    _discard(key, EditDraft.draft_id == draft_id)


def discard_marked(key: DraftKey, mark: Mark) -> bool:
    """Discard a draft unless it has been written since; return whether it no longer exists. Flushes."""
    if _discard_marked(key, mark):
        return True
    newer = select(EditDraft.draft_id).where(key.condition, EditDraft.draft_id == mark.draft_id)
    return db.session.scalar(newer) is None


def discard_all(key: DraftKey) -> None:
    """Discard all drafts of a form, because its part has been removed. Flushes."""
    _discard(key)


def discard_after_save(key: DraftKey, sent: Mapping[str, str]) -> None:
    """Discard the page's draft, and the one restored into it, after a save of `sent`. Flushes.

    Drafts of other pages stay. A program names no draft, so its save discards none.
    """
    if sent.get("draft"):
        discard(key, sent["draft"])
    if restored := mark_from(sent.get("restored", "")):
        _discard_marked(key, restored)


def purge(connection: Connection, days: int = RETENTION_DAYS) -> int:
    """Delete drafts that have not changed for `days`; return their number."""
    query = text("DELETE FROM edit_drafts WHERE updated_at < now() - make_interval(days => :days)")
    return connection.execute(query, {"days": days}).rowcount


def _delete_oldest(profile_id: int) -> None:
    """Delete the oldest drafts beyond both limits. Sizes are those of the stored values, which are not read."""
    of_profile = EditDraft.profile_id == profile_id
    newest_first = (EditDraft.updated_at.desc(), EditDraft.draft_id)
    ranked = (
        select(
            EditDraft.page_identifier,
            EditDraft.form,
            EditDraft.draft_id,
            func.row_number().over(order_by=newest_first).label("rank"),
            func.sum(func.pg_column_size(EditDraft.values)).over(order_by=newest_first, rows=(None, 0)).label("bytes"),
        )
        .where(of_profile)
        .subquery()
    )
    excess = select(ranked.c.page_identifier, ranked.c.form, ranked.c.draft_id).where(
        or_(ranked.c.rank > MAX_DRAFTS_PER_PROFILE, ranked.c.bytes > MAX_DRAFTS_BYTES)
    )
    _delete(of_profile, tuple_(EditDraft.page_identifier, EditDraft.form, EditDraft.draft_id).in_(excess))


def _discard(key: DraftKey, *conditions: ColumnElement[bool]) -> bool:
    """Return whether there was such a draft."""
    is_found = bool(_delete(key.condition, *conditions))
    if is_found:
        drafts_changed.send(key=key)
    return is_found


def _discard_marked(key: DraftKey, mark: Mark) -> bool:
    """Discard a draft unless it has been written since; return whether this discarded it."""
    return _discard(key, EditDraft.draft_id == mark.draft_id, EditDraft.updated_at == mark.updated_at)


def _delete(*conditions: ColumnElement[bool]) -> int:
    statement = delete(EditDraft).where(*conditions).execution_options(synchronize_session=False)
    count: int = db.session.execute(statement).rowcount  # type: ignore[attr-defined]
    return count
