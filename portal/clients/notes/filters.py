"""Parse the filters of the notes on a client page from its query string. Pure.

The parameters have a prefix, because the client page may have others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.clients.records.choices import NOTE_KINDS
from portal.text_input import search_words
from portal.web.pagination import MAX_PAGE, parse_number, query_of

MAX_SEARCH_LENGTH = 100


@dataclass(frozen=True)
class NoteFilters:
    """The filters of the notes. '' means all kinds and all texts."""

    note_kind: str = ""
    note_text: str = ""
    note_page: int = 1

    @property
    def is_filtered(self) -> bool:
        return bool(self.note_kind or self.note_text)

    def query(self, **changes: object) -> dict[str, Any]:
        """Return the parameters of the same page with `changes`, without those that have their default value."""
        return query_of(self, changes)


def parse_note_filters(args: Mapping[str, str]) -> NoteFilters:
    """Parse the query string. Invalid parameters are ignored, because the page only reads."""
    kind = args.get("note_kind", "")
    return NoteFilters(
        note_kind=kind if kind in NOTE_KINDS else "",
        note_text=search_words(args.get("note_text", ""), MAX_SEARCH_LENGTH),
        note_page=parse_number(args.get("note_page", ""), MAX_PAGE) or 1,
    )
