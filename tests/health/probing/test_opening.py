"""Probes as the settings want them."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from typing import ClassVar

import pytest

from steelyard_common.address import Address
from steelyard_common.leases import Leases
from steelyard_common.settings import AddressSetting, SettingsError, read
from steelyard_health.adapters.probe_opening import ProbeSurroundings, open_prober
from steelyard_health.adapters.probe_settings import ProbeSettings
from steelyard_health.adapters.prober import Prober
from steelyard_health.domain.outcome import Result
from tests.health.probing.world import KEY, FakeSubjects, World

OFFER = "acme/large"


class Settings(ProbeSettings):
    """As the service's own."""

    listener: ClassVar[str] = "health_address"

    health_address: AddressSetting = Address("127.0.0.1", 50053)


class Untouched(Mapping[str, str]):
    """An environment that nobody may look at."""

    def __getitem__(self, name: str) -> str:
        raise AssertionError(f"{name} was read")

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("variables were listed")

    def __len__(self) -> int:
        raise AssertionError("variables were counted")


async def opened(
    world: World, subjects: FakeSubjects, environment: Mapping[str, str]
) -> Prober | None:
    """Return what the settings of the process's environment make."""
    resources = await world.resources.enter_async_context(AsyncExitStack())
    database = await world.open_database()
    surroundings = ProbeSurroundings(
        subjects=subjects,
        providers=lambda: world.providers.providers,
        environment=environment,
        database=database,
        leases=Leases(database, world.clock, holder="one"),
        telemetry=world.telemetry,
        clock=world.clock,
    )
    return await open_prober(read(Settings), surroundings, resources)


async def test_by_default_nothing_is_opened_or_read(world: World, subjects: FakeSubjects) -> None:
    subjects.call(OFFER)
    subjects.half_opens(OFFER)

    assert await opened(world, subjects, Untouched()) is None
    assert world.providers.connection_count == 0


async def test_free_probes_do_without_pricing(
    world: World, subjects: FakeSubjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEELYARD_HEALTH_PROBES", "free")
    subjects.half_opens(OFFER)

    prober = await opened(world, subjects, {"ACME_API_KEY": KEY})
    assert prober is not None
    await prober.probe_due()

    assert subjects.results == [("acme", Result.SUCCESS)]


async def test_paid_probes_ask_pricing_where_it_is(
    world: World, subjects: FakeSubjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEELYARD_HEALTH_PROBES", "paid")
    # Nobody listens there: no prices, no paid probes.
    monkeypatch.setenv("STEELYARD_PRICING_ADDRESS", "127.0.0.1:1")
    subjects.half_opens(OFFER)

    prober = await opened(world, subjects, {"ACME_API_KEY": KEY})
    assert prober is not None
    async with asyncio.timeout(30):
        await prober.probe_due()

    assert subjects.results == [("acme", Result.SUCCESS)]


def test_probes_are_off_once_a_minute_and_for_five_cents() -> None:
    settings = read(Settings)

    assert settings.probe_mode == "off"
    assert settings.health_probe_seconds == 60.0
    assert settings.probe_daily_picodollars == 50_000_000_000


@pytest.mark.parametrize(
    ("text", "picodollars"),
    [("0", 0), ("1", 10**12), ("0.000000000001", 1), ("0.1", 10**11), ("1e-12", 1)],
)
def test_the_bound_is_read_exactly(
    monkeypatch: pytest.MonkeyPatch, text: str, picodollars: int
) -> None:
    monkeypatch.setenv("STEELYARD_HEALTH_PROBE_DAILY_USD", text)

    assert read(Settings).probe_daily_picodollars == picodollars


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STEELYARD_HEALTH_PROBES", "on"),
        ("STEELYARD_HEALTH_PROBE_SECONDS", "4.9"),
        ("STEELYARD_HEALTH_PROBE_SECONDS", "nan"),
        ("STEELYARD_HEALTH_PROBE_SECONDS", "86401"),
        ("STEELYARD_HEALTH_PROBE_DAILY_USD", "-0.01"),
        ("STEELYARD_HEALTH_PROBE_DAILY_USD", "NaN"),
        ("STEELYARD_HEALTH_PROBE_DAILY_USD", "Infinity"),
        ("STEELYARD_HEALTH_PROBE_DAILY_USD", "1e30"),
        ("STEELYARD_HEALTH_PROBE_DAILY_USD", "0.0000000000001"),
        ("STEELYARD_HEALTH_PROBE_DAILY_USD", "five cents"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as caught:
        read(Settings)

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [variable]
