"""Check single values of a client record beyond type and length, for forms, JSON and imports. Pure.

Stored values are not checked again, so other fields of a record from before a rule can still be changed.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

# Two letters, six digits, a letter: the letters that HMRC uses, and the Q of its examples (QQ 12 34 56 C).
# https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110
_NI_NUMBER = re.compile(r"[A-CEGHJ-TW-Z][A-CEGHJ-NP-TW-Z][0-9]{6}[A-D]", re.ASCII)
_EXTENSION = re.compile(r"(ext|x|#).*", re.IGNORECASE | re.DOTALL)
_PLAN_NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9 ./_-]*", re.ASCII)
MAX_PHONE_DIGITS = 15  # E.164
MIN_PHONE_DIGITS = 3  # 111, 999


def problem_with(kind: str, column: str, value: object, today: date) -> str | None:
    """Return the problem of a value as the end of a sentence that begins with "This …", or None."""
    check = _CHECKS.get((kind, column))
    return check(value, today) if check and value not in (None, "") else None


def _ni_number(text: str, _today: date) -> str | None:
    is_one = _NI_NUMBER.fullmatch("".join(text.split()).upper())
    return None if is_one else "is not a National Insurance number, such as QQ 12 34 56 C"


def _phone(text: str, _today: date) -> str | None:
    """Check a phone number without its extension. The field may contain words instead."""
    digits = sum(letter.isdigit() for letter in _EXTENSION.sub("", text))
    if digits == 0 or MIN_PHONE_DIGITS <= digits <= MAX_PHONE_DIGITS:
        return None
    return f"has {digits} digits; a telephone number has {MIN_PHONE_DIGITS} to {MAX_PHONE_DIGITS}"


def _plan_number(text: str, _today: date) -> str | None:
    if _PLAN_NUMBER.fullmatch(text):
        return None
    return "is not a plan number: use letters, digits, blanks and . / _ -, with one digit at least"


def _not_in_future(day: date, today: date) -> str | None:
    return "is in the future" if day > today else None


def _not_negative(amount: Any, _today: date) -> str | None:
    return "is less than 0" if amount < 0 else None


_CHECKS: Mapping[tuple[str, str], Callable[[Any, date], str | None]] = {
    ("", "phone"): _phone,
    ("person", "date_of_birth"): _not_in_future,
    ("person", "ni_number"): _ni_number,
    ("product", "plan_number"): _plan_number,
    ("valuation", "valued_on"): _not_in_future,
    ("note", "happened_on"): _not_in_future,
    ("valuation", "amount"): _not_negative,
}
