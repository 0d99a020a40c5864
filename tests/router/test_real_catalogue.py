"""Random requests over every offer of a real catalogue."""

import random
from pathlib import Path

import pytest

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.router.v1 import chat_pb2, decision_pb2
from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_common.errors import NoEligibleOfferError
from steelyard_router.domain.capability import Capability
from steelyard_router.domain.decision import Decision, RouteOrder
from steelyard_router.domain.policy import NAMED_WEIGHTS
from steelyard_router.domain.requirements import needed_capabilities
from steelyard_router.domain.tier import Tier
from steelyard_router.messages.decision import DecisionWriter
from steelyard_router.messages.order import to_order
from tests.fakes import FakeClock
from tests.router.builders import a_request, a_tool
from tests.router.in_process import routing
from tests.router.real_catalog import ROUTABLE, RealWorld, real_world

REQUESTS = 2_500
WORDS = ("hello", "explain", "write a function", "prove", "that", "python", "民法", "summary")


@pytest.fixture(scope="module")
def real(real_data: Path) -> RealWorld:
    return real_world(real_data)


def random_request(dice: random.Random) -> pb.RouteRequest:
    """Return anything that a caller may sensibly ask."""
    image = chat_pb2.ContentPart(image=chat_pb2.Media(url="https://example.com/x.png"))
    text = " ".join(dice.choices(WORDS, k=dice.choice([1, 5, 40, 400])))
    parts = [chat_pb2.ContentPart(text=text), *([image] if dice.random() < 0.1 else [])]
    message = chat_pb2.Message(role=chat_pb2.ROLE_USER, parts=parts)
    request = a_request(
        messages=[message],
        model=dice.choice(["", "auto", "auto:cheap", "auto:best", "tier:standard", "gpt-4o-mini"]),
        tools=[a_tool()] if dice.random() < 0.3 else [],
        policy={"name": dice.choice(list(NAMED_WEIGHTS))} if dice.random() < 0.2 else {},
    )
    if request.request.model.startswith("auto:"):
        request.policy.ClearField("name")
    if dice.random() < 0.1:
        request.request.max_output_token_count = dice.choice([1, 500, 8_000, 60_000])
    if dice.random() < 0.1:
        request.request.response_format.type = chat_pb2.RESPONSE_FORMAT_TYPE_JSON_SCHEMA
        request.request.response_format.schema_json = "{}"
    if dice.random() < 0.1:
        request.policy.denied_providers.append(dice.choice(sorted(ROUTABLE)))
    if dice.random() < 0.05:
        request.policy.required_capabilities.append(traits.CAPABILITY_PDF_INPUT)
    if dice.random() < 0.05:
        request.policy.max_cost_picodollars = 10 ** dice.randint(7, 11)
    return request


def check(real: RealWorld, order: RouteOrder, decision: Decision, clock: FakeClock) -> None:
    """Raise unless every candidate could truly serve the request."""
    needed = needed_capabilities(order.shape) | order.policy.required_capabilities
    window = decision.usage.prompt_tokens + decision.usage.output_tokens
    for candidate in (*decision.candidates, *decision.fallbacks):
        offer = real.catalog.by_id[candidate.offer.offer]
        assert offer.is_chat, offer
        assert offer.provider in ROUTABLE, offer
        assert offer.provider not in order.policy.denied_providers, offer
        assert offer.is_served_on(clock.now().date()), offer
        assert offer.capabilities & needed == needed, offer
        assert offer.window >= window, offer
        assert offer.offer in real.cards, offer
        assert candidate.cost is not None
        limit = order.policy.max_cost_picodollars
        assert limit is None or candidate.cost.total <= limit, offer
    listed = len(decision.candidates) + sum(decision.rejection_counts.values())
    assert listed == len(real.catalog.offers), "every offer is a candidate or counted"


@pytest.mark.real_data
async def test_no_random_request_is_sent_where_it_cannot_be_served(
    real: RealWorld, clock: FakeClock
) -> None:
    route = routing(real.catalog, real.cards, clock).route
    dice = random.Random(20261102)  # noqa: S311 - the same requests in every run
    refused = 0

    for _ in range(REQUESTS):
        order = to_order(random_request(dice))
        try:
            decision = await route(order, tenant_id="local", ask_seconds=1)
        except NoEligibleOfferError:
            refused += 1
        else:
            check(real, order, decision, clock)

    assert refused < REQUESTS / 20


@pytest.mark.real_data
async def test_q3_names_of_makers_in_other_sellers_ids_do_not_make_them_theirs(
    real: RealWorld, clock: FakeClock
) -> None:
    keys = frozenset({"openai", "anthropic", "deepseek"})
    route = routing(real.catalog, real.cards, clock, keys=keys).route

    decision = await route(to_order(a_request()), tenant_id="local", ask_seconds=1)

    assert {each.offer.provider for each in decision.candidates} <= keys
    resold = [offer for offer in real.catalog.offers if "/openai/" in f"/{offer.offer[1:]}"]
    assert resold
    assert not {offer.offer for offer in resold} & {c.offer.offer for c in decision.candidates}


@pytest.mark.real_data
async def test_q4_with_tools_claude_and_gemini_stay_eligible(
    real: RealWorld, clock: FakeClock
) -> None:
    able = [
        offer
        for offer in real.catalog.offers
        if offer.provider in {"anthropic", "google"}
        and offer.is_chat
        and offer.capabilities >> Capability.TOOLS & 1
        and offer.is_served_on(clock.now().date())
    ]
    assert {offer.provider for offer in able} == {"anthropic", "google"}

    for provider in ("anthropic", "google"):
        policy = {"allowed_providers": [provider], "tier": Tier.MICRO}
        request = a_request(tools=[a_tool()], policy=policy)
        route = routing(real.catalog, real.cards, clock).route
        decision = await route(to_order(request), tenant_id="local", ask_seconds=1)
        assert decision.candidates


@pytest.mark.real_data
async def test_the_same_request_gives_the_same_decision_on_a_fresh_router(
    real: RealWorld, clock: FakeClock
) -> None:
    async def decided() -> decision_pb2.Decision:
        order = to_order(a_request("Compare three sorting algorithms."))
        route = routing(real.catalog, real.cards, clock).route
        message = DecisionWriter().write(await route(order, tenant_id="local", ask_seconds=1))
        message.ClearField("decision_id")
        return message

    assert await decided() == await decided()
