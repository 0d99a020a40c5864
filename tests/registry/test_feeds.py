"""When feeds are read again, and what is accepted."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard_registry.domain.feeds import Schedule, ShrunkError, check_size, is_stale
from tests.fakes import START

DAY = timedelta(days=1)


@given(st.floats(0, 1), st.integers(0, 200_000))
def test_facts_are_read_again_before_they_are_stale(luck: float, age_seconds: int) -> None:
    age = timedelta(seconds=age_seconds)

    pause = Schedule(ttl=DAY).after_success(age, luck)

    assert pause >= 0
    assert pause == 0 or age.total_seconds() + pause < DAY.total_seconds()


def test_replicas_do_not_ask_all_at_once() -> None:
    schedule = Schedule(ttl=DAY)

    pauses = [schedule.after_success(timedelta(), luck) / 3600 for luck in (0, 0.5, 1)]

    assert pauses == pytest.approx([19.44, 21.6, 23.76])


def test_failures_are_followed_by_ever_longer_pauses_up_to_an_hour() -> None:
    schedule = Schedule(ttl=DAY)

    pauses = [schedule.after_failure(failures, 0.5) for failures in (1, 2, 3, 7, 100)]

    assert pauses == [60, 120, 240, 3600, 3600]


def test_a_short_life_makes_short_pauses() -> None:
    assert Schedule(ttl=timedelta(seconds=5)).after_failure(3, 0.5) == 5


@pytest.mark.parametrize(("count", "before"), [(95, 100), (100, 100), (500, 100), (1, 0)])
def test_a_feed_may_lose_one_in_twenty(count: int, before: int) -> None:
    check_size(count, before)


@pytest.mark.parametrize(("count", "before"), [(94, 100), (0, 1), (3985, 4195)])
def test_a_feed_that_lost_more_is_refused(count: int, before: int) -> None:
    with pytest.raises(ShrunkError, match=f"names {count} entries, the last good copy {before}"):
        check_size(count, before)


def test_exactly_the_time_to_live_is_stale() -> None:
    assert is_stale(START - DAY, START, DAY)
    assert not is_stale(START - DAY + timedelta(microseconds=1), START, DAY)
