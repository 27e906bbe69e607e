"""Define the models of dated notes and of their earlier texts.

The history has no text of a note, because an administrator can redact one: the text is in these tables only.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.clients.records import choices
from portal.extensions import Model

MAX_NOTE_LENGTH = 5_000
MAX_REDACTION_REASON_LENGTH = 300
MAX_SUBMISSION_LENGTH = 40


class ClientNote(Model):
    """One dated note about a client.

    `version` is the client's version in which the note was last written, `edits` the number of its corrections.
    `mentions` has [start, end, profile id] of each mentioned user in `text`. `submission` identifies the form that
    sent the note, so that a repeated request adds no second one. `redaction_reason` is '' unless the note is redacted.
    """

    __tablename__ = "client_notes"
    __table_args__ = (
        CheckConstraint(choices.check_one_of("kind", choices.NOTE_KINDS), name="kind"),
        CheckConstraint("redaction_reason = '' OR text = ''", name="redacted"),
        Index("ix_client_notes_newest", "client_id", text("happened_on DESC"), text("id DESC")),
        Index(
            "uq_client_notes_submission",
            "client_id",
            "author_id",
            "submission",
            unique=True,
            postgresql_where=text("submission <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    happened_on: Mapped[date]
    text: Mapped[str] = mapped_column(String(MAX_NOTE_LENGTH), server_default="")
    mentions: Mapped[list[list[int]]] = mapped_column(JSONB, server_default="[]")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    edits: Mapped[int] = mapped_column(server_default="0")
    edited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(server_default="1")
    submission: Mapped[str] = mapped_column(String(MAX_SUBMISSION_LENGTH), server_default="")
    redacted_by: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    redacted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    redaction_reason: Mapped[str] = mapped_column(String(MAX_REDACTION_REASON_LENGTH), server_default="")

    @property
    def is_redacted(self) -> bool:
        return bool(self.redaction_reason)

    @property
    def summary(self) -> dict[str, Any]:
        """Return what the history stores of an added note."""
        return {"kind": self.kind, "happened_on": self.happened_on.isoformat()}


class ClientNoteVersion(Model):
    """A note as it was before a correction. `edits` is its number of corrections then. A redaction deletes it."""

    __tablename__ = "client_note_versions"

    note_id: Mapped[int] = mapped_column(ForeignKey("client_notes.id", ondelete="CASCADE"), primary_key=True)
    edits: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(10))
    happened_on: Mapped[date]
    text: Mapped[str] = mapped_column(String(MAX_NOTE_LENGTH))
    mentions: Mapped[list[list[int]]] = mapped_column(JSONB, server_default="[]")
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
