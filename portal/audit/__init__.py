"""The audit: what has been done that security depends on. `audit.record(...)` and `record_all` are the ways in."""

from portal.audit.events import Event
from portal.audit.recording import AuditEvent, noted, record, record_all

__all__ = ["AuditEvent", "Event", "noted", "record", "record_all"]
