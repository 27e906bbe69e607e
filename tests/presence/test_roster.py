"""Read the rosters of one page and of several (rule 4 of presence in ARCHITECTURE.md)."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from portal.config import PresenceTimings
from portal.extensions import db
from portal.presence.roster import Roster, viewers
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client
from tests.support.test_client import Visitor, visitors_of
from tests.support.time_travel import let_pass

Visit = type[Visitor]


def names(roster: list[dict[str, Any]]) -> list[str]:
    return [viewer["first_name"] for viewer in roster]


def test_roster_of_an_unopened_page_is_empty(visit: Visit, cast: Cast, page_identifier: str) -> None:
    assert visit(cast.amelia).roster(page_identifier) == []


def test_reading_a_roster_does_not_make_the_caller_present(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia = visit(cast.amelia)
    amelia.roster(page_identifier)

    assert amelia.roster(page_identifier) == []


@pytest.mark.statements
def test_roster_includes_the_caller_newest_heartbeat_first(visit: Visit, cast: Cast, page_identifier: str) -> None:
    for profile in (cast.amelia, cast.rhys, cast.daniel):
        visit(profile).beat(page_identifier)
    visit(cast.rhys).beat(page_identifier)

    assert names(visit(cast.amelia).roster(page_identifier)) == ["Rhys", "Daniel", "Amelia"]


def test_roster_of_a_heartbeat_has_the_same_order(visit: Visit, cast: Cast, page_identifier: str) -> None:
    for profile in (cast.amelia, cast.rhys, cast.daniel):
        response = visit(profile).beat(page_identifier)

    assert names(response.json["users"]) == ["Daniel", "Rhys", "Amelia"]


@pytest.mark.statements
@pytest.mark.parametrize(("seconds", "is_there"), [(115, True), (121, False)])
def test_rule_4_viewer_is_present_within_the_active_window(
    visit: Visit, cast: Cast, page_identifier: str, seconds: int, is_there: bool
) -> None:
    """Two minutes after the last heartbeat the viewer is absent from all three kinds of response."""
    visit(cast.daniel).beat(page_identifier)
    let_pass(seconds)

    amelia = visit(cast.amelia)
    expected = ["Daniel"] if is_there else []
    assert names(amelia.roster(page_identifier)) == expected
    assert names(amelia.get(f"/user_page_presence?page={page_identifier}").json[page_identifier]) == expected
    assert names(amelia.beat(page_identifier).json["users"]) == ["Amelia", *expected]


def test_rule_4_active_window_is_configurable(make_app: Callable[..., Flask], cast: Cast, page_identifier: str) -> None:
    visit = visitors_of(make_app(presence=PresenceTimings(5, 20, 60)))
    visit(cast.daniel).beat(page_identifier)
    let_pass(21)

    assert visit(cast.amelia).roster(page_identifier) == []


def test_rule_4_hidden_tab_stays_on_the_roster_as_away(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Browsers slow a hidden tab's timers to one a minute, which the window covers."""
    visit(cast.daniel).beat(page_identifier, visible=False)
    let_pass(61)

    [daniel] = visit(cast.amelia).roster(page_identifier)
    assert (daniel["first_name"], daniel["visible"]) == ("Daniel", False)
    assert 61 <= daniel["seconds_ago"] < 64


def test_rule_6_server_removes_a_viewer_without_delay(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Only the browser delays a departure by five seconds."""
    daniel = visit(cast.daniel)
    daniel.beat(page_identifier, tab_id="d")
    daniel.leave(page_identifier, "d")
    assert visit(cast.amelia).roster(page_identifier) == []

    daniel.beat(page_identifier, tab_id="d2")
    assert names(visit(cast.amelia).roster(page_identifier)) == ["Daniel"]


def test_rosters_of_pages_are_separate(visit: Visit, cast: Cast, page_identifier: str) -> None:
    other = f"client-{make_client('Other').id}"
    visit(cast.daniel).beat(page_identifier)
    visit(cast.rhys).beat(other)

    assert names(visit(cast.amelia).roster(page_identifier)) == ["Daniel"]
    assert names(visit(cast.amelia).roster(other)) == ["Rhys"]


@pytest.mark.statements
def test_bulk_read_returns_the_roster_of_each_page(visit: Visit, cast: Cast, page_identifier: str) -> None:
    empty, other = (f"client-{make_client(name).id}" for name in ("Empty", "Other"))
    visit(cast.daniel).beat(page_identifier)
    visit(cast.ada).beat(page_identifier)
    visit(cast.ada).beat(other, activity="editing")

    found = visit(cast.amelia).get(f"/user_page_presence?page={page_identifier}&page={empty}&page={other}").json

    assert {page: names(roster) for page, roster in found.items()} == {
        page_identifier: ["Ada", "Daniel"],
        empty: [],
        other: ["Ada"],
    }
    assert found[other][0]["activity"] == "editing"


def test_bulk_read_omits_pages_that_the_caller_may_not_see(visit: Visit, cast: Cast, page_identifier: str) -> None:
    response = visit(cast.amelia).get(
        f"/user_page_presence?page={page_identifier}&page=client-999999&page=x&page=fund-1"
    )

    assert response.status_code == 200
    assert response.json == {page_identifier: []}


@pytest.mark.parametrize("count", [1, 100])
def test_bulk_read_accepts_100_pages(visit: Visit, cast: Cast, page_identifier: str, count: int) -> None:
    query = "&".join(f"page=client-{number}" for number in range(1, count + 1))

    response = visit(cast.amelia).get(f"/user_page_presence?{query}")

    assert response.status_code == 200
    assert response.json == {page_identifier: []}


def test_page_requested_twice_counts_once(visit: Visit, cast: Cast, page_identifier: str) -> None:
    query = "&".join([f"page={page_identifier}"] * 120)

    assert visit(cast.amelia).get(f"/user_page_presence?{query}").json == {page_identifier: []}


@pytest.mark.parametrize("count", [0, 101])
def test_bulk_read_rejects_no_page_and_more_than_100(visit: Visit, cast: Cast, count: int) -> None:
    query = "&".join(f"page=client-{number}" for number in range(1, count + 1))

    response = visit(cast.amelia).get(f"/user_page_presence?{query}")

    assert response.status_code == 422
    assert response.json["field"] == "page"


def test_roster_contains_every_viewer_of_a_full_page(visit: Visit, cast: Cast, page_identifier: str) -> None:
    for number in range(30):
        visit(make_profile(f"Person{number}", "Crowd")).beat(page_identifier)

    assert len(visit(cast.amelia).roster(page_identifier)) == 30


def test_name_with_markup_is_returned_unchanged(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The server returns names as JSON; the component that displays them escapes them."""
    odd = make_profile('Zoë "<b>', "O'Brien\\n")
    response = visit(odd).beat(page_identifier)

    assert response.content_type == "application/json"
    assert (response.json["users"][0]["first_name"], response.json["users"][0]["last_name"]) == (
        'Zoë "<b>',
        "O'Brien\\n",
    )


@pytest.mark.statements
def test_roster_says_in_every_response_who_may_edit(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The profile's role decides at the time of reading, not the role with which its tabs sent their heartbeats."""
    visit(cast.rhys).beat(page_identifier, activity="editing")
    visit(cast.ada).beat(page_identifier)
    amelia = visit(cast.amelia)

    def who_may_edit(roster: list[dict[str, Any]]) -> dict[str, bool]:
        return {viewer["first_name"]: viewer["may_edit"] for viewer in roster}

    expected = {"Rhys": False, "Ada": True, "Amelia": True}
    assert who_may_edit(amelia.beat(page_identifier).json["users"]) == expected
    assert who_may_edit(amelia.roster(page_identifier)) == expected
    bulk = amelia.get(f"/user_page_presence?page={page_identifier}").json
    assert who_may_edit(bulk[page_identifier]) == expected

    cast.ada.role = "reader"
    db.session.commit()
    assert who_may_edit(amelia.roster(page_identifier)) == {**expected, "Ada": False}


def test_viewer_without_a_live_tab_is_viewing_and_away() -> None:
    """All tabs of the row have expired while the row itself is within the window."""
    tabs = {"a": {"at": 1000.0, "activity": "editing", "visible": True, "fields": ["Phone"]}}
    times = ("2026-11-22T10:00:00+00:00", "2026-11-22T09:00:00+00:00", 3.9)
    row = [1, "Ann", "Lee", "ann@firm.example", *times, True, tabs]

    [ann] = viewers(Roster(now_epoch=1121.0, rows=[row]), active_window_seconds=120)

    assert (ann["activity"], ann["visible"], ann["fields"], ann["seconds_ago"]) == ("viewing", False, [], 3)
