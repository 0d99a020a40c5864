"""Reading sources on demand, and how fresh they are."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import grpc

from steelyard.registry.v1 import quality_pb2
from steelyard.registry.v1 import registry_service_pb2 as pb
from steelyard_common.clock import Clock
from steelyard_common.errors import InvalidFieldError
from steelyard_common.message_times import to_timestamp
from steelyard_registry.domain.catalogue import Catalogue
from steelyard_registry.domain.freshness import Freshness
from steelyard_registry.domain.models import State
from steelyard_registry.domain.publisher import Publisher
from steelyard_registry.domain.quality.editions import ScoreSource
from steelyard_registry.domain.quality.scores import Basis
from steelyard_registry.domain.sync import Syncer
from steelyard_registry.domain.sync_run import Progress, Report
from steelyard_registry.messages.syncs import to_progress, to_report, to_source_status

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_BOARDS = frozenset({ScoreSource.ARENA, ScoreSource.ARENA_VISION})
_SOURCES: Mapping[int, frozenset[ScoreSource]] = {
    pb.QUALITY_SOURCE_LMSYS: _BOARDS,
    pb.QUALITY_SOURCE_BENCHMARKS: frozenset(ScoreSource) - _BOARDS,
    pb.QUALITY_SOURCE_HEURISTIC: frozenset(),
    pb.QUALITY_SOURCE_AUTO: frozenset(ScoreSource),
    pb.QUALITY_SOURCE_UNSPECIFIED: frozenset(ScoreSource),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Syncers:
    """What reads the sources of each kind."""

    models: Syncer
    quality: Syncer
    freshness: Freshness
    known: tuple[str, ...]
    """Names of all sources, also of those that are switched off."""


class SyncCalls:
    """Starts syncs, or follows the one that runs."""

    _publisher: Publisher
    _syncers: Syncers
    _clock: Clock

    async def SyncModels(
        self, request: pb.SyncModelsRequest, context: Context
    ) -> AsyncIterator[pb.SyncModelsResponse]:
        syncer = self._syncers.models
        run = await syncer.follow(syncer.sources, force=request.force)
        async for event in run.events():
            if isinstance(event, Progress):
                yield pb.SyncModelsResponse(progress=to_progress(event))
            else:
                yield pb.SyncModelsResponse(report=to_report(event))

    async def SyncQuality(
        self, request: pb.SyncQualityRequest, context: Context
    ) -> AsyncIterator[pb.SyncQualityResponse]:
        if request.source not in _SOURCES:
            raise InvalidFieldError("source", f"{request.source} is not known")
        run = await self._syncers.quality.follow(_SOURCES[request.source], force=request.force)
        async for event in run.events():
            if isinstance(event, Progress):
                yield pb.SyncQualityResponse(progress=to_progress(event))
            else:
                yield pb.SyncQualityResponse(report=self._quality_report(request, event))

    def _quality_report(self, request: pb.SyncQualityRequest, report: Report) -> pb.SyncReport:
        message = to_report(report)
        if request.source == pb.QUALITY_SOURCE_HEURISTIC:
            # Guesses are made anew with every catalogue and never put better evidence aside.
            counts = _basis_counts(self._publisher.live.current)
            message.updated_count = counts[Basis.HEURISTIC]
            message.skipped_count = sum(counts.values()) - counts[Basis.HEURISTIC]
        return message

    async def GetRegistryStatus(
        self, request: pb.GetRegistryStatusRequest, context: Context
    ) -> pb.GetRegistryStatusResponse:
        catalogue, state = self._publisher.live.current, self._publisher.state
        models = catalogue.edition.models.values()
        states = Counter(offer.state for model in models for offer in model.offers)
        return pb.GetRegistryStatusResponse(
            catalog_version=catalogue.edition.version,
            model_count=sum(model.state is State.ACTIVE for model in models),
            offer_count=states[State.ACTIVE],
            deprecated_offer_count=states[State.DEPRECATED],
            basis_counts=_to_basis_counts(_basis_counts(catalogue)),
            sources=list(self._source_statuses()),
            stale=catalogue.edition.is_stale,
            published_time=to_timestamp(state.published_time),
        )

    def _source_statuses(self) -> Iterable[pb.SourceStatus]:
        syncers, now = self._syncers, self._clock.now()
        enabled = syncers.models.sources.keys() | syncers.quality.sources.keys()
        for name in syncers.known:
            state = self._publisher.state.source(name)
            is_enabled = name in enabled
            yield to_source_status(
                name,
                state,
                is_enabled=is_enabled,
                is_stale=is_enabled and syncers.freshness.is_source_stale(name, state, now),
            )


def _basis_counts(catalogue: Catalogue) -> Counter[Basis]:
    return Counter(
        model.quality.basis
        for model in catalogue.edition.models.values()
        if model.quality is not None
    )


def _to_basis_counts(counts: Mapping[Basis, int]) -> list[pb.BasisCount]:
    return [
        pb.BasisCount(
            basis=cast("quality_pb2.QualityBasis.ValueType", basis), model_count=counts[basis]
        )
        for basis in sorted(counts)
    ]
