"""What prices charge for, which usage they apply to, and what stands in for a missing price.

The numbers are those of `PriceComponent` in the contract, and the usage classes are in the order of
the fields of `Usage`; a test holds both.
"""

from dataclasses import dataclass
from enum import IntEnum


class Component(IntEnum):
    """What a rate charges for, and in which unit."""

    INPUT_TOKEN = 1
    CACHE_READ_TOKEN = 2
    CACHE_WRITE_TOKEN = 3
    CACHE_WRITE_1H_TOKEN = 4
    OUTPUT_TOKEN = 5
    REASONING_TOKEN = 6
    AUDIO_INPUT_TOKEN = 7
    AUDIO_OUTPUT_TOKEN = 8
    AUDIO_CACHE_READ_TOKEN = 9
    IMAGE_INPUT_TOKEN = 10
    IMAGE_OUTPUT_TOKEN = 11
    VIDEO_INPUT_TOKEN = 12
    VIDEO_OUTPUT_TOKEN = 13
    REQUEST = 14
    INPUT_IMAGE = 15
    OUTPUT_IMAGE = 16
    INPUT_SECOND = 17
    OUTPUT_SECOND = 18
    INPUT_CHARACTER = 19
    OUTPUT_CHARACTER = 20
    INPUT_PIXEL = 21
    OUTPUT_PIXEL = 22
    QUERY = 23
    PAGE = 24

    @property
    def is_token(self) -> bool:
        """Whether one unit is one token."""
        return self <= Component.VIDEO_OUTPUT_TOKEN


COMPONENT_SLOTS = max(Component) + 1
"""Length of a sequence that is indexed by component."""

FALLBACKS: dict[Component, Component] = {
    Component.CACHE_READ_TOKEN: Component.INPUT_TOKEN,
    Component.CACHE_WRITE_TOKEN: Component.INPUT_TOKEN,
    Component.CACHE_WRITE_1H_TOKEN: Component.CACHE_WRITE_TOKEN,
    Component.REASONING_TOKEN: Component.OUTPUT_TOKEN,
    Component.AUDIO_INPUT_TOKEN: Component.INPUT_TOKEN,
    Component.AUDIO_OUTPUT_TOKEN: Component.OUTPUT_TOKEN,
    Component.AUDIO_CACHE_READ_TOKEN: Component.CACHE_READ_TOKEN,
    Component.IMAGE_INPUT_TOKEN: Component.INPUT_TOKEN,
    Component.IMAGE_OUTPUT_TOKEN: Component.OUTPUT_TOKEN,
    Component.VIDEO_INPUT_TOKEN: Component.INPUT_TOKEN,
    Component.VIDEO_OUTPUT_TOKEN: Component.OUTPUT_TOKEN,
}
"""The component whose price stands in where one has none of its own."""


class CostPart(IntEnum):
    """The amounts that a cost is broken into, and their sum."""

    INPUT = 0
    CACHE_READ = 1
    CACHE_WRITE = 2
    OUTPUT = 3
    REASONING = 4
    MEDIA = 5
    REQUEST = 6
    TOTAL = 7


COST_PARTS = len(CostPart)


@dataclass(frozen=True, slots=True)
class UsageClass:
    """One field of a usage: what prices it, and where its cost is booked."""

    name: str
    component: Component
    part: CostPart
    units_per_price: int = 1
    """How many counted units one price is for: 1000 milliseconds for a price per second."""


USAGE_CLASSES: tuple[UsageClass, ...] = (
    UsageClass("uncached_input_token", Component.INPUT_TOKEN, CostPart.INPUT),
    UsageClass("cache_read_token", Component.CACHE_READ_TOKEN, CostPart.CACHE_READ),
    UsageClass("cache_write_token", Component.CACHE_WRITE_TOKEN, CostPart.CACHE_WRITE),
    UsageClass("cache_write_1h_token", Component.CACHE_WRITE_1H_TOKEN, CostPart.CACHE_WRITE),
    UsageClass("output_token", Component.OUTPUT_TOKEN, CostPart.OUTPUT),
    UsageClass("reasoning_token", Component.REASONING_TOKEN, CostPart.REASONING),
    UsageClass("audio_input_token", Component.AUDIO_INPUT_TOKEN, CostPart.MEDIA),
    UsageClass("audio_output_token", Component.AUDIO_OUTPUT_TOKEN, CostPart.MEDIA),
    UsageClass("image_input_token", Component.IMAGE_INPUT_TOKEN, CostPart.MEDIA),
    UsageClass("image_output_token", Component.IMAGE_OUTPUT_TOKEN, CostPart.MEDIA),
    UsageClass("video_input_token", Component.VIDEO_INPUT_TOKEN, CostPart.MEDIA),
    UsageClass("video_output_token", Component.VIDEO_OUTPUT_TOKEN, CostPart.MEDIA),
    UsageClass("request", Component.REQUEST, CostPart.REQUEST),
    UsageClass("input_image", Component.INPUT_IMAGE, CostPart.MEDIA),
    UsageClass("output_image", Component.OUTPUT_IMAGE, CostPart.MEDIA),
    UsageClass("input_millisecond", Component.INPUT_SECOND, CostPart.MEDIA, 1000),
    UsageClass("output_millisecond", Component.OUTPUT_SECOND, CostPart.MEDIA, 1000),
    UsageClass("input_character", Component.INPUT_CHARACTER, CostPart.MEDIA),
    UsageClass("output_character", Component.OUTPUT_CHARACTER, CostPart.MEDIA),
    UsageClass("input_pixel", Component.INPUT_PIXEL, CostPart.MEDIA),
    UsageClass("output_pixel", Component.OUTPUT_PIXEL, CostPart.MEDIA),
    UsageClass("query", Component.QUERY, CostPart.REQUEST),
    UsageClass("page", Component.PAGE, CostPart.MEDIA),
    UsageClass("audio_cache_read_token", Component.AUDIO_CACHE_READ_TOKEN, CostPart.CACHE_READ),
)

PROMPT_COMPONENTS = frozenset(
    {
        Component.INPUT_TOKEN,
        Component.CACHE_READ_TOKEN,
        Component.CACHE_WRITE_TOKEN,
        Component.CACHE_WRITE_1H_TOKEN,
        Component.AUDIO_INPUT_TOKEN,
        Component.AUDIO_CACHE_READ_TOKEN,
        Component.IMAGE_INPUT_TOKEN,
        Component.VIDEO_INPUT_TOKEN,
    }
)
"""The classes whose counts together are the size of a prompt."""
