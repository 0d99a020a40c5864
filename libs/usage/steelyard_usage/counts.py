"""Counts by class: disjoint, never negative."""

from dataclasses import dataclass, fields
from operator import add, attrgetter

MAX_COUNT = 50_000_000
"""Largest count that the contract's `Usage` may carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageCounts:
    """The fields of the contract's `Usage`, in its order and with its meaning."""

    uncached_input_token_count: int = 0
    cache_read_token_count: int = 0
    """Of any kind, images and videos too; without audio where the provider tells it apart."""
    cache_write_token_count: int = 0
    cache_write_1h_token_count: int = 0
    output_token_count: int = 0
    reasoning_token_count: int = 0
    audio_input_token_count: int = 0
    audio_output_token_count: int = 0
    image_input_token_count: int = 0
    image_output_token_count: int = 0
    video_input_token_count: int = 0
    video_output_token_count: int = 0
    request_count: int = 0
    input_image_count: int = 0
    output_image_count: int = 0
    input_millisecond_count: int = 0
    output_millisecond_count: int = 0
    input_character_count: int = 0
    output_character_count: int = 0
    input_pixel_count: int = 0
    output_pixel_count: int = 0
    query_count: int = 0
    page_count: int = 0
    audio_cache_read_token_count: int = 0

    @property
    def prompt_tokens(self) -> int:
        """Tokens sent: the size that context bands go by."""
        return (
            self.uncached_input_token_count
            + self.cache_read_token_count
            + self.cache_write_token_count
            + self.cache_write_1h_token_count
            + self.audio_input_token_count
            + self.audio_cache_read_token_count
            + self.image_input_token_count
            + self.video_input_token_count
        )

    @property
    def completion_tokens(self) -> int:
        """Tokens made, those of reasoning included."""
        return (
            self.output_token_count
            + self.reasoning_token_count
            + self.audio_output_token_count
            + self.image_output_token_count
            + self.video_output_token_count
        )

    def __add__(self, other: "UsageCounts") -> "UsageCounts":
        """Return the sum by class."""
        sums = map(add, _VALUES(self), _VALUES(other))
        return UsageCounts(**dict(zip(_NAMES, sums, strict=True)))


_NAMES = tuple(field.name for field in fields(UsageCounts))
_VALUES = attrgetter(*_NAMES)
