"""Texts that take as long as possible to compare, within the length limit of a record."""

import string
from itertools import product

LONGEST = 10_000
WORDS = ["".join(pair) for pair in product(string.ascii_letters, repeat=2)]


def blocks(seed: int) -> str:
    """13 lines that stay between 13 blocks of 245 two-letter words; two seeds have no word in common."""
    words = " ".join(WORDS[seed * 245 : (seed + 1) * 245])
    return "\n".join(f"line {n} stays\n{words}" for n in range(13))


def shuffled(seed: int, alphabet: str = "abcdefgh", separator: str = " ") -> str:
    """Return one-letter words of which nearly all occur in the text of another seed, at other places."""
    state, letters = seed * 2 + 1, list[str]()
    while len(letters) < LONGEST // 2:
        state = state * 6_364_136_223_846_793_005 % 2**64 + 1_442_695_040_888_963_407
        letters.append(alphabet[(state >> 33) % len(alphabet)])
    return separator.join(letters)
