"""Parts of the week."""

import pytest

from steelyard_pricing.domain.rates import TimeWindow
from steelyard_pricing.domain.week import contains, windows_between

WORKDAYS = [1, 2, 3, 4, 5]
TUESDAY = 1440


def test_a_span_that_passes_midnight_is_cut_there() -> None:
    windows = windows_between([(1320, 360)], [1, 2, 3, 4, 5, 6, 7])

    assert windows == (TimeWindow((), 0, 360), TimeWindow((), 1320, 1440))


def test_weekdays_of_a_zone_ahead_begin_on_the_day_before_in_utc() -> None:
    windows = windows_between([(600, 1440)], WORKDAYS, weekday_offset_minutes=480)

    assert set(windows) == {
        TimeWindow((1, 2, 3, 4), 600, 1440),
        TimeWindow((5,), 600, 960),
        TimeWindow((7,), 960, 1440),
    }


def test_weekdays_of_a_zone_behind_end_on_the_day_after_in_utc() -> None:
    windows = windows_between([(0, 1440)], [1], weekday_offset_minutes=-300)

    assert set(windows) == {TimeWindow((1,), 300, 1440), TimeWindow((2,), 0, 300)}


@pytest.mark.parametrize(
    ("minute", "is_inside"),
    [(TUESDAY + 59, False), (TUESDAY + 60, True), (TUESDAY + 119, True), (TUESDAY + 120, False)],
)
def test_a_window_ends_before_its_last_minute(minute: int, *, is_inside: bool) -> None:
    assert contains([TimeWindow((2,), 60, 120)], minute) is is_inside


def test_a_window_without_weekdays_is_every_day() -> None:
    windows = [TimeWindow((), 60, 120)]

    assert all(contains(windows, day * 1440 + 60) for day in range(7))
