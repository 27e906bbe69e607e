"""What follows from a commit: notifications, and people who are taken off pages. Done at once after it, and not in it.

A transaction that notifies holds a lock of the whole database until it has committed, and so do the presence rows that
it deletes. A commit may wait for a standby that is away: heartbeats would wait with it. So this is done on presence's
connections, which wait for no standby, and never where the transaction rolls back.

A process that dies between the two leaves nothing behind that does not heal: every page is read again within 20 s.
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
    """Do this once the session's transaction has committed. It gets a connection of presence's."""
    db.session.info.setdefault(OUTBOX, []).append(work)


def init_outbox(_app: Flask) -> None:
    """Listen to every session of the application; twice is once."""
    for moment, listener in (("after_commit", _do), ("after_rollback", _forget)):
        if not event.contains(Session, moment, listener):
            event.listen(Session, moment, listener)


def _do(session: Session) -> None:
    waiting: list[Work] = session.info.pop(OUTBOX, [])
    if not waiting:
        return
    # One statement needs no transaction around it; of many, one commit instead of each its own.
    isolation_level = "AUTOCOMMIT" if len(waiting) == 1 else "READ COMMITTED"
    try:
        with db.engines[PRESENCE_BIND].execution_options(isolation_level=isolation_level).begin() as connection:
            for work in waiting:
                work(connection)
    except DATABASE_ERRORS as error:
        logger.warning("live: what was saved is told within 20 s, not at once: %s", first_line(error))


def _forget(session: Session) -> None:
    session.info.pop(OUTBOX, None)
