"""The query of `GET /api/ai/pricing/cheapest`."""

from pydantic import BaseModel, ConfigDict

from steelyard.pricing.v1.pricing_service_pb2 import ListCheapestRequest
from steelyard_edge.inputs.enum_names import MODES
from steelyard_edge.inputs.query import (
    Capabilities,
    Limit,
    Mode,
    Provider,
    Tokens,
    to_capabilities,
    to_mix,
)


class CheapestQuery(BaseModel):
    """Which offers to rank, and by what."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    limit: Limit = 10
    mode: Mode = None
    provider: Provider = ""
    capabilities: Capabilities = None
    input_tokens: Tokens = None
    output_tokens: Tokens = None

    def to_request(self) -> ListCheapestRequest:
        """Return the call that answers it.

        Raises:
            InvalidFieldError: The mode or a capability is none.
        """
        return ListCheapestRequest(
            limit=self.limit,
            mode=MODES.number(self.mode, "mode"),
            provider=self.provider,
            capabilities=to_capabilities(self.capabilities),
            usage=to_mix(self.input_tokens, self.output_tokens),
        )
