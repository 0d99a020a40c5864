"""What a request is expected to consume."""

from dataclasses import dataclass
from typing import Protocol

DEFAULT_OUTPUT_TOKENS = 500
"""Completion tokens to expect of a request that says nothing (half of them need fewer)."""
DEFAULT_OUTPUT_TOKENS_P90 = 850
"""Completion tokens that nine in ten stay below.

In 12,031 requests of the public Mooncake conversation trace, the 90th percentile of the output
length is 1.71 times the median (597 to 350 tokens).
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """Expected tokens by class; every token is counted once."""

    input_tokens: int
    output_tokens: int
    image_tokens: int = 0
    audio_tokens: int = 0
    video_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        return self.input_tokens + self.image_tokens + self.audio_tokens + self.video_tokens


@dataclass(frozen=True, slots=True)
class OutputForecast:
    """How long the completion will be, in tokens: the middle, and what nine in ten stay below."""

    p50: int
    p90: int


class Forecaster(Protocol):
    """Foretells how long completions are."""

    def forecast(self, max_output_tokens: int | None) -> OutputForecast:
        """Return a forecast that never exceeds `max_output_tokens` (>= 1) where it is given."""


class DefaultForecaster:
    """Expects the same of every request."""

    def forecast(self, max_output_tokens: int | None) -> OutputForecast:
        if max_output_tokens is None:
            return OutputForecast(DEFAULT_OUTPUT_TOKENS, DEFAULT_OUTPUT_TOKENS_P90)
        return OutputForecast(
            min(max_output_tokens, DEFAULT_OUTPUT_TOKENS),
            min(max_output_tokens, DEFAULT_OUTPUT_TOKENS_P90),
        )
