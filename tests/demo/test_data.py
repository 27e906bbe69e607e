"""Test what the files of the demo data say, on several days."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from portal.clients.records.choices import PRODUCT_TYPES
from portal.demo.dates import WRITTEN_ON
from portal.demo.files import read, write_current_files

# Ofcom keeps these numbers for drama: https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama
DRAMA = re.compile(
    r"(0113|0114|0115|0116|0117|0118|0121|0131|0141|0151|0161) 496 0\d{3}"
    r"|020 7946 0\d{3}|0191 498 0\d{3}|028 9649 6\d{3}|029 2018 0\d{3}|01632 960\d{3}|07700 900\d{3}"
)
# No real postcode ends in two of these letters.
POSTCODE = re.compile(r"[A-Z]{1,2}\d{1,2} \d[CIKMOV]{2}")
NI_NUMBER = re.compile(r"QQ\d{6}[A-D]")  # no real one begins with QQ
# A weekend, the first and the last day of a quarter, and a leap day.
DAYS = [WRITTEN_ON, date(2026, 11, 28), date(2027, 1, 1), date(2028, 2, 29), date(2029, 6, 30)]


def age(born: str, today: date) -> int:
    day = date.fromisoformat(born)
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))


def rows_by_client(name: str, today: date) -> dict[str, list[dict[str, str]]]:
    found = defaultdict(list)
    for row in read(name, today):
        found[row["client_ref"]].append(row)
    return found


def test_contact_details_are_from_ranges_that_nobody_has() -> None:
    changed = [row for row in read("history.csv", WRITTEN_ON) if row["field"] in ("phone", "postcode", "email")]
    written = [(name, row[name]) for row in read("clients.csv", WRITTEN_ON) for name in ("phone", "postcode", "email")]
    for field, value in written + [(row["field"], row["value"]) for row in changed]:
        shape = {"phone": DRAMA, "postcode": POSTCODE, "email": re.compile(r"[a-z.-]+@[a-z-]+\.example")}[field]
        assert shape.fullmatch(value), value
    numbers = [row["ni_number"] for row in read("people.csv", WRITTEN_ON) if row["ni_number"]]
    assert all(map(NI_NUMBER.fullmatch, numbers))
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_no_day_is_in_the_future_and_valuations_are_of_the_end_of_a_quarter(today: date, tmp_path: Path) -> None:
    write_current_files(tmp_path, today)
    assert (tmp_path / "valuations.csv").read_text().count("\n") > 5_000

    valued = {date.fromisoformat(row["valued_on"]) for row in read("valuations.csv", today)}
    assert all((day + timedelta(days=1)).day == 1 and day.month % 3 == 0 for day in valued)
    assert max(valued) < today <= max(valued) + timedelta(days=92)
    past = {"clients.csv": "client_since", "products.csv": "start_on", "notes.csv": "happened_on"}
    for name, column in past.items():
        assert max(row[column] for row in read(name, today)) < today.isoformat(), name


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_products_risk_and_capacity_fit_the_people(today: date) -> None:
    people = rows_by_client("people.csv", today)
    products = rows_by_client("products.csv", today)
    for client in read("clients.csv", today):
        ages = [age(person["date_of_birth"], today) for person in people[client["client_ref"]]]
        adults = [years for years in ages if years >= 18]
        kinds = Counter(product["product_type"] for product in products[client["client_ref"]])
        assert adults, client["client_ref"]
        assert kinds["JISA"] <= len(ages) - len(adults) + 1  # one may have come of age
        assert kinds["ISA"] <= len(adults)
        if client["client_type"] in ("trust", "business"):
            assert not kinds["ISA"] + kinds["SIPP"] + kinds["JISA"]
        if client["capacity_for_loss"] == "low":
            assert int(client["risk_profile"]) <= 4
        if min(adults) >= 76 and client["client_type"] in ("individual", "family"):
            assert int(client["risk_profile"]) <= 4
    assert {product["product_type"] for rows in products.values() for product in rows} == set(PRODUCT_TYPES)


def test_values_move_plausibly_from_quarter_to_quarter() -> None:
    """Contributions are part of the movement: an ISA may grow by £20,000."""
    before: dict[str, Decimal] = {}
    for row in read("valuations.csv", WRITTEN_ON):
        plan, amount = row["plan_number"], Decimal(row["amount_gbp"])
        if plan in before and amount:
            moved = amount - before[plan]
            assert abs(moved) <= max(before[plan] / 8, before[plan] / 10 + 22_000), row
        before[plan] = amount


def adviser_reviews(today: date, has_come: Callable[[date], bool]) -> Counter[str]:
    rows = [row for row in read("clients.csv", today) if row["status"] == "active" and row["next_review_on"]]
    return Counter(row["adviser_email"] for row in rows if has_come(date.fromisoformat(row["next_review_on"])))


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_each_adviser_has_reviews_overdue_and_due(today: date) -> None:
    advisers = {row["email"] for row in read("profiles.csv", today) if row["role"] == "adviser"}
    assert set(adviser_reviews(today, lambda day: day < today)) == advisers
    assert set(adviser_reviews(today, lambda day: today <= day <= today + timedelta(days=30))) == advisers


def test_data_has_what_the_pages_must_be_able_to_show() -> None:
    clients = list(read("clients.csv", WRITTEN_ON))
    assert max(len(row["name"]) for row in clients) > 180
    assert any(not row["name"].isascii() for row in clients)
    assert [row["name"] for row in clients if not row["adviser_email"]] == ["Siân Gwynne"]
    assert {row["status"] for row in clients} == {"active", "dormant", "inactive"}
    assert len(list(read("notes.csv", WRITTEN_ON))) > 100
