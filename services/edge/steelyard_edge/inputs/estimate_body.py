"""The body of `POST /api/ai/pricing/estimate`."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1.pricing_service_pb2 import EstimateCostRequest

MAX_COUNT = 50_000_000
DEFAULT_MODEL = "gpt-4o-mini"
DEFAULT_OUTPUT_TOKENS = 500

Count = Annotated[int, Field(strict=True, ge=0, le=MAX_COUNT)]


class EstimateBody(BaseModel):
    """A model, and either token counts or a prompt."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    model: Annotated[str, Field(min_length=1, max_length=512)] = DEFAULT_MODEL
    """Model name or offer id."""

    input_tokens: Count | None = None
    """Prompt tokens, cached ones included. Needed unless there is a prompt."""

    output_tokens: Count = DEFAULT_OUTPUT_TOKENS
    """Completion tokens, reasoning included."""

    cached_tokens: Count = 0
    """Those of the prompt tokens that a cache serves."""

    cache_write_tokens: Count = 0
    """Prompt tokens written to a cache, beside `input_tokens`."""

    reasoning_tokens: Count = 0
    """Those of the completion tokens that are thinking."""

    prompt: str | None = None
    """Text whose tokens are estimated; `input_tokens` win over it."""

    service_tier: Annotated[str, Field(max_length=64)] | None = None
    """`standard`, `batch`, `flex`, `priority`, or another name the seller uses."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.input_tokens is None and self.prompt is None:
            raise ValueError("input_tokens or prompt must be given")
        if self.input_tokens is None and (self.cached_tokens or self.cache_write_tokens):
            raise ValueError("cached_tokens and cache_write_tokens need input_tokens")
        if self.input_tokens is not None and self.cached_tokens > self.input_tokens:
            raise ValueError("cached_tokens must not exceed input_tokens, which include them")
        if self.reasoning_tokens > self.output_tokens:
            raise ValueError("reasoning_tokens must not exceed output_tokens, which include them")
        return self

    def to_request(self) -> EstimateCostRequest:
        """Return the call that answers it."""
        request = EstimateCostRequest(model=self.model, service_tier=self.service_tier or "")
        if self.input_tokens is None:
            request.prompt = self.prompt or ""
            request.expected_output_token_count = self.output_tokens
            return request
        request.usage.CopyFrom(
            Usage(
                uncached_input_token_count=self.input_tokens - self.cached_tokens,
                cache_read_token_count=self.cached_tokens,
                cache_write_token_count=self.cache_write_tokens,
                output_token_count=self.output_tokens - self.reasoning_tokens,
                reasoning_token_count=self.reasoning_tokens,
            )
        )
        return request
