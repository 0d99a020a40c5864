"""`steelyard estimate`."""

from typing import Any

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_cli.output import money, per_1m, print_facts, print_json, print_table, usd
from steelyard_cli.services import Connection, ask

PARTS = ("input", "cache_read", "cache_write", "output", "reasoning", "media", "request")


def show_estimate(
    model: str,
    *,
    input_tokens: int | None,
    output_tokens: int,
    prompt: str | None,
    as_json: bool,
) -> None:
    """Print what a usage, or a prompt, costs."""
    request = pb.EstimateCostRequest(model=model)
    if input_tokens is None:
        request.prompt = prompt or ""
        request.expected_output_token_count = output_tokens
    else:
        usage = Usage(uncached_input_token_count=input_tokens, output_token_count=output_tokens)
        request.usage.CopyFrom(usage)

    async def question(connection: Connection) -> pb.EstimateCostResponse:
        stub = PricingServiceStub(connection.channel)
        return await stub.EstimateCost(request, timeout=connection.seconds)

    answer = ask("pricing", question)
    if as_json:
        print_json(as_document(model, answer))
    else:
        _print(answer)


def as_document(model: str, answer: pb.EstimateCostResponse) -> dict[str, Any]:
    """Return the estimate for JSON, with the names of the REST route."""
    usage = answer.usage
    return {
        "model": model,
        "offer": answer.offer,
        "input_tokens": usage.uncached_input_token_count + usage.cache_read_token_count,
        "output_tokens": usage.output_token_count + usage.reasoning_token_count,
        "estimated_cost_usd": usd(answer.cost.total_picodollars),
        "breakdown": {f"{part}_usd": usd(_part(answer, part)) for part in PARTS},
        "estimated": answer.estimated,
        "tokens_estimated": answer.tokens_estimated,
        "confidence": answer.confidence,
        "stale": answer.stale,
        "source": answer.source,
    }


def _part(answer: pb.EstimateCostResponse, part: str) -> int:
    picodollars: int = getattr(answer.cost, f"{part}_picodollars")
    return picodollars


def _print(answer: pb.EstimateCostResponse) -> None:
    print_facts(
        {
            "offer": answer.offer,
            "cost": money(answer.cost.total_picodollars)
            + (" (estimated)" if answer.estimated else ""),
            "source": answer.source + (", stale" if answer.stale else ""),
        }
    )
    print_table(
        ["usage", "quantity>", "per 1M>", "cost>"],
        [
            [rate.usage_class, f"{rate.quantity:,}", per_1m(rate.unit_picodollars),
             money(rate.cost_picodollars)]
            for rate in answer.rates
        ],
    )  # fmt: skip
