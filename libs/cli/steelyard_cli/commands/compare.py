"""`steelyard compare`."""

from typing import Any

from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_cli.commands.prices import INPUT, OUTPUT, base_rate
from steelyard_cli.output import money, per_1m, print_json, print_table, usd
from steelyard_cli.services import Connection, ask

MIX = "cost of 750,000 prompt and 250,000 completion tokens"


def show_comparison(model: str, *, as_json: bool) -> None:
    """Print one line per seller, or with a model what it costs at each."""
    request = pb.CompareProvidersRequest(model=model)

    async def question(connection: Connection) -> pb.CompareProvidersResponse:
        stub = PricingServiceStub(connection.channel)
        return await stub.CompareProviders(request, timeout=connection.seconds)

    answer = ask("pricing", question)
    if as_json:
        print_json(as_document(model, answer))
    elif model:
        _print_offers(answer)
    else:
        _print_sellers(answer)


def as_document(model: str, answer: pb.CompareProvidersResponse) -> dict[str, Any]:
    """Return the comparison for JSON, with the names of the REST route."""
    return {
        "model": model or None,
        "providers": [
            {
                "provider": each.provider,
                "offer_count": each.offer_count,
                "priced_count": each.priced_count,
                "free_count": each.free_count,
                "min_usd": usd(_if_priced(each, each.min_picodollars)),
                "mean_usd": usd(_if_priced(each, each.mean_picodollars)),
                "max_usd": usd(_if_priced(each, each.max_picodollars)),
                "cheapest_offer": each.cheapest_offer or None,
            }
            for each in answer.providers
        ],
        "offers": [
            {
                "offer": each.price.offer,
                "provider": each.price.provider,
                "model": each.price.model,
                "cost_usd": usd(each.cost.total_picodollars),
                "estimated": each.price.estimated,
                "stale": each.price.stale,
            }
            for each in answer.offers
        ],
        "snapshot_version": answer.snapshot_version,
    }


def _print_sellers(answer: pb.CompareProvidersResponse) -> None:
    print_table(
        ["provider", "offers>", "priced>", "free>", "min>", "mean>", "max>", "cheapest"],
        [
            [each.provider, f"{each.offer_count:,}", f"{each.priced_count:,}",
             f"{each.free_count:,}", money(_if_priced(each, each.min_picodollars)),
             money(_if_priced(each, each.mean_picodollars)),
             money(_if_priced(each, each.max_picodollars)), each.cheapest_offer]
            for each in answer.providers
        ],
        title=MIX,
    )  # fmt: skip


def _print_offers(answer: pb.CompareProvidersResponse) -> None:
    print_table(
        ["offer", "cost>", "input /1M>", "output /1M>", "source", ""],
        [
            [each.price.offer, money(each.cost.total_picodollars),
             per_1m(base_rate(each.price, INPUT)), per_1m(base_rate(each.price, OUTPUT)),
             each.price.source, _marks(each)]
            for each in answer.offers
        ],
        title=MIX,
    )  # fmt: skip


def _marks(ranked: pb.RankedOffer) -> str:
    return ", ".join(mark for mark in ("estimated", "stale") if getattr(ranked.price, mark))


def _if_priced(comparison: pb.ProviderComparison, picodollars: int) -> int | None:
    return picodollars if comparison.priced_count else None
