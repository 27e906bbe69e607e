"""What a person has typed and not saved yet, kept on the server: one draft for each opening of an editor.

A form is "record" for a record's own fields, "person/12" or "person/new" for a part of it. Only the page that writes a
draft changes it, so two tabs never write into one, and a draft on offer stays until somebody restores or discards it.
Used by the drafts API, the editors and the purge. Must not import a feature.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
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
from portal.extensions import Model, db

MAX_DRAFTS_PER_PROFILE = 100  # of one profile; the oldest go
KEPT_DAYS = 30
MAX_BYTES = 4 * 2**20  # of one profile's drafts together, as the database holds them; the oldest go
LONGEST_ID = 40
ASIDE = "aside-"  # before the name of a field: what was typed before somebody else's value was taken
MARK = re.compile(rf"(?P<id>[A-Za-z0-9_-]{{0,{LONGEST_ID}}})@(?P<microseconds>[0-9]{{1,17}})", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EditDraft(Model):
    """The values that differ from the record at `base_version`, as the form would send them.

    `draft_id` is made by the page that writes it; '' is the draft of a page of an earlier release, which had none.

    `seen` is that of editing.guard: fields whose newer value the person had taken in before typing over it.
    """

    __tablename__ = "edit_drafts"

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    page_identifier: Mapped[str] = mapped_column(String(60), primary_key=True)
    form: Mapped[str] = mapped_column(String(60), primary_key=True)
    draft_id: Mapped[str] = mapped_column(String(LONGEST_ID), primary_key=True, server_default="")
    base_version: Mapped[int]
    seen: Mapped[str] = mapped_column(String(2_000), server_default="")
    values: Mapped[dict[str, str]] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)

    @property
    def origin(self) -> BaseVersion:
        """Where the person had started from."""
        return parse_base_version({"version": str(self.base_version), "seen": self.seen})

    @property
    def mark(self) -> "Mark":
        return Mark(self.draft_id, self.updated_at)


@dataclass(frozen=True)
class Mark:
    """A draft as it was at a moment: what its page has typed since is not meant by it."""

    draft_id: str
    updated_at: datetime

    def __str__(self) -> str:
        return f"{self.draft_id}@{(self.updated_at - EPOCH) // timedelta(microseconds=1)}"


def mark_from(text: str) -> Mark | None:
    """Read what `str` made of a mark; None for anything else."""
    found = MARK.fullmatch(text)
    return Mark(found["id"], EPOCH + timedelta(microseconds=int(found["microseconds"]))) if found else None


@dataclass(frozen=True)
class DraftKey:
    """Whose drafts of which form on which page."""

    profile_id: int
    page_identifier: str
    form: str

    @property
    def is_here(self) -> Any:
        """As a SQL condition."""
        key = tuple_(EditDraft.profile_id, EditDraft.page_identifier, EditDraft.form)
        return key == (self.profile_id, self.page_identifier, self.form)


@dataclass(frozen=True)
class DraftPayload:
    """What one page holds that is not saved; `restored` is the draft that it was opened with."""

    base_version: int
    seen: str
    values: Mapping[str, str]
    restored: Mark | None = None


def take_turns(profile_id: int) -> None:
    """Wait until no other tab of the profile writes a draft; none does until the transaction ends."""
    db.session.execute(select(func.pg_advisory_xact_lock(advisory_locks.DRAFTS_OF_PROFILE, profile_id)))


def new_id() -> str:
    return secrets.token_urlsafe(9)


def keep(place: DraftKey, draft_id: str, typed: DraftPayload) -> None:
    """Keep it in place of the same page's earlier draft, and of the one that it restored. Flushes.

    Where nothing is typed the draft goes. Call `take_turns` first.
    """
    if typed.restored:
        discard_marked(place, typed.restored)
    if not typed.values:
        return discard(place, draft_id)
    state = {"base_version": typed.base_version, "seen": typed.seen, "values": typed.values}
    key = {"page_identifier": place.page_identifier, "form": place.form, "draft_id": draft_id}
    # The moment is the mark of what was kept, and two calls may be part of one transaction.
    now = {"updated_at": func.clock_timestamp()}
    upsert = insert(EditDraft).values(profile_id=place.profile_id, **key, **state, **now)
    statement = upsert.on_conflict_do_update(constraint="pk_edit_drafts", set_={**state, **now})
    db.session.execute(statement)
    _delete_oldest(place.profile_id)


def drafts_at(place: DraftKey) -> Sequence[EditDraft]:
    """The newest first."""
    newest_first = select(EditDraft).where(place.is_here).order_by(EditDraft.updated_at.desc(), EditDraft.draft_id)
    return db.session.scalars(newest_first.execution_options(populate_existing=True)).all()


class Written(NamedTuple):
    """A draft without what it holds."""

    form: str
    draft_id: str
    updated_at: datetime


def written_on(profile_id: int, page_identifier: str) -> ScalarSelect[Any]:
    """SQL for `written_from`: the drafts of one page without what they hold, as a column of another statement."""
    drafts = (
        select(EditDraft.form, EditDraft.draft_id, EditDraft.updated_at)
        .where(EditDraft.profile_id == profile_id, EditDraft.page_identifier == page_identifier)
        .order_by(EditDraft.updated_at.desc(), EditDraft.draft_id)
        .subquery()
    )
    return select(func.json_agg(func.json_build_array(*drafts.c))).scalar_subquery()


def written_from(found: Sequence[tuple[str, str, str]] | None) -> list[Written]:
    """The newest draft of each form, the newest first."""
    by_form: dict[str, Written] = {}
    for form, draft_id, updated_at in found or ():
        by_form.setdefault(form, Written(form, draft_id, datetime.fromisoformat(updated_at)))
    return list(by_form.values())


def discard(place: DraftKey, draft_id: str) -> None:
    """Flushes. No draft is no error."""
    _delete(place.is_here, EditDraft.draft_id == draft_id)


def discard_marked(place: DraftKey, mark: Mark) -> bool:
    """Discard a draft unless it has been written since. Return whether it is gone. Flushes."""
    mine = (place.is_here, EditDraft.draft_id == mark.draft_id)
    _delete(*mine, EditDraft.updated_at == mark.updated_at)
    return db.session.scalar(select(EditDraft.draft_id).where(*mine)) is None


def discard_all(place: DraftKey) -> None:
    """For a part that is removed. Flushes."""
    _delete(place.is_here)


def settle(place: DraftKey, sent: Mapping[str, str]) -> None:
    """A save of `sent` has been accepted: its page's draft, and the one that was restored into it, go. Flushes.

    Those of other pages stay; of a program, which names no draft, all do.
    """
    if sent.get("draft"):
        discard(place, sent["draft"])
    if restored := mark_from(sent.get("restored", "")):
        discard_marked(place, restored)


def purge(connection: Connection, days: int = KEPT_DAYS) -> int:
    """Delete drafts that nobody has touched for so long; return how many."""
    query = text("DELETE FROM edit_drafts WHERE updated_at < now() - make_interval(days => :days)")
    return connection.execute(query, {"days": days}).rowcount


def _delete_oldest(profile_id: int) -> None:
    """Within both limits. The sizes are those of the stored values, which are not read for it."""
    mine = EditDraft.profile_id == profile_id
    newest_first = (EditDraft.updated_at.desc(), EditDraft.draft_id)
    ranked = (
        select(
            EditDraft.page_identifier,
            EditDraft.form,
            EditDraft.draft_id,
            func.row_number().over(order_by=newest_first).label("place"),
            func.sum(func.pg_column_size(EditDraft.values)).over(order_by=newest_first, rows=(None, 0)).label("bytes"),
        )
        .where(mine)
        .subquery()
    )
    too_much = select(ranked.c.page_identifier, ranked.c.form, ranked.c.draft_id).where(
        or_(ranked.c.place > MAX_DRAFTS_PER_PROFILE, ranked.c.bytes > MAX_BYTES)
    )
    _delete(mine, tuple_(EditDraft.page_identifier, EditDraft.form, EditDraft.draft_id).in_(too_much))


def _delete(*conditions: Any) -> None:
    db.session.execute(delete(EditDraft).where(*conditions).execution_options(synchronize_session=False))
