"""Find the fewest changes between sequences, within a budget."""

import random
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings, target
from hypothesis import strategies as st

from portal.editing.merge.budget import MAX_STEPS, MAX_STEPS_PER_COMPARISON, Budget, TooCostly
from portal.editing.merge.diff import MAX_TOKENS, Change, changes_between
from portal.editing.merge.inline_diff import inline_diff
from portal.editing.merge.texts import merge_texts
from tests.support.hostile_texts import LONGEST, blocks, shuffled
from tests.support.volume import volume

ITEMS = st.lists(st.sampled_from("abcd"), max_size=9)
# What the budget stands for takes some 0.15 s with reading and cutting the texts; the rest is for slower machines.
MAX_CPU_SECONDS = 0.6


@given(old=ITEMS, new=ITEMS)
def test_changes_lead_from_old_to_new_and_are_the_fewest(old: list[str], new: list[str]) -> None:
    found = changes_between(old, new, Budget())

    made = list(old)
    for change in reversed(found):
        made[change.start : change.end] = new[change.first : change.last]
    assert made == new
    assert len(old) - sum(change.end - change.start for change in found) == longest_common_length(old, new)
    for one, other in pairwise(found):
        assert one.end < other.start
        assert one.last < other.first


def longest_common_length(old: list[str], new: list[str]) -> int:
    """Return the length of the longest common subsequence by dynamic programming."""
    row = [0] * (len(new) + 1)
    for item in old:
        before = row
        row = [0]
        for j, other in enumerate(new):
            row.append(before[j] + 1 if item == other else max(before[j + 1], row[j]))
    return row[-1]


def test_sequences_without_common_items_cost_no_search() -> None:
    old, new = [f"a{n}" for n in range(MAX_TOKENS)], [f"b{n}" for n in range(MAX_TOKENS)]
    assert changes_between(old, new, Budget(2 * MAX_TOKENS + 1)) == [Change(0, MAX_TOKENS, 0, MAX_TOKENS)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["x"] + ["a"] * MAX_TOKENS, ["y"] + ["a"] * (MAX_TOKENS - 1) + ["z"]),
        (shuffled(0).split(), shuffled(1).split()),
    ],
    ids=["too long", "too different"],
)
def test_costly_comparison_is_refused(old: list[str], new: list[str]) -> None:
    with pytest.raises(TooCostly):
        changes_between(old, new, Budget())


def test_comparisons_share_one_budget() -> None:
    """One comparison alone does not use all of it."""
    budget = Budget()
    old, new = shuffled(0).split(), shuffled(1).split()
    with pytest.raises(TooCostly):
        changes_between(old, new, budget)
    assert changes_between(["a"], ["b"], budget) == [Change(0, 1, 0, 1)]

    for _ in range(MAX_STEPS // MAX_STEPS_PER_COMPARISON):
        with pytest.raises(TooCostly):
            changes_between(old, new, budget)
    with pytest.raises(TooCostly):
        changes_between(["a"], ["b"], budget)


@settings(max_examples=volume(20, 50))
@given(
    seed=st.integers(0, 2**32),
    alphabet=st.integers(1, 400),
    word=st.integers(1, 4),
    separators=st.sampled_from([" ", "\n", " \n", "  \n"]),
    kept=st.floats(0, 1),
    moved=st.integers(0, 400),
)
def test_no_text_makes_a_request_exceed_its_budget(
    seed: int, alphabet: int, word: int, separators: str, kept: float, moved: int
) -> None:
    """Hypothesis searches for the most expensive texts of the size of a record's field."""
    made = random.Random(seed)  # noqa: S311 – texts, not secrets
    tokens = [f"{made.randrange(16**word):x}{made.choice(separators)}" for _ in range(alphabet)]
    base = made.choices(tokens, k=LONGEST // (word + 1))
    theirs, yours = (changed(base, tokens, kept, moved, made) for _ in range(2))

    cpu_seconds = cost(*("".join(text)[:LONGEST] for text in (base, theirs, yours)))
    target(cpu_seconds)
    assert cpu_seconds < MAX_CPU_SECONDS


def changed(base: list[str], tokens: list[str], kept: float, moved: int, made: random.Random) -> list[str]:
    others = made.choices(tokens, k=len(base))
    text = [each if made.random() < kept else other for each, other in zip(base, others, strict=True)]
    return text[moved:] + text[:moved]


@pytest.mark.parametrize("texts", [blocks, shuffled])
def test_hostile_texts_stay_within_the_budget(texts: Callable[[int], str]) -> None:
    assert cost(texts(0), texts(1), texts(2)) < MAX_CPU_SECONDS


def cost(base: str, theirs: str, yours: str) -> float:
    """Return the cost of the most expensive request: merge two fields, then compare each with both sides."""
    budget, began = Budget(), time.process_time()
    for _ in range(2):
        merge_texts(base, theirs, yours, budget)
    for _ in range(2):
        for text in (theirs, yours):
            inline_diff(base, text, budget)
    return time.process_time() - began
