"""Define the models of client records: clients, grants, people, products and valuations.

Empty optional text is '' and not NULL, so that forms, CSV cells and columns have one empty value.
"""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.clients.records import choices
from portal.clients.records.note_models import ClientNote
from portal.extensions import Model

# Forms in which a search compares what people write in several ways (clients/search/terms.py has those of its terms):
# a reference in lower case without punctuation and leading zeros, a telephone number's digits without 0 or country
# code, a plan number without punctuation, and an NI number without blanks.
REFERENCE_FORM = (
    "regexp_replace(regexp_replace(lower(client_ref), '[^a-z0-9]', '', 'g'), '(^|[a-z])0+([0-9])', '\\1\\2', 'g')"
)
PHONE_FORM = "regexp_replace(regexp_replace(phone, '[^0-9]', '', 'g'), '^(0044|44)?0?', '')"
PLAN_FORM = "regexp_replace(lower(plan_number), '[^a-z0-9]', '', 'g')"
NI_FORM = "upper(replace(ni_number, ' ', ''))"


def _trigrams(name: str, *texts: str) -> Index:
    """Return an index for searches of any part of the texts, each a column or an expression."""
    labelled = {f"text{number}": each for number, each in enumerate(texts)}
    return Index(
        name,
        *(literal_column(each).label(label) for label, each in labelled.items()),
        postgresql_using="gin",
        postgresql_ops=dict.fromkeys(labelled, "gin_trgm_ops"),
    )


class Client(Model):
    """One client record. Every accepted change increments `version` (`editing.optimistic_lock`)."""

    __tablename__ = "clients"
    __table_args__ = (
        CheckConstraint(choices.check_one_of("client_type", choices.CLIENT_TYPES), name="client_type"),
        CheckConstraint(choices.check_one_of("status", choices.CLIENT_STATUSES), name="status"),
        CheckConstraint("risk_profile BETWEEN 1 AND 7", name="risk_profile"),
        CheckConstraint(
            choices.check_one_of("capacity_for_loss", ["", *choices.CAPACITIES_FOR_LOSS]), name="capacity_for_loss"
        ),
        _trigrams("ix_clients_searched", "searched"),
        _trigrams("ix_clients_contact", REFERENCE_FORM, PHONE_FORM, "lower(email)"),
        Index("ix_clients_lower_name", text("lower(name)"), "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_ref: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    client_type: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    adviser_id: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"), index=True)
    client_since: Mapped[date | None]
    email: Mapped[str] = mapped_column(String(254), server_default="")
    phone: Mapped[str] = mapped_column(String(40), server_default="")
    address_line1: Mapped[str] = mapped_column(String(200), server_default="")
    address_line2: Mapped[str] = mapped_column(String(200), server_default="")
    town: Mapped[str] = mapped_column(String(100), server_default="")
    postcode: Mapped[str] = mapped_column(String(12), server_default="")
    risk_profile: Mapped[int | None]
    capacity_for_loss: Mapped[str] = mapped_column(String(20), server_default="")
    objectives: Mapped[str] = mapped_column(String(2_000), server_default="")
    next_review_on: Mapped[date | None] = mapped_column(index=True)
    notes: Mapped[str] = mapped_column(String(10_000), server_default="")
    is_restricted: Mapped[bool] = mapped_column(server_default="false")
    version: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("profiles.id"))
    # The submission of the form that added the client (saving/adding.py); NULL for an import.
    added_by_form: Mapped[str | None] = mapped_column(String(60), unique=True)
    searched: Mapped[str] = mapped_column(
        Text, Computed("lower(name || ' ' || client_ref || ' ' || postcode || ' ' || replace(postcode, ' ', ''))", True)
    )


class ClientGrant(Model):
    """A profile that may see a restricted client."""

    __tablename__ = "client_grants"
    __table_args__ = (UniqueConstraint("client_id", "profile_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
    profile_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"))


class Person(Model):
    """A person who belongs to a client."""

    __tablename__ = "people"
    __table_args__ = (
        _trigrams("ix_people_searched", "searched"),
        _trigrams("ix_people_known_as", "lower(known_as)"),
        Index("ix_people_ni_number", text(NI_FORM)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    title: Mapped[str] = mapped_column(String(20), server_default="")
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    known_as: Mapped[str] = mapped_column(String(100), server_default="")
    date_of_birth: Mapped[date | None]
    ni_number: Mapped[str] = mapped_column(String(13), server_default="")
    searched: Mapped[str] = mapped_column(Text, Computed("lower(first_name || ' ' || last_name)", True))


class Product(Model):
    """A product that a client holds with a provider. Fees are pounds a year and per cent of the value a year."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint(choices.check_one_of("product_type", choices.PRODUCT_TYPES), name="product_type"),
        CheckConstraint(choices.check_one_of("status", choices.PRODUCT_STATUSES), name="status"),
        CheckConstraint("fixed_fee >= 0", name="fixed_fee"),
        CheckConstraint("percentage_fee BETWEEN 0 AND 100", name="percentage_fee"),
        _trigrams("ix_products_plan_number", PLAN_FORM),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"), index=True)
    plan_number: Mapped[str] = mapped_column(String(40), unique=True)
    product_name: Mapped[str] = mapped_column(String(200))
    product_type: Mapped[str] = mapped_column(String(10))
    provider: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    start_on: Mapped[date | None]
    fixed_fee: Mapped[Decimal] = mapped_column(Numeric(12, 2), server_default="0")
    percentage_fee: Mapped[Decimal] = mapped_column(Numeric(5, 2), server_default="0")


class Valuation(Model):
    """The value of a product at the end of a day, in pounds."""

    __tablename__ = "valuations"
    # The index also serves a product's latest valuation, by a backward scan.
    __table_args__ = (UniqueConstraint("product_id", "valued_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    valued_on: Mapped[date]
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))


Part = Person | Product | Valuation | ClientGrant | ClientNote
Record = Client | Part
