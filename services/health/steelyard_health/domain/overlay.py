"""What is known of providers apart from outcomes: their status pages, and what people planned."""

from typing import Protocol

from steelyard_health.domain.score import NO_STATUS_PAGE


class Overlay(Protocol):
    """Corrects what outcomes say."""

    @property
    def version(self) -> int:
        """Grows whenever an answer may have changed for another reason than time."""

    def status_factor(self, provider: str) -> float:
        """Return by what the score is multiplied, 0.5 to 1."""

    def absent_seconds(self, name: str) -> float | None:
        """Return how long an offer or provider is still taken out by hand; None when it is not."""

    def is_planned(self, name: str) -> bool:
        """Say whether people planned an absence of the offer or provider, now or later."""


class NoOverlay:
    """Nothing is known."""

    version = 0

    def status_factor(self, provider: str) -> float:
        del provider
        return NO_STATUS_PAGE

    def absent_seconds(self, name: str) -> float | None:
        del name
        return None

    def is_planned(self, name: str) -> bool:
        del name
        return False
