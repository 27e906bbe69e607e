"""Record the security-relevant actions in the audit log, with `audit.record(…)` and `audit.record_all(…)`."""

from portal.audit.events import Event
from portal.audit.recording import AuditEvent, audit_event, record, record_all

__all__ = ["AuditEvent", "Event", "audit_event", "record", "record_all"]
