"""Match people in an imported file to the client's existing people. Pure.

People have no unique key. A person matches at most one stored person, by the first of these steps that finds one:
1. all columns are equal;
2. the National Insurance numbers are equal, ignoring blanks and case;
3. names and date of birth are equal, and only the person of the file has a number;
4. names and date of birth are equal, and the person of the file has no number.
A person without a match is new. Each step looks up the people by a key, so the time grows with their number only.

After an import each row has a stored person with equal columns. Step 1 finds all of them in the next import, which
therefore changes nothing, and two equal people stay two.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from portal.clients.records.entries import PERSON
from portal.driver.turns import in_turns

Person = Mapping[str, Any]
COLUMNS = tuple(PERSON.labels)


def match_people(given: Sequence[Person], stored: Sequence[Person]) -> list[tuple[Person, Person | None]]:
    """Return each given person of one client with the matching stored one (None: new), in the given order."""
    matches: dict[int, int] = {}  # the position of the given person → that of the stored one
    for key_of_given, key_of_stored in STEPS:
        free: dict[Hashable, deque[int]] = defaultdict(deque)
        taken = set(matches.values())
        for position, person in in_turns(enumerate(stored)):
            if position not in taken:
                free[key_of_stored(person)].append(position)
        for position, person in in_turns(enumerate(given)):
            key = key_of_given(person)
            if position not in matches and key is not None and free.get(key):
                matches[position] = free[key].popleft()
    return [
        (person, stored[matches[position]] if position in matches else None) for position, person in enumerate(given)
    ]


def is_same_person(one: Person, other: Person) -> bool:
    """Return whether the people match by National Insurance number, or by names and date of birth (steps 2 to 4)."""
    number = _ni_number_key(one)
    if number is not None and number == _ni_number_key(other):
        return True
    return _name_and_birth_key(one) == _name_and_birth_key(other) and not _contradict(one, other)


def _identical_key(person: Person) -> Hashable:
    return tuple(person[column] for column in COLUMNS)


def _ni_number_key(person: Person) -> str | None:
    return "".join(person["ni_number"].split()).upper() or None


def _name_and_birth_key(person: Person) -> Hashable:
    return (person["first_name"].casefold(), person["last_name"].casefold(), person["date_of_birth"])


def _names_if_numbered(person: Person) -> Hashable | None:
    return _name_and_birth_key(person) if _ni_number_key(person) else None


def _names_if_unnumbered(person: Person) -> Hashable | None:
    return None if _ni_number_key(person) else _name_and_birth_key(person)


def _contradict(one: Person, other: Person) -> bool:
    numbers = (_ni_number_key(one), _ni_number_key(other))
    return None not in numbers and numbers[0] != numbers[1]


Key = Callable[[Person], Hashable | None]
# The keys of the given and the stored people. Once step 2 is done, no two people with equal numbers are both free.
STEPS: tuple[tuple[Key, Key], ...] = (
    (_identical_key, _identical_key),
    (_ni_number_key, _ni_number_key),
    (_names_if_numbered, _names_if_unnumbered),
    (_names_if_unnumbered, _name_and_birth_key),
)
