"""Record exports and imports in the audit log, with the numbers of records. Flushes."""

from portal import audit
from portal.audit import Event
from portal.clients.csv.export import ExportCounts
from portal.clients.csv.importing.plan import ImportCounts
from portal.web.actor import Actor


def record_import(counts: ImportCounts, by: Actor) -> None:
    """Record how many records of each kind the import has written."""
    audit.record(Event.IMPORTED, by, **{name: each.new + each.changed for name, each in counts._asdict().items()})


def record_export(counts: ExportCounts, by: Actor) -> None:
    """Record how many records of each kind the export contains."""
    audit.record(Event.EXPORTED, by, what="clients", **counts._asdict())
