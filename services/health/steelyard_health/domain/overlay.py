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

    def is_in_maintenance(self, name: str) -> bool:
        """Say whether an offer or provider was taken out by hand, for now."""

    def is_planned(self, name: str) -> bool:
        """Say whether people planned an absence of the offer or provider, now or later."""


class NoOverlay:
    """Nothing is known."""

    version = 0

    def status_factor(self, provider: str) -> float:
        del provider
        return NO_STATUS_PAGE

    def is_in_maintenance(self, name: str) -> bool:
        del name
        return False

    def is_planned(self, name: str) -> bool:
        del name
        return False
