"""The audit: what has been done that security depends on. `audit.record(...)` is the one way in."""

from portal.audit.events import Event
from portal.audit.recording import AuditEvent, record

__all__ = ["AuditEvent", "Event", "record"]
