"""What Route does while other services are away, late or new; with real servers that are killed."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from steelyard.common.v1 import model_traits_pb2
from steelyard.health.v1 import health_pb2
from steelyard.router.v1 import chat_pb2, decision_pb2
from steelyard_common.call_failure import CallFailure
from steelyard_common.grpc_status import failure
from tests.router.builders import a_model, a_request
from tests.router.fakes import a_pricing
from tests.router.world import LARGE, RIVAL, SMALL, World

LATE = 0.05


def is_fresh(decision: decision_pb2.Decision) -> bool:
    return not any([decision.stale_prices, decision.stale_health, decision.stale_catalog])


async def test_while_pricing_is_down_costs_come_from_the_last_known_rates(world: World) -> None:
    before = await world.decision()

    await world.hosts["pricing"].stop()
    during = await world.decision()

    assert during.stale_prices
    assert not during.stale_health
    assert during.versions.prices == before.versions.prices
    assert [c.expected_cost for c in during.candidates] == [
        c.expected_cost for c in before.candidates
    ]


@pytest.mark.parametrize(
    ("name", "is_stale"),
    [
        ("pricing", lambda decision: decision.stale_prices),
        ("health", lambda decision: decision.stale_health),
    ],
)
async def test_killing_a_dependency_mid_load_fails_no_request_and_it_recovers_by_itself(
    world: World, name: str, is_stale: Any
) -> None:
    done = asyncio.Event()
    seen: list[decision_pb2.Decision] = []

    async def load() -> None:
        while not done.is_set():
            seen.append(await world.decision())

    clients = [asyncio.create_task(load()) for _ in range(4)]
    await world.decision()
    await world.hosts[name].stop()
    await world.decision_when(is_stale)
    await world.hosts[name].start()
    await world.decision_when(is_fresh)
    done.set()
    await asyncio.gather(*clients)

    assert any(is_stale(decision) for decision in seen)
    assert all(decision.chosen.offer == RIVAL for decision in seen)


async def test_while_health_is_down_what_was_last_heard_counts(world: World) -> None:
    world.health.report(RIVAL, score=0.4, success_rate=0.5)
    await world.decision()

    await world.hosts["health"].stop()
    decision = await world.decision()

    assert decision.stale_health
    assert decision.versions.health == 4
    assert {c.offer: c.health for c in decision.candidates} == {SMALL: 1, LARGE: 1, RIVAL: 0.4}


async def test_a_late_answer_is_not_waited_for(tmp_path: Path) -> None:
    async with World(tmp_path, router_ask_timeout_seconds=LATE) as world:
        world.pricing.quote.hangs = world.health.check.hangs = True

        decision = await world.decision()

        assert decision.stale_prices
        assert decision.stale_health
        assert decision.chosen.offer == RIVAL


async def test_the_callers_own_deadline_bounds_the_wait(world: World) -> None:
    world.pricing.quote.hangs = world.health.check.hangs = True

    decision = (await world.stub.Route(a_request(), timeout=1.0)).decision

    assert decision.stale_prices
    assert decision.stale_health


async def test_prices_that_pricing_itself_calls_stale_are_marked(world: World) -> None:
    world.pricing.stale = True

    assert (await world.decision()).stale_prices


async def test_a_failing_dependency_is_like_an_absent_one(world: World) -> None:
    world.pricing.quote.fails = world.health.check.fails = True

    decision = await world.decision()

    assert decision.stale_prices
    assert decision.stale_health


async def test_new_prices_are_known_locally_soon_after_a_quote_names_them(world: World) -> None:
    world.pricing.set_rate(SMALL, 1, 1)
    while 8 not in world.pricing.served_cards:
        await world.decision()

    await world.hosts["pricing"].stop()

    decision = await world.decision_when(
        lambda decision: decision.stale_prices and decision.versions.prices == 8
    )
    assert decision.chosen.offer == SMALL


async def test_without_any_price_ever_the_caller_is_told(tmp_path: Path) -> None:
    async with World(tmp_path, pricing=a_pricing()) as world:
        await world.hosts["pricing"].stop()

        found = await world.refused()

        assert found.code is grpc.StatusCode.UNAVAILABLE
        assert found.reason_name == "ERROR_REASON_PRICING_UNAVAILABLE"


async def test_sound_is_not_priced_by_guess_while_pricing_is_down(world: World) -> None:
    hears = [model_traits_pb2.CAPABILITY_AUDIO_INPUT]
    world.registry.change(a_model("gpt-small", "openai", capabilities=hears))
    await world.decision_when(lambda decision: decision.versions.catalog == 12)
    sound = chat_pb2.ContentPart(audio=chat_pb2.Media(data=b"x" * 16_000))
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, parts=[sound])
    assert (await world.decision(messages=[message])).expected_usage.audio_input_token_count == 32

    await world.hosts["pricing"].stop()

    found = await world.refused(messages=[message])
    assert found.reason_name == "ERROR_REASON_PRICING_UNAVAILABLE"


async def test_a_restart_while_everything_is_down_serves_from_disk(world: World) -> None:
    before = await world.decision()
    await saved(world)
    await world.stop_router()
    await asyncio.gather(*(host.stop() for host in world.hosts.values()))

    world.settings["router_start_wait_seconds"] = 0.0
    await world.start_router()
    decision = await world.decision()

    assert decision.stale_prices
    assert decision.stale_health
    assert decision.stale_catalog
    assert decision.versions.catalog == before.versions.catalog
    assert [c.offer for c in decision.candidates] == [c.offer for c in before.candidates]
    assert decision.chosen.expected_cost == before.chosen.expected_cost


async def saved(world: World) -> None:
    """Return once the catalogue is on disk."""
    while not list((world.data_dir / "router").glob("catalog.json")):
        await world.decision()


async def test_a_restarted_router_goes_on_from_the_version_it_has(world: World) -> None:
    await world.decision()
    await saved(world)
    await world.stop_router()

    await world.start_router()
    decision = await world.decision_when(is_fresh)

    assert decision.versions.catalog == 11
    assert world.registry.watched_from[-1] == 11


async def test_without_any_catalogue_ever_the_caller_is_told(tmp_path: Path) -> None:
    world = World(tmp_path, router_start_wait_seconds=0.05)
    world.registry.break_after_parts = 0
    async with world:
        found = await world.refused()

        assert found.code is grpc.StatusCode.UNAVAILABLE
        assert found.reason_name == "ERROR_REASON_REGISTRY_UNAVAILABLE"


async def test_a_catalogue_that_breaks_off_half_way_is_not_used(tmp_path: Path) -> None:
    world = World(tmp_path, router_start_wait_seconds=0.05)
    world.registry.break_after_parts = 1
    async with world:
        assert (await world.refused()).reason_name == "ERROR_REASON_REGISTRY_UNAVAILABLE"

        world.registry.break_after_parts = None
        while isinstance(answer := await answer_of(world), CallFailure):
            assert answer.reason_name == "ERROR_REASON_REGISTRY_UNAVAILABLE"
        assert answer.chosen.offer == RIVAL


async def answer_of(world: World) -> decision_pb2.Decision | CallFailure:
    try:
        return await world.decision()
    except grpc.aio.AioRpcError as error:
        return failure(error)


async def test_while_the_registry_is_down_its_last_catalogue_counts_and_is_marked(
    world: World,
) -> None:
    await world.decision_when(is_fresh)

    await world.hosts["registry"].stop()
    during = await world.decision_when(lambda decision: decision.stale_catalog)
    await world.hosts["registry"].start()
    after = await world.decision_when(is_fresh)

    assert during.chosen.offer == after.chosen.offer == RIVAL


async def test_changes_of_the_catalogue_arrive_by_themselves(world: World) -> None:
    world.registry.change(a_model("gpt-small", "openai", quality=99), removed=("llama-rival",))

    decision = await world.decision_when(lambda decision: decision.versions.catalog == 12)

    assert sorted(c.offer for c in decision.candidates) == [LARGE, SMALL]
    assert decision.chosen.quality == 99


async def test_a_catalogue_whose_sources_are_stale_is_marked(world: World) -> None:
    world.registry.change(stale=True)

    decision = await world.decision_when(lambda decision: decision.versions.catalog == 12)

    assert decision.stale_catalog


async def test_an_open_circuit_is_heard_of_again_when_it_closes(world: World) -> None:
    world.health.report(RIVAL, circuit=health_pb2.CIRCUIT_STATE_OPEN)
    assert (await world.decision()).chosen.offer == SMALL

    world.health.report(RIVAL, circuit=health_pb2.CIRCUIT_STATE_CLOSED)

    assert (await world.decision()).chosen.offer == RIVAL
