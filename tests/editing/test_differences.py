"""Two texts as one, for people to read."""

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
def test_it_shows_what_was_taken_out_and_put_in(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    assert inline_diff(old, new, Budget()) == pieces


@pytest.mark.parametrize(
    ("old", "new"),
    [(shuffled(0), shuffled(1)), ("\n" * 9_000 + "a", "b" + "\n" * 8_999 + "c"), ("one " * 60, "two " * 60)],
    ids=["too different", "too long", "nothing in common"],
)
def test_texts_that_cannot_be_read_as_one_are_not_compared(old: str, new: str) -> None:
    assert inline_diff(old, new, Budget()) is None


def test_lines_that_are_too_costly_to_compare_stand_whole_between_those_that_are_not() -> None:
    old, new = f"first\n{shuffled(0)}\nlast", f"first\n{shuffled(1)}\nlast"

    assert inline_diff(old, new, Budget()) == [
        ("same", "first\n"),
        ("gone", f"{shuffled(0)}\n"),
        ("new", f"{shuffled(1)}\n"),
        ("same", "last"),
    ]


@given(old=TEXTS, new=TEXTS)
def test_both_texts_can_be_read_off_it(old: str, new: str) -> None:
    pieces = inline_diff(old, new, Budget())
    assert pieces is not None
    assert "".join(piece.text for piece in pieces if piece.kind != "new") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == new
