"""Commands about prices, asking a service that answers."""

import json
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from steelyard.common.v1.cost_pb2 import CostBreakdown
from steelyard.pricing.v1 import price_change_pb2 as change_pb
from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard_common.address import Address
from steelyard_common.server import Server
from steelyard_common.telemetry import Telemetry
from tests.cli.running_up import run_command
from tests.edge.fakes import GPT_4O, OBSERVED, FakePricing, a_price, a_rate, timestamp


@pytest.fixture
async def server(telemetry: Telemetry) -> AsyncIterator[Server]:
    """Return a server on a free port."""
    server = Server(Address("127.0.0.1", 0), telemetry=telemetry)
    yield server
    await server.stop(0)


@pytest.fixture
async def pricing(server: Server) -> FakePricing:
    """Return a fake pricing service that is served."""
    fake = FakePricing()  # type: ignore[abstract]
    server.add(pricing_grpc.add_PricingServiceServicer_to_server, fake)
    await server.start()
    await server.set_serving(serving=True)
    return fake


async def out_of(server: Server, *arguments: str) -> str:
    """Return what a command prints when it asks this server."""
    address = {"STEELYARD_PRICING_ADDRESS": f"127.0.0.1:{server.port}", "NO_COLOR": "1"}
    code, out, err = await run_command(*arguments, environment={**os.environ, **address})
    assert (code, err) == (0, "")
    return out


async def test_sellers_are_compared_over_all(pricing: FakePricing, server: Server) -> None:
    pricing.comparison = pb.CompareProvidersResponse(
        providers=[
            pb.ProviderComparison(
                provider="groq", offer_count=3, priced_count=2, mean_picodollars=10**12
            ),
            pb.ProviderComparison(provider="ollama", offer_count=1, free_count=1),
        ]
    )

    table = (await out_of(server, "compare")).splitlines()
    document = json.loads(await out_of(server, "compare", "--json"))

    assert table[2].split() == ["groq", "3", "2", "0", "$0", "$1", "$0"]
    assert table[3].split() == ["ollama", "1", "0", "1", "-", "-", "-"]
    assert [each["mean_usd"] for each in document["providers"]] == [1, None]
    assert document["model"] is None


async def test_sellers_of_one_model_are_compared(pricing: FakePricing, server: Server) -> None:
    pricing.comparison = pb.CompareProvidersResponse(
        offers=[
            pb.RankedOffer(
                price=a_price(stale=True), cost=CostBreakdown(total_picodollars=4_375 * 10**9)
            )
        ]
    )

    table = (await out_of(server, "compare", "gpt-4o")).splitlines()
    document = json.loads(await out_of(server, "compare", "gpt-4o", "--json"), parse_float=Decimal)

    assert table[2].split() == [GPT_4O, "$4.375", "$2.5", "$10", "litellm", "stale"]
    assert document["model"] == "gpt-4o"
    assert document["offers"][0]["cost_usd"] == Decimal("4.375")
    assert [request.model for request in pricing.requests] == ["gpt-4o", "gpt-4o"]


@pytest.fixture
def cut(pricing: FakePricing) -> change_pb.PriceChange:
    """Return a change, which is the newest of two."""
    half = a_rate(price_pb2.PRICE_COMPONENT_INPUT_TOKEN, 1_250_000)
    change = change_pb.PriceChange(
        offer=GPT_4O,
        kind=change_pb.PRICE_CHANGE_KIND_CHANGED,
        before=a_price(),
        after=a_price(GPT_4O, half),
        ratio=0.5,
        effective_time=timestamp(),
        observed_time=timestamp(),
        snapshot_version=8,
    )
    older = change_pb.PriceChange(
        offer="groq/x",
        kind=change_pb.PRICE_CHANGE_KIND_ADDED,
        after=a_price("groq/x"),
        observed_time=timestamp(OBSERVED - timedelta(days=9)),
    )
    pricing.changes = [change, older]
    return change


@pytest.mark.usefixtures("cut")
async def test_changes_show_what_was_and_what_is(server: Server) -> None:
    table = (await out_of(server, "changes")).splitlines()
    document = json.loads(await out_of(server, "changes", "--json"), parse_float=Decimal)

    assert table[1].split() == [
        "2026-11-01", "12:00", GPT_4O, "changed", "$2.5", "→", "$1.25", "$10", "→", "-", "0.5",
    ]  # fmt: skip
    assert table[2].split()[2:7] == ["groq/x", "added", "-", "→", "$2.5"]
    assert document["total_count"] == 2
    assert document["changes"][0]["after"]["input_usd_per_1m_tokens"] == Decimal("1.25")
    assert document["changes"][0]["observed_time"] == "2026-11-01T12:00:00Z"
    assert document["changes"][1]["before"] is None
    assert document["changes"][1]["ratio"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["--since", "2026-11-01"],
        ["--since", "2026-11-01T12:00:00"],
        ["--since", "2026-11-01T12:00:00Z"],
        ["--since", "2026-11-01T13:00:00+01:00"],
        ["--offer", GPT_4O],
    ],
    ids=" ".join,
)
async def test_changes_are_filtered(
    cut: change_pb.PriceChange, server: Server, arguments: list[str]
) -> None:
    document = json.loads(await out_of(server, "changes", "--json", *arguments))

    assert [each["offer"] for each in document["changes"]] == [cut.offer]


@pytest.mark.usefixtures("cut")
async def test_changes_beyond_the_limit_are_counted(server: Server) -> None:
    assert "1 of 2; see more with --limit" in await out_of(server, "changes", "--limit", "1")
