"""Merge edits, by example and by property: no input of either user disappears unless a user decides so."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.editing.merge.budget import Budget
from portal.editing.merge.resolutions import CHOICES, Resolution, resolve
from portal.editing.merge.texts import TextMerge, is_contained, merge_texts, united
from portal.editing.merge.three_way import UNKNOWN, Conflict, Merge, merge
from tests.support.hostile_texts import shuffled

BY_LINES = {"notes": 200}
FIELDS = ("phone", "town", "fee", "notes")
WORDS = st.sampled_from(["", "a", "b", "c", "same"])
TEXTS = st.lists(st.sampled_from(["one", "two", "three", "four", ""]), max_size=6).map("\n".join)
RECORDS = st.fixed_dictionaries({"phone": WORDS, "town": WORDS, "fee": WORDS, "notes": TEXTS})
EDITS = st.fixed_dictionaries({}, optional={"phone": WORDS, "town": WORDS, "fee": WORDS, "notes": TEXTS})


def merged(base: Any, theirs: Any, yours: Any, name: str = "phone") -> Merge:
    return merge({name: base}, {name: theirs}, {name: yours}, BY_LINES, Budget())


def merged_text(base: str, theirs: str, yours: str) -> str | None:
    found = merge_texts(base, theirs, yours, Budget())
    assert found is not None
    return found.merged


def saved(theirs: dict[str, Any], result: Merge) -> dict[str, Any]:
    """Return the record with the merge written to it."""
    return {**theirs, **result.changes}


@pytest.mark.parametrize(
    ("base", "theirs", "yours", "changes"),
    [
        ("1", "1", "2", {"phone": "2"}),
        ("1", "2", "1", {}),
        ("1", "2", "2", {}),
        ("1", "1", "1", {}),
        (None, None, "2", {"phone": "2"}),
        ("1", "1", None, {"phone": None}),
    ],
)
def test_change_of_one_side_is_no_conflict(base: Any, theirs: Any, yours: Any, changes: Any) -> None:
    assert merged(base, theirs, yours) == Merge(changes, ())


def test_change_of_both_sides_is_a_conflict_with_all_three_values() -> None:
    assert merged("1", "2", "3") == Merge({}, (Conflict("phone", "1", "2", "3"),))


def test_amount_changed_by_both_is_a_conflict_unless_equal() -> None:
    assert merged("1", "2", "2", name="fee") == Merge({}, ())
    assert merged("1", "2", "3", name="fee").conflicts == (Conflict("fee", "1", "2", "3"),)


@pytest.mark.parametrize("yours", ["2", None, ""])
def test_unknown_base_makes_every_different_value_a_conflict(yours: Any) -> None:
    """An empty value is a known base."""
    assert merged(UNKNOWN, "1", yours).conflicts == (Conflict("phone", UNKNOWN, "1", yours),)
    assert merged(UNKNOWN, "1", "1") == Merge({}, ())
    assert merged(UNKNOWN, "1", "1", name="fee") == Merge({}, ())
    assert merged(UNKNOWN, "a\nb", "a\nc", name="notes").conflicts


@pytest.mark.parametrize(
    ("base", "theirs", "yours", "together"),
    [
        ("a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC"),
        ("a\nb\nc", "a\nb\nc\nd", "0\na\nb\nc", "0\na\nb\nc\nd"),
        ("a\nb\nc\nd\ne", "a\nc\nd\ne", "a\nb\nc\nd", "a\nc\nd"),
        ("a\nb\nc", "a\nX\nc", "a\nX\nc", "a\nX\nc"),
        ("a\nb\nc\nd", "A\nb\nc\nd", "A\nb\nc\nD", "A\nb\nc\nD"),
    ],
)
def test_lines_that_do_not_touch_are_merged(base: str, theirs: str, yours: str, together: str) -> None:
    assert merged_text(base, theirs, yours) == together


@pytest.mark.parametrize(
    ("base", "theirs", "yours", "together"),
    [
        ("a\nb", "a\nb\ntheirs", "a\nb\nyours", "a\nb\ntheirs\nyours"),
        ("a\nb", "a\nb\n\ntheirs", "a\nb\n\nyours", "a\nb\n\ntheirs\n\nyours"),
        ("a\nb", "a\ntheirs\nb", "a\nyours\nb", "a\ntheirs\nyours\nb"),
        ("a\nb", "theirs\na\nb", "yours\na\nb", "theirs\nyours\na\nb"),
        ("", "theirs", "yours", "theirs\nyours"),
        ("a", "a\ntheirs", "a\ntheirs\nyours", "a\ntheirs\nyours"),
        ("a", "a\ntheirs\nyours", "a\nyours", "a\ntheirs\nyours"),
    ],
)
def test_saved_addition_comes_first_of_two_at_one_place(base: str, theirs: str, yours: str, together: str) -> None:
    assert merged_text(base, theirs, yours) == together


@pytest.mark.parametrize(
    ("base", "theirs", "yours", "with_yours", "both"),
    [
        ("a\nb\nc", "a\nX\nc", "a\nY\nc", "a\nY\nc", "a\nX\nY\nc"),
        ("a\nb\nc\nd", "a\nX\nc\nd", "a\nb\nY\nd", "a\nb\nY\nd", "a\nX\nc\nb\nY\nd"),
        ("a\nb\nc", "a\nc", "a\nB\nc", "a\nB\nc", "a\nB\nc"),
        ("a\nb", "a\nB", "a\nb\nmore", "a\nb\nmore", "a\nB\nb\nmore"),
        ("a\nb\nc\nd\ne", "A\nb\nX\nd\ne", "a\nb\nY\nd\nE", "A\nb\nY\nd\nE", "A\nb\nX\nY\nd\nE"),
    ],
)
def test_lines_that_touch_are_a_conflict_and_no_resolution_removes_others(
    base: str, theirs: str, yours: str, with_yours: str, both: str
) -> None:
    assert merge_texts(base, theirs, yours, Budget()) == TextMerge(None, with_yours, both)


def test_texts_without_a_known_base_are_combined_by_lines() -> None:
    assert united("a\nX\nc", "a\nY\nc\nd", Budget()) == "a\nX\nY\nc\nd"
    assert united("same", "same", Budget()) == "same"


def test_merged_text_over_the_maximum_length_is_a_conflict() -> None:
    half = "x" * 120
    assert merged("a\nb\nc", f"{half}\nb\nc", f"a\nb\n{half}", name="notes").conflicts


def test_text_too_costly_to_compare_is_one_conflict() -> None:
    """9,990 blank lines, each equal to every other, took 43 s."""
    blank = "\n" * 9_990
    assert merged_text(blank, f"a{blank}", f"{blank}b") == f"a{blank}b"
    assert merge_texts(blank, f"a{blank}", f"c{blank[:-9]}b", Budget()) is None

    base, theirs, yours = (shuffled(seed, separator="\n") for seed in range(3))
    [conflict] = merged(base, theirs, yours, name="notes").conflicts
    assert conflict == Conflict("notes", base, theirs, yours, f"{theirs}\n{yours}")


@given(base=RECORDS, theirs=RECORDS, yours=EDITS)
def test_no_input_disappears_without_a_conflict(
    base: dict[str, str], theirs: dict[str, str], yours: dict[str, str]
) -> None:
    result = merge(base, theirs, yours, BY_LINES, Budget())
    record = saved(theirs, result)
    asked = {conflict.field: conflict for conflict in result.conflicts}

    for name in FIELDS:
        mine = yours.get(name, base[name])
        if name in asked:
            found = asked[name]
            assert (found.base, found.theirs) == (base[name], theirs[name])
            assert name == "notes" or found.yours == mine
            assert mine != base[name] != theirs[name]
            assert record[name] == theirs[name]
        elif mine == base[name]:
            assert record[name] == theirs[name], "a field that was left alone changed"
        elif theirs[name] == base[name]:
            assert record[name] == mine, "a field that only you have changed is not yours"
        elif name == "notes" and mine != theirs[name]:
            assert record[name] == merged_text(base[name], theirs[name], mine)
        else:
            assert record[name] == mine == theirs[name]


@given(base=TEXTS, theirs=TEXTS, yours=TEXTS)
def test_order_of_saving_changes_the_order_of_lines_only(base: str, theirs: str, yours: str) -> None:
    one, other = merged_text(base, theirs, yours), merged_text(base, yours, theirs)
    assert (one is None) == (other is None)
    assert sorted((one or "").split("\n")) == sorted((other or "").split("\n"))


@given(base=TEXTS, theirs=TEXTS, yours=TEXTS)
def test_no_resolution_of_touching_lines_loses_an_inserted_line(base: str, theirs: str, yours: str) -> None:
    found = merge_texts(base, theirs, yours, Budget())
    assert found is not None
    before = set(base.split("\n"))
    assert set(theirs.split("\n")) - before <= set(found.both.split("\n")) | {""}
    assert set(yours.split("\n")) - before <= set(found.both.split("\n")) | {""}
    assert set(yours.split("\n")) - before <= set(found.yours.split("\n")) | {""}


@given(base=TEXTS, yours=TEXTS)
def test_text_changed_by_one_side_is_that_side(base: str, yours: str) -> None:
    assert merged_text(base, base, yours) == yours
    assert merged_text(base, yours, yours) == yours


@given(
    base=st.lists(st.integers(0, 999), min_size=1, max_size=12, unique=True),
    data=st.data(),
)
def test_merge_contains_every_inserted_and_every_untouched_line(base: list[int], data: st.DataObject) -> None:
    """All lines are different, so that each can be identified."""
    sides = [_edited(base, f"{side}{{}}", data) for side in "ty"]
    theirs, yours = ("\n".join(side) for side in sides)
    together = merged_text("\n".join(map(str, base)), theirs, yours)
    if together is None:
        return

    lines = [line for line in together.split("\n") if line]
    for side in sides:
        assert [line for line in lines if not line.isdigit() and line in side] == [
            line for line in side if not line.isdigit()
        ]
    kept = [str(line) for line in base if str(line) in sides[0] and str(line) in sides[1]]
    assert [line for line in lines if line.isdigit()] == kept
    assert is_contained("\n".join(map(str, base)), theirs, together, Budget())
    assert is_contained("\n".join(map(str, base)), yours, together, Budget())


def _edited(base: list[int], name: str, data: st.DataObject) -> list[str]:
    """Return the lines with some deleted and others inserted."""
    lines: list[str] = []
    for number, line in enumerate(base):
        if data.draw(st.booleans()):
            lines.append(str(line))
        if data.draw(st.integers(0, 4)) == 0:
            lines.append(name.format(number))
    return lines


@given(base=RECORDS, theirs=RECORDS, yours=EDITS, chosen=st.data())
def test_conflict_becomes_what_was_chosen_and_nothing_else_changes(
    base: dict[str, str], theirs: dict[str, str], yours: dict[str, str], chosen: st.DataObject
) -> None:
    result = merge(base, theirs, yours, BY_LINES, Budget())
    resolutions = {
        conflict.field: Resolution(chosen.draw(st.sampled_from(CHOICES)), "custom value")
        for conflict in result.conflicts
        if chosen.draw(st.booleans())
    }
    resolutions = {
        conflict.field: resolutions[conflict.field]
        for conflict in result.conflicts
        if conflict.field in resolutions and (conflict.both is not None or resolutions[conflict.field].choice != "both")
    }
    decided = resolve(result, resolutions, frozenset())

    assert {conflict.field for conflict in decided.unresolved} == {
        conflict.field for conflict in result.conflicts if conflict.field not in resolutions
    }
    for conflict in result.conflicts:
        if conflict.field in resolutions:
            value = {**conflict._asdict(), "custom": "custom value"}
            outcome = decided.changes.get(conflict.field, conflict.theirs)
            assert outcome == value[resolutions[conflict.field].choice]
    assert {name: decided.changes[name] for name in result.changes} == result.changes


@given(base=RECORDS, theirs=RECORDS, yours=EDITS)
def test_resolution_of_a_field_that_changed_again_does_not_apply(
    base: dict[str, str], theirs: dict[str, str], yours: dict[str, str]
) -> None:
    result = merge(base, theirs, yours, BY_LINES, Budget())
    resolutions = {conflict.field: Resolution("yours") for conflict in result.conflicts}
    unresolved = resolve(result, resolutions, frozenset(FIELDS)).unresolved

    # Where what was decided is there by now, a second click has sent it again.
    assert unresolved == tuple(conflict for conflict in result.conflicts if conflict.yours != conflict.theirs)
