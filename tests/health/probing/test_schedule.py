"""When probes are due."""

import pytest

from steelyard_health.domain.outcome import WINDOW_SECONDS, Result
from steelyard_health.domain.probing import (
    ENOUGH_OUTCOMES,
    MAX_WAIT_SECONDS,
    TRAFFIC_SECONDS,
    USELESS_SECONDS,
    ProbeSchedule,
)
from tests.fakes import FakeClock
from tests.health.probing.world import INTERVAL, FakeSubjects

OFFER = "acme/large"
PROVIDERS = ("acme", "other")


class Scheduling:
    """A schedule with the subjects and the clock that it is asked about."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.subjects = FakeSubjects(clock)
        self.schedule = ProbeSchedule(INTERVAL)

    @property
    def providers(self) -> list[str]:
        return self.schedule.providers_due(self.subjects, PROVIDERS, self.clock.monotonic())

    @property
    def offers(self) -> list[str]:
        return self.schedule.offers_due(self.subjects, PROVIDERS, self.clock.monotonic())

    def probed(self, name: str, result: Result, wait_seconds: float | None = None) -> None:
        """Note a probe that took no time."""
        now = self.clock.monotonic()
        self.schedule.note(name, result, began_at=now, now=now, wait_seconds=wait_seconds)


@pytest.fixture
def one(clock: FakeClock) -> Scheduling:
    return Scheduling(clock)


def test_who_is_not_used_is_not_probed(one: Scheduling) -> None:
    assert (one.providers, one.offers) == ([], [])


def test_thin_traffic_makes_a_free_probe_due_and_enough_none(one: Scheduling) -> None:
    one.subjects.call(OFFER, ENOUGH_OUTCOMES - 1)
    assert one.providers == ["acme"]

    one.subjects.call(OFFER)
    assert one.providers == []


async def test_a_provider_is_worth_it_for_an_hour_after_its_last_call(one: Scheduling) -> None:
    one.subjects.call(OFFER)
    assert one.providers == ["acme"]

    await one.clock.advance(TRAFFIC_SECONDS - 1)
    assert one.providers == ["acme"]

    await one.clock.advance(1)
    assert one.providers == []


async def test_probes_do_not_keep_a_provider_in_use(one: Scheduling) -> None:
    one.subjects.call(OFFER)
    probes = 0
    for _ in range(240):
        if one.providers:
            one.probed("acme", Result.SUCCESS)
            probes += 1
        await one.clock.advance(INTERVAL)

    # The call was last seen before it left the window, and is worth it for an hour after that.
    assert probes == (WINDOW_SECONDS - INTERVAL + TRAFFIC_SECONDS) // INTERVAL


async def test_probes_are_no_traffic_that_would_do_instead_of_them(one: Scheduling) -> None:
    one.subjects.half_opens(OFFER)
    for _ in range(20):
        assert one.providers == ["acme"]
        assert one.offers == [OFFER]
        one.probed("acme", Result.SUCCESS)
        one.probed(OFFER, Result.SUCCESS)
        await one.clock.advance(INTERVAL)


async def test_callers_count_beside_probes(one: Scheduling) -> None:
    one.subjects.half_opens(OFFER)
    one.probed("acme", Result.SUCCESS)
    one.probed(OFFER, Result.SERVER_ERROR)
    one.subjects.call(OFFER, ENOUGH_OUTCOMES)
    await one.clock.advance(INTERVAL)

    assert (one.providers, one.offers) == ([], [])


def test_a_half_open_circuit_makes_both_kinds_due(one: Scheduling) -> None:
    one.subjects.half_opens(OFFER, "unknown/model")

    assert one.providers == ["acme"]
    assert one.offers == [OFFER]


async def test_a_circuit_that_somebody_probes_makes_nothing_due(one: Scheduling) -> None:
    one.subjects.half_opens(OFFER)
    await one.subjects.take_permit(OFFER)

    assert (one.providers, one.offers) == ([], [])


def test_a_providers_own_circuit_is_probed_freely_alone(one: Scheduling) -> None:
    one.subjects.half_opens("acme")

    assert (one.providers, one.offers) == (["acme"], [])


async def test_nothing_is_probed_twice_within_the_interval(one: Scheduling) -> None:
    one.subjects.half_opens(OFFER)
    one.probed("acme", Result.SUCCESS)
    one.probed(OFFER, Result.SUCCESS)

    await one.clock.advance(INTERVAL - 1)
    assert (one.providers, one.offers) == ([], [])

    await one.clock.advance(1)
    assert (one.providers, one.offers) == (["acme"], [OFFER])


@pytest.mark.parametrize(
    "result", [Result.SERVER_ERROR, Result.TIMEOUT, Result.CONNECTION_ERROR, Result.RATE_LIMITED]
)
async def test_no_money_is_spent_while_the_free_probe_fails(
    one: Scheduling, result: Result
) -> None:
    one.subjects.half_opens(OFFER)
    one.probed("acme", result)
    assert one.offers == []

    await one.clock.advance(INTERVAL)
    one.probed("acme", Result.SUCCESS)
    assert one.offers == [OFFER]


async def test_a_provider_that_asks_for_time_gets_it_but_not_for_ever(one: Scheduling) -> None:
    one.subjects.half_opens(OFFER)
    one.probed("acme", Result.RATE_LIMITED, wait_seconds=300.0)

    await one.clock.advance(299)
    assert (one.providers, one.offers) == ([], [])
    await one.clock.advance(1)
    assert one.providers == ["acme"]

    one.probed("acme", Result.RATE_LIMITED, wait_seconds=1e9)
    await one.clock.advance(MAX_WAIT_SECONDS)
    assert one.providers == ["acme"]


async def test_what_is_refused_as_wrong_is_not_tried_again_soon(one: Scheduling) -> None:
    one.subjects.half_opens(OFFER)
    one.probed(OFFER, Result.CLIENT_ERROR)

    await one.clock.advance(USELESS_SECONDS - 1)
    assert one.offers == []

    await one.clock.advance(1)
    assert one.offers == [OFFER]


async def test_what_is_over_is_forgotten(one: Scheduling) -> None:
    for number in range(100):
        one.subjects.half_opens(f"acme/{number}")
        one.probed(f"acme/{number}", Result.SUCCESS)
    one.subjects.half_open.clear()

    await one.clock.advance(WINDOW_SECONDS + INTERVAL)
    assert one.providers == []

    assert not one.schedule._marks


@pytest.mark.parametrize(("interval", "tick"), [(5.0, 5.0), (60.0, 60.0), (7200.0, 60.0)])
def test_traffic_is_looked_for_before_it_leaves_the_window(interval: float, tick: float) -> None:
    assert ProbeSchedule(interval).tick_seconds == tick
