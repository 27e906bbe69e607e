"""Handle a heartbeat. The fast path and the Flask view both use it."""

from portal.presence.beats import parse_beat
from portal.presence.context import heartbeat_seconds
from portal.presence.roster import viewers
from portal.presence.store import PresenceStore
from portal.web.session_cookie import Identity

MAX_BEAT_BODY_BYTES = 16 * 1024


def handle_beat(store: PresenceStore, caller: Identity, body: object) -> dict[str, object]:
    """Record the heartbeat in `body` (parsed JSON) and return the response's members.

    Raises InvalidInput (422), NotSignedIn (401) or NotFound (404).
    """
    beat = parse_beat(body)
    roster, version, drafts_mark = store.beat(caller, beat)
    response = {
        "status": "updated",
        "heartbeat_seconds": heartbeat_seconds(beat.page.kind, store.timings),
        "version": version,
        "read_at": roster.now_epoch,
        "users": viewers(roster, store.timings.active_window_seconds),
    }
    return {**response, "drafts": drafts_mark} if drafts_mark else response
