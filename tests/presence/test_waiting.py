"""Wait for other users, ask them to finish and reply, as tab states in heartbeats (docs/api.md)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from portal.extensions import db
from portal.live.notifications import Notification as Notice
from portal.notifications.kinds import Kind
from tests.support.cast import Cast
from tests.support.notifications import NotificationListener
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass

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


def iso_time(text: str) -> datetime:
    """Return the time as Python formats it; PostgreSQL omits trailing zeros."""
    return datetime.fromisoformat(text)


def ask(visitor: Visitor, page_identifier: str, tab_id: str = "t") -> Any:
    return visitor.post(f"/user_page_presence/{page_identifier}/nudge", json={"tab_id": tab_id})


@pytest.mark.statements
def test_roster_shows_who_waits_and_since_when(amelia: Visitor, daniel: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t")
    assert "waiting_since" not in seen(daniel, page_identifier)

    amelia.beat(page_identifier, tab_id="t", waiting=True)
    began = seen(daniel, page_identifier)["waiting_since"]
    assert iso_time(began) == iso_time(seen(daniel, page_identifier)["last_seen"])

    amelia.beat(page_identifier, tab_id="t", waiting=True, visible=False)
    assert seen(daniel, page_identifier)["waiting_since"] == began
    amelia.beat(page_identifier, tab_id="t")
    assert "waiting_since" not in seen(daniel, page_identifier)


def test_waiting_again_starts_a_new_wait(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    first = seen(amelia, page_identifier)["waiting_since"]
    amelia.beat(page_identifier, tab_id="t")
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    assert seen(amelia, page_identifier)["waiting_since"] > first


def test_wait_restarts_after_an_absence_longer_than_the_active_window(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    first = seen(amelia, page_identifier)["waiting_since"]
    let_pass(121)
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    assert seen(amelia, page_identifier)["waiting_since"] > first


@pytest.mark.statements
def test_longest_wait_of_several_tabs_counts(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="one", waiting=True)
    first = seen(amelia, page_identifier)["waiting_since"]
    amelia.beat(page_identifier, tab_id="two", waiting=True)
    assert seen(amelia, page_identifier)["waiting_since"] == first


def test_reply_is_shown_until_the_tab_stops_sending_it(amelia: Visitor, daniel: Visitor, page_identifier: str) -> None:
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
def test_value_out_of_range_is_422_naming_the_field(
    amelia: Visitor, page_identifier: str, field: str, value: object
) -> None:
    answer = amelia.beat(page_identifier, **{field: value})
    assert (answer.status_code, answer.json["field"]) == (422, field)


@pytest.mark.statements
def test_nudge_appears_on_the_roster_and_notifies_the_page(
    amelia: Visitor, daniel: Visitor, cast: Cast, page_identifier: str, listener: NotificationListener
) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    listener.received()

    answer = ask(amelia, page_identifier)

    assert (answer.status_code, answer.json) == (200, {"status": "asked"})
    [notification] = listener.received()
    assert (notification.event, notification.page, notification.profile) == ("nudge", page_identifier, cast.amelia.id)
    asked_at = seen(daniel, page_identifier)["asked_at"]
    assert iso_time(asked_at) > iso_time(seen(daniel, page_identifier)["waiting_since"])
    amelia.beat(page_identifier, tab_id="t", waiting=True, visible=False)
    assert seen(daniel, page_identifier)["asked_at"] == asked_at
    amelia.beat(page_identifier, tab_id="t")
    assert "asked_at" not in seen(daniel, page_identifier)


def test_second_nudge_too_soon_is_429_with_the_seconds_to_wait(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    amelia.beat(page_identifier, tab_id="another", waiting=True)
    assert ask(amelia, page_identifier).status_code == 200

    for tab_id in ("t", "another"):
        refused = ask(amelia, page_identifier, tab_id)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["Retry-After"]) <= 20
        assert refused.content_type == "application/problem+json"


def test_stopping_and_waiting_again_does_not_evade_the_nudge_limit(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    assert ask(amelia, page_identifier).status_code == 200

    amelia.beat(page_identifier, tab_id="t")
    amelia.beat(page_identifier, tab_id="t", waiting=True)

    assert "asked_at" not in seen(amelia, page_identifier)
    assert ask(amelia, page_identifier).status_code == 429


def test_latest_reply_of_two_tabs_counts_not_the_latest_heartbeat(
    amelia: Visitor, daniel: Visitor, page_identifier: str
) -> None:
    daniel.beat(page_identifier, tab_id="one", answer="soon")
    daniel.beat(page_identifier, tab_id="two", answer="done")
    daniel.beat(page_identifier, tab_id="one", answer="soon")
    assert seen(amelia, page_identifier, "Daniel")["answer"] == "done"


def test_new_stream_number_notifies_no_page(
    amelia: Visitor, page_identifier: str, listener: NotificationListener
) -> None:
    amelia.beat(page_identifier, tab_id="t", stream=1)
    listener.received()
    amelia.beat(page_identifier, tab_id="t", stream=2)
    assert listener.received() == []


@pytest.mark.statements
def test_only_one_of_many_simultaneous_nudges_succeeds(amelia: Visitor, page_identifier: str) -> None:
    amelia.beat(page_identifier, tab_id="t", waiting=True)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(amelia, page_identifier).status_code, range(8)))
    assert sorted(answers) == [200, *[429] * 7]


@pytest.mark.parametrize("state", [{}, {"activity": "editing"}])
def test_nudge_of_a_tab_that_does_not_wait_is_422(amelia: Visitor, page_identifier: str, state: dict[str, str]) -> None:
    amelia.beat(page_identifier, tab_id="t", **state)
    for tab_id in ("t", "no-such-tab"):
        answer = ask(amelia, page_identifier, tab_id)
        assert (answer.status_code, answer.json["field"]) == (422, "tab_id")


def test_nudge_body_that_is_not_an_object_is_422(amelia: Visitor, page_identifier: str) -> None:
    answer = amelia.post(f"/user_page_presence/{page_identifier}/nudge", json=["t"])
    assert (answer.status_code, answer.json["field"]) == (422, "body")


def test_nudge_on_a_forbidden_page_is_404(amelia: Visitor) -> None:
    assert ask(amelia, "client-999999").status_code == 404


@pytest.mark.statements
def test_nudge_notifies_those_who_edit_wherever_they_are_and_once_until_they_read_it(
    amelia: Visitor, daniel: Visitor, visit: Visit, cast: Cast, page_identifier: str, listener: NotificationListener
) -> None:
    visit(cast.ada).beat(page_identifier)
    daniel.beat(page_identifier, tab_id="editor", activity="editing")
    cast.rhys.role = "adviser"
    cast.rhys.muted_notifications = [Kind.WAITING]
    db.session.commit()
    visit(cast.rhys).beat(page_identifier, activity="editing")
    for _ in range(2):
        amelia.beat(page_identifier, tab_id="t", waiting=True)
        listener.received()
        assert ask(amelia, page_identifier).status_code == 200
        assert Notice("notified", profile=cast.daniel.id) in listener.received()
        db.session.execute(text("UPDATE user_page_presence SET tabs = tabs #- '{t,asked_at}'"))
        db.session.commit()
    rows = db.session.execute(text("SELECT profile_id, kind, actor_id FROM notifications")).all()
    assert rows == [(cast.daniel.id, "waiting", cast.amelia.id)]


def test_refused_nudge_notifies_nobody(amelia: Visitor, daniel: Visitor, page_identifier: str) -> None:
    daniel.beat(page_identifier, activity="editing")
    amelia.beat(page_identifier, tab_id="t")
    assert ask(amelia, page_identifier).status_code == 422
    assert db.session.scalar(text("SELECT count(*) FROM notifications")) == 0
