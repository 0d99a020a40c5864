"""Free probes: a list of models, read where traffic is thin."""

import asyncio
from collections.abc import Callable

import pytest

from steelyard_health.adapters.prober import MAX_LEASE_NAME, lease_name
from steelyard_health.domain.outcome import Outcome, Result
from tests.fakes import START, FakeClock
from tests.health.probing.fake_providers import FakeProvider
from tests.health.probing.world import INTERVAL, KEY, FakeSubjects, World

OFFER = "acme/large"
DAY = 86_400


def fails(status: int, **headers: str) -> Callable[[FakeProvider], None]:
    def apply(played: FakeProvider) -> None:
        played.status = status
        played.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    return apply


def drops(played: FakeProvider) -> None:
    played.drops = True


def breaks_off(played: FakeProvider) -> None:
    played.cut_after = 3


async def test_with_enough_traffic_no_provider_is_called_in_a_day(
    world: World, subjects: FakeSubjects, clock: FakeClock
) -> None:
    world.pricing.price(OFFER, 1)
    prober = await world.prober(subjects, daily_picodollars=1000)
    running = asyncio.create_task(prober.run())
    for minute in range(DAY // 60):
        subjects.call(OFFER, 2 if minute else 5)
        subjects.half_opens(OFFER)
        await clock.wait_for_sleeper()
        await clock.advance(60)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert world.providers.connection_count == 0
    assert world.pricing.asked == []
    assert subjects.recorded == []


async def test_thin_traffic_is_helped_out_once_an_interval(
    world: World, subjects: FakeSubjects, clock: FakeClock
) -> None:
    prober = await world.prober(subjects)
    subjects.call(OFFER)

    for _ in range(12):
        await prober.probe_due()
        await clock.advance(INTERVAL / 4)

    assert world.providers.calls() == ["acme/models"] * 3
    assert subjects.results == [("acme", Result.SUCCESS)] * 3


async def test_a_success_tells_of_the_provider_alone_and_of_no_time(
    world: World, subjects: FakeSubjects
) -> None:
    world.providers.played["acme"].headers = {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "0",
    }
    subjects.half_opens(OFFER)

    await (await world.prober(subjects)).probe_due()

    [outcome] = subjects.recorded
    assert outcome.is_provider_only
    assert not outcome.probe_permit
    assert outcome.latency_seconds is None
    assert outcome.first_token_seconds is None
    assert outcome.headroom is None
    assert subjects.half_open == {OFFER: ""}


@pytest.mark.parametrize(
    ("how", "result"),
    [
        (fails(500), Result.SERVER_ERROR),
        (fails(503), Result.SERVER_ERROR),
        (drops, Result.CONNECTION_ERROR),
        (breaks_off, Result.TRUNCATED),
        (fails(429), Result.RATE_LIMITED),
        (fails(401), Result.AUTH_ERROR),
        (fails(403), Result.AUTH_ERROR),
        (fails(404), Result.CLIENT_ERROR),
        (fails(302, location="/elsewhere/v1/models"), Result.CLIENT_ERROR),
    ],
)
async def test_each_fault_has_its_class(
    world: World, subjects: FakeSubjects, how: Callable[[FakeProvider], None], result: Result
) -> None:
    how(world.providers.played["acme"])
    subjects.call(OFFER)

    await (await world.prober(subjects)).probe_due()

    assert subjects.results == [("acme", result)]
    assert world.providers.calls() == ["acme/models"]


async def test_a_provider_that_hangs_is_given_up(world: World, subjects: FakeSubjects) -> None:
    world.providers.played["acme"].hangs = True
    subjects.call(OFFER)

    await (await world.prober(subjects, timeout_seconds=0.1)).probe_due()

    assert subjects.results == [("acme", Result.TIMEOUT)]


async def test_a_provider_where_nobody_listens_has_no_connection(
    world: World, subjects: FakeSubjects
) -> None:
    await world.providers.__aexit__()
    subjects.call(OFFER)

    await (await world.prober(subjects)).probe_due()

    assert subjects.results == [("acme", Result.CONNECTION_ERROR)]


async def test_a_429_is_told_with_its_wait_and_waited_for(
    world: World, subjects: FakeSubjects, clock: FakeClock
) -> None:
    fails(429, retry_after="150")(world.providers.played["acme"])
    prober = await world.prober(subjects)
    subjects.call(OFFER)

    for _ in range(3):
        await prober.probe_due()
        await clock.advance(INTERVAL)
    assert [each.retry_after_seconds for each in subjects.recorded] == [150.0]

    await prober.probe_due()
    assert len(subjects.recorded) == 2


async def test_a_long_list_is_not_read_to_its_end(world: World, subjects: FakeSubjects) -> None:
    world.providers.played["acme"].models = b"x" * 5_000_000
    subjects.call(OFFER)

    await (await world.prober(subjects)).probe_due()

    assert subjects.results == [("acme", Result.SUCCESS)]


async def test_a_refused_key_is_not_shown_again_until_it_changes(
    world: World, subjects: FakeSubjects, clock: FakeClock
) -> None:
    played = world.providers.played["acme"]
    played.status = 401
    prober = await world.prober(subjects)
    for _ in range(5):
        subjects.call(OFFER)
        await prober.probe_due()
        await clock.advance(INTERVAL * 6)
    assert len(world.providers.received) == 1

    played.status = 200
    world.environment["ACME_API_KEY"] = "another"
    await prober.probe_due()

    assert subjects.results == [("acme", Result.AUTH_ERROR), ("acme", Result.SUCCESS)]


async def test_a_provider_without_a_key_is_not_called_unless_it_needs_none(
    world: World, subjects: FakeSubjects
) -> None:
    world.environment.clear()
    world.providers.add("local", auth_style="none")
    world.providers.add("odd", auth_style="")
    for name in ("acme", "local", "odd"):
        subjects.call(f"{name}/large")

    await (await world.prober(subjects)).probe_due()

    assert world.providers.calls() == ["local/models"]
    assert not {"authorization", "x-api-key"} & world.providers.received[0].headers.keys()


async def test_the_first_variable_with_a_key_wins(world: World, subjects: FakeSubjects) -> None:
    world.providers.add("acme", key_variables=("EMPTY", "UNSET", "SECOND", "THIRD"))
    world.environment.update({"EMPTY": " ", "SECOND": " two ", "THIRD": "three"})
    subjects.call(OFFER)

    await (await world.prober(subjects)).probe_due()

    assert world.providers.received[0].headers["authorization"] == "Bearer two"


@pytest.mark.parametrize("key", ["two\r\nx-injected: 1", "pässwort", "a b", "k" * 513])
async def test_a_key_that_no_header_can_hold_is_none(
    world: World, subjects: FakeSubjects, key: str
) -> None:
    world.environment["ACME_API_KEY"] = key
    subjects.call(OFFER)

    await (await world.prober(subjects)).probe_due()

    assert world.providers.connection_count == 0


@pytest.mark.parametrize(
    ("wire_format", "auth_style", "headers"),
    [
        ("openai", "bearer", {"authorization": f"Bearer {KEY}"}),
        ("anthropic", "x-api-key", {"x-api-key": KEY, "anthropic-version": "2023-06-01"}),
        ("gemini", "x-goog-api-key", {"x-goog-api-key": KEY}),
    ],
)
async def test_each_wire_format_shows_the_key_in_its_header(
    world: World,
    subjects: FakeSubjects,
    wire_format: str,
    auth_style: str,
    headers: dict[str, str],
) -> None:
    world.providers.add("acme", wire_format=wire_format, auth_style=auth_style)
    subjects.call(OFFER)

    await (await world.prober(subjects)).probe_due()

    [request] = world.providers.received
    assert request.path == "/models"
    assert headers.items() <= request.headers.items()
    assert [name for name, value in request.headers.items() if KEY in value] == [
        next(iter(headers))
    ]


async def test_replicas_together_keep_the_interval(world: World, clock: FakeClock) -> None:
    replicas = [world.subjects() for _ in range(3)]
    probers = [await world.prober(subjects) for subjects in replicas]
    for _ in range(4):
        for subjects in replicas:
            subjects.call(OFFER)
        await asyncio.gather(*(prober.probe_due() for prober in probers))
        await clock.advance(INTERVAL)

    assert world.providers.calls() == ["acme/models"] * 4
    assert sum(len(subjects.recorded) for subjects in replicas) == 4


async def test_one_provider_that_hangs_does_not_hold_up_others(
    world: World, subjects: FakeSubjects
) -> None:
    world.providers.played["acme"].hangs = True
    world.providers.add("other", auth_style="none")
    subjects.call(OFFER)
    subjects.call("other/large")

    probing = asyncio.create_task((await world.prober(subjects)).probe_due())
    await subjects.was_told.wait()
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)

    assert subjects.results == [("other", Result.SUCCESS)]


async def test_a_wall_clock_that_jumps_changes_nothing(
    world: World, subjects: FakeSubjects, clock: FakeClock
) -> None:
    prober = await world.prober(subjects)
    subjects.call(OFFER)
    await prober.probe_due()

    clock._start = START.replace(year=2030)
    await prober.probe_due()
    clock._start = START.replace(year=2020)
    await prober.probe_due()
    assert len(world.providers.received) == 1

    await clock.advance(INTERVAL)
    await prober.probe_due()
    assert len(world.providers.received) == 2


async def test_it_ends_when_it_is_cancelled_in_the_middle_of_a_call(
    world: World, subjects: FakeSubjects
) -> None:
    world.providers.played["acme"].hangs = True
    subjects.call(OFFER)
    running = asyncio.create_task((await world.prober(subjects)).run())
    await world.providers.came.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert subjects.recorded == []


async def test_probes_are_counted(world: World, subjects: FakeSubjects) -> None:
    subjects.call(OFFER)

    await (await world.prober(subjects)).probe_due()

    lines = world.telemetry.prometheus_text().decode().splitlines()
    [line] = [line for line in lines if line.startswith("steelyard_health_probes")]
    assert line.endswith(" 1.0")
    for label in ('provider="acme"', 'kind="free"', 'result="success"'):
        assert label in line


def test_names_of_leases_fit_their_column_and_differ() -> None:
    names = [lease_name("a" * 64), lease_name("a" * 63 + "b"), lease_name("acme")]

    assert names[2] == "probe-acme"
    assert len(set(names)) == 3
    assert max(map(len, names)) <= MAX_LEASE_NAME


def test_an_outcome_of_any_provider_can_be_recorded() -> None:
    outcome = Outcome(outcome_id="1", offer="a" * 64 + "/models", result=Result.SUCCESS)

    assert outcome.provider == "a" * 64
