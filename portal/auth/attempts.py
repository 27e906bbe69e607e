"""Count each attempt to prove an identity before its password or code is checked.

`counted_attempt` owns the transactions of an attempt. It is the only place where a request commits more than once: a
count committed at the end of the request would let many concurrent attempts through. It holds a slot of a queue, and
the check runs without an open transaction, so attempts hold no connection that pages need.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from portal import audit
from portal.audit import Event
from portal.auth import throttle
from portal.auth.attempt_queue import AttemptQueue
from portal.auth.throttle import ThrottleDecision, ThrottleKind, ThrottleSubject
from portal.errors import ServiceBusy, TooManyAttempts
from portal.extensions import db
from portal.web.actor import Actor, RequestOrigin

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Browser:
    """The browser that sends an attempt. `device_tokens` are those of `trusted_devices.tokens_in`."""

    origin: RequestOrigin
    device_tokens: Mapping[str, str]


@dataclass(frozen=True)
class Attempt:
    """An attempt that has been counted. Only a check that fails or succeeds changes the count again."""

    subjects: Sequence[ThrottleSubject]
    decision: ThrottleDecision
    origin: RequestOrigin

    def succeed(self) -> None:
        """Reset the user's own failures, in the transaction of what the success permits. The caller commits."""
        throttle.reset_failures(self.subjects)

    def fail(self, profile_id: int | None, wrong: str) -> None:
        """Record the failure in the audit log and commit it, whatever the caller does next."""
        details: dict[str, str | int] = {"wrong": wrong}
        if self.decision.next_wait_seconds:
            details["blocked_seconds"] = self.decision.next_wait_seconds
        audit.record(Event.SIGN_IN_FAILED, Actor(None, self.origin), profile_id=profile_id, **details)
        db.session.commit()


@contextmanager
def counted_attempt(
    queue: AttemptQueue,
    slot_name: str,
    subjects: Sequence[ThrottleSubject],
    origin: RequestOrigin,
    *,
    reveal: Collection[ThrottleKind],
) -> Iterator[Attempt]:
    """Hold a slot, count the attempt and commit the count. The block then checks the password or code.

    An attempt whose password could not be checked, because the server is busy, is not counted. Raises TooManyAttempts
    (429) if one of the kinds in `reveal` is blocked, and ServiceBusy (503).
    """
    with queue.slot(slot_name):
        attempt = Attempt(subjects, _count(subjects), origin)
        if revealed := attempt.decision.blocked & set(reveal):
            logger.info("too many attempts: %s", ", ".join(sorted(kind.name for kind in revealed)))
            raise TooManyAttempts(attempt.decision.wait_seconds)
        try:
            yield attempt
        except ServiceBusy:
            if attempt.decision.is_admitted:
                throttle.refund(subjects)
                db.session.commit()
            raise


def _count(subjects: Sequence[ThrottleSubject]) -> ThrottleDecision:
    decision = throttle.register_attempt(subjects)
    db.session.commit()
    throttle.trim_if_grown()
    db.session.commit()
    return decision
