"""The lanes before the hashes: how many tries, of whom, and what those who find no place are told."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from portal.auth import attempt_queue
from portal.auth.attempt_queue import CODES, KNOWN, MAX_IN_LANE, MAX_IN_LANE_OF_ONE, STRANGERS, Lane
from portal.errors import ServiceBusy, TooManyAttempts
from tests.auth.test_choose_password import GOOD
from tests.auth.test_second_factor import half_way, set_up
from tests.auth.test_sign_in import sign_in
from tests.auth.test_throttle import ELSEWHERE, HERE, at, failures, from_here, known_browser
from tests.support.cast import PASSWORD, Cast
from tests.support.html import form_of, text_of
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def taken() -> Iterator[ExitStack]:
    """What holds the places that a test takes."""
    with ExitStack() as stack:
        yield stack


def fill(taken: ExitStack, lane: Lane, name: str | None = None) -> None:
    """Take every place of one name, or all places, each for another name."""
    for number in range(MAX_IN_LANE_OF_ONE if name else MAX_IN_LANE):
        taken.enter_context(lane.place(name or f"somebody {number}"))


def test_one_name_has_its_share_and_others_have_theirs(taken: ExitStack) -> None:
    lane = Lane()
    fill(taken, lane, "a")

    with pytest.raises(TooManyAttempts), lane.place("a"):
        pass
    with lane.place("b"):
        pass


def test_a_full_lane_lets_nobody_in_until_somebody_leaves(taken: ExitStack) -> None:
    lane = Lane()
    fill(taken, lane)
    with pytest.raises(ServiceBusy), lane.place("one more"):
        pass

    taken.close()
    assert lane._tries == {}
    fill(taken, lane, "a")


def test_a_try_that_fails_gives_its_place_back() -> None:
    lane = Lane()
    for _ in range(MAX_IN_LANE + 1):
        with pytest.raises(ZeroDivisionError), lane.place("a"):
            _ = 1 / 0


def test_one_hash_of_a_lane_runs_at_a_time() -> None:
    """64 MB each; strangers and others have one each, so that neither waits for the other."""
    lane, running, most = Lane(), 0, 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        threading.Event().wait(0.001)  # lets the others come in between, if they can
        running -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: lane.hash_in_turn(work), range(32)))
    assert most == 1


def test_a_hash_that_gets_no_turn_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt_queue, "MAX_WAIT_SECONDS", 0.01)
    lane = Lane()
    with lane._hashing, pytest.raises(ServiceBusy):
        lane.hash_in_turn(lambda: None)
    assert lane.hash_in_turn(lambda: 7) == 7


def send_all(browser: Visitor, email: str, wiretap: Wiretap) -> dict[str, tuple[int, int]]:
    """Path to the status of a try there, and to the statements that it cost."""
    typed = {
        "/sign-in": {"email": email, "password": PASSWORD},
        "/choose-password": {"email": email, "code": "aaaa", "new_password": GOOD, "again": GOOD},
    }
    answers = {}
    for path, fields in typed.items():
        form = {**form_of(browser.get(path)), **fields}
        with wiretap.listening() as heard:
            answer = browser.post(path, data=form)
        assert "Set-Cookie" not in answer.headers
        answers[path] = (answer.status_code, len(work_in(heard)))
    return answers


def test_an_address_with_its_share_in_flight_is_told_so_without_a_statement(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, taken: ExitStack
) -> None:
    fill(taken, STRANGERS, HERE)

    answers = send_all(at(tapped_visit(None)), cast.amelia.email, wiretap)

    assert answers == {"/sign-in": (429, 0), "/choose-password": (429, 0)}
    assert from_here(tapped_visit, cast.amelia.email, PASSWORD, ELSEWHERE).status_code == 302


def test_strangers_in_a_full_lane_are_told_to_come_again_without_a_statement(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, taken: ExitStack
) -> None:
    fill(taken, STRANGERS)

    answers = send_all(at(tapped_visit(None)), cast.amelia.email, wiretap)

    assert answers == {"/sign-in": (503, 0), "/choose-password": (503, 0)}
    assert failures() == {}


def test_full_lane_of_strangers_keeps_out_nobody_whose_browser_is_known_or_who_is_signed_in(
    visit: Visit, cast: Cast, taken: ExitStack
) -> None:
    own, signed_in = known_browser(visit, cast.amelia.email), visit(cast.daniel)
    fill(taken, STRANGERS)

    assert sign_in(own, cast.amelia.email).status_code == 302
    change = {"password-current_password": PASSWORD, "password-new_password": GOOD, "password-again": GOOD}
    assert signed_in.post("/account/password", data=change).status_code == 302


def test_one_profile_takes_no_place_of_another(visit: Visit, cast: Cast, taken: ExitStack) -> None:
    amelia, daniel = visit(cast.amelia), visit(cast.daniel)
    fill(taken, KNOWN, str(cast.amelia.id))
    form = {"sessions-current_password": PASSWORD, "end": "others"}

    assert amelia.post("/account/sessions", data=form).status_code == 429
    assert daniel.post("/account/sessions", data=form).status_code == 302


def test_codes_of_one_profile_in_flight_are_few(visit: Visit, cast: Cast, taken: ExitStack) -> None:
    set_up(cast.amelia)
    browser = half_way(visit, cast.amelia.email)
    form = form_of(browser.get("/sign-in/code"))
    fill(taken, CODES, f"code:{cast.amelia.id}")

    answer = browser.post("/sign-in/code", data={**form, "code": "000000"})
    assert (answer.status_code, "too many tries" in text_of(answer)) == (429, True)
