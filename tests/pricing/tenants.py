"""Tenants of the pricing service, as its callers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1 import price_override_pb2, price_pb2
from steelyard.pricing.v1 import pricing_service_pb2 as pb
from steelyard_common.tenant import (
    ALL_SCOPES,
    DEFAULT_WORKSPACE_ID,
    LOCAL_TENANT_ID,
    TenantContext,
)
from steelyard_pricing.domain.comparison import SEED
from steelyard_pricing.domain.rates import PriceFact
from steelyard_pricing.domain.snapshot import SourceFacts
from steelyard_pricing.domain.source import ServedCopy
from tests.pricing.builders import source_facts
from tests.pricing.conftest import CALL_SECONDS, RunningPricing

TENANT_HEADER = "x-tenant"
MIX = Usage(uncached_input_token_count=1000, output_token_count=500)
INPUT = price_pb2.PRICE_COMPONENT_INPUT_TOKEN
OUTPUT = price_pb2.PRICE_COMPONENT_OUTPUT_TOKEN


class HeaderAuthenticator:
    """Believes what a header says."""

    async def authenticate(self, metadata: Mapping[str, str]) -> TenantContext:
        tenant_id = metadata.get(TENANT_HEADER, LOCAL_TENANT_ID)
        return TenantContext(tenant_id, DEFAULT_WORKSPACE_ID, ALL_SCOPES)


def a_seed(*facts: PriceFact) -> Callable[[], tuple[SourceFacts, ServedCopy]]:
    """Return the reader of a catalogue that ships with the service."""
    return lambda: (source_facts(*facts, source=SEED), ServedCopy())


def rate(component: int, picodollars: int, **fields: Any) -> price_pb2.PriceRate:
    return price_pb2.PriceRate(component=component, picodollars=picodollars, **fields)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Caller:
    """One tenant of a running service."""

    pricing: RunningPricing
    tenant_id: str

    async def call(self, method: str, request: Message) -> Any:
        """Call any method as the tenant."""
        return await getattr(self.pricing.stub, method)(
            request, timeout=CALL_SECONDS, metadata=((TENANT_HEADER, self.tenant_id),)
        )

    async def quote(self, *offers: str, **fields: Any) -> list[pb.Quote]:
        request = pb.QuoteRequest(**{"usage": MIX, "offers": offers, **fields})
        return list((await self.call("Quote", request)).quotes)

    async def cost(self, offer: str, **fields: Any) -> int:
        """Return what 1000 prompt tokens and 500 of completion cost."""
        (quote,) = await self.quote(offer, **fields)
        assert not quote.failure
        return quote.cost.total_picodollars

    async def price(self, name: str, **fields: Any) -> price_pb2.Price:
        answer = await self.call("GetPrice", pb.GetPriceRequest(name=name, **fields))
        price: price_pb2.Price = answer.price
        return price

    async def override(self, **fields: Any) -> price_override_pb2.PriceOverride:
        """Set an override."""
        override = price_override_pb2.PriceOverride(**fields)
        answer = await self.call("SetOverride", pb.SetOverrideRequest(override=override))
        kept: price_override_pb2.PriceOverride = answer.override
        return kept

    async def overrides(self, **fields: Any) -> pb.ListOverridesResponse:
        answer = await self.call("ListOverrides", pb.ListOverridesRequest(**fields))
        assert isinstance(answer, pb.ListOverridesResponse)
        return answer

    async def end(self, override_id: str) -> None:
        await self.call("DeleteOverride", pb.DeleteOverrideRequest(override_id=override_id))

    async def rule(self, **fields: Any) -> price_override_pb2.MarginRule:
        """Set a margin rule."""
        rule = price_override_pb2.MarginRule(**fields)
        answer = await self.call("SetMarginRule", pb.SetMarginRuleRequest(rule=rule))
        kept: price_override_pb2.MarginRule = answer.rule
        return kept

    async def report(self, tenant_id: str = "") -> list[price_override_pb2.MarginEntry]:
        request = pb.GetMarginReportRequest(tenant_id=tenant_id)
        return list((await self.call("GetMarginReport", request)).entries)
