"""Test the cleaning of text that users type or paste."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.text_input import clean_line, clean_lines, control_character_problem, search_words

SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
INVISIBLE = [
    "\u200b",
    "\ufeff",
    "\u3164",
    "\u2800",
    "\u115f",
    "\u1160",
    "\uffa0",
    "\u00ad",
    "\u2060",
    "\U000e0041",
    "\u00a0",
]


@pytest.mark.parametrize(
    "mark", [*"\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\U000e0041"]
)
@pytest.mark.parametrize("clean", [clean_line, clean_lines])
def test_direction_mark_byte_order_mark_or_tag_character_is_removed(clean: object, mark: str) -> None:
    assert clean(f"{mark}07700 {mark}900123{mark}") == "07700 900123"  # type: ignore[operator]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x0b", "\x0c", "\r", "\r\n", "\n", "\x85"])
def test_line_separator_becomes_a_line_feed_and_in_one_line_a_space(separator: str) -> None:
    assert clean_lines(f" One{separator}Two{separator}{separator}Three{separator}") == "One\nTwo\n\nThree"
    assert clean_line(f" One{separator}Two{separator}{separator}Three{separator}") == "One Two Three"


def test_tab_stays_in_several_lines_and_is_a_space_in_one() -> None:
    assert clean_lines("Sum\t12\nFee\t3") == "Sum\t12\nFee\t3"
    assert clean_line("Isabelle\tHart") == "Isabelle Hart"


@pytest.mark.parametrize("text", INVISIBLE)
@pytest.mark.parametrize("clean", [clean_line, clean_lines])
def test_text_without_a_visible_character_is_empty(clean: object, text: str) -> None:
    assert clean(text * 3) == clean(f" {text} ") == ""  # type: ignore[operator]


@pytest.mark.parametrize(
    "text", ["Zoë", "می‌خواهم", "👩‍👩‍👧", "한", SCOTLAND, "Llanfair\u00adpwll", "❤️", "\u0915\u094d\u200d\u0937"]
)
def test_names_in_any_script_and_emoji_are_unchanged(text: str) -> None:
    assert clean_line(text) == clean_lines(text) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Whit\0more", "an invisible control character (U+0000) after “Whit”"),
        ("\x1b[2J", "an invisible control character (U+001B) at the start of a line"),
        ("First\nSecond line\x07", "an invisible control character (U+0007) after “Second line”"),
        ("x" * 30 + "\ud800", f"an invisible control character (U+D800) after “{'x' * 20}”"),
    ],
)
def test_control_character_is_named_with_its_place(text: str, problem: str) -> None:
    assert control_character_problem(clean_lines(text)) == problem


@given(st.text())
def test_cleaning_is_idempotent_and_leaves_one_line(text: str) -> None:
    for clean in (clean_line, clean_lines):
        assert clean(clean(text)) == clean(text)
        assert control_character_problem(clean(text)) is None or control_character_problem(text)
    assert not set(clean_line(text)) & set("\t\n\r\x0b\x0c\x85\u2028\u2029")


def test_search_has_plain_spaces_and_a_bounded_length() -> None:
    assert search_words(" \u202aRuth\u202c\u00a0\u00a0Hart\t\0\ud800", 20) == "Ruth Hart"
    assert search_words("x" * 30, 20) == "x" * 20
