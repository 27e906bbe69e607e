"""Batch calls: those that arrive while a statement is running are sent together in the next statement.

The context switches to and from PostgreSQL cost several times what a heartbeat costs inside the database. Batching
doubles the heartbeats a second under load. A single call is a batch of one and does not wait. Databases commit in
groups for the same reason (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984).

Works with threads and, when patched, with greenlets. Must not import Flask or SQLAlchemy.
"""

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from portal.errors import DatabaseUnavailable

Call = TypeVar("Call")
Result = TypeVar("Result")
MAX_BATCH_SIZE = 64
MAX_BATCH_WAIT_SECONDS = 15
DATABASE_TOO_SLOW = "The database is too slow at the moment. Try again in a moment."


@dataclass
class _Batch(Generic[Call, Result]):
    """One batch. It has an Event and no Future, whose Condition costs each waiting call a lock, 5 % of a heartbeat."""

    calls: dict[Any, Call] = field(default_factory=dict)
    results: dict[Any, Result] = field(default_factory=dict)
    error: Exception | None = None
    is_done: threading.Event = field(default_factory=threading.Event)


class Batcher(Generic[Call, Result]):
    """Send calls in batches, one batch at a time.

    `run` takes the calls of a batch and returns one result each. The calls are in the order of their keys, which is the
    same in every process, so batches of two processes cannot deadlock. No batch contains a key twice, because one
    UPDATE cannot change a row twice.
    """

    def __init__(self, run: Callable[[Sequence[Call]], Sequence[Result]]) -> None:
        self._run = run
        self._run_lock = threading.Lock()
        self._next_lock = threading.Lock()
        self._next: _Batch[Call, Result] | None = None

    def send(self, key: Hashable, call: Call) -> Result:
        """Return the result of `call`. Raises what `run` raised, or DatabaseUnavailable (503) after a timeout."""
        with self._next_lock:
            batch = self._next
            is_leader = batch is None or key in batch.calls or len(batch.calls) >= MAX_BATCH_SIZE
            if batch is None or is_leader:
                batch = self._next = _Batch()
            batch.calls[key] = call
        if is_leader:
            self._run_as_leader(batch)
        elif not batch.is_done.wait(MAX_BATCH_WAIT_SECONDS):
            raise DatabaseUnavailable(DATABASE_TOO_SLOW)
        if batch.error is not None:
            raise batch.error
        return batch.results[key]

    def _run_as_leader(self, batch: _Batch[Call, Result]) -> None:
        """Run the batch as the caller that began it. Calls join until the batch before it is done."""
        has_lock = False
        try:
            has_lock = self._run_lock.acquire(timeout=MAX_BATCH_WAIT_SECONDS)
            self._close(batch)
            if not has_lock:
                raise DatabaseUnavailable(DATABASE_TOO_SLOW)
            keys = sorted(batch.calls)
            results = self._run([batch.calls[key] for key in keys])
            batch.results = dict(zip(keys, results, strict=True))
        except BaseException as error:
            # The other callers wait for this batch. A killed leader (gevent raises GreenletExit at any wait) must not
            # leave them waiting or pass its exit on: they get an error that asks for a retry.
            self._close(batch)
            batch.error = error if isinstance(error, Exception) else DatabaseUnavailable(DATABASE_TOO_SLOW)
            raise
        finally:
            batch.is_done.set()
            if has_lock:
                self._run_lock.release()

    def _close(self, batch: _Batch[Call, Result]) -> None:
        with self._next_lock:
            if self._next is batch:
                self._next = None
