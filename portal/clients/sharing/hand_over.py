"""Describe the progress of handing over a client book: the state that a page carries from one step to the next.

Each client is a transaction of its own, so the state that counts is the adviser of each client. A hand-over that stops,
because a browser is closed or a worker ends, leaves the rest with the adviser, and can begin again with it.
"""

from dataclasses import asdict, dataclass, field

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from portal.errors import NotAllowed

SALT = "hand-over"
# From one step to the next; a user without JavaScript presses a button for each.
MAX_AGE_SECONDS = 1_800
MAX_FAILED_LISTED = 200
EXPIRED = "This hand-over was begun too long ago, or in another session. Begin again with the clients that are left."


@dataclass(frozen=True)
class HandOver:
    """A hand-over in the session of an administrator who has entered the password for it.

    `after_id` is the last client that was tried, `failed` has the ids of those that were not changed, with the reason.
    """

    from_id: int
    to_id: int
    total: int
    after_id: int = 0
    done: int = 0
    failed_count: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return self.done + self.failed_count

    def to_token(self, session_id: str) -> str:
        return _serializer(session_id).dumps(asdict(self))


def hand_over_from(token: str, session_id: str) -> HandOver:
    """Return the state in a token of this session. Raises NotAllowed (403) for any other text."""
    try:
        return HandOver(**_serializer(session_id).loads(token, max_age=MAX_AGE_SECONDS))
    except BadData:
        raise NotAllowed(EXPIRED) from None


def _serializer(session_id: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=f"{SALT}/{session_id}")
