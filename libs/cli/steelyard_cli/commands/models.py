"""`steelyard models`."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Any

from steelyard.common.v1.model_traits_pb2 import Capability, Mode
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard.registry.v1.model_pb2 import (
    LIFECYCLE_STATE_DEPRECATED,
    DeprecationReason,
    LifecycleState,
    Model,
    Offer,
)
from steelyard.registry.v1.registry_service_pb2_grpc import RegistryServiceStub
from steelyard_cli.commands.quality import quality_document, score_text
from steelyard_cli.failure import EXIT_USAGE, CommandError
from steelyard_cli.output import UNKNOWN, day_if, label, print_json, print_line, print_table
from steelyard_cli.services import Connection, ask

BEST_FIRST = "quality desc"
MAX_USD_PER_MILLION = 1_000_000
PICODOLLARS_PER_USD_PER_MILLION = Decimal(1_000_000)
SHOWN_SELLERS = 3

_FLOOR = Context(prec=40, rounding=ROUND_FLOOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for, as it was typed."""

    words: str
    provider: str
    capabilities: Sequence[str]
    min_quality: float
    min_context: int
    max_price: str | None
    """USD for a million tokens; None means any."""

    def to_filter(self) -> pb.ModelFilter:
        """Return the conditions beside the words.

        Raises:
            CommandError: A capability or the price is none.
        """
        return pb.ModelFilter(
            provider=self.provider,
            capabilities=[_capability(each) for each in self.capabilities],
            min_quality=self.min_quality,
            min_context_window_token_count=self.min_context,
            max_blended_picodollars=_per_token(self.max_price),
        )


def show_models(wanted: Wanted, *, by_quality: bool, limit: int, as_json: bool) -> None:
    """Print one line per model: the best match first, or with `by_quality` the best model."""
    condition = wanted.to_filter()
    models, total = (
        _best(wanted, condition, limit) if by_quality else _search(wanted, condition, limit)
    )
    if as_json:
        documents = [as_document(each) for each in models]
        print_json({"count": len(models), "total_count": total, "models": documents})
        return
    print_table(
        ["model", "maker", "quality>", "evidence", "context>", "sold by", ""],
        [_row(each) for each in models],
    )
    if total > len(models):
        print_line(f"[dim]{len(models)} of {total}; see more with --limit[/dim]")


def as_document(model: Model) -> dict[str, Any]:
    """Return a model for JSON, with the names of the REST route."""
    return {
        "model": model.model,
        "maker": model.maker or None,
        "display_name": model.display_name or None,
        "mode": label(Mode, model.mode, "MODE_"),
        "capabilities": [label(Capability, each, "CAPABILITY_") for each in model.capabilities],
        "context_window": model.context_window_token_count or None,
        "max_output_tokens": model.max_output_token_count or None,
        "release_date": day_if(model, "release_date"),
        "knowledge_cutoff": day_if(model, "knowledge_cutoff_date"),
        "state": label(LifecycleState, model.state, "LIFECYCLE_STATE_"),
        "quality": quality_document(model.quality) if model.HasField("quality") else None,
        "providers": _sellers(model),
        "offers": [_offer(each) for each in model.offers],
    }


def _search(wanted: Wanted, condition: pb.ModelFilter, limit: int) -> tuple[Sequence[Model], int]:
    request = pb.SearchModelsRequest(query=wanted.words, filter=condition, limit=limit)

    async def question(connection: Connection) -> pb.SearchModelsResponse:
        stub = RegistryServiceStub(connection.channel)
        return await stub.SearchModels(request, timeout=connection.seconds)

    answer = ask("registry", question)
    return answer.models, answer.total_count


def _best(wanted: Wanted, condition: pb.ModelFilter, limit: int) -> tuple[Sequence[Model], int]:
    condition.words = wanted.words
    request = pb.ListModelsRequest(filter=condition, order_by=BEST_FIRST, page_size=limit)

    async def question(connection: Connection) -> pb.ListModelsResponse:
        stub = RegistryServiceStub(connection.channel)
        return await stub.ListModels(request, timeout=connection.seconds)

    answer = ask("registry", question)
    return answer.models, answer.page_info.total_count


def _row(model: Model) -> list[str]:
    has_quality = model.HasField("quality")
    marks = ["stale"] if model.quality.stale else []
    if model.state == LIFECYCLE_STATE_DEPRECATED:
        marks.append("deprecated")
    context = model.context_window_token_count
    return [
        model.model,
        model.maker or UNKNOWN,
        score_text(model.quality) if has_quality else UNKNOWN,
        (quality_document(model.quality)["basis"] or "") if has_quality else "",
        f"{context:,}" if context else UNKNOWN,
        _shortened(_sellers(model)),
        ", ".join(marks),
    ]


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "offer": offer.offer,
        "provider": offer.provider,
        "capabilities": [label(Capability, each, "CAPABILITY_") for each in offer.capabilities],
        "inferred_capabilities": [
            label(Capability, each, "CAPABILITY_") for each in offer.inferred_capabilities
        ],
        "state": label(LifecycleState, offer.state, "LIFECYCLE_STATE_"),
        "deprecation_date": day_if(offer, "deprecation_date"),
        "deprecation_reason": label(
            DeprecationReason, offer.deprecation_reason, "DEPRECATION_REASON_"
        ),
    }


def _sellers(model: Model) -> list[str]:
    return list(dict.fromkeys(each.provider for each in model.offers))


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_SELLERS
    shown = ", ".join(names[:SHOWN_SELLERS])
    return f"{shown} and {more} more" if more > 0 else shown


def _capability(name: str) -> "Capability.ValueType":
    allowed = {
        each.removeprefix("CAPABILITY_").lower(): number
        for each, number in Capability.items()
        if number
    }
    if name not in allowed:
        raise CommandError(
            f"--capability must be one of {', '.join(allowed)}", exit_code=EXIT_USAGE
        )
    return allowed[name]


def _per_token(usd_per_million: str | None) -> int | None:
    """Return the picodollars of one token; prices are whole ones, so a fraction more buys none."""
    if usd_per_million is None:
        return None
    try:
        usd = Decimal(usd_per_million)
    except InvalidOperation:
        usd = Decimal("NaN")
    if not usd.is_finite() or not 0 <= usd <= MAX_USD_PER_MILLION:
        raise CommandError(
            f"--max-price must be USD for a million tokens, from 0 to {MAX_USD_PER_MILLION:,}",
            exit_code=EXIT_USAGE,
        )
    exact = _FLOOR.multiply(usd, PICODOLLARS_PER_USD_PER_MILLION)
    return int(exact.to_integral_value(ROUND_FLOOR))
