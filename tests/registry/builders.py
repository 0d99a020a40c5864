"""Models, feeds and registries made for one test."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from steelyard.registry.v1 import model_pb2
from steelyard.registry.v1.registry_service_pb2 import WatchCatalogResponse as Part
from steelyard_common.feed import FetchPolicy
from steelyard_registry.adapters.sources import litellm_facts, openrouter_facts
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.facts import Facts
from steelyard_registry.domain.providers import AuthStyle, Provider, WireFormat
from steelyard_registry.domain.quality.scores import Basis, QualityScore, Task
from steelyard_registry.domain.source_facts import SourceFacts
from tests.fakes import START

SEED_TIME = datetime(2026, 10, 21, tzinfo=UTC)
TTL = timedelta(days=1)
TODAY = START.date()
QUICK = FetchPolicy(total_seconds=5, attempts=1)


def litellm_body(models: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return a map of models, as large as a feed has to be."""
    return json.dumps(models).encode() + b" " * 1000


def openrouter_body(*models: Mapping[str, Any]) -> bytes:
    return json.dumps({"data": models}).encode() + b" " * 1000


def arena_body(ratings: Mapping[str, float]) -> bytes:
    """Return a leaderboard of general use."""
    rows = {
        name: {"rating": rating, "rating_q025": rating - 5, "rating_q975": rating + 5}
        for name, rating in ratings.items()
    }
    return json.dumps({"full": rows}).encode()


def chat(provider: str, **fields: Any) -> dict[str, Any]:
    return {"litellm_provider": provider, "mode": "chat"} | fields


def listed(identity: str, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "pricing": {"prompt": "0.000001"}} | fields


def facts_of(models: Mapping[str, Mapping[str, Any]]) -> SourceFacts:
    """Return what LiteLLM's reader makes of models."""
    return litellm_facts(litellm_body(models), SEED_TIME) if models else SourceFacts(offers=())


def curated(  # noqa: PLR0913 - all but two by keyword
    model: str,
    score: float,
    *,
    edition_date: date = date(2026, 10, 3),
    task: Task = Task.GENERAL,
    basis: Basis = Basis.CURATED,
    uncertainty: float = 2.0,
) -> QualityScore:
    return QualityScore(
        model=model,
        score=score,
        uncertainty=uncertainty,
        basis=basis,
        source="curated" if basis is Basis.CURATED else "arena",
        edition_date=edition_date,
        normalization="by hand",
        task=task,
    )


OPENAI = Provider(
    provider="openai",
    display_name="OpenAI",
    base_url="https://api.openai.com/v1",
    wire_format=WireFormat.OPENAI,
    auth_style=AuthStyle.BEARER,
    key_variables=("OPENAI_API_KEY",),
)


def catalogue_of(  # noqa: PLR0913 - all but one by keyword
    models: Mapping[str, Mapping[str, Any]],
    *,
    openrouter: Sequence[Mapping[str, Any]] = (),
    evidence: Mapping[str, Sequence[QualityScore]] | None = None,
    today: date = TODAY,
    version: int = 1,
    previous: Catalogue | None = None,
) -> Catalogue:
    """Return a catalogue of models in LiteLLM's and OpenRouter's formats."""
    market = facts_of(models)
    offers, moving = market.offers, {}
    if openrouter:
        own = openrouter_facts(openrouter_body(*openrouter), SEED_TIME)
        offers, moving = (*offers, *own.offers), dict(own.moving_names)
    facts = Facts(
        offers=offers,
        source_keys=market.source_keys,
        moving_names=moving,
        evidence=evidence or {},
        providers={"openai": OPENAI},
    )
    return Catalogue.build(
        facts,
        version=version,
        today=today,
        is_stale=False,
        previous=None if previous is None else previous.edition,
    )


async def read_update(call: Any) -> tuple[dict[str, model_pb2.Model], list[Part]]:
    """Read messages until the copy is whole; return its models by id, and the messages."""
    parts: list[Part] = []
    while not parts or not parts[-1].snapshot_complete:
        parts.append(await call.read())
    return {model.model: model for part in parts for model in part.models}, parts
