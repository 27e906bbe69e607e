"""Let one connection hold a lock while the request of a test waits for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, text

from portal.extensions import db
from tests.support.until import wait_until

T = TypeVar("T")
HOLD_CLIENTS = "SELECT FROM clients FOR NO KEY UPDATE"


def overtaken(call: Callable[[], T], hold: str, change: Callable[[Connection], object]) -> T:
    """Run `call` in a thread until it waits for the lock of the statement `hold`; then `change` and commit.

    Return the result of the call.
    """
    db.session.rollback()
    with ThreadPoolExecutor(1) as pool:
        with db.engine.begin() as connection:
            connection.execute(text(hold))
            answer = pool.submit(call)
            until_a_lock_is_awaited()
            change(connection)
        return answer.result(30)


def until_a_lock_is_awaited() -> None:
    """Wait until a statement on the test's server waits for a lock."""
    wait_until(_is_lock_awaited, "no statement waits for a lock")


def _is_lock_awaited() -> bool:
    with db.engine.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
