"""Say what matched a search, with the matching parts of each text. Pure.

Texts are lists of pieces: those at odd places matched. ["", "Whit", "more"] is Whitmore, found by "whit".
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from portal.clients.search.terms import Search, Term, leading_zeros, without_zeros

Pieces = list[str]
Range = tuple[int, int]
MAX_PLACES = 4  # of one term in one text
MAX_SHOWN = 3


@dataclass(frozen=True)
class Match:
    """A text of the client other than its name: "Person:", then the pieces of "Margaret Whitmore"."""

    label: str
    pieces: Pieces


@dataclass(frozen=True)
class Evidence:
    """The pieces of the client's name, and at most MAX_SHOWN other texts that matched."""

    name: Pieces
    matches: list[Match]


@dataclass(frozen=True)
class _Text:
    label: str
    text: str
    find: Callable[[str, Term], list[Range]]


def explain(client: Any, search: Search) -> Evidence:
    """Say where each term is in a row with the name, the reference and `query.evidence_columns`.

    Each term is shown once, in the first text that contains it, the name before all others.
    """
    texts = list(_texts(client))
    found = [_first(texts, term) for term in search.terms]
    if None in found and search.whole:
        found = [_first(texts, search.whole)]
    ranges: dict[int, list[Range]] = {}
    for place, places in filter(None, found):
        ranges.setdefault(place, []).extend(places)
    others = sorted(place for place in ranges if place)[:MAX_SHOWN]
    return Evidence(
        pieces_of(client.name, ranges.get(0, [])),
        [Match(texts[place].label, pieces_of(texts[place].text, ranges[place])) for place in others],
    )


def pieces_of(text: str, ranges: Sequence[Range]) -> Pieces:
    """Divide the text at the ranges, which may overlap."""
    pieces, at = [], 0
    for start, end in _merged(ranges):
        pieces += [text[at:start], text[start:end]]
        at = end
    return [*pieces, text[at:]]


def _texts(client: Any) -> Iterator[_Text]:
    yield _Text("", client.name, _in_text)
    yield _Text("Reference", client.client_ref, _in_reference)
    for name, known_as, ni_number in client.matching_people or []:
        yield _Text("Person:", name, _in_text)
        yield _Text("Known as", known_as, _in_text)
        yield _Text("NI number", ni_number, _in_ni_number)
    yield _Text("Postcode", client.postcode or "", _in_postcode)
    for plan_number in client.matching_plans or []:
        yield _Text("Plan", plan_number, _in_plan)
    yield _Text("Phone", client.phone or "", _in_phone)
    yield _Text("Email", client.email or "", _in_email)


def _first(texts: Sequence[_Text], term: Term) -> tuple[int, list[Range]] | None:
    for place, each in enumerate(texts):
        if ranges := each.find(each.text, term):
            return place, ranges
    return None


def _in_text(text: str, term: Term) -> list[Range]:
    """Find the term anywhere, or a short term at the start of a word."""
    places = _places(text, term.text, str.lower)
    if term.is_indexed or not term.is_word:
        return places
    return [(start, end) for start, end in places if start == 0 or text[start - 1] == " "]


def _in_email(text: str, term: Term) -> list[Range]:
    return _places(text, term.text, str.lower) if term.is_indexed else []


def _in_reference(text: str, term: Term) -> list[Range]:
    if (ranges := _in_text(text, term)) or not term.reference:
        return ranges
    plain, places = _kept(text, _letter_or_digit)
    zeros = leading_zeros(plain)
    kept = [place for at, place in enumerate(places) if at not in zeros]
    form = without_zeros(plain)
    if term.has_leading_zeros and form != term.reference:
        return []
    return _ranges(form, kept, term.reference)


def _in_postcode(text: str, term: Term) -> list[Range]:
    return _in_text(text, term) or _places(text, term.text, lambda letter: letter.lower().replace(" ", ""))


def _in_plan(text: str, term: Term) -> list[Range]:
    return _places(text, term.compact, _letter_or_digit)


def _in_phone(text: str, term: Term) -> list[Range]:
    return _places(text, term.phone, lambda letter: letter if "0" <= letter <= "9" else "")


def _in_ni_number(text: str, term: Term) -> list[Range]:
    is_same = term.ni_number and term.ni_number == text.replace(" ", "").upper()
    return [(0, len(text))] if is_same else []


def _places(text: str, wanted: str, keep: Callable[[str], str]) -> list[Range]:
    """Return where `wanted` is in the text, of which `keep` returns each letter as it is compared, or ''."""
    return _ranges(*_kept(text, keep), wanted) if wanted else []


def _kept(text: str, keep: Callable[[str], str]) -> tuple[str, list[int]]:
    """Return the letters that are compared, and the place of each in the text."""
    kept = [(letter, place) for place, original in enumerate(text) for letter in keep(original)]
    return "".join(letter for letter, _ in kept), [place for _, place in kept]


def _ranges(compared: str, places: Sequence[int], wanted: str) -> list[Range]:
    found = [match.start() for match in re.finditer(re.escape(wanted), compared)][:MAX_PLACES]
    return [(places[start], places[start + len(wanted) - 1] + 1) for start in found]


def _letter_or_digit(letter: str) -> str:
    return letter.lower() if letter.isascii() and letter.isalnum() else ""


def _merged(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
