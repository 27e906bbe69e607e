"""Configure heartbeat intervals, and reject timings that contradict each other (presence rule 3 of ARCHITECTURE.md)."""

from collections.abc import Callable

import pytest
from flask import Flask

from portal import page_kinds
from portal.config import PresenceTimings
from portal.errors import ConfigurationError
from tests.support.cast import Cast
from tests.support.test_client import Visitor, visitors_of


@pytest.mark.parametrize("timings", [(30, 60, 300), (30, 61, 61), (60, 120, 300), (30, 300, 120), (0, 120, 300)])
def test_rule_3_contradictory_timings_are_rejected_at_startup(timings: tuple[int, int, int]) -> None:
    """heartbeat × 2 < active window < stale, each strictly."""
    with pytest.raises(ConfigurationError, match="PORTAL_HEARTBEAT_SECONDS × 2 must be less"):
        PresenceTimings(*timings)


@pytest.mark.parametrize("timings", [(30, 61, 62), (30, 120, 300), (1, 3, 4)])
def test_consistent_timings_are_accepted(timings: tuple[int, int, int]) -> None:
    assert PresenceTimings(*timings).heartbeat_seconds == timings[0]


def test_rule_3_page_and_every_response_contain_the_interval(
    make_app: Callable[..., Flask], cast: Cast, page_identifier: str
) -> None:
    """The configured interval reaches the browser first in the page, then with each heartbeat."""
    amelia = visitors_of(make_app(presence=PresenceTimings(20, 90, 200)))(cast.amelia)

    assert amelia.beat(page_identifier).json["heartbeat_seconds"] == 20
    page = amelia.get(f"/clients/{page_identifier.removeprefix('client-')}").text
    assert 'data-heartbeat-seconds="20"' in page
    assert 'data-active-window-seconds="90"' in page


def test_rule_3_page_kind_can_have_its_own_interval(
    make_app: Callable[..., Flask], cast: Cast, page_identifier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Important pages have shorter intervals. Registering a new kind is enough."""
    monkeypatch.setattr(page_kinds, "_kinds", dict(page_kinds._kinds))
    page_kinds.register(
        page_kinds.PageKind(
            "fund",
            "fund",
            load=lambda profile, number: None,
            visible_sql="true",
            editable_sql="true",
            heartbeat_seconds=10,
        )
    )
    amelia = visitors_of(make_app())(cast.amelia)

    assert amelia.beat("fund-7").json["heartbeat_seconds"] == 10
    assert amelia.beat(page_identifier).json["heartbeat_seconds"] == 30


def test_page_kind_cannot_be_registered_twice_with_different_meanings(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_kinds, "_kinds", dict(page_kinds._kinds))
    with pytest.raises(ConfigurationError, match="two different page kinds called client"):
        page_kinds.register(
            page_kinds.PageKind(
                "client", "another", load=lambda profile, number: None, visible_sql="true", editable_sql="true"
            )
        )


def test_permission_of_a_page_kind_applies_to_its_heartbeats(
    make_app: Callable[..., Flask], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kind defines its permission as SQL over caller and page number; here administrators and even numbers."""
    monkeypatch.setattr(page_kinds, "_kinds", dict(page_kinds._kinds))
    rule = "caller.role = 'admin' AND page.number % 2 = 0"
    page_kinds.register(
        page_kinds.PageKind("fund", "fund", load=lambda profile, number: None, visible_sql=rule, editable_sql="true")
    )
    visit: type[Visitor] = visitors_of(make_app())

    assert visit(cast.ada).beat("fund-8").status_code == 200
    assert visit(cast.ada).beat("fund-7").status_code == 404
    assert visit(cast.amelia).beat("fund-8").status_code == 404
    assert visit(cast.amelia).get("/user_page_presence/fund-8").status_code == 404
    assert visit(cast.amelia).get("/user_page_presence?page=fund-8").json == {}
    assert visit(cast.ada).get("/user_page_presence?page=fund-8&page=fund-7").json.keys() == {"fund-8"}
