"""The body of `POST /api/ai/pricing/reprice`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from steelyard.common.v1.usage_pb2 import Usage
from steelyard.pricing.v1.pricing_service_pb2 import PastUsage, RepriceRequest
from steelyard_common.errors import InvalidFieldError
from steelyard_edge.inputs.estimate_body import MAX_COUNT
from steelyard_edge.inputs.json_struct import decoded
from steelyard_edge.inputs.moments import Instant, to_timestamp

MAX_ENTRIES = 10_000
EXAMPLE: dict[str, Any] = {
    "usage": [
        {
            "offer": "openai/gpt-4o",
            "input_tokens": 1200,
            "cached_tokens": 1000,
            "output_tokens": 300,
            "use_time": "2026-10-01T12:00:00Z",
        }
    ],
    "as_known_at": "2026-10-01T00:00:00Z",
}

Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]


class PastUsageBody(Struct, frozen=True, kw_only=True):
    """One request of the past. What is not text is counted beside `input_tokens`."""

    offer: Annotated[str, Meta(min_length=1, max_length=512)]
    use_time: Instant
    service_tier: Annotated[str, Meta(max_length=64)] = ""
    input_tokens: Annotated[Count, Meta(description="Prompt tokens, cached ones included.")] = 0
    output_tokens: Annotated[Count, Meta(description="Completion, reasoning included.")] = 0
    cached_tokens: Count = 0
    reasoning_tokens: Count = 0
    cache_write_tokens: Annotated[Count, Meta(description="Beside `input_tokens`.")] = 0
    cache_write_1h_tokens: Annotated[Count, Meta(description="Beside `input_tokens`.")] = 0
    audio_input_tokens: Count = 0
    audio_output_tokens: Count = 0
    image_input_tokens: Count = 0
    image_output_tokens: Count = 0
    video_input_tokens: Count = 0
    video_output_tokens: Count = 0
    requests: Count = 0
    input_images: Count = 0
    output_images: Count = 0
    input_milliseconds: Count = 0
    output_milliseconds: Count = 0
    input_characters: Count = 0
    output_characters: Count = 0
    input_pixels: Count = 0
    output_pixels: Count = 0
    queries: Count = 0
    pages: Count = 0
    audio_cache_read_tokens: Annotated[
        Count, Meta(description="Beside `input_tokens` and `audio_input_tokens`.")
    ] = 0


class RepriceBody(Struct, frozen=True, kw_only=True):
    """Past usage, at which day's prices, and by what was known when."""

    usage: Annotated[list[PastUsageBody], Meta(min_length=1, max_length=MAX_ENTRIES)]
    as_known_at: Instant | None = None
    as_effective_at: Instant | None = None


_DECODER = msgspec.json.Decoder(RepriceBody)


def to_reprice_request(text: bytes) -> RepriceRequest:
    """Return the call that answers a body.

    Raises:
        MalformedRequestError: It is not JSON.
        InvalidFieldError: A field is missing, of another type, or out of range.
    """
    body = decoded(_DECODER, text)
    return RepriceRequest(
        usage=[_to_past_usage(each, f"usage[{index}]") for index, each in enumerate(body.usage)],
        as_known_at_time=to_timestamp(body.as_known_at, "as_known_at"),
        as_effective_at_time=to_timestamp(body.as_effective_at, "as_effective_at"),
    )


def _to_past_usage(body: PastUsageBody, field: str) -> PastUsage:
    if body.cached_tokens > body.input_tokens:
        raise InvalidFieldError(f"{field}.cached_tokens", "must not exceed input_tokens")
    if body.reasoning_tokens > body.output_tokens:
        raise InvalidFieldError(f"{field}.reasoning_tokens", "must not exceed output_tokens")
    return PastUsage(
        offer=body.offer,
        use_time=to_timestamp(body.use_time, f"{field}.use_time"),
        service_tier=body.service_tier,
        usage=Usage(
            uncached_input_token_count=body.input_tokens - body.cached_tokens,
            cache_read_token_count=body.cached_tokens,
            cache_write_token_count=body.cache_write_tokens,
            cache_write_1h_token_count=body.cache_write_1h_tokens,
            output_token_count=body.output_tokens - body.reasoning_tokens,
            reasoning_token_count=body.reasoning_tokens,
            audio_input_token_count=body.audio_input_tokens,
            audio_output_token_count=body.audio_output_tokens,
            image_input_token_count=body.image_input_tokens,
            image_output_token_count=body.image_output_tokens,
            video_input_token_count=body.video_input_tokens,
            video_output_token_count=body.video_output_tokens,
            request_count=body.requests,
            input_image_count=body.input_images,
            output_image_count=body.output_images,
            input_millisecond_count=body.input_milliseconds,
            output_millisecond_count=body.output_milliseconds,
            input_character_count=body.input_characters,
            output_character_count=body.output_characters,
            input_pixel_count=body.input_pixels,
            output_pixel_count=body.output_pixels,
            query_count=body.queries,
            page_count=body.pages,
            audio_cache_read_token_count=body.audio_cache_read_tokens,
        ),
    )
