"""Match people in a file to stored people, who have no unique key."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from portal.clients.records.people_matching import COLUMNS, match_people

BORN = date(1961, 2, 3)


def person(**values: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {**dict.fromkeys(COLUMNS, ""), "first_name": "Ruth", "last_name": "Whitmore"}
    return {**empty, "date_of_birth": None, **values}


def matched(given: list[dict[str, Any]], stored: list[dict[str, Any]]) -> list[Any]:
    """Return the id of the match of each given person; None for a new one."""
    stored = [{"id": number, **someone} for number, someone in enumerate(stored)]
    return [found and found["id"] for _, found in match_people(given, stored)]


def test_equal_people_are_each_matched_once() -> None:
    assert matched([person(), person(), person()], [person(), person()]) == [0, 1, None]


def test_people_with_equal_national_insurance_numbers_match_despite_other_names() -> None:
    stored = [person(), person(ni_number="QQ123456C", last_name="Reed")]
    assert matched([person(ni_number="qq 12 34 56 c")], stored) == [1]


def test_names_and_birth_date_match_a_person_without_a_number() -> None:
    assert matched([person(date_of_birth=BORN, ni_number="QQ123456C")], [person(date_of_birth=BORN)]) == [0]


def test_people_with_different_numbers_do_not_match_despite_equal_names() -> None:
    stored = [person(date_of_birth=BORN, ni_number="QQ123456C")]
    assert matched([person(date_of_birth=BORN, ni_number="AB654321D")], stored) == [None]


def test_people_with_equal_names_and_different_births_do_not_match() -> None:
    assert matched([person(date_of_birth=BORN)], [person(date_of_birth=date(1990, 1, 1))]) == [None]


def test_number_matches_a_person_without_one_before_the_others_take_that_person() -> None:
    stored = [person(ni_number="QQ123456C"), person(title="Mrs")]
    assert matched([person(title="Ms"), person(ni_number="AB654321D")], stored) == [0, 1]


def test_equal_person_is_preferred_to_one_with_the_same_number() -> None:
    number = {"ni_number": "QQ123456C"}
    stored = [person(**number, title="Ms"), person(**number, title="Mrs")]
    assert matched([person(**number, title="Mrs"), person(**number, title="Dr")], stored) == [1, 0]


people = st.lists(
    st.builds(
        person,
        title=st.sampled_from(["", "Mr"]),
        first_name=st.sampled_from(["Ruth", "RUTH", "Owen"]),
        date_of_birth=st.sampled_from([None, BORN]),
        ni_number=st.sampled_from(["", "QQ123456C", "qq 123456 c", "AB654321D"]),
    ),
    max_size=6,
)


@given(people, people)
def test_each_stored_person_matches_once_and_a_second_import_matches_all(given: list[Any], kept: list[Any]) -> None:
    stored = [{"id": number, **someone} for number, someone in enumerate(kept)]
    matches = match_people(given, stored)
    found = [kept_one["id"] for _, kept_one in matches if kept_one]
    assert [someone for someone, _ in matches] == given
    assert len(found) == len(set(found))

    untouched = [someone for someone in stored if someone["id"] not in found]
    afterwards = [{"id": 100 + number, **someone} for number, someone in enumerate(given)] + untouched
    assert all(someone.items() <= again.items() for someone, again in match_people(given, afterwards) if again)
    assert all(again for _, again in match_people(given, afterwards))
