"""List the reader's own drafts of a client, for the client page.

Drafts are not merged here. The editor shows which of their values are unsaved.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from portal.auth import Profile
from portal.clients.records.entries import KINDS, VALUATION
from portal.clients.records.models import Client
from portal.editing.drafts.store import Written

NUMBER = "[1-9][0-9]{0,8}"
PART = re.compile(
    rf"(?P<kind>person|product|valuation)/(?P<id>{NUMBER})|(?P<kind_of_new>person|product)/new"
    rf"|valuation/new/(?P<product_id>{NUMBER})",
    re.ASCII,
)


@dataclass(frozen=True)
class OwnDraft:
    """A draft. `label` names its entry within a sentence; `url` opens the editor with the draft restored."""

    label: str
    url: str
    at: datetime


def own_drafts_of(client: Client, reader: Profile, found: Sequence[Written]) -> list[OwnDraft]:
    """Return the drafts in `found` that belong to an editor. A reader without write permission has none."""
    links = ((_label_and_url(client.id, written), written.updated_at) for written in found if reader.may_write)
    return [OwnDraft(*link, at) for link, at in links if link]


def _label_and_url(client_id: int, written: Written) -> tuple[str, str] | None:
    """Return the label and the address of the draft's editor, None if no editor has its form."""
    query: dict[str, Any] = {"client_id": client_id, "draft": written.draft_id}
    if written.form == "record":
        return "this record", url_for("client_editors.edit_client", **query)
    found = PART.fullmatch(written.form)
    if not found:
        return None
    kind = KINDS[found["kind"] or found["kind_of_new"] or VALUATION.name]
    if found["id"]:
        return f"a {kind.label}", url_for("client_editors.edit_part", kind=kind.name, part_id=found["id"], **query)
    if found["product_id"]:
        url = url_for("client_editors.new_valuation", product_id=found["product_id"], **query)
    else:
        url = url_for("client_editors.new_part", kind=kind.name, **query)
    return f"a new {kind.label}", url
