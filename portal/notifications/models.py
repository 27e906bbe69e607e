"""Define the table of notifications."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Model

MAX_SUBJECT_LENGTH = 60


class Notification(Model):
    """What one profile is notified of. Ids only: the record is read, with the permission, when the row is shown.

    `subject` identifies what it is about within the client, by kind (kinds.py). `version` is that of the client's
    newest change which the notification is about, if it is about changes. A profile has one unread notification of the
    same kind, client, actor and subject: a repetition moves it to the top. A hand-over of several clients has no client
    and `client_count`, their number.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index(
            "uq_notifications_unread",
            "profile_id",
            "kind",
            "client_id",
            "actor_id",
            "subject",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("read_at IS NULL"),
        ),
        Index("ix_notifications_profile_id_created_at", "profile_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    client_id: Mapped[int | None] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(String(MAX_SUBJECT_LENGTH), server_default="")
    version: Mapped[int | None]
    client_count: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
