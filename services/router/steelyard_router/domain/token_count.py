"""How many prompt tokens a request has, by text and media.

Media counts follow the rules that providers publish for their own models; where a rule needs what
the request does not tell (pixels, seconds, pages), a documented middle value stands in.
"""

import math
from typing import Final

from steelyard_common.tokens import estimate_tokens

MESSAGE_OVERHEAD: Final = 4
"""Tokens that frame one message: role and separators."""
REPLY_OVERHEAD: Final = 3
"""Tokens that open the answer."""
TOOL_OVERHEAD: Final = 8
"""Tokens that frame one function beside its name, description and schema."""

LOW_DETAIL_IMAGE: Final = 85
TILE: Final = 170
TILE_PIXELS: Final = 512
DEFAULT_IMAGE: Final = LOW_DETAIL_IMAGE + 4 * TILE
"""An image of unknown size: four tiles, as one of 1024 x 1024 pixels has."""
_LONGEST_SIDE = 2048
_SHORTEST_SIDE = 768

AUDIO_PER_SECOND: Final = 32
AUDIO_BYTES_PER_SECOND: Final = 16_000
"""Compressed speech of 128 kbit/s."""
VIDEO_PER_SECOND: Final = 263
VIDEO_BYTES_PER_SECOND: Final = 250_000
DEFAULT_SECONDS: Final = 60
"""Audio and video behind a URL."""

FILE_PER_PAGE: Final = 1_000
FILE_BYTES_PER_PAGE: Final = 50_000
DEFAULT_PAGES: Final = 10
"""A file behind a URL."""

# Estimating takes 150 microseconds per 1000 characters: longer texts are counted by samples.
_WHOLE_TEXT_CHARACTERS = 1024
_SAMPLES = 4
_SAMPLE_CHARACTERS = 256


def text_tokens(text: str) -> int:
    """Return the estimated tokens of a text; of a long one, from samples spread over it."""
    if len(text) <= _WHOLE_TEXT_CHARACTERS:
        return estimate_tokens(text)
    step = (len(text) - _SAMPLE_CHARACTERS) // (_SAMPLES - 1)
    # Estimated together: a call of its own for each costs as much again.
    sampled = estimate_tokens(
        " ".join(
            text[start : start + _SAMPLE_CHARACTERS] for start in range(0, step * _SAMPLES, step)
        )
    )
    return math.ceil(sampled * len(text) / (_SAMPLES * _SAMPLE_CHARACTERS))


def image_tokens(detail: str, width_pixels: int, height_pixels: int) -> int:
    """Return the tokens of an image: 85, and 170 per tile of 512 pixels unless detail is low."""
    if detail == "low":
        return LOW_DETAIL_IMAGE
    if width_pixels <= 0 or height_pixels <= 0:
        return DEFAULT_IMAGE
    longest, shortest = max(width_pixels, height_pixels), min(width_pixels, height_pixels)
    scale = min(1.0, _LONGEST_SIDE / longest)
    scale = min(scale, _SHORTEST_SIDE / shortest)
    tiles = math.ceil(longest * scale / TILE_PIXELS) * math.ceil(shortest * scale / TILE_PIXELS)
    return LOW_DETAIL_IMAGE + TILE * tiles


def audio_tokens(byte_count: int) -> int:
    """Return the tokens of a sound; 0 bytes means that its size is not known."""
    return AUDIO_PER_SECOND * _amount(byte_count, AUDIO_BYTES_PER_SECOND, DEFAULT_SECONDS)


def video_tokens(byte_count: int) -> int:
    """Return the tokens of a video; 0 bytes means that its size is not known."""
    return VIDEO_PER_SECOND * _amount(byte_count, VIDEO_BYTES_PER_SECOND, DEFAULT_SECONDS)


def file_tokens(byte_count: int) -> int:
    """Return the tokens of a document; 0 bytes means that its size is not known."""
    return FILE_PER_PAGE * _amount(byte_count, FILE_BYTES_PER_PAGE, DEFAULT_PAGES)


def _amount(byte_count: int, bytes_per_unit: int, default: int) -> int:
    return math.ceil(byte_count / bytes_per_unit) if byte_count else default
