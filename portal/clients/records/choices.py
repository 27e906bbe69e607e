"""Define the closed lists of client records: stored values and their labels.

Must not import anything of the portal.
"""

from collections.abc import Iterable

CLIENT_TYPES = {"individual": "Individual", "family": "Family", "trust": "Trust", "business": "Business"}
CLIENT_STATUSES = {"active": "Active", "dormant": "Dormant", "inactive": "Inactive"}
CAPACITIES_FOR_LOSS = {"low": "Low", "medium": "Medium", "high": "High"}
PRODUCT_TYPES = {
    "GIA": "General Investment Account",
    "ISA": "Stocks & Shares ISA",
    "JISA": "Junior ISA",
    "SIPP": "Self-Invested Personal Pension",
    "BOND": "Onshore Bond",
    "CASH": "Cash Account",
}
NOTE_KINDS = {"note": "Note", "call": "Call", "meeting": "Meeting", "email": "Email"}
PRODUCT_STATUSES = {"active": "Active", "lapsed": "Lapsed"}
RISK_PROFILES = range(1, 8)


def check_one_of(column: str, choices: Iterable[str]) -> str:
    """Return the SQL condition that `column` contains one of `choices`, an iterable of the portal's own constants."""
    listed = ", ".join(repr(choice) for choice in choices)
    return f"{column} IN ({listed})"
