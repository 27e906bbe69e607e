"""Reject amounts of a grid, and let the user confirm those that are far from the previous valuation."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from portal.clients.editor.form_fields import EntryForm
from portal.clients.editor.responses import Confirmation
from portal.clients.saving.edits import Edit
from portal.clients.saving.valuations import RejectedAmounts
from portal.formatting import gbp

CONFIRM = "confirm_amount"  # "amount_12=1234.00", one or several


def confirmed_amounts(fields: MultiDict[str, str]) -> dict[str, Decimal]:
    """Return the amounts that the user has confirmed. Text of another form confirms nothing."""
    pairs = (word.partition("=") for text in fields.getlist(CONFIRM) for word in text.split())
    return {name: Decimal(amount) for name, _, amount in pairs if amount.replace(".", "", 1).isdecimal()}


def confirmation_of(name: str, amount: Decimal) -> str:
    return f"{name}={amount:.2f}"


def confirmations_of(rejection: RejectedAmounts, labels: Mapping[str, str]) -> list[Confirmation]:
    """Return what the user can confirm on the conflict page."""
    return [
        Confirmation(confirmation_of(name, amount), f"{gbp(amount)} for {labels[name]}")
        for name, amount in rejection.to_confirm.items()
    ]


def show_problems(form: EntryForm, rejection: RejectedAmounts) -> None:
    """Set the error of each rejected field."""
    for name, problem in rejection.problems.items():
        form[name].errors = (problem,)


def without_rejected(edit: Edit, rejection: RejectedAmounts) -> Edit:
    """Return the edit without the rejected resolutions, so that the conflict page asks about these fields again."""
    kept = {name: each for name, each in edit.resolutions.items() if name not in rejection.problems}
    return replace(edit, resolutions=kept)
