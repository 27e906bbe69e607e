"""Read a search text: which terms a client must match, and in which forms each is compared. Pure.

The forms equal those of the indexes: REFERENCE_FORM, PHONE_FORM, PLAN_FORM and NI_FORM in records/models.py.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from portal.text_input import search_words

MAX_SEARCH_LENGTH = 100
# Each term is one more search of all names.
MAX_TERMS = 6
MIN_INDEXED_LENGTH = 3  # of a trigram

_NI_NUMBER = re.compile(r"[a-z]{2}[0-9]{6}[a-d]", re.ASCII)
# Numbers that people write in groups are one term: an NI number, and a telephone number from its 0 or country code on.
_GROUPED = re.compile(
    r"(?<!\S)(?:[a-z]{2}[ -]?(?:[0-9]{2}[ -]?){3}[a-d]|(?:\+|\(\+|\(?0)[0-9 ()./-]*[0-9]{2})(?!\S)|\S+", re.ASCII
)
_PHONE = re.compile(r"[0-9()+./ -]*", re.ASCII)
_LEADING_ZEROS = re.compile("(?:^|(?<=[a-z]))0+(?=[0-9])")
_RUN = re.compile(r"[^\W_]{3}")


@dataclass(frozen=True)
class Term:
    """A word, or a number written in groups, in lower case."""

    text: str

    @cached_property
    def is_indexed(self) -> bool:
        """Whether a trigram index finds the text anywhere. Shorter texts are searched for as beginnings of words."""
        return bool(_RUN.search(self.text))

    @cached_property
    def is_word(self) -> bool:
        return any(letter.isalnum() for letter in self.text)

    @cached_property
    def compact(self) -> str:
        """Return the ASCII letters and digits, as plan numbers are compared, or '' without a digit or if too short."""
        letters = re.sub("[^a-z0-9]", "", self.text)
        return _if_long_enough(letters) if re.search("[0-9]", letters) else ""

    @cached_property
    def reference(self) -> str:
        """Return the compact form without leading zeros, as references are compared, or ''."""
        return _if_long_enough(without_zeros(self.compact))

    @cached_property
    def has_leading_zeros(self) -> bool:
        """Whether the reference was typed with zeros, so that it is a whole one: kg00051 does not mean KG00510."""
        return bool(leading_zeros(self.compact))

    @cached_property
    def phone(self) -> str:
        """Return the digits without 0 or country code, as telephone numbers are compared, or ''."""
        if not _PHONE.fullmatch(self.text):
            return ""
        digits = re.sub("[^0-9]", "", self.text)
        is_international = self.text.lstrip("( ").startswith(("+44", "0044")) or len(digits) > 11
        return _if_long_enough(re.sub("^(0044|44)?0?" if is_international else "^0", "", digits))

    @cached_property
    def ni_number(self) -> str:
        """Return the National Insurance number, if the term is a whole one, or ''."""
        return self.compact.upper() if _NI_NUMBER.fullmatch(self.compact) else ""


@dataclass(frozen=True)
class Search:
    """What a client must match: each of the terms, or `whole`, a reference or plan number with blanks."""

    terms: tuple[Term, ...] = ()
    whole: Term | None = None
    is_shortened: bool = False

    def __bool__(self) -> bool:
        return bool(self.terms)


def parse_search(text: str) -> Search:
    """Read a search text of any content. Longer texts and further words are ignored."""
    text = search_words(text, MAX_SEARCH_LENGTH).lower()
    terms = list(dict.fromkeys(Term(" ".join(found.split())) for found in _GROUPED.findall(text)))
    words = [term for term in terms if term.is_word] or ([Term(text)] if text else [])
    whole = Term(text) if len(words) > 1 and re.search("[0-9]", text) else None
    return Search(tuple(words[:MAX_TERMS]), whole, len(words) > MAX_TERMS)


def without_zeros(compact: str) -> str:
    """Return a compact reference without the leading zeros of its numbers: kg00051 becomes kg51."""
    return _LEADING_ZEROS.sub("", compact)


def leading_zeros(compact: str) -> set[int]:
    """Return the places of the zeros that `without_zeros` leaves out."""
    return {place for found in _LEADING_ZEROS.finditer(compact) for place in range(*found.span())}


def _if_long_enough(form: str) -> str:
    return form if len(form) >= MIN_INDEXED_LENGTH else ""
