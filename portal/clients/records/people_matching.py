"""Match people in an imported file to the client's existing people. Pure.

People have no unique key. A person matches at most one stored person, by the first of these steps that finds one:
1. all columns are equal;
2. the National Insurance numbers are equal, ignoring blanks and case;
3. names and date of birth are equal, unless both have a National Insurance number (which then differ).
A person without a match is new.

After an import each row has a stored person with equal columns. Step 1 finds all of them in the next import, which
therefore changes nothing, and two equal people stay two.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from portal.clients.records.entries import PERSON
from portal.driver.turns import in_turns

Person = Mapping[str, Any]
COLUMNS = tuple(PERSON.labels)


def match_people(given: Sequence[Person], stored: Sequence[Person]) -> list[tuple[Person, Person | None]]:
    """Return each given person of one client with the matching stored one (None: new), in the given order."""
    matches: dict[int, Person] = {}
    free = list(stored)
    for key_of in (_identical_key, _ni_number_key, _name_and_birth_key):
        free = _match_by(key_of, given, free, matches)
    return [(person, matches.get(position)) for position, person in enumerate(given)]


def is_same_person(one: Person, other: Person) -> bool:
    """Return whether the people match by National Insurance number, or by names and date of birth (steps 2 and 3)."""
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
    """Add matches to `matches` (position of the given person → stored one); return the stored people that are left."""
    candidates: dict[Hashable | None, list[Person]] = defaultdict(list)
    for person in free:
        candidates[key_of(person)].append(person)
    unknowable = candidates.pop(None, [])
    for position, person in in_turns(enumerate(given)):
        if position in matches:
            continue
        same_key = candidates.get(key_of(person), [])
        index = next((i for i, other in enumerate(same_key) if not _contradict(person, other)), None)
        if index is not None:
            matches[position] = same_key.pop(index)
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
