"""Presence rule 4 of ARCHITECTURE.md: who is on a page, and on each of many."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from portal.config import PresenceTimings
from portal.presence.roster import Roster, viewers
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client
from tests.support.test_client import Visitor, visitors_of
from tests.support.time_travel import let_pass

pytestmark = pytest.mark.statements

Visit = type[Visitor]


def names(roster: list[dict[str, Any]]) -> list[str]:
    return [viewer["first_name"] for viewer in roster]


def test_nobody_is_on_a_page_that_nobody_has_opened(visit: Visit, cast: Cast, page_identifier: str) -> None:
    assert visit(cast.amelia).roster(page_identifier) == []


def test_looking_does_not_make_one_present(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia = visit(cast.amelia)
    amelia.roster(page_identifier)

    assert amelia.roster(page_identifier) == []


def test_it_includes_the_caller_and_comes_newest_beat_first(visit: Visit, cast: Cast, page_identifier: str) -> None:
    for profile in (cast.amelia, cast.rhys, cast.daniel):
        visit(profile).beat(page_identifier)
    visit(cast.rhys).beat(page_identifier)

    assert names(visit(cast.amelia).roster(page_identifier)) == ["Rhys", "Daniel", "Amelia"]


def test_the_roster_of_a_beat_is_in_the_same_order(visit: Visit, cast: Cast, page_identifier: str) -> None:
    for profile in (cast.amelia, cast.rhys, cast.daniel):
        answer = visit(profile).beat(page_identifier)

    assert names(answer.json["users"]) == ["Daniel", "Rhys", "Amelia"]


@pytest.mark.parametrize(("seconds", "is_there"), [(115, True), (121, False)])
def test_rule_4_a_viewer_is_there_while_inside_the_active_window(
    visit: Visit, cast: Cast, page_identifier: str, seconds: int, is_there: bool
) -> None:
    """Rule 4: two minutes after the last beat a viewer is no longer there, for all three ways of asking."""
    visit(cast.daniel).beat(page_identifier)
    let_pass(seconds)

    amelia = visit(cast.amelia)
    expected = ["Daniel"] if is_there else []
    assert names(amelia.roster(page_identifier)) == expected
    assert names(amelia.get(f"/user_page_presence?page={page_identifier}").json[page_identifier]) == expected
    assert names(amelia.beat(page_identifier).json["users"]) == ["Amelia", *expected]


def test_rule_4_the_window_is_the_operators(make_app: Callable[..., Flask], cast: Cast, page_identifier: str) -> None:
    visit = visitors_of(make_app(presence=PresenceTimings(5, 20, 60)))
    visit(cast.daniel).beat(page_identifier)
    let_pass(21)

    assert visit(cast.amelia).roster(page_identifier) == []


def test_rule_4_a_hidden_tab_stays_on_the_roster_marked_away(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Rule 4: browsers slow a hidden tab's timers to once a minute, and the window outlasts that."""
    visit(cast.daniel).beat(page_identifier, visible=False)
    let_pass(61)

    [daniel] = visit(cast.amelia).roster(page_identifier)
    assert (daniel["first_name"], daniel["visible"]) == ("Daniel", False)
    assert 61 <= daniel["seconds_ago"] < 64


def test_rule_6_the_server_is_exact_where_the_browser_is_calm(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Rule 6: the five seconds of grace are drawn in the browser; the API's answer knows none."""
    daniel = visit(cast.daniel)
    daniel.beat(page_identifier, tab_id="d")
    daniel.leave(page_identifier, "d")
    assert visit(cast.amelia).roster(page_identifier) == []

    daniel.beat(page_identifier, tab_id="d2")
    assert names(visit(cast.amelia).roster(page_identifier)) == ["Daniel"]


def test_pages_do_not_mix(visit: Visit, cast: Cast, page_identifier: str) -> None:
    other = f"client-{make_client('Other').id}"
    visit(cast.daniel).beat(page_identifier)
    visit(cast.rhys).beat(other)

    assert names(visit(cast.amelia).roster(page_identifier)) == ["Daniel"]
    assert names(visit(cast.amelia).roster(other)) == ["Rhys"]


def test_the_bulk_read_answers_for_each_page(visit: Visit, cast: Cast, page_identifier: str) -> None:
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


def test_the_bulk_read_leaves_out_what_is_no_page_for_the_caller(
    visit: Visit, cast: Cast, page_identifier: str
) -> None:
    answer = visit(cast.amelia).get(f"/user_page_presence?page={page_identifier}&page=client-999999&page=x&page=fund-1")

    assert answer.status_code == 200
    assert answer.json == {page_identifier: []}


@pytest.mark.parametrize("count", [1, 100])
def test_the_bulk_read_takes_up_to_100_pages(visit: Visit, cast: Cast, page_identifier: str, count: int) -> None:
    query = "&".join(f"page=client-{number}" for number in range(1, count + 1))

    answer = visit(cast.amelia).get(f"/user_page_presence?{query}")

    assert answer.status_code == 200
    assert answer.json == {page_identifier: []}


def test_the_same_page_asked_for_twice_counts_once(visit: Visit, cast: Cast, page_identifier: str) -> None:
    query = "&".join([f"page={page_identifier}"] * 120)

    assert visit(cast.amelia).get(f"/user_page_presence?{query}").json == {page_identifier: []}


@pytest.mark.parametrize("count", [0, 101])
def test_the_bulk_read_refuses_none_and_more_than_100(visit: Visit, cast: Cast, count: int) -> None:
    query = "&".join(f"page=client-{number}" for number in range(1, count + 1))

    answer = visit(cast.amelia).get(f"/user_page_presence?{query}")

    assert answer.status_code == 422
    assert answer.json["field"] == "page"


def test_a_crowd_is_shown_whole(visit: Visit, cast: Cast, page_identifier: str) -> None:
    for number in range(30):
        visit(make_profile(f"Person{number}", "Crowd")).beat(page_identifier)

    assert len(visit(cast.amelia).roster(page_identifier)) == 30


def test_a_name_is_data(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """Names arrive as they are, and as JSON: what draws them decides how they are escaped."""
    odd = make_profile('Zoë "<b>', "O'Brien\\n")
    answer = visit(odd).beat(page_identifier)

    assert answer.content_type == "application/json"
    assert (answer.json["users"][0]["first_name"], answer.json["users"][0]["last_name"]) == ('Zoë "<b>', "O'Brien\\n")


def test_a_viewer_without_a_live_tab_is_viewing_and_away() -> None:
    """What is left of a row whose tabs have all aged while it itself is inside the window."""
    tabs = {"a": {"at": 1000.0, "activity": "editing", "visible": True, "fields": ["Phone"]}}
    row = [1, "Ann", "Lee", "ann@firm.example", "2026-11-22T10:00:00+00:00", "2026-11-22T09:00:00+00:00", 3.9, tabs]

    [ann] = viewers(Roster(now_epoch=1121.0, rows=[row]), active_window_seconds=120)

    assert (ann["activity"], ann["visible"], ann["fields"], ann["seconds_ago"]) == ("viewing", False, [], 3)
