"""Test the attempt queues: their limits, and the responses when they are full."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from portal.auth import attempt_queue
from portal.auth.attempt_queue import (
    CODES,
    MAX_ATTEMPTS,
    MAX_ATTEMPTS_PER_NAME,
    TRUSTED_BROWSERS,
    UNKNOWN_BROWSERS,
    AttemptQueue,
)
from portal.errors import ServiceBusy, TooManyAttempts
from tests.support.cast import PASSWORD, Cast
from tests.support.html import form_of, text_of
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.sign_in import (
    ELSEWHERE,
    GOOD_PASSWORD,
    HERE,
    attempt_sign_in,
    enrol_second_factor,
    failures_by_kind,
    pass_password_step,
    sign_in,
    trusted_browser,
    use_address,
)
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def slots() -> Iterator[ExitStack]:
    """Hold the slots that a test takes."""
    with ExitStack() as stack:
        yield stack


def fill(slots: ExitStack, queue: AttemptQueue, name: str | None = None) -> None:
    """Take all slots of one name, or all slots, each under another name."""
    for number in range(MAX_ATTEMPTS_PER_NAME if name else MAX_ATTEMPTS):
        slots.enter_context(queue.slot(name or f"name {number}"))


def test_name_with_all_its_slots_does_not_block_other_names(slots: ExitStack) -> None:
    queue = AttemptQueue()
    fill(slots, queue, "a")

    with pytest.raises(TooManyAttempts), queue.slot("a"):
        pass
    with queue.slot("b"):
        pass


def test_full_queue_rejects_attempts_until_a_slot_is_released(slots: ExitStack) -> None:
    queue = AttemptQueue()
    fill(slots, queue)
    with pytest.raises(ServiceBusy), queue.slot("one more"):
        pass

    slots.close()
    assert queue._attempts == {}
    fill(slots, queue, "a")


def test_failing_attempt_releases_its_slot() -> None:
    queue = AttemptQueue()
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(ZeroDivisionError), queue.slot("a"):
            _ = 1 / 0


def test_queue_runs_one_hash_at_a_time() -> None:
    """A hash needs 64 MB. Each queue has its own turn, so that trusted browsers do not wait for unknown ones."""
    queue, running, most = AttemptQueue(), 0, 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        threading.Event().wait(0.001)  # gives other threads the chance to run
        running -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: queue.run_one_at_a_time(work), range(32)))
    assert most == 1


def test_hash_that_waits_too_long_raises_service_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_queue, "MAX_WAIT_SECONDS", 0.01)
    queue = AttemptQueue()
    with queue._hashing, pytest.raises(ServiceBusy):
        queue.run_one_at_a_time(lambda: None)
    assert queue.run_one_at_a_time(lambda: 7) == 7


def send_all(browser: Visitor, email: str, wiretap: Wiretap) -> dict[str, tuple[int, int]]:
    """Map each path to the status of an attempt and to the number of statements that it executed."""
    typed = {
        "/sign-in": {"email": email, "password": PASSWORD},
        "/choose-password": {"email": email, "code": "aaaa", "new_password": GOOD_PASSWORD, "again": GOOD_PASSWORD},
    }
    answers = {}
    for path, fields in typed.items():
        form = {**form_of(browser.get(path)), **fields}
        with wiretap.listening() as heard:
            answer = browser.post(path, data=form)
        assert "Set-Cookie" not in answer.headers
        answers[path] = (answer.status_code, len(work_in(heard)))
    return answers


def test_address_with_all_its_slots_is_rejected_without_a_statement(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, slots: ExitStack
) -> None:
    fill(slots, UNKNOWN_BROWSERS, HERE)

    answers = send_all(use_address(tapped_visit(None)), cast.amelia.email, wiretap)

    assert answers == {"/sign-in": (429, 0), "/choose-password": (429, 0)}
    assert attempt_sign_in(tapped_visit, cast.amelia.email, PASSWORD, ELSEWHERE).status_code == 302


def test_unknown_browser_at_a_full_queue_is_rejected_without_a_statement(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, slots: ExitStack
) -> None:
    fill(slots, UNKNOWN_BROWSERS)

    answers = send_all(use_address(tapped_visit(None)), cast.amelia.email, wiretap)

    assert answers == {"/sign-in": (503, 0), "/choose-password": (503, 0)}
    assert failures_by_kind() == {}


def test_full_queue_of_unknown_browsers_does_not_block_trusted_browsers_or_sessions(
    visit: Visit, cast: Cast, slots: ExitStack
) -> None:
    own, signed_in = trusted_browser(visit, cast.amelia.email), visit(cast.daniel)
    fill(slots, UNKNOWN_BROWSERS)

    assert sign_in(own, cast.amelia.email).status_code == 302
    change = {
        "password-current_password": PASSWORD,
        "password-new_password": GOOD_PASSWORD,
        "password-again": GOOD_PASSWORD,
    }
    assert signed_in.post("/account/password", data=change).status_code == 302


def test_profile_with_all_its_slots_does_not_block_another_profile(visit: Visit, cast: Cast, slots: ExitStack) -> None:
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    fill(slots, TRUSTED_BROWSERS, str(cast.amelia.id))
    form = {"sessions-current_password": PASSWORD, "end": "others"}

    assert amelia.post("/account/sessions", data=form).status_code == 429
    assert daniel.post("/account/sessions", data=form).status_code == 302


def test_profile_with_too_many_codes_in_flight_is_rejected(visit: Visit, cast: Cast, slots: ExitStack) -> None:
    enrol_second_factor(cast.amelia)
    browser = pass_password_step(visit, cast.amelia.email)
    form = form_of(browser.get("/sign-in/code"))
    fill(slots, CODES, f"code:{cast.amelia.id}")

    answer = browser.post("/sign-in/code", data={**form, "code": "000000"})
    assert (answer.status_code, "Too many attempts" in text_of(answer)) == (429, True)


def test_password_that_the_busy_server_could_not_check_again_is_not_counted(
    visit: Visit, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    amelia = visit(cast.amelia)
    monkeypatch.setattr(attempt_queue, "MAX_WAIT_SECONDS", 0.01)
    with TRUSTED_BROWSERS._hashing:
        answer = amelia.post("/account/sessions", data={"sessions-current_password": PASSWORD, "end": "others"})

    assert (answer.status_code, failures_by_kind().get("again")) == (503, 0)
