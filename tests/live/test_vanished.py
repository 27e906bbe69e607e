"""A tab whose connection breaks without a word is taken off its page soon, unless it is heard of again."""

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
from tests.support.sse_reader import Hearing
from tests.support.test_client import Visitor, identity_of
from tests.support.time_travel import let_pass, rows, tab_ids
from tests.support.until import wait_until

pytestmark = pytest.mark.statements

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
def daniel_hears(visit: Visit, cast: Cast, page_identifier: str, listen: Listen) -> Hearing:
    """Daniel, who only listens: what he hears of Amelia's going tells that it has been decided."""
    hearing = listen(visit(cast.daniel), page_identifier, "daniels")
    assert hearing.names() == []
    return hearing


def test_it_is_taken_off_and_the_others_are_told_then(
    amelia: Visitor, page_identifier: str, daniel_hears: Hearing, listen: Listen
) -> None:
    amelia.beat(page_identifier, tab_id="tab")
    assert daniel_hears.names() == ["Amelia"]

    listen(amelia, page_identifier).close()

    assert daniel_hears.names() == []
    assert rows() == []


def test_one_that_goes_while_its_stream_is_being_opened_is_taken_off_too(
    app: Flask, cast: Cast, amelia: Visitor, page_identifier: str, daniel_hears: Hearing
) -> None:
    amelia.beat(page_identifier, tab_id="tab", stream=1)
    assert daniel_hears.names() == ["Amelia"]
    hub = hub_of(app)
    page, caller = page_kinds.parse(page_identifier), identity_of(app, cast.amelia)
    stream = Stream(page, caller, "tab", 1, ends_at=time.monotonic() + 60, client=None, on_close=hub.closed)

    stream.break_off()
    with suppress(ServiceBusy):  # unless its page was read for it in that moment
        hub.open(stream)
    stream.close()

    assert daniel_hears.names() == []
    assert rows() == []


def test_only_that_tab_is_taken_out(
    amelia: Visitor, page_identifier: str, daniel_hears: Hearing, listen: Listen
) -> None:
    amelia.beat(page_identifier, tab_id="tab", activity="editing")
    assert daniel_hears.names() == ["Amelia"]
    amelia.beat(page_identifier, tab_id="another")

    listen(amelia, page_identifier).close()

    assert daniel_hears.names() == ["Amelia"]
    assert tab_ids() == ["another"]


def test_one_that_has_beaten_since_stays(
    amelia: Visitor, page_identifier: str, daniel_hears: Hearing, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "LEAVE_GRACE_SECONDS", 0.5)
    amelia.beat(page_identifier, tab_id="tab")
    amelia.beat(page_identifier, tab_id="gone")
    assert daniel_hears.names() == ["Amelia"]

    listen(amelia, page_identifier, "tab").close()
    amelia.beat(page_identifier, tab_id="tab")
    run_sql(LATER_BY_A_SECOND)  # than the break, by more than it takes to ask the database
    # This one goes after it, so when it has gone the other has been looked at.
    listen(amelia, page_identifier, "gone").close()
    until_gone("gone")

    assert tab_ids() == ["tab"]


def test_one_that_has_come_back_on_another_server_before_its_old_connection_broke_here_stays(
    amelia: Visitor, page_identifier: str, daniel_hears: Hearing, listen: Listen
) -> None:
    """Its laptop has gone from the wireless network to the wired one: that is noticed here half a minute later."""
    old, gone = (listen(amelia, page_identifier, tab_id) for tab_id in ("tab", "gone"))
    amelia.beat(page_identifier, tab_id="tab", stream=1)
    amelia.beat(page_identifier, tab_id="gone", stream=1)
    assert daniel_hears.names() == ["Amelia"]
    amelia.beat(page_identifier, tab_id="tab", stream=2)
    let_pass(1)  # the breaks are later than the beats by more than it takes to ask the database

    old.close()
    gone.close()
    until_gone("gone")

    assert tab_ids() == ["tab"]


def test_one_that_had_hidden_itself_stays(
    amelia: Visitor, page_identifier: str, daniel_hears: Hearing, listen: Listen
) -> None:
    amelia.beat(page_identifier, tab_id="hidden", visible=False)
    amelia.beat(page_identifier, tab_id="gone")

    listen(amelia, page_identifier, "hidden").close()
    listen(amelia, page_identifier, "gone").close()
    until_gone("gone")

    assert tab_ids() == ["hidden"]


def test_a_hidden_one_that_waits_keeps_its_stream_and_so_can_vanish(
    amelia: Visitor, page_identifier: str, listen: Listen
) -> None:
    amelia.beat(page_identifier, tab_id="tab", visible=False, waiting=True)

    listen(amelia, page_identifier).close()

    until_gone("tab")
    assert rows() == []


def test_one_with_another_stream_stays(
    amelia: Visitor, page_identifier: str, daniel_hears: Hearing, listen: Listen
) -> None:
    amelia.beat(page_identifier, tab_id="tab")
    amelia.beat(page_identifier, tab_id="gone")
    listen(amelia, page_identifier, "tab").names()

    listen(amelia, page_identifier, "tab").close()
    listen(amelia, page_identifier, "gone").close()
    until_gone("gone")

    assert tab_ids() == ["tab"]


def until_gone(tab_id: str) -> None:
    wait_until(lambda: tab_id not in tab_ids(), f"{tab_id} is still on its page")
