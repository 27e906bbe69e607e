"""Remove a tab after its connection has broken, unless the tab has been active since."""

import time
from contextlib import suppress

import pytest
from flask import Flask

from portal import page_kinds
from portal.errors import ServiceBusy
from portal.live import hub as hub_module
from portal.live import hub_of
from portal.live.stream import Stream
from tests.live.conftest import Listen, run_sql
from tests.support.cast import Cast
from tests.support.sse_reader import EventReader
from tests.support.test_client import Visitor, identity_of
from tests.support.time_travel import let_pass, rows, tab_ids
from tests.support.until import wait_until

Visit = type[Visitor]
LATER_BY_A_SECOND = """
    UPDATE user_page_presence SET tabs = jsonb_set(tabs, '{tab,at}', to_jsonb((tabs #>> '{tab,at}')::float8 + 1))
"""


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LEAVE_GRACE_SECONDS", 0)
    monkeypatch.setattr(hub_module, "HOUSEKEEPING_INTERVAL_SECONDS", 0.02)


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia).with_token()


@pytest.fixture
def daniel_events(visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> EventReader:
    """Daniel's stream. Its events show that the hub has decided about Amelia's tab."""
    events = listen(visit(cast.daniel), page_identifier, "daniels")
    assert events.names() == []
    return events


@pytest.mark.statements
def test_disconnected_tab_is_removed_and_the_others_are_notified(
    amelia: Visitor, page_identifier: str, daniel_events: EventReader, listen: Listen
) -> None:
    amelia.beat(page_identifier, tab_id="tab")
    assert daniel_events.names() == ["Amelia"]

    listen(amelia, page_identifier).close()

    assert daniel_events.names() == []
    assert rows() == []


def test_tab_that_disconnects_while_its_stream_opens_is_removed(
    app: Flask, cast: Cast, amelia: Visitor, page_identifier: str, daniel_events: EventReader
) -> None:
    amelia.beat(page_identifier, tab_id="tab", stream=1)
    assert daniel_events.names() == ["Amelia"]
    hub = hub_of(app)
    page, caller = page_kinds.parse(page_identifier), identity_of(app, cast.amelia)
    stream = Stream(page, caller, "tab", 1, ends_at=time.monotonic() + 60, connection=None, on_close=hub.close)

    stream.disconnect()
    with suppress(ServiceBusy):  # unless the hub reads its page at that moment
        hub.open(stream)
    stream.close()

    assert daniel_events.names() == []
    assert rows() == []


@pytest.mark.statements
def test_only_the_disconnected_tab_is_removed(
    amelia: Visitor, page_identifier: str, daniel_events: EventReader, listen: Listen
) -> None:
    amelia.beat(page_identifier, tab_id="tab", activity="editing")
    assert daniel_events.names() == ["Amelia"]
    amelia.beat(page_identifier, tab_id="another")

    listen(amelia, page_identifier).close()

    assert daniel_events.names() == ["Amelia"]
    assert tab_ids() == ["another"]


@pytest.mark.statements
def test_tab_with_a_later_heartbeat_stays(
    amelia: Visitor, page_identifier: str, daniel_events: EventReader, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "LEAVE_GRACE_SECONDS", 0.5)
    amelia.beat(page_identifier, tab_id="tab")
    amelia.beat(page_identifier, tab_id="gone")
    assert daniel_events.names() == ["Amelia"]

    listen(amelia, page_identifier, "tab").close()
    amelia.beat(page_identifier, tab_id="tab")
    run_sql(LATER_BY_A_SECOND)  # than the break, by more than a statement takes
    # This tab is removed later, so its removal shows that the hub has decided about the other.
    listen(amelia, page_identifier, "gone").close()
    wait_until_removed("gone")

    assert tab_ids() == ["tab"]


def test_tab_with_a_newer_stream_on_another_server_stays(
    amelia: Visitor, page_identifier: str, daniel_events: EventReader, listen: Listen
) -> None:
    """The browser has changed its network. The old server detects that half a minute later."""
    old, gone = (listen(amelia, page_identifier, tab_id) for tab_id in ("tab", "gone"))
    amelia.beat(page_identifier, tab_id="tab", stream=1)
    amelia.beat(page_identifier, tab_id="gone", stream=1)
    assert daniel_events.names() == ["Amelia"]
    amelia.beat(page_identifier, tab_id="tab", stream=2)
    let_pass(1)  # the breaks follow the heartbeats by more than a statement takes

    old.close()
    gone.close()
    wait_until_removed("gone")

    assert tab_ids() == ["tab"]


def test_hidden_tab_stays(amelia: Visitor, page_identifier: str, daniel_events: EventReader, listen: Listen) -> None:
    amelia.beat(page_identifier, tab_id="hidden", visible=False)
    amelia.beat(page_identifier, tab_id="gone")

    listen(amelia, page_identifier, "hidden").close()
    listen(amelia, page_identifier, "gone").close()
    wait_until_removed("gone")

    assert tab_ids() == ["hidden"]


def test_hidden_tab_that_waits_is_removed(amelia: Visitor, page_identifier: str, listen: Listen) -> None:
    """A waiting tab keeps its stream while it is hidden."""
    amelia.beat(page_identifier, tab_id="tab", visible=False, waiting=True)

    listen(amelia, page_identifier).close()

    wait_until_removed("tab")
    assert rows() == []


def test_tab_with_another_stream_stays(
    amelia: Visitor, page_identifier: str, daniel_events: EventReader, listen: Listen
) -> None:
    amelia.beat(page_identifier, tab_id="tab")
    amelia.beat(page_identifier, tab_id="gone")
    listen(amelia, page_identifier, "tab").names()

    listen(amelia, page_identifier, "tab").close()
    listen(amelia, page_identifier, "gone").close()
    wait_until_removed("gone")

    assert tab_ids() == ["tab"]


def wait_until_removed(tab_id: str) -> None:
    wait_until(lambda: tab_id not in tab_ids(), f"{tab_id} is still on its page")
