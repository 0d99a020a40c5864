"""`steelyard prices`."""

from typing import Any

from steelyard.pricing.v1 import price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard.pricing.v1.price_pb2 import Price, PriceComponent
from steelyard.pricing.v1.pricing_service_pb2_grpc import PricingServiceStub
from steelyard_cli.output import (
    UNITS_PER_1M,
    money,
    per_1m,
    print_facts,
    print_json,
    print_line,
    print_table,
    usd,
)
from steelyard_cli.services import Connection, ask

STANDARD = "standard"
INPUT = price_pb2.PRICE_COMPONENT_INPUT_TOKEN
OUTPUT = price_pb2.PRICE_COMPONENT_OUTPUT_TOKEN
CACHE_READ = price_pb2.PRICE_COMPONENT_CACHE_READ_TOKEN


def show_prices(*, provider: str, matching: str, limit: int, as_json: bool) -> None:
    """Print one line per offer."""
    request = pb.ListPricesRequest(
        provider=provider, filter=matching, page_size=limit, include_unpriced=True
    )

    async def question(connection: Connection) -> pb.ListPricesResponse:
        stub = PricingServiceStub(connection.channel)
        return await stub.ListPrices(request, timeout=connection.seconds)

    answer = ask("pricing", question)
    total = answer.page_info.total_count
    if as_json:
        print_json({"total_count": total, "prices": [as_document(each) for each in answer.prices]})
        return
    print_table(
        ["offer", "input /1M>", "output /1M>", "cache read /1M>", "source", ""],
        [_row(each) for each in answer.prices],
    )
    if total > len(answer.prices):
        print_line(f"[dim]{len(answer.prices)} of {total}; see more with --limit[/dim]")


def show_price(name: str, *, as_json: bool) -> None:
    """Print every rate of one model, and what it costs elsewhere."""

    async def question(connection: Connection) -> pb.GetPriceResponse:
        stub = PricingServiceStub(connection.channel)
        return await stub.GetPrice(pb.GetPriceRequest(name=name), timeout=connection.seconds)

    answer = ask("pricing", question)
    if as_json:
        alternatives = [as_document(each) for each in answer.alternatives]
        print_json({**as_document(answer.price), "alternatives": alternatives})
        return
    print_facts({"offer": answer.price.offer, "source": _source(answer.price)})
    print_table(
        ["component", "tier", "above>", "per unit>", "per 1M>"],
        [
            [_component(rate), rate.service_tier or STANDARD,
             f"{rate.above_prompt_token_count:,}" if rate.above_prompt_token_count else "",
             money(rate.picodollars), per_1m(rate.picodollars)]
            for rate in answer.price.rates
        ],
    )  # fmt: skip
    if answer.alternatives:
        print_line()
        print_table(
            ["elsewhere", "input /1M>", "output /1M>", "cache read /1M>", "source", ""],
            [_row(each) for each in answer.alternatives],
        )


def as_document(price: Price) -> dict[str, Any]:
    """Return a price for JSON."""
    return {
        "offer": price.offer,
        "provider": price.provider,
        "model": price.model,
        "input_usd_per_1m_tokens": _usd_per_1m(price, INPUT),
        "output_usd_per_1m_tokens": _usd_per_1m(price, OUTPUT),
        "cache_read_usd_per_1m_tokens": _usd_per_1m(price, CACHE_READ),
        "rates": [
            {
                "component": _component(rate),
                "usd_per_unit": usd(rate.picodollars),
                "service_tier": rate.service_tier or STANDARD,
                "above_prompt_tokens": rate.above_prompt_token_count,
            }
            for rate in price.rates
        ],
        "free": price.free,
        "estimated": price.estimated,
        "stale": price.stale,
        "source": price.source,
    }


def _row(price: Price) -> list[str]:
    marks = [mark for mark in ("free", "estimated", "stale") if getattr(price, mark)]
    if not price.rates and not price.free:
        marks.append("unpriced")
    columns = [per_1m(base_rate(price, component)) for component in (INPUT, OUTPUT, CACHE_READ)]
    return [price.offer, *columns, price.source, ", ".join(marks)]


def _source(price: Price) -> str:
    marks = [price.source, "estimated" * price.estimated, "stale" * price.stale]
    return ", ".join(mark for mark in marks if mark)


def _component(rate: price_pb2.PriceRate) -> str:
    return PriceComponent.Name(rate.component).removeprefix("PRICE_COMPONENT_").lower()


def base_rate(price: Price, component: int) -> int | None:
    """Return the rate of the standard tier that holds for every prompt, all week."""
    for rate in price.rates:
        if (
            rate.component == component
            and rate.service_tier in {"", STANDARD}
            and not rate.above_prompt_token_count
            and not rate.windows
        ):
            return rate.picodollars
    return None


def _usd_per_1m(price: Price, component: int) -> Any:
    picodollars = base_rate(price, component)
    return usd(None if picodollars is None else picodollars * UNITS_PER_1M)
