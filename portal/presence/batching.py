"""Many calls, one statement: what a process wants to send while a statement is under way goes together in the next.

Waking PostgreSQL and being woken by it costs several times what a beat costs inside the database, so under load
this doubles the beats a second; a lone call is a round of one and waits for nobody. It is how a database commits
in groups (DeWitt et al., "Implementation Techniques for Main Memory Database Systems", 1984).

Used by store.py. Works with threads and, patched, with greenlets. Must not import Flask or SQLAlchemy.
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
DATABASE_TOO_SLOW = "The database is too slow just now. Please try again in a moment."


@dataclass
class _Batch(Generic[Call, Result]):
    """An Event instead of a Future: its Condition costs every waiting call a lock, 5 % of a beat under load."""

    calls: dict[Any, Call] = field(default_factory=dict)
    answers: dict[Any, Result] = field(default_factory=dict)
    error: Exception | None = None
    is_over: threading.Event = field(default_factory=threading.Event)


class Batcher(Generic[Call, Result]):
    """Sends calls in rounds, one round at a time.

    `run` gets the calls of a round in the order of their keys, the same in every process so that two rounds never
    lock rows crosswise, and returns as many answers. No round holds two calls with the same key: one UPDATE
    cannot change a row twice.
    """

    def __init__(self, run: Callable[[Sequence[Call]], Sequence[Result]]) -> None:
        self._run = run
        self._turn = threading.Lock()
        self._filling = threading.Lock()
        self._next: _Batch[Call, Result] | None = None

    def send(self, key: Hashable, call: Call) -> Result:
        """The answer to `call`. Raises what `run` raised, or DatabaseUnavailable (503) when its turn does not come."""
        with self._filling:
            round_ = self._next
            leads = round_ is None or key in round_.calls or len(round_.calls) >= MAX_BATCH_SIZE
            if round_ is None or leads:
                round_ = self._next = _Batch()
            round_.calls[key] = call
        if leads:
            self._lead(round_)
        elif not round_.is_over.wait(MAX_BATCH_WAIT_SECONDS):
            raise DatabaseUnavailable(DATABASE_TOO_SLOW)
        if round_.error is not None:
            raise round_.error
        return round_.answers[key]

    def _lead(self, round_: _Batch[Call, Result]) -> None:
        """Whoever began the round sends it; all who came before its turn have joined it by then."""
        has_turn = False
        try:
            has_turn = self._turn.acquire(timeout=MAX_BATCH_WAIT_SECONDS)
            self._close(round_)
            if not has_turn:
                raise DatabaseUnavailable(DATABASE_TOO_SLOW)
            keys = sorted(round_.calls)
            answers = self._run([round_.calls[key] for key in keys])
            round_.answers = dict(zip(keys, answers, strict=True))
        except BaseException as error:
            # The others of the round wait for it, and a killed leader (gevent's GreenletExit comes at any wait) must
            # neither leave them waiting nor kill them too: they are told to come again.
            self._close(round_)
            round_.error = error if isinstance(error, Exception) else DatabaseUnavailable(DATABASE_TOO_SLOW)
            raise
        finally:
            round_.is_over.set()
            if has_turn:
                self._turn.release()

    def _close(self, round_: _Batch[Call, Result]) -> None:
        with self._filling:
            if self._next is round_:
                self._next = None
