"""Pricing services and registries that ask them, made for one test."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import grpc

from steelyard.common.v1 import model_traits_pb2 as traits
from steelyard.pricing.v1 import pricing_service_pb2 as pricing_pb
from steelyard.pricing.v1 import pricing_service_pb2_grpc as pricing_grpc
from steelyard.pricing.v1 import rate_card_pb2
from steelyard.registry.v1 import registry_service_pb2_grpc as pb_grpc
from steelyard_catalog.seed import read_seed
from steelyard_registry.adapters.curated_scores import read_curated_scores
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.live import LiveCatalogue
from steelyard_registry.domain.models import Model, State
from steelyard_registry.domain.modes import Mode
from steelyard_registry.domain.prices import OfferPrices, Prices
from steelyard_registry.domain.quality.blending import blend
from steelyard_registry.servicer import Neighbours
from tests.conftest import Serve
from tests.pricing.builders import litellm_body
from tests.registry.builders import TODAY, catalogue_of, curated
from tests.registry.serving import CatalogueServicer, FakeHealth


def a_card(offer: str, prompt: int, completion: int = 0, **fields: Any) -> rate_card_pb2.RateCard:
    """Return a card with one band, in picodollars per token."""
    band = rate_card_pb2.RateBand(input_picodollars=prompt, output_picodollars=completion)
    return rate_card_pb2.RateCard(offer=offer, bands=[band], **fields)


def a_model(name: str, score: float = 0.0) -> Model:
    """Return a model that nobody sells, with nothing but a name and a score."""
    return Model(
        model=name,
        maker="",
        mode=Mode.CHAT,
        offers=(),
        aliases=(),
        display_name="",
        capabilities=frozenset(),
        context_window=None,
        max_output_tokens=None,
        release_date=None,
        knowledge_cutoff=None,
        state=State.ACTIVE,
        quality=blend([curated(name, score)], TODAY),
    )


def shipped_catalogue() -> Catalogue:
    """Return a catalogue of everything that ships with the program."""
    models = {
        entry.offer: {
            **entry.fields,
            "litellm_provider": entry.provider,
            "mode": entry.mode or None,
        }
        for entry in read_seed().entries
    }
    return catalogue_of(
        json.loads(litellm_body(models)),  # decimals as what JSON has
        evidence=read_curated_scores(),
    )


class FakePricing(pricing_grpc.PricingServiceServicer):
    """Pricing whose cards the test publishes; it may take its time, or fail."""

    def __init__(self, *cards: rate_card_pb2.RateCard) -> None:
        self.version = 0
        self.cards: dict[int, list[rate_card_pb2.RateCard]] = {}
        self.asked: list[pricing_pb.ListRateCardsRequest] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.was_asked = asyncio.Event()
        self.is_down = False
        self.publish(*cards)

    def publish(
        self,
        *cards: rate_card_pb2.RateCard,
        mode: "traits.Mode.ValueType" = traits.MODE_CHAT,
    ) -> None:
        """Replace the cards of a mode, as a new version."""
        self.cards[mode] = list(cards)
        self.version += 1

    async def ListRateCards(
        self,
        request: pricing_pb.ListRateCardsRequest,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> pricing_pb.ListRateCardsResponse:
        self.asked.append(request)
        self.was_asked.set()
        await self.answers.wait()
        if self.is_down:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        known = request.known_version == self.version
        return pricing_pb.ListRateCardsResponse(
            rate_cards=[] if known else self.cards.get(request.mode, ()),
            snapshot_version=self.version,
        )


def fake_pricing(*cards: rate_card_pb2.RateCard) -> FakePricing:
    """Return a pricing service with cards for chat; what it does not define is UNIMPLEMENTED."""
    return FakePricing(*cards)  # type: ignore[abstract]


class FixedPrices:
    """Prices that do not change."""

    def __init__(self, blended: Mapping[str, int], version: int = 7) -> None:
        self._prices = OfferPrices(version, blended)

    async def current(self, timeout_seconds: float) -> OfferPrices:
        assert timeout_seconds > 0
        return self._prices


async def serve_queries(
    serve: Serve, catalogue: Catalogue, prices: Prices
) -> pb_grpc.RegistryServiceStub:
    """Serve a catalogue whose prices come from `prices`."""
    neighbours = Neighbours(health=FakeHealth(), prices=prices)
    servicer = CatalogueServicer(  # type: ignore[abstract]
        LiveCatalogue(catalogue), neighbours, asyncio.Event()
    )
    channel = await serve(pb_grpc.add_RegistryServiceServicer_to_server, servicer)
    return pb_grpc.RegistryServiceStub(channel)
