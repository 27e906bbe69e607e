"""What is counted, for GET /metrics (health.py). docs/operating.md says what each is for.

Several workers are one portal: under gunicorn each writes its counts into a folder that gunicorn.conf.py makes, and any
of them answers for all. Imported by whoever counts. Must not import another part of the portal.
"""

import os

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# A registry of the portal's own: the library's adds figures of the process that happens to answer.
REGISTRY = CollectorRegistry()

BEATS = Counter("portal_beats", "Beats that were taken.", registry=REGISTRY)
STREAMS_OPEN = Gauge("portal_streams_open", "Open event streams.", registry=REGISTRY, multiprocess_mode="livesum")
STREAMS_ENDED = Counter("portal_streams_ended", "Event streams that ended, by why.", ["why"], registry=REGISTRY)
NOTIFICATIONS_SENT = Counter("portal_notifications_sent", "NOTIFYs to PostgreSQL.", registry=REGISTRY)
NOTIFICATIONS_RECEIVED = Counter(
    "portal_notifications_received", "Notifications heard, by each worker.", registry=REGISTRY
)
ROSTER_QUERIES = Counter("portal_roster_queries", "Statements that read pages for streams.", registry=REGISTRY)
ROSTERS_SENT = Counter("portal_rosters_sent", "Roster events put into streams.", registry=REGISTRY)
HUB_RECONNECTS = Counter("portal_hub_reconnects", "Times that a worker lost its LISTEN.", registry=REGISTRY)
TABS_VANISHED = Counter("portal_tabs_vanished", "Tabs taken out after their connection broke.", registry=REGISTRY)
JOB_ROWS = Counter("portal_job_rows", "Rows that a background job worked on.", ["job"], registry=REGISTRY)
JOB_SECONDS = Histogram("portal_job_seconds", "How long a background job took.", ["job"], registry=REGISTRY)


def exposition() -> bytes:
    """Everything in Prometheus's text format, of all workers of this gunicorn."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)
