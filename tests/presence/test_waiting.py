"""Waiting is what a tab says of itself: who waits, since when, and whom it has asked to finish (docs/api.md)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from tests.support.cast import Cast
from tests.support.notifications import Wire
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass

pytestmark = pytest.mark.statements

Visit = type[Visitor]


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia).with_token()


@pytest.fixture
def daniel(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.daniel).with_token()


def seen(visitor: Visitor, page_identifier: str, first_name: str = "Amelia") -> dict[str, Any]:
    [user] = [user for user in visitor.roster(page_identifier) if user["first_name"] == first_name]
    return user


def moment(text: str) -> datetime:
    """PostgreSQL writes no zeros at the end, Python does."""
    return datetime.fromisoformat(text)


def ask(visitor: Visitor, page_identifier: str, tab_id: str = "t") -> Any:
    return visitor.post(f"/user_page_presence/{page_identifier}/nudge", json={"tab_id": tab_id})


def test_the_others_see_who_waits_since_when(amelia: Visitor, daniel: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t")
    assert "waiting_since" not in seen(daniel, page_identifier)

    amelia.beat(page_identifier, tab_id="t", waiting=True)
    began = seen(daniel, page_identifier)["waiting_since"]
    assert moment(began) == moment(seen(daniel, page_identifier)["last_seen"])

    amelia.beat(page_identifier, tab_id="t", waiting=True, visible=False)
    assert seen(daniel, page_identifier)["waiting_since"] == began
    amelia.beat(page_identifier, tab_id="t")
    assert "waiting_since" not in seen(daniel, page_identifier)


def test_who_waits_anew_waits_from_then_on(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    first = seen(amelia, page_identifier)["waiting_since"]
    amelia.beat(page_identifier, tab_id="t")
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    assert seen(amelia, page_identifier)["waiting_since"] > first


def test_who_was_gone_for_longer_than_the_active_window_waits_from_then_on(
    amelia: Visitor, page_identifier: str
) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    first = seen(amelia, page_identifier)["waiting_since"]
    let_pass(121)
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    assert seen(amelia, page_identifier)["waiting_since"] > first


def test_of_several_tabs_that_wait_the_first_counts(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="one", waiting=True)
    first = seen(amelia, page_identifier)["waiting_since"]
    amelia.beat(page_identifier, tab_id="two", waiting=True)
    assert seen(amelia, page_identifier)["waiting_since"] == first


def test_an_answer_is_seen_until_it_is_no_longer_said(amelia: Visitor, daniel: Visitor, page_identifier: str) -> None:
    for answer in ("soon", "done", None):
        daniel.beat(page_identifier, tab_id="t", activity="editing", answer=answer)
        assert seen(amelia, page_identifier, "Daniel").get("answer") == answer


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("waiting", "yes"),
        ("waiting", None),
        ("answer", "no"),
        ("answer", 1),
        ("stream", -1),
        ("stream", "1"),
        ("stream", True),
        ("stream", 10**9),
    ],
)
def test_a_value_out_of_range_is_named(amelia: Visitor, page_identifier: str, field: str, value: object) -> None:
    answer = amelia.beat(page_identifier, **{field: value})
    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_asking_to_finish_is_seen_on_the_roster_and_rung_as_a_nudge(
    amelia: Visitor, daniel: Visitor, cast: Cast, page_identifier: str, wire: Wire
) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    wire.heard()

    answer = ask(amelia, page_identifier)

    assert (answer.status_code, answer.json) == (200, {"status": "asked"})
    [notice] = wire.heard()
    assert (notice.event, notice.page, notice.profile) == ("nudge", page_identifier, cast.amelia.id)
    asked_at = seen(daniel, page_identifier)["asked_at"]
    assert moment(asked_at) > moment(seen(daniel, page_identifier)["waiting_since"])
    amelia.beat(page_identifier, tab_id="t", waiting=True, visible=False)
    assert seen(daniel, page_identifier)["asked_at"] == asked_at
    amelia.beat(page_identifier, tab_id="t")
    assert "asked_at" not in seen(daniel, page_identifier)


def test_asking_again_too_soon_is_429_with_the_seconds_to_wait(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    amelia.beat(page_identifier, tab_id="another", waiting=True)
    assert ask(amelia, page_identifier).status_code == 200

    for tab_id in ("t", "another"):
        refused = ask(amelia, page_identifier, tab_id)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 20
        assert refused.content_type == "application/problem+json"


def test_stopping_and_waiting_again_is_no_way_to_ask_sooner(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    assert ask(amelia, page_identifier).status_code == 200

    amelia.beat(page_identifier, tab_id="t")
    amelia.beat(page_identifier, tab_id="t", waiting=True)

    assert "asked_at" not in seen(amelia, page_identifier)
    assert ask(amelia, page_identifier).status_code == 429


def test_of_two_tabs_the_last_to_answer_counts_and_not_the_last_to_beat(
    amelia: Visitor, daniel: Visitor, page_identifier: str
) -> None:
    daniel.beat(page_identifier, tab_id="one", answer="soon")
    daniel.beat(page_identifier, tab_id="two", answer="done")
    daniel.beat(page_identifier, tab_id="one", answer="soon")
    assert seen(amelia, page_identifier, "Daniel")["answer"] == "done"


def test_which_stream_a_tab_holds_is_no_news(amelia: Visitor, page_identifier: str, wire: Wire) -> None:
    amelia.beat(page_identifier, tab_id="t", stream=1)
    wire.heard()
    amelia.beat(page_identifier, tab_id="t", stream=2)
    assert wire.heard() == []


def test_of_many_asking_at_once_one_gets_through(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(amelia, page_identifier).status_code, range(8)))
    assert sorted(answers) == [200, *[429] * 7]


@pytest.mark.parametrize("state", [{}, {"activity": "editing"}])
def test_only_who_waits_may_ask(amelia: Visitor, page_identifier: str, state: dict[str, str]) -> None:
    amelia.beat(page_identifier, tab_id="t", **state)
    for tab_id in ("t", "no-such-tab"):
        answer = ask(amelia, page_identifier, tab_id)
        assert (answer.status_code, answer.json["field"]) == (422, "tab_id")


def test_a_body_that_is_no_object_is_named(amelia: Visitor, page_identifier: str) -> None:
    answer = amelia.post(f"/user_page_presence/{page_identifier}/nudge", json=["t"])
    assert (answer.status_code, answer.json["field"]) == (422, "body")


def test_a_page_that_is_not_for_the_caller_is_no_page(amelia: Visitor) -> None:
    assert ask(amelia, "client-999999").status_code == 404
