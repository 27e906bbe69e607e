"""Decide in portal.live.schedule when a page is read. Time is an argument."""

from portal.live.schedule import COALESCE_SECONDS, MAX_READ_INTERVAL_SECONDS, Schedule

NEVER = float("inf")


def read(schedule: Schedule, now: float, changes_in_seconds: float = NEVER) -> list[str]:
    """Read the due pages, as the hub does."""
    due = schedule.take_due(now, 100)
    for page in due:
        schedule.mark_read(page, now, changes_in_seconds)
    return due


def test_changed_page_is_due_at_once() -> None:
    schedule = Schedule()
    schedule.mark_changed("client-1", 5.0)
    assert schedule.next_due() == 5.0
    assert read(schedule, 5.0) == ["client-1"]


def test_changes_soon_after_a_reading_share_one_a_tenth_of_a_second_later() -> None:
    schedule = Schedule()
    schedule.mark_changed("client-1", 5.0)
    read(schedule, 5.0)
    for at in (5.01, 5.02, 5.03):
        schedule.mark_changed("client-1", at)

    assert read(schedule, 5.09) == []
    assert schedule.next_due() == 5.0 + COALESCE_SECONDS
    assert read(schedule, 5.1) == ["client-1"]
    assert read(schedule, 5.3) == []


def test_page_does_not_wait_for_another() -> None:
    schedule = Schedule()
    schedule.mark_changed("client-1", 5.0)
    read(schedule, 5.0)
    schedule.mark_changed("client-1", 5.01)
    schedule.mark_changed("client-2", 5.02)
    assert read(schedule, 5.02) == ["client-2"]


def test_page_is_read_at_the_regular_interval_without_a_change() -> None:
    schedule = Schedule()
    schedule.mark_changed("client-1", 0.0)
    read(schedule, 0.0)
    assert read(schedule, MAX_READ_INTERVAL_SECONDS - 0.01) == []
    assert read(schedule, MAX_READ_INTERVAL_SECONDS) == ["client-1"]


def test_page_is_read_when_its_roster_changes_by_itself() -> None:
    schedule = Schedule()
    schedule.mark_changed("client-1", 0.0)
    read(schedule, 0.0, changes_in_seconds=7)
    assert read(schedule, 6.9) == []
    assert read(schedule, 7.0) == ["client-1"]


def test_change_during_a_reading_is_not_lost() -> None:
    schedule = Schedule()
    schedule.mark_changed("client-1", 5.0)
    assert schedule.take_due(5.0, 100) == ["client-1"]
    schedule.mark_changed("client-1", 5.005)
    schedule.mark_read("client-1", 5.01, NEVER)

    assert read(schedule, 5.2) == ["client-1"]


def test_page_without_streams_is_not_due() -> None:
    schedule = Schedule()
    schedule.mark_changed("client-1", 5.0)
    schedule.remove("client-1")
    assert read(schedule, 100.0) == []
    assert schedule.next_due() == NEVER


def test_number_of_due_pages_is_limited() -> None:
    schedule = Schedule()
    for number in range(5):
        schedule.mark_changed(f"client-{number}", 5.0)
    assert len(schedule.take_due(5.0, 3)) == 3
    assert len(schedule.take_due(5.0, 3)) == 2
