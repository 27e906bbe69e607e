"""Encode and decode `seen` as the browser does: tests/js/editing/seen.test.js uses the same examples."""

import json
from pathlib import Path
from typing import Any

import pytest

from portal.editing.seen import MAX_SEEN_FIELDS, format_seen, parse_seen
from portal.errors import InvalidInput

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


def test_number_of_fields_is_limited() -> None:
    pairs = [f"field{number}:1" for number in range(MAX_SEEN_FIELDS + 1)]

    assert len(parse_seen(" ".join(pairs[:-1]))) == MAX_SEEN_FIELDS
    with pytest.raises(InvalidInput):
        parse_seen(" ".join(pairs))
