"""Circuits through the front door: one decision per permit, ramp-up, panic."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from steelyard.health.v1 import health_pb2
from steelyard.router.v1 import decision_pb2
from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_common.clock import SystemClock
from steelyard_router.adapters.health_client import HealthClient
from steelyard_router.adapters.permit_wallet import KEEP_SECONDS, MAX_PERMITS, PermitWallet
from steelyard_router.domain.admission import draw
from steelyard_router.domain.decision import RouteOrder
from steelyard_router.domain.health import Condition, OfferHealth
from steelyard_router.domain.policy import Policy
from steelyard_router.domain.requirements import RequestShape
from tests.fakes import FakeClock
from tests.router.builders import a_card, a_catalog, an_offer
from tests.router.in_process import KnownHealth, routing
from tests.router.world import LARGE, RIVAL, SMALL, World

HALF_OPEN = {"circuit": health_pb2.CIRCUIT_STATE_HALF_OPEN, "score": 0.1, "success_rate": 0.1}


def rejected(decision: decision_pb2.Decision) -> dict[str, str]:
    return {each.offer: each.detail for each in decision.rejected}


async def test_a_decision_carries_the_permit_of_the_offer_that_it_probes(world: World) -> None:
    world.health.report(RIVAL, **HALF_OPEN)
    world.health.permits[RIVAL] = "permit_1"

    decision = await world.decision()

    assert decision.chosen.offer == RIVAL
    assert decision.probe_permit == "permit_1"
    assert RIVAL not in [each.offer for each in decision.fallbacks]


async def test_one_permit_serves_one_of_many_requests_that_share_an_answer(world: World) -> None:
    world.health.report(RIVAL, **HALF_OPEN)
    world.health.permits[RIVAL] = "permit_1"
    world.health.check.let_go = asyncio.Event()
    routes = [asyncio.create_task(world.decision()) for _ in range(20)]
    await world.health.check.called.wait()

    world.health.check.let_go.set()
    decisions = await asyncio.gather(*routes)

    probing = [each for each in decisions if each.chosen.offer == RIVAL]
    assert [each.probe_permit for each in probing] == ["permit_1"]
    others = [each for each in decisions if each.chosen.offer != RIVAL]
    assert {each.probe_permit for each in others} == {""}
    assert {rejected(each)[RIVAL] for each in others} == {"Its circuit is open."}


async def test_a_permit_that_no_decision_needs_waits_for_one_that_does(world: World) -> None:
    world.health.report(LARGE, **HALF_OPEN)
    world.health.permits[LARGE] = "permit_1"

    first = await world.decision()
    second = await world.decision(model=LARGE)

    assert first.chosen.offer == RIVAL
    assert rejected(first)[LARGE] == "Its circuit waits for a probe."
    assert (second.chosen.offer, second.probe_permit) == (LARGE, "permit_1")


async def test_a_half_open_circuit_whose_wait_is_over_is_still_closed_to_who_has_no_permit(
    world: World,
) -> None:
    world.health.report(RIVAL, retry_time=Timestamp(seconds=1_700_000_000), **HALF_OPEN)

    assert (await world.decision()).chosen.offer == SMALL


async def test_a_stored_decision_shows_what_it_was(world: World) -> None:
    world.health.report(RIVAL, **HALF_OPEN)
    world.health.permits[RIVAL] = "permit_1"
    decision = await world.decision()

    request = pb.GetDecisionRequest(decision_id=decision.decision_id)
    found = (await world.stub.GetDecision(request, timeout=5)).decision

    assert found == decision


async def test_an_offer_that_recovers_takes_its_share_by_the_id_of_the_decision(
    world: World,
) -> None:
    world.health.report(
        RIVAL, circuit=health_pb2.CIRCUIT_STATE_CLOSED, traffic_share=0.5, sample_count=0
    )

    decisions = [await world.decision() for _ in range(12)]

    for decision in decisions:
        is_drawn = draw(decision.decision_id, RIVAL) < 0.5
        assert (decision.chosen.offer == RIVAL) == is_drawn
        if not is_drawn:
            assert rejected(decision)[RIVAL] == "Recovering: takes 50 % of its usual traffic."


async def test_a_share_of_0_with_a_closed_circuit_comes_from_an_older_service(
    world: World,
) -> None:
    world.health.report(RIVAL, circuit=health_pb2.CIRCUIT_STATE_CLOSED, traffic_share=0)

    assert (await world.decision()).chosen.offer == RIVAL


async def test_panic_is_told_in_the_decision_and_its_reason(world: World) -> None:
    for offer in (SMALL, LARGE):
        world.health.report(offer, circuit=health_pb2.CIRCUIT_STATE_OPEN, score=0.5)

    decision = await world.decision()

    assert decision.panic
    assert {each.offer for each in decision.candidates} == {SMALL, LARGE, RIVAL}
    assert decision.reason.endswith("circuits were ignored because most are open.")


async def test_no_panic_is_told_of_a_usual_decision(world: World) -> None:
    decision = await world.decision()

    assert not decision.panic
    assert not decision.probe_permit


@pytest.fixture
async def client(world: World, clock: FakeClock) -> AsyncIterator[HealthClient]:
    async with grpc.aio.insecure_channel(str(world.hosts["health"].address)) as channel:
        yield HealthClient(channel, clock)


async def ask(client: HealthClient, offer: str) -> OfferHealth:
    report = await client.ask([offer], 10.0).answer()
    assert report is not None
    return report.by_offer[offer]


async def test_a_permit_lapses_here_before_health_takes_it_back(
    world: World, client: HealthClient, clock: FakeClock
) -> None:
    world.health.report(RIVAL, **HALF_OPEN)
    world.health.permits[RIVAL] = "permit_1"
    await ask(client, RIVAL)

    await clock.advance(KEEP_SECONDS - 0.01)
    assert client.holds_permit(RIVAL)
    await clock.advance(0.01)

    assert not client.holds_permit(RIVAL)
    assert client.take_permit(RIVAL) == ""


async def test_a_permit_is_kept_while_health_gives_no_other(
    world: World, client: HealthClient
) -> None:
    world.health.report(RIVAL, **HALF_OPEN)
    world.health.permits[RIVAL] = "permit_1"
    await ask(client, RIVAL)
    await ask(client, RIVAL)

    assert client.take_permit(RIVAL) == "permit_1"
    assert not client.holds_permit(RIVAL)


@pytest.mark.parametrize(
    "circuit", [health_pb2.CIRCUIT_STATE_CLOSED, health_pb2.CIRCUIT_STATE_OPEN]
)
async def test_a_permit_is_forgotten_when_the_circuit_is_no_longer_half_open(
    world: World, client: HealthClient, circuit: "health_pb2.CircuitState.ValueType"
) -> None:
    world.health.report(RIVAL, **HALF_OPEN)
    world.health.permits[RIVAL] = "permit_1"
    await ask(client, RIVAL)

    world.health.report(RIVAL, circuit=circuit)
    await ask(client, RIVAL)

    assert not client.holds_permit(RIVAL)


async def test_a_half_open_offer_is_ranked_as_if_it_were_well_so_that_it_is_asked_about(
    world: World, client: HealthClient
) -> None:
    world.health.report(RIVAL, **HALF_OPEN)

    health = await ask(client, RIVAL)

    assert health.condition is Condition.HALF_OPEN
    assert client.overview()[RIVAL].condition is Condition.HALF_OPEN


async def test_an_open_circuit_whose_time_is_over_does_not_keep_its_offer_from_being_asked_about(
    world: World, client: HealthClient, clock: FakeClock
) -> None:
    retry_time = Timestamp()
    retry_time.FromDatetime(clock.now() + timedelta(seconds=5))
    world.health.report(
        RIVAL, circuit=health_pb2.CIRCUIT_STATE_OPEN, score=0.1, retry_time=retry_time
    )
    await ask(client, RIVAL)
    assert client.overview()[RIVAL].condition is Condition.CIRCUIT_OPEN

    await clock.advance(5)

    assert RIVAL not in client.overview()


async def test_growing_shares_of_traffic_do_not_make_rankings_anew(
    world: World, client: HealthClient, clock: FakeClock
) -> None:
    facts: dict[str, Any] = {"circuit": health_pb2.CIRCUIT_STATE_CLOSED, "latency_p50": None}
    world.health.report(RIVAL, traffic_share=0.2, score=0.8, **facts)
    assert (await ask(client, RIVAL)).traffic_share == pytest.approx(0.2)
    before = client.overview()

    world.health.report(RIVAL, traffic_share=0.6, score=0.8, **facts)
    await ask(client, RIVAL)
    await clock.advance(5)

    assert client.overview() is before


def test_the_oldest_permits_go_beyond_the_bound(clock: FakeClock) -> None:
    wallet = PermitWallet(clock)
    for number in range(MAX_PERMITS + 1):
        wallet.put(f"p/{number}", "permit")

    assert len(wallet) == MAX_PERMITS
    assert not wallet.holds("p/0")
    assert wallet.take("p/1") == "permit"


class HastyHealth(KnownHealth):
    """Says that there is a permit, which somebody else has by then."""

    def holds_permit(self, offer: str) -> bool:
        return True


async def test_a_decision_whose_permit_is_gone_is_made_again_without_it() -> None:
    offers = [an_offer(f"p{number}/m", quality=90 - number) for number in range(5)]
    half_open = OfferHealth(condition=Condition.HALF_OPEN)
    health = HastyHealth({"p0/m": half_open, "p1/m": half_open})
    cards = {offer.offer: a_card() for offer in offers}
    route = routing(a_catalog(*offers), cards, SystemClock(), health=health)
    order = RouteOrder(RequestShape(task_text="hello", text="hello"), Policy())

    decision = await route.route(order, tenant_id="local", ask_seconds=1)

    assert [each.offer.offer for each in decision.candidates] == ["p2/m", "p3/m", "p4/m"]
    assert {each.offer: each.detail for each in decision.rejected} == {
        "p0/m": "Its circuit is open.",
        "p1/m": "Its circuit is open.",
    }
    assert decision.probe_permit == ""
