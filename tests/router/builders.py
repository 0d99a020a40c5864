"""Values with defaults, so that a test shows only what matters to it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.registry.v1 import model_pb2, quality_pb2
from steelyard.router.v1 import chat_pb2, decision_pb2
from steelyard.router.v1 import routing_service_pb2 as pb
from steelyard_router.domain.capability import mask
from steelyard_router.domain.catalog import Catalog, Offer, Provider, Quality
from steelyard_router.domain.health import UNKNOWN, OfferHealth
from steelyard_router.domain.policy import NAMED_WEIGHTS, Policy
from steelyard_router.domain.quoted import Quoted
from steelyard_router.domain.ranking import Criteria
from steelyard_router.domain.rates import Cost, RateBand, RateCard
from steelyard_router.domain.utility import trusted_quality

EVERYDAY_CAPABILITIES = (
    traits.CAPABILITY_TOOLS,
    traits.CAPABILITY_TOOL_CHOICE,
    traits.CAPABILITY_STRUCTURED_OUTPUT,
)


def an_offer(  # noqa: PLR0913 - one knob for each fact that tests vary
    offer: str = "openai/gpt-4.1-mini",
    *,
    model: str = "",
    quality: float = 88.0,
    uncertainty: float = 0.0,
    is_chat: bool = True,
    capabilities: Iterable[int] = EVERYDAY_CAPABILITIES,
    context_tokens: int = 128_000,
    max_output_tokens: int = 16_000,
    **facts: Any,
) -> Offer:
    provider, _, provider_model = offer.partition("/")
    return Offer(
        offer=offer,
        model=model or provider_model.rpartition("/")[2],
        provider=provider,
        is_chat=is_chat,
        capabilities=mask(capabilities),
        quality=Quality(quality, uncertainty, "curated"),
        context_tokens=context_tokens,
        max_output_tokens=max_output_tokens,
        **facts,
    )


def a_catalog(*offers: Offer, unroutable: Iterable[str] = (), version: int = 1) -> Catalog:
    """Return a catalogue whose providers are all routable but for the named ones."""
    closed = set(unroutable)
    providers = [
        Provider(name, is_routable=name not in closed, needs_key=name != "ollama")
        for name in sorted({offer.provider for offer in offers})
    ]
    return Catalog.of(version, offers, providers)


def a_card(input_picodollars: int = 400_000, output_picodollars: int = 1_600_000) -> RateCard:
    """Return a card; the defaults are 0.40 and 1.60 USD per million tokens."""
    return RateCard((RateBand(0, input_picodollars, output_picodollars),))


def criteria(**changes: Any) -> Criteria:
    plain = Criteria(
        needed_capabilities=0,
        quality_floor=0.0,
        weights=NAMED_WEIGHTS["balanced"],
        prompt_tokens=64,
        output_tokens=256,
    )
    return plain._replace(**changes)


def quoted(
    offer: str = "openai/gpt-4.1-mini",
    *,
    usd: float | None = 0.001,
    health: OfferHealth = UNKNOWN,
    quality: float = 88.0,
    uncertainty: float = 0.0,
) -> Quoted:
    """Return a shortlisted offer; its whole cost is for output."""
    picodollars = None if usd is None else round(usd * 10**12)
    cost = None if picodollars is None else Cost(total=picodollars, output=picodollars)
    described = an_offer(offer, quality=quality, uncertainty=uncertainty)
    return Quoted(
        offer=described,
        quality=quality,
        trusted_quality=trusted_quality(quality, uncertainty),
        cost=cost,
        is_price_estimated=False,
        health=health,
        key_present=False,
    )


def a_policy(name: str = "balanced", **changes: Any) -> Policy:
    return Policy(name=name, weights=NAMED_WEIGHTS[name], **changes)


def a_request(
    text: str = "Who was Ada Lovelace?",
    *,
    policy: Mapping[str, Any] | None = None,
    explanation: "pb.Explanation.ValueType" = pb.EXPLANATION_UNSPECIFIED,
    **request: Any,
) -> pb.RouteRequest:
    """Return a request of one user message."""
    messages = request.pop("messages", [chat_pb2.Message(role=chat_pb2.ROLE_USER, text=text)])
    return pb.RouteRequest(
        request=chat_pb2.ChatRequest(messages=messages, **request),
        policy=decision_pb2.RoutingPolicy(**(policy or {})),
        explanation=explanation,
    )


def a_tool(name: str = "get_weather") -> chat_pb2.Tool:
    return chat_pb2.Tool(name=name, description="Weather of a place.", parameters_json="{}")


def a_model(  # noqa: PLR0913 - one knob for each fact that tests vary
    model: str,
    *providers: str,
    quality: float = 88.0,
    uncertainty: float = 0.0,
    mode: "traits.Mode.ValueType" = traits.MODE_CHAT,
    capabilities: Sequence["traits.Capability.ValueType"] = EVERYDAY_CAPABILITIES,
    context_tokens: int = 128_000,
    max_output_tokens: int = 16_000,
    state: "model_pb2.LifecycleState.ValueType" = model_pb2.LIFECYCLE_STATE_ACTIVE,
    aliases: Sequence[str] = (),
) -> model_pb2.Model:
    """Return a model of the registry with one offer at each provider."""
    return model_pb2.Model(
        model=model,
        mode=mode,
        aliases=aliases,
        state=state,
        quality=quality_pb2.Quality(
            score=quality, uncertainty=uncertainty, basis=quality_pb2.QUALITY_BASIS_CURATED
        ),
        offers=[
            model_pb2.Offer(
                offer=f"{provider}/{model}",
                provider=provider,
                provider_model=model,
                model=model,
                mode=mode,
                capabilities=capabilities,
                max_input_token_count=context_tokens,
                max_output_token_count=max_output_tokens,
                state=state,
            )
            for provider in providers
        ],
    )


def a_provider(provider: str, *, routable: bool = True) -> model_pb2.Provider:
    return model_pb2.Provider(
        provider=provider, routable=routable, auth_style=model_pb2.AUTH_STYLE_BEARER
    )


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)
