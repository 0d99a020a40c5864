"""Models of a catalogue, made of real feeds or of nothing but their names."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from steelyard_catalog.litellm import read_litellm
from steelyard_catalog.names import canonical_name
from steelyard_catalog.openrouter import read_openrouter
from steelyard_registry.domain.assembly import assemble
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.models import Model, Offer
from steelyard_registry.domain.modes import Mode
from steelyard_registry.domain.offers import from_catalogue, from_openrouter

_DAY = date(2026, 10, 21)
_TIME = datetime(2026, 10, 21, tzinfo=UTC)


def models_named(*models: str) -> tuple[Model, ...]:
    """Return models that one seller offers under their canonical ids, or under its own."""
    return assemble(Facts(offers=tuple(_offer(model) for model in models)), _DAY)


def models_of(data: Path, litellm: str, openrouter: str) -> tuple[Model, ...]:
    """Return what two real feeds sell together."""
    market = read_litellm((data / "litellm" / f"{litellm}.json").read_bytes())
    own = read_openrouter((data / "openrouter" / f"{openrouter}.json").read_bytes())
    offers: Iterable[Offer] = (
        *(
            from_catalogue(entry, source="litellm", observed_time=_TIME)
            for entry in market.entries
            if entry.provider != "openrouter"
        ),
        *(
            from_openrouter(entry, source="openrouter", observed_time=_TIME)
            for entry in own.entries
            if not entry.id.startswith("~")
        ),
    )
    return assemble(Facts(offers=tuple(offers)), _DAY)


def _offer(model: str) -> Offer:
    seller, _, name = model.rpartition("/")
    provider = seller or "deepinfra"
    provider_model = name if seller else f"someone/{name}"
    assert canonical_name(provider, provider_model, "chat") == model
    return Offer(
        offer=f"{provider}/{provider_model}",
        provider=provider,
        provider_model=provider_model,
        model=model,
        mode=Mode.CHAT,
        capabilities=frozenset(),
        denied=frozenset(),
        source="test",
        observed_time=_TIME,
    )
