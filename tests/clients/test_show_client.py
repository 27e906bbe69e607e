"""Show one client, in few statements."""

from datetime import UTC, date, datetime, timedelta

import pytest

from portal import clock
from portal.extensions import db
from tests.support.cast import Cast
from tests.support.factories import make_client, make_person, make_product
from tests.support.html import links_of, text_of
from tests.support.postgres_proxy import Wiretap, work_in
from tests.support.test_client import Visitor

Visit = type[Visitor]
NOW = datetime(2026, 11, 22, 10, 42, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def test_page_shows_all_data_of_the_client(visit: Visit, cast: Cast) -> None:
    client = make_client(
        "Whitmore Family",
        client_ref="KG00042",
        adviser_id=cast.daniel.id,
        client_since=date(2019, 4, 6),
        email="ruth@mail.example",
        phone="020 7946 0018",
        address_line1="1 High Street",
        address_line2="Flat 2",
        town="Bath",
        postcode="BA1 1AA",
        risk_profile=4,
        capacity_for_loss="medium",
        objectives="Retire at 60",
        notes="Prefers calls\nafter five",
        next_review_on=date(2026, 12, 8),
        updated_by=cast.ada.id,
        updated_at=NOW - timedelta(hours=2),
    )
    make_person(
        client, "Ruth", "Whitmore", title="Mrs", known_as="Ru", date_of_birth=date(1961, 3, 2), ni_number="QQ123456C"
    )
    make_product(client, (date(2026, 10, 1), "10500.50"), plan_number="AV1", start_on=date(2019, 5, 1), fixed_fee="120")

    response = visit(cast.amelia).get(f"/clients/{client.id}")

    assert response.status_code == 200
    words = text_of(response)
    for word in (
        *("Whitmore Family", "KG00042", "Daniel Okafor", "6 Apr 2019", "ruth@mail.example", "020 7946 0018"),
        *("1 High Street", "Flat 2", "Bath", "BA1 1AA", "4 of 7", "medium", "Retire at 60", "8 Dec 2026", "Ada Byron"),
        *("Mrs Ruth Whitmore", "known as Ru", "2 Mar 1961", "QQ123456C", "AV1", "£10,500.50", "1 Oct 2026", "£120.00"),
        *("2 hours ago", "in 2 weeks"),
    ):
        assert word in words, word


def test_total_is_the_sum_of_the_latest_valuations(visit: Visit, cast: Cast) -> None:
    client = make_client()
    make_product(client, (date(2026, 1, 1), "100.10"), (date(2025, 1, 1), "999"))
    make_product(client, (date(2024, 1, 1), "0.01"), status="lapsed")
    make_product(client)

    words = text_of(visit(cast.amelia).get(f"/clients/{client.id}"))

    assert words.count("£100.11") >= 2
    assert "£999" not in words.split("Products")[2]
    assert "1 lapsed" in words


def test_page_of_a_client_without_data_is_shown(visit: Visit, cast: Cast) -> None:
    client = make_client("Empty")

    words = text_of(visit(cast.amelia).get(f"/clients/{client.id}"))

    for word in (
        "No phone, email or address is known.",
        "No people are recorded for this client.",
        "This client has no products yet.",
        "Nothing has been valued yet.",
        "Nothing is noted about this client yet.",
        "None is planned",
    ):
        assert word in words, word
    assert "None " not in words.replace("None is planned", "")
    assert "£" not in words


@pytest.mark.parametrize(
    "valuations",
    [
        [(date(2026, 11, 22), "5")],
        [(date(2030, 1, 1), "5")],
        [(date(2026, 11, 22), "0"), (date(2026, 1, 1), "0")],
        [(date(1900, 1, 1), "0.01"), (date(2026, 1, 1), "999999999999.99")],
        [(date(2026, 1, 1), "-250.00"), (date(2026, 5, 1), "10")],
    ],
    ids=["valued once", "in the future", "nothing but noughts", "largest", "negative"],
)
def test_arbitrary_amounts_are_not_a_server_error(visit: Visit, cast: Cast, valuations: list[tuple[date, str]]) -> None:
    client = make_client()
    make_product(client, *valuations)

    assert visit(cast.amelia).get(f"/clients/{client.id}").status_code == 200


@pytest.mark.parametrize("path", ["/clients/999999", "/clients/0", "/clients/-1", "/clients/2147483648", "/clients/x"])
def test_unknown_client_is_a_404_page_with_a_link_to_the_list(visit: Visit, cast: Cast, path: str) -> None:
    response = visit(cast.amelia).get(path)

    assert response.status_code == 404
    assert "/clients" in links_of(response)
    assert "you do not have access to it" in text_of(response)


def test_reader_sees_no_edit_button(visit: Visit, cast: Cast) -> None:
    client = make_client()

    reader, writer = (visit(profile).get(f"/clients/{client.id}") for profile in (cast.rhys, cast.ada))
    assert f"/clients/{client.id}/edit" not in links_of(reader)
    assert "Read only" in text_of(reader)
    assert f"/clients/{client.id}/edit" in links_of(writer)


def test_html_in_any_value_is_escaped(visit: Visit, cast: Cast) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"
    texts = ("name", "address_line1", "address_line2", "town", "objectives", "notes")
    client = make_client(**{field: f"{evil} {field}"[:100] for field in texts}, phone=evil[:40], email="a@b.example")
    make_person(client, evil[:90], evil[:90], known_as=evil[:90])
    make_product(client, (date(2026, 1, 1), "1"), product_name=evil, provider=evil[:90], plan_number="<b>1</b>")
    cast.daniel.first_name = evil[:90]
    client.adviser_id = client.updated_by = cast.daniel.id
    db.session.commit()
    amelia = visit(cast.amelia)

    for path in (f"/clients/{client.id}", f"/clients/{client.id}/edit", "/clients?q=script", "/clients"):
        response = amelia.get(path)
        assert response.status_code == 200
        assert "<script>alert" not in response.text
        assert "<img src=x" not in response.text
        assert "<b>1</b>" not in response.text
        assert ">49" not in response.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in response.text


def test_page_takes_part_in_presence(visit: Visit, cast: Cast) -> None:
    client = make_client()
    amelia = visit(cast.amelia)

    shown, editing = amelia.get(f"/clients/{client.id}").text, amelia.get(f"/clients/{client.id}/edit").text
    assert f'data-page="client-{client.id}"' in shown
    assert 'data-activity="viewing"' in shown
    assert f'data-page="client-{client.id}"' in editing
    assert 'data-activity="editing"' in editing


@pytest.mark.parametrize("size", [0, 40])
def test_page_takes_at_most_eight_statements_for_any_size(
    tapped_visit: Visit, cast: Cast, wiretap: Wiretap, size: int
) -> None:
    client = make_client(adviser_id=cast.daniel.id, updated_by=cast.ada.id)
    for number in range(size):
        make_person(client, f"Person{number}")
        make_product(client, (date(2026, 1, 1), "1"), (date(2026, 2, 1), "2"))
    amelia = tapped_visit(cast.amelia)
    amelia.get("/clients")

    with wiretap.listening() as heard:
        assert amelia.get(f"/clients/{client.id}").status_code == 200

    assert len(work_in(heard)) <= 8, heard
