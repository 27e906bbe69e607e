"""Leave a page: the tab is removed, and the row with the last tab (rule 5 of presence in ARCHITECTURE.md)."""

import pytest

from portal.clients import Client
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.factories import make_client
from tests.support.test_client import Visitor
from tests.support.time_travel import let_pass, rows, tab_ids

Visit = type[Visitor]


@pytest.mark.statements
def test_rule_5_closing_one_tab_keeps_the_other(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The leaving tab's state disappears, the other tab's state stays."""
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="one", activity="editing", fields=["Phone"])
    amelia.beat(page_identifier, tab_id="two")

    response = amelia.leave(page_identifier, "one")

    assert (response.status_code, response.json) == (200, {"status": "left"})
    [seen] = visit(cast.daniel).roster(page_identifier)
    assert (seen["id"], seen["activity"], seen["fields"]) == (cast.amelia.id, "viewing", [])
    assert tab_ids() == ["two"]


@pytest.mark.statements
def test_rule_5_row_is_deleted_with_its_last_tab(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="one")
    amelia.beat(page_identifier, tab_id="two")
    amelia.leave(page_identifier, "one")
    amelia.leave(page_identifier, "two")

    assert rows() == []


@pytest.mark.statements
def test_expired_tab_does_not_keep_the_row(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="crashed")
    let_pass(121)
    amelia.beat(page_identifier, tab_id="one")
    amelia.beat(page_identifier, tab_id="crashed too")
    assert amelia.beat(page_identifier, tab_id="two").status_code == 200
    let_pass(121)

    amelia.leave(page_identifier, "one")

    assert rows() == []


def test_leaving_without_a_tab_id_removes_all_tabs(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia = visit(cast.amelia)
    for tab_id in ("one", "two", None):
        amelia.beat(page_identifier, tab_id=tab_id)

    assert amelia.leave(page_identifier).json == {"status": "left"}
    assert rows() == []


def test_leaving_twice_or_without_having_been_there_succeeds(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """The browser sends the request on pagehide and cannot know whether it is needed."""
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="one")

    assert [amelia.leave(page_identifier, "one").status_code for _ in range(2)] == [200, 200]
    assert amelia.leave(page_identifier, "unheard-of").status_code == 200


def test_leaving_with_an_unknown_tab_keeps_the_others(visit: Visit, cast: Cast, page_identifier: str) -> None:
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="one")
    amelia.leave(page_identifier, "unheard-of")

    assert tab_ids() == ["one"]


def test_leaving_never_removes_another_profile(visit: Visit, cast: Cast, page_identifier: str) -> None:
    visit(cast.daniel).beat(page_identifier, tab_id="one")
    amelia = visit(cast.amelia)
    amelia.leave(page_identifier, "one")
    amelia.leave(page_identifier)
    amelia.delete("/user_page_presence")

    assert rows() == [(cast.daniel.id, page_identifier)]


@pytest.mark.statements
def test_clearing_removes_the_caller_from_every_page(visit: Visit, cast: Cast, page_identifier: str) -> None:
    other = f"client-{make_client('Other').id}"
    visit(cast.daniel).beat(other)
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier)
    amelia.beat(other)

    response = amelia.delete("/user_page_presence")

    assert (response.status_code, response.json) == (200, {"status": "cleared"})
    assert rows() == [(cast.daniel.id, other)]


def test_rule_5_signing_out_deletes_all_of_the_profiles_rows(visit: Visit, cast: Cast, page_identifier: str) -> None:
    """On every page and from every device, at once."""
    other = f"client-{make_client('Other').id}"
    visit(cast.daniel).beat(page_identifier)
    amelia, tablet = visit(cast.amelia), visit(cast.amelia)
    amelia.beat(page_identifier, tab_id="laptop")
    tablet.beat(other, tab_id="tablet")

    assert amelia.post("/sign-out").status_code == 302
    assert rows() == [(cast.daniel.id, page_identifier)]


@pytest.mark.statements
def test_page_of_a_deleted_client_can_be_left(visit: Visit, cast: Cast, client: Client, page_identifier: str) -> None:
    """The response is 404, but the caller's own row must not outlive the page."""
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier)
    db.session.delete(client)
    db.session.commit()

    assert amelia.leave(page_identifier).status_code == 404
    assert rows() == []


@pytest.mark.parametrize("tab_id", ["", ".", "a b", "a" * 65, "ä", "%00", "a%0A"])
def test_malformed_tab_id_is_422_naming_the_field(visit: Visit, cast: Cast, page_identifier: str, tab_id: str) -> None:
    amelia = visit(cast.amelia)
    amelia.beat(page_identifier)

    response = amelia.delete(f"/user_page_presence/{page_identifier}?tab_id={tab_id}")

    assert (response.status_code, response.json["field"]) == (422, "tab_id")
    assert rows() == [(cast.amelia.id, page_identifier)]
