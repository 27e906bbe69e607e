"""Keep the files that an administrator uploads, until their import is applied, given up or a day old.

A profile has one import at a time. Its row stays after it is applied, with the result and without the files. A lock
of the transaction says whether it is being written or replaced, so a process that ends leaves no mark.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, DateTime, ForeignKey, LargeBinary, String, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.auth import Profile
from portal.clients.csv.importing.plan import Counts, ImportCounts
from portal.database import advisory_locks
from portal.extensions import PRESENCE_BIND, Model, db

RETENTION_HOURS = 24
MAX_PROGRESS_LENGTH = 200
IS_HELD = text("""
    SELECT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND classid = CAST(CAST(:class_id AS bigint) AS oid)
           AND objid = CAST(CAST(:object_id AS bigint) AS oid))""")  # 2: a lock of two keys


class PendingImport(Model):
    """The import of a profile. `applied_at` and what follows have the result.

    `shown_versions` has the versions of the clients with which the newest preview compared the files:
    {client id: version}.
    """

    __tablename__ = "client_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"), unique=True)
    uploaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    shown_versions: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'"))
    progress: Mapped[str] = mapped_column(String(MAX_PROGRESS_LENGTH), server_default="")
    applied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    counts: Mapped[dict[str, list[int]]] = mapped_column(JSONB, server_default=text("'{}'"))
    warnings: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))

    @property
    def import_counts(self) -> ImportCounts:
        """Return the numbers of new, changed and unchanged records of an applied import."""
        return ImportCounts(**{name: Counts(*numbers) for name, numbers in self.counts.items()})


class ImportFile(Model):
    """A file of a pending import, as it was uploaded."""

    __tablename__ = "client_import_files"

    import_id: Mapped[int] = mapped_column(ForeignKey("client_imports.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


def import_of(profile: Profile) -> PendingImport | None:
    """Return the profile's import, pending or applied."""
    found: PendingImport | None = db.session.scalar(
        select(PendingImport).where(PendingImport.profile_id == profile.id).execution_options(populate_existing=True)
    )
    return found


def hold(profile: Profile) -> bool:
    """Reserve the profile's import until the transaction ends. Return False if another request has reserved it."""
    return bool(db.session.scalar(select(func.pg_try_advisory_xact_lock(*_key(profile)))))


def is_held(profile: Profile) -> bool:
    """Return whether another request is writing or replacing the profile's import.

    Takes no lock itself, so that a page which shows the progress never stops the request that it watches.
    """
    class_id, object_id = _key(profile)
    return bool(db.session.scalar(IS_HELD, {"class_id": class_id, "object_id": object_id}))


def replace(profile: Profile, files: Mapping[str, bytes]) -> None:
    """Store the files as the profile's import, in place of its earlier one. Flushes. The caller holds it."""
    discard(profile)
    pending = PendingImport(profile_id=profile.id)
    db.session.add(pending)
    db.session.flush()
    db.session.add_all(ImportFile(import_id=pending.id, name=name, content=files[name]) for name in files)
    db.session.flush()


def discard(profile: Profile) -> None:
    """Delete the profile's import and its files. The caller holds it."""
    db.session.execute(delete(PendingImport).where(PendingImport.profile_id == profile.id))


def files_of(import_id: int) -> dict[str, bytes]:
    """Return the contents of the files, by name."""
    rows = select(ImportFile.name, ImportFile.content).where(ImportFile.import_id == import_id)
    return {name: bytes(content) for name, content in db.session.execute(rows)}


def names_of_files(import_id: int) -> list[str]:
    return list(db.session.scalars(select(ImportFile.name).where(ImportFile.import_id == import_id)))


def note_shown(import_id: int, versions: Mapping[int, int]) -> None:
    """Record the versions of the clients that the preview shows. Flushes."""
    _update(import_id, shown_versions={str(id_): version for id_, version in versions.items()})


def note_progress(import_id: int, line: str) -> None:
    """Record how far the import is, outside of its transaction, so that other requests can read it."""
    with db.engines[PRESENCE_BIND].connect() as connection:
        connection.execute(
            text("UPDATE client_imports SET progress = :line WHERE id = :id"),
            {"line": line[:MAX_PROGRESS_LENGTH], "id": import_id},
        )


def note_applied(import_id: int, counts: ImportCounts, warnings: Sequence[str]) -> None:
    """Record the result and delete the files. Flushes."""
    _update(
        import_id,
        applied_at=func.now(),
        counts={name: list(each) for name, each in counts._asdict().items()},
        warnings=list(warnings),
        shown_versions={},
    )
    db.session.execute(delete(ImportFile).where(ImportFile.import_id == import_id))


def purge(connection: Connection) -> int:
    """Delete imports older than RETENTION_HOURS, with their files; return their number."""
    query = text("DELETE FROM client_imports WHERE uploaded_at < now() - make_interval(hours => :hours)")
    return connection.execute(query, {"hours": RETENTION_HOURS}).rowcount


def _update(import_id: int, **values: Any) -> None:
    db.session.execute(update(PendingImport).where(PendingImport.id == import_id).values(**values))


def _key(profile: Profile) -> tuple[int, int]:
    return advisory_locks.IMPORT_OF_PROFILE, profile.id
