"""Paid probes: one token, where a circuit waits for it and the day's bound allows it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from steelyard_health.adapters.probe_prices import INPUT_TOKENS, MAX_OFFERS
from steelyard_health.adapters.prober import MAX_PAID_A_ROUND
from steelyard_health.domain.outcome import Headroom, Result
from tests.fakes import FakeClock
from tests.health.probing.fake_providers import COMPLETIONS
from tests.health.probing.world import INTERVAL, MICRODOLLAR, FakeSubjects, World

OFFER = "acme/large"
COST = 300 * MICRODOLLAR
PLENTY = 1000 * COST


@pytest.fixture
def half_open(world: World, subjects: FakeSubjects) -> FakeSubjects:
    """Return subjects with one offer that waits for a probe, and has a price."""
    world.pricing.price(OFFER, COST)
    subjects.half_opens(OFFER)
    return subjects


async def test_the_free_probe_comes_first_and_the_completion_uses_the_permit(
    world: World, half_open: FakeSubjects
) -> None:
    await (await world.prober(half_open, daily_picodollars=PLENTY)).probe_due()

    assert world.providers.calls() == ["acme/models", "acme/chat/completions"]
    free, paid = half_open.recorded
    assert (free.is_provider_only, free.probe_permit) == (True, "")
    assert (paid.is_provider_only, paid.offer, paid.result) == (False, OFFER, Result.SUCCESS)
    assert paid.probe_permit.startswith("permit_")
    assert paid.latency_seconds is None


async def test_free_probes_alone_never_ask_for_a_completion(
    world: World, half_open: FakeSubjects
) -> None:
    await (await world.prober(half_open)).probe_due()

    assert world.providers.calls() == ["acme/models"]
    assert world.pricing.asked == []
    assert half_open.half_open == {OFFER: ""}


async def test_good_probes_close_the_circuit_and_then_none_is_made(
    world: World, half_open: FakeSubjects, clock: FakeClock
) -> None:
    prober = await world.prober(half_open, daily_picodollars=PLENTY)
    for _ in range(6):
        await prober.probe_due()
        await clock.advance(INTERVAL)

    assert half_open.half_open == {}
    assert world.providers.calls("POST") == ["acme/chat/completions"] * 3


async def test_nothing_is_spent_where_callers_report_enough(
    world: World, half_open: FakeSubjects
) -> None:
    half_open.call(OFFER, 5)

    await (await world.prober(half_open, daily_picodollars=PLENTY)).probe_due()

    assert world.providers.calls() == []
    assert world.pricing.asked == []


async def test_nothing_is_spent_on_a_provider_that_does_not_even_answer_free_probes(
    world: World, half_open: FakeSubjects, clock: FakeClock
) -> None:
    world.providers.played["acme"].status = 500
    prober = await world.prober(half_open, daily_picodollars=PLENTY)
    for _ in range(3):
        await prober.probe_due()
        await clock.advance(INTERVAL)

    assert world.providers.calls() == ["acme/models"] * 3


async def test_an_offer_without_a_published_price_is_never_probed(
    world: World, subjects: FakeSubjects
) -> None:
    world.pricing.price("acme/guessed", COST, estimated=True)
    subjects.half_opens("acme/unpriced", "acme/guessed")

    await (await world.prober(subjects, daily_picodollars=PLENTY)).probe_due()

    assert world.providers.calls() == ["acme/models"]
    assert subjects.half_open == {"acme/unpriced": "", "acme/guessed": ""}


async def test_nothing_is_spent_while_pricing_does_not_answer(
    world: World, half_open: FakeSubjects, clock: FakeClock
) -> None:
    world.pricing.is_down = True
    prober = await world.prober(half_open, daily_picodollars=PLENTY)
    await prober.probe_due()
    assert world.providers.calls("POST") == []

    world.pricing.is_down = False
    await clock.advance(INTERVAL)
    await prober.probe_due()
    assert world.providers.calls("POST") == ["acme/chat/completions"]


async def test_pricing_is_asked_for_the_list_price_of_one_short_completion(
    world: World, half_open: FakeSubjects
) -> None:
    half_open.half_opens(*(f"acme/{number}" for number in range(MAX_OFFERS + 5)))

    await (await world.prober(half_open, daily_picodollars=PLENTY)).probe_due()

    [request] = world.pricing.asked
    assert request.options.list_prices
    assert request.usage.uncached_input_token_count == INPUT_TOKENS
    assert request.usage.output_token_count == 1
    assert len(request.offers) == MAX_OFFERS


async def test_the_cheapest_come_first_and_only_some_in_one_round(
    world: World, subjects: FakeSubjects
) -> None:
    names = [f"acme/{number:02}" for number in range(MAX_PAID_A_ROUND + 2)]
    for price, offer in enumerate(reversed(names), start=1):
        world.pricing.price(offer, price)
    subjects.half_opens(*names)

    await (await world.prober(subjects, daily_picodollars=PLENTY)).probe_due()

    probed = [json.loads(each.body)["model"] for each in world.providers.received if each.body]
    assert probed == [name.removeprefix("acme/") for name in reversed(names)][:MAX_PAID_A_ROUND]


@pytest.mark.parametrize(
    ("wire_format", "path", "expected"),
    [
        (
            "openai",
            "/chat/completions",
            {
                "model": "org/large:free",
                "messages": [{"role": "user", "content": "Hi"}],
                "max_tokens": 1,
            },
        ),
        (
            "anthropic",
            "/messages",
            {
                "model": "org/large:free",
                "messages": [{"role": "user", "content": "Hi"}],
                "max_tokens": 1,
            },
        ),
        (
            "gemini",
            "/models/org%2Flarge%3Afree:generateContent",
            {
                "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
                "generationConfig": {"maxOutputTokens": 1},
            },
        ),
    ],
)
async def test_each_wire_format_asks_for_one_token(
    world: World, subjects: FakeSubjects, wire_format: str, path: str, expected: dict[str, object]
) -> None:
    offer = "acme/org/large:free"
    world.providers.add("acme", wire_format=wire_format)
    world.pricing.price(offer, COST)
    subjects.half_opens(offer)

    await (await world.prober(subjects, daily_picodollars=PLENTY)).probe_due()

    request = world.providers.received[-1]
    assert (request.method, request.path) == ("POST", path)
    assert json.loads(request.body) == expected
    assert subjects.recorded[-1].result is Result.SUCCESS


async def test_openai_itself_is_asked_by_the_name_that_its_newer_models_know(
    world: World, subjects: FakeSubjects
) -> None:
    world.providers.add("openai", auth_style="none")
    world.pricing.price("openai/o9", COST)
    subjects.half_opens("openai/o9")

    await (await world.prober(subjects, daily_picodollars=PLENTY)).probe_due()

    body = json.loads(world.providers.received[-1].body)
    assert (body["max_completion_tokens"], "max_tokens" in body) == (1, False)


@pytest.mark.parametrize(
    ("wire_format", "completion"),
    [
        ("openai", b'{"error": {"message": "overloaded"}}'),
        ("openai", b'{"choices": []}'),
        ("openai", b"<html>busy</html>"),
        ("openai", b"[" * 50_000),
        ("openai", b'{"choices": [1], "padding": "' + b"x" * 70_000 + b'"}'),
        ("openai", json.dumps(COMPLETIONS["anthropic"]).encode()),
        ("anthropic", json.dumps(COMPLETIONS["openai"]).encode()),
        ("anthropic", b'{"type": "message"}'),
        ("gemini", b'{"promptFeedback": {}}'),
        ("gemini", b"null"),
    ],
)
async def test_an_answer_that_is_no_completion_is_a_failure(
    world: World, subjects: FakeSubjects, wire_format: str, completion: bytes
) -> None:
    world.providers.add("acme", wire_format=wire_format).completion = completion
    world.pricing.price(OFFER, COST)
    subjects.half_opens(OFFER)

    await (await world.prober(subjects, daily_picodollars=PLENTY)).probe_due()

    assert subjects.results[-1] == (OFFER, Result.TRUNCATED)
    assert subjects.recorded[-1].first_token_seconds is None


async def test_rate_limits_of_a_completion_are_those_of_the_offer(
    world: World, half_open: FakeSubjects
) -> None:
    world.providers.played["acme"].headers = {
        "x-ratelimit-limit-requests": "10",
        "x-ratelimit-remaining-requests": "4",
        "x-ratelimit-reset-requests": "1m30s",
    }

    await (await world.prober(half_open, daily_picodollars=PLENTY)).probe_due()

    assert half_open.recorded[-1].headroom == Headroom(0.4, 90.0)


async def test_a_429_of_a_completion_is_told_with_its_wait(
    world: World, half_open: FakeSubjects
) -> None:
    half_open.call("acme/other", 5)  # so that no free probe is due
    world.providers.played["acme"].status = 429
    world.providers.played["acme"].headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "20s",
    }

    await (await world.prober(half_open, daily_picodollars=PLENTY)).probe_due()

    [outcome] = half_open.recorded
    assert (outcome.result, outcome.retry_after_seconds) == (Result.RATE_LIMITED, 20.0)
    assert half_open.half_open == {OFFER: ""}


async def test_a_key_that_is_refused_ends_all_probes_of_its_provider(
    world: World, half_open: FakeSubjects
) -> None:
    half_open.call("acme/other", 5)
    world.pricing.price("acme/zzz", COST)
    half_open.half_opens("acme/zzz")
    world.providers.played["acme"].status = 401
    prober = await world.prober(half_open, daily_picodollars=PLENTY)

    await prober.probe_due()
    await prober.probe_due()

    assert world.providers.calls() == ["acme/chat/completions"]


async def test_replicas_send_one_probe_of_an_offer_an_interval(
    world: World, clock: FakeClock
) -> None:
    shared = world.subjects()
    world.pricing.price(OFFER, COST)
    shared.half_opens(OFFER)
    probers = [await world.prober(shared, daily_picodollars=PLENTY) for _ in range(3)]

    await asyncio.gather(*(prober.probe_due() for prober in probers))
    await clock.advance(INTERVAL / 2)
    await asyncio.gather(*(prober.probe_due() for prober in probers))
    assert world.providers.calls("POST") == ["acme/chat/completions"]

    await clock.advance(INTERVAL / 2)
    await asyncio.gather(*(prober.probe_due() for prober in probers))
    assert world.providers.calls("POST") == ["acme/chat/completions"] * 2


async def test_the_day_costs_the_bound_at_most_and_the_next_one_begins_anew(
    world: World, subjects: FakeSubjects, clock: FakeClock
) -> None:
    await clock.advance((datetime(2026, 11, 2, 23, 59, tzinfo=UTC) - clock.now()).total_seconds())
    names = [f"acme/{number}" for number in range(8)]
    for offer in names:
        world.pricing.price(offer, COST)
    subjects.half_opens(*names)
    prober = await world.prober(subjects, daily_picodollars=3 * COST)

    await prober.probe_due()
    assert len(world.providers.calls("POST")) == 3

    await clock.advance(59.999)
    assert clock.now().day == 2
    await prober.probe_due()
    assert len(world.providers.calls("POST")) == 3

    await clock.advance(0.001)
    assert clock.now().day == 3
    await prober.probe_due()
    assert len(world.providers.calls("POST")) == 6


async def test_a_probe_that_would_exceed_the_bound_by_one_picodollar_is_not_made(
    world: World, half_open: FakeSubjects
) -> None:
    await (await world.prober(half_open, daily_picodollars=COST - 1)).probe_due()

    # Nor is the permit taken, which a caller may need.
    assert half_open.results == [("acme", Result.SUCCESS)]
    assert world.providers.calls("POST") == []


async def test_two_probers_on_one_database_share_the_bound(world: World) -> None:
    names = [f"acme/{number}" for number in range(12)]
    for offer in names:
        world.pricing.price(offer, COST)
    boards = [world.subjects(), world.subjects()]
    boards[0].half_opens(*names[:6])
    boards[1].half_opens(*names[6:])
    probers = [await world.prober(board, daily_picodollars=5 * COST + 1) for board in boards]

    await asyncio.gather(*(prober.probe_due() for prober in probers))

    assert len(world.providers.calls("POST")) == 5


async def test_a_permit_for_which_there_is_no_money_is_given_back(
    world: World, half_open: FakeSubjects
) -> None:
    prober = await world.prober(half_open, daily_picodollars=COST)
    purse = prober._means.purse
    assert purse is not None
    take_permit = half_open.take_permit

    async def take_while_another_replica_spends(offer: str) -> str | None:
        assert await purse.spend.reserve(1, COST)
        return await take_permit(offer)

    half_open.take_permit = take_while_another_replica_spends  # type: ignore[method-assign]
    await prober.probe_due()

    assert world.providers.calls("POST") == []
    assert half_open.results[-1] == (OFFER, Result.CANCELLED)
    assert half_open.recorded[-1].probe_permit
    assert half_open.half_open == {OFFER: ""}


async def test_a_probe_that_failed_has_cost_all_the_same(
    world: World, half_open: FakeSubjects, clock: FakeClock
) -> None:
    half_open.call("acme/other", 5)
    world.providers.played["acme"].status = 500
    prober = await world.prober(half_open, daily_picodollars=2 * COST)
    for _ in range(4):
        await prober.probe_due()
        await clock.advance(INTERVAL)

    assert world.providers.calls("POST") == ["acme/chat/completions"] * 2


async def test_a_wall_clock_that_jumps_back_cannot_spend_a_day_twice(
    world: World, half_open: FakeSubjects, clock: FakeClock
) -> None:
    prober = await world.prober(half_open, daily_picodollars=COST)
    await prober.probe_due()
    start = clock._start

    for days in (-1, 0, -1, 0):
        clock._start = start + timedelta(days=days)
        await clock.advance(INTERVAL)
        await prober.probe_due()

    # One of each of the two days that the clock showed.
    assert world.providers.calls("POST") == ["acme/chat/completions"] * 2


async def test_what_is_spent_is_shown(world: World, half_open: FakeSubjects) -> None:
    await (await world.prober(half_open, daily_picodollars=PLENTY)).probe_due()

    lines = world.telemetry.prometheus_text().decode().splitlines()
    [gauge] = [line for line in lines if line.startswith("steelyard_health_probe_spend")]
    assert float(gauge.rpartition(" ")[2]) == COST
    assert any('kind="paid"' in line and 'result="success"' in line for line in lines)


async def test_it_ends_when_it_is_cancelled_in_the_middle_of_a_completion(
    world: World, half_open: FakeSubjects
) -> None:
    half_open.call("acme/other", 5)
    world.providers.played["acme"].hangs = True
    prober = await world.prober(half_open, daily_picodollars=PLENTY)
    running = asyncio.create_task(prober.run())
    await world.providers.came.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert half_open.recorded == []
