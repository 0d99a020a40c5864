"""Dividing a whole among its parts, so that they add up to it and none is negative."""

from dataclasses import dataclass

from steelyard_usage.counts import UsageCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Tokens that were sent. Every part is inside of `whole`."""

    whole: int
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    audio_cache_read: int = 0
    """Inside of `cache_read`."""
    audio: int = 0
    """Media may be counted among the cached tokens as well, which hardly anybody tells."""
    image: int = 0
    video: int = 0

    @property
    def is_overdrawn(self) -> bool:
        """Whether some part exceeds the whole, which no overlap of media and cache explains."""
        cached = self.cache_read + self.cache_write + self.cache_write_1h
        is_too_much = max(cached, self.audio + self.image + self.video) > self.whole
        return is_too_much or self.audio_cache_read > self.cache_read

    def counts(self) -> UsageCounts:
        """Return the classes.

        The cache comes first: what exceeds the rest of the prompt were cached tokens of a medium,
        and those are priced as cached.
        """
        rest = _Rest(self.whole)
        cached = _Rest(rest.take(self.cache_read))
        return UsageCounts(
            audio_cache_read_token_count=cached.take(self.audio_cache_read),
            cache_read_token_count=cached.left,
            cache_write_1h_token_count=rest.take(self.cache_write_1h),
            cache_write_token_count=rest.take(self.cache_write),
            audio_input_token_count=rest.take(self.audio),
            image_input_token_count=rest.take(self.image),
            video_input_token_count=rest.take(self.video),
            uncached_input_token_count=rest.left,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Tokens that were made. Every part is inside of `whole`."""

    whole: int
    reasoning: int = 0
    audio: int = 0
    image: int = 0
    video: int = 0

    @property
    def is_overdrawn(self) -> bool:
        """Whether the parts exceed the whole."""
        return self.reasoning + self.audio + self.image + self.video > self.whole

    def counts(self) -> UsageCounts:
        """Return the classes."""
        rest = _Rest(self.whole)
        return UsageCounts(
            audio_output_token_count=rest.take(self.audio),
            image_output_token_count=rest.take(self.image),
            video_output_token_count=rest.take(self.video),
            reasoning_token_count=rest.take(self.reasoning),
            output_token_count=rest.left,
        )


class _Rest:
    """What is left of a whole."""

    __slots__ = ("left",)

    def __init__(self, whole: int) -> None:
        self.left = whole

    def take(self, wanted: int) -> int:
        taken = min(wanted, self.left)
        self.left -= taken
        return taken
