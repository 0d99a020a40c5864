"""Several quotes in one call, through the front door."""

import grpc
import pytest

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_pricing.messages.requests import MAX_BATCH
from tests.fakes import FakeFeedServer
from tests.pricing.builders import litellm_body
from tests.pricing.conftest import RunningPricing, Start
from tests.pricing.failures import failure_of

INVALID = grpc.StatusCode.INVALID_ARGUMENT, "ERROR_REASON_INVALID_FIELD"
OFFERS = ("gpt-4o", "no-such", "google/gemini-2.5-pro", "ollama/llama3", "xai/grok-4")


def a_request(
    prompt: int = 1000, completion: int = 500, *, offers: tuple[str, ...] = OFFERS, tier: str = ""
) -> pb.QuoteRequest:
    usage = Usage(uncached_input_token_count=prompt, output_token_count=completion)
    return pb.QuoteRequest(usage=usage, offers=offers, service_tier=tier)


async def batch(pricing: RunningPricing, *requests: pb.QuoteRequest) -> pb.BatchQuoteResponse:
    return await pricing.stub.BatchQuote(pb.BatchQuoteRequest(requests=requests), timeout=30)


async def test_a_batch_answers_what_each_quote_by_itself_does(seeded: RunningPricing) -> None:
    with_rates = a_request(7, 0, offers=("gpt-4o",))
    with_rates.options.include_rates = True
    requests = [a_request(), a_request(300_000, 2), a_request(tier="batch"), with_rates]

    answer = await batch(seeded, *requests)

    alone = [await seeded.stub.Quote(request, timeout=30) for request in requests]
    assert list(answer.responses) == alone
    assert len({each.SerializeToString() for each in alone}) == len(requests)


async def test_all_answers_of_a_batch_come_from_one_snapshot(
    start: Start, feeds: FakeFeedServer
) -> None:
    entry = {"litellm_provider": "acme", "mode": "chat", "output_cost_per_token": 0}
    priced = {"acme/one": entry | {"input_cost_per_token": 0.0005}}
    pricing = await start(litellm_url=feeds.publish("/map", litellm_body(priced)))
    await pricing.refresh("litellm")
    requests = [a_request(1, 0, offers=("acme/one",))] * 3
    before = await batch(pricing, *requests)

    priced["acme/one"]["input_cost_per_token"] = 0.0006
    feeds.publish("/map", litellm_body(priced))
    await pricing.refresh("litellm")
    after = await batch(pricing, *requests)

    for answer, picodollars in ((before, 5 * 10**8), (after, 6 * 10**8)):
        assert {each.quotes[0].cost.total_picodollars for each in answer.responses} == {picodollars}
        assert len({each.snapshot_version for each in answer.responses}) == 1
    assert after.responses[0].snapshot_version > before.responses[0].snapshot_version


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
async def test_a_batch_has_1_to_64_requests(seeded: RunningPricing, count: int) -> None:
    code, reason, metadata = await failure_of(batch(seeded, *[a_request()] * count))

    assert (code, reason) == INVALID
    assert metadata["field"] == "requests"


async def test_a_full_batch_is_answered(seeded: RunningPricing) -> None:
    answer = await batch(seeded, *(a_request(prompt) for prompt in range(MAX_BATCH)))

    costs = [each.quotes[0].cost.total_picodollars for each in answer.responses]
    assert len(costs) == MAX_BATCH
    assert costs == sorted(set(costs))


@pytest.mark.parametrize(
    ("request_message", "field"),
    [
        (a_request(offers=()), "requests[1].offers"),
        (a_request(offers=("x",) * 101), "requests[1].offers"),
        (a_request(offers=("gpt-4o", "x" * 513)), "requests[1].offers[1]"),
        (pb.QuoteRequest(offers=["gpt-4o"]), "requests[1].usage"),
        (a_request(-1), "requests[1].usage.uncached_input_token_count"),
        (a_request(tier="x" * 65), "requests[1].service_tier"),
    ],
)
async def test_a_bad_field_is_named_with_the_request_that_it_is_in(
    seeded: RunningPricing, request_message: pb.QuoteRequest, field: str
) -> None:
    code, reason, metadata = await failure_of(
        batch(seeded, a_request(), request_message, a_request())
    )

    assert (code, reason) == INVALID
    assert metadata["field"] == field
