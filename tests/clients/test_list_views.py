"""Test the views of the client list: their clients, their counts, and what the address keeps."""

from datetime import date, timedelta
from typing import Any

import pytest

from portal import clock
from portal.clients import ClientGrant
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.factories import make_client, make_product
from tests.support.html import form_of, links_of, text_of
from tests.support.listing import counts_of, names_in
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor

Visit = type[Visitor]
TODAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: TODAY)


@pytest.fixture
def amelia(visit: Visit, cast: Cast) -> Visitor:
    return visit(cast.amelia)


def shown(browser: Visitor, **query: Any) -> list[str]:
    response = browser.get("/clients", query_string=query)
    assert response.status_code == 200
    return names_in(response)


def test_adviser_starts_with_own_clients_and_others_with_all(visit: Visit, cast: Cast) -> None:
    make_client("Amelia’s", adviser_id=cast.amelia.id)
    make_client("Ada’s", adviser_id=cast.ada.id)

    assert shown(visit(cast.amelia)) == ["Amelia’s"]
    for profile in (cast.daniel, cast.ada, cast.rhys):  # Daniel is the adviser of no client
        assert len(shown(visit(profile))) == 2
    assert len(shown(visit(cast.amelia), view="all")) == 2


@pytest.mark.parametrize("query", [{"q": "ad"}, {"status": "active"}, {"view": "nonsense", "q": "ada"}])
def test_address_with_filters_and_without_a_view_searches_all_clients(
    amelia: Visitor, cast: Cast, query: dict[str, str]
) -> None:
    make_client("Amelia’s", adviser_id=cast.amelia.id)
    make_client("Ada’s", adviser_id=cast.ada.id)

    assert "Ada’s" in shown(amelia, **query)


@pytest.mark.statements
def test_review_views_divide_the_clients_at_today_and_the_end_of_the_month(amelia: Visitor) -> None:
    for day in (date(2026, 10, 5), TODAY - timedelta(days=1), TODAY, date(2026, 11, 30), date(2026, 12, 1), None):
        make_client(f"{day}", next_review_on=day)

    assert shown(amelia, view="overdue") == ["2026-10-05", "2026-11-21"]
    assert shown(amelia, view="due") == ["2026-11-22", "2026-11-30"]


@pytest.mark.statements
def test_client_is_in_use_while_another_user_has_it_open(amelia: Visitor, visit: Visit, cast: Cast) -> None:
    daniels, ended, own = (make_client(name) for name in ("Daniel’s", "Ended", "Own"))
    amelia.beat(f"client-{own.id}", tab_id="a")
    daniel = visit(cast.daniel)
    for client in (daniels, ended):
        daniel.beat(f"client-{client.id}", tab_id="d")
    daniel.leave(f"client-{ended.id}")

    assert shown(amelia, view="in_use") == ["Daniel’s"]
    assert shown(daniel, view="in_use") == ["Own"]


@pytest.mark.statements
def test_views_count_and_show_only_clients_that_the_reader_may_see(visit: Visit, cast: Cast) -> None:
    overdue = {"next_review_on": TODAY - timedelta(days=1)}
    hidden = make_client("Hidden", is_restricted=True, **overdue)
    granted = make_client("Granted", is_restricted=True, **overdue)
    make_client("Open", **overdue)
    db.session.add(ClientGrant(client_id=granted.id, profile_id=cast.daniel.id))
    db.session.commit()
    visit(cast.ada).beat(f"client-{hidden.id}", tab_id="a")
    expected = {
        cast.ada: {"overdue": 3, "in_use": 0, "no_adviser": 3, "restricted": 2, "all": 3},
        cast.daniel: {"overdue": 2, "in_use": 0, "no_adviser": 2, "restricted": 1, "all": 2},
        cast.rhys: {"overdue": 1, "in_use": 0, "no_adviser": 1, "restricted": 0, "all": 1},
    }

    for profile, counts in expected.items():
        browser = visit(profile)
        for view, count in counts.items():
            response = browser.get("/clients", query_string={"view": view})
            assert counts_of(response).items() >= counts.items()
            assert len(names_in(response)) == count
            assert ("Hidden" in response.text) is (profile is cast.ada and count > 0)


def test_counts_follow_search_and_filters_but_own_clients_ignore_the_adviser(amelia: Visitor, cast: Cast) -> None:
    make_client("Whitmore one", adviser_id=cast.amelia.id)
    make_client("Whitmore two", adviser_id=cast.daniel.id, status="dormant")
    make_client("Whitmore three")
    make_client("Bell", adviser_id=cast.daniel.id)

    response = amelia.get("/clients", query_string={"view": "all", "q": "whitmore", "adviser": cast.daniel.id})

    assert counts_of(response).items() >= {"mine": 1, "no_adviser": 1, "all": 1}.items()
    assert names_in(response) == ["Whitmore two"]
    assert f"/clients?view=overdue&q=whitmore&adviser={cast.daniel.id}" in links_of(response)
    assert "/clients?view=mine&q=whitmore" in links_of(response)


def test_search_form_keeps_the_view_and_an_empty_result_leads_to_all(amelia: Visitor, cast: Cast) -> None:
    make_client("Whitmore", adviser_id=cast.daniel.id)
    make_client("Bell", adviser_id=cast.amelia.id)

    response = amelia.get("/clients", query_string={"view": "mine", "q": "whit"})

    assert form_of(response)["view"] == "mine"
    assert "No clients in “Mine” match “whit”." in text_of(response)
    assert "Show 1 in All" in text_of(response)
    assert {"/clients?view=all&q=whit", "/clients?view=mine"} <= set(links_of(response))


@pytest.mark.parametrize("view", ["mine", "due", "overdue", "in_use", "no_adviser", "restricted"])
def test_empty_view_says_what_will_be_here_and_leads_to_all(amelia: Visitor, cast: Cast, view: str) -> None:
    make_client("Bell", adviser_id=cast.daniel.id)

    response = amelia.get("/clients", query_string={"view": view})

    assert names_in(response) == []
    assert "/clients?view=all" in links_of(response)
    assert "All clients" in text_of(response)


def test_reader_who_cannot_have_clients_is_not_offered_own_ones(visit: Visit, cast: Cast) -> None:
    assert "mine" not in counts_of(visit(cast.rhys).get("/clients"))


def test_address_of_own_clients_shows_all_to_a_reader_who_cannot_have_clients(visit: Visit, cast: Cast) -> None:
    make_client("Bell", adviser_id=cast.daniel.id)

    response = visit(cast.rhys).get("/clients?view=mine")

    assert names_in(response) == ["Bell"]
    assert 'href="/clients?view=all" aria-current="page"' in response.text


@pytest.mark.statements
def test_sum_adds_the_latest_valuations_of_the_clients_in_the_view(visit: Visit, cast: Cast) -> None:
    for name, is_restricted, amount in (
        ("Whitmore", False, "1000.10"),
        ("Bell", False, "7"),
        ("Secret", True, "90000"),
    ):
        client = make_client(name, adviser_id=cast.amelia.id, is_restricted=is_restricted)
        make_product(client, (date(2026, 1, 1), "5"), (date(2026, 2, 1), amount))
    make_client("Unvalued", status="dormant")

    def total(browser: Visitor, query: str) -> str:
        return str(browser.get(f"/clients/sum?{query}").json["total"])

    assert total(visit(cast.amelia), "view=mine") == "£91,007.10"
    assert total(visit(cast.daniel), "view=all") == "£1,007.10"
    assert total(visit(cast.daniel), "view=all&q=whitmore&page=9") == "£1,000.10"
    assert total(visit(cast.daniel), "status=dormant") == total(visit(cast.daniel), "view=restricted") == "–"


@pytest.mark.statements
def test_row_says_how_old_the_oldest_of_its_valuations_is(amelia: Visitor) -> None:
    make_product(client := make_client("Whitmore"), (TODAY - timedelta(days=400), "1"), (TODAY, "2"))
    make_product(client, (TODAY - timedelta(days=400), "3"), (TODAY - timedelta(days=59), "4"))
    make_product(make_client("Bell"), (TODAY - timedelta(days=366), "5"))

    [old, recent] = amelia.get("/clients").text.split("<tr data-page=")[1:]

    assert "valued 8 weeks ago" in recent
    assert "stale" not in recent
    assert 'class="stale">valued 12 months ago' in old


@pytest.mark.statements
@pytest.mark.parametrize(
    "query", ["", "view=in_use", "view=overdue&q=client", "view=restricted&sort=-total&page=2", "view=all&page=99"]
)
def test_view_takes_at_most_four_statements(tapped_visit: Visit, cast: Cast, wiretap: Wiretap, query: str) -> None:
    """Including the check of the sign-in session."""
    for number in range(30):
        make_client(f"Client {number}", adviser_id=cast.amelia.id, is_restricted=True, next_review_on=TODAY)
    browser = tapped_visit(cast.amelia)
    browser.get("/clients")

    with wiretap.listening() as heard:
        assert browser.get(f"/clients?{query}").status_code == 200

    assert len(work_in(heard)) <= 4, heard
