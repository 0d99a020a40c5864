"""The quality that each cognitive tier stands for."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from steelyard_registry.domain.models import Model

_TIERS = ("micro", "standard", "versatile", "heavy", "complex")
_STARTS = (0.0, 80.0, 86.0, 90.0, 94.0)
_END = 100.0


@dataclass(frozen=True, slots=True)
class TierBand:
    """One tier."""

    tier: str
    min_quality: float
    max_quality: float
    """Where the next band begins; the last one ends here, inclusive."""
    models: tuple[Model, ...]
    """Best first, then by id."""

    @property
    def label(self) -> str:
        """The band for people, e.g. `80-86`."""
        return f"{self.min_quality:g}-{self.max_quality:g}"


def tier_bands(models: Iterable[Model]) -> tuple[TierBand, ...]:
    """Sort models that have scores into the bands, lowest first."""
    bands: tuple[list[Model], ...] = tuple([] for _ in _TIERS)
    for model in sorted(models, key=lambda model: (-model.score, model.model)):
        bands[bisect_right(_STARTS, model.score) - 1].append(model)
    ends = (*_STARTS[1:], _END)
    return tuple(
        TierBand(tier, start, end, tuple(band))
        for tier, start, end, band in zip(_TIERS, _STARTS, ends, bands, strict=True)
    )
