"""Ids and the clocks that they come from."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import grpc_testing  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from steelyard_common.clock import SystemClock
from steelyard_common.ids import new_id
from steelyard_common.request_id import accept_or_mint
from tests.fakes import START, FakeClock

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
TIMES = st.timedeltas(timedelta(0), timedelta(days=200 * 365)).map(lambda age: EPOCH + age)


def test_an_id_is_a_prefix_and_a_ulid() -> None:
    # Example of the ULID specification: 2016-07-30T23:54:10.259Z.
    clock = FakeClock(datetime(2016, 7, 30, 23, 54, 10, 259000, tzinfo=UTC))

    made = new_id("dec", clock=clock, random=lambda count: b"\0" * count)

    assert made == "dec_01arz3ndek" + "0" * 16


def test_ids_are_unique() -> None:
    assert len({new_id("req") for _ in range(1000)}) == 1000


@given(TIMES, st.binary(min_size=10, max_size=10))
def test_an_id_holds_its_time_and_randomness(time: datetime, random: bytes) -> None:
    made = new_id("x", clock=FakeClock(time), random=lambda _: random)

    number = 0
    for letter in made.removeprefix("x_"):
        number = number * 32 + CROCKFORD.index(letter)
    assert number & (2**80 - 1) == int.from_bytes(random)
    assert number >> 80 == (time - EPOCH) // MILLISECOND


@given(TIMES, st.integers(1, 10**12))
def test_later_ids_sort_later(early: datetime, later_by_milliseconds: int) -> None:
    late = early + later_by_milliseconds * MILLISECOND

    first = new_id("x", clock=FakeClock(early), random=lambda _: b"\xff" * 10)
    second = new_id("x", clock=FakeClock(late), random=lambda _: b"\0" * 10)

    assert first < second


@given(st.text())
def test_a_request_id_never_holds_anything_odd(candidate: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._:\-_]{1,128}", accept_or_mint(candidate))


def test_the_system_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()

    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


async def test_the_fake_clock_wakes_sleepers_in_order() -> None:
    clock = FakeClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper(name, s)) for name, s in [("b", 5), ("a", 2), ("c", 9)]]
    await clock.wait_for_sleeper()
    await asyncio.sleep(0)
    await clock.advance(6)

    assert woken == [("a", 2), ("b", 5)]
    assert (clock.now(), clock.sleeper_count) == (START + timedelta(seconds=6), 1)
    await clock.advance(6)
    await asyncio.gather(*tasks)


async def test_the_fake_clock_keeps_time_like_the_one_of_grpc_testing() -> None:
    reference = grpc_testing.strict_fake_time(0.0)
    clock = FakeClock()
    for seconds in (0.5, 3.0, 60.0):
        reference.sleep_for(seconds)
        await clock.advance(seconds)

        assert clock.monotonic() == reference.time()
