"""portal.presence.batching: many calls, one statement. Threads and events, no database, no sleeping."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from portal.errors import DatabaseUnavailable
from portal.presence import batching as rounds_module
from portal.presence.batching import MAX_BATCH_SIZE, Batcher

PATIENCE_SECONDS = 10  # never used up, unless a test fails


class Gate:
    """Stands for the database: answers a round when the test lets it, and remembers the rounds."""

    def __init__(self) -> None:
        self.rounds: list[list[str]] = []
        self.began = threading.Semaphore(0)
        self.may_answer = threading.Semaphore(0)
        self.error: BaseException | None = None

    def __call__(self, calls: Sequence[str]) -> list[str]:
        self.rounds.append(list(calls))
        self.began.release()
        assert self.may_answer.acquire(timeout=PATIENCE_SECONDS)
        error, self.error = self.error, None
        if error:
            raise error
        return [call.upper() for call in calls]


class Callers:
    """Threads that send; `send` returns once the call has joined a round, led one or got its answer."""

    def __init__(self, rounds: Batcher[str, str], pool: ThreadPoolExecutor) -> None:
        self._rounds, self._pool = rounds, pool

    def send(self, key: str) -> Future[str]:
        filling = _Noticed(self._rounds._filling)
        self._rounds._filling = filling  # type: ignore[assignment]
        answer = self._pool.submit(self._rounds.send, key, key)
        assert filling.released.wait(PATIENCE_SECONDS)
        return answer


class _Noticed:
    """A lock that tells when it has been given back."""

    def __init__(self, lock: object) -> None:
        self._lock = lock
        self.released = threading.Event()

    def __enter__(self) -> None:
        self._lock.__enter__()  # type: ignore[attr-defined]

    def __exit__(self, *error: object) -> None:
        self._lock.__exit__(*error)  # type: ignore[attr-defined]
        self.released.set()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def rounds(gate: Gate) -> Batcher[str, str]:
    return Batcher(gate)


@pytest.fixture
def callers(gate: Gate, rounds: Batcher[str, str]):
    with ThreadPoolExecutor(max_workers=2 * MAX_BATCH_SIZE) as pool:
        yield Callers(rounds, pool)
        gate.may_answer.release(100)


def answer_of(future: Future[str]) -> str:
    return future.result(PATIENCE_SECONDS)


def test_a_lone_call_is_a_round_of_one_and_waits_for_nobody(gate: Gate, rounds: Batcher[str, str]) -> None:
    gate.may_answer.release()

    assert rounds.send("a", "a") == "A"
    assert gate.rounds == [["a"]]


def test_one_call_after_the_other_is_one_round_each(gate: Gate, rounds: Batcher[str, str]) -> None:
    gate.may_answer.release(3)

    assert [rounds.send(key, key) for key in ("a", "b", "a")] == ["A", "B", "A"]
    assert gate.rounds == [["a"], ["b"], ["a"]]


def test_what_comes_while_a_round_is_under_way_shares_the_next(gate: Gate, callers: Callers) -> None:
    first = callers.send("a")
    gate.began.acquire(timeout=PATIENCE_SECONDS)
    others = [callers.send(key) for key in ("d", "b", "c")]
    gate.may_answer.release(2)

    assert [answer_of(future) for future in (first, *others)] == ["A", "D", "B", "C"]
    assert gate.rounds == [["a"], ["b", "c", "d"]]


def test_a_round_is_sent_in_the_order_of_its_keys(gate: Gate, callers: Callers) -> None:
    """The same order in every process, so that two rounds never lock rows crosswise."""
    callers.send("first")
    gate.began.acquire(timeout=PATIENCE_SECONDS)
    for key in ("n", "z", "a", "m"):
        callers.send(key)
    gate.may_answer.release(2)
    gate.began.acquire(timeout=PATIENCE_SECONDS)

    assert gate.rounds[1] == ["a", "m", "n", "z"]


def test_no_round_holds_the_same_key_twice(gate: Gate, callers: Callers) -> None:
    """One UPDATE cannot change a row twice: the second beat of a profile on a page goes one round later."""
    callers.send("first")
    gate.began.acquire(timeout=PATIENCE_SECONDS)
    answers = [callers.send(key) for key in ("a", "b", "a", "c", "a")]
    gate.may_answer.release(4)

    assert [answer_of(future) for future in answers] == ["A", "B", "A", "C", "A"]
    assert [len(calls) for calls in gate.rounds] == [len(set(calls)) for calls in gate.rounds]
    assert sorted(key for calls in gate.rounds[1:] for key in calls) == ["a", "a", "a", "b", "c"]


def test_a_round_has_a_limit(gate: Gate, callers: Callers) -> None:
    callers.send("first")
    gate.began.acquire(timeout=PATIENCE_SECONDS)
    answers = [callers.send(f"{number:03}") for number in range(MAX_BATCH_SIZE + 5)]
    gate.may_answer.release(3)

    assert [answer_of(future) for future in answers] == [f"{number:03}" for number in range(MAX_BATCH_SIZE + 5)]
    assert sorted(len(calls) for calls in gate.rounds) == [1, 5, MAX_BATCH_SIZE]


def test_an_error_reaches_every_caller_of_its_round_and_no_other(gate: Gate, callers: Callers) -> None:
    first = callers.send("a")
    gate.began.acquire(timeout=PATIENCE_SECONDS)
    others = [callers.send(key) for key in ("b", "c")]
    gate.may_answer.release()
    assert answer_of(first) == "A"
    gate.began.acquire(timeout=PATIENCE_SECONDS)
    gate.error = RuntimeError("the statement failed")
    gate.may_answer.release()

    for future in others:
        with pytest.raises(RuntimeError, match="the statement failed"):
            answer_of(future)
    gate.may_answer.release()
    assert answer_of(callers.send("b")) == "B"


def test_too_few_answers_are_an_error_not_a_mix_up() -> None:
    rounds: Batcher[str, str] = Batcher(lambda calls: [])

    with pytest.raises(ValueError, match="zip"):
        rounds.send("a", "a")


def test_a_turn_that_does_not_come_is_503_and_the_next_call_is_served(
    gate: Gate, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for a database that hangs is bounded, for those who lead a round and for those who joined it."""
    first = callers.send("a")
    gate.began.acquire(timeout=PATIENCE_SECONDS)
    monkeypatch.setattr(rounds_module, "MAX_BATCH_WAIT_SECONDS", 0.05)
    waiting = [callers.send("b"), callers.send("c")]

    for future in waiting:
        with pytest.raises(DatabaseUnavailable, match="too slow"):
            answer_of(future)
    gate.may_answer.release(2)
    assert answer_of(first) == "A"
    assert answer_of(callers.send("b")) == "B"
    assert gate.rounds == [["a"], ["b"]]


KILLED_LEADER = """
from gevent import monkey; monkey.patch_all()
import gevent
from gevent.event import Event
from portal.errors import DatabaseUnavailable
from portal.presence.batching import Batcher

may_answer = {key: Event() for key in "abd"}

def run(calls):
    may_answer[calls[0]].wait()
    return calls

def outcome(key):
    try:
        return rounds.send(key, key)
    except DatabaseUnavailable:
        return "503"

def start(key):
    greenlet = gevent.spawn(outcome, key)
    gevent.sleep(0)
    return greenlet

rounds = Batcher(run)
first, leader, follower = start("a"), start("b"), start("c")
if IS_SENDING:
    may_answer["a"].set()
    first.join()
    gevent.sleep(0)
leader.kill()
late = start("d")
for answer in may_answer.values():
    answer.set()
with gevent.Timeout(10):
    print(first.get(), repr(leader.get()), follower.get(), late.get())
"""


@pytest.mark.parametrize("is_sending", [False, True], ids=["waiting for its turn", "sending"])
def test_a_killed_leader_strands_nobody(is_sending: bool) -> None:
    """Under gevent a request may be killed at any wait. The others of its round are told to come again (503) instead
    of waiting or dying with it, and the next call is served. In a process of its own, for gevent patches all of one.
    """
    script = f"IS_SENDING = {is_sending}\n{KILLED_LEADER}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout.strip() == "a GreenletExit() 503 d", done.stderr
