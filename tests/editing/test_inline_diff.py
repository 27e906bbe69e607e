"""Combine two texts into one that marks their differences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.editing.merge.budget import Budget
from portal.editing.merge.inline_diff import inline_diff
from tests.support.hostile_texts import shuffled

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
def test_segments_show_deleted_and_inserted_text(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    assert inline_diff(old, new, Budget()) == pieces


@pytest.mark.parametrize(
    ("old", "new"),
    [(shuffled(0), shuffled(1)), ("\n" * 9_000 + "a", "b" + "\n" * 8_999 + "c"), ("one " * 60, "two " * 60)],
    ids=["too different", "too long", "nothing in common"],
)
def test_very_different_texts_have_no_inline_diff(old: str, new: str) -> None:
    assert inline_diff(old, new, Budget()) is None


def test_costly_lines_are_shown_whole_between_compared_ones() -> None:
    old, new = f"first\n{shuffled(0)}\nlast", f"first\n{shuffled(1)}\nlast"

    assert inline_diff(old, new, Budget()) == [
        ("same", "first\n"),
        ("gone", f"{shuffled(0)}\n"),
        ("new", f"{shuffled(1)}\n"),
        ("same", "last"),
    ]


@given(old=TEXTS, new=TEXTS)
def test_segments_contain_both_texts(old: str, new: str) -> None:
    pieces = inline_diff(old, new, Budget())
    assert pieces is not None
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == new
