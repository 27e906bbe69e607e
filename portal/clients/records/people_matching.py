"""Who in a file is who of a client's people in the database. Pure; called by the importer and same_parts.

People have no number of their own. In this order, each person being taken once:
1. the same in every column: nothing to do;
2. the same National Insurance number, whatever its blanks and case;
3. the same names and date of birth, unless both have a National Insurance number (which then differ);
4. nobody: a new person.
After an import each row of the file has a person of its own who is the same in every column, so step 1 finds
them all the next time: importing twice is importing once, and two people who are equal stay two.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from portal.clients.records.entries import PERSON

Person = Mapping[str, Any]
COLUMNS = tuple(PERSON.labels)


def match_people(given: Sequence[Person], kept: Sequence[Person]) -> list[tuple[Person, Person | None]]:
    """Each given person of one client with the kept one they are, or None for a new one; in the order given."""
    matches: dict[int, Person] = {}
    free = list(kept)
    for key_of in (_identical_key, _ni_number_key, _name_and_birth_key):
        free = _match_by(key_of, given, free, matches)
    return [(person, matches.get(place)) for place, person in enumerate(given)]


def is_same_person(one: Person, other: Person) -> bool:
    """By National Insurance number, or by names and date of birth, as steps 2 and 3."""
    number = _ni_number_key(one)
    if number is not None and number == _ni_number_key(other):
        return True
    return _name_and_birth_key(one) == _name_and_birth_key(other) and not _contradict(one, other)


def _match_by(
    key_of: Callable[[Person], Hashable | None],
    given: Sequence[Person],
    free: Sequence[Person],
    matches: dict[int, Person],
) -> list[Person]:
    """Add to `matches` (place among the given → kept person); return those of `free` who still are."""
    candidates: dict[Hashable | None, list[Person]] = defaultdict(list)
    for person in free:
        candidates[key_of(person)].append(person)
    unknowable = candidates.pop(None, [])
    for place, person in enumerate(given):
        if place in matches:
            continue
        same_key = candidates.get(key_of(person), [])
        index = next((i for i, other in enumerate(same_key) if not _contradict(person, other)), None)
        if index is not None:
            matches[place] = same_key.pop(index)
    return unknowable + [person for left in candidates.values() for person in left]


def _identical_key(person: Person) -> Hashable:
    return tuple(person[column] for column in COLUMNS)


def _ni_number_key(person: Person) -> str | None:
    return "".join(person["ni_number"].split()).upper() or None


def _name_and_birth_key(person: Person) -> Hashable:
    return (person["first_name"].casefold(), person["last_name"].casefold(), person["date_of_birth"])


def _contradict(one: Person, other: Person) -> bool:
    numbers = (_ni_number_key(one), _ni_number_key(other))
    return None not in numbers and numbers[0] != numbers[1]
