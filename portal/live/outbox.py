"""Run work directly after a commit: notifications, and removals from pages. A rollback discards it.

A transaction that notifies holds a database-wide lock until it has committed, and one that deletes presence rows locks
them. A commit can wait for a missing standby, and heartbeats would wait with it. The work therefore runs after the
commit, on the connections of presence, which wait for no standby.

If the process dies in between, pages recover within 20 s: the hub reads each one at that interval.
"""

import logging
from collections.abc import Callable

from flask import Flask
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from portal.driver.errors import DATABASE_ERRORS, first_line
from portal.extensions import PRESENCE_BIND, db

logger = logging.getLogger(__name__)
OUTBOX = "outbox"
Work = Callable[[Connection], object]


def after_commit(work: Work) -> None:
    """Call `work` with a connection of presence once the session's transaction has committed."""
    db.session.info.setdefault(OUTBOX, []).append(work)


def init_outbox(_app: Flask) -> None:
    """Register the listeners for every session. A second call changes nothing."""
    for moment, listener in (("after_commit", _run), ("after_rollback", _discard)):
        if not event.contains(Session, moment, listener):
            event.listen(Session, moment, listener)


def _run(session: Session) -> None:
    pending: list[Work] = session.info.pop(OUTBOX, [])
    if not pending:
        return
    # One statement needs no transaction. Several share one commit.
    isolation_level = "AUTOCOMMIT" if len(pending) == 1 else "READ COMMITTED"
    try:
        with db.engines[PRESENCE_BIND].execution_options(isolation_level=isolation_level).begin() as connection:
            for work in pending:
                work(connection)
    except DATABASE_ERRORS as error:
        logger.warning("live: notification failed, pages update within 20 s: %s", first_line(error))


def _discard(session: Session) -> None:
    session.info.pop(OUTBOX, None)
