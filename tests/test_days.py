"""Test reading of typed days: the day comes first, and nothing is guessed."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import dates

TABLE = json.loads((Path(__file__).parent / "days.json").read_text())


@pytest.mark.parametrize(("text", "day"), TABLE["understood"].items())
def test_typed_day_is_read(text: str, day: str) -> None:
    assert dates.read(text) == date.fromisoformat(day)


@pytest.mark.parametrize(("text", "problem"), TABLE["refused"].items())
def test_text_that_is_not_a_day_is_rejected_with_its_reason(text: str, problem: str) -> None:
    with pytest.raises(dates.UnreadableDay) as refused:
        dates.read(text)
    assert problem in str(refused.value)
    assert str(refused.value).endswith(".")


@given(st.dates())
def test_written_day_is_read_as_the_same_day(day: date) -> None:
    assert dates.read(dates.written(day)) == dates.read(day.isoformat()) == day
