"""Test the formatting of values."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from jinja2 import UndefinedError

from portal import formatting
from portal.config import PROJECT_ROOT

NOW = datetime(2026, 11, 22, 10, 42, tzinfo=UTC)
TODAY = NOW.date()
AGES = json.loads((Path(__file__).parent / "ages.json").read_text())


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Decimal("1284602.18"), "£1,284,602.18"),
        (Decimal("0"), "£0.00"),
        (Decimal("-1234.5"), "−£1,234.50"),
        (Decimal("0.005"), "£0.01"),
        (Decimal("999999999999.99"), "£999,999,999,999.99"),
        (None, "–"),
    ],
)
def test_gbp_has_pounds_pennies_and_commas(amount: Decimal | None, written: str) -> None:
    assert formatting.gbp(amount) == written


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0", "£0"),
        ("500", "£500"),
        ("250000", "£250k"),
        ("1250000", "£1.25m"),
        ("2E9", "£2bn"),
        ("-5000", "−£5k"),
    ],
)
def test_gbp_short_abbreviates_round_amounts(amount: str, written: str) -> None:
    assert formatting.gbp_short(Decimal(amount)) == written


@pytest.mark.parametrize(
    ("share", "written"), [("0.75", "0.75%"), ("0.50", "0.5%"), ("1.00", "1%"), ("100", "100%"), (None, "–")]
)
def test_percent_has_no_trailing_zeros(share: str | None, written: str) -> None:
    assert formatting.percent(None if share is None else Decimal(share)) == written


@pytest.mark.parametrize(
    ("share", "written"), [("2.44", "+2.4%"), ("-0.25", "−0.3%"), ("0.04", "0.0%"), ("-0.04", "0.0%")]
)
def test_change_has_a_sign(share: str, written: str) -> None:
    assert formatting.change(Decimal(share)) == written


def test_day_has_no_leading_zero() -> None:
    assert formatting.day(date(2026, 12, 8)) == "8 Dec 2026"
    assert formatting.day(None) == "–"


def test_moment_is_in_london_time_in_winter_and_summer() -> None:
    assert formatting.moment(NOW) == "22 Nov 2026, 10:42"
    assert formatting.moment(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)) == "1 Jul 2026, 00:30"
    assert formatting.moment(None) == "–"


@pytest.mark.parametrize(("seconds", "written"), AGES)
def test_ago_uses_the_largest_unit(seconds: int, written: str) -> None:
    assert formatting.ago(NOW - timedelta(seconds=seconds), NOW) == written


def test_templates_write_an_age_only_so_that_the_page_keeps_it_true() -> None:
    templates = sorted((PROJECT_ROOT / "templates").rglob("*.html"))

    assert [path.name for path in templates if "|ago(" in path.read_text()] == ["_time.html"]


@pytest.mark.parametrize(
    ("days", "written"),
    [
        (0, "today"),
        (1, "tomorrow"),
        (3, "in 3 days"),
        (16, "in 2 weeks"),
        (-1, "1 day overdue"),
        (-70, "2 months overdue"),
    ],
)
def test_due_describes_the_distance_to_a_date(days: int, written: str) -> None:
    assert formatting.due(TODAY + timedelta(days=days), TODAY) == written


@pytest.mark.parametrize(
    ("days", "written"), [(-1, "today"), (0, "today"), (1, "yesterday"), (13, "13 days ago"), (59, "8 weeks ago")]
)
def test_days_ago_describes_the_age_of_a_day(days: int, written: str) -> None:
    assert formatting.days_ago(TODAY - timedelta(days=days), TODAY) == written


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ruth Whitmore", "RW"),
        ("  ruth anne  whitmore ", "RW"),
        ("Cher", "C"),
        ("Émile Zola", "ÉZ"),
        ("", "?"),
    ],
)
def test_initials_are_those_of_the_first_and_the_last_word(name: str, letters: str) -> None:
    assert formatting.initials(name) == letters


def test_initials_of_a_repeated_word_use_it_twice() -> None:
    assert formatting.initials("Lee Lee") == "LL"


def test_hue_is_one_of_twelve() -> None:
    assert {formatting.hue(profile_id) for profile_id in range(40)} == set(range(12))


@pytest.mark.parametrize(
    ("number", "dialled"),
    [
        ("(028)9018546", "0289018546"),
        ("+44(0)191 496 0464", "+441914960464"),
        ("+44 20 7946 0001", "+442079460001"),
        ("ask Ruth", ""),
    ],
)
def test_telephone_returns_a_number_that_can_be_dialled(number: str, dialled: str) -> None:
    assert formatting.telephone(number) == dialled


@pytest.mark.parametrize(
    ("page", "pages", "shown"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (2, 10, [1, 2, 3, None, 10]),
        (4, 10, [1, 2, 3, 4, 5, None, 10]),
        (5, 10, [1, None, 4, 5, 6, None, 10]),
        (10, 10, [1, None, 9, 10]),
    ],
)
def test_page_numbers_omit_distant_pages(page: int, pages: int, shown: list[int | None]) -> None:
    assert formatting.page_numbers(page, pages) == shown


def test_filters_work_in_a_template() -> None:
    app = Flask("test")
    formatting.init_formatting(app)

    written = app.jinja_env.from_string("{{ amount|gbp }} {{ on|day }} {{ at|ago(now) }}").render(
        amount=Decimal(5), on=TODAY, at=NOW - timedelta(minutes=2), now=NOW
    )

    assert written == "£5.00 22 Nov 2026 2 minutes ago"


def test_timestamp_has_three_decimals_of_a_second() -> None:
    assert (
        formatting.timestamp(datetime(2026, 11, 22, 10, 42, 7, 109_545, tzinfo=UTC)) == "2026-11-22T10:42:07.109+00:00"
    )


def test_undefined_name_in_a_template_is_an_error_in_tests(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(UndefinedError):
        render_template_string("{{ missing }}")
