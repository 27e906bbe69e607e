"""Reject amounts of a grid or of its undo, and let the user confirm those that are far from the previous valuation."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from portal.clients.editor.form_fields import EntryForm
from portal.clients.editor.responses import Confirmation, conflict_response, rejected_values
from portal.clients.saving.edits import Edit, MergedValues
from portal.clients.saving.valuations import RejectedAmounts
from portal.clients.saving.write_request import WriteRequest
from portal.clients.valuations.grid import DayGrid
from portal.formatting import gbp
from portal.web.request_body import request_fields

CONFIRM = "confirm_amount"  # "amount_12=1234.00", one or several


def confirmed_amounts(fields: MultiDict[str, str]) -> dict[str, Decimal]:
    """Return the amounts that the user has confirmed. Text of another form confirms nothing."""
    pairs = (word.partition("=") for text in fields.getlist(CONFIRM) for word in text.split())
    return {name: Decimal(amount) for name, _, amount in pairs if amount.replace(".", "", 1).isdecimal()}


def confirmation_of(name: str, amount: Decimal) -> str:
    return f"{name}={amount:.2f}"


def rejected_amounts(errors: Mapping[str, str], to_confirm: Mapping[str, Decimal]) -> ResponseReturnValue:
    """Return 422 as JSON, with what a program sends to confirm the unusual amounts."""
    pairs = " ".join(confirmation_of(name, amount) for name, amount in to_confirm.items())
    return rejected_values(errors, confirm={CONFIRM: pairs} if pairs else None)


def conflict_page(
    grid: DayGrid,
    merged: MergedValues,
    custom_form: EntryForm,
    write_request: WriteRequest,
    *,
    rejection: RejectedAmounts | None = None,
    typed: EntryForm | None = None,
    undoing: int = 0,
) -> ResponseReturnValue:
    """Return 409, with what the user has confirmed, and with the problems of custom values that were rejected."""
    confirmations = []
    if rejection:
        show_problems(custom_form, rejection)
        confirmations = [
            Confirmation(confirmation_of(name, amount), f"{gbp(amount)} for {grid.labels[name]}")
            for name, amount in rejection.to_confirm.items()
        ]
    return conflict_response(
        grid,
        merged,
        custom_form,
        write_request,
        typed=typed,
        undoing=undoing,
        confirmations=confirmations,
        hidden={CONFIRM: " ".join(request_fields().getlist(CONFIRM))},
    )


def show_problems(form: EntryForm, rejection: RejectedAmounts) -> None:
    """Set the error of each rejected field."""
    for name, problem in rejection.problems.items():
        form[name].errors = (problem,)


def without_rejected(edit: Edit, rejection: RejectedAmounts) -> Edit:
    """Return the edit without the rejected resolutions, so that the conflict page asks about these fields again."""
    kept = {name: each for name, each in edit.resolutions.items() if name not in rejection.problems}
    return replace(edit, resolutions=kept)
