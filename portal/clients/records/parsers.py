"""Create parsers for the cells of the six files: functions from a text to a value.

A parser raises InvalidCell with the problem. Lengths and sizes come from the models' columns.
"""

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import InstrumentedAttribute

from portal.clients.records.limits import MAX_DATE, MIN_DATE
from portal.text_input import clean_line, clean_lines, control_character_problem

Parser = Callable[[str], Any]

MAX_SHOWN_LENGTH = 40
_PLAIN = re.compile(rf"[\w.@+/-]{{1,{MAX_SHOWN_LENGTH}}}")
_NUMBER = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class InvalidCell(Exception):
    """The cell is invalid. The message says why."""


def quote_for_message(value: str) -> str:
    """Quote a value of a file for a message: shortened, without control characters."""
    if _PLAIN.fullmatch(value):
        return value
    return repr(value if len(value) <= MAX_SHOWN_LENGTH else f"{value[: MAX_SHOWN_LENGTH - 1]}…")


def text(column: InstrumentedAttribute[str], *, required: bool = False, several_lines: bool = False) -> Parser:
    """Return a parser for text that fits the column, cleaned as in forms."""
    max_length = _type_of(column).length
    clean = clean_lines if several_lines else clean_line

    def parse(cell: str) -> str:
        value = clean(cell)
        if problem := control_character_problem(value):
            raise InvalidCell(f"has {problem}")
        if required and not value:
            raise InvalidCell("is missing")
        if len(value) > max_length:
            raise InvalidCell(f"has {len(value):,} characters; {max_length:,} are allowed")
        return value

    return parse


def email(column: InstrumentedAttribute[str], *, required: bool = False) -> Parser:
    """Return a parser for an email address by the rules of forms; '' is accepted unless `required`."""
    parse_text = text(column, required=required)

    def parse(cell: str) -> str:
        value: str = parse_text(cell)
        if value:
            _reject_invalid_email(value)
        return value

    return parse


def one_of(listed: Collection[str], *, required: bool = True) -> Parser:
    """Return a parser for one value of a closed list, written exactly so; '' is accepted unless `required`."""

    def parse(cell: str) -> str:
        value = clean_line(cell)
        if value in listed or (not value and not required):
            return value
        if not value:
            raise InvalidCell("is missing")
        raise InvalidCell(f"{quote_for_message(value)} is not one of {', '.join(listed)}")

    return parse


def whole_number(allowed: range) -> Parser:
    """Return a parser for a whole number of the range; an empty cell is None."""

    def parse(cell: str) -> int | None:
        value = clean_line(cell)
        if not value:
            return None
        # Checks the length first: int() takes seconds for very many digits.
        if len(value) > len(str(allowed[-1])) or not (value.isascii() and value.isdigit()):
            raise InvalidCell(f"{quote_for_message(value)} is not {allowed[0]} to {allowed[-1]}")
        if int(value) not in allowed:
            raise InvalidCell(f"{quote_for_message(value)} is not {allowed[0]} to {allowed[-1]}")
        return int(value)

    return parse


def optional_day(cell: str) -> date | None:
    """Parse a date such as 2026-12-08; an empty cell is None."""
    value = clean_line(cell)
    return _day_of(value) if value else None


def day(cell: str) -> date:
    value = clean_line(cell)
    if not value:
        raise InvalidCell("is missing")
    return _day_of(value)


def moment(cell: str) -> datetime:
    """Parse a time with its zone, such as 2026-12-08T10:42:00+00:00 or 2026-12-08T10:42Z; return it in UTC."""
    value = clean_line(cell)
    if not value:
        raise InvalidCell("is missing")
    _day_of(value[:10])
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidCell(f"{quote_for_message(value)} is not a time such as 2026-12-08T10:42:00Z") from error
    if parsed.tzinfo is None:
        raise InvalidCell(f"{quote_for_message(value)} has no time zone: write 2026-12-08T10:42:00Z for UTC")
    return parsed.astimezone(UTC)


def optional_moment(cell: str) -> datetime | None:
    return moment(cell) if clean_line(cell) else None


def number(column: InstrumentedAttribute[Decimal], *, minimum: int | None = None, maximum: int | None = None) -> Parser:
    """Return a parser for a plain decimal number that the column stores without rounding, without exponent."""
    kind = _type_of(column)
    decimals, most_digits = kind.scale, kind.precision - kind.scale

    def parse(cell: str) -> Decimal:
        value = clean_line(cell)
        if not value:
            raise InvalidCell("is missing")
        parts = _NUMBER.fullmatch(value)
        if not parts:
            raise InvalidCell(f"{quote_for_message(value)} is not a number such as 1234.50")
        if len(parts[2] or "") > decimals:
            raise InvalidCell(f"{quote_for_message(value)} has more than {decimals} decimals")
        if len(parts[1].lstrip("0")) > most_digits:
            raise InvalidCell(f"{quote_for_message(value)} has more than {most_digits} digits before the point")
        return _bounded(Decimal(value), minimum, maximum)

    return parse


def _type_of(column: InstrumentedAttribute[Any]) -> Any:
    return column.property.columns[0].type


def _reject_invalid_email(value: str) -> None:
    try:
        validate_email(value, check_deliverability=False, allow_smtputf8=True, allow_empty_local=False)
    except EmailNotValidError as error:
        raise InvalidCell(f"{quote_for_message(value)} is not an email address") from error


# Cached, because a valuation file repeats the same few days.
@lru_cache(maxsize=4_096)
def _day_of(value: str) -> date:
    if not _DAY.fullmatch(value):
        raise InvalidCell(f"{quote_for_message(value)} is not a date such as 2026-12-08")
    try:
        parsed = date.fromisoformat(value)
    except ValueError as error:
        raise InvalidCell(f"{value} is not in the calendar") from error
    if not MIN_DATE <= parsed <= MAX_DATE:
        raise InvalidCell(f"{value} is not between {MIN_DATE.year} and {MAX_DATE.year}")
    return parsed


def _bounded(value: Decimal, minimum: int | None, maximum: int | None) -> Decimal:
    if minimum is not None and value < minimum:
        raise InvalidCell(f"{value} is less than {minimum}")
    if maximum is not None and value > maximum:
        raise InvalidCell(f"{value} is more than {maximum}")
    return value
