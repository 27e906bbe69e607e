"""What a beat is answered, whichever lane it came by: views.py or express.py."""

from typing import Any

from sqlalchemy import Engine

from portal.config import PresenceTimings
from portal.presence import roster as rules
from portal.presence import store
from portal.presence.beats import parse_beat
from portal.presence.context import heartbeat_seconds
from portal.web.session_cookie import Identity

MAX_BEAT_BODY_BYTES = 16 * 1024


def handle_beat(
    caller: Identity, body: object, timings: PresenceTimings, engine: Engine | None = None
) -> dict[str, Any]:
    """Take the beat in `body`, parsed JSON, and answer with the interval, the record's version and the roster.

    `engine` as in `store.beat`. Raises InvalidInput (422), NotSignedIn (401) or NotFound (404).
    """
    given = parse_beat(body)
    roster, version = store.beat(caller, given, timings.active_window_seconds, engine)
    return {
        "status": "updated",
        "heartbeat_seconds": heartbeat_seconds(given.page.kind, timings),
        "version": version,
        "read_at": roster.now_epoch,
        "users": rules.viewers(roster, timings.active_window_seconds),
    }
