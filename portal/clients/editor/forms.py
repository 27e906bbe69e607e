"""Define the forms of clients, people, products and valuations."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from wtforms import EmailField, StringField, TelField, TextAreaField
from wtforms.validators import Email, Optional

from portal.clients.editor.form_fields import (
    AmountField,
    EntryForm,
    NumberField,
    choice_field,
    day_field,
    number_choice_field,
    number_field,
    options,
    text_field,
)
from portal.clients.records import choices
from portal.clients.records.entries import CLIENT, PERSON, PRODUCT, VALUATION
from portal.clients.records.models import Valuation
from portal.clients.records.valuation_jumps import PreviousValuation
from portal.errors import InvalidInput
from portal.formatting import day, gbp
from portal.web.max_length import MaxLength


class RecordForm(EntryForm):
    GROUPS: ClassVar = {"Record": ("name", "client_type", "status", "adviser_id", "client_since")}

    name = text_field(CLIENT, "name", required_message="Enter the client’s name.")
    client_type = choice_field(CLIENT, "client_type", choices.CLIENT_TYPES)
    status = choice_field(CLIENT, "status", choices.CLIENT_STATUSES)
    adviser_id = number_choice_field(CLIENT, "adviser_id")
    client_since = day_field(CLIENT, "client_since")

    def offer_advisers(self, names: Mapping[int, str]) -> None:
        """Set the advisers to choose from (id → name). Call before validating."""
        self.adviser_id.choices = options({"": "No adviser", **names})


class ContactForm(EntryForm):
    GROUPS: ClassVar = {"Contact": ("email", "phone", "address_line1", "address_line2", "town", "postcode")}

    email = text_field(
        CLIENT,
        "email",
        Optional(),
        Email("Enter an email address such as ruth@mail.example."),
        kind=EmailField,
    )
    phone = text_field(CLIENT, "phone", kind=TelField)
    address_line1 = text_field(CLIENT, "address_line1")
    address_line2 = text_field(CLIENT, "address_line2")
    town = text_field(CLIENT, "town")
    postcode = text_field(CLIENT, "postcode")


class AdviceForm(EntryForm):
    GROUPS: ClassVar = {"Advice": ("risk_profile", "capacity_for_loss", "next_review_on")}

    risk_profile = number_choice_field(
        CLIENT, "risk_profile", {"": "Not assessed", **{step: f"{step} of 7" for step in choices.RISK_PROFILES}}
    )
    capacity_for_loss = choice_field(CLIENT, "capacity_for_loss", choices.CAPACITIES_FOR_LOSS, blank="Not assessed")
    next_review_on = day_field(CLIENT, "next_review_on")


class NotesForm(EntryForm):
    GROUPS: ClassVar = {"Objectives and key information": ("objectives", "notes")}

    objectives = text_field(CLIENT, "objectives", kind=TextAreaField)
    notes = text_field(CLIENT, "notes", kind=TextAreaField)


# The forms of the client's cards by the name in the address of their editor (/clients/42/edit?card=contact).
CARDS: dict[str, type[EntryForm]] = {
    "record": RecordForm,
    "contact": ContactForm,
    "advice": AdviceForm,
    "notes": NotesForm,
}


class ClientForm(RecordForm, ContactForm, AdviceForm, NotesForm):
    """The form of all fields of the client: that of each card."""

    GROUPS: ClassVar = {title: names for form in CARDS.values() for title, names in form.GROUPS.items()}


class PersonForm(EntryForm):
    GROUPS: ClassVar = {"Person": ("title", "first_name", "last_name", "known_as", "date_of_birth", "ni_number")}

    title = text_field(PERSON, "title")
    first_name = text_field(PERSON, "first_name", required_message="Enter the first name.")
    last_name = text_field(PERSON, "last_name", required_message="Enter the last name.")
    known_as = text_field(PERSON, "known_as")
    date_of_birth = day_field(PERSON, "date_of_birth")
    ni_number = text_field(PERSON, "ni_number")
    confirm_another = StringField(validators=[MaxLength(40)])  # key of a similar person, confirmed to be another


class ProductForm(EntryForm):
    GROUPS: ClassVar = {
        "Product": ("product_name", "product_type", "provider", "plan_number", "status", "start_on"),
        "Fees a year": ("fixed_fee", "percentage_fee"),
    }

    product_name = text_field(PRODUCT, "product_name", required_message="Enter the product’s name.")
    product_type = choice_field(
        PRODUCT, "product_type", choices.PRODUCT_TYPES, blank="Choose the type", required_message="Choose the type."
    )
    provider = text_field(PRODUCT, "provider", required_message="Enter the provider.")
    plan_number = text_field(PRODUCT, "plan_number", required_message="Enter the plan number.")
    status = choice_field(PRODUCT, "status", choices.PRODUCT_STATUSES)
    start_on = day_field(PRODUCT, "start_on")
    fixed_fee = number_field(
        PRODUCT, "fixed_fee", "Enter the fixed fee, 0 for none.", unit="Pounds a year", kind=AmountField, minimum=0
    )
    percentage_fee = number_field(
        PRODUCT,
        "percentage_fee",
        "Enter the percentage, 0 for none.",
        unit="Per cent of the value a year",
        minimum=0,
        maximum=100,
    )
    confirm_another = StringField(validators=[MaxLength(40)])  # as for a person


class ValuationForm(EntryForm):
    GROUPS: ClassVar = {"Valuation": ("valued_on", "amount")}

    valued_on = day_field(VALUATION, "valued_on", required_message="Enter the day of the valuation.")
    amount = number_field(VALUATION, "amount", "Enter the amount.", unit="Pounds", kind=AmountField)
    # The amount again, sent by a user who has confirmed it.
    confirm_amount = NumberField("Confirmed amount", [Optional()], column=Valuation.amount)

    def show_last(self, last: PreviousValuation) -> None:
        """Show the valuation before this one beside the amount."""
        self.amount.description = f"Last: {gbp(last.amount)} on {day(last.valued_on)}"


FORMS: dict[str, type[EntryForm]] = {
    CLIENT.name: ClientForm,
    PERSON.name: PersonForm,
    PRODUCT.name: ProductForm,
    VALUATION.name: ValuationForm,
}


def confirmed_amount(form: EntryForm) -> Decimal | None:
    """Return the amount that the user has confirmed, None for none. Raises InvalidInput (422) for other text."""
    if not isinstance(form, ValuationForm):
        return None
    if not form.confirm_amount.validate(form):
        raise InvalidInput("confirm_amount", " ".join(map(str, form.confirm_amount.errors)))
    amount: Decimal | None = form.confirm_amount.data  # type: ignore[assignment]
    return amount
