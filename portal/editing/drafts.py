"""What a person has typed and not saved yet, kept on the server: one draft for each profile, page and form.

A form is "record" for a record's own fields, "person/12" or "person/new" for a part of it. The last write wins; a draft
is only ever its own profile's. Used by the drafts API, the editors and the purge. Must not import a feature.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, DateTime, ForeignKey, String, delete, func, literal_column, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.editing.guard import Origin, origin_from
from portal.extensions import Model, db

MOST_DRAFTS = 100  # of one profile; the oldest go
KEPT_DAYS = 30
MOST_VALUES = 60
MINE = "mine"
DRAFT_LOCK = 0x6B69  # with the profile's id beside it: of another kind than the jobs' locks


class EditDraft(Model):
    """The values that differ from the record at `base_version`, as the form would send them.

    `seen` is that of editing.guard: fields whose newer value the person had taken in before typing over it.
    """

    __tablename__ = "edit_drafts"

    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    page_identifier: Mapped[str] = mapped_column(String(60), primary_key=True)
    form: Mapped[str] = mapped_column(String(60), primary_key=True)
    base_version: Mapped[int]
    seen: Mapped[str] = mapped_column(String(2_000), server_default="")
    values: Mapped[dict[str, str]] = mapped_column(JSONB)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)

    @property
    def origin(self) -> Origin:
        """Where the person had started from."""
        return origin_from({"version": str(self.base_version), "seen": self.seen})


@dataclass(frozen=True)
class Place:
    """Whose draft of which form on which page."""

    profile_id: int
    page_identifier: str
    form: str

    @property
    def is_here(self) -> Any:
        """As a SQL condition."""
        key = tuple_(EditDraft.profile_id, EditDraft.page_identifier, EditDraft.form)
        return key == (self.profile_id, self.page_identifier, self.form)


@dataclass(frozen=True)
class Typed:
    """What one tab has typed: the draft shall hold it beside what other tabs of the same form have put there.

    `mine` are the fields that this tab has kept before and that are its own to take away again.
    """

    base_version: int
    seen: str
    values: Mapping[str, str]
    mine: Collection[str] = ()


def take_turns(profile_id: int) -> None:
    """Wait until no other tab of the profile writes a draft; none does until the transaction ends."""
    db.session.execute(select(func.pg_advisory_xact_lock(DRAFT_LOCK, profile_id)))


def keep(place: Place, typed: Typed) -> None:
    """Keep it, together with what another tab has put there. Where nothing is left, the draft goes. Flushes.

    Call `take_turns` first.
    """
    there = draft_of(place)
    others = _others(there, typed)
    if not others and not typed.values:
        return discard(place)
    origin = _common_origin(there, others, typed) if there and others else (typed.base_version, typed.seen)
    values = {**others, **typed.values}
    state = {"base_version": origin[0], "seen": origin[1], "values": values, "updated_at": func.now()}
    upsert = insert(EditDraft).values(
        profile_id=place.profile_id, page_identifier=place.page_identifier, form=place.form, **state
    )
    statement = upsert.on_conflict_do_update(constraint="pk_edit_drafts", set_=state)
    is_new = db.session.scalar(statement.returning(literal_column("xmax = 0")))
    if is_new:
        _drop_the_oldest(place.profile_id)


def draft_of(place: Place) -> EditDraft | None:
    return db.session.scalar(select(EditDraft).where(place.is_here).execution_options(populate_existing=True))


def discard(place: Place) -> None:
    """Flushes. No draft is no error: it may have been discarded in another tab."""
    db.session.execute(delete(EditDraft).where(place.is_here).execution_options(synchronize_session=False))


def settle(place: Place, sent: Mapping[str, str]) -> None:
    """A save of `sent` has been accepted: what it held is unsaved no longer. Flushes.

    What it did not hold stays: values only offered beside the form, those of another tab, those a program leaves out.
    An editor brings its draft up to date before it is sent, so of an ordinary save nothing is left.
    """
    draft = draft_of(place)
    left = _left(draft.values, sent) if draft else {}
    if draft is None or not left:
        discard(place)
    else:
        draft.values = left
        db.session.flush()


def purge(connection: Connection, days: int = KEPT_DAYS) -> int:
    """Delete drafts that nobody has touched for so long; return how many."""
    query = text("DELETE FROM edit_drafts WHERE updated_at < now() - make_interval(days => :days)")
    return connection.execute(query, {"days": days}).rowcount


def _drop_the_oldest(profile_id: int) -> None:
    newest = (
        select(EditDraft.page_identifier, EditDraft.form)
        .where(EditDraft.profile_id == profile_id)
        .order_by(EditDraft.updated_at.desc())
        .limit(MOST_DRAFTS)
    )
    key = tuple_(EditDraft.page_identifier, EditDraft.form)
    db.session.execute(
        delete(EditDraft)
        .where(EditDraft.profile_id == profile_id, key.not_in(newest))
        .execution_options(synchronize_session=False)
    )


def _others(there: EditDraft | None, typed: Typed) -> dict[str, str]:
    """What the draft holds that is not this tab's, as far as there is room for both."""
    values = there.values if there else {}
    others = {name: value for name, value in values.items() if name not in typed.mine and name not in typed.values}
    return others if len(others) + len(typed.values) <= MOST_VALUES else {}


def _common_origin(there: EditDraft, others: Collection[str], typed: Typed) -> tuple[int, str]:
    """A draft has one version to start from: the older. What started from a newer one says so by `seen`."""
    here = origin_from({"version": str(typed.base_version), "seen": typed.seen})
    origins = {**dict.fromkeys(others, there.origin), **dict.fromkeys(typed.values, here)}
    version = min(origin.version for origin in origins.values())
    seen = [f"{name}:{origin.of(name)}" for name, origin in sorted(origins.items()) if origin.of(name) > version]
    return version, " ".join(seen)


def _left(values: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in sent or _lines(sent[name]) != _lines(value)}


def _lines(value: str) -> str:
    """Browsers send CRLF where a script reads LF."""
    return value.replace("\r\n", "\n").strip()
