"""Search, filter, sort and page through the client list, in few statements."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal import clock
from portal.web.pagination import PAGE_SIZE
from tests.support.cast import Cast
from tests.support.edits import save_for
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import forms_of, links_of, options_of, text_of
from tests.support.listing import names_in
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor
from tests.support.volume import volume

Visit = type[Visitor]
TODAY = date(2026, 11, 22)


@pytest.fixture
def amelia(visit: Visit, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    monkeypatch.setattr(clock, "today", lambda: TODAY)
    return visit(cast.amelia)


def names(browser: Visitor, **query: Any) -> list[str]:
    """Return the names in the list, in order."""
    response = browser.get("/clients", query_string=query)
    assert response.status_code == 200
    return names_in(response)


def row(browser: Visitor, name: str) -> str:
    """Return the text of the row of the client with this name."""
    response = browser.get("/clients")
    [found] = [each for each in response.text.split("<tr data-page=")[1:] if f">{name}</a>" in each]
    response.set_data(f"<table><tr data-page={found.split('</tr>')[0]}</tr></table>")
    return text_of(response)


def test_empty_list_says_how_to_add_clients(amelia: Visitor) -> None:
    response = amelia.get("/clients")

    assert response.status_code == 200
    assert "The clients of the firm appear here once you add the first one." in text_of(response)


@pytest.mark.parametrize(
    "q",
    [
        *("Whitmore", "whitmore", "HITM", "  Whitmore   Family ", "KG00042", "kg0004", "SW1A 1AA", "sw1a1aa", "1a 1a"),
        *("Ruth", "ruth abernathy", "ABERNATHY", "ab ru", "family ruth kg42"),
    ],
)
def test_search_finds_part_of_name_reference_postcode_or_person(amelia: Visitor, q: str) -> None:
    found = make_client("Whitmore Family", client_ref="KG00042", postcode="SW1A 1AA")
    make_person(found, "Ruth", "Abernathy")
    make_person(found, "Ruth", "Abernathy Junior")
    other = make_client("Bell Trust", client_ref="KG00777", postcode="EH8 9YL")
    make_person(other, "George", "Bell")

    assert names(amelia, q=q) == ["Whitmore Family"]


@pytest.mark.parametrize("q", ["zzz", "Ruth Bell", "KG00042X", "SW1A 1AB", "whitmore  kg9"])
def test_search_without_a_match_says_so_and_offers_a_way_back(amelia: Visitor, q: str) -> None:
    make_client("Whitmore Family", client_ref="KG00042", postcode="SW1A 1AA")

    response = amelia.get("/clients", query_string={"q": q})
    assert f"No clients match “{' '.join(q.split())}”." in text_of(response)
    assert "/clients" in links_of(response)


@pytest.mark.statements
@pytest.mark.parametrize(("q", "found"), [("%", ["100% Trust"]), ("_", ["A_B Ltd"]), ("\\", ["C\\D Ltd"]), ("%%", [])])
def test_wildcards_of_like_are_searched_as_text(amelia: Visitor, q: str, found: list[str]) -> None:
    for name in ("100% Trust", "A_B Ltd", "AxB Ltd", "C\\D Ltd", "Plain"):
        make_client(name)

    assert names(amelia, q=q) == found


def test_quotes_and_html_are_searched_as_text(amelia: Visitor) -> None:
    make_client("O'Brien & <b>Sons</b>")
    response = amelia.get("/clients", query_string={"q": "' OR 1=1 --<script>"})
    assert "No clients match “' OR 1=1 --<script>”." in text_of(response)
    assert "<script>" not in response.text

    shown = amelia.get("/clients", query_string={"q": "o'brien & <b>"})
    assert "O'Brien & <b> Sons</b>" in text_of(shown)  # the mark ends after <b>
    assert "<b>Sons" not in shown.text


def test_list_is_filtered_by_adviser_and_status(amelia: Visitor, cast: Cast) -> None:
    make_client("Amelia's active", adviser_id=cast.amelia.id)
    make_client("Amelia's dormant", adviser_id=cast.amelia.id, status="dormant")
    make_client("Daniel's", adviser_id=cast.daniel.id)
    make_client("Nobody's")

    shown = {"adviser": cast.amelia.id}
    assert names(amelia, **shown) == ["Amelia's active", "Amelia's dormant"]
    assert len(names(amelia, **shown, status="dormant")) == 1
    assert len(names(amelia, status="active")) == 3
    assert len(names(amelia, **shown, q="daniel")) == 0
    page = amelia.get("/clients", query_string={**shown, "status": "dormant", "q": "ame", "sort": "-total"})
    [search] = [form for form in forms_of(page) if "q" in form]
    assert search.items() >= {
        ("q", "ame"),
        ("adviser", str(cast.amelia.id)),
        ("status", "dormant"),
        ("sort", "-total"),
    }


def test_adviser_filter_offers_only_users_who_can_have_clients(amelia: Visitor, cast: Cast) -> None:
    offered = options_of(amelia.get("/clients"), "adviser")

    assert str(cast.rhys.id) not in offered
    assert {"", str(cast.amelia.id), str(cast.daniel.id), str(cast.ada.id)} <= set(offered)


SORTED = {
    "name": ["alpha", "Beta", "Gamma"],
    "client_ref": ["Gamma", "alpha", "Beta"],
    "adviser": ["Gamma", "Beta", "alpha"],
    "next_review_on": ["Beta", "alpha", "Gamma"],
    "total": ["Gamma", "Beta", "alpha"],
}


@pytest.mark.statements
@pytest.mark.parametrize("key", SORTED)
def test_list_is_sorted_both_ways_with_missing_values_last(amelia: Visitor, cast: Cast, key: str) -> None:
    alpha = make_client("alpha", client_ref="B", next_review_on=date(2027, 1, 1), adviser_id=cast.daniel.id)
    beta = make_client("Beta", client_ref="C", next_review_on=date(2026, 1, 1), adviser_id=cast.amelia.id)
    gamma = make_client("Gamma", client_ref="A", next_review_on=date(2028, 1, 1), adviser_id=cast.ada.id)
    make_client("zeta without anything", client_ref="Z")
    for client, amount in ((alpha, "300.10"), (beta, "200"), (gamma, "99.99")):
        make_product(client, (date(2026, 1, 1), amount))
    missing = ["zeta without anything"]

    assert names(amelia, sort=key) == SORTED[key] + missing
    backwards = SORTED[key][::-1]
    has_value = key in ("name", "client_ref")
    assert names(amelia, sort=f"-{key}") == (missing + backwards if has_value else backwards + missing)


@pytest.mark.statements
def test_pages_of_equal_names_neither_repeat_nor_omit_a_client(amelia: Visitor) -> None:
    for _ in range(PAGE_SIZE + 5):
        make_client("Same Name")
    ids = [
        page for number in (1, 2) for page in amelia.get(f"/clients?page={number}").text.split('data-page="client-')[1:]
    ]

    assert len({each.split('"')[0] for each in ids}) == PAGE_SIZE + 5


@pytest.mark.parametrize(
    ("page", "first", "count"), [("1", "Client 00", 25), ("2", "Client 25", 25), ("3", "Client 50", 1)]
)
def test_list_shows_pages_of_25(amelia: Visitor, page: str, first: str, count: int) -> None:
    for number in range(51):
        make_client(f"Client {number:02}")

    shown = names(amelia, page=page)
    assert (shown[0], len(shown)) == (first, count)
    response = amelia.get("/clients", query_string={"page": page, "sort": "name"})
    assert "of 51" in text_of(response)
    assert "51 clients" in text_of(response)


@pytest.mark.parametrize("page", ["4", "1000000"])
def test_page_past_the_end_of_the_list_is_the_last(amelia: Visitor, page: str) -> None:
    for number in range(44):
        make_client(f"Client {number:02}")

    for search in ({}, {"q": "client"}):
        assert names(amelia, page=page, **search)[:2] == ["Client 25", "Client 26"]


def test_links_to_other_pages_keep_search_filters_and_sort(amelia: Visitor, cast: Cast) -> None:
    for number in range(60):
        make_client(f"Client {number:02}", adviser_id=cast.amelia.id)
    response = amelia.get(f"/clients?q=client&adviser={cast.amelia.id}&status=active&sort=-name&page=2")

    hrefs = links_of(response)
    for page in ("", "&page=3"):
        assert f"/clients?view=all&q=client&adviser={cast.amelia.id}&status=active&sort=-name{page}" in hrefs
    assert f"/clients?view=all&q=client&adviser={cast.amelia.id}&status=active&sort=total" in hrefs
    assert f"/clients?view=all&q=client&adviser={cast.amelia.id}&status=active" in hrefs


@pytest.mark.statements
def test_row_shows_product_count_total_and_next_review(amelia: Visitor, cast: Cast) -> None:
    client = make_client(
        "Whitmore", client_ref="KG7", adviser_id=cast.daniel.id, next_review_on=TODAY + timedelta(days=16)
    )
    make_product(client, (date(2025, 1, 1), "999999"), (date(2026, 1, 1), "1000.50"), (date(2024, 1, 1), "5"))
    make_product(client, (date(2026, 5, 5), "234.10"))
    make_product(client)

    words = row(amelia, "Whitmore")
    for word in ("KG7", "Daniel Okafor", "Active", "3", "£1,234.60", "8 Dec 2026"):
        assert word in words
    assert "overdue" not in words


def test_row_of_a_client_without_data_has_dashes(amelia: Visitor) -> None:
    make_client("Empty")

    assert "£" not in row(amelia, "Empty")
    assert "– Active 0 – – –" in row(amelia, "Empty")


@pytest.mark.parametrize(("days", "is_overdue"), [(-1, True), (0, False), (1, False)])
def test_review_is_overdue_from_the_next_day(amelia: Visitor, days: int, is_overdue: bool) -> None:
    make_client("Whitmore", next_review_on=TODAY + timedelta(days=days))

    assert ("overdue" in row(amelia, "Whitmore")) is is_overdue


GARBAGE = [
    *("page=0", "page=-1", "page=x", "page=1e9", "page=99999999999999999999", "page=", "page=%00", "page=1&page=2"),
    *("adviser=x", "adviser=-1", "adviser=0", "adviser=99999999999", "adviser=2147483648", "adviser=1;drop"),
    *(
        "status=nonsense",
        "status=%00",
        "sort=password_hash",
        "sort=--name",
        "sort=-",
        "sort=name;--",
        "sort=%F0%9F%92%A9",
    ),
    *(
        "q=%00",
        "q=%ff%fe",
        "q=%ed%a0%80",
        "q=" + "a" * 5_000,
        "q=%5C",
        "q=%25%25%25",
        "q=%27",
        "q=%0d%0aX-Evil:1",
        "q=",
    ),
    *("view=nonsense", "view=", "view=%00", "view=mine&adviser=2", "view=in_use&page=9"),
    *("q[]=1", "nonsense=1", "&&&===", "q", "q=%F0%9F%92%A9", "q=%E2%80%AE", "q=++++", "q=%1b%5b2J"),
]


@pytest.mark.parametrize("query", GARBAGE)
def test_arbitrary_query_string_is_not_a_server_error(amelia: Visitor, query: str) -> None:
    """Invalid parameters are ignored."""
    make_client()

    response = amelia.get(f"/clients?{query}")

    assert response.status_code == 200
    assert "X-Evil" not in response.headers


@settings(max_examples=volume(40, 150))
@given(
    q=st.text(max_size=30),
    sort=st.text(max_size=5) | st.sampled_from(["name", "-total"]),
    page=st.text(max_size=8) | st.integers(),
    adviser=st.integers() | st.text(max_size=4),
)
def test_arbitrary_search_words_are_not_a_server_error(
    amelia: Visitor, q: str, sort: str, page: Any, adviser: Any
) -> None:
    response = amelia.get("/clients", query_string={"q": q, "sort": sort, "page": page, "adviser": adviser})

    assert response.status_code == 200


@pytest.mark.statements
@pytest.mark.parametrize(
    "query", ["", "q=client", "q=zzz", "adviser=1&status=active&sort=-total&page=2&q=a", "page=99"]
)
def test_list_takes_at_most_four_statements(tapped_visit: Visit, cast: Cast, wiretap: Wiretap, query: str) -> None:
    """With any filter, including the check of the sign-in session."""
    for number in range(30):
        client = make_client(f"Client {number}", adviser_id=cast.amelia.id)
        make_product(client, (TODAY, "1"))
    browser = tapped_visit(cast.amelia)
    browser.get("/clients")

    with wiretap.listening() as heard:
        assert browser.get(f"/clients?{query}").status_code == 200

    assert len(work_in(heard)) <= 4, heard


@pytest.mark.statements
def test_row_of_a_client_that_others_changed_since_the_last_visit_is_marked(amelia: Visitor, cast: Cast) -> None:
    def marked() -> list[str]:
        rows = amelia.get("/clients?view=all").text.split("<tr data-page=")[1:]
        return [
            name for row in rows for name in ("Seen", "Own", "Never") if f">{name}</a>" in row and ">Changed<" in row
        ]

    seen, own, never = make_client("Seen"), make_client("Own"), make_client("Never")
    for client in (seen, own):
        amelia.post(f"/clients/{client.id}/visit", json={"version": 1})
    for client in (seen, never):
        save_for(cast.daniel, client, phone="222")
    save_for(cast.amelia, own, phone="222")

    assert marked() == ["Seen"]
    amelia.post(f"/clients/{seen.id}/visit", json={"version": 2})
    assert marked() == []
