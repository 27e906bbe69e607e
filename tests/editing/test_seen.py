"""Encode and decode `seen` as the browser does: tests/js/editing/seen.test.js uses the same examples."""

import json
from pathlib import Path
from typing import Any

import pytest

from portal.clients.records.limits import MAX_PRODUCTS
from portal.clients.saving.day_merging import field_of
from portal.editing.base_version import MAX_VERSION
from portal.editing.drafts.store import EditDraft
from portal.editing.seen import MAX_SEEN_FIELDS, MAX_SEEN_LENGTH, format_seen, parse_seen
from portal.errors import InvalidInput
from portal.integers import MAX_INTEGER

EXAMPLES = json.loads((Path(__file__).parent.parent / "seen.json").read_text())


@pytest.mark.parametrize("example", EXAMPLES["decoded"], ids=lambda example: repr(example["text"]))
def test_text_is_decoded_as_in_the_browser(example: dict[str, Any]) -> None:
    assert parse_seen(example["text"]) == example["versions"]
    assert parse_seen(format_seen(example["versions"])) == example["versions"]


@pytest.mark.parametrize("example", EXAMPLES["encoded"], ids=lambda example: repr(example["text"]))
def test_versions_are_encoded_as_in_the_browser(example: dict[str, Any]) -> None:
    assert format_seen(example["versions"]) == example["text"]


@pytest.mark.parametrize("text", ["phone", "phone:", ":7", "phone:0", "phone:-1", "phone:07", "Phone:1", "phone:1:2"])
def test_malformed_text_is_rejected(text: str) -> None:
    with pytest.raises(InvalidInput, match="phone:7 notes:8"):
        parse_seen(text)


def test_conflict_page_of_the_largest_grid_fits() -> None:
    pairs = [f"{field_of(MAX_INTEGER - number)}:{MAX_VERSION}" for number in range(MAX_PRODUCTS)]

    assert len(parse_seen(" ".join(pairs))) == MAX_PRODUCTS
    assert len(" ".join(pairs)) <= MAX_SEEN_LENGTH == EditDraft.seen.type.length


def test_number_of_fields_is_limited() -> None:
    pairs = [f"field{number}:1" for number in range(MAX_SEEN_FIELDS + 1)]

    assert len(parse_seen(" ".join(pairs[:-1]))) == MAX_SEEN_FIELDS
    with pytest.raises(InvalidInput):
        parse_seen(" ".join(pairs))
