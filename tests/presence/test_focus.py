"""Report the field that has the keyboard focus in an editor."""

from typing import Any

import pytest

from tests.support.cast import Cast
from tests.support.notifications import NotificationListener
from tests.support.test_client import Visitor

Visit = type[Visitor]


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia)


@pytest.fixture
def seen(visit: Visit, cast: Cast, page_identifier: str) -> Any:
    """Return how Daniel sees Amelia on the page."""
    return lambda: visit(cast.daniel).roster(page_identifier)[0]


def test_roster_names_the_focused_field_until_it_loses_the_focus(
    amelia: Visitor, page_identifier: str, seen: Any
) -> None:
    amelia.beat(page_identifier, activity="editing", focus="Phone")
    assert seen()["focus"] == "Phone"

    amelia.beat(page_identifier, activity="editing", focus=None)
    assert "focus" not in seen()


def test_focus_of_several_tabs_is_that_of_the_latest_change(amelia: Visitor, page_identifier: str, seen: Any) -> None:
    amelia.beat(page_identifier, tab_id="one", activity="editing", focus="Phone")
    amelia.beat(page_identifier, tab_id="two", activity="editing", focus="Notes")
    amelia.beat(page_identifier, tab_id="one", activity="editing", focus="Phone")  # a heartbeat without a change
    assert seen()["focus"] == "Notes"

    amelia.beat(page_identifier, tab_id="one", activity="editing", focus="Town")
    assert seen()["focus"] == "Town"


def test_change_of_focus_notifies_the_page_once(
    amelia: Visitor, page_identifier: str, listener: NotificationListener
) -> None:
    amelia.beat(page_identifier, activity="editing", focus="Phone")
    listener.received()

    amelia.beat(page_identifier, activity="editing", focus="Town")
    assert len(listener.received()) == 1

    amelia.beat(page_identifier, activity="editing", focus="Town")
    assert listener.received() == []
