"""Test portal.presence.batching with threads and events, without a database."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from portal.errors import DatabaseUnavailable
from portal.presence import batching
from portal.presence.batching import MAX_BATCH_SIZE, Batcher

TIMEOUT_SECONDS = 10  # only a failing test waits this long


class FakeDatabase:
    """Returns the results of a batch when the test allows it, and records the batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.began = threading.Semaphore(0)
        self.may_return = threading.Semaphore(0)
        self.error: BaseException | None = None

    def __call__(self, calls: Sequence[str]) -> list[str]:
        self.batches.append(list(calls))
        self.began.release()
        assert self.may_return.acquire(timeout=TIMEOUT_SECONDS)
        error, self.error = self.error, None
        if error:
            raise error
        return [call.upper() for call in calls]


class Callers:
    """Threads that send; `send` returns once the call has joined a batch, begun one or has its result."""

    def __init__(self, batcher: Batcher[str, str], pool: ThreadPoolExecutor) -> None:
        self._batcher, self._pool = batcher, pool

    def send(self, key: str) -> Future[str]:
        next_lock = _ObservedLock(self._batcher._next_lock)
        self._batcher._next_lock = next_lock  # type: ignore[assignment]
        result = self._pool.submit(self._batcher.send, key, key)
        assert next_lock.released.wait(TIMEOUT_SECONDS)
        return result


class _ObservedLock:
    """A lock with an event for its release."""

    def __init__(self, lock: object) -> None:
        self._lock = lock
        self.released = threading.Event()

    def __enter__(self) -> None:
        self._lock.__enter__()  # type: ignore[attr-defined]

    def __exit__(self, *error: object) -> None:
        self._lock.__exit__(*error)  # type: ignore[attr-defined]
        self.released.set()


@pytest.fixture
def database() -> FakeDatabase:
    return FakeDatabase()


@pytest.fixture
def batcher(database: FakeDatabase) -> Batcher[str, str]:
    return Batcher(database)


@pytest.fixture
def callers(database: FakeDatabase, batcher: Batcher[str, str]):
    with ThreadPoolExecutor(max_workers=2 * MAX_BATCH_SIZE) as pool:
        yield Callers(batcher, pool)
        database.may_return.release(100)


def result_of(future: Future[str]) -> str:
    return future.result(TIMEOUT_SECONDS)


def test_single_call_is_a_batch_of_one_and_does_not_wait(database: FakeDatabase, batcher: Batcher[str, str]) -> None:
    database.may_return.release()

    assert batcher.send("a", "a") == "A"
    assert database.batches == [["a"]]


def test_consecutive_calls_are_one_batch_each(database: FakeDatabase, batcher: Batcher[str, str]) -> None:
    database.may_return.release(3)

    assert [batcher.send(key, key) for key in ("a", "b", "a")] == ["A", "B", "A"]
    assert database.batches == [["a"], ["b"], ["a"]]


def test_calls_during_a_batch_share_the_next_one(database: FakeDatabase, callers: Callers) -> None:
    first = callers.send("a")
    database.began.acquire(timeout=TIMEOUT_SECONDS)
    others = [callers.send(key) for key in ("d", "b", "c")]
    database.may_return.release(2)

    assert [result_of(future) for future in (first, *others)] == ["A", "D", "B", "C"]
    assert database.batches == [["a"], ["b", "c", "d"]]


def test_calls_of_a_batch_are_in_the_order_of_their_keys(database: FakeDatabase, callers: Callers) -> None:
    """The order is the same in every process, so two batches cannot deadlock."""
    callers.send("first")
    database.began.acquire(timeout=TIMEOUT_SECONDS)
    for key in ("n", "z", "a", "m"):
        callers.send(key)
    database.may_return.release(2)
    database.began.acquire(timeout=TIMEOUT_SECONDS)

    assert database.batches[1] == ["a", "m", "n", "z"]


def test_no_batch_contains_a_key_twice(database: FakeDatabase, callers: Callers) -> None:
    """One UPDATE cannot change a row twice. The second heartbeat of a profile on a page goes into the next batch."""
    callers.send("first")
    database.began.acquire(timeout=TIMEOUT_SECONDS)
    results = [callers.send(key) for key in ("a", "b", "a", "c", "a")]
    database.may_return.release(4)

    assert [result_of(future) for future in results] == ["A", "B", "A", "C", "A"]
    assert [len(calls) for calls in database.batches] == [len(set(calls)) for calls in database.batches]
    assert sorted(key for calls in database.batches[1:] for key in calls) == ["a", "a", "a", "b", "c"]


def test_batch_size_is_limited(database: FakeDatabase, callers: Callers) -> None:
    callers.send("first")
    database.began.acquire(timeout=TIMEOUT_SECONDS)
    results = [callers.send(f"{number:03}") for number in range(MAX_BATCH_SIZE + 5)]
    database.may_return.release(3)

    assert [result_of(future) for future in results] == [f"{number:03}" for number in range(MAX_BATCH_SIZE + 5)]
    assert sorted(len(calls) for calls in database.batches) == [1, 5, MAX_BATCH_SIZE]


def test_error_reaches_every_caller_of_its_batch_and_no_other(database: FakeDatabase, callers: Callers) -> None:
    first = callers.send("a")
    database.began.acquire(timeout=TIMEOUT_SECONDS)
    others = [callers.send(key) for key in ("b", "c")]
    database.may_return.release()
    assert result_of(first) == "A"
    database.began.acquire(timeout=TIMEOUT_SECONDS)
    database.error = RuntimeError("the statement failed")
    database.may_return.release()

    for future in others:
        with pytest.raises(RuntimeError, match="the statement failed"):
            result_of(future)
    database.may_return.release()
    assert result_of(callers.send("b")) == "B"


def test_too_few_results_are_an_error() -> None:
    batcher: Batcher[str, str] = Batcher(lambda calls: [])

    with pytest.raises(ValueError, match="zip"):
        batcher.send("a", "a")


def test_wait_for_a_blocked_database_ends_with_503_and_the_next_call_succeeds(
    database: FakeDatabase, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is bounded for the caller that begins a batch and for those that join it."""
    first = callers.send("a")
    database.began.acquire(timeout=TIMEOUT_SECONDS)
    monkeypatch.setattr(batching, "MAX_BATCH_WAIT_SECONDS", 0.05)
    waiting = [callers.send("b"), callers.send("c")]

    for future in waiting:
        with pytest.raises(DatabaseUnavailable, match="too slow"):
            result_of(future)
    database.may_return.release(2)
    assert result_of(first) == "A"
    assert result_of(callers.send("b")) == "B"
    assert database.batches == [["a"], ["b"]]


KILLED_LEADER = """
from gevent import monkey; monkey.patch_all()
import gevent
from gevent.event import Event
from portal.errors import DatabaseUnavailable
from portal.presence.batching import Batcher

may_return = {key: Event() for key in "abd"}

def run(calls):
    may_return[calls[0]].wait()
    return calls

def outcome(key):
    try:
        return batcher.send(key, key)
    except DatabaseUnavailable:
        return "503"

def start(key):
    greenlet = gevent.spawn(outcome, key)
    gevent.sleep(0)
    return greenlet

batcher = Batcher(run)
first, leader, follower = start("a"), start("b"), start("c")
if IS_RUNNING:
    may_return["a"].set()
    first.join()
    gevent.sleep(0)
leader.kill()
late = start("d")
for event in may_return.values():
    event.set()
with gevent.Timeout(10):
    print(first.get(), repr(leader.get()), follower.get(), late.get())
"""


@pytest.mark.parametrize("is_running", [False, True], ids=["waiting for the batch before", "running"])
def test_killed_leader_fails_its_batch_with_503_and_the_next_call_succeeds(is_running: bool) -> None:
    """Under gevent a request can be killed while it waits. The other callers of its batch get 503, and do not wait or
    die with it. The test runs in its own process, because gevent patches the whole process.
    """
    script = f"IS_RUNNING = {is_running}\n{KILLED_LEADER}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.strip() == "a GreenletExit() 503 d", done.stderr
