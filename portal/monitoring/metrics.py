"""The metrics of `GET /metrics`. docs/operating.md explains each of them.

Under gunicorn each worker writes its counts into a folder that gunicorn.conf.py makes. Any worker answers for all.
This module must not import another part of the portal.
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
# The library's default registry would add figures of the one process that answers.
REGISTRY = CollectorRegistry()

BEATS = Counter("portal_beats", "Accepted heartbeats.", registry=REGISTRY)
STREAMS_OPEN = Gauge("portal_streams_open", "Open event streams.", registry=REGISTRY, multiprocess_mode="livesum")
# `why` is the name of the label `reason` in release 0.1, and has the values of that release. Release 0.3 removes it.
WHY = {"restarting": "moving", "replaced": "full"}
STREAMS_ENDED = Counter(
    "portal_streams_ended", "Event streams that ended, by reason.", ["reason", "why"], registry=REGISTRY
)
NOTIFICATIONS_SENT = Counter("portal_notifications_sent", "Notifications sent to PostgreSQL.", registry=REGISTRY)
NOTIFICATIONS_RECEIVED = Counter(
    "portal_notifications_received", "Notifications received, counted by each worker.", registry=REGISTRY
)
ROSTER_QUERIES = Counter("portal_roster_queries", "Statements that read rosters for streams.", registry=REGISTRY)
ROSTERS_SENT = Counter("portal_rosters_sent", "Roster events sent to streams.", registry=REGISTRY)
DRAFTS_SENT = Counter(
    "portal_drafts_sent", "Times that unsaved values of a page were sent to its editors.", registry=REGISTRY
)
HUB_RECONNECTS = Counter("portal_hub_reconnects", "Times that a worker lost its LISTEN connection.", registry=REGISTRY)
TABS_VANISHED = Counter("portal_tabs_vanished", "Tabs removed after their connection broke.", registry=REGISTRY)
JOB_ROWS = Counter("portal_job_rows", "Rows that a background job processed.", ["job"], registry=REGISTRY)
JOB_SECONDS = Histogram("portal_job_seconds", "Duration of a background job.", ["job"], registry=REGISTRY)


def count_ended_stream(reason: str) -> None:
    STREAMS_ENDED.labels(reason, WHY.get(reason, reason)).inc()


def exposition() -> bytes:
    """Return the metrics of all workers of this server in Prometheus's text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    combined = CollectorRegistry()
    multiprocess.MultiProcessCollector(combined)  # type: ignore[no-untyped-call]
    return generate_latest(combined)
