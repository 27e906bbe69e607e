"""Two texts as one, for people to read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.editing.differences import differences

TEXTS = st.lists(st.sampled_from(["one", "two", " ", "\n", "three four", "é"]), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("a", "a", [("same", "a")]),
        ("", "a", [("new", "a")]),
        ("a b c d", "a b x d", [("same", "a b "), ("gone", "c"), ("new", "x"), ("same", " d")]),
        ("One\nTwo", "One\nTwo and a half", [("same", "One\nTwo"), ("new", " and a half")]),
        ("Ask about the house", "Rang on the phone", [("gone", "Ask about the house"), ("new", "Rang on the phone")]),
        ("a\nb\nc", "a\nc", [("same", "a\n"), ("gone", "b\n"), ("same", "c")]),
    ],
)
def test_it_shows_what_was_taken_out_and_put_in(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    assert differences(old, new) == pieces


@given(old=TEXTS, new=TEXTS)
def test_both_texts_can_be_read_off_it(old: str, new: str) -> None:
    pieces = differences(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == new
