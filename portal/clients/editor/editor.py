"""Describe the editor of one entry of a client record: its form, names, draft key and addresses.

Works for the client itself, people, products and valuations, both existing and new. Must not import views.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from portal.auth import directory
from portal.clients.editor.form_fields import EntryForm
from portal.clients.editor.forms import CARDS, FORMS, RecordForm
from portal.clients.records.entries import CLIENT, KINDS, PRODUCT, Entry, EntryKind
from portal.clients.records.models import Client, Product, Valuation
from portal.clients.records.part_names import full_name, part_name
from portal.clients.saving.merging import product_of, row_of
from portal.editing.drafts.store import DraftKey
from portal.errors import NotFound
from portal.integers import MAX_INTEGER
from portal.presence.beats import MAX_FIELD_LENGTH

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    CLIENT.name: {"status": "active", "capacity_for_loss": ""},
    PRODUCT.name: {"status": "active", "fixed_fee": Decimal(0), "percentage_fee": Decimal(0)},
}

NUMBER = "[1-9][0-9]{0,9}"
# The values of Editor._form_name.
FORM_NAME = re.compile(
    rf"record(/(?P<card>{'|'.join(CARDS)}))?|(person|product|valuation)/(?P<id>{NUMBER})"
    rf"|(person|product)/new|valuation/new/(?P<product_id>{NUMBER})",
    re.ASCII,
)


@dataclass(frozen=True)
class Editor:
    """The editor of an entry for one user.

    `row` is None for a new entry. `product` is that of a valuation. `card` names the only card of the client that is
    edited, '' for all of them.
    """

    client: Client
    entry: Entry
    profile_id: int
    row: Any
    product: Product | None = None
    card: str = ""

    @property
    def is_new(self) -> bool:
        return self.row is None

    @property
    def heading(self) -> str:
        kind = self.entry.kind
        if self.is_new:
            return f"Add a {kind.label}"
        if kind is PRODUCT:
            return f"Edit {self.row.product_name}"
        if kind is CLIENT:
            return f"{self.client_heading}{self.client.name}"
        return f"Edit {self.name}"

    @property
    def client_heading(self) -> str:
        """Return the heading of an editor of the client up to the client's name."""
        return f"Edit {title_of(self.card).lower()} of " if self.card else "Edit "

    @property
    def name(self) -> str:
        """Return the prefix of the edited fields in other users' rosters; '' for the client's own fields."""
        kind = self.entry.kind
        if kind is CLIENT:
            return ""
        return self._new_name if self.is_new else part_name(kind, self.row, self.product)

    @property
    def full_name(self) -> str:
        """Return the name of the entry for use within a sentence; '' for a new entry."""
        kind = self.entry.kind
        if self.is_new:
            return ""
        return self.client.name if kind is CLIENT else full_name(kind, self.row, self.product)

    @property
    def labels(self) -> Mapping[str, str]:
        return self.entry.kind.labels

    @property
    def is_named_by_client(self) -> bool:
        """Return whether `full_name` is the client's name."""
        return self.entry.kind is CLIENT

    @property
    def shown_product(self) -> Product | None:
        """Return the product to which the entry belongs, or which it is."""
        return self.row if self.entry.kind is PRODUCT else self.product

    @property
    def removed_prefixes(self) -> list[str]:
        """Return the prefixes that roster entries have for users who edit what a removal would delete.

        A roster shows "ISA A0001: Provider", or only "ISA A0001". static/js/clients/removal-wording.js compares them.
        """
        name = self.name[:MAX_FIELD_LENGTH].strip()
        if self.entry.kind is not PRODUCT:
            return [f"{name}:"]
        return [f"{name}:", f"{name}, ", f"{_new_valuation_name(self.row)}:"]  # also of its valuations

    @property
    def url(self) -> str:
        """Return the address of the editor."""
        kind, client_id = self.entry.kind, self.client.id
        if kind is CLIENT:
            return url_for("client_editors.edit_client", client_id=client_id, card=self.card or None)
        if self.entry.id is not None:
            return url_for("client_editors.edit_part", client_id=client_id, kind=kind.name, part_id=self.entry.id)
        if self.product is not None:
            return url_for("client_editors.new_valuation", client_id=client_id, product_id=self.product.id)
        return url_for("client_editors.new_part", client_id=client_id, kind=kind.name)

    @property
    def back_url(self) -> str:
        """Return the address of the page that shows the entry."""
        is_kept_product = self.entry.kind is PRODUCT and not self.is_new
        return self._product_url(self.row) if is_kept_product else self.owner_url

    @property
    def owner_url(self) -> str:
        """Return the address of the page to show after the entry is removed."""
        return self._product_url(self.product) if self.product else url_for("clients.show", client_id=self.client.id)

    def _product_url(self, product: Product) -> str:
        return url_for("clients.show_product", client_id=self.client.id, product_id=product.id)

    @property
    def draft_key(self) -> DraftKey:
        return DraftKey(self.profile_id, f"client-{self.client.id}", self._form_name)

    def make_form(self, sent: MultiDict[str, str] | None, prefix: str = "") -> EntryForm:
        """Return the form with the sent values. Fields that were not sent have the record's values."""
        kind = self.entry.kind
        defaults = {"version": self.client.version, **DEFAULTS.get(kind.name, {})}
        form = form_class(kind, self.card)(sent, obj=self.row, prefix=prefix, data=defaults)
        if isinstance(form, RecordForm):
            form.offer_advisers(_advisers_for(self.client))
        return form

    def values(self, form: EntryForm) -> dict[str, Any]:
        """Return the sent values by column. A new entry has a value for every column."""
        if self.is_new:
            return {name: form[name].data for name in form.field_names()}
        return form.sent_values()

    @property
    def _new_name(self) -> str:
        return _new_valuation_name(self.product) if self.product else f"New {self.entry.kind.label}"

    @property
    def _form_name(self) -> str:
        if self.entry.kind is CLIENT:
            return f"record/{self.card}" if self.card else "record"
        if not self.is_new:
            return self.entry.prefix
        return f"{self.entry.kind.name}/new" + (f"/{self.product.id}" if self.product else "")


def editor_of(client: Client, entry: Entry, profile_id: int, product_id: int | None = None, card: str = "") -> Editor:
    """Return the editor of an entry. `product_id` is the product of a new valuation, `card` as in `Editor`.

    Raises EntryRemoved (409) if the part or the valuation's product was removed, NotFound (404) if it never existed or
    for an unknown card.
    """
    if card and card not in CARDS:
        raise NotFound(f"A client has no such card. Its cards are: {', '.join(CARDS)}.")
    if entry.kind is CLIENT:
        return Editor(client, entry, profile_id, client, card=card)
    row = row_of(client, entry) if entry.id is not None else None
    owner_id = row.product_id if isinstance(row, Valuation) else product_id
    product = product_of(client, owner_id) if owner_id is not None else None
    return Editor(client, entry, profile_id, row, product)


def match_form(name: str) -> re.Match[str] | None:
    """Match the name of an editor's form, as drafts have it. Return None for other names and for impossible ids."""
    found = FORM_NAME.fullmatch(name)
    return found if found and int(found["id"] or found["product_id"] or 0) <= MAX_INTEGER else None


def kind_of(form: re.Match[str]) -> EntryKind:
    """Return the kind of entry that the form edits: the first segment of its name, which is "record" for the client."""
    first, _, _ = form[0].partition("/")
    return CLIENT if first == "record" else KINDS[first]


def form_class(kind: EntryKind, card: str) -> type[EntryForm]:
    """Return the class of the form. `card` is as in `Editor`."""
    return CARDS[card] if card else FORMS[kind.name]


def fields_of(form_name: str) -> Collection[str]:
    """Return the fields that a draft of this form may contain. Returns none if no editor has a form of that name."""
    found = match_form(form_name)
    return form_class(kind_of(found), found["card"] or "").field_names() if found else ()


def title_of(card: str) -> str:
    """Return the title of a card of the client."""
    [title] = CARDS[card].GROUPS
    return title


def _new_valuation_name(product: Product) -> str:
    return f"New valuation of {part_name(PRODUCT, product)}"


def _advisers_for(client: Client) -> dict[int, str]:
    """Return the active advisers and the current one. Without the current one, a save would silently change it."""
    names = dict(directory.advisers(only_active=True))
    if client.adviser_id:
        names.setdefault(client.adviser_id, directory.name_of(client.adviser_id))
    return names
