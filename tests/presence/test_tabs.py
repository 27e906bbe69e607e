"""Merge all tabs of a profile, on any number of devices, into one viewer (rule 2 of presence in ARCHITECTURE.md)."""

from typing import Any

import pytest
from sqlalchemy import text

from portal.extensions import db
from portal.presence.beats import MAX_TABS
from tests.support.cast import Cast
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass, rows, tab_ids

Visit = type[Visitor]


@pytest.fixture
def laptop(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia)


@pytest.fixture
def tablet(visit: Visit, cast: Cast) -> Visitor:
    """A second device of the same user, with its own sign-in session and cookie."""
    return visit(cast.amelia)


@pytest.fixture
def seen(visit: Visit, cast: Cast, page_identifier: str) -> Any:
    """How Daniel sees Amelia on the page."""

    def look() -> dict[str, Any]:
        [amelia] = visit(cast.daniel).roster(page_identifier)
        assert amelia["id"] == cast.amelia.id
        return amelia

    return look


def test_rule_2_two_devices_of_one_profile_are_one_viewer(
    laptop: Visitor, tablet: Visitor, page_identifier: str, seen: Any
) -> None:
    """Activity, visibility and fields combine those of all tabs, in every response."""
    laptop.beat(page_identifier, tab_id="laptop", activity="viewing", visible=False, fields=["Phone"])
    response = tablet.beat(
        page_identifier, tab_id="tablet", activity="editing", visible=True, fields=["Email", "Phone"]
    )

    [amelia] = response.json["users"]
    assert (amelia["activity"], amelia["visible"], amelia["fields"]) == ("editing", True, ["Email", "Phone"])
    assert seen() == {**amelia, "seconds_ago": seen()["seconds_ago"]}
    assert len(rows()) == 1


def test_viewer_edits_when_any_tab_edits(laptop: Visitor, tablet: Visitor, page_identifier: str, seen: Any) -> None:
    laptop.beat(page_identifier, tab_id="laptop", activity="editing")
    tablet.beat(page_identifier, tab_id="tablet", activity="viewing")
    assert seen()["activity"] == "editing"

    laptop.beat(page_identifier, tab_id="laptop", activity="viewing")
    assert seen()["activity"] == "viewing"


def test_rule_4_viewer_is_away_when_every_tab_is_hidden(
    laptop: Visitor, tablet: Visitor, page_identifier: str, seen: Any
) -> None:
    """A hidden tab stays on the roster as away. One visible tab is enough not to be away."""
    laptop.beat(page_identifier, tab_id="laptop", visible=True)
    tablet.beat(page_identifier, tab_id="tablet", visible=False)
    assert seen()["visible"] is True

    laptop.beat(page_identifier, tab_id="laptop", visible=False)
    assert seen()["visible"] is False


def test_heartbeat_replaces_the_previous_state_of_its_tab(laptop: Visitor, page_identifier: str, seen: Any) -> None:
    laptop.beat(page_identifier, tab_id="laptop", activity="editing", fields=["Phone", "Email"])
    laptop.beat(page_identifier, tab_id="laptop", activity="editing", fields=["Email"])

    assert seen()["fields"] == ["Email"]


def test_tab_without_heartbeats_is_removed(laptop: Visitor, tablet: Visitor, page_identifier: str, seen: Any) -> None:
    """The next heartbeat of another tab removes tabs that are past the active window."""
    laptop.beat(page_identifier, tab_id="laptop", activity="editing", fields=["Phone"])
    let_pass(121)
    tablet.beat(page_identifier, tab_id="tablet", visible=False)

    assert (seen()["activity"], seen()["visible"], seen()["fields"]) == ("viewing", False, [])
    assert tab_ids() == ["tablet"]


def test_expired_tab_does_not_count_before_its_removal(
    laptop: Visitor, tablet: Visitor, page_identifier: str, seen: Any
) -> None:
    """Tabs also expire between heartbeats: reading applies the window again."""
    laptop.beat(page_identifier, tab_id="laptop", activity="editing")
    let_pass(100)
    tablet.beat(page_identifier, tab_id="tablet")
    assert seen()["activity"] == "editing"

    let_pass(25)

    assert tab_ids() == ["laptop", "tablet"]
    assert seen()["activity"] == "viewing"


def test_tab_within_the_window_stays(laptop: Visitor, tablet: Visitor, page_identifier: str, seen: Any) -> None:
    laptop.beat(page_identifier, tab_id="laptop", activity="editing")
    let_pass(115)
    tablet.beat(page_identifier, tab_id="tablet")

    assert seen()["activity"] == "editing"
    assert tab_ids() == ["laptop", "tablet"]


def test_number_of_tabs_in_a_row_is_limited(laptop: Visitor, page_identifier: str) -> None:
    """The newest tabs are kept."""
    for number in range(MAX_TABS + 5):
        laptop.beat(page_identifier, tab_id=f"tab{number:02}")

    assert tab_ids() == [f"tab{number:02}" for number in range(5, MAX_TABS + 5)]


def test_tab_state_belongs_to_its_page(laptop: Visitor, page_identifier: str, cast: Cast) -> None:
    """The same tab id on another page is another tab."""
    other = db.session.scalar(
        text("INSERT INTO clients (client_ref, name, client_type) VALUES ('X', 'X', 'trust') RETURNING id")
    )
    db.session.commit()
    laptop.beat(page_identifier, tab_id="t", activity="editing")
    [on_other] = laptop.beat(f"client-{other}", tab_id="t").json["users"]

    assert on_other["activity"] == "viewing"
    assert laptop.roster(page_identifier)[0]["activity"] == "editing"
